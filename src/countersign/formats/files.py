"""Folders of many files: walk them, find the image that belongs to a label file, put images where a format wants them.

Everything works on listings: nothing here asks the disk once per pair of files. What is in the files is not known here.
"""

from __future__ import annotations

import os
import posixpath
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from countersign.domain.errors import FormatError
from countersign.domain.image import Image
from countersign.formats.base import cannot_write
from countersign.formats.report import ExportReport
from countersign.imaging.scan import ENDINGS

PLACES = ("link", "copy", "none")
"""What a writer does with image files: a symbolic link, a copy, or nothing."""

NO_IMAGE_FILE = "the image file is not there, its labels were written without it"
SAME_STEM = "renamed, because another image has the same name, perhaps with another ending"

_SPLITS = {
    "train": ("train", "training", "trn"),
    "val": ("val", "valid", "validate", "validation", "dev"),
    "test": ("test", "testing", "tst"),
}
_SPLIT_OF = {alias: split for split, aliases in _SPLITS.items() for alias in aliases}


def split_of(name: str) -> str:
    """Return ``train``, ``val`` or ``test`` for a folder that is called so (``valid``, ``train2017`` ...), else ""."""
    return _SPLIT_OF.get(name.lower().rstrip("0123456789_-"), "")


def split_names(split: str) -> tuple[str, ...]:
    """The names by which folders call a split."""
    return _SPLITS.get(split, (split,))


def is_file(path: Path) -> bool:
    """Say whether there is such a file; also for what a label file calls a path and can be none."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, or with a null in it
        return False


def exists(path: Path) -> bool:
    """Say whether there is such a file or folder; also for what can be no path."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def is_image(name: str) -> bool:
    """Say whether a file's ending is that of an image."""
    return ending(name) in ENDINGS


def ending(name: str) -> str:
    """Return a name's ending in lower case, with its dot; "" if it has none."""
    return posixpath.splitext(name)[1].lower()


def stem(name: str) -> str:
    """Return a name (with its folders) without its ending."""
    return posixpath.splitext(name)[0]


def walk(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield (path of a folder below, with slashes, "" for itself; names of its files), sorted, hidden ones left out.

    Links to folders are followed, but never into a folder that is being walked. What cannot be listed is left out.
    """
    yield from _walk(str(folder), "", frozenset())


def _walk(base: str, below: str, above: frozenset[tuple[int, int]]) -> Iterator[tuple[str, list[str]]]:
    try:
        status = Path(base).stat()
        key = (status.st_dev, status.st_ino)
        if key in above:
            return
        with os.scandir(base) as listing:
            entries = sorted(
                (entry for entry in listing if not entry.name.startswith(".")), key=lambda entry: entry.name
            )
    except OSError:
        return
    folders = [entry.name for entry in entries if _is_folder(entry)]
    among = set(folders)
    yield below, [entry.name for entry in entries if entry.name not in among]
    for name in folders:
        yield from _walk(f"{base}/{name}", f"{below}/{name}" if below else name, above | {key})


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads back to itself, or a path that may not be looked at
        return False


def files_below(folder: Path, endings: Iterable[str] | None = None) -> Iterator[str]:
    """Yield the paths below a folder, with slashes, of all files, or of those with these (lower case) endings."""
    wanted = None if endings is None else frozenset(endings)
    for below, names in walk(folder):
        for name in names:
            if wanted is None or ending(name) in wanted:
                yield f"{below}/{name}" if below else name


def images_below(folder: Path) -> Iterator[str]:
    """Yield the paths below a folder, with slashes, of the image files."""
    return files_below(folder, ENDINGS)


def has_file(folder: Path, endings: Iterable[str], *, look: int = 2000) -> bool:
    """Say whether one of the first ``look`` files below has such an ending. For ``detect``."""
    wanted = frozenset(endings)
    for seen, name in enumerate(files_below(folder)):
        if ending(name) in wanted:
            return True
        if seen >= look:
            break
    return False


def subfolders(folder: Path) -> list[Path]:
    """The folders in a folder, sorted, hidden ones left out; [] if it cannot be listed."""
    try:
        return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    except OSError:
        return []


class ImageFinder:
    """The image files below some folders, found by their path or name, with or without ending."""

    def __init__(self, *folders: Path) -> None:
        self._by_path: dict[str, Path] = {}
        self._by_name: dict[str, list[Path]] = {}
        self.names: list[str] = []
        for folder in folders:
            for name in images_below(folder):
                path = folder / name
                if name in self._by_path:
                    continue
                self.names.append(name)
                self._by_path[name] = path
                self._by_path.setdefault(stem(name), path)
                last = name.rpartition("/")[2]
                for key in (last, stem(last)):
                    self._by_name.setdefault(key, []).append(path)

    def find(self, name: str) -> Path | None:
        """Return the file of this path below a folder, else the only one of this last name; None if none or several."""
        found = self._by_path.get(name) or self._by_path.get(stem(name) if is_image(name) else name)
        if found is not None:
            return found
        last = name.rpartition("/")[2]
        for key in (last, stem(last)) if is_image(last) else (last,):
            many = self._by_name.get(key, [])
            if len(many) == 1:
                return many[0]
        return None

    def path(self, name: str) -> Path:
        """The file of one of ``names``."""
        return self._by_path[name]


def inside(name: str) -> str:
    """Return an image's name as a relative path that stays below the folder it is written to."""
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part not in ("/", "..", ".")]
    return "/".join(part.replace(":", "_") for part in parts) or "image"


class Names:
    """Gives each image a path below an output folder such that no two share it: without endings unless ``endings``."""

    def __init__(self, report: ExportReport, *, endings: bool = False) -> None:
        self._taken: set[tuple[str, str]] = set()
        self._report = report
        self._endings = endings

    def give(self, image: Image, bucket: str = "") -> str:
        """Return the image's own name, or one made of it if it is taken in this bucket (reported)."""
        base, suffix = posixpath.splitext(inside(image.name))
        name, count = base, 1
        while (bucket, key := name + suffix if self._endings else name) in self._taken:
            name = f"{base}_{suffix[1:]}" if count == 1 and suffix and not self._endings else f"{base}_{count}"
            count += 1
        self._taken.add((bucket, key))
        if count > 1:
            self._report.changed(SAME_STEM, where=image.name, detail=name + suffix)
        return name + suffix


def place(image: Image, target: Path, how: str, report: ExportReport, missing: str = NO_IMAGE_FILE) -> bool:
    """Put an image's file at ``target``, as a link or a copy (or not at all, for ``none``); say whether it is there.

    A file that is not there is reported as ``missing``. Where the system has no symbolic links, a copy is made.
    Raises FormatError if it cannot be written.
    """
    if how == "none":
        return False
    source = Path(image.path)
    if not image.path or not source.is_file():
        report.skipped(missing, file=image.path, where=image.name)
        return False
    source = source.absolute()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and target.samefile(source) and not target.is_symlink():
            return True  # exporting over the images themselves: they are where they shall be
        target.unlink(missing_ok=True)
        if how == "link":
            try:
                target.symlink_to(source)
                return True
            except (OSError, NotImplementedError):
                report.note("links are not possible here, images were copied", file=target)
        shutil.copyfile(source, target)
    except OSError as error:
        raise cannot_write(target, error) from error
    return True


def fresh(out: Path, overwrite: bool) -> None:
    """Raise FormatError unless ``out`` is a new or empty folder: what lay there before would be taken for exported."""
    if out.is_file():
        raise FormatError("there is a file of this name", file=str(out), remedy="Choose a folder for the export.")
    if not overwrite and out.is_dir() and any(out.iterdir()):
        raise FormatError(
            "the folder is not empty",
            file=str(out),
            remedy="Choose a new folder, or set overwrite=yes to write between the files that are there.",
        )
