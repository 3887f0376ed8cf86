"""Detectors whose boxes are offsets in a grid of cells: YOLOX and FastestDet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from countersign.domain.label import Prediction
from countersign.domain.model import Task
from countersign.models.contract import PredictOptions
from countersign.models.onnx.decoders.base import (
    Array,
    Labels,
    Output,
    as_boxes,
    best_class,
    centred,
    check_count,
    grid,
    shaped,
    thin,
)
from countersign.models.onnx.frame import Frame
from countersign.models.onnx.session import Tensor


class Yolox(Output):
    """[1, N, 5 + classes]: offsets in cells, logarithms of sizes, objectness and class scores in 0..1.

    Source: https://github.com/Megvii-BaseDetection/YOLOX (demo/ONNXRuntime).
    """

    decoder: Literal["yolox"]
    strides: tuple[int, ...] = (8, 16, 32)
    """Pixels per cell, level by level."""
    decoded: bool = False
    """Whether boxes come in pixels already (exported with --decode_in_inference)."""

    def tasks(self) -> tuple[Task, ...]:
        return (Task.DETECTION,)

    def count(self, shapes: Sequence[Tensor]) -> int | None:
        values = shapes[0].shape[-1] if shapes and shapes[0].shape else None
        return values - 5 if isinstance(values, int) and values > 5 else None

    def decode(
        self, arrays: Sequence[Array], frame: Frame, labels: Labels, options: PredictOptions
    ) -> list[Prediction]:
        rows = shaped(self.values(arrays[0]), 2, "the boxes")
        check_count(rows.shape[1] - 5, labels, arrays[0])
        boxes = rows[:, :4]
        if not self.decoded:
            cells, stride = grid(frame.input, self.strides, len(rows))
            with np.errstate(over="ignore"):  # an infinite box is dropped and counted
                boxes = np.concatenate([(boxes[:, :2] + cells) * stride, np.exp(boxes[:, 2:]) * stride], axis=1)
        found = best_class(centred(boxes), rows[:, 5:] * rows[:, 4:5], options)
        return as_boxes(thin(found, labels, options), frame, labels, options)


class FastestDet(Output):
    """[1, 5 + classes, rows, columns]: objectness, tanh of the centre's offset, sigmoid of the size, class scores.

    A score is objectness ^ 0.6 x class ^ 0.4. Source: https://github.com/dog-qiuqiu/FastestDet.
    """

    decoder: Literal["fastestdet"]

    def tasks(self) -> tuple[Task, ...]:
        return (Task.DETECTION,)

    def count(self, shapes: Sequence[Tensor]) -> int | None:
        values = shapes[0].shape[-3] if shapes and len(shapes[0].shape) >= 3 else None
        return values - 5 if isinstance(values, int) and values > 5 else None

    def decode(
        self, arrays: Sequence[Array], frame: Frame, labels: Labels, options: PredictOptions
    ) -> list[Prediction]:
        table = shaped(self.values(arrays[0]), 3, "the grid")
        check_count(table.shape[0] - 5, labels, arrays[0])
        height, width = table.shape[1:]
        rows = table.reshape(table.shape[0], -1).T
        ys, xs = np.divmod(np.arange(height * width), width)
        size = np.array([frame.input[1], frame.input[0]], np.float32)
        centre = (np.stack([xs, ys], axis=1) + np.tanh(rows[:, 1:3])) / (width, height) * size
        extent = 0.5 * (1.0 + np.tanh(0.5 * rows[:, 3:5])) * size
        scores = np.clip(rows[:, :1], 0, None) ** 0.6 * np.clip(rows[:, 5:], 0, None) ** 0.4
        found = best_class(centred(np.concatenate([centre, extent], axis=1)), scores, options)
        return as_boxes(thin(found, labels, options), frame, labels, options)
