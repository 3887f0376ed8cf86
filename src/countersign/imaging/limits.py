"""How large a picture may be before it is refused: decompression bombs, and pictures that need tiles.

A bomb is a few kilobytes that declare gigabytes of pixels. A whole slide is large too, but its file is as well: so
two limits. Above the *ceiling* nothing is decoded (500 megapixels are 1.5 GB of RGB). Between *free* (100
megapixels, 300 MB of RGB) and the ceiling a file must have at least a byte for every 200 pixels: photographs and
micrographs have 10 to 1,000 times as many, blank deflated pictures have one for every 340 (RGB) to 8,000 (1 bit).
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from countersign.domain.errors import SettingsError
from countersign.imaging.files import Source
from countersign.imaging.header import Header

VARIABLE = "COUNTERSIGN_MAX_MEGAPIXELS"


@dataclass(frozen=True, slots=True)
class Limits:
    """``max_pixels`` is the ceiling, ``free_pixels`` are never doubted, ``pixels_per_byte`` is for those between.

    ``max_samples`` limits pixels times bands, for files of many bands.
    """

    max_pixels: int = 500_000_000
    free_pixels: int = 100_000_000
    pixels_per_byte: int = 200
    max_samples: int = 2_000_000_000

    def check(self, source: Source, header: Header) -> None:
        """Raise ImageError when the file is too large, or has no size at all."""
        width, height = header.upright
        if width < 1 or height < 1:
            raise source.bad("it has no pixels: its width or height is 0")
        pixels = width * height
        size = f"{width:,} x {height:,} pixels"
        if pixels > self.free_pixels and pixels > source.size * self.pixels_per_byte:
            raise source.bad(f"it declares {size} in {source.size:,} bytes: a decompression bomb or badly damaged")
        if pixels > self.max_pixels or pixels * header.bands > self.max_samples:
            bands = f" of {header.bands} bands" if header.bands > 4 else ""
            raise source.bad(
                f"it has {size}{bands}, more than the {self.max_pixels // 1_000_000} megapixels that are read",
                remedy=f"Cut it into tiles, or set {VARIABLE} higher.",
            )


def default_limits() -> Limits:
    """Return the limits, with the ceiling that the environment sets. Raises SettingsError."""
    text = os.environ.get(VARIABLE)
    if not text:
        return _DEFAULT
    try:
        megapixels = float(text)
    except ValueError:
        megapixels = 0.0
    if not 0 < megapixels <= 1_000_000:
        raise SettingsError(VARIABLE, text, "megapixels, a number above 0")
    pixels = int(megapixels * 1_000_000)
    return Limits(max_pixels=pixels, max_samples=4 * pixels)


_DEFAULT = Limits()
