"""Decoding image files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from countersign.domain.errors import ImageError
from countersign.imaging.files import read_all


def _open(path: str | Path, data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data))
    except Exception as error:
        raise ImageError(path, f"not an image that can be read ({type(error).__name__})") from None


def describe(path: str | Path, data: bytes) -> tuple[int, int, str, int, str]:
    """Return width and height (upright), format, bands and dtype."""
    image = _open(path, data)
    width, height = image.size
    if image.getexif().get(274, 1) in (5, 6, 7, 8):
        width, height = height, width
    return width, height, image.format or "", len(image.getbands()), "uint8"


def read_rgb(path: str | Path, *, max_size: int | None = None) -> NDArray[np.uint8]:
    """Return the upright picture as (height, width, 3) RGB; the longer side at most ``max_size`` pixels."""
    data, _ = read_all(path)
    image = _open(path, data)
    try:
        if max_size is not None and max(image.size) > max_size:
            image.draft("RGB", (max_size, max_size))
            image.thumbnail((max_size, max_size))
        image = ImageOps.exif_transpose(image)
        return np.asarray(image.convert("RGB"))
    except Exception as error:
        raise ImageError(path, f"damaged ({error})") from None


def read_bands(path: str | Path) -> NDArray[Any]:
    """Return the upright pixels as stored, (height, width, bands)."""
    data, _ = read_all(path)
    found = np.asarray(ImageOps.exif_transpose(_open(path, data)))
    return found if found.ndim == 3 else found[:, :, None]


def thumbnail(path: str | Path, size: int) -> bytes:
    """Return a WebP of the upright picture, the longer side at most ``size`` pixels."""
    out = io.BytesIO()
    Image.fromarray(read_rgb(path, max_size=size)).save(out, "WEBP", quality=80, method=0)
    return out.getvalue()
