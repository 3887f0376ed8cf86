"""Cards of the segmenters that take clicks and boxes. Where the numbers were read stands on each."""

from __future__ import annotations

from countersign.domain.model import ModelCard, Task, WeightFile

_FILES = tuple(WeightFile(name) for name in ("config.json", "preprocessor_config.json", "model.safetensors"))
_META = "Meta AI (Alexander Kirillov and others)"
_META_2 = "Meta AI (Nikhila Ravi and others)"
_SAM2_SOURCE = "https://github.com/facebookresearch/sam2 (README, SA-V test); parameters of the image part counted"


def _card(name: str, hub_id: str, description: str, **known: object) -> ModelCard:
    shared: dict[str, object] = {
        "family": "prompt_segmenter",
        "tasks": (Task.PROMPTED_SEGMENTATION,),
        "classes": (),
        "source": f"https://huggingface.co/{hub_id}",
        "hub_id": hub_id,
        "licence": "Apache-2.0",
        "code_licence": "Apache-2.0",
        "description": description,
    }
    return ModelCard(name, **(shared | known))  # type: ignore[arg-type]


def _sam(size: str, parameters: float) -> ModelCard:
    return _card(
        f"sam-vit-{size}",
        f"facebook/sam-vit-{size}",
        "Cuts out what points or a box show, whatever it is: the first Segment Anything, on a plain transformer.",
        author=_META,
        size=size,
        gpu=size != "base",
        files=_FILES,
        published={"parameters": parameters},
        published_source="counted",
    )


def _sam_hq(size: str, parameters: float) -> ModelCard:
    return _card(
        f"sam-hq-vit-{size}",
        f"syscv-community/sam-hq-vit-{size}",
        "Segment Anything with one more output that draws thin and intricate shapes finer.",
        author="ETH Zurich and HKUST (Lei Ke and others)",
        size=size,
        gpu=size != "base",
        files=_FILES,
        published={"parameters": parameters},
        published_source="counted",
    )


def _sam2(version: str, size: str, parameters: float, score: float) -> ModelCard:
    return _card(
        f"sam{version}-{size}",
        f"facebook/sam{version}-hiera-{size}",
        "Cuts out what points or a box show: the second Segment Anything, several times quicker than the first."
        if version == "2"
        else "Segment Anything 2 trained anew, better with small and with hidden objects.",
        author=_META_2,
        version=version,
        size=size,
        published={"parameters": parameters, "sav_jf": score},
        published_source=_SAM2_SOURCE,
    )


_SAM2: dict[str, tuple[float, float, float]] = {  # size: millions of parameters, SA-V test J&F of 2 and of 2.1
    "tiny": (31.4, 75.0, 76.5),
    "small": (38.5, 74.9, 76.6),
    "base-plus": (73.3, 74.7, 78.2),
    "large": (216.9, 76.0, 79.5),
}

CARDS: tuple[ModelCard, ...] = (
    *(_sam(size, count) for size, count in (("base", 93.7), ("large", 312.3), ("huge", 641.1))),
    *(_sam_hq(size, count) for size, count in (("base", 94.8), ("large", 313.7), ("huge", 642.7))),
    *(_sam2("2", size, numbers[0], numbers[1]) for size, numbers in _SAM2.items()),
    *(_sam2("2.1", size, numbers[0], numbers[2]) for size, numbers in _SAM2.items()),
    _card(
        "edgetam",
        "yonigozlan/EdgeTAM-hf",
        "Segment Anything 2 made for telephones: the quickest of these to encode an image.",
        author="Meta Reality Labs (Chong Zhou and others)",
        published={"parameters": 9.1, "sav_jf": 71.7},
        published_source="https://github.com/facebookresearch/EdgeTAM (README, SA-V test); parameters counted",
    ),
)
