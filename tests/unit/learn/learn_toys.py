"""Small generated pictures with exact truth, and settings under which a toy network learns them in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from countersign.domain import mask as masks
from countersign.domain.geometry import Box
from countersign.domain.label import Label
from countersign.learn.data import TrainingImage
from countersign.learn.settings import TrainingSettings

COLOURS = {"red": (220, 40, 40), "blue": (40, 40, 220)}


def settings(**changes: Any) -> TrainingSettings:
    return TrainingSettings(
        **{"backbone": "resnet10t", "image_size": 224, "batch_size": 4, "epochs": 10, "seed": 1, **changes}
    )


def training_image(
    pixels: NDArray[np.uint8], labels: Sequence[Label], name: str = "toy", **extra: Any
) -> TrainingImage:
    def load(*, max_size: int | None = None) -> NDArray[np.uint8]:
        return pixels

    return TrainingImage(name, f"hash of {name}", load, tuple(labels), **extra)


def discs(
    seed: int, *, side: int = 96, count: int = 2, radius: int = 12, colours: Sequence[str] = ("red", "blue")
) -> tuple[NDArray[np.uint8], list[Label], dict[str, NDArray[np.bool_]]]:
    """Discs on noisy grey, not overlapping: pixels, a box label each, and what each colour paints."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(90, 150, (side, side, 3)).astype(np.uint8)
    paint = {name: np.zeros((side, side), np.uint8) for name in colours}
    labels: list[Label] = []
    spots: list[NDArray[np.int64]] = []
    while len(spots) < count:
        spot = rng.integers(radius, side - radius, 2)
        if any(float(np.hypot(*(spot - other))) < 2.2 * radius for other in spots):
            continue
        name = colours[len(spots) % len(colours)]
        centre = (int(spot[0]), int(spot[1]))
        cv2.circle(pixels, centre, radius, COLOURS[name], -1)
        cv2.circle(paint[name], centre, radius, 1, -1)
        labels.append(Label(name, Box(centre[0] - radius, centre[1] - radius, 2 * radius + 1, 2 * radius + 1)))
        spots.append(spot)
    return pixels, labels, {name: found > 0 for name, found in paint.items()}


def detection_images(number: int, **how: Any) -> list[TrainingImage]:
    found = []
    for seed in range(number):
        pixels, labels, _ = discs(seed, **how)
        found.append(training_image(pixels, labels, f"discs {seed}"))
    return found


def painted_images(number: int, **how: Any) -> list[TrainingImage]:
    found = []
    for seed in range(number):
        pixels, _, paint = discs(seed, **how)
        labels = [Label(name, masks.encode(where)) for name, where in paint.items() if where.any()]
        found.append(training_image(pixels, labels, f"painted {seed}"))
    return found


def tagged_images(count: int, side: int = 64) -> list[TrainingImage]:
    """Warm and cold pictures: a class that a few steps can tell."""
    found = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        name = ("warm", "cold")[seed % 2]
        tint = np.array([60, 0, -60] if name == "warm" else [-60, 0, 60])
        pixels = np.clip(rng.integers(70, 180, (side, side, 3)) + tint, 0, 255).astype(np.uint8)
        found.append(training_image(pixels, [Label(name)], f"{name} {seed}"))
    return found
