"""RT-DETR, RT-DETRv2, D-FINE and RF-DETR in small."""

from __future__ import annotations

from pathlib import Path

from countersign.domain.model import ModelCard
from tiny_checkpoints import _seeded

_COMMON = {
    "d_model": 32, "encoder_hidden_dim": 32, "encoder_ffn_dim": 32, "encoder_attention_heads": 2,
    "encoder_in_channels": [24, 32, 40], "decoder_in_channels": [32, 32, 32], "decoder_ffn_dim": 32,
    "decoder_layers": 2, "decoder_attention_heads": 2, "num_queries": 20, "num_denoising": 0,
}  # fmt: skip


def key(card: ModelCard) -> str:
    """The architecture; the smallest D-FINE has two scales where the others have three."""
    return next(
        kind for kind in ("rt-detr-v2", "rt-detr", "d-fine-n", "d-fine", "rf-detr") if card.name.startswith(kind)
    )


def build(card: ModelCard, folder: Path) -> None:
    import transformers as T

    named = _seeded.labels(card.classes)
    kind = key(card)
    if kind == "rf-detr":
        backbone = T.RfDetrDinov2Config(
            hidden_size=32, num_hidden_layers=2, num_attention_heads=2, mlp_ratio=2, image_size=64, patch_size=8,
            num_windows=2, out_indices=[1, 2],
        )  # fmt: skip
        rf_detr = T.RfDetrConfig(
            backbone_config=backbone, d_model=32, decoder_ffn_dim=32, decoder_layers=2, num_queries=20,
            decoder_self_attention_heads=2, decoder_cross_attention_heads=2, decoder_n_points=2, group_detr=1, **named,
        )  # fmt: skip
        processor = T.RfDetrImageProcessor(size={"height": 64, "width": 64})
        _seeded.save(lambda: T.RfDetrForObjectDetection(rf_detr), folder, processor, spread=0.2)
        return
    scales: dict[str, object] = {}
    if kind.startswith("d-fine"):
        backbone = T.HGNetV2Config(
            stem_channels=[3, 8, 8], stage_in_channels=[8, 16, 24, 32], stage_mid_channels=[8, 8, 8, 8],
            stage_out_channels=[16, 24, 32, 40], stage_num_blocks=[1, 1, 1, 1], stage_numb_of_layers=[1, 1, 1, 1],
            hidden_sizes=[16, 24, 32, 40], embedding_size=8, depths=[1, 1, 1, 1],
            out_indices=[3, 4] if kind == "d-fine-n" else [2, 3, 4],
        )  # fmt: skip
        if kind == "d-fine-n":
            scales = {"encoder_in_channels": [32, 40], "decoder_in_channels": [32, 32], "num_feature_levels": 2,
                      "feat_strides": [16, 32], "encode_proj_layers": [1]}  # fmt: skip
        points = [2, 2] if scales else [2, 2, 2]
        config = T.DFineConfig(backbone_config=backbone, decoder_n_points=points, **(_COMMON | scales), **named)
        network = T.DFineForObjectDetection
    else:
        backbone = T.RTDetrResNetConfig(
            embedding_size=16, hidden_sizes=[16, 24, 32, 40], depths=[1, 1, 1, 1], layer_type="bottleneck",
            out_features=["stage2", "stage3", "stage4"],
        )  # fmt: skip
        maker, network = {
            "rt-detr": (T.RTDetrConfig, T.RTDetrForObjectDetection),
            "rt-detr-v2": (T.RTDetrV2Config, T.RTDetrV2ForObjectDetection),
        }[kind]
        config = maker(backbone_config=backbone, **_COMMON, **named)
    processor = T.RTDetrImageProcessor(size={"height": 64, "width": 64})
    _seeded.save(lambda: network(config), folder, processor, spread=0.2, side=64)
