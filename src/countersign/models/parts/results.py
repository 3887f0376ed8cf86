"""From what a network returns to predictions: the rules that every family keeps, in one place.

Boxes are clipped to the image; what is not finite or has no area is dropped; both are counted in the options' tally
(``clipped``, ``degenerate``, ``empty`` for masks without a pixel). Classes that were not asked for and confidences
below the options' minimum are left out before that, so the counts are of results that somebody would have seen. A
result with an empty class name (a negative prompt, a background) is left out. Arrays are numpy's; no network library
is known here.

The settings ``nms`` (a threshold 0..1 of intersection over union) and ``nms_across_classes`` (true or false) ask for
suppression of boxes beyond what the model does itself, ``max_detections`` for no more than so many per image.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from countersign.domain import mask as mask_tools
from countersign.domain.geometry import Box, Keypoints, box_iou
from countersign.domain.label import Prediction
from countersign.models.contract import PredictOptions

Size = tuple[int, int]
"""Height and width of an image in pixels."""

_SLACK = 0.5  # a corner that lies this little outside the image (pixels) is rounding, not worth a count


def boxes(
    size: Size,
    corners: ArrayLike,
    scores: ArrayLike | None,
    names: Sequence[str],
    options: PredictOptions,
    *,
    attributes: Sequence[Mapping[str, Any]] | None = None,
) -> list[Prediction]:
    """Make predictions of boxes, the most confident first.

    ``corners`` is (N, 4): x0, y0, x1, y1 in pixels of the image; ``scores`` (N,) in 0..1, or None where the model
    gives none; ``names`` N class names.
    """
    found = _Found(size, corners, scores, names, options)
    return [
        Prediction(names[i], found.boxes[i], found.score(i), dict(attributes[i]) if attributes else {})
        for i in found.kept
    ]


def masks(
    size: Size,
    painted: Sequence[NDArray[Any]] | NDArray[Any],
    scores: ArrayLike | None,
    names: Sequence[str],
    options: PredictOptions,
    *,
    attributes: Sequence[Mapping[str, Any]] | None = None,
) -> list[Prediction]:
    """Make predictions of masks, the most confident first.

    ``painted`` holds N arrays of (height, width) at the size of the image: what is not 0 belongs to the object.
    Suppression by the setting ``nms`` goes by the masks' own boxes.
    """
    scored = _scores(scores, len(names))
    wanted = [i for i in _order(scored) if _asked_for(names[i], scored[i], options)]
    made: dict[int, Prediction] = {}
    corners = np.zeros((len(names), 4))
    for i in wanted:
        if painted[i].shape != size:
            raise ValueError(f"a mask of {painted[i].shape} does not fit an image of {size}")
        if not painted[i].any():
            options.tally.add("empty")
            continue
        mask = mask_tools.encode(painted[i])
        x, y, width, height = mask.bounds
        corners[i] = x, y, x + width, y + height
        made[i] = Prediction(names[i], mask, _confidence(scored[i]), dict(attributes[i]) if attributes else {})
    kept = _thin(list(made), corners, scored, names, options)
    return [made[i] for i in kept]


def class_map(
    classes: NDArray[Any],
    names: Sequence[str] | Mapping[int, str],
    options: PredictOptions,
    *,
    scores: NDArray[np.floating[Any]] | None = None,
) -> list[Prediction]:
    """Make one mask per class that is present in a map of class indices, (height, width).

    Indices without a name, or with an empty one, are background. ``scores`` (height, width) is the probability of the
    class at each pixel: its mean over the mask is the confidence; without it there is none.
    """
    known = dict(names) if isinstance(names, Mapping) else dict(enumerate(names))
    found = []
    for index in np.unique(classes).tolist():
        name = known.get(int(index), "")
        if not name or (options.classes and name not in options.classes):
            continue
        painted = classes == index
        score = _clamp(float(scores[painted].mean())) if scores is not None else None
        if score is not None and not score >= options.min_confidence:
            continue
        found.append(Prediction(name, mask_tools.encode(painted), score))
    return found


def keypoints(
    size: Size,
    points: NDArray[Any],
    visible: NDArray[Any],
    scores: ArrayLike | None,
    names: Sequence[str],
    options: PredictOptions,
    *,
    corners: ArrayLike | None = None,
    point_scores: NDArray[Any] | None = None,
) -> list[Prediction]:
    """Make predictions of skeletons, the most confident first.

    ``points`` is (N, K, 2) in pixels, ``visible`` (N, K) true where a point was found, ``corners`` (N, 4) the
    objects' boxes as in ``boxes``. A point outside the image is moved to its edge. ``point_scores`` (N, K) goes into
    the attribute ``keypoint_confidence``.
    """
    if not len(names):
        return []
    points = np.asarray(points, np.float64).reshape(len(names), -1, 2)
    shown = np.asarray(visible, bool).reshape(points.shape[:2]) & np.isfinite(points).all(axis=2)
    around = _around(points, shown) if corners is None else corners
    found = _Found(size, around, scores, names, options, sized=corners is not None)
    made = []
    for i in found.kept:
        if not shown[i].any():
            options.tally.add("empty")
            continue
        attributes = {}
        if point_scores is not None:
            attributes["keypoint_confidence"] = [round(_clamp(float(value)), 4) for value in point_scores[i]]
        flat = _skeleton(size, points[i], shown[i])
        geometry = Keypoints(flat, found.boxes[i] if corners is not None else None)
        made.append(Prediction(names[i], geometry, found.score(i), attributes))
    return made


def whole(scores: ArrayLike, names: Sequence[str], options: PredictOptions) -> list[Prediction]:
    """Make predictions for the image as a whole: the most probable class, or ``settings["top"]`` of them.

    ``scores`` (N,) in 0..1, one per class. A nameless class that comes before (a negative prompt) ends the list: what
    is less probable than "none of them" is left out.
    """
    scored = _scores(scores, len(names))
    top = max(1, int(options.settings.get("top", 1)))
    found: list[Prediction] = []
    for i in _order(scored):
        if len(found) == top or not scored[i] >= options.min_confidence or not names[i]:
            break
        if not options.classes or names[i] in options.classes:
            found.append(Prediction(names[i], None, _confidence(scored[i])))
    return found


def best_per_class(scores: ArrayLike, names: Sequence[str]) -> tuple[NDArray[np.float64], list[str]]:
    """Of several prompts for one class keep the best: returns (C,) scores and C names, each once, in first order.

    The empty name (all negative prompts together) is one of them.
    """
    best: dict[str, float] = {}
    for name, score in zip(names, np.asarray(scores, np.float64).ravel().tolist(), strict=True):
        best[name] = max(score, best.get(name, -np.inf))
    return np.array(list(best.values())), list(best)


def suppress(corners: ArrayLike, scores: ArrayLike, threshold: float, groups: Sequence[Any] | None = None) -> list[int]:
    """Non-maximum suppression: return the indices that stay, the most confident first.

    Of two boxes (N, 4: x0, y0, x1, y1) of one group that overlap by more than ``threshold`` the less confident goes.
    ``groups`` None puts all into one.
    """
    boxed = np.asarray(corners, np.float64).reshape(-1, 4)
    scored = np.asarray(scores, np.float64).ravel()
    kept: list[int] = []
    for i in _order(scored):
        rivals = [j for j in kept if groups is None or groups[j] == groups[i]]
        if not rivals or overlaps(boxed[i : i + 1], boxed[rivals]).max() <= threshold:
            kept.append(i)
    return kept


def overlaps(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (N, M): intersection over union of boxes (N, 4) and (M, 4), each x0, y0, x1, y1."""
    sized = (np.column_stack([part[:, :2], part[:, 2:] - part[:, :2]]) for part in (first, second))
    return box_iou(*sized)


class _Found:
    """Boxes of one image after the rules: ``kept`` indices in order, ``boxes`` by index."""

    def __init__(
        self,
        size: Size,
        corners: ArrayLike,
        scores: ArrayLike | None,
        names: Sequence[str],
        options: PredictOptions,
        *,
        sized: bool = True,
    ) -> None:
        given = np.asarray(corners, np.float64).reshape(-1, 4)
        if len(given) != len(names):
            raise ValueError(f"{len(given)} boxes and {len(names)} names")
        self._scores = _scores(scores, len(names))
        self.boxes: dict[int, Box | None] = {}
        clipped = given.copy()
        for i in _order(self._scores):
            if not _asked_for(names[i], self._scores[i], options):
                continue
            box, clipped[i], cut = _clip(given[i], size)
            if box is None and sized:
                options.tally.add("degenerate")
                continue
            options.tally.add("clipped", int(cut))
            self.boxes[i] = box
        self.kept = _thin(list(self.boxes), clipped, self._scores, names, options)

    def score(self, index: int) -> float | None:
        return _confidence(self._scores[index])


def _clip(corners: NDArray[np.float64], size: Size) -> tuple[Box | None, NDArray[np.float64], bool]:
    """Return a box on the image (None where nothing is left), its corners, and whether a part was cut off."""
    if not np.isfinite(corners).all():
        return None, corners, False
    height, width = size
    limit = np.array([width, height, width, height], np.float64)
    inside = np.clip(corners, 0.0, limit)
    x0, y0, x1, y1 = inside.tolist()
    cut = bool((np.abs(inside - corners) > _SLACK).any())
    # A strip thinner than a thousandth of a pixel is the rounding of a box of no area.
    box = Box(x0, y0, x1 - x0, y1 - y0) if x1 - x0 > 1e-3 and y1 - y0 > 1e-3 else None
    return box, inside, cut


def _thin(
    kept: list[int],
    corners: NDArray[np.float64],
    scores: NDArray[np.float64],
    names: Sequence[str],
    options: PredictOptions,
) -> list[int]:
    threshold = options.settings.get("nms")
    if threshold is not None and kept:
        groups = None if options.settings.get("nms_across_classes") else [names[i] for i in kept]
        ranked = np.where(np.isnan(scores[kept]), 0.0, scores[kept])
        kept = [kept[i] for i in suppress(corners[kept], ranked, float(threshold), groups)]
    limit = options.settings.get("max_detections")
    return kept if limit is None else kept[: int(limit)]


def _asked_for(name: str, score: float, options: PredictOptions) -> bool:
    """Whether a result is wanted; NaN stands for "the model gives none" and passes."""
    if not name or (options.classes and name not in options.classes):
        return False
    return bool(np.isnan(score) or score >= options.min_confidence)


def _scores(scores: ArrayLike | None, count: int) -> NDArray[np.float64]:
    """Return (N,) with NaN where there is none; a score that the network itself made NaN becomes -1: never wanted."""
    if scores is None:
        return np.full(count, np.nan)
    scored = np.asarray(scores, np.float64).ravel()
    if len(scored) != count:
        raise ValueError(f"{len(scored)} scores and {count} names")
    return np.where(np.isnan(scored), -1.0, scored)


def _confidence(score: float) -> float | None:
    return None if np.isnan(score) else _clamp(score)


def _clamp(score: float) -> float:
    return min(1.0, max(0.0, float(score)))


def _order(scores: NDArray[np.float64]) -> Iterable[int]:
    """Indices by falling score; equal (and missing) ones in their own order."""
    return [int(i) for i in np.argsort(-scores, kind="stable")]


def _around(points: NDArray[np.float64], shown: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return (N, 4) boxes around the points that are shown."""
    low = np.where(shown[..., None], points, np.inf).min(axis=1, initial=np.inf)
    high = np.where(shown[..., None], points, -np.inf).max(axis=1, initial=-np.inf)
    return np.concatenate([low, high], axis=1)


def _skeleton(size: Size, points: NDArray[np.float64], shown: NDArray[np.bool_]) -> tuple[float, ...]:
    height, width = size
    flat: list[float] = []
    for (x, y), seen in zip(points.tolist(), shown.tolist(), strict=True):
        flat += [min(max(x, 0.0), float(width)), min(max(y, 0.0), float(height)), 2.0] if seen else [0.0, 0.0, 0.0]
    return tuple(flat)
