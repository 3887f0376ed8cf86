"""DINOv2 and DINOv3 in small."""

from __future__ import annotations

from pathlib import Path

from countersign.domain.model import ModelCard
from tiny_checkpoints import _seeded

_SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 32}


def key(card: ModelCard) -> str:
    return card.name.partition("-")[0]


def build(card: ModelCard, folder: Path) -> None:
    import transformers as T

    size = {"height": 32, "width": 32}
    if key(card) == "dinov2":
        dinov2 = T.Dinov2Config(**_SIZES, mlp_ratio=2, patch_size=14)
        processor = T.BitImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 28, "width": 28})
        _seeded.save(lambda: T.Dinov2Model(dinov2), folder, processor, spread=0.2)
    else:
        dinov3 = T.DINOv3ViTConfig(**_SIZES, intermediate_size=32, patch_size=16, num_register_tokens=2)
        _seeded.save(lambda: T.DINOv3ViTModel(dinov3), folder, T.DINOv3ViTImageProcessor(size=size), spread=0.2)
