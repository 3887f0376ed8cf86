"""Pictures made on the spot: a scene whose four corners tell how it lies, saved in every kind and way."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

RED, GREEN, BLUE, WHITE = (250, 10, 10), (10, 250, 10), (10, 10, 250), (250, 250, 250)


def scene(width: int = 96, height: int = 64) -> NDArray[np.uint8]:
    """Return (height, width, 3): red top left, green top right, blue bottom left, white bottom right."""
    found = np.empty((height, width, 3), np.uint8)
    found[: height // 2, : width // 2] = RED
    found[: height // 2, width // 2 :] = GREEN
    found[height // 2 :, : width // 2] = BLUE
    found[height // 2 :, width // 2 :] = WHITE
    return found


def stored(upright: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return how an upright picture lies in a file of this EXIF orientation (the inverse of putting upright)."""
    undo = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }
    return np.ascontiguousarray(undo[orientation](upright))


def encoded(pixels: NDArray[Any], kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()


def close(one: NDArray[Any], other: NDArray[Any], tolerance: float) -> bool:
    """Return whether two pictures are alike but for what lossy compression does."""
    return one.shape == other.shape and float(np.abs(one.astype(int) - other.astype(int)).mean()) <= tolerance
