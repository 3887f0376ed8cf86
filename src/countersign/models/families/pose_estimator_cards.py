"""Cards of ViTPose and ViTPose+. Where the numbers were read stands on each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from countersign.domain.model import ModelCard, Task, WeightFile
from countersign.models import vocabularies

_FILES = tuple(WeightFile(name) for name in ("config.json", "preprocessor_config.json", "model.safetensors"))


def details(names: Sequence[str]) -> dict[str, Any]:
    """Return what a card says of its points: their names, the bones between them, and that it needs boxes."""
    bones = vocabularies.COCO_SKELETON if tuple(names) == vocabularies.coco_keypoints() else ()
    return {"needs_boxes": True, "keypoint_names": list(names), "skeleton": [list(bone) for bone in bones]}


def _card(name: str, hub_id: str, description: str, size: str, parameters: float, score: float) -> ModelCard:
    return ModelCard(
        name,
        "pose_estimator",
        (Task.POSE,),
        ("person",),
        version="+" if "plus" in name else "1",
        size=size,
        description=description,
        author="University of Sydney (Yufei Xu and others)",
        source=f"https://huggingface.co/{hub_id}",
        hub_id=hub_id,
        licence="Apache-2.0",
        code_licence="Apache-2.0",
        files=_FILES,
        gpu=size == "huge",
        published={"parameters": parameters, "coco_keypoint_map": score},
        published_source="https://github.com/ViTAE-Transformer/ViTPose (README, COCO val); parameters counted",
        details=details(vocabularies.coco_keypoints()),
    )


_PLUS: dict[str, tuple[float, float]] = {  # size: millions of parameters, COCO keypoint AP
    "small": (33.1, 75.8),
    "base": (125.4, 77.0),
    "large": (434.4, 78.6),
    "huge": (899.4, 79.4),
}

CARDS: tuple[ModelCard, ...] = (
    _card(
        "vitpose-base-simple",
        "usyd-community/vitpose-base-simple",
        "A plain vision transformer that finds the 17 points of COCO on the person in a box.",
        "base",
        85.9,
        75.5,
    ),
    *(
        _card(
            f"vitpose-plus-{size}",
            f"usyd-community/vitpose-plus-{size}",
            "ViTPose trained on six data sets of persons and animals at once, asked for COCO's 17 points.",
            size,
            *numbers,
        )
        for size, numbers in _PLUS.items()
    ),
)
