"""Bringing images into a project, by reference: the files stay where they are.

An image is known by its content: a file that was moved, or is imported again, makes no second image. A file whose
path, size and time of change are those of the last import is not even read, so an import that was broken off
goes on quickly. Files that cannot be read are refused one by one, with a reason.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from countersign import imaging
from countersign.domain.errors import ImageError, InvalidInput
from countersign.domain.image import ImageFile, Project
from countersign.store import Store
from countersign.store import images as records
from countersign.workbench.matching import full
from countersign.workbench.progress import OnProgress, Ticker

T = TypeVar("T")

BATCH = 256
"""Images per transaction: what a killed import loses at most."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that is no usable image, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImagesImport:
    """What became of the files: ``added`` new images, ``known`` ones, ``moved`` ones (known bytes at a new path).

    ``duplicates`` are files with the bytes of another image, whose own file is there as well: path, and its name.
    ``refused`` cannot be used as images, ``skipped`` were not looked at (a folder that may not be read ...).
    """

    found: int = 0
    added: int = 0
    known: int = 0
    moved: int = 0
    duplicates: tuple[tuple[str, str], ...] = ()
    refused: tuple[Refused, ...] = ()
    skipped: tuple[Refused, ...] = ()

    def plus(self, other: ImagesImport) -> ImagesImport:
        """Add up two imports."""
        return ImagesImport(
            self.found + other.found, self.added + other.added, self.known + other.known, self.moved + other.moved,
            self.duplicates + other.duplicates, self.refused + other.refused, self.skipped + other.skipped,
        )  # fmt: skip

    def to_data(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "found": self.found,
            "added": self.added,
            "known": self.known,
            "moved": self.moved,
            "duplicates": [{"path": path, "same_as": name} for path, name in self.duplicates],
            "refused": [{"path": item.path, "reason": item.reason} for item in self.refused],
            "skipped": [{"path": item.path, "reason": item.reason} for item in self.skipped],
        }


def import_images(
    store: Store,
    project: Project,
    path: str | Path,
    *,
    split: str = "",
    tags: Sequence[str] = (),
    leave_out: Callable[[Path], bool] | None = None,
    on_progress: OnProgress | None = None,
) -> ImagesImport:
    """Add the image files below a folder (or one file) to a project.

    ``split`` and ``tags`` are set on all of them, also on those known before. ``leave_out`` says which files are
    none of the images (painted masks, say). Raises InvalidInput where there is no such path.
    """
    root = full(path)
    if not root.exists():
        raise InvalidInput(f"There is no file or folder {path}", remedy="Check the path.")
    base = root if root.is_dir() else root.parent
    skipped: list[Refused] = []
    found = imaging.scan(root, on_skip=lambda file, reason: _note(skipped, file, reason))
    own = f"{full(store.blobs)}{os.sep}"  # the folder that the workspace is in may be imported, and what was uploaded
    files = [
        (file, file.relative_to(base).as_posix())
        for file in found
        if (str(root).startswith(own) or not str(file).startswith(own)) and (leave_out is None or not leave_out(file))
    ]
    done = add_files(store, project, files, split=split, tags=tags, on_progress=on_progress)
    return replace(done.summary, skipped=tuple(skipped))


@dataclass(frozen=True, slots=True)
class Placed:
    """An import of image files, and the image that each usable file is, by path."""

    summary: ImagesImport
    ids: Mapping[str, int]


def add_files(
    store: Store,
    project: Project,
    files: Sequence[tuple[Path, str]],
    *,
    split: str = "",
    tags: Sequence[str] = (),
    on_progress: OnProgress | None = None,
) -> Placed:
    """Add image files, each with the name that it shall have, to a project."""
    with store.read() as c:
        known = records.known_files(c, project.id)
        ids = {image.path: image.id for image in records.by_name(c, project.id)}
    names = {str(file): name for file, name in files}
    fresh = [file for file, _ in files if not _unchanged(file, known)]
    same = len(files) - len(fresh)
    placed = {path: ids[path] for path in names.keys() - {str(file) for file in fresh}}
    ticker = Ticker(on_progress, "images", len(files))
    ticker.step(same)
    refused: list[Refused] = []
    duplicates: list[tuple[str, str]] = []
    added = moved = 0
    for batch in chunks(_probed(fresh, refused, ticker), BATCH):
        items = [records.NewImage(file, names[file.path], split, tuple(tags)) for file in batch]
        with store.write() as c:
            result = records.add(c, project.id, items)
        placed.update((file.path, number) for file, number in zip(batch, result.ids, strict=True))
        duplicates.extend(result.duplicates)
        added, moved = added + len(result.added), moved + result.moved
        same += result.known - result.moved - len(result.duplicates)
    if len(placed) > added and (split or tags):
        _mark(store, set(placed.values()), split, tags)
    ticker.finish()
    return Placed(ImagesImport(len(files), added, same, moved, tuple(duplicates), tuple(refused)), placed)


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of ``size`` items, the last one shorter."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _note(skipped: list[Refused], file: Path, reason: str) -> None:
    if reason != "not an image":  # label files and the like: nobody wants to read their names
        skipped.append(Refused(str(file), reason))


def _unchanged(file: Path, known: Mapping[str, tuple[int, int, str]]) -> bool:
    if (seen := known.get(str(file))) is None:
        return False
    try:
        now = file.stat()
    except OSError:
        return False
    return seen[:2] == (now.st_size, now.st_mtime_ns)


def _probed(files: Sequence[Path], refused: list[Refused], ticker: Ticker) -> Iterator[ImageFile]:
    for path, found in imaging.probe_many(files, workers=min(8, (os.cpu_count() or 1) + 2)):
        if isinstance(found, ImageError):
            refused.append(Refused(str(path), found.reason))
        ticker.step(note=f"{len(refused)} refused" if refused else "")
        if not isinstance(found, ImageError):
            yield found


def _mark(store: Store, ids: Collection[int], split: str, tags: Sequence[str]) -> None:
    """Set split and tags also on images that were known before: adding fills them in only where there are none."""
    with store.write() as c:
        if split:
            records.set_split(c, ids, split)
        if tags:
            records.add_tags(c, ids, tags)
