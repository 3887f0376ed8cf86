"""The YOLO families: v5 and v7 with objectness, v8, v9, 11 and 12 without, v10 and 26 that remove doubles themselves.

Boxes are in pixels of the input. Behind the class scores there may be mask coefficients (with a second output of
prototypes) or keypoints.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from countersign.domain.label import Prediction
from countersign.domain.model import Task
from countersign.models.contract import PredictOptions
from countersign.models.onnx.decoders.base import (
    Array,
    Boxes,
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
from countersign.models.onnx.decoders.masks import as_masks
from countersign.models.onnx.frame import Frame
from countersign.models.onnx.session import Tensor


class _Yolo(Output):
    masks: bool = False
    """Whether it segments: the second output holds the prototypes of masks."""
    keypoints: Annotated[int, Field(ge=0, le=1000)] = 0
    """How many keypoints each object has."""
    keypoint_values: Literal[2, 3] = 3
    """2 for x and y, 3 for x, y and a score."""
    keypoint_confidence: Annotated[float, Field(ge=0, le=1)] = 0.5
    """A keypoint below this score counts as not seen."""

    def tasks(self) -> tuple[Task, ...]:
        first = (Task.INSTANCE_SEGMENTATION,) if self.masks else (Task.POSE,) if self.keypoints else ()
        return (*first, Task.DETECTION)

    def _finish(
        self, found: Boxes, arrays: Sequence[Array], frame: Frame, labels: Labels, options: PredictOptions
    ) -> list[Prediction]:
        task = options.task or self.tasks()[0]
        if task is Task.INSTANCE_SEGMENTATION and self.masks:
            if len(arrays) < 2:
                raise misfit("masks need a second output of prototypes", arrays[0])
            return as_masks(found, shaped(self.values(arrays[1]), 3, "the prototypes"), frame, labels, options)
        if task is Task.POSE and self.keypoints:
            return as_poses(found, frame, labels, options, self.keypoint_confidence)
        return as_boxes(found, frame, labels, options)

    def _split(self, tail: Array, coefficients: int) -> dict[str, Array]:
        """Take apart what follows the class scores: mask coefficients, or keypoints."""
        extra: dict[str, Array] = {}
        if self.masks:
            extra["masks"] = tail[:, :coefficients]
        elif self.keypoints:
            extra["points"] = tail.reshape(len(tail), self.keypoints, self.keypoint_values)
        return extra

    def _coefficients(self, arrays: Sequence[Array]) -> int:
        if not self.masks:
            return self.keypoints * self.keypoint_values
        if len(arrays) < 2:
            raise misfit("masks need a second output of prototypes", arrays[0])
        return int(shaped(arrays[1], 3, "the prototypes").shape[0])


class Yolo(_Yolo):
    """All boxes, doubles included: [1, 4 + classes, N] (v8 and later) or [1, N, 5 + classes] (v5, v7)."""

    decoder: Literal["yolov5", "yolov7", "yolov8", "yolov9", "yolo11", "yolo12"]

    def count(self, shapes: Sequence[Tensor]) -> int | None:
        if not shapes or (self.masks and len(shapes) < 2):
            return None
        values = shapes[0].shape[-1 if self._objectness else -2] if len(shapes[0].shape) > 1 else None
        tail = shapes[1].shape[-3] if self.masks else self.keypoints * self.keypoint_values
        if not isinstance(values, int) or not isinstance(tail, int):
            return None
        found = values - 4 - self._objectness - tail
        return found if found > 0 else None

    def decode(
        self, arrays: Sequence[Array], frame: Frame, labels: Labels, options: PredictOptions
    ) -> list[Prediction]:
        rows = shaped(self.values(arrays[0]), 2, "the boxes")
        if not self._objectness:
            rows = rows.T
        head, tail = 4 + self._objectness, self._coefficients(arrays)
        if rows.shape[1] != head + len(labels.names) + tail:
            wanted = f"{head} + {len(labels.names)} classes" + (f" + {tail}" if tail else "")
            raise misfit(f"each box should have {wanted} values", arrays[0])
        scores = rows[:, head : head + len(labels.names)]
        if self._objectness:
            scores = scores * rows[:, 4:5]
        extra = self._split(rows[:, head + len(labels.names) :], tail)
        found = thin(best_class(centred(rows[:, :4]), scores, options, extra), labels, options)
        return self._finish(found, arrays, frame, labels, options)

    @property
    def _objectness(self) -> int:
        return int(self.decoder in ("yolov5", "yolov7"))


class YoloEnd(_Yolo):
    """Finished boxes: [1, N, 6] of x0, y0, x1, y1, score, class (v10, 26, or exported with nms=True)."""

    decoder: Literal["yolov10", "yolo26", "yolo_nms"]

    def decode(
        self, arrays: Sequence[Array], frame: Frame, labels: Labels, options: PredictOptions
    ) -> list[Prediction]:
        rows = shaped(self.values(arrays[0]), 2, "the boxes")
        tail = self._coefficients(arrays)
        if rows.shape[1] != 6 + tail:
            raise misfit(f"each box should have {6 + tail} values", arrays[0])
        keep = rows[:, 4] >= options.min_confidence
        keep &= np.isfinite(rows[:, :6]).all(axis=1) & (rows[:, 4] > 0)  # the rest of the table is filled with 0
        rows = rows[keep]
        extra = self._split(rows[:, 6:], tail)
        found = Boxes(rows[:, :4], rows[:, 4], np.rint(rows[:, 5]).astype(int), extra)
        return self._finish(found, arrays, frame, labels, options)
