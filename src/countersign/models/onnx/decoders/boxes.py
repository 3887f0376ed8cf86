"""Detectors of SSD and DETR kind: one output of boxes, one of scores, perhaps one of labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from countersign.domain.errors import ModelError
from countersign.domain.label import Prediction
from countersign.domain.model import Task
from countersign.models.contract import PredictOptions
from countersign.models.onnx.decoders.base import (
    Array,
    Boxes,
    Labels,
    Output,
    as_boxes,
    centred,
    misfit,
    shaped,
    sigmoid,
    softmax,
    thin,
)
from countersign.models.onnx.frame import Frame
from countersign.models.onnx.session import Tensor


class BoxesAndScores(Output):
    """Outputs in the order boxes [N, 4], scores [N] or [N, classes], labels [N] (where scores are [N])."""

    decoder: Literal["boxes"]
    coordinates: Literal["xyxy", "yxyx", "cxcywh", "xywh"]
    """`xyxy` x0, y0, x1, y1; `yxyx` (TensorFlow) y0, x0, y1, x1; `cxcywh` centre, size (DETR); `xywh` corner, size."""
    units: Literal["fraction", "input", "image"]
    """Coordinates are a `fraction` (0..1) of the input, pixels of the `input`, or pixels of the `image`."""
    scores: Literal["probabilities", "sigmoid", "softmax"] = "probabilities"
    """Whether scores are in 0..1, or logits to be put through sigmoid (RT-DETR) or softmax (DETR)."""
    background: int | None = None
    """Which class index means no object: -1 the last (DETR), 0 the first (SSD)."""
    label_offset: int = 0
    """Taken away from labels: 1 where the model counts from 1."""
    keep: Annotated[int, Field(ge=1, le=10000)] = 300
    """At most so many of the best boxes and classes are looked at."""

    def tasks(self) -> tuple[Task, ...]:
        return (Task.DETECTION,)

    def select(self, tensors: Sequence[Tensor]) -> list[str]:
        chosen = super().select(tensors)
        if len(chosen) < 2:
            raise ModelError(
                "decoder 'boxes' needs the outputs for boxes, scores and perhaps labels",
                remedy="Name them in output.outputs, in this order.",
            )
        return chosen

    def count(self, shapes: Sequence[Tensor]) -> int | None:
        if len(shapes) != 2 or len(shapes[1].shape) < 2 or not isinstance(shapes[1].shape[-1], int):
            return None
        return shapes[1].shape[-1]

    def decode(
        self, arrays: Sequence[Array], frame: Frame, labels: Labels, options: PredictOptions
    ) -> list[Prediction]:
        boxes = shaped(self.values(arrays[0]), 2, "the boxes")
        if boxes.shape[1] != 4:
            raise misfit("a box should have 4 values", arrays[0])
        found = self._ranked(boxes, arrays, labels, options)
        found = Boxes(self._corners(found.corners, frame), found.scores, found.classes)
        return as_boxes(thin(found, labels, options), frame, labels, options)

    def _ranked(self, boxes: Array, arrays: Sequence[Array], labels: Labels, options: PredictOptions) -> Boxes:
        raw = self.values(arrays[1])
        if len(arrays) > 2:
            scores, classes = raw.ravel(), self.values(arrays[2]).ravel()
            if not len(scores) == len(classes) == len(boxes):
                raise misfit(f"{len(boxes)} boxes need as many scores and labels", arrays[1])
            classes = np.where(np.isfinite(classes), classes, self.label_offset)
            numbers = np.rint(classes).astype(int) - self.label_offset
            scores = sigmoid(scores) if self.scores == "sigmoid" else scores
            rows = np.arange(len(boxes))
        else:
            table = self._table(shaped(raw, 2, "the scores"), len(boxes), labels)
            flat = np.argsort(-table, axis=None, kind="stable")[: self.keep]
            rows, columns = np.unravel_index(flat, table.shape)
            scores, numbers = table[rows, columns], columns
        keep = (scores >= options.min_confidence) & (scores > 0)
        return Boxes(boxes[rows][keep], scores[keep], numbers[keep])

    def _table(self, raw: Array, count: int, labels: Labels) -> Array:
        if len(raw) != count:
            raise misfit(f"{count} boxes need as many rows of scores", raw)
        table = sigmoid(raw) if self.scores == "sigmoid" else softmax(raw) if self.scores == "softmax" else raw
        if self.background is not None:
            table = np.array(table)
            table[:, self.background % table.shape[1]] = 0
        names = len(labels.names)
        if table.shape[1] not in (names, names + (self.background == -1)):
            raise misfit(f"{names} class names are declared for {table.shape[1]} classes", raw)
        finite: Array = np.where(np.isfinite(table), table, 0)
        return finite

    def _corners(self, boxes: Array, frame: Frame) -> Array:
        if self.coordinates == "yxyx":
            boxes = boxes[:, [1, 0, 3, 2]]
        elif self.coordinates == "cxcywh":
            boxes = centred(boxes)
        elif self.coordinates == "xywh":
            boxes = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
        height, width = frame.input
        if self.units == "fraction":
            return boxes * np.array([width, height, width, height], np.float32)
        if self.units == "image":  # so that the way back to the image changes nothing
            scale = np.array([frame.scale_x, frame.scale_y] * 2, np.float32)
            boxes = boxes * scale + np.array([frame.left, frame.top] * 2, np.float32)
        return boxes
