"""Cards of torchvision's models. Files, parameters, GFLOPs and scores are those of its weights' metadata: a test
compares them with the installed library. The first digits of a file's SHA-256 stand in its name."""

from __future__ import annotations

from countersign.domain.model import ModelCard, Task, WeightFile
from countersign.models import vocabularies

DOWNLOADS = "https://download.pytorch.org/models/"

# card: architecture, weights, file, megabytes, parameters (millions), GFLOPs, score
_CLASSIFIERS = {
    "resnet18": ("resnet18", "IMAGENET1K_V1", "resnet18-f37072fd.pth", 44.661, 11.7, 1.814, 69.758),
    "resnet34": ("resnet34", "IMAGENET1K_V1", "resnet34-b627a593.pth", 83.275, 21.8, 3.664, 73.314),
    "resnet50": ("resnet50", "IMAGENET1K_V2", "resnet50-11ad3fa6.pth", 97.79, 25.6, 4.089, 80.858),
    "resnet101": ("resnet101", "IMAGENET1K_V2", "resnet101-cd907fc2.pth", 170.53, 44.5, 7.801, 81.886),
    "resnet152": ("resnet152", "IMAGENET1K_V2", "resnet152-f82ba261.pth", 230.474, 60.2, 11.514, 82.284),
    "vit-b16": ("vit_b_16", "IMAGENET1K_V1", "vit_b_16-c867db91.pth", 330.285, 86.6, 17.564, 81.072),
}
_DETECTORS = {
    "faster-rcnn-r50-fpn": (
        "fasterrcnn_resnet50_fpn", "COCO_V1", "fasterrcnn_resnet50_fpn_coco-258fb6c6.pth", 159.743, 41.8, 134.38, 37.0,
    ),
    "faster-rcnn-r50-fpn-v2": (
        "fasterrcnn_resnet50_fpn_v2", "COCO_V1", "fasterrcnn_resnet50_fpn_v2_coco-dd69338a.pth", 167.104, 43.7, 280.371,
        46.7,
    ),
    "mask-rcnn-r50-fpn": (
        "maskrcnn_resnet50_fpn", "COCO_V1", "maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth", 169.84, 44.4, 134.38, 34.6,
    ),
    "mask-rcnn-r50-fpn-v2": (
        "maskrcnn_resnet50_fpn_v2", "COCO_V1", "maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth", 177.219, 46.4, 333.577,
        41.8,
    ),
    "keypoint-rcnn-r50-fpn": (
        "keypointrcnn_resnet50_fpn", "COCO_V1", "keypointrcnn_resnet50_fpn_coco-fc266e95.pth", 226.054, 59.1, 137.42,
        65.0,
    ),
}  # fmt: skip
_VOC = "COCO_WITH_VOC_LABELS_V1"
_SEGMENTERS = {
    "deeplabv3-r50": ("deeplabv3_resnet50", _VOC, "deeplabv3_resnet50_coco-cd0a2569.pth", 160.515, 42.0, 178.722, 66.4),
    "deeplabv3-r101": (
        "deeplabv3_resnet101", _VOC, "deeplabv3_resnet101_coco-586e9e4e.pth", 233.217, 61.0, 258.743, 67.4,
    ),
    "fcn-r50": ("fcn_resnet50", _VOC, "fcn_resnet50_coco-1167a1af.pth", 135.009, 35.3, 152.717, 60.5),
    "fcn-r101": ("fcn_resnet101", _VOC, "fcn_resnet101_coco-7ecb50ca.pth", 207.711, 54.3, 232.738, 63.7),
}  # fmt: skip
_SAYS = {
    "resnet": "Residual network, trained on ImageNet's 1,000 classes; small and quick.",
    "vit": "Vision transformer, trained on ImageNet's 1,000 classes from nothing.",
    "faster": "Two-stage detector on a ResNet50 with a feature pyramid, trained on COCO.",
    "mask": "Faster R-CNN with a mask for each object, trained on COCO.",
    "keypoint": "Faster R-CNN for persons with their 17 keypoints, trained on COCO.",
    "deeplabv3": "Names each pixel with widened convolutions; Pascal VOC's 20 classes, trained on COCO images.",
    "fcn": "Names each pixel with a plain convolutional network; Pascal VOC's 20 classes, trained on COCO images.",
}


_Row = tuple[str, str, str, float, float, float, float]


def _card(name: str, tasks: tuple[Task, ...], classes: tuple[str, ...], measure: str, row: _Row) -> ModelCard:
    architecture, weights, file, megabytes, parameters, gflops, score = row
    size = round(megabytes * 2**20)
    digest = file.rpartition("-")[2].removesuffix(".pth")
    return ModelCard(
        name,
        "torchvision",
        tasks,
        classes,
        version="2" if weights.endswith("V2") or architecture.endswith("v2") else "1",
        size=next((part for part in name.split("-") if part in ("r50", "r101")), name.removeprefix("resnet")),
        description=_SAYS[next(kind for kind in _SAYS if name.startswith(kind))],
        author="The torchvision maintainers",
        source="https://docs.pytorch.org/vision/stable/models.html",
        licence="BSD-3-Clause",
        code_licence="BSD-3-Clause",
        download_bytes=size,
        files=(WeightFile(file, sha256=digest, url=DOWNLOADS + file),),
        min_confidence=0.1 if Task.CLASSIFICATION in tasks else 0.5,
        published={"parameters": parameters, "gflops": gflops, measure: score},
        published_source=f"torchvision's metadata of {weights}",
        details={"architecture": architecture, "weights": weights},
    )


CARDS: tuple[ModelCard, ...] = (
    *(
        _card(name, (Task.CLASSIFICATION,), vocabularies.imagenet(), "imagenet_top1", row)
        for name, row in _CLASSIFIERS.items()
    ),
    *(
        _card(name, (Task.DETECTION,), vocabularies.coco(), "coco_map", row)
        for name, row in _DETECTORS.items()
        if name.startswith("faster")
    ),
    *(
        _card(name, (Task.INSTANCE_SEGMENTATION, Task.DETECTION), vocabularies.coco(), "coco_mask_map", row)
        for name, row in _DETECTORS.items()
        if name.startswith("mask")
    ),
    *(
        _card(name, (Task.POSE, Task.DETECTION), ("person",), "coco_keypoint_map", row)
        for name, row in _DETECTORS.items()
        if name.startswith("keypoint")
    ),
    *(
        _card(name, (Task.SEMANTIC_SEGMENTATION,), vocabularies.voc(), "coco_voc_miou", row)
        for name, row in _SEGMENTERS.items()
    ),
)
