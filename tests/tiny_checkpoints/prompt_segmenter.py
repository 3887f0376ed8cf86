"""SAM, SAM-HQ, SAM 2 and EdgeTAM in small; the last two as their video networks, which is what the hub has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from countersign.domain.model import ModelCard
from tiny_checkpoints import _seeded

_DECODER = {
    "hidden_size": 32, "mlp_dim": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "iou_head_hidden_dim": 32,
}  # fmt: skip
_MEMORY = {
    "memory_attention_hidden_size": 32, "memory_attention_num_layers": 1, "memory_encoder_hidden_size": 32,
    "memory_encoder_output_channels": 16, "mask_downsampler_embed_dim": 32, "memory_fuser_embed_dim": 32,
    "memory_fuser_intermediate_dim": 32, "image_size": 64,
}  # fmt: skip


def key(card: ModelCard) -> str:
    kinds = {"sam-hq": "sam-hq", "sam-vit": "sam", "sam2": "sam2", "edgetam": "edgetam"}
    return next(kind for start, kind in kinds.items() if card.name.startswith(start))


def build(card: ModelCard, folder: Path) -> None:
    kind = key(card)
    {"sam": _sam, "sam-hq": _sam, "sam2": _sam2, "edgetam": _edgetam}[kind](kind, folder)


def _sam(kind: str, folder: Path) -> None:
    import transformers as T

    vision = {
        "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "mlp_dim": 32, "image_size": 64,
        "patch_size": 8, "output_channels": 32, "num_pos_feats": 16, "window_size": 4, "global_attn_indexes": [1],
    }  # fmt: skip
    prompts = {"hidden_size": 32, "image_size": 64, "patch_size": 8, "image_embedding_size": 8}
    decoder: dict[str, Any] = dict(_DECODER)
    maker, network = T.SamConfig, T.SamModel
    if kind == "sam-hq":
        decoder["vit_dim"] = 32
        maker, network = T.SamHQConfig, T.SamHQModel
    config = maker(vision_config=vision, prompt_encoder_config=prompts, mask_decoder_config=decoder)
    processor = T.SamImageProcessor(size={"longest_edge": 64}, pad_size={"height": 64, "width": 64})
    _seeded.save(lambda: network(config), folder, processor, spread=0.3)


def _sam2(kind: str, folder: Path) -> None:
    import transformers as T

    backbone = {
        "hidden_size": 16, "num_attention_heads": 1, "image_size": [64, 64], "blocks_per_stage": [1, 2, 1, 1],
        "embed_dim_per_stage": [16, 24, 32, 40], "num_attention_heads_per_stage": [1, 1, 2, 2],
        "window_size_per_stage": [4, 2, 2, 2], "global_attention_blocks": [2],
        "window_positional_embedding_background_size": [4, 4],
    }  # fmt: skip
    vision = {
        "backbone_config": {"model_type": "sam2_hiera_det_model", **backbone},
        "backbone_channel_list": [40, 32, 24, 16], "backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]],
        "fpn_hidden_size": 32,
    }  # fmt: skip
    config = T.Sam2VideoConfig(
        vision_config=T.Sam2VisionConfig(**vision),
        prompt_encoder_config={"hidden_size": 32, "image_size": 64},
        mask_decoder_config=_DECODER,
        memory_attention_rope_feat_sizes=[4, 4],
        memory_attention_feed_forward_hidden_size=32,
        **_MEMORY,
    )
    processor = T.Sam2ImageProcessor(size={"height": 64, "width": 64})
    _seeded.save(lambda: T.Sam2VideoModel(config), folder, processor, spread=0.3)


def _edgetam(kind: str, folder: Path) -> None:
    import transformers as T

    backbone = T.TimmWrapperConfig(
        architecture="repvit_m1.dist_in1k", num_classes=0, do_pooling=False,
        model_args={
            "in_chans": 3, "features_only": True, "out_indices": [0, 1, 2, 3], "embed_dim": [8, 16, 24, 32],
            "depth": [1, 1, 1, 1],
        },
    )  # fmt: skip
    vision = T.EdgeTamVisionConfig(
        backbone_config=backbone, backbone_channel_list=[32, 24, 16, 8],
        backbone_feature_sizes=[[16, 16], [8, 8], [4, 4]], fpn_hidden_size=32,
    )  # fmt: skip
    config = T.EdgeTamVideoConfig(
        vision_config=vision,
        prompt_encoder_config={"hidden_size": 32, "image_size": 64},
        mask_decoder_config=_DECODER,
        memory_attention_rope_feat_sizes=[4, 4],
        memory_attention_rope_k_sizes=[4, 4],
        memory_attention_mlp_hidden_size=32,
        perceiver_resampler_hidden_size=16,
        perceiver_resampler_num_latents=4,
        perceiver_resampler_num_latents_2d=4,
        perceiver_resampler_mlp_intermediate_size=16,
        perceiver_resampler_attention_head_dim=16,
        **_MEMORY,
    )
    processor = T.Sam2ImageProcessor(size={"height": 64, "width": 64})
    _seeded.save(lambda: T.EdgeTamVideoModel(config), folder, processor, spread=0.3)
