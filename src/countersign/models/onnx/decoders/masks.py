"""Masks of objects from mask coefficients and prototypes, each painted when it is asked for: many are large."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.label import Prediction
from countersign.models.contract import PredictOptions
from countersign.models.onnx.decoders.base import Boxes, Labels, misfit, named
from countersign.models.onnx.frame import Frame
from countersign.models.parts import dense, results

Array = NDArray[Any]


def _painted(coefficients: Array, prototypes: Array, corners: Array, frame: Frame) -> dense.Lazy:
    """Return masks (height, width) bool at the size of the image."""

    def paint(index: int) -> Array:
        height, width = frame.image
        mask = np.zeros((height, width), bool)
        x0, y0, x1, y1 = corners[index].tolist()
        left, top = max(0, round(x0)), max(0, round(y0))
        right, bottom = min(width, round(x1)), min(height, round(y1))
        if right > left and bottom > top:
            logits = np.tensordot(coefficients[index], prototypes, axes=1).astype(np.float32)
            mask[top:bottom, left:right] = frame.sample(logits, (left, top, right, bottom)) > 0
        return mask

    return dense.Lazy(len(coefficients), paint)


def as_masks(
    found: Boxes, prototypes: Array, frame: Frame, labels: Labels, options: PredictOptions
) -> list[Prediction]:
    """Make predictions of masks: coefficients (N, M) times prototypes (M, h, w), above 0, within the box."""
    coefficients = found.extra["masks"]
    if prototypes.ndim != 3 or prototypes.shape[0] != coefficients.shape[1]:
        raise misfit(f"{coefficients.shape[1]} mask coefficients need as many prototypes", prototypes)
    painted = _painted(coefficients, prototypes, frame.corners(found.corners), frame)
    return results.masks(frame.image, painted, found.scores, named(found.classes, labels), options)
