"""Boxes that a network names in words, without a score: what is said twice, or fits a negative prompt too, goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from countersign.domain.geometry import box_iou
from countersign.domain.label import Prediction
from countersign.models import results
from countersign.models.contract import PredictOptions
from countersign.models.prompts import SAME_OBJECT


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
    if not rivals:
        return False
    sized = np.column_stack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
    return bool(box_iou(sized[index : index + 1], sized[rivals]).max() > SAME_OBJECT)
