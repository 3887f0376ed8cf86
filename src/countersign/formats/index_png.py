"""PNG files whose pixels name classes or objects: by palette index, by grey value, or by colour.

Reads them as numbers with a class for each; writes palette PNGs that look the same in every viewer. Knows no labels.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.errors import ImageError
from countersign.formats.base import atomic
from countersign.formats.class_table import VOID, VOID_COLOR, ClassTable, Color, voc_color, voc_palette

MAX_PIXELS = 400_000_000


@dataclass(frozen=True, slots=True)
class Pixels:
    """A mask file. ``codes`` (height, width) are palette indices or grey values, or 0xRRGGBB where ``colored``.

    ``palette`` maps an index to its colour where the file has a palette.
    """

    codes: NDArray[Any]
    colored: bool
    palette: dict[int, Color]

    @property
    def used(self) -> list[int]:
        """The codes that occur, ascending."""
        if self.codes.dtype == np.uint8:
            return [int(code) for code in np.flatnonzero(np.bincount(self.codes.ravel(), minlength=256))]
        return [int(code) for code in np.unique(self.codes)]

    def color(self, code: int) -> Color | None:
        """The colour of a code, None if the file has grey values only."""
        if self.colored:
            return code >> 16, code >> 8 & 255, code & 255
        return self.palette.get(code)


def read(path: Path) -> Pixels:
    """Read a mask. Raises ImageError where it is no image, or none whose pixels could be codes."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ImageError(path, f"{image.width}x{image.height} pixels are too many for a mask")
            palette = _palette(image)
            if image.mode in ("RGB", "RGBA", "LA", "CMYK", "YCbCr", "PA"):
                flat = np.asarray(image.convert("RGB"), dtype=np.uint32)
                return Pixels((flat[..., 0] << 16) | (flat[..., 1] << 8) | flat[..., 2], True, {})
            codes = np.asarray(image)
    except ImageError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(path, f"no mask can be read from it: {error}") from error
    if codes.dtype == np.bool_:
        codes = codes.astype(np.uint8)
    if codes.ndim != 2 or codes.dtype.kind not in "ui":
        raise ImageError(path, f"pixels of type {codes.dtype} name no classes")
    return Pixels(codes, False, palette)


def _palette(image: Any) -> dict[int, Color]:
    flat = image.getpalette("RGB") if image.mode == "P" else None
    return {i // 3: (flat[i], flat[i + 1], flat[i + 2]) for i in range(0, len(flat) - 2, 3)} if flat else {}


def classes(pixels: Pixels, table: ClassTable) -> dict[int, str | None]:
    """Say which class each code is; None for a code that the table does not have.

    Colours decide where the table has them and the file shows one of them (an index of a palette may be anything), else
    the values. Black and value 0 are background unless the table names them otherwise.
    """
    used = pixels.used
    colors = {code: pixels.color(code) for code in used}
    by_color = bool(table.by_color) and any(
        color is not None and color != (0, 0, 0) and color in table.by_color for color in colors.values()
    )
    found: dict[int, str | None] = {}
    for code in used:
        color = colors[code]
        if by_color:
            name = table.by_color.get(color) if color is not None else None
        elif pixels.colored:
            name = table.by_value.get(value_of(color))
        else:
            name = table.by_value.get(code)
        if name is None and (code == 0 or color == (0, 0, 0)):
            name = "background"
        found[code] = name
    return found


_VALUES = {voc_color(value): value for value in range(256)}


def value_of(color: Color | None) -> int:
    """The value that a colour stands for where the table has none: a grey its own, else its place in VOC's palette."""
    if color is None:
        return -1
    if color[0] == color[1] == color[2] and color not in _VALUES:
        return color[0]
    return _VALUES.get(color, -1)


def is_void(pixels: Pixels, code: int) -> bool:
    """Say whether a code is VOC's void: index 255, or its colour."""
    return pixels.color(code) == VOID_COLOR if pixels.colored else code == VOID


def write(path: Path, codes: NDArray[Any]) -> None:
    """Write (height, width) codes: with VOC's palette up to 255, as 16-bit grey up to 65,535. Raises FormatError."""
    from PIL import Image

    if codes.max(initial=0) <= 255:
        image = Image.fromarray(codes.astype(np.uint8), mode=None)
        image.putpalette(voc_palette())
    else:
        image = Image.fromarray(codes.astype(np.uint16))
    data = io.BytesIO()
    image.save(data, "PNG")
    with atomic(path) as file:
        file.write(data.getvalue())


def write_binary(path: Path, painted: NDArray[np.bool_]) -> None:
    """Write a (height, width) mask as 0 and 255. Raises FormatError."""
    from PIL import Image

    data = io.BytesIO()
    Image.fromarray(painted.astype(np.uint8) * 255).save(data, "PNG")
    with atomic(path) as file:
        file.write(data.getvalue())
