"""A million labels made by a seed: boxes on images, skewed classes, confidences. For the benchmarks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Labels:
    """Columns of labels, in the order of images. ``image`` counts from 0; boxes are x, y, width, height in pixels."""

    image: NDArray[np.int64]
    class_index: NDArray[np.int64]
    confidence: NDArray[np.float64]
    boxes: NDArray[np.float64]


def labels(count: int, images: int, classes: int = 80, seed: int = 0) -> Labels:
    """Make labels: the k-th class 1/k as often as the first, confidences as float32 and high ones twice as often."""
    chance = np.random.default_rng(seed)
    share = 1 / np.arange(1, classes + 1)
    image = np.sort(chance.integers(0, images, count))
    class_index = chance.choice(classes, count, p=share / share.sum())
    confidence = chance.beta(2.0, 1.5, count).astype(np.float32).astype(np.float64)
    low = chance.uniform(0, (540, 380), (count, 2))
    size = chance.uniform(5, 100, (count, 2))
    return Labels(image, class_index, confidence, np.column_stack([low, size]).round(2))
