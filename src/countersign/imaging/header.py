"""What the beginning of an image file says: its kind by content, its size, how it lies, its bands."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """A kind of image file, told by its first bytes; never by its ending."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"
    AVIF = "AVIF"
    GIF = "GIF"
    BMP = "BMP"
    TIFF = "TIFF"
    JPEG2000 = "JPEG2000"
    PNM = "PPM"
    PSD = "PSD"
    ICO = "ICO"
    TGA = "TGA"


@dataclass(frozen=True, slots=True)
class Header:
    """``width`` and ``height`` are pixels as stored; ``orientation`` is EXIF's 1..8 that puts them upright.

    ``bands`` and ``dtype`` are as stored: a palette image has one band of indices. ``notes`` say in short phrases
    what a person should know about how the picture is shown.
    """

    kind: Kind
    width: int
    height: int
    orientation: int = 1
    bands: int = 3
    dtype: str = "uint8"
    notes: tuple[str, ...] = ()

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height of the upright image."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)

    def noted(self, *notes: str) -> Header:
        """Return the same with more notes."""
        return dataclasses.replace(self, notes=(*self.notes, *notes))


_STARTS: tuple[tuple[bytes, Kind], ...] = (
    (b"\xff\xd8\xff", Kind.JPEG),
    (b"\x89PNG\r\n\x1a\n", Kind.PNG),
    (b"GIF87a", Kind.GIF),
    (b"GIF89a", Kind.GIF),
    (b"II*\0", Kind.TIFF),
    (b"MM\0*", Kind.TIFF),
    (b"II+\0", Kind.TIFF),
    (b"MM\0+", Kind.TIFF),
    (b"\0\0\0\x0cjP  \r\n\x87\n", Kind.JPEG2000),
    (b"\xff\x4f\xff\x51", Kind.JPEG2000),
    (b"8BPS\0\x01", Kind.PSD),
    (b"\0\0\x01\0", Kind.ICO),
)
_AVIF_BRANDS = (b"avif", b"avis", b"mif1", b"msf1", b"miaf", b"MA1A", b"MA1B")
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis")
_DIB_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)


def sniff(head: bytes, ending: str = "") -> Kind | None:
    """Return the kind of the file that begins with these bytes (64 are enough), or None.

    Targa files have no signature: they are believed by their ending, as the only kind.
    """
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Kind.WEBP
    if head[4:8] == b"ftyp" and _is_avif(head):
        return Kind.AVIF
    if head[:2] == b"BM" and len(head) >= 18 and int.from_bytes(head[14:18], "little") in _DIB_HEADERS:
        return Kind.BMP
    if head[:1] == b"P" and head[1:2] in b"123456fy" and head[2:3] in (b" ", b"\t", b"\n", b"\r"):
        return Kind.PNM
    return Kind.TGA if ending.lower() == ".tga" and len(head) > 18 and head[1] < 2 and head[2] in _TGA_TYPES else None


_TGA_TYPES = (1, 2, 3, 9, 10, 11)


def _is_avif(head: bytes) -> bool:
    length = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, length - 3, 4))}
    return bool(brands & {b"avif", b"avis"}) or (head[8:12] in _AVIF_BRANDS and not brands & set(_HEIF_BRANDS))


def name_of_other(head: bytes) -> str:
    """Return what a file is that is no image we read, in words, or "" where it is not known."""
    if head[4:8] == b"ftyp":
        return "a HEIC photo, which is not read" if head[8:12] in (*_HEIF_BRANDS, b"mif1", b"msf1") else "a video"
    starts = {
        b"%PDF": "a PDF",
        b"PK\x03\x04": "a ZIP archive",
        b"\x1f\x8b": "a compressed archive",
        b"<svg": "an SVG drawing",
        b"<?xml": "an XML text",
        b"<!DO": "a web page",
        b"<htm": "a web page",
        b"{": "a JSON text",
        b"version https://git-lfs": "a Git LFS pointer without its file",
        b"\x89HDF": "an HDF5 file",
        b"\x93NUMPY": "a NumPy array",
        b"\x00\x00\x00\x0cJXL ": "a JPEG XL picture, which is not read",
        b"\xff\x0a": "a JPEG XL picture, which is not read",
    }
    low = head.lstrip()
    for start, name in starts.items():
        if head.startswith(start) or low.lower().startswith(start.lower()):
            return name
    return ""
