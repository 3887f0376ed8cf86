"""JPEG files: the header by hand, the pixels by libjpeg-turbo (simplejpeg).

Four-colour (CMYK, YCCK) files are Pillow's, 12-bit and lossless ones imagecodecs'. How the picture must be turned
is read here, but it is not turned.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import simplejpeg  # type: ignore[import-untyped]
from numpy.typing import NDArray

from countersign.imaging import pillow
from countersign.imaging.display import to_rgb
from countersign.imaging.files import Source
from countersign.imaging.header import Header, Kind
from countersign.imaging.upright import orientation_of

_STANDALONE = frozenset((0x01, *range(0xD0, 0xD8)))  # markers without a length
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SOI_EOI, _SOS, _APP1, _APP2 = (0xD8, 0xD9), 0xDA, 0xE1, 0xE2
_END = b"\xff\xd9"


@dataclass(slots=True)
class _Markers:
    """What the markers before the first scan say. ``scan`` is where it begins."""

    width: int = 0
    height: int = 0
    bits: int = 8
    bands: int = 0
    lossless: bool = False
    orientation: int = 1
    more: bool = False
    scan: int = 0


def _markers(source: Source) -> _Markers:
    if source.parsed is None:
        source.parsed = _parse(source)
    found: _Markers = source.parsed
    return found


def _parse(source: Source) -> _Markers:
    data, found, at = source.data, _Markers(), 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            at += 1  # some cameras leave bytes between segments; every decoder skips them
            continue
        marker = data[at + 1]
        if marker in (0xFF, 0x00) or marker in _STANDALONE or marker in _SOI_EOI:
            at += 1 if marker == 0xFF else 2
            continue
        if marker == _SOS:
            found.scan = at
            return found
        length = data[at + 2] << 8 | data[at + 3]
        _segment(found, marker, data, at + 4, at + 2 + length)
        at += 2 + max(length, 2)
    return found


def _segment(found: _Markers, marker: int, data: bytes, start: int, end: int) -> None:
    if marker in _FRAMES and start + 6 <= len(data):
        found.bits, found.height, found.width, found.bands = struct.unpack_from(">BHHB", data, start)
        found.lossless = marker in (0xC3, 0xC7, 0xCB, 0xCF)
    elif marker == _APP1 and found.orientation == 1 and data.startswith(b"Exif\0", start):
        found.orientation = orientation_of(data[start:end])
    elif marker == _APP2 and data.startswith(b"MPF\0", start):
        found.more = True


def header(source: Source) -> Header:
    """Read the header; raises ImageError when it ends before the picture begins."""
    found = _markers(source)
    if not found.bands:
        raise source.bad(
            "truncated: it ends before the picture begins" if not found.scan else "damaged: no frame header"
        )
    notes = ("holds more pictures, the first is used",) if found.more else ()
    dtype = "uint8" if found.bits <= 8 else "uint16"
    return Header(Kind.JPEG, found.width, found.height, found.orientation, found.bands, dtype, notes)


def check(source: Source, header: Header) -> bool:
    """Raise ImageError unless the picture's end is there.

    Within the compressed picture the byte FF is always followed by 00 or a restart marker, so FF D9 is its end and
    nothing else. What follows it (a second picture, padding) does not matter.
    """
    data, scan = source.data, _markers(source).scan
    if not scan or not (data.endswith(_END) or data.find(_END, scan) >= 0):
        raise source.bad("truncated: the end of the picture is missing")
    return True


def verify(source: Source, header: Header) -> None:
    """Decode all coefficients (at an eighth of the size, which leaves out nothing that can be wrong)."""
    if _plain(source, header):
        try:
            simplejpeg.decode_jpeg(source.data, "RGB", min_height=1, min_width=1)
        except ValueError as error:
            if not _harmless(str(error)):
                raise source.bad(_reason(str(error))) from None
    else:
        rgb(source, header, None)


def rgb(source: Source, header: Header, size: tuple[int, int] | None) -> NDArray[np.uint8]:
    """Decode to RGB; ``size`` (width, height) allows a picture that is smaller, but not below that."""
    if not _plain(source, header):
        if header.dtype == "uint8" and not _markers(source).lossless:
            return pillow.rgb(source, header, size)
        return to_rgb(bands(source, header), color=header.bands == 3)
    height, width = _scaled(header, size)
    try:
        found = simplejpeg.decode_jpeg(source.data, "RGB", min_height=height, min_width=width)
    except ValueError as error:
        found = _anyway(source, str(error), "RGB", height, width)
    return found if found.shape[2] == 3 else np.repeat(found, 3, axis=2)


def bands(source: Source, header: Header) -> NDArray[Any]:
    """Decode to (height, width, bands) as stored: 1 gray, 3 RGB, 4 CMYK."""
    if not _plain(source, header):
        if header.dtype == "uint8" and not _markers(source).lossless:
            return pillow.bands(source, header)
        return _with_imagecodecs(source)
    space = "GRAY" if header.bands == 1 else "RGB"
    try:
        found: NDArray[Any] = simplejpeg.decode_jpeg(source.data, space)
    except ValueError as error:
        found = _anyway(source, str(error), space, 0, 0)
    return found


def encode(pixels: NDArray[np.uint8], quality: int) -> bytes:
    """Return (height, width, 3) RGB as a JPEG of this quality (1..100), colours at half resolution."""
    found: bytes = simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality, "RGB", "420")
    return found


def _plain(source: Source, header: Header) -> bool:
    return header.bands in (1, 3) and header.dtype == "uint8"


def _scaled(header: Header, size: tuple[int, int] | None) -> tuple[int, int]:
    """Return the least height and width to decode to: full, or by 2, 4, 8, which alone are quick (SIMD)."""
    if size is None:
        return 0, 0
    for factor in (8, 4, 2):
        width, height = -(-header.width // factor), -(-header.height // factor)
        if width >= size[0] and height >= size[1]:
            return height, width
    return 0, 0


def _harmless(message: str) -> bool:
    return "extraneous bytes" in message or "Unknown Adobe color" in message or "Invalid SOS parameters" in message


def _reason(message: str) -> str:
    if "Premature end of JPEG" in message:
        return "truncated: the end of the picture is missing"
    return f"damaged: {message.removeprefix('Corrupt JPEG data: ')}"


def _anyway(source: Source, message: str, space: str, height: int, width: int) -> NDArray[np.uint8]:
    """Decode what other programs show too in spite of a flaw in the data; a cut-off picture is refused."""
    if "Premature end of JPEG" in message:
        raise source.bad(_reason(message))
    try:
        found: NDArray[np.uint8] = simplejpeg.decode_jpeg(
            source.data, space, min_height=height, min_width=width, strict=False
        )
    except ValueError as error:
        raise source.bad(_reason(str(error))) from None
    return found


def _with_imagecodecs(source: Source) -> NDArray[Any]:
    import imagecodecs

    try:
        found: NDArray[Any] = imagecodecs.jpeg_decode(source.data)
    except Exception as error:
        raise source.bad(f"damaged, or a rare kind of JPEG ({type(error).__name__})") from None
    return found if found.ndim == 3 else found[:, :, None]
