"""Levels: the same picture taken darker or flatter shall look the same to a network that has seen little.

Half of all fluorescence images use a tenth of the range of their files. A network of random weights that learns from
twenty images cannot learn to look through that; stretching the range before it looks does.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

TAIL = 0.002
"""Share of the values at either end that may be clipped."""
MOST_GAIN = 8.0
"""Contrast is raised by this at the most: an empty picture stays empty, not noise."""
SAMPLE = 65_536
"""Pixels that are looked at, on a regular grid."""

Table = NDArray[np.uint8]


def levels(pixels: NDArray[np.uint8]) -> Table:
    """Return a table of 256 values that stretches (height, width, 3) pixels to the full range.

    One table for all channels: colours keep their balance.
    """
    step = max(1, int((pixels.shape[0] * pixels.shape[1] / SAMPLE) ** 0.5))
    counts = np.bincount(pixels[::step, ::step].ravel(), minlength=256).cumsum()
    low = int(np.searchsorted(counts, TAIL * counts[-1], side="right"))
    high = int(np.searchsorted(counts, (1 - TAIL) * counts[-1]))
    gain = min(MOST_GAIN, 255 / max(1, high - low))
    table: Table = np.clip((np.arange(256) - low) * gain, 0, 255).astype(np.uint8)
    return table


def apply(pixels: NDArray[np.uint8], table: Table) -> NDArray[np.uint8]:
    """Look every value up in a table of 256, or of (1, 256, 3) for one each channel."""
    return np.asarray(cv2.LUT(pixels, table), np.uint8)


def varied(amount: float, middle: float, rng: np.random.Generator) -> Table | None:
    """Return a (1, 256, 3) table that changes contrast around ``middle``, brightness, colour and gamma a little."""
    if amount <= 0:
        return None
    gain = rng.uniform(1 - amount, 1 + amount, 3) * rng.uniform(1 - 0.6 * amount, 1 + 0.6 * amount)
    curved = 255 * (np.arange(256) / 255) ** np.exp(rng.uniform(-amount, amount))
    values = (curved[:, None] - middle) * gain + middle + 80 * amount * rng.uniform(-1, 1)
    table: Table = np.clip(values, 0, 255).astype(np.uint8)[None]
    return table
