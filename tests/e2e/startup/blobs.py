"""A model that needs no training: it finds what is darker and redder than its surroundings, in milliseconds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from countersign.domain.errors import ModelError
from countersign.domain.geometry import Box
from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard, Task
from countersign.models.contract import PredictOptions
from countersign.models.registry import Reference

CLASSES = ("disc", "lobed", "rod")


@dataclass(frozen=True, slots=True)
class BlobModel:
    """Boxes around connected pixels; the class by area, the confidence by how well they fill their box."""

    delay: float = 0.0

    @property
    def card(self) -> ModelCard:
        return ModelCard("blobs:cells", "blobs", (Task.DETECTION,), CLASSES, weights_hash="b10b")

    def predict(self, images: Sequence[NDArray[np.uint8]], options: PredictOptions) -> list[list[Prediction]]:
        time.sleep(self.delay * len(images))
        return [self._one(image, options) for image in images]

    def _one(self, image: NDArray[np.uint8], options: PredictOptions) -> list[Prediction]:
        green = cv2.GaussianBlur(image[..., 1], (0, 0), 2)
        _, solid = cv2.threshold(green, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
        count, _, stats, _ = cv2.connectedComponentsWithStats(solid)
        found = (self._say(*(int(value) for value in stats[index])) for index in range(1, count))
        wanted = options.classes or CLASSES
        return [
            each for each in found
            if each is not None and each.class_name in wanted and (each.confidence or 0) >= options.min_confidence
        ]  # fmt: skip

    @staticmethod
    def _say(x: int, y: int, width: int, height: int, area: int) -> Prediction | None:
        if area < 60:
            return None
        name = "rod" if area < 600 else "disc" if area < 2600 else "lobed"
        return Prediction(name, Box(x, y, width, height), min(1.0, area / (width * height)))


@dataclass(frozen=True, slots=True)
class BlobFamily:
    """``blobs:cells``; with ``?delay=0.5`` it takes half a second an image, with ``?needs=FILE`` it needs a file."""

    name: str = "blobs"
    option_names: tuple[str, ...] = ("delay", "needs")
    setting_names: tuple[str, ...] = ()

    def load(self, reference: Reference, *, device: str | None) -> BlobModel:
        needed = reference.options.get("needs")
        if needed and not Path(needed).is_file():
            raise ModelError(f"The weights {needed} are not there", remedy="Put them back.")
        return BlobModel(float(reference.options.get("delay", "0")))

    def card(self, reference: Reference) -> ModelCard:
        return BlobModel().card

    def names(self) -> Sequence[str]:
        return ("cells",)
