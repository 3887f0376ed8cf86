"""Levels: the same picture taken darker or flatter shall look the same to a network that has seen little.

Half of all fluorescence images use a tenth of the range of their files. A network of random weights that learns from
twenty images cannot learn to look through that; stretching the range before it looks does.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

TAIL = 0.002
"""Share of the values at either end that may be clipped."""
MOST_GAIN = 8.0
"""Contrast is raised by this at the most: an empty picture stays empty, not noise."""
SAMPLE = 65_536
"""Pixels that are looked at, on a regular grid."""

MIXED = 100.0
"""If the means of the images (0..255) differ by more than this, some are bright on dark and others dark on bright."""

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


def mixed(pictures: Sequence[NDArray[np.uint8]]) -> bool:
    """Say whether pictures differ so much in brightness that bright on dark and dark on bright should both be known."""
    means = [float(pixels[::8, ::8].mean()) for pixels in pictures]
    return len(means) > 1 and max(means) - min(means) > MIXED


def apply(pixels: NDArray[np.uint8], table: Table) -> NDArray[np.uint8]:
    """Look every value up in a table of 256, or of (1, 256, 3) for one each channel."""
    return np.asarray(cv2.LUT(pixels, table), np.uint8)


def varied(amount: float, middle: float, rng: np.random.Generator, *, negative: bool = False) -> Table | None:
    """Return a (1, 256, 3) table that changes contrast around ``middle``, brightness, colour and gamma a little.

    ``negative`` turns bright to dark besides.
    """
    if amount <= 0 and not negative:
        return None
    gain = rng.uniform(1 - amount, 1 + amount, 3) * rng.uniform(1 - 0.6 * amount, 1 + 0.6 * amount)
    curved = 255 * (np.arange(256) / 255) ** np.exp(rng.uniform(-amount, amount))
    values = (curved[:, None] - middle) * gain + middle + 80 * amount * rng.uniform(-1, 1)
    values = 255 - values if negative else values
    table: Table = np.clip(values, 0, 255).astype(np.uint8)[None]
    return table
