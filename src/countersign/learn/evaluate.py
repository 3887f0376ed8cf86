"""Scores of a model on images whose labels are known: AP50, mean IoU, accuracy, as the glossary defines them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain import mask as masks
from countersign.domain.geometry import Mask
from countersign.domain.label import Label, Prediction
from countersign.learn.data import TrainingImage, Vocabulary, box_labels, is_crowd, paint_labels, tag_labels
from countersign.learn.predict import TrainedModel
from countersign.models.contract import PredictOptions

LEAST = 0.01
"""Confidence from which on predictions count for AP: it ranks them all itself."""


@dataclass(frozen=True, slots=True)
class Scores:
    """AP at IoU 0.5 (mean over classes, and by class), mean IoU and accuracy; None where there is no such head.

    ``image_iou`` is the IoU by image: of each image's classes, averaged over images, so that large ones do not count
    for more. ``background_iou`` is that of the pixels without a class, over all pixels of all images.
    """

    ap50: float | None = None
    ap50_by_class: dict[str, float] | None = None
    mean_iou: float | None = None
    accuracy: float | None = None
    image_iou: float | None = None
    background_iou: float | None = None

    def to_data(self) -> dict[str, float]:
        found = {"ap50": self.ap50, "mean_iou": self.mean_iou, "accuracy": self.accuracy}
        return {f"held_out_{name}": round(value, 4) for name, value in found.items() if value is not None}

    @property
    def main(self) -> tuple[str, float]:
        """The name and value that decide which of two models is better: the mean where there are several heads."""
        found = {name.removeprefix("held_out_"): value for name, value in self.to_data().items()}
        return (" and ".join(found), sum(found.values()) / len(found)) if found else ("", 0.0)


def score(model: TrainedModel, images: Sequence[TrainingImage]) -> Scores:
    """Predict every image and compare. Images that cannot be read raise what their ``load`` raises."""
    vocabulary = model.recipe.vocabulary
    predictions = []
    sizes = []
    for image in images:
        pixels = image.load()
        sizes.append(pixels.shape[:2])
        predictions += model.predict([pixels], PredictOptions(min_confidence=LEAST))
    labels = [image.labels for image in images]
    ap50, by_class = average_precision(labels, predictions, vocabulary.boxes) if vocabulary.boxes else (None, None)
    return Scores(
        ap50,
        by_class,
        mean_iou(labels, predictions, sizes, vocabulary) if vocabulary.paints else None,
        accuracy(labels, predictions, vocabulary) if vocabulary.tags else None,
        _image_iou(labels, predictions, sizes, vocabulary) if vocabulary.paints else None,
        _background_iou(labels, predictions, sizes, vocabulary) if vocabulary.paints else None,
    )


def average_precision(
    labels: Sequence[Sequence[Label]], predictions: Sequence[Sequence[Prediction]], classes: Sequence[str]
) -> tuple[float | None, dict[str, float]]:
    """Return AP at IoU 0.5 as COCO defines it (101 points, 100 boxes an image): mean over classes, and by class.

    Classes without a label have no AP; the mean is None if no class has one.
    """
    from faster_coco_eval import COCO, COCOeval_faster

    truth = _truth(labels, classes)
    found = [
        {"image_id": index + 1, "category_id": classes.index(item.class_name) + 1, "score": item.confidence}
        | {"bbox": list(item.geometry.bounds)}
        for index, items in enumerate(predictions)
        for item in items
        if item.class_name in classes and item.geometry is not None and not isinstance(item.geometry, Mask)
    ]
    there = [name for index, name in enumerate(classes) if _has(truth, index + 1)]
    if not there:
        return None, {}
    if not found:
        return 0.0, dict.fromkeys(there, 0.0)
    known = COCO(truth)
    judge = COCOeval_faster(known, known.loadRes(found), "bbox", print_function=_silent)
    judge.evaluate()
    judge.accumulate()
    precision = np.asarray(judge.eval["precision"])[0, :, :, 0, -1]
    by_class = {name: float(precision[:, classes.index(name)].mean()) for name in there}
    return float(np.mean(list(by_class.values()))), by_class


def _silent(*_: object) -> None:
    """Swallow what the library would print."""


def _has(truth: dict[str, Any], category: int) -> bool:
    return any(item["category_id"] == category and not item["iscrowd"] for item in truth["annotations"])


def _truth(labels: Sequence[Sequence[Label]], classes: Sequence[str]) -> dict[str, Any]:
    annotations: list[dict[str, Any]] = []
    for index, items in enumerate(labels):
        for item in box_labels(items):
            if item.class_name in classes and item.geometry is not None:
                bounds = item.geometry.bounds
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": index + 1,
                        "category_id": classes.index(item.class_name) + 1,
                        "bbox": list(bounds),
                        "area": bounds[2] * bounds[3],
                        "iscrowd": int(is_crowd(item)),
                    }
                )
    return {
        "info": {},
        "images": [{"id": index + 1, "width": 1, "height": 1} for index in range(len(labels))],
        "annotations": annotations,
        "categories": [{"id": index + 1, "name": name} for index, name in enumerate(classes)],
    }


def mean_iou(
    labels: Sequence[Sequence[Label]],
    predictions: Sequence[Sequence[Prediction]],
    sizes: Sequence[tuple[int, int]],
    vocabulary: Vocabulary,
) -> float:
    """Return IoU per class over all pixels of all images, averaged over the classes that labels or predictions have."""
    both = np.zeros(len(vocabulary.paints))
    either = np.zeros(len(vocabulary.paints))
    for items, found, (height, width) in zip(labels, predictions, sizes, strict=True):
        for index, name in enumerate(vocabulary.paints):
            true = _union([x.geometry for x in paint_labels(items) if x.class_name == name], height, width)
            said = [x.geometry for x in found if x.class_name == name and isinstance(x.geometry, Mask)]
            guess = _union(said, height, width)
            both[index] += np.count_nonzero(true & guess)
            either[index] += np.count_nonzero(true | guess)
    there = either > 0
    return float((both[there] / either[there]).mean()) if there.any() else 1.0  # nothing there, nothing said


def _image_iou(
    labels: Sequence[Sequence[Label]],
    predictions: Sequence[Sequence[Prediction]],
    sizes: Sequence[tuple[int, int]],
    vocabulary: Vocabulary,
) -> float:
    rows = zip(labels, predictions, sizes, strict=True)
    return float(np.mean([mean_iou([items], [found], [size], vocabulary) for items, found, size in rows]))


def _background_iou(
    labels: Sequence[Sequence[Label]],
    predictions: Sequence[Sequence[Prediction]],
    sizes: Sequence[tuple[int, int]],
    vocabulary: Vocabulary,
) -> float:
    both = either = 0
    for items, found, (height, width) in zip(labels, predictions, sizes, strict=True):
        known = [x.geometry for x in paint_labels(items) if x.class_name in vocabulary.paints]
        true = ~_union(known, height, width)
        guess = ~_union([x.geometry for x in found if isinstance(x.geometry, Mask)], height, width)
        both += int(np.count_nonzero(true & guess))
        either += int(np.count_nonzero(true | guess))
    return both / either if either else 1.0


def _union(geometries: Sequence[Any], height: int, width: int) -> NDArray[np.bool_]:
    painted = np.zeros((height, width), np.bool_)
    for geometry in geometries:
        painted |= masks.decode(masks.from_geometry(geometry, height, width))
    return painted


def accuracy(
    labels: Sequence[Sequence[Label]], predictions: Sequence[Sequence[Prediction]], vocabulary: Vocabulary
) -> float:
    """Return the share of tagged images whose most confident tag is one of the image's."""
    right = total = 0
    for items, found in zip(labels, predictions, strict=True):
        true = {item.class_name for item in tag_labels(items)}
        said = [x for x in found if x.geometry is None and x.class_name in vocabulary.tags]
        if true:
            total += 1
            right += bool(said) and max(said, key=lambda x: x.confidence or 0).class_name in true
    return right / total if total else 0.0
