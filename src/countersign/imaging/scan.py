"""Finding image files below a folder, in a stable order, without reading the whole tree at once.

Whether what is found can be read is for ``probe`` to say.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from countersign.domain.errors import ImageError
from countersign.imaging.files import open_regular, refuse

ENDINGS = frozenset(
    """.jpg .jpeg .jpe .jfif .png .apng .webp .avif .avifs .bmp .dib .gif .tif .tiff .btf .tf8 .jp2 .j2k .jpx .j2c .jpf
    .mpo .ppm .pgm .pbm .pnm .psd .tga .ico""".split()
)


def scan(
    folder: str | Path, *, on_skip: Callable[[Path, str], None] | None = None
) -> Iterator[Path]:
    """Yield the image files below a folder, or the file itself."""
    root = Path(folder)
    if root.is_file():
        yield root
        return
    for base, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in ENDINGS:
                yield Path(base) / name


__all__ = ["ENDINGS", "scan"]
_ = (ImageError, open_regular, refuse)
