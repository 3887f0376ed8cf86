"""Finding image files below a folder, in a stable order, one folder at a time.

By ending, and where the ending says nothing, by the first bytes. Whether what is found can be read is for
``probe`` to say: a FIFO or a broken link named ``x.jpg`` is found here and refused there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from countersign.domain.errors import ImageError
from countersign.imaging.files import Source, ending_of, printable, refuse
from countersign.imaging.header import sniff


def _endings(words: str) -> frozenset[str]:
    return frozenset(f".{word}" for word in words.split())


ENDINGS = _endings(
    "jpg jpeg jpe jfif png apng webp avif avifs bmp dib gif tif tiff btf tf8 jp2 j2k jpx j2c jpf jpc mpo "
    "ppm pgm pbm pnm pfm psd tga ico"
)
"""Endings (lower case) of files that are taken for images without a look into them."""

# Not looked into: it would cost an open for each label file of a set.
_OTHER = _endings(
    "txt json jsonl xml csv tsv yaml yml toml ini cfg md rst html htm log geojson names cache lock py ipynb js ts "
    "css c h cpp java sh bat exe dll so zip tar gz tgz bz2 xz zst 7z rar pdf doc docx xls xlsx ppt pptx npy npz h5 "
    "hdf5 pkl pickle pt pth onnx safetensors bin db sqlite parquet mp4 avi mov mkv webm mp3 wav "
    "sha256 md5 prj shp shx dbf cpg qpj tfw jgw pgw wld aux ovr"
)

# Pictures, but of kinds that are not read. Camera raws begin like TIFF files and hold a tiny preview as first page.
_UNREAD = _endings("heic heif hif jxl svg exr hdr dcm nii dng nef nrw cr2 cr3 crw arw sr2 orf rw2 pef srw raf 3fr iiq")

_SYSTEM = frozenset(("__MACOSX", "$RECYCLE.BIN", "System Volume Information", "lost+found", "@eaDir", "__pycache__"))

Skipped = Callable[[Path, str], None]
_Skip = Callable[[str, str], None]


def scan(folder_or_file: str | Path, *, on_skip: Skipped | None = None) -> Iterator[Path]:
    """Yield the image files below a folder, sorted by path; or the file itself, whatever its ending.

    Hidden and system files and folders are passed over in silence. What else is left out (no image, a folder that may
    not be read, a link that leads nowhere or back) goes to ``on_skip`` with a reason. Links to folders are
    followed, each folder once. Raises ImageError when ``folder_or_file`` itself is not there.
    """
    root = os.fspath(folder_or_file)
    try:
        status = Path(root).stat()
    except OSError as error:
        raise refuse(root, error) from None
    if not stat.S_ISDIR(status.st_mode):
        yield Path(root)
        return

    def skip(path: str, reason: str) -> None:
        if on_skip is not None:
            on_skip(Path(printable(path)), reason)

    yield from _walk(root, skip, {(status.st_dev, status.st_ino)})


def _walk(folder: str, skip: _Skip, seen: set[tuple[int, int]]) -> Iterator[Path]:
    """Go through one folder in the order of its names. ``seen`` holds the folders visited, against loops."""
    waiting = [iter(_entries(folder, skip))]  # a stack instead of recursion: folders may be nested without end
    while waiting:
        entry = next(waiting[-1], None)
        if entry is None:
            waiting.pop()
            continue
        path, is_folder, is_file = entry
        if is_folder:
            if _is_new(path, skip, seen):
                waiting.append(iter(_entries(path, skip)))
        elif _wanted(path, is_file, skip):
            yield Path(path)


def _entries(folder: str, skip: _Skip) -> list[tuple[str, bool, bool]]:
    """Return path, whether a folder, whether an ordinary file, of what is in a folder, sorted by name."""
    try:
        with os.scandir(folder) as found:
            entries = [
                (entry.name, entry.path, *_kind(entry))
                for entry in found
                if entry.name[0] != "." and entry.name not in _SYSTEM
            ]
    except OSError as error:
        skip(folder, f"the folder cannot be read: {refuse(folder, error).reason}")
        return []
    return [(path, is_folder, is_file) for _, path, is_folder, is_file in sorted(entries)]


def _kind(entry: os.DirEntry[str]) -> tuple[bool, bool]:
    try:
        return entry.is_dir(), entry.is_file()
    except OSError:  # a link that leads back to itself, or a path that may not be looked at
        return False, False


def _is_new(folder: str, skip: _Skip, seen: set[tuple[int, int]]) -> bool:
    try:
        status = Path(folder).stat()
    except OSError as error:
        skip(folder, f"the folder cannot be read: {refuse(folder, error).reason}")
        return False
    key = (status.st_dev, status.st_ino)
    if key in seen:
        skip(folder, "a link to a folder that has been visited")
        return False
    seen.add(key)
    return True


def _wanted(path: str, is_file: bool, skip: _Skip) -> bool:
    ending = ending_of(path)
    if ending in ENDINGS:
        return True  # even if it is no ordinary file: probe() says why it is refused
    if not is_file:
        skip(path, "not an ordinary file")
        return False
    if ending in _UNREAD:
        skip(path, f"{ending} pictures are not read")
        return False
    if ending in _OTHER:
        skip(path, "not an image")
        return False
    try:
        with Source(path) as source:
            if sniff(source.start(), ending) is not None:
                return True
    except ImageError as error:
        skip(path, error.reason)
        return False
    skip(path, "not an image")
    return False
