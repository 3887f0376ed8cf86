"""PNG files: the chunks by hand; 8-bit pixels by libspng and 16-bit ones by libpng (imagecodecs), others by Pillow."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.imaging import pillow
from countersign.imaging.display import to_rgb
from countersign.imaging.files import Source
from countersign.imaging.header import Header, Kind
from countersign.imaging.upright import orientation_of

_BANDS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_GRAY, _PALETTE, _GRAY_ALPHA = 0, 3, 4
_CHECKED = (b"IHDR", b"PLTE", b"tRNS", b"IDAT")
# Compressed text that grows more than this often, to more than this, is there to fill memory: real text does 20.
_TEXT_RATIO, _TEXT_BYTES = 200, 1 << 20


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each chunk, and where its content begins and ends."""
    at = 8
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        yield name, at + 8, at + 8 + length
        at += 12 + length
        if name == b"IEND":
            return


def _layout(source: Source) -> tuple[int, int, int, int, int]:
    """Return width, height, bits, colour type and interlace."""
    data = source.data
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise source.bad("truncated: its header is missing" if len(data) < 33 else "damaged: its header is missing")
    width, height, bits, color, _, _, interlace = struct.unpack_from(">IIBBBBB", data, 16)
    if color not in _BANDS or bits not in (1, 2, 4, 8, 16):
        raise source.bad("damaged: its header makes no sense")
    return width, height, bits, color, interlace


def header(source: Source) -> Header:
    """Read the header and the orientation; raises ImageError when it makes no sense."""
    width, height, bits, color, _ = _layout(source)
    orientation, notes = 1, []
    for name, start, end in _chunks(source.data):
        if name == b"eXIf":
            orientation = orientation_of(source.data[start:end])
        elif name == b"acTL":
            notes.append("animated, the first frame is used")
        elif name == b"tRNS" or (name == b"IHDR" and color >= 4):
            notes.append("transparency is shown on white")
    if bits == 16:
        notes.append("uint16 is shown with 8 bits")
    dtype = "uint16" if bits == 16 else "bool" if bits == 1 and color == _GRAY else "uint8"
    return Header(Kind.PNG, width, height, orientation, _BANDS[color], dtype, tuple(notes))


def check(source: Source, header: Header) -> bool:
    """Raise ImageError unless all chunks of the picture are there with right checksums, and the end."""
    data, seen = source.data, set()
    for name, start, end in _chunks(data):
        if not name.isalpha():
            raise source.bad("damaged: its data stream makes no sense")
        if end + 4 > len(data) and name != b"IEND":
            raise source.bad("truncated: the end of the picture is missing")
        if name in _CHECKED and zlib.crc32(memoryview(data)[start - 4 : end]) != int.from_bytes(data[end : end + 4]):
            raise source.bad("damaged: a checksum is wrong")
        if name in (b"zTXt", b"iTXt", b"iCCP"):
            _check_text(source, data[start:end])
        seen.add(name)
    if b"IEND" not in seen:
        raise source.bad("truncated: the end of the picture is missing")
    if b"IDAT" not in seen:
        raise source.bad("damaged: it holds no picture")
    return True


def _check_text(source: Source, chunk: bytes) -> None:
    at = chunk.find(b"\x78", chunk.find(b"\0"))  # where a deflated stream begins
    if at < 0:
        return
    limit = max(_TEXT_BYTES, len(chunk) * _TEXT_RATIO)
    try:
        grown = zlib.decompressobj().decompress(chunk[at:], limit)
    except zlib.error:
        return
    if len(grown) >= limit:
        raise source.bad("its text grows without end when unpacked: a decompression bomb")


def verify(source: Source, header: Header) -> None:
    """Decode everything."""
    _decode(source)


def rgb(source: Source, header: Header, size: tuple[int, int] | None) -> NDArray[np.uint8]:
    """Decode to RGB; 16 bits and transparency as the display rules say."""
    pixels = _decode(source)
    count = pixels.shape[2]
    return to_rgb(pixels[:, :, : count - 1 + count % 2], alpha=None if count % 2 else pixels[:, :, -1], color=count > 2)


def bands(source: Source, header: Header) -> NDArray[Any]:
    """Decode to (height, width, bands) as stored; a palette image gives its indices."""
    _, _, bits, color, _ = _layout(source)
    if color == _PALETTE or bits < 8:
        return pillow.bands(source, header)
    return _decode(source)[:, :, : header.bands]


def _decode(source: Source) -> NDArray[Any]:
    """Return (height, width, 1 to 4): gray or colour, and alpha where there is any."""
    import imagecodecs

    _, _, bits, color, _ = _layout(source)
    if bits < 8 or (bits == 8 and (color == _GRAY_ALPHA or _has_transparent_color(source))):
        return pillow.expanded(source)
    # libspng is the quicker one, and never prints to stderr; of 16 bits it would return 8.
    decode = imagecodecs.png_decode if bits == 16 else imagecodecs.spng_decode
    try:
        found: NDArray[Any] = decode(source.data)
    except Exception as error:
        raise source.bad(f"damaged: its picture cannot be decoded ({_short(error)})") from None
    return found if found.ndim == 3 else found[:, :, None]


def _has_transparent_color(source: Source) -> bool:
    return any(name == b"tRNS" for name, _, _ in _chunks(source.data))


def _short(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:80]
