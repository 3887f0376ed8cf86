"""Small pictures of squares with exact truth, and a model that finds them: for tests that drive the whole program."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from countersign.domain.geometry import Box
from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard, Task
from countersign.models import registry
from countersign.models.contract import Clicks, PredictOptions, Segment
from countersign.models.registry import Reference

WIDTH, HEIGHT = 64, 48
CLASSES = ("square", "bar")


def box_of(index: int) -> Box:
    """Where the shape of a picture is: even ones show a square, odd ones a bar."""
    return Box(4 + 3 * (index % 8), 5 + 2 * (index % 5), 16, 16 if index % 2 == 0 else 8)


def class_of(index: int) -> str:
    """What the picture of this index shows."""
    return CLASSES[index % 2]


def pixels(index: int) -> NDArray[np.uint8]:
    """The picture: grey noise with a white shape."""
    picture = np.random.default_rng(index).integers(60, 100, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    x0, y0, x1, y1 = (int(value) for value in box_of(index).corners)
    picture[y0:y1, x0:x1] = 255
    return picture


def draw(folder: Path, count: int, *, ending: str = "png", first: int = 0) -> list[Path]:
    """Write pictures 0.png, 1.png ... into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{index}.{ending}" for index in range(first, first + count)]
    for index, path in enumerate(paths, first):
        Image.fromarray(pixels(index)).save(path)
    return paths


def write_yolo(folder: Path, count: int, *, labelled: int | None = None) -> Path:
    """Write a YOLO folder: images/, labels/ for the first ``labelled`` of them, data.yaml."""
    draw(folder / "images" / "train", count)
    labels = folder / "labels" / "train"
    labels.mkdir(parents=True)
    for index in range(count if labelled is None else labelled):
        box = box_of(index)
        values = (
            (box.x + box.width / 2) / WIDTH, (box.y + box.height / 2) / HEIGHT, box.width / WIDTH, box.height / HEIGHT
        )  # fmt: skip
        line = " ".join(f"{value:.8f}" for value in values)
        (labels / f"{index}.txt").write_text(f"{index % 2} {line}\n")
    (folder / "data.yaml").write_text("path: .\ntrain: images/train\nval: images/train\nnames: [square, bar]\n")
    return folder


def coco_of(indices: Sequence[int]) -> dict[str, object]:
    """The truth of some pictures as COCO's JSON values."""
    return {
        "images": [{"id": i + 1, "file_name": f"{i}.png", "width": WIDTH, "height": HEIGHT} for i in indices],
        "categories": [{"id": 1, "name": "square"}, {"id": 2, "name": "bar"}],
        "annotations": [
            {
                "id": i + 1, "image_id": i + 1, "category_id": i % 2 + 1, "bbox": list(box_of(i).bounds),
                "area": box_of(i).area, "iscrowd": 0,
            }
            for i in indices
        ],
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class BrightModel:
    """Finds the bounds of what is brighter than 200; the confidence grows with the shape's height."""

    @property
    def card(self) -> ModelCard:
        return ModelCard("bright:shapes", "bright", (Task.DETECTION,), CLASSES)

    def predict(self, images: Sequence[NDArray[np.uint8]], options: PredictOptions) -> list[list[Prediction]]:
        return [self._one(image) for image in images]

    def ask(
        self, images: Sequence[NDArray[np.uint8]], question: str, *, settings: Mapping[str, Any] | None = None
    ) -> list[str]:
        """How bright the brightest row is; it fails for a picture of which the question says the width."""
        if any(f"width {image.shape[1]}" in question for image in images):
            raise ValueError("this picture is not for me")
        return [str(round(float(image.mean(axis=(1, 2)).max()))) for image in images]

    def encode(self, image: NDArray[np.uint8]) -> NDArray[np.bool_]:
        return image[..., 0] > 200

    def segment(self, encoded: NDArray[np.bool_], prompts: Sequence[Clicks]) -> list[Segment]:
        """What is bright, within the box; nothing where a point is dark; without the rows from a point of no on."""
        return [self._cut(encoded.copy(), prompt) for prompt in prompts]

    def _cut(self, bright: NDArray[np.bool_], prompt: Clicks) -> Segment:
        if prompt.box is not None:
            x0, y0, x1, y1 = (round(value) for value in prompt.box.corners)
            outside = np.ones_like(bright)
            outside[y0:y1, x0:x1] = False
            bright[outside] = False
        for (x, y), belongs in zip(prompt.points, prompt.positive, strict=True):
            if belongs and not bright[int(y), int(x)]:
                bright[:] = False
            elif not belongs:
                bright[int(y) :] = False
        return Segment(bright, 0.9)

    def _one(self, image: NDArray[np.uint8]) -> list[Prediction]:
        rows, columns = np.nonzero(image[..., 0] > 200)
        if not len(rows):
            return []
        x, y = float(columns.min()), float(rows.min())
        box = Box(x, y, float(columns.max()) + 1 - x, float(rows.max()) + 1 - y)
        name = "square" if box.height > 12 else "bar"
        return [Prediction(name, box, 0.9 if name == "square" else 0.6)]


@dataclass(frozen=True, slots=True)
class BrightFamily:
    """``bright:shapes``."""

    name: str = "bright"
    option_names: tuple[str, ...] = ()
    setting_names: tuple[str, ...] = ()

    def load(self, reference: Reference, *, device: str | None) -> BrightModel:
        return BrightModel()

    def card(self, reference: Reference) -> ModelCard:
        return BrightModel().card

    def names(self) -> Sequence[str]:
        return ("shapes",)


def register() -> str:
    """Put the model into the registry (of this process) and return the reference to it."""
    registry.register("bright", BrightFamily)
    return "bright:shapes"


@dataclass(frozen=True)
class Done:
    """How a call of the program ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What it printed as JSON."""
        return json.loads(self.out)


Call = Callable[..., Done]
