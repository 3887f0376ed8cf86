"""Embeddings: one vector for an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from countersign.domain.errors import ModelError
from countersign.domain.model import Task
from countersign.models.contract import PredictOptions
from countersign.models.onnx.decoders.base import Array, Labels, Output
from countersign.models.onnx.frame import Frame
from countersign.models.onnx.session import Tensor


class Embedding(Output):
    """Any shape: all numbers of the first output are the vector, brought to length 1."""

    decoder: Literal["embedding"]

    def tasks(self) -> tuple[Task, ...]:
        return (Task.EMBEDDING,)

    def count(self, shapes: Sequence[Tensor]) -> int | None:
        return 0

    def decode(self, arrays: Sequence[Array], frame: Frame, labels: Labels, options: PredictOptions) -> Array:
        vector = self.values(arrays[0]).ravel().astype(np.float64)
        if not len(vector) or not np.isfinite(vector).all():
            raise ModelError(
                "the model gave no usable vector: it holds a number that is not finite", remedy="Check the model."
            )
        length = float(np.linalg.norm(vector))
        return (vector / length if length > 0 else vector).astype(np.float32)
