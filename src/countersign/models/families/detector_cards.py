"""Cards of the detectors with fixed classes. Where the numbers were read stands on each (``published_source``)."""

from __future__ import annotations

from countersign.domain.model import ModelCard, Task, WeightFile
from countersign.models import vocabularies

_FILES = tuple(WeightFile(name) for name in ("config.json", "preprocessor_config.json", "model.safetensors"))


def _card(name: str, hub_id: str, description: str, **known: object) -> ModelCard:
    shared: dict[str, object] = {
        "family": "detector",
        "tasks": (Task.DETECTION,),
        "classes": vocabularies.coco(),
        "source": f"https://huggingface.co/{hub_id}",
        "hub_id": hub_id,
        "licence": "Apache-2.0",
        "code_licence": "Apache-2.0",
        "files": _FILES,
        "min_confidence": 0.5,
        "description": description,
    }
    return ModelCard(name, **(shared | known))  # type: ignore[arg-type]


def _rt_detr(
    version: str, size: str, hub_id: str, parameters: float, gflops: float, score: float, more: str
) -> ModelCard:
    name = {"1": "rt-detr", "2": "rt-detr-v2"}[version]
    return _card(
        f"{name}-{size}{'-o365' if more else ''}",
        hub_id,
        f"Real-time detection transformer on a ResNet{size[1:]}, trained on COCO{more}; no duplicates to suppress.",
        author="Baidu (Wenyu Lv, Yian Zhao and others)",
        version=version,
        size=size,
        published={"parameters": parameters, "gflops": gflops, "coco_map": score},
        published_source="https://github.com/lyuwenyu/RT-DETR (README, model zoo; COCO val2017)",
    )


_OBJECTS365 = " after Objects365"
_DFINE_NANO = ("n", 4, 7, 42.8)  # there is none that saw Objects365
_DFINE: dict[
    str, tuple[str, float, float, float, float]
] = {  # size: millions of parameters, GFLOPs, COCO AP, COCO AP after Objects365
    "small": ("s", 10, 25, 48.5, 50.3),
    "medium": ("m", 19, 57, 52.3, 55.0),
    "large": ("l", 31, 91, 54.0, 56.9),
    "xlarge": ("x", 62, 202, 55.8, 59.0),
}
_DFINE_SOURCE = "https://github.com/Peterande/D-FINE (README, model zoo; COCO val2017)"
_RFDETR: dict[str, tuple[float, float | None]] = {  # size: millions of parameters, COCO AP
    "nano": (30.5, 48.4),
    "small": (32.1, 53.0),
    "medium": (33.7, 54.7),
    "large": (33.9, 56.5),
    "base": (32.2, None),
}


def _d_fine(size: str, more: str, letter: str, parameters: float, gflops: float, score: float) -> ModelCard:
    hub_id = f"ustc-community/dfine-{size}-{'obj2coco' if more else 'coco'}{'-e25' if more and letter == 'l' else ''}"
    return _card(
        f"d-fine-{letter}{'-o365' if more else ''}",
        hub_id,
        f"Detection transformer that refines each edge of a box as a distribution, trained on COCO{more}.",
        author="University of Science and Technology of China (Yansong Peng and others)",
        size=letter,
        published={"parameters": parameters, "gflops": gflops, "coco_map": score},
        published_source=_DFINE_SOURCE,
    )


def _rf_detr(size: str, parameters: float, score: float | None) -> ModelCard:
    listed = {} if score is None else {"coco_map": score}
    return _card(
        f"rf-detr-{size}",
        f"Roboflow/rf-detr-{size}",
        "Light detection transformer on a DINOv2 backbone, found by architecture search, trained on COCO."
        if listed
        else "The first RF-DETR, a detection transformer on a DINOv2 backbone, trained on COCO; small is better.",
        author="Roboflow",
        size=size,
        published={"parameters": parameters} | listed,
        published_source="https://github.com/roboflow/rf-detr (README, table of detectors; COCO)"
        if listed
        else "counted",
    )


CARDS: tuple[ModelCard, ...] = (
    _rt_detr("1", "r18", "PekingU/rtdetr_r18vd", 20, 60.7, 46.5, ""),
    _rt_detr("1", "r34", "PekingU/rtdetr_r34vd", 31, 92, 48.9, ""),
    _rt_detr("1", "r50", "PekingU/rtdetr_r50vd", 42, 136, 53.1, ""),
    _rt_detr("1", "r101", "PekingU/rtdetr_r101vd", 76, 259, 54.3, ""),
    _rt_detr("1", "r18", "PekingU/rtdetr_r18vd_coco_o365", 20, 60.7, 49.2, _OBJECTS365),
    _rt_detr("1", "r50", "PekingU/rtdetr_r50vd_coco_o365", 42, 136, 55.3, _OBJECTS365),
    _rt_detr("1", "r101", "PekingU/rtdetr_r101vd_coco_o365", 76, 259, 56.2, _OBJECTS365),
    _rt_detr("2", "r18", "PekingU/rtdetr_v2_r18vd", 20, 60, 48.1, ""),
    _rt_detr("2", "r34", "PekingU/rtdetr_v2_r34vd", 31, 92, 49.9, ""),
    _rt_detr("2", "r50", "PekingU/rtdetr_v2_r50vd", 42, 136, 53.4, ""),
    _rt_detr("2", "r101", "PekingU/rtdetr_v2_r101vd", 76, 259, 54.3, ""),
    _d_fine("nano", "", *_DFINE_NANO),
    *(_d_fine(size, "", *known[:4]) for size, known in _DFINE.items()),
    *(_d_fine(size, _OBJECTS365, *known[:3], known[4]) for size, known in _DFINE.items()),
    *(_rf_detr(size, *numbers) for size, numbers in _RFDETR.items()),
)
