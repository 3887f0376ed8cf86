"""What Pillow decodes: WebP, AVIF, GIF, BMP, JPEG 2000, PNM, PSD, ICO, TGA, and the odd kinds of JPEG and PNG.

Its plugins are called by kind instead of through ``Image.open``: that neither guesses nor warns of large pictures,
which have been weighed before.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from countersign.domain.errors import ImageError
from countersign.imaging.display import to_rgb
from countersign.imaging.files import Source, ending_of
from countersign.imaging.header import Header, Kind
from countersign.imaging.quiet import quiet
from countersign.imaging.upright import ORIENTATION_TAG, sane

_DTYPES = {"1": "bool", "I": "int32", "F": "float32", "I;16": "uint16", "I;16B": "uint16", "I;16L": "uint16"}
_TRANSPARENT = ("RGBA", "LA", "PA", "RGBa", "La")


@contextmanager
def _opened(source: Source) -> Iterator[Image.Image]:
    """Open with the plugin of the file's kind, silently; whatever the plugin raises becomes an ImageError."""
    from countersign.imaging.header import sniff  # the kind is not a parameter: expanded() has only the source

    Image.init()
    kind = sniff(source.head, ending_of(source.path))
    try:
        with quiet(), Image.OPEN[str(kind)][0](io.BytesIO(source.data), "") as image:
            if kind is Kind.TIFF and ORIENTATION_TAG in (exif := image.getexif()):
                del exif[ORIENTATION_TAG]  # Pillow would turn TIFF files, and only these, when it loads them
            yield image
    except ImageError:
        raise
    except MemoryError:
        raise source.bad("too large for the memory of this machine") from None
    except Exception as error:  # plugins raise anything on damaged files: SyntaxError, struct.error, IndexError ...
        raise source.bad(_reason(error)) from None


def _reason(error: Exception) -> str:
    text = str(error).splitlines()[0][:100] if str(error) else type(error).__name__
    if "not identified" in text:
        return "damaged: its header makes no sense"
    if isinstance(error, Image.DecompressionBombError):
        return "its frame is far larger than the picture: a decompression bomb or badly damaged"
    if "truncated" in text or "not enough" in text.lower() or isinstance(error, EOFError):
        return "truncated: the end of the picture is missing"
    return f"damaged: {text}"


def header(source: Source) -> Header:
    """Read the header, without decoding. Raises ImageError."""
    with _opened(source) as image:
        kind = Kind(image.format or "")
        notes = []
        if getattr(image, "n_frames", 1) > 1 and kind is not Kind.PSD:
            notes.append("animated, the first frame is used")
        if image.mode in _TRANSPARENT or "transparency" in image.info:
            notes.append("transparency is shown on white")
        return Header(
            kind,
            *image.size,
            _orientation(image),
            len(image.getbands()),
            "uint16" if kind is Kind.PNM and image.mode == "I" else _DTYPES.get(image.mode, "uint8"),
            tuple(notes),
        )


def _orientation(image: Image.Image) -> int:
    """Return EXIF's orientation (AVIF's own rotation is among it); broken EXIF data is no reason to refuse a file."""
    try:
        return sane(image.getexif().get(ORIENTATION_TAG))
    except Exception:
        return 1


def verify(source: Source, header: Header) -> None:
    """Decode everything."""
    with _opened(source) as image:
        image.load()


def bands(source: Source, header: Header) -> NDArray[Any]:
    """Return (height, width, bands) as stored, palette indices included."""
    with _opened(source) as image:
        image.load()
        found = _array(image)
        return found.astype(np.uint16) if header.dtype == "uint16" else found


def rgb(source: Source, header: Header, size: tuple[int, int] | None) -> NDArray[np.uint8]:
    """Return the display rendition; ``size`` (width, height) allows a smaller picture where the file can."""
    with _opened(source) as image:
        if size is not None:
            image.draft(None, size)
        image.load()
        return render(image)


def expanded(source: Source) -> NDArray[Any]:
    """Return (height, width, 1 to 4): gray or colour with the palette resolved, and alpha where there is any."""
    with _opened(source) as image:
        image.load()
        if image.mode in ("P", "PA") or "transparency" in image.info:
            image = image.convert("RGBA" if image.mode != "L" else "LA")
        elif image.mode == "1":
            image = image.convert("L")
        return _array(image)


def render(image: Image.Image) -> NDArray[np.uint8]:
    """Return the display rendition of a loaded picture."""
    if image.mode == "CMYK":
        return _array(cmyk_to_rgb(image))
    if image.mode == "LAB":
        return _array(lab_to_rgb(image))
    if image.mode in ("YCbCr", "HSV", "RGBX"):
        image = image.convert("RGB")
    elif image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    elif "transparency" in image.info and image.mode in ("RGB", "L"):
        image = image.convert("RGBA" if image.mode == "RGB" else "LA")
    elif image.mode == "PA":
        image = image.convert("RGBA")
    pixels = _array(image)
    if image.mode in _TRANSPARENT:
        premultiplied = image.mode.endswith("a")
        return to_rgb(
            pixels[:, :, :-1], alpha=pixels[:, :, -1], color=pixels.shape[2] == 4, premultiplied=premultiplied
        )
    return to_rgb(pixels, color=pixels.shape[2] == 3)


def _array(image: Image.Image) -> NDArray[Any]:
    found = np.asarray(image)
    return found if found.ndim == 3 else found[:, :, None]


def cmyk_to_rgb(image: Image.Image) -> Image.Image:
    """Return a CMYK picture in sRGB: by the colour profile that it carries, else by the plain formula."""
    profile = image.info.get("icc_profile")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            shown = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            shown = None  # a profile that does not fit; the formula is near enough
        if shown is not None:
            return shown
    return image.convert("RGB")


def lab_to_rgb(image: Image.Image) -> Image.Image:
    """Return a CIELAB picture (D50, as TIFF and ICC have it) in sRGB."""
    profiles = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    shown = ImageCms.profileToProfile(image, *profiles, outputMode="RGB")
    assert shown is not None  # only in-place conversion returns none
    return shown
