"""Mask2Former (with proportions kept and padding, as its authors train it) and EoMT in small."""

from __future__ import annotations

from pathlib import Path

from countersign.domain.model import ModelCard
from tiny_checkpoints import _seeded


def key(card: ModelCard) -> str:
    if card.name.startswith("eomt"):
        return "eomt"
    return "mask2former-semantic" if card.name.endswith("semantic") else "mask2former-instance"


def build(card: ModelCard, folder: Path) -> None:
    import transformers as T

    named = _seeded.labels(card.classes)
    if key(card) == "eomt":
        eomt = T.EomtConfig(
            hidden_size=32, num_hidden_layers=3, num_attention_heads=2, mlp_ratio=2, image_size=64, patch_size=8,
            num_blocks=1, num_queries=12, num_register_tokens=1, num_upscale_blocks=1, **named,
        )  # fmt: skip
        small = T.EomtImageProcessor(size={"shortest_edge": 64, "longest_edge": 64}, do_pad=True, do_split_image=False)
        _seeded.save(lambda: T.EomtForUniversalSegmentation(eomt), folder, small, spread=0.3)
        return
    backbone = T.SwinConfig(
        embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 2, 2, 4], window_size=4, image_size=64,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )  # fmt: skip
    config = T.Mask2FormerConfig(
        backbone_config=backbone, feature_size=32, mask_feature_size=32, hidden_dim=32, encoder_feedforward_dim=32,
        encoder_layers=1, decoder_layers=2, num_attention_heads=2, dim_feedforward=32, num_queries=12, **named,
    )  # fmt: skip
    processor = T.Mask2FormerImageProcessor(
        size={"shortest_edge": 48, "longest_edge": 96}, size_divisor=32, num_labels=len(card.classes)
    )
    _seeded.save(lambda: T.Mask2FormerForUniversalSegmentation(config), folder, processor, spread=0.3)
