"""Masks of objects from mask coefficients and prototypes, each painted when it is asked for: many are large."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from countersign.domain.label import Prediction
from countersign.models import results
from countersign.models.contract import PredictOptions
from countersign.models.onnx.decoders.base import Boxes, Labels, misfit, named
from countersign.models.onnx.frame import Frame

Array = NDArray[Any]


class Painted(Sequence[Array]):
    """Masks (height, width) bool at the size of the image, by index; the last one is kept."""

    def __init__(self, coefficients: Array, prototypes: Array, corners: Array, frame: Frame) -> None:
        self._coefficients = coefficients
        self._prototypes = prototypes
        self._corners = corners
        self._frame = frame
        self._last: tuple[int, Array] | None = None

    def __len__(self) -> int:
        return len(self._coefficients)

    @overload
    def __getitem__(self, index: int) -> Array: ...
    @overload
    def __getitem__(self, index: slice) -> list[Array]: ...
    def __getitem__(self, index: int | slice) -> Array | list[Array]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if self._last is None or self._last[0] != index:
            self._last = index, self._paint(index)
        return self._last[1]

    def _paint(self, index: int) -> Array:
        height, width = self._frame.image
        painted = np.zeros((height, width), bool)
        x0, y0, x1, y1 = self._corners[index].tolist()
        left, top = max(0, round(x0)), max(0, round(y0))
        right, bottom = min(width, round(x1)), min(height, round(y1))
        if right > left and bottom > top:
            logits = np.tensordot(self._coefficients[index], self._prototypes, axes=1).astype(np.float32)
            painted[top:bottom, left:right] = self._frame.sample(logits, (left, top, right, bottom)) > 0
        return painted


def as_masks(
    found: Boxes, prototypes: Array, frame: Frame, labels: Labels, options: PredictOptions
) -> list[Prediction]:
    """Make predictions of masks: coefficients (N, M) times prototypes (M, h, w), above 0, within the box."""
    coefficients = found.extra["masks"]
    if prototypes.ndim != 3 or prototypes.shape[0] != coefficients.shape[1]:
        raise misfit(f"{coefficients.shape[1]} mask coefficients need as many prototypes", prototypes)
    painted = Painted(coefficients, prototypes, frame.corners(found.corners), frame)
    return results.masks(frame.image, painted, found.scores, named(found.classes, labels), options)
