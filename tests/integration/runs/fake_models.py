"""A family of models that needs no network library, and worker processes that know it."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from countersign.domain.errors import NotFound
from countersign.domain.geometry import Box
from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard, Task
from countersign.models import registry
from countersign.models.contract import Pixels, PredictOptions
from countersign.models.registry import Reference
from countersign.runs import worker

MODULE = "fake_models"


class Fake:
    """Says "dark" or "bright" of an image, with a box; may be slow, fail on black images, or end the process."""

    parallel = True

    def __init__(self, reference: Reference) -> None:
        self._delay = float(reference.options.get("delay", "0"))
        self._fail_black = "fail_black" in reference.options
        self.card = _card(reference)

    def prepare(self, image: Pixels) -> float:
        return float(image.mean()) / 255

    def predict(self, images: Sequence[Pixels], options: PredictOptions) -> list[list[Prediction]]:
        return self.predict_prepared([self.prepare(image) for image in images], options)

    def predict_prepared(self, prepared: Sequence[Any], options: PredictOptions) -> list[list[Prediction]]:
        time.sleep(self._delay * len(prepared))
        if self._fail_black and 0.0 in prepared:
            raise ValueError("too dark")
        return [self._see(value) for value in prepared]

    def _see(self, value: float) -> list[Prediction]:
        name = "bright" if value > 0.5 else "dark"
        return [Prediction(name, None, max(value, 1 - value)), Prediction(name, Box(1, 1, 3, 3), None)]


def _card(reference: Reference) -> ModelCard:
    return ModelCard(
        reference.name, "fake", (Task.CLASSIFICATION, Task.DETECTION), ("bright", "dark"), weights_hash="f00"
    )


@dataclass(frozen=True)
class FakeFamily:
    name: str = "fake"
    option_names: tuple[str, ...] = ("delay", "fail_black")
    setting_names: tuple[str, ...] = ()

    def load(self, reference: Reference, *, device: str | None) -> Fake:
        if reference.name == "crash":
            print("the fake model is about to crash")
            sys.stdout.flush()
            import os

            os.abort()
        if reference.name == "broken":
            raise RuntimeError("weights on fire")
        return Fake(reference)

    def card(self, reference: Reference) -> ModelCard:
        if reference.name == "nobody":
            raise NotFound("fake model", reference.name, known=("quick",))
        return _card(reference)

    def names(self) -> Sequence[str]:
        return ("quick",)


registry.register("fake", FakeFamily)

if __name__ == "__main__":
    sys.exit(worker.main())
