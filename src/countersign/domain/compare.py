"""Where two sets of labels of one image differ: extra, missing, moved, relabelled.

Labels are paired one to one so that the overlaps of the pairs add up to the most (the Hungarian method). Which labels
are compared, and where they come from, is not known here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from countersign.domain import mask
from countersign.domain.errors import SettingsError
from countersign.domain.geometry import Ellipse, Geometry, Mask, Polygon, box_iou
from countersign.domain.label import Label

SAME_CLASS_BONUS = 0.1
"""Added to the overlap of labels of one class: decides between neighbours that overlap about alike."""

CROWD_COVER = 0.5
"""A label of which so much lies in a crowd region is part of it, and is not extra."""


class What(StrEnum):
    """How a label of one set differs from the other."""

    EXTRA = "extra"  # found, and nothing of the other set is there
    MISSING = "missing"  # of the other set, and nothing was found there
    MOVED = "moved"  # the same class at about the same place, with another outline
    RELABELLED = "relabelled"  # the same place, another class


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference on one image. ``iou`` is the overlap of the pair, 0..1; None where there is no pair."""

    what: What
    found: Label | None
    truth: Label | None
    iou: float | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """A found and a true label that belong together, by their places in the two sequences."""

    found: int
    truth: int
    iou: float


def compare(
    found: Sequence[Label],
    truth: Sequence[Label],
    *,
    size: tuple[int, int],
    match_iou: float = 0.5,
    same_iou: float = 0.9,
) -> list[Difference]:
    """List the differences between two sets of labels of one image.

    ``size`` is (width, height) in pixels. Labels overlapping by ``match_iou`` or more may be a pair; a pair of one
    class that overlaps less than ``same_iou`` has moved. Crowd regions (``iscrowd``) are neither missing nor paired,
    and what lies in one is not extra. Labels without a geometry are compared by class alone. Raises SettingsError.
    """
    if not 0.0 < match_iou <= same_iou <= 1.0:
        raise SettingsError("overlap", (match_iou, same_iou), "0 < match <= same <= 1")
    shaped = [label for label in found if label.geometry is not None]
    true = [label for label in truth if label.geometry is not None]
    crowds = [label for label in true if is_crowd(label)]
    true = [label for label in true if not is_crowd(label)]
    pairs = match(shaped, true, size=size, match_iou=match_iou)
    listed = [
        Difference(What.RELABELLED if a.class_name != b.class_name else What.MOVED, a, b, pair.iou)
        for pair in pairs
        for a, b in [(shaped[pair.found], true[pair.truth])]
        if a.class_name != b.class_name or pair.iou < same_iou
    ]
    left = set(range(len(shaped))) - {pair.found for pair in pairs}
    extra = [shaped[i] for i in sorted(left) if not _in_crowd(shaped[i], crowds)]
    listed += [Difference(What.EXTRA, label, None) for label in extra]
    gone = set(range(len(true))) - {pair.truth for pair in pairs}
    listed += [Difference(What.MISSING, None, true[i]) for i in sorted(gone)]
    return listed + _compare_classes(
        [label for label in found if label.geometry is None], [label for label in truth if label.geometry is None]
    )


def match(
    found: Sequence[Label], truth: Sequence[Label], *, size: tuple[int, int], match_iou: float = 0.5
) -> list[Pair]:
    """Pair labels that overlap by ``match_iou`` or more, one to one, so that the overlaps add up to the most."""
    from scipy.optimize import linear_sum_assignment

    if not found or not truth:
        return []
    iou = overlaps(found, truth, size=size)
    same = np.array([[a.class_name == b.class_name for b in truth] for a in found])
    worth = np.where(iou >= match_iou, iou + SAME_CLASS_BONUS * same, 0.0)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    return [
        Pair(int(i), int(j), float(iou[i, j])) for i, j in zip(rows, columns, strict=True) if iou[i, j] >= match_iou
    ]


def overlaps(found: Sequence[Label], truth: Sequence[Label], *, size: tuple[int, int]) -> NDArray[np.float64]:
    """Return the intersection over union of every pair, (found, truth) in 0..1.

    Of painted pixels where both are outlined (polygon, mask, ellipse); of their bounds otherwise.
    """
    iou = box_iou(_bounds(found), _bounds(truth))
    outlined = [i for i, label in enumerate(found) if _is_outlined(label.geometry)]
    true = [j for j, label in enumerate(truth) if _is_outlined(label.geometry)]
    if outlined and true:
        width, height = size
        first = [mask.from_geometry(_of(found[i]), height, width) for i in outlined]
        second = [mask.from_geometry(_of(truth[j]), height, width) for j in true]
        iou[np.ix_(outlined, true)] = mask.iou(first, second)
    return iou


def is_crowd(label: Label) -> bool:
    """Whether a label marks a region of many objects that are not told apart, or one to be ignored, as COCO has it."""
    return bool(label.attributes.get("iscrowd") or label.attributes.get("ignore"))


def _compare_classes(found: Sequence[Label], truth: Sequence[Label]) -> list[Difference]:
    """Compare classifications of the image: what one has too much of and the other misses is paired as relabelled."""
    common = Counter(label.class_name for label in found) & Counter(label.class_name for label in truth)
    extra, missing = _without(found, common), _without(truth, common)
    paired = list(zip(extra, missing, strict=False))
    listed = [Difference(What.RELABELLED, a, b) for a, b in paired]
    listed += [Difference(What.EXTRA, label, None) for label in extra[len(paired) :]]
    return listed + [Difference(What.MISSING, None, label) for label in missing[len(paired) :]]


def _without(labels: Sequence[Label], common: Counter[str]) -> list[Label]:
    left, rest = Counter(common), []
    for label in labels:
        if left[label.class_name] > 0:
            left[label.class_name] -= 1
        else:
            rest.append(label)
    return rest


def _in_crowd(label: Label, crowds: Sequence[Label]) -> bool:
    if label.geometry is None:
        return False
    x, y, width, height = label.geometry.bounds
    for crowd in crowds:
        if crowd.class_name != label.class_name or crowd.geometry is None:
            continue
        cx, cy, cw, ch = crowd.geometry.bounds
        across = min(x + width, cx + cw) - max(x, cx)
        down = min(y + height, cy + ch) - max(y, cy)
        if across > 0 and down > 0 and across * down >= CROWD_COVER * width * height:
            return True
    return False


def _bounds(labels: Sequence[Label]) -> NDArray[np.float64]:
    return np.array([_of(label).bounds for label in labels], dtype=np.float64).reshape(-1, 4)


def _of(label: Label) -> Geometry:
    assert label.geometry is not None
    return label.geometry


def _is_outlined(geometry: Geometry | None) -> bool:
    return isinstance(geometry, Polygon | Mask | Ellipse)
