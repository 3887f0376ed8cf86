"""A vision transformer with a head for the card's classes, in small."""

from __future__ import annotations

from pathlib import Path

from countersign.domain.model import ModelCard
from tiny_checkpoints import _seeded


def build(card: ModelCard, folder: Path) -> None:
    import transformers as T

    config = T.ViTConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16, image_size=32, patch_size=16,
        **_seeded.labels(card.classes),
    )  # fmt: skip
    processor = T.ViTImageProcessor(size={"height": 32, "width": 32})
    _seeded.save(lambda: T.ViTForImageClassification(config), folder, processor, spread=0.3)
