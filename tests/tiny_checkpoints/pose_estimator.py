"""ViTPose and ViTPose+ in small."""

from __future__ import annotations

from pathlib import Path

from countersign.domain.model import ModelCard
from tiny_checkpoints import _seeded


def key(card: ModelCard) -> str:
    return "vitpose-plus" if "plus" in card.name else "vitpose"


def build(card: ModelCard, folder: Path) -> None:
    import transformers as T

    plus = key(card) == "vitpose-plus"
    backbone = T.VitPoseBackboneConfig(
        image_size=[64, 48], patch_size=[16, 16], hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        mlp_ratio=2, num_experts=6 if plus else 1, part_features=8, out_indices=[2],
    )  # fmt: skip
    config = T.VitPoseConfig(
        backbone_config=backbone, use_simple_decoder=not plus, **_seeded.labels(tuple(card.details["keypoint_names"]))
    )
    processor = T.VitPoseImageProcessor(size={"height": 64, "width": 48})
    _seeded.save(lambda: T.VitPoseForPoseEstimation(config), folder, processor, spread=0.3)
