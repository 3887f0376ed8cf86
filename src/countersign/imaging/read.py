"""Reading the pixels of an image file, upright."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.errors import SettingsError
from countersign.imaging.codecs import codec, read_header
from countersign.imaging.files import Source
from countersign.imaging.limits import Limits, default_limits
from countersign.imaging.upright import turn

THUMBNAIL_QUALITY = 82


def read_rgb(path: str | Path, *, max_size: int | None = None, limits: Limits | None = None) -> NDArray[np.uint8]:
    """Return the upright picture as (height, width, 3) RGB: the display rendition (see ``display``).

    With ``max_size`` the longer side has at most that many pixels and the proportions stay; a picture that is
    smaller is not enlarged. Raises ImageError, and SettingsError for a ``max_size`` below 1.
    """
    with Source(path) as source:
        header = read_header(source, limits or default_limits())
        size = fit(header.width, header.height, max_size)
        pixels = codec(header.kind).rgb(source, header, size)
    if size is not None and pixels.shape[1::-1] != size:
        pixels = shrink(pixels, size)
    return _own(turn(pixels, header.orientation))


def read_bands(path: str | Path, *, limits: Limits | None = None) -> NDArray[Any]:
    """Return the upright pixels as they are stored: (height, width, bands) of the file's own type.

    A palette image gives its indices, CMYK its inks, a GeoTIFF all of its bands. Raises ImageError.
    """
    with Source(path) as source:
        header = read_header(source, limits or default_limits())
        return _own(turn(codec(header.kind).bands(source, header), header.orientation))


def _own(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return an array that may be written to, as torch wants it; what Pillow lends may not."""
    return pixels if pixels.flags.writeable else pixels.copy()


def thumbnail(path: str | Path, size: int) -> bytes:
    """Return a JPEG of the upright picture whose longer side has at most ``size`` pixels. Raises ImageError."""
    from countersign.imaging.jpeg import encode

    return encode(read_rgb(path, max_size=size), THUMBNAIL_QUALITY)


def fit(width: int, height: int, max_size: int | None) -> tuple[int, int] | None:
    """Return width and height that fit into a square of ``max_size``, None if no change is needed."""
    if max_size is not None and max_size < 1:
        raise SettingsError("max_size", max_size, "1 pixel or more")
    longer = max(width, height)
    if max_size is None or longer <= max_size:
        return None
    scale = max_size / longer
    return max(1, round(width * scale)), max(1, round(height * scale))


def shrink(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the picture made smaller to (width, height): averaged, or interpolated where less than halved."""
    import cv2

    factor = max(pixels.shape[1] / size[0], pixels.shape[0] / size[1])
    # Below 2 interpolation looks at all pixels too, at a fifth of the time.
    how = cv2.INTER_LINEAR if factor <= 2 else cv2.INTER_AREA
    found: NDArray[np.uint8] = cv2.resize(pixels, size, interpolation=how)
    return found
