"""Cards of Mask2Former and EoMT. Where the numbers were read stands on each."""

from __future__ import annotations

from countersign.domain.model import ModelCard, Task
from countersign.models import vocabularies

_ZOO = "https://github.com/facebookresearch/Mask2Former (MODEL_ZOO.md); parameters counted"
_MASK2FORMER: dict[str, tuple[float, float, float]] = {  # size: millions of parameters, COCO mask AP, ADE20K mIoU
    "tiny": (47.4, 45.0, 47.7),
    "small": (68.7, 46.3, 51.3),
    "base": (106.9, 48.1, 53.9),
    "large": (215.5, 50.1, 56.1),
}
_EOMT = {640: 45.2, 1280: 48.8}  # longest side of the input: COCO mask AP


def _card(name: str, hub_id: str, **known: object) -> ModelCard:
    shared: dict[str, object] = {
        "family": "universal_segmenter",
        "source": f"https://huggingface.co/{hub_id}",
        "hub_id": hub_id,
        "code_licence": "Apache-2.0",
        "min_confidence": 0.5,
    }
    return ModelCard(name, **(shared | known))  # type: ignore[arg-type]


def _instances(size: str, parameters: float, score: float) -> ModelCard:
    return _card(
        f"mask2former-{size}-coco-instance",
        f"facebook/mask2former-swin-{size}-coco-instance",
        tasks=(Task.INSTANCE_SEGMENTATION,),
        classes=vocabularies.coco(),
        author="Meta AI (Bowen Cheng and others)",
        licence="CC-BY-NC-4.0",
        size=size,
        gpu=size == "large",
        description="Proposes masks with a transformer on a Swin backbone and names each by COCO's 80 classes.",
        published={"parameters": parameters, "coco_mask_map": score},
        published_source=_ZOO,
    )


def _semantic(size: str, parameters: float, score: float) -> ModelCard:
    return _card(
        f"mask2former-{size}-ade-semantic",
        f"facebook/mask2former-swin-{size}-ade-semantic",
        tasks=(Task.SEMANTIC_SEGMENTATION,),
        classes=vocabularies.ade20k(),
        author="Meta AI (Bowen Cheng and others)",
        licence="CC-BY-NC-4.0",
        size=size,
        gpu=size == "large",
        min_confidence=0.25,
        description="Names every pixel of a scene by ADE20K's 150 classes, with a transformer on a Swin backbone.",
        published={"parameters": parameters, "ade20k_miou": score},
        published_source=_ZOO,
    )


def _eomt(side: int, score: float) -> ModelCard:
    return _card(
        f"eomt-large-coco-instance-{side}",
        f"tue-mps/coco_instance_eomt_large_{side}",
        tasks=(Task.INSTANCE_SEGMENTATION,),
        classes=vocabularies.coco(),
        author="Eindhoven University of Technology (Tommie Kerssies and others)",
        licence="MIT",
        size=f"large-{side}",
        gpu=True,
        description="A plain vision transformer (DINOv2) that proposes masks itself, named by COCO's 80 classes.",
        published={"parameters": 316.7, "coco_mask_map": score},
        published_source="https://github.com/tue-mps/eomt (model_zoo/dinov2.md); parameters counted",
    )


CARDS: tuple[ModelCard, ...] = (
    *(_instances(size, numbers[0], numbers[1]) for size, numbers in _MASK2FORMER.items()),
    *(_semantic(size, numbers[0], numbers[2]) for size, numbers in _MASK2FORMER.items()),
    *(_eomt(side, score) for side, score in _EOMT.items()),
)
