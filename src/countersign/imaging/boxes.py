"""Whether a WebP, AVIF or JPEG 2000 file is all there, told from the lengths that it declares."""

from __future__ import annotations

from countersign.imaging.files import Source
from countersign.imaging.header import Header, Kind

_MISSING = "truncated: the end of the picture is missing"
_END = b"\xff\xd9"


def check(source: Source, header: Header) -> bool:
    """Return whether it is certain that the file is complete; raise ImageError when it is certain that it is not."""
    data = source.data
    if header.kind is Kind.WEBP:
        if int.from_bytes(data[4:8], "little") + 8 > len(data) + 1:  # some writers count a padding byte not there
            raise source.bad(_MISSING)
        return True
    if data.startswith(b"\xff\x4f"):
        return data.rstrip(b"\0").endswith(_END)
    return _boxes(source)


def _boxes(source: Source) -> bool:
    data, at, certain = source.data, 0, True
    while at + 8 <= len(data):
        length, name, start = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], at + 8
        if length == 1:
            length, start = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
        if length == 0:  # to the end of the file
            length = len(data) - at
        if length < start - at:
            return False
        if at + length > len(data):
            raise source.bad(_MISSING)
        if name == b"jp2c":
            certain = data[at + length - 2 : at + length] == _END
        at += length
    return certain
