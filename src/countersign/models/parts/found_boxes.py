"""Boxes that were found by words: what was found twice, or fits a negative prompt, goes.

Several texts may stand for one class, and some (with the class name "") for what is not wanted. Networks that answer
in words give no score (``choose``), detectors do (``best``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from countersign.domain.label import Prediction
from countersign.models.contract import PredictOptions
from countersign.models.parts import results
from countersign.models.parts.prompts import SAME_OBJECT


@dataclass(slots=True)
class Found:
    """What was found in one image: corners x0, y0, x1, y1 in pixels, and names ("" for a negative prompt)."""

    height: int
    width: int
    corners: list[ArrayLike] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    attributes: list[Mapping[str, Any]] = field(default_factory=list)

    def add_all(
        self, corners: Sequence[ArrayLike], names: Sequence[str], attributes: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        """Add boxes with their names, and attributes where there are any."""
        self.corners += list(corners)
        self.names += list(names)
        self.attributes += list(attributes) or [{} for _ in names]


def choose(found: Found, options: PredictOptions) -> list[Prediction]:
    """Return predictions without a confidence, in the order in which they were named."""
    corners = np.asarray(found.corners, np.float64).reshape(-1, 4)
    kept: list[int] = []
    against = [i for i, name in enumerate(found.names) if not name]
    for i, name in enumerate(found.names):
        rivals = against + [j for j in kept if _same(found, i, j)]
        if name and not _overlaps(corners, i, rivals):
            kept.append(i)
    return results.boxes(
        (found.height, found.width),
        corners[kept],
        None,
        [found.names[i] for i in kept],
        options,
        attributes=[found.attributes[i] for i in kept],
    )


def _same(found: Found, first: int, second: int) -> bool:
    """Whether two boxes say the same: a region may be described twice, in other words."""
    return found.names[first] == found.names[second] and found.attributes[first] == found.attributes[second]


def _overlaps(corners: NDArray[np.float64], index: int, rivals: list[int]) -> bool:
    return bool(rivals) and bool(results.overlaps(corners[index : index + 1], corners[rivals]).max() > SAME_OBJECT)


def best(corners: NDArray[np.float64], scores: NDArray[np.float64], names: Sequence[str]) -> list[int]:
    """Return the indices that stay of boxes (N, 4: x0, y0, x1, y1 in pixels) with their scores (N,) and names.

    Of those that several texts of one class found the surest; none where a negative prompt fits better.
    """
    kept: Sequence[int] = range(len(names))
    if len(set(names)) < len(names):
        kept = results.suppress(corners, scores, SAME_OBJECT, names)
    against = [i for i in kept if not names[i]]
    positive = [i for i in kept if names[i]]
    if not against or not positive:
        return positive
    better = scores[against][None, :] > scores[positive][:, None]
    overlap = results.overlaps(corners[positive], corners[against]) > SAME_OBJECT
    lost: list[bool] = np.any(overlap & better, axis=1).tolist()
    return [i for i, gone in zip(positive, lost, strict=True) if not gone]
