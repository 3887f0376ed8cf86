"""TIFF files of every kind, the first page: tifffile and imagecodecs, with Pillow (libtiff) for a few old encodings.

Strips, tiles, planes, 1 to 64 bits, floats, BigTIFF, GeoTIFF of many bands. What the coordinates of a GeoTIFF
mean is not known here; its no-data value is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image
from tifffile import COMPRESSION, PHOTOMETRIC, TiffPage

from countersign.domain.errors import ImageError
from countersign.imaging import pillow
from countersign.imaging.display import to_byte, to_rgb
from countersign.imaging.files import Source
from countersign.imaging.header import Header, Kind
from countersign.imaging.quiet import quiet
from countersign.imaging.upright import sane

_NODATA_TAG = 42113
_ASSOCIATED, _UNASSOCIATED = 1, 2
_LAB = (PHOTOMETRIC.CIELAB, PHOTOMETRIC.ICCLAB)
_JPEGS = (COMPRESSION.JPEG, 34892, 33007)
_OLD = (COMPRESSION.OJPEG,)


@contextmanager
def _page(source: Source) -> Iterator[TiffPage]:
    """Open the first page; whatever tifffile raises on a damaged file becomes an ImageError."""
    try:
        with quiet(), source.stream() as stream, tifffile.TiffFile(stream) as file:
            page = file.pages[0]
            if not isinstance(page, TiffPage):
                raise source.bad("damaged: its first page cannot be read")
            yield page
    except ImageError:
        raise
    except MemoryError:
        raise source.bad("too large for the memory of this machine") from None
    except Exception as error:  # struct.error, IndexError, TiffFileError, codec errors ... all mean the same here
        text = str(error).splitlines()[0][:100] if str(error) else type(error).__name__
        raise source.bad(f"damaged: {text}") from None


def header(source: Source) -> Header:
    """Read the first page's header. Raises ImageError."""
    with _page(source) as page:
        if page.dtype is None or not page.imagewidth or not page.imagelength:
            raise source.bad("damaged, or a rare kind of TIFF: its pixels have no size or no type")
        notes = []
        if _more_pages(page):
            notes.append("holds more pages, the first is used")
        if page.dtype.itemsize > 1 or page.dtype.kind == "i":
            notes.append(f"{page.dtype.name} is shown with 8 bits")
        if page.samplesperpixel > 4 or (page.samplesperpixel > 1 and page.photometric in _GRAYS and not _alpha(page)):
            notes.append(f"{page.samplesperpixel} bands, of which the first are shown")
        tag = page.tags.get(274)
        return Header(
            Kind.TIFF,
            int(page.imagewidth),
            int(page.imagelength),
            sane(int(tag.value)) if tag is not None and isinstance(tag.value, int) else 1,
            int(page.samplesperpixel),
            str(page.dtype.name),
            tuple(notes),
        )


_GRAYS = (PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.MINISWHITE)


def _more_pages(page: TiffPage) -> bool:
    """Return whether another full picture follows: reduced copies (overviews) and masks are none."""
    pages = page.parent.pages
    try:
        # Not len(pages): that walks through the whole file, and a stack has thousands.
        return any(not pages[i].is_reduced and not pages[i].is_mask for i in range(1, 12))
    except Exception:  # there is no such page, or it is damaged, which is nothing to us
        return False


def check(source: Source, header: Header) -> bool:
    """Raise ImageError unless all strips or tiles of the first page lie within the file."""
    with _page(source) as page:
        if page.compression in _OLD:
            return False  # these had their own ideas of where the data is
        _check_table(source, page)
        counts, needed = page.databytecounts, math.prod(page.chunked)
        if page.compression == COMPRESSION.NONE and len(counts) == needed and page.samplesperpixel:
            expected = (header.width * header.height * page.samplesperpixel * page.bitspersample) // 8
            # Strips that GDAL left out have count 0 and are filled with no-data.
            if 0 not in counts and sum(counts) < expected and page.photometric != PHOTOMETRIC.YCBCR:
                raise source.bad("truncated: its strips hold less than the picture")
        return True


def _check_table(source: Source, page: TiffPage) -> None:
    if page.compression in _OLD:
        return
    offsets, counts, needed = page.dataoffsets, page.databytecounts, math.prod(page.chunked)
    if len(offsets) < needed or len(counts) < needed:
        raise source.bad("damaged: its table of strips or tiles is too short")
    if any(offset + count > source.size for offset, count in zip(offsets, counts, strict=False)):
        raise source.bad("truncated: the end of the picture is missing")


def verify(source: Source, header: Header) -> None:
    """Decode everything."""
    rgb(source, header, None)


def bands(source: Source, header: Header) -> NDArray[Any]:
    """Return (height, width, bands) as stored."""
    with _page(source) as page:
        return _pixels(source, page)


def rgb(source: Source, header: Header, size: tuple[int, int] | None) -> NDArray[np.uint8]:
    """Return the display rendition of the first page."""
    with _page(source) as page:
        if _for_pillow(page):
            _check_table(source, page)  # libtiff prints to stderr what it does not like
            return pillow.rgb(source, header, None)
        pixels = _pixels(source, page)
        photometric = page.photometric
        if photometric == PHOTOMETRIC.PALETTE:
            return _palette(source, page, pixels)
        if photometric == PHOTOMETRIC.SEPARATED and pixels.shape[2] >= 4:
            return _cmyk(page, pixels)
        if photometric in _LAB and pixels.shape[2] >= 3:
            return _lab(pixels, photometric == PHOTOMETRIC.CIELAB)
        return _plain(page, pixels)


def _for_pillow(page: TiffPage) -> bool:
    if page.compression in _OLD or page.photometric == PHOTOMETRIC.ITULAB:
        return True
    return page.photometric == PHOTOMETRIC.YCBCR and page.compression not in _JPEGS


def _pixels(source: Source, page: TiffPage) -> NDArray[Any]:
    """Return (height, width, bands), whatever the order in the file; of a volume the first plane."""
    if _for_pillow(page):
        _check_table(source, page)
        return pillow.bands(source, Header(Kind.TIFF, 0, 0))
    found: NDArray[Any] = page.asarray()
    axes = page.axes
    if "S" in axes:
        found = np.moveaxis(found, axes.index("S"), -1)
        axes = axes.replace("S", "")
    else:
        found = found[..., None]
    while found.ndim > 3:
        found = found[0]
    if found.ndim != 3 or 0 in found.shape:
        raise source.bad("damaged, or a rare kind of TIFF: its first page is no picture")
    return found


def _alpha(page: TiffPage) -> int:
    """Return 1 or 2 (multiplied in already, or not) where the last sample is alpha, else 0."""
    extra = [int(kind) for kind in page.extrasamples]
    return extra[-1] if extra and extra[-1] in (_ASSOCIATED, _UNASSOCIATED) else 0


def _valid(page: TiffPage, pixels: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Return where pixels hold data, by the no-data value of GDAL; None if everywhere."""
    if _NODATA_TAG not in page.tags:
        return None
    try:
        nodata = float(str(page.tags[_NODATA_TAG].value).strip("\0 "))
    except ValueError:
        return None
    if math.isnan(nodata):
        return None  # what is not finite never counts
    shown = pixels[:, :, :3] if pixels.shape[2] >= 3 else pixels[:, :, :1]
    if shown.dtype == np.float32:
        nodata = float(np.float32(nodata))
    valid: NDArray[np.bool_] = (shown != nodata).any(axis=2)
    return None if valid.all() else valid


def _plain(page: TiffPage, pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Gray, RGB, and bands that are no colours."""
    kind = _alpha(page)
    alpha = pixels[:, :, -1] if kind and pixels.shape[2] > 1 else None
    values = pixels[:, :, :-1] if alpha is not None else pixels
    bits = int(page.bitspersample)
    if bits < 8 and values.dtype == np.uint8:
        values = values * np.uint8(255 // (2**bits - 1))
    color = page.photometric in (PHOTOMETRIC.RGB, PHOTOMETRIC.YCBCR) and values.shape[2] >= 3
    shown = to_rgb(
        values,
        color=color,
        alpha=alpha if page.photometric != PHOTOMETRIC.MINISWHITE else None,
        premultiplied=kind == _ASSOCIATED,
        valid=_valid(page, values),
    )
    return np.subtract(255, shown, dtype=np.uint8) if page.photometric == PHOTOMETRIC.MINISWHITE else shown


def _palette(source: Source, page: TiffPage, pixels: NDArray[Any]) -> NDArray[np.uint8]:
    if page.colormap is None:
        raise source.bad("damaged: its palette is missing")
    table = np.moveaxis(np.asarray(page.colormap), 0, -1)
    # 16 bits by the standard; some writers left 8-bit values.
    eight = (table >> 8 if table.max() > 255 else table).astype(np.uint8)
    index = np.minimum(pixels[:, :, 0].astype(np.intp), len(eight) - 1)
    found: NDArray[np.uint8] = np.ascontiguousarray(eight[index])
    return found


def _cmyk(page: TiffPage, pixels: NDArray[Any]) -> NDArray[np.uint8]:
    inks = to_byte(pixels[:, :, :4])
    image = Image.fromarray(np.ascontiguousarray(inks), "CMYK")
    profile = page.tags.get(34675)
    if profile is not None and isinstance(profile.value, bytes):
        image.info["icc_profile"] = profile.value
    return np.asarray(pillow.cmyk_to_rgb(image))


def _lab(pixels: NDArray[Any], signed: bool) -> NDArray[np.uint8]:
    lab = pixels[:, :, :3]
    if lab.dtype.itemsize == 2:
        lab = (lab.view(np.uint16) >> 8).astype(np.uint8)
    if lab.dtype != np.uint8:
        return to_rgb(lab, color=True)
    image = Image.frombytes("LAB", (lab.shape[1], lab.shape[0]), _signed(lab, signed).tobytes())
    return np.asarray(pillow.lab_to_rgb(image))


def _signed(lab: NDArray[np.uint8], signed: bool) -> NDArray[np.uint8]:
    """Return a and b signed, as CIELAB stores them and Pillow takes them; ICCLAB stores them with 128 added."""
    found = np.array(lab, order="C")
    if not signed:
        found[:, :, 1:] ^= 0x80
    return found
