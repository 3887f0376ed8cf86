"""Cards of the YOLO models that Ultralytics publishes. Numbers are those of its pages of models, read at the addresses
that stand on each card; YOLO-World's and YOLOE's sizes are those in the library's own configurations.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from countersign.domain.model import ModelCard, Task, WeightFile
from countersign.models import vocabularies

LICENCE = "AGPL-3.0"
TEXT_ENCODER = "mobileclip_blt.ts"
WORDS = ("vocab.json", "merges.txt")
"""How CLIP cuts texts up, which MobileCLIP was trained with."""
_RELEASE = "https://github.com/ultralytics/assets/releases/download/v8.4.0/"
_CLIP = "https://huggingface.co/openai/clip-vit-base-patch32/resolve/main/"
_PAGES = "https://docs.ultralytics.com/models/"
_SIZES = {"n": "nano", "s": "small", "m": "medium", "b": "balanced", "l": "large", "x": "extra large", "c": "compact",
          "e": "extended", "t": "tiny"}  # fmt: skip

# size: parameters (millions), GFLOPs at 640 pixels, mAP 50-95
_Row = tuple[float, float, float]
_YOLO11 = {"n": (2.6, 6.5, 39.5), "s": (9.4, 21.5, 47.0), "m": (20.1, 68.0, 51.5), "l": (25.3, 86.9, 53.4),
           "x": (56.9, 194.9, 54.7)}  # fmt: skip
_YOLO11_SEG = {"n": (2.9, 9.7, 32.0), "s": (10.1, 33.0, 37.8), "m": (22.4, 113.2, 41.5), "l": (27.6, 132.2, 42.9),
               "x": (62.1, 296.4, 43.8)}  # fmt: skip
_YOLO11_POSE = {"n": (2.9, 7.4, 50.0), "s": (9.9, 23.1, 58.9), "m": (20.9, 71.4, 64.9), "l": (26.1, 90.3, 66.1),
                "x": (58.8, 202.8, 69.5)}  # fmt: skip
_YOLOV10 = {"n": (2.3, 6.7, 38.5), "s": (7.2, 21.6, 46.3), "m": (15.4, 59.1, 51.1), "b": (0.0, 92.0, 52.5),
            "l": (24.4, 120.3, 53.2), "x": (29.5, 160.4, 54.4)}  # fmt: skip
_YOLOV9 = {"c": (25.5, 102.8, 53.0), "e": (58.1, 192.5, 55.6)}
_YOLOV9_SEG = {"c": (27.9, 159.4, 42.2), "e": (60.5, 248.4, 44.3)}
_YOLOV8 = {"n": (3.2, 8.7, 37.3), "s": (11.2, 28.6, 44.9), "m": (25.9, 78.9, 50.2), "l": (43.7, 165.2, 52.9),
           "x": (68.2, 257.8, 53.9)}  # fmt: skip
_YOLOV8_OIV7 = {"n": (3.5, 10.5, 18.4), "s": (11.4, 29.7, 27.7), "m": (26.2, 80.6, 33.6), "l": (44.1, 167.4, 34.9),
                "x": (68.7, 260.6, 36.3)}  # fmt: skip
_YOLOV8_SEG = {"n": (3.4, 12.6, 30.5), "s": (11.8, 42.6, 36.8), "m": (27.3, 110.2, 40.8), "l": (46.0, 220.5, 42.6),
               "x": (71.8, 344.1, 43.4)}  # fmt: skip
_YOLOV8_POSE = {"n": (3.3, 9.2, 50.4), "s": (11.6, 30.2, 60.0), "m": (26.4, 81.0, 65.0), "l": (44.4, 168.6, 67.6),
                "x": (69.4, 263.2, 69.2)}  # fmt: skip
_WORLD = {"s": (12.8, 51.0, 37.7), "m": (28.4, 110.5, 43.0), "l": (46.8, 204.5, 45.8), "x": (72.9, 309.3, 47.1)}

_TSINGHUA = "Ao Wang and others, Tsinghua University; packaged by Ultralytics"
_MAP, _MASK_MAP, _POSE_MAP = "coco_map", "coco_mask_map", "coco_keypoint_map"


def _series(
    pattern: str,
    rows: dict[str, _Row],
    page: str,
    description: str,
    tasks: tuple[Task, ...],
    measure: str,
    **known: object,
) -> Iterator[ModelCard]:
    """Make the cards of one table; ``pattern`` is the file's name, with ``{}`` for the size."""
    for size, (parameters, gflops, score) in rows.items():
        file = pattern.format(size)
        published = {"parameters": parameters, "gflops": gflops, measure: score}
        shared: dict[str, object] = {
            "family": "ultralytics",
            "tasks": tasks,
            "classes": vocabularies.coco(),
            "version": "11" if "11" in pattern else pattern.partition("v")[2].partition("{")[0],
            "size": _SIZES[size],
            "description": description,
            "author": "Ultralytics (Glenn Jocher and others)",
            "source": f"{_PAGES}{page}/",
            "licence": LICENCE,
            "code_licence": LICENCE,
            "files": (WeightFile(file, url=_RELEASE + file),),
            "extra": "ultralytics",
            "min_confidence": 0.25,
            "published": {name: value for name, value in published.items() if value},
            "published_source": f"{_PAGES}{page}/",
        }
        yield ModelCard(file.removesuffix(".pt"), **(shared | known))  # type: ignore[arg-type]


_BOXES, _MASKS = (Task.DETECTION,), (Task.INSTANCE_SEGMENTATION, Task.DETECTION)
_PERSONS: dict[str, object] = {
    "classes": ("person",),
    "details": {"keypoint_names": list(vocabularies.coco_keypoints()), "skeleton": vocabularies.COCO_SKELETON},
}


def _yoloe() -> Iterator[ModelCard]:
    """YOLOE's have no table of their own: their parameters were counted, without the text encoder.

    That is Apple's MobileCLIP, whose weights are for research alone.
    """
    beside = (
        WeightFile(TEXT_ENCODER, url=_RELEASE + TEXT_ENCODER),
        *(WeightFile(name, url=_CLIP + name) for name in WORDS),
    )
    sizes = {"11": {"s": 13.7, "m": 29.9, "l": 35.2}, "v8": {"s": 15.4, "m": 32.7, "l": 53.5}}
    for version, rows in sizes.items():
        cards = _series(
            f"yoloe-{version}{{}}-seg.pt",
            {size: (parameters, 0.0, 0.0) for size, parameters in rows.items()},
            "yoloe",
            "Finds and cuts out what words name; Apple's text encoder MobileCLIP, which comes with it, reads them.",
            _MASKS,
            _MASK_MAP,
            licence=f"{LICENCE} AND LicenseRef-Apple-AMLR",
            classes=(),
            zero_shot=True,
            version=version.removeprefix("v"),
            author=_TSINGHUA,
            published_source="counted",
            details={"text_encoder": TEXT_ENCODER},
        )
        for card in cards:
            yield dataclasses.replace(card, files=(*card.files, *beside))


CARDS: tuple[ModelCard, ...] = (
    *_series("yolo11{}.pt", _YOLO11, "yolo11", "Quick detector of COCO's 80 classes.", _BOXES, _MAP),
    *_series("yolo11{}-seg.pt", _YOLO11_SEG, "yolo11", "YOLO11 with a mask for each object.", _MASKS, _MASK_MAP),
    *_series(
        "yolo11{}-pose.pt", _YOLO11_POSE, "yolo11", "YOLO11 for persons with their 17 keypoints.",
        (Task.POSE, Task.DETECTION), _POSE_MAP, **_PERSONS,
    ),
    *_series(
        "yolov10{}.pt", _YOLOV10, "yolov10", "Detector of COCO's 80 classes that needs no suppression of boxes.",
        _BOXES, _MAP, author=_TSINGHUA,
    ),
    *_series(
        "yolov9{}.pt", _YOLOV9, "yolov9", "Detector of COCO's 80 classes, trained with a helping branch.",
        _BOXES, _MAP, author="Chien-Yao Wang and Hong-Yuan Mark Liao; packaged by Ultralytics",
    ),
    *_series(
        "yolov9{}-seg.pt", _YOLOV9_SEG, "yolov9", "YOLOv9 with a mask for each object.",
        _MASKS, _MASK_MAP, author="Chien-Yao Wang and Hong-Yuan Mark Liao; packaged by Ultralytics",
    ),
    *_series("yolov8{}.pt", _YOLOV8, "yolov8", "Widely used detector of COCO's 80 classes.", _BOXES, _MAP),
    *_series(
        "yolov8{}-oiv7.pt", _YOLOV8_OIV7, "yolov8", "YOLOv8 trained on the 601 classes of Open Images V7.",
        _BOXES, "oiv7_map", classes=vocabularies.lines("oiv7"),
    ),
    *_series("yolov8{}-seg.pt", _YOLOV8_SEG, "yolov8", "YOLOv8 with a mask for each object.", _MASKS, _MASK_MAP),
    *_series(
        "yolov8{}-pose.pt", _YOLOV8_POSE, "yolov8", "YOLOv8 for persons with their 17 keypoints.",
        (Task.POSE, Task.DETECTION), _POSE_MAP, **_PERSONS,
    ),
    *_series(
        "yolov8{}-worldv2.pt", _WORLD, "yolo-world", "Quick detector of what words name; needs CLIP's text encoder.",
        _BOXES, _MAP, classes=(), zero_shot=True, version="8", min_confidence=0.15,
        author="Tencent AI Lab (Tianheng Cheng and others); packaged by Ultralytics",
        published_source=f"{_PAGES}yolo-world/; sizes as its configuration says",
        details={"text_encoder": "clip-vit-b32", "with": ["clip-vit-b32"]},
    ),
    *_yoloe(),
)  # fmt: skip
