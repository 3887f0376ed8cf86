"""How long a click of the smart tool takes: ``python benchmarks/clicks.py``.

A network of SAM 2.1 tiny's size (1,024 px) with random weights, which cost as much time as trained ones, in the process
that predicts, as the server uses it. The first click on each of some JPEGs waits until the image is read and encoded;
the next ones cost the decoder alone. ``ratio`` is the median of the next clicks to that of the first ones. Masks of
random weights are noise, so that their outlines are not measured. ``busy`` is the share of all cores that this process'
worker and all other programs took meanwhile: without others it is what the worker uses itself.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from countersign.domain.image import Image
from countersign.server.worker import Predictor
from countersign.workbench.workspace import open_workspace
from engine import others_share

WIDTH, HEIGHT = 1600, 1200
CLICKS = 4  # after the first


def make_checkpoint(folder: Path) -> None:
    """Save the network as transformers makes it by default: that of SAM 2.1 tiny."""
    import torch
    import transformers

    torch.manual_seed(0)
    config = transformers.Sam2VideoConfig()
    assert list(config.vision_config.backbone_config.blocks_per_stage) == [1, 2, 7, 2]  # Hiera tiny
    transformers.Sam2VideoModel(config).save_pretrained(folder)
    transformers.Sam2ImageProcessor().save_pretrained(folder)


def make_pictures(folder: Path, count: int) -> None:
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(count):
        soft = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
        picture = cv2.resize(soft, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f"{index}.jpg"), picture)


class Clicker:
    """Clicks in images, and takes the time."""

    def __init__(self, predictor: Predictor, model: str) -> None:
        self._predictor, self._model = predictor, model
        self.first: list[float] = []
        self.next: list[float] = []

    def through(self, image: Image) -> None:
        """The clicks of one object: the first waits for the encoder."""
        points = [(float(300 + 200 * i), float(300 + 100 * i), i % 2 == 0) for i in range(CLICKS + 1)]
        for count in range(1, len(points) + 1):
            begun = time.perf_counter()
            found = self._predictor.segment(self._model, image, points[:count])
            took = time.perf_counter() - begun
            assert found["looked"] == (count == 1)
            (self.first if count == 1 else self.next).append(took)


def measure(folder: Path, count: int) -> dict[str, Any]:
    make_checkpoint(folder / "sam")
    make_pictures(folder / "pictures", count + 1)
    with open_workspace(folder / "workspace") as workspace:
        project = workspace.create_project("clicks")
        project.import_images(folder / "pictures")
        images = project.images()
        predictor = Predictor(workspace.store, lambda state, message: None)
        try:
            warm, clicker = Clicker(predictor, str(folder / "sam")), Clicker(predictor, str(folder / "sam"))
            warm.through(images[0])  # loads the model

            def click() -> None:
                for image in images[1:]:
                    clicker.through(image)

            busy = others_share(0, click)
        finally:
            predictor.close()
    first, following = statistics.median(clicker.first), statistics.median(clicker.next)
    return {
        "first_click_s": round(first, 3),
        "next_click_s": round(following, 3),
        "ratio": round(following / first, 3),
        "next_slowest_s": round(max(clicker.next), 3),
        "load_and_first_click_s": round(warm.first[0], 2),
        "images": count,
        "busy": round(busy, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(Path(folder), arguments.images), indent=2))


if __name__ == "__main__":
    main()
