"""SegFormer in small."""

from __future__ import annotations

from pathlib import Path

from countersign.domain.model import ModelCard
from tiny_checkpoints import _seeded


def key(card: ModelCard) -> str:
    return "segformer-ade" if card.name.endswith("ade") else "segformer-cityscapes"


def build(card: ModelCard, folder: Path) -> None:
    import transformers as T

    config = T.SegformerConfig(
        depths=[1, 1, 1, 1], hidden_sizes=[8, 16, 24, 32], num_attention_heads=[1, 2, 2, 4], decoder_hidden_size=32,
        **_seeded.labels(card.classes),
    )  # fmt: skip
    processor = T.SegformerImageProcessor(size={"height": 64, "width": 64}, do_reduce_labels="ade" in card.name)
    _seeded.save(lambda: T.SegformerForSemanticSegmentation(config), folder, processor, spread=0.3)
