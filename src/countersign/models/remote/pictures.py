"""Images on their way to a server: as PNG, JPEG or TIFF, with the declared steps, and back again from bytes."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.errors import ModelError
from countersign.models.contract import Pixels
from countersign.models.remote.spec import RemoteSpec
from countersign.models.remote.steps import before

_MEDIA = {"png": "image/png", "jpeg": "image/jpeg", "tiff": "image/tiff"}
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# Tags that say where on Earth the pixels lie, and which of them are none: GeoTIFF 1.1 (OGC 19-008), GDAL's TIFF driver.
_MOST_VALUES = 1 << 28  # numbers of one picture that a server sent
_GEO_TAGS = (33550, 33922, 34264, 34735, 34736, 34737, 42112, 42113)


@dataclass(frozen=True, slots=True)
class Picture:
    """An upright image with the file that it came from: all that is needed to send it with all of its bands."""

    pixels: Pixels
    path: Path

    @property
    def shape(self) -> tuple[int, ...]:
        return self.pixels.shape

    @property
    def nbytes(self) -> int:
        return int(self.pixels.nbytes)


@dataclass(frozen=True, slots=True)
class Sent:
    """An image as it is sent: ``size`` (height, width) of the image itself, ``sent`` that of what the server sees."""

    data: bytes
    media: str
    size: tuple[int, int]
    sent: tuple[int, int]

    @property
    def base64(self) -> str:
        return base64.b64encode(self.data).decode("ascii")

    @property
    def as_file(self) -> tuple[str, bytes, str]:
        """Name, content and media type: a file of a multipart form."""
        return f"image.{self.media.rpartition('/')[2]}", self.data, self.media

    @property
    def data_url(self) -> str:
        return f"data:{self.media};base64,{self.base64}"

    @property
    def scale(self) -> tuple[float, float]:
        """Factors for x and y from what the server sees to the image."""
        return self.size[1] / self.sent[1], self.size[0] / self.sent[0]


def pack(image: Pixels | Picture, spec: RemoteSpec) -> Sent:
    """Put an image through the declared steps and encode it. Raises ModelError, ImageError."""
    size = (int(image.shape[0]), int(image.shape[1]))
    media = _MEDIA[spec.encoding]
    tags: list[Any] = []
    if spec.encoding == "tiff" and isinstance(image, Picture):
        from countersign.imaging import read_bands

        data = image.path.read_bytes() if not spec.pre else b""
        if data[:4] in _TIFF:
            return Sent(data, media, size, size)
        values: NDArray[Any] = read_bands(image.path)
        tags = _geo_tags(image.path)
    else:
        values = image.pixels if isinstance(image, Picture) else image
    if values.ndim == 2:
        values = values[..., None]
    values = before(values, spec.pre)
    encode = _tiff if spec.encoding == "tiff" else _flat
    return Sent(encode(values, spec, tags), media, size, (values.shape[0], values.shape[1]))


def _flat(values: NDArray[Any], spec: RemoteSpec, _: list[Any]) -> bytes:
    import cv2

    if values.dtype != np.uint8 or values.shape[2] not in (1, 3):
        raise ModelError(
            f"{values.shape[2]} bands of {values.dtype} cannot travel as {spec.encoding}", remedy="Use encoding tiff."
        )
    turned = values[..., ::-1] if values.shape[2] == 3 else values
    done, data = cv2.imencode(".png" if spec.encoding == "png" else ".jpg", np.ascontiguousarray(turned))
    if not done:
        raise ModelError(f"the image cannot be written as {spec.encoding}")
    return bytes(data)


def _tiff(values: NDArray[Any], spec: RemoteSpec, tags: list[Any]) -> bytes:
    import tifffile

    file = io.BytesIO()
    resized = any(step.step == "resize" for step in spec.pre)
    bands = values.shape[2]
    tifffile.imwrite(
        file,
        values if bands > 1 else values[..., 0],
        planarconfig="contig" if bands > 1 else None,
        photometric="rgb" if bands == 3 else "minisblack",
        extratags=[] if resized else tags,  # the pixels of a resized image lie elsewhere
        metadata=None,
    )
    return file.getvalue()


def _geo_tags(path: Path) -> list[Any]:
    import tifffile

    with path.open("rb") as file:
        if file.read(4) not in _TIFF:
            return []
    with tifffile.TiffFile(path) as opened:
        tags = opened.pages[0].tags
        kept = [tags[code] for code in _GEO_TAGS if code in tags]
        return [(tag.code, int(tag.dtype), tag.count, tag.value, True) for tag in kept]


def unpack(data: bytes, size: tuple[int, int], *, within: bool = False) -> NDArray[Any]:
    """Read a picture that a server sent, of this (height, width) or ``within`` it: (height, width), with bands last or
    first. Its size is looked at before it is unpacked. Raises ValueError."""
    import tifffile
    from PIL import Image

    def check(shape: Sequence[int]) -> None:
        fits = [pair for pair in (tuple(shape[:2]), tuple(shape[-2:]))
                if pair == size or (within and pair[0] <= size[0] and pair[1] <= size[1])]  # fmt: skip
        if not fits or len(shape) > 3 or math.prod(shape) > _MOST_VALUES:
            raise ValueError(
                f"the picture is {' x '.join(map(str, shape))}, the image {size[0]} x {size[1]} (rows first)"
            )

    try:
        if data[:4] in _TIFF:
            with tifffile.TiffFile(io.BytesIO(data)) as opened:
                page = opened.pages[0]
                check(page.shape)
                found: NDArray[Any] = page.asarray()
                return found
        with Image.open(io.BytesIO(data), formats=("PNG", "BMP", "GIF", "WEBP")) as picture:
            check((picture.height, picture.width))
            # A palette's indices, not its colours: they are the classes.
            return np.asarray(picture)
    except Exception as error:
        raise ValueError(f"no picture that fits: {error}") from error
