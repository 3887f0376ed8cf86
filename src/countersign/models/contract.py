"""The contract of every model. What loads it, and where it runs, is not known here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard

Pixels: TypeAlias = NDArray[np.uint8]
"""One upright image: (height, width, 3), RGB, uint8."""


@dataclass(frozen=True, slots=True)
class PredictOptions:
    """What is asked of a model for every image of a batch.

    ``classes`` empty means all. Predictions below ``min_confidence`` (0..1) are left out; those without a confidence
    are kept. ``settings`` are the family's own (``nms``, ``tiling`` ...).
    """

    classes: tuple[str, ...] = ()
    min_confidence: float = 0.1
    settings: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class Model(Protocol):
    """Something that predicts. Made in the process that uses it, never shared between threads."""

    @property
    def card(self) -> ModelCard: ...

    def predict(self, images: Sequence[Pixels], options: PredictOptions) -> list[list[Prediction]]:
        """Predict a batch of images of any sizes; one list of predictions for each, in the same order.

        Geometries are in pixels of the image as given, clipped to it; degenerate ones are dropped. Raises ModelError.
        """
        ...


@runtime_checkable
class SplitModel(Model, Protocol):
    """A model whose preparation of one image can be done ahead, in another thread.

    ``prepare`` takes one image and returns what ``predict_prepared`` takes in place of it (resized, normalised ...).
    A model whose ``predict_prepared`` several threads may call at once says so with an attribute ``parallel`` that is
    True: on a CPU that is quicker than one call on all cores.
    """

    def prepare(self, image: Pixels) -> Any: ...

    def predict_prepared(self, prepared: Sequence[Any], options: PredictOptions) -> list[list[Prediction]]: ...
