"""How good labels are against others that are taken to be right: numbers, and what each of them means.

Detection: average precision as COCO defines it (Lin et al. 2014, "Microsoft COCO"), by faster-coco-eval: AP is the mean
over overlaps of 0.50 to 0.95 in steps of 0.05, AP50 and AP75 are at one overlap, AR is the mean recall over the ten
overlaps, with at most ``max_detections`` labels of a class an image. Segmentation: IoU of painted pixels, summed over
all images for each class.
Classification: the share of images whose most confident class is the right one.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from countersign.domain import mask
from countersign.domain.compare import is_crowd
from countersign.domain.geometry import Ellipse, Keypoints, Mask, Polygon
from countersign.domain.label import Label


@dataclass(frozen=True, slots=True)
class ImageLabels:
    """The two sets of labels of one image; its size in pixels."""

    image_id: int
    width: int
    height: int
    found: Sequence[Label]
    truth: Sequence[Label]


@dataclass(frozen=True, slots=True)
class ClassScores:
    """Detection of one class. Scores are in 0..1 and None where there is nothing to find; counts leave crowds out."""

    class_name: str
    ap: float | None
    ap50: float | None
    ap75: float | None
    ar: float | None
    found: int
    truth: int


@dataclass(frozen=True, slots=True)
class DetectionScores:
    """Detection of all classes: means over the classes that have something to find, and each class by name.

    ``overlap`` says of what: ``box`` or ``mask``.
    """

    overlap: str
    ap: float | None
    ap50: float | None
    ap75: float | None
    ar: float | None
    classes: tuple[ClassScores, ...]


@dataclass(frozen=True, slots=True)
class SemanticScores:
    """Painted pixels. ``iou`` by class, summed over the images; ``mean_iou`` over classes that are on either side."""

    mean_iou: float | None
    iou: dict[str, float]


@dataclass(frozen=True, slots=True)
class ClassificationScores:
    """Classes of whole images. ``confusion[i][j]`` counts images that are ``classes[i]`` and were said to be
    ``classes[j]``; the class ``""`` is last and means none. ``images`` counts those with a true class."""

    accuracy: float | None
    images: int
    classes: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]


def detection(images: Sequence[ImageLabels], *, overlap: str = "box", max_detections: int = 100) -> DetectionScores:
    """Score labels that have a geometry. A found label without a confidence counts as certain.

    ``overlap="mask"`` compares painted pixels (boxes are painted as rectangles, keypoints left out), ``"box"`` bounds.
    Crowd regions count as COCO has it: what is in one is neither right nor wrong.
    """
    names = sorted({label.class_name for item in images for label in (*item.found, *item.truth) if _shaped(label)})
    ids = {name: number for number, name in enumerate(names, 1)}
    truth = _annotations(images, ids, overlap, found=False)
    found = _annotations(images, ids, overlap, found=True)
    counts = (
        Counter(item["category_id"] for item in found),
        Counter(a["category_id"] for a in truth if not a["iscrowd"]),
    )
    if not any(counts[1].values()):
        none = tuple(ClassScores(name, None, None, None, None, counts[0][k], 0) for name, k in ids.items())
        return DetectionScores(overlap, None, None, None, None, none)
    precision, recall = _evaluate(images, ids, truth, found, overlap, max_detections)
    classes = tuple(
        ClassScores(
            name,
            _mean(precision[:, :, k - 1]),
            _mean(precision[0, :, k - 1]),
            _mean(precision[5, :, k - 1]),
            _mean(recall[:, k - 1]),
            counts[0][k],
            counts[1][k],
        )
        for name, k in ids.items()
    )
    means = (_mean(precision), _mean(precision[0]), _mean(precision[5]), _mean(recall))
    return DetectionScores(overlap, *means, classes)


def has_outlines(labels: Iterable[Label]) -> bool:
    """Whether any label is outlined by more than a box: a polygon, mask or ellipse."""
    return any(isinstance(label.geometry, Polygon | Mask | Ellipse) for label in labels)


@dataclass
class SemanticCounter:
    """Sums painted pixels image by image, so that no more than one image is held."""

    common: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    either: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, item: ImageLabels) -> None:
        """Count one image. Labels of one class are united; boxes are painted, keypoints and crowds left out."""
        found, truth = self._painted(item, item.found), self._painted(item, item.truth)
        for name in found.keys() | truth.keys():
            a, b = found.get(name), truth.get(name)
            both = mask.area(mask.merge([a, b], intersect=True)) if a and b else 0
            self.common[name] += both
            self.either[name] += (mask.area(a) if a else 0) + (mask.area(b) if b else 0) - both

    def scores(self) -> SemanticScores:
        """Return the scores of what has been counted."""
        iou = {name: self.common[name] / either for name, either in sorted(self.either.items()) if either}
        return SemanticScores(math.fsum(iou.values()) / len(iou) if iou else None, iou)

    @staticmethod
    def _painted(item: ImageLabels, labels: Sequence[Label]) -> dict[str, Mask]:
        by_class: dict[str, list[Mask]] = {}
        for label in labels:
            if _shaped(label) and not isinstance(label.geometry, Keypoints) and not is_crowd(label):
                assert label.geometry is not None
                painted = mask.from_geometry(label.geometry, item.height, item.width)
                by_class.setdefault(label.class_name, []).append(painted)
        return {name: mask.merge(masks) for name, masks in by_class.items()}


def classification(images: Sequence[ImageLabels]) -> ClassificationScores:
    """Score labels without a geometry: each image's most confident class against the true one.

    An image with several true classes is right if the class found is one of them. Images without a true class are left
    out.
    """
    pairs: Counter[tuple[str, str]] = Counter()
    for item in images:
        true = [label.class_name for label in item.truth if label.geometry is None]
        said = [label for label in item.found if label.geometry is None]
        best = max(said, key=lambda label: 1.0 if label.confidence is None else label.confidence, default=None)
        answer = "" if best is None else best.class_name
        if true:
            pairs[answer if answer in true else true[0], answer] += 1
    total = sum(pairs.values())
    names = sorted({name for pair in pairs for name in pair} - {""})
    columns = (*names, "")
    confusion = tuple(tuple(pairs[name, said] for said in columns) for name in columns)
    right = sum(count for (name, said), count in pairs.items() if name == said)
    return ClassificationScores(right / total if total else None, total, columns, confusion)


def _evaluate(
    images: Sequence[ImageLabels],
    ids: dict[str, int],
    truth: list[dict[str, Any]],
    found: list[dict[str, Any]],
    overlap: str,
    max_detections: int,
) -> tuple[Any, Any]:
    """Return precision (10 overlaps, 101 recalls, classes) and recall (10, classes); -1 where there is nothing."""
    if not found:
        wanted = {item["category_id"] for item in truth if not item["iscrowd"]}
        blank = np.array([0.0 if k in wanted else -1.0 for k in ids.values()])
        return np.broadcast_to(blank, (10, 101, len(ids))), np.broadcast_to(blank, (10, len(ids)))
    from faster_coco_eval import COCO, COCOeval_faster

    listed = [{"id": item.image_id, "width": item.width, "height": item.height} for item in images]
    categories = [{"id": number, "name": name} for name, number in ids.items()]
    true = COCO({"images": listed, "annotations": truth, "categories": categories})
    said = COCO({"images": listed, "annotations": found, "categories": categories})
    kind = "bbox" if overlap == "box" else "segm"
    run = COCOeval_faster(true, said, kind, print_function=lambda *_: None)
    run.params.maxDets = [1, 10, max_detections]
    run.params.imgIds = [item.image_id for item in images]
    run.params.catIds = list(ids.values())
    run.evaluate()
    run.accumulate()
    # Axes: overlap, recall, class, size of object (0: all), limit of detections (-1: the largest).
    return run.eval["precision"][:, :, :, 0, -1], run.eval["recall"][:, :, 0, -1]


def _annotations(
    images: Sequence[ImageLabels], ids: dict[str, int], overlap: str, *, found: bool
) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for item in images:
        for label in item.found if found else item.truth:
            geometry = label.geometry
            if geometry is None or (overlap == "mask" and isinstance(geometry, Keypoints)):
                continue
            entry: dict[str, Any] = {
                "id": len(made) + 1,
                "image_id": item.image_id,
                "category_id": ids[label.class_name],
                "bbox": list(geometry.bounds),
                "area": geometry.area,
                "iscrowd": 0 if found else int(is_crowd(label)),
            }
            if overlap == "mask":
                entry["segmentation"] = mask.to_coco(mask.from_geometry(geometry, item.height, item.width))
            if found:
                entry["score"] = 1.0 if label.confidence is None else label.confidence
            made.append(entry)
    return made


def _shaped(label: Label) -> bool:
    return label.geometry is not None


def _mean(values: Any) -> float | None:
    known = values[values > -1]
    return float(known.mean()) if known.size else None
