"""Semantic segmentation: a class for every pixel, as its number or as scores of all classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from countersign.domain.label import Prediction
from countersign.domain.model import Task
from countersign.models.contract import PredictOptions
from countersign.models.onnx.decoders.base import Array, Labels, Output, check_count, misfit, shaped, sigmoid, softmax
from countersign.models.onnx.frame import Frame
from countersign.models.onnx.session import Tensor
from countersign.models.parts import results

_CHANNELS = 4  # that many are brought to the size of the image in one step
_VALUES = 8_000_000  # of so many at most at once: a large photo with many classes would fill the memory


class Semantic(Output):
    """[1, classes, h, w] or [1, h, w, classes] of scores, or [1, h, w] of class numbers."""

    decoder: Literal["semantic"]
    scores: Literal["logits", "probabilities", "sigmoid", "map"]
    """`logits` or `probabilities` of all classes, `sigmoid` for logits of each by itself, `map` for class numbers."""
    channels: Literal["first", "last"] = "first"
    """Whether the classes are the first or the last axis."""
    background: int | None = 0
    """Index of the class that is nothing (none: every pixel has a class)."""
    threshold: float = 0.5
    """With one class alone: from this probability on a pixel belongs to it."""

    def tasks(self) -> tuple[Task, ...]:
        return (Task.SEMANTIC_SEGMENTATION,)

    def count(self, shapes: Sequence[Tensor]) -> int | None:
        if not shapes or self.scores == "map" or len(shapes[0].shape) < 3:
            return None
        values = shapes[0].shape[-1 if self.channels == "last" else -3]
        return values if isinstance(values, int) else None

    def decode(
        self, arrays: Sequence[Array], frame: Frame, labels: Labels, options: PredictOptions
    ) -> list[Prediction]:
        names = ["" if i == self.background else name for i, name in enumerate(labels.names)]
        height, width = frame.image
        area = (0, 0, width, height)
        if self.scores == "map":
            numbers = np.asarray(arrays[0])
            while numbers.ndim > 2 and numbers.shape[-1] == 1:
                numbers = numbers[..., 0]
            flat = np.nan_to_num(shaped(numbers, 2, "the class map")).astype(np.float32)
            return results.class_map(frame.sample(flat, area, smooth=False).astype(np.int64), names, options)
        table = self._table(arrays[0])
        single = table.shape[-1] == 1 and len(labels.names) <= 2
        if not single:
            check_count(table.shape[-1], labels, arrays[0])
        classes, best = np.zeros((height, width), np.int32), np.zeros((height, width), np.float32)
        step = max(1, _VALUES // (width * table.shape[-1]))
        for top in range(0, height, step):
            rows = slice(top, min(height, top + step))
            part = _sample(table, frame, (0, rows.start, width, rows.stop))
            classes[rows], best[rows] = self._decide(part, single)
        known = ["", labels.names[-1]] if single else names
        return results.class_map(classes, known, options, scores=np.clip(best, 0, 1))

    def _decide(self, scores: Array, single: bool) -> tuple[Array, Array]:
        """Return the class of each pixel and its probability, of scores (h, w, classes)."""
        if single:
            score = scores[..., 0] if self.scores == "probabilities" else sigmoid(scores[..., 0])
            return (score >= self.threshold).astype(np.int32), score
        if self.scores == "logits":
            scores = softmax(scores)
        elif self.scores == "sigmoid":
            scores = sigmoid(scores)
        classes = scores.argmax(axis=-1)
        return classes, np.take_along_axis(scores, classes[..., None], axis=-1)[..., 0]

    def _table(self, array: Array) -> Array:
        table = shaped(self.values(array), 3, "the scores")
        if 0 in table.shape:
            raise misfit("there are no scores", array)
        table = table if self.channels == "last" else table.transpose(1, 2, 0)
        return np.nan_to_num(table, nan=-1e9, posinf=1e9, neginf=-1e9)


def _sample(table: Array, frame: Frame, area: tuple[int, int, int, int]) -> Array:
    height, width = area[3] - area[1], area[2] - area[0]
    parts = [
        frame.sample(np.ascontiguousarray(table[..., i : i + _CHANNELS]), area).reshape(height, width, -1)
        for i in range(0, table.shape[-1], _CHANNELS)
    ]
    return np.concatenate(parts, axis=-1)
