"""Models that need no training: they find what is darker and redder than its surroundings, in milliseconds.

``blobs:cells`` detects three classes. In the catalogue stand ``blob-words``, which gives what it finds the classes of
its prompts in turn, ``blob-cut``, which cuts the dark out of a box, and ``blob-guarded``, whose licence restricts.
"""

from __future__ import annotations

import dataclasses
import os
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
from countersign.domain.model import ModelCard, Task, WeightFile
from countersign.models.contract import Clicks, PredictOptions, Segment
from countersign.models.folder import weights
from countersign.models.parts.prompts import texts_of
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


AT = os.environ.get("BLOBS_AT", "http://127.0.0.1:9/blobs")
"""Where the files of the catalogue's models are; at first a port where nobody listens: the network is away."""
SIZE = int(os.environ.get("BLOBS_SIZE", "5"))


def _listed(name: str, task: Task, **more: object) -> ModelCard:
    files = (WeightFile("weights.bin", url=f"{AT}/{name}/weights.bin", size=SIZE),)
    card = ModelCard(
        name, "blobparts", (task,), (), files=files, licence="MIT", code_licence="MIT", download_bytes=SIZE,
        description="Made for tests.", published={"parameters": 1.0}, published_source="https://example.org/blobs",
    )  # fmt: skip
    return dataclasses.replace(card, **more)  # type: ignore[arg-type]


WORDS = _listed("blob-words", Task.DETECTION, zero_shot=True, min_confidence=0.2)
CUT = _listed("blob-cut", Task.PROMPTED_SEGMENTATION)
GUARDED = _listed("blob-guarded", Task.DETECTION, classes=CLASSES, licence="AGPL-3.0")


@dataclass(frozen=True, slots=True)
class WordModel:
    """What blobs finds, under the classes of the prompts in turn; what a negative one gets is left out."""

    card: ModelCard = WORDS

    def predict(self, images: Sequence[NDArray[np.uint8]], options: PredictOptions) -> list[list[Prediction]]:
        names = texts_of(options).names
        found = BlobModel().predict(images, PredictOptions(min_confidence=options.min_confidence))
        named = [[dataclasses.replace(each, class_name=names[i % len(names)]) for i, each in enumerate(items)]
                 for items in found]  # fmt: skip
        return [[each for each in items if each.class_name] for items in named]


@dataclass(frozen=True, slots=True)
class CutModel:
    """The dark half of what is in a box."""

    card: ModelCard = CUT

    def encode(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return image[..., 1]

    def segment(self, encoded: NDArray[np.uint8], prompts: Sequence[Clicks]) -> list[Segment]:
        return [Segment(self._cut(encoded, prompt.box), 0.9) for prompt in prompts if prompt.box]

    @staticmethod
    def _cut(green: NDArray[np.uint8], box: Box) -> NDArray[np.bool_]:
        mask = np.zeros(green.shape, bool)
        place = np.s_[int(box.y) : int(box.y + box.height) + 1, int(box.x) : int(box.x + box.width) + 1]
        mask[place] = green[place] <= green[place].mean()
        return mask


@dataclass(frozen=True, slots=True)
class PartsFamily:
    """Models of the catalogue; their weights are any file of the right name."""

    name: str = "blobparts"
    option_names: tuple[str, ...] = ()
    setting_names: tuple[str, ...] = ()

    def cards(self) -> Sequence[ModelCard]:
        return (WORDS, CUT, GUARDED)

    def load(self, reference: Reference, *, device: str | None) -> WordModel | CutModel | BlobModel:
        card = self.card(reference)
        weights.locate(card)
        if card is CUT:
            return CutModel()
        return WordModel() if card is WORDS else BlobModel()

    def card(self, reference: Reference) -> ModelCard:
        return next(card for card in self.cards() if card.name == reference.name)

    def names(self) -> Sequence[str]:
        return [card.name for card in self.cards()]
