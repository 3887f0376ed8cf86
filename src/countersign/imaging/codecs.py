"""Which module decodes which kind of file. To add a kind: its first bytes in ``header.py``, and a line here."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from countersign.imaging.files import Source, ending_of
from countersign.imaging.header import Header, Kind, name_of_other, sniff
from countersign.imaging.limits import Limits

LARGEST = 2 << 30  # bytes; TIFF files may be larger, because they are read in pieces


class Codec(Protocol):
    """What a module offers to decode one kind. None of it turns the picture upright; all raise ImageError."""

    def header(self, source: Source) -> Header: ...

    def check(self, source: Source, header: Header) -> bool:
        """Raise if the file is cut off or damaged as far as its structure tells; return whether that is certain."""
        ...

    def verify(self, source: Source, header: Header) -> None:
        """Decode as much as is needed to find whatever is wrong with the picture."""
        ...

    def rgb(self, source: Source, header: Header, size: tuple[int, int] | None) -> NDArray[np.uint8]:
        """Return the display rendition (height, width, 3); it may be smaller, but not below ``size``."""
        ...

    def bands(self, source: Source, header: Header) -> NDArray[Any]: ...


# Imported when the first file of the kind comes: together these libraries take most of a second.
_MODULES: Mapping[Kind, str] = {Kind.JPEG: "jpeg", Kind.PNG: "png", Kind.TIFF: "tiff"}
_BOXES = (Kind.WEBP, Kind.AVIF, Kind.JPEG2000)


@cache
def codec(kind: Kind) -> Codec:
    """Return what decodes this kind."""
    return cast(Codec, importlib.import_module(f"countersign.imaging.{_MODULES.get(kind, 'pillow')}"))


def identify(source: Source) -> Kind:
    """Return the kind of a file by its content. Raises ImageError that says what it is instead, if that is known."""
    head = source.head
    kind = sniff(head, ending_of(source.path))
    if kind is not None:
        if source.size > LARGEST and kind is not Kind.TIFF:
            raise source.bad(f"larger than the {LARGEST >> 30} GB that are read", remedy="Cut it into tiles.")
        return kind
    other = name_of_other(head)
    if not other and not head.strip(b"\0"):
        other = "nothing but zeros"
    raise source.bad(f"not an image: it is {other}" if other else "not an image of a known kind")


def read_header(source: Source, limits: Limits) -> Header:
    """Return the header of a file that is not too large. Raises ImageError."""
    found = codec(identify(source)).header(source)
    limits.check(source, found)
    return found


def is_complete(source: Source, header: Header) -> bool:
    """Return whether the structure alone shows that the file is complete; raise ImageError if it shows it is not."""
    if header.kind in _BOXES:
        from countersign.imaging import boxes

        return boxes.check(source, header)
    return codec(header.kind).check(source, header) if header.kind in _MODULES else False
