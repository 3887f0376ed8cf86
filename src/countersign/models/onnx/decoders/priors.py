"""Face detectors with priors: boxes and landmarks as offsets from a fixed set of boxes (YuNet, RetinaFace).

Source of the arithmetic: SSD (arXiv 1512.02325), as in https://github.com/ShiqiYu/libfacedetection.train.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from countersign.domain.errors import ModelError
from countersign.domain.label import Prediction
from countersign.domain.model import Task
from countersign.models.contract import PredictOptions
from countersign.models.onnx.decoders.base import (
    Array,
    Labels,
    Output,
    as_boxes,
    as_poses,
    best_class,
    centred,
    misfit,
    shaped,
    thin,
)
from countersign.models.onnx.frame import Frame, Size
from countersign.models.onnx.session import Tensor


class Priors(Output):
    """Outputs in the order offsets [P, 4 or 4 + 2K], scores [P, 2 or 1], overlap [P, 1] (YuNet only).

    Results are boxes, or with landmarks skeletons (task `pose`).
    """

    decoder: Literal["yunet", "priors"]
    min_sizes: tuple[tuple[float, ...], ...] = ((10, 16, 24), (32, 48), (64, 96), (128, 192, 256))
    """Sides of the priors in pixels, level by level."""
    strides: tuple[int, ...] = (8, 16, 32, 64)
    """Pixels per cell, level by level."""
    variances: tuple[float, float] = (0.1, 0.2)
    """What offsets of centres and of sizes are multiplied by."""

    def tasks(self) -> tuple[Task, ...]:
        return (Task.DETECTION, Task.POSE)

    def count(self, shapes: Sequence[Tensor]) -> int | None:
        return 1

    def select(self, tensors: Sequence[Tensor]) -> list[str]:
        chosen = super().select(tensors)
        if len(chosen) < 2:
            raise ModelError(
                f"decoder {self.decoder!r} needs the outputs for offsets, scores and perhaps overlap",
                remedy="Name them in output.outputs, in this order.",
            )
        return chosen

    def decode(
        self, arrays: Sequence[Array], frame: Frame, labels: Labels, options: PredictOptions
    ) -> list[Prediction]:
        offsets = shaped(self.values(arrays[0]), 2, "the offsets")
        priors = self._priors(frame.input, len(offsets))
        if offsets.shape[1] < 4 or offsets.shape[1] % 2:
            raise misfit("an offset should have 4 values and 2 for each landmark", arrays[0])
        rest = [shaped(self.values(array), 2, "the scores") for array in arrays[1:3]]
        if any(len(values) != len(offsets) for values in rest):
            raise misfit(f"{len(offsets)} offsets need as many scores", arrays[1])
        scores = rest[0][:, -1:]  # of two the second says "a face"
        if len(rest) > 1:
            scores = np.sqrt(np.clip(scores, 0, 1) * np.clip(rest[1][:, -1:], 0, 1))
        centre_step, size_step = self.variances
        centre = priors[:, :2] + offsets[:, :2] * centre_step * priors[:, 2:]
        with np.errstate(over="ignore"):
            extent = priors[:, 2:] * np.exp(offsets[:, 2:4] * size_step)
        marks = offsets[:, 4:].reshape(len(offsets), -1, 2)
        points = priors[:, None, :2] + marks * centre_step * priors[:, None, 2:]
        found = best_class(centred(np.concatenate([centre, extent], axis=1)), scores, options, {"points": points})
        found = thin(found, labels, options)
        if options.task is Task.POSE and points.shape[1]:
            return as_poses(found, frame, labels, options, 0.0)
        return as_boxes(found, frame, labels, options)

    def _priors(self, size: Size, count: int) -> Array:
        """Return (P, 4) of centre x, centre y, width, height in pixels of the input."""
        priors = self._laid_out(size, _pooled)
        if len(priors) != count:
            priors = self._laid_out(size, _covering)
        if len(priors) != count:
            raise ModelError(
                f"the model has {count} priors, but min_sizes and strides make {len(priors)} on {size[0]} x {size[1]}",
                remedy="Declare output.min_sizes and output.strides as it was trained with.",
            )
        return priors

    def _laid_out(self, size: Size, cells: Callable[[int, int], int]) -> Array:
        rows = [np.zeros((0, 4))]
        for stride, sides in zip(self.strides, self.min_sizes, strict=False):
            height, width = cells(size[0], stride), cells(size[1], stride)
            ys, xs = np.mgrid[:height, :width]
            centres = (np.stack([xs, ys], axis=-1).reshape(-1, 1, 2) + 0.5) * stride
            each = np.tile(centres, (1, len(sides), 1)).reshape(-1, 2)
            extents = np.tile(np.repeat(np.array(sides)[:, None], 2, axis=1), (height * width, 1))
            rows.append(np.concatenate([each, extents], axis=1))
        priors: Array = np.concatenate(rows).astype(np.float32)
        return priors


def _pooled(length: int, stride: int) -> int:
    """Cells where the first convolution rounds up and every halving after it down (YuNet)."""
    cells = (length + 1) // 2
    while stride > 2:
        cells, stride = cells // 2, stride // 2
    return cells


def _covering(length: int, stride: int) -> int:
    """Cells that cover all of it (RetinaFace)."""
    return -(-length // stride)
