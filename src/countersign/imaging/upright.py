"""How a picture must be turned to stand upright: EXIF's orientation, read and applied."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

ORIENTATION_TAG = 274
_SIZES = {1: "B", 3: "H", 4: "I"}


def orientation_of(exif: bytes) -> int:
    """Return the orientation 1..8 that an EXIF block (with or without its ``Exif`` start) holds; 1 if none or odd."""
    block = exif[6:] if exif.startswith(b"Exif\0") else exif
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None or len(block) < 10:
        return 1
    start = struct.unpack_from(f"{order}I", block, 4)[0]
    if start + 2 > len(block):
        return 1
    count = struct.unpack_from(f"{order}H", block, start)[0]
    for at in range(start + 2, min(start + 2 + 12 * count, len(block) - 11), 12):
        tag, kind = struct.unpack_from(f"{order}HH", block, at)
        if tag == ORIENTATION_TAG and kind in _SIZES:
            return sane(struct.unpack_from(f"{order}{_SIZES[kind]}", block, at + 8)[0])
    return 1


def sane(orientation: object) -> int:
    """Return the orientation if it is one of EXIF's 1..8, else 1: as stored."""
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def turn(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return pixels (height, width, ...) put upright; contiguous in memory."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    # After the exchange of the axes (5..8): 5 nothing, 6 mirror, 7 both, 8 flip.
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
