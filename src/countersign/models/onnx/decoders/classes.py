"""Classifiers: one number per class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from countersign.domain.label import Prediction
from countersign.domain.model import Task
from countersign.models.contract import PredictOptions
from countersign.models.onnx.decoders.base import Array, Labels, Output, check_count, sigmoid, softmax
from countersign.models.onnx.frame import Frame
from countersign.models.onnx.session import Tensor
from countersign.models.parts import results


class Classes(Output):
    """[1, classes] of logits or probabilities. The class that is `background` is left out."""

    decoder: Literal["classes"]
    scores: Literal["logits", "probabilities", "sigmoid"]
    """`logits` go through softmax, `sigmoid` through one for each class, `probabilities` are taken as they are."""
    background: int | None = None
    """Index of the class that means nothing known."""

    def tasks(self) -> tuple[Task, ...]:
        return (Task.CLASSIFICATION,)

    def count(self, shapes: Sequence[Tensor]) -> int | None:
        values = shapes[0].shape[-1] if shapes and shapes[0].shape else None
        return values if isinstance(values, int) else None

    def decode(
        self, arrays: Sequence[Array], frame: Frame, labels: Labels, options: PredictOptions
    ) -> list[Prediction]:
        values = self.values(arrays[0]).ravel()
        check_count(len(values), labels, arrays[0])
        if self.scores != "probabilities":
            values = np.nan_to_num(values, nan=-1e9, posinf=1e9, neginf=-1e9)
            values = softmax(values) if self.scores == "logits" else sigmoid(values)
        kept = [i for i, name in enumerate(labels.names) if name and i != self.background]
        return results.whole(values[kept], [labels.names[i] for i in kept], options)
