"""Cards of the semantic segmenters with fixed classes. Where the numbers were read stands on each."""

from __future__ import annotations

from countersign.domain.model import ModelCard, Task, WeightFile
from countersign.models import vocabularies

_SOURCE = "https://github.com/open-mmlab/mmsegmentation (configs/segformer/README, single scale); parameters counted"
_ADE: dict[str, tuple[float, float]] = {  # size: millions of parameters, ADE20K mIoU
    "b0": (3.8, 37.41),
    "b1": (13.7, 40.97),
    "b2": (27.5, 45.58),
    "b3": (47.3, 47.82),
    "b4": (64.1, 48.46),
    "b5": (84.7, 49.62),
}
_CITYSCAPES: dict[str, tuple[float, float]] = {  # size: millions of parameters, Cityscapes mIoU
    "b0": (3.7, 76.54),
    "b1": (13.7, 78.56),
    "b2": (27.4, 81.08),
    "b3": (47.2, 81.94),
    "b4": (64.0, 81.89),
    "b5": (84.6, 82.25),
}


def _card(name: str, hub_id: str, size: str, weights: str, **known: object) -> ModelCard:
    shared: dict[str, object] = {
        "family": "semantic_segmenter",
        "tasks": (Task.SEMANTIC_SEGMENTATION,),
        "author": "NVIDIA (Enze Xie and others)",
        "source": f"https://huggingface.co/{hub_id}",
        "hub_id": hub_id,
        "licence": "LicenseRef-NVIDIA-SegFormer",
        "code_licence": "Apache-2.0",
        "size": size,
        "files": tuple(WeightFile(file) for file in ("config.json", "preprocessor_config.json", weights)),
        "min_confidence": 0.25,
        "published_source": _SOURCE,
    }
    return ModelCard(name, **(shared | known))  # type: ignore[arg-type]


def _ade(size: str, parameters: float, score: float) -> ModelCard:
    side = 640 if size == "b5" else 512
    return _card(
        f"segformer-{size}-ade",
        f"nvidia/segformer-{size}-finetuned-ade-{side}-{side}",
        size,
        "model.safetensors" if size == "b0" else "pytorch_model.bin",  # the others have no safetensors file
        classes=vocabularies.ade20k(),
        description="Transformer that names every pixel of a scene, indoors and outdoors, by ADE20K's 150 classes.",
        published={"parameters": parameters, "ade20k_miou": score},
    )


def _cityscapes(size: str, parameters: float, score: float) -> ModelCard:
    return _card(
        f"segformer-{size}-cityscapes",
        f"nvidia/segformer-{size}-finetuned-cityscapes-1024-1024",
        size,
        "pytorch_model.bin",
        classes=vocabularies.cityscapes(),
        description="Transformer that names every pixel of a street scene by Cityscapes' 19 classes.",
        published={"parameters": parameters, "cityscapes_miou": score},
    )


CARDS: tuple[ModelCard, ...] = (
    *(_ade(size, *numbers) for size, numbers in _ADE.items()),
    *(_cityscapes(size, *numbers) for size, numbers in _CITYSCAPES.items()),
)
