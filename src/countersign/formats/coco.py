"""COCO: one JSON file with images, categories and annotations (or a folder of such files, one per split).

Read: boxes, polygons, masks (compressed or not, crowds too), keypoints with skeletons, and annotations without
geometry as statements about the whole image. Written: the same, by ``coco_write``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from countersign.domain.errors import FormatError
from countersign.domain.label import Label
from countersign.formats.base import NO, Format, FoundImage, Guess, ReadOptions, image_size
from countersign.formats.coco_categories import read_categories
from countersign.formats.coco_json import Id, load, top_keys
from countersign.formats.coco_labels import Converter
from countersign.formats.coco_write import WRITE_SETTINGS, CocoWriter
from countersign.formats.files import ImageFinder, split_of
from countersign.formats.registry import register
from countersign.formats.report import ImportReport
from countersign.formats.settings import choice

PREFER = ("keypoints", "segmentation", "box")

READ_SETTINGS = {
    "prefer": "What to take from an annotation with several geometries: keypoints (default), segmentation or box. "
    "The others are kept as attributes.",
    "split": "The split to give to all images; by default that in the file's or its folder's name, if there is one.",
}

_PREFIX = re.compile(r"(instances|person_keypoints|image_info|labels|stuff|panoptic|captions)_(.+)")
_SPLIT_AT_END = re.compile(r"(?:^|[_\-.])([A-Za-z]+)\d*$")


class CocoReader:
    """Reads COCO files and folders of them."""

    def detect(self, path: Path) -> Guess:
        if path.is_dir():
            files = list(_coco_files(path))
            return Guess(0.9, f"COCO JSON in it ({files[0].name})") if files else NO
        return _guess(top_keys(path))

    def read(self, path: Path, report: ImportReport, options: ReadOptions) -> Iterator[FoundImage]:
        prefer = choice(options.settings, "prefer", PREFER)
        for file in _choose(path, report) if path.is_dir() else [path]:
            split = str(options.settings.get("split", split_in(file)))
            yield from _Reading(file, split, prefer, report, options).images()


def _guess(keys: frozenset[str]) -> Guess:
    if "segments_info" in keys and "images" in keys:
        return Guess(0.9, "COCO panoptic JSON")
    if {"images", "annotations"} <= keys:
        return Guess(0.95, "images and annotations in JSON")
    if {"images", "categories"} <= keys or {"categories", "annotations"} <= keys:
        return Guess(0.7, f"{' and '.join(sorted(keys))} in JSON")
    return NO


def split_in(file: Path) -> str:
    """Return the split that a file's name or folder means: ``instances_train.json``, ``valid/annotations.json``."""
    named = _PREFIX.fullmatch(file.stem)
    if named is not None:
        return "" if named[2] == "default" else split_of(named[2]) or named[2]
    last = _SPLIT_AT_END.search(file.stem)
    return (split_of(last[1]) if last else "") or split_of(file.parent.name)


# Folders -------------------------------------------------------------------------------------------------------------


def _coco_files(folder: Path, look: int = 60) -> Iterator[Path]:
    """COCO files in a folder, in its ``annotations`` and in its splits' folders. Peeks at ``look`` files at most."""
    for place in ("*.json", "annotations/*.json", "*/_annotations.coco.json", "*/annotations.json"):
        for file in sorted(folder.glob(place)):
            look -= 1
            if look < 0:
                return
            if file.is_file() and not file.name.startswith(".") and _guess(top_keys(file)).confidence:
                yield file


def _choose(folder: Path, report: ImportReport) -> list[Path]:
    """Take the files of a folder that describe different images; refuse to guess between views of the same."""
    groups: dict[str, list[Path]] = {}
    for file in _coco_files(folder, look=10_000):
        named = _PREFIX.fullmatch(file.stem)
        groups.setdefault(named[1] if named else _without_split(file.stem), []).append(file)
    if not groups:
        raise FormatError("there is no COCO JSON in this folder", file=str(folder))
    best = next((name for name in ("instances", "person_keypoints", "stuff", "labels") if name in groups), None)
    if best is None and len(groups) > 1:
        names = ", ".join(file.name for files in groups.values() for file in files)
        raise FormatError(f"it holds several COCO files: {names}", file=str(folder), remedy="Name the one to read.")
    chosen = groups.pop(best if best is not None else next(iter(groups)))
    for files in groups.values():
        for file in files:
            report.skipped("another view of the same images was not read", file=file, detail=f"{best} was")
    return chosen


def _without_split(stem: str) -> str:
    last = _SPLIT_AT_END.search(stem)
    return stem[: last.start()] if last and split_of(last[1]) else stem


# One file ---------------------------------------------------------------------------------------------------


class _Reading:
    """The reading of one file: lookups that its images share."""

    def __init__(self, file: Path, split: str, prefer: str, report: ImportReport, options: ReadOptions) -> None:
        self.file, self.split, self.report, self.options = file, split, report, options
        self.parts = load(file, report)
        found = read_categories(self.parts.categories, str(file), report)
        points = {name: len(made.keypoint_names) for name, made in found.made.items() if made.keypoint_names}
        self.converter = Converter(found.names, points, report, str(file), prefer)
        self.finders = _finders(file, split, options)

    def images(self) -> Iterator[FoundImage]:
        seen: set[Any] = set()
        names: dict[str, Id] = {}
        for index, entry in enumerate(self.parts.images):
            key = entry.get("id") if isinstance(entry, dict) else None
            name = _image_name(entry) if isinstance(entry, dict) else None
            if not isinstance(key, (int, str)) or not name:
                self._skip("an image without id or name", f"images[{index}]")
                continue
            if key in seen:
                self._skip("an image id is used twice, the first was kept", f"image {key}", name)
            elif name in names:
                self._join(names[name], key, name)
            else:
                names[name] = key
            seen.add(key)
        entries = {entry["id"]: entry for entry in reversed(self.parts.images) if _is_image(entry)}
        for name, key in names.items():
            yield self._image(name, key, entries[key])
        for key, rest in self.parts.annotations.items():
            detail = f"image id {key}"
            self.report.skipped(
                "annotations of an image that is not listed", file=self.file, where=detail, count=len(rest)
            )

    def _skip(self, reason: str, where: str, detail: str = "") -> None:
        self.report.skipped(reason, file=self.file, where=where, detail=detail)

    def _join(self, first: Id, second: Id, name: str) -> None:
        """An image that is listed twice under two ids is one image with the annotations of both."""
        annotations = self.parts.annotations
        annotations.setdefault(first, []).extend(annotations.pop(second, []))
        self.report.changed("an image is listed twice, its labels were joined", file=self.file, where=name)

    def _image(self, name: str, key: Id, entry: dict[str, Any]) -> FoundImage:
        path = next((found for finder in self.finders if (found := finder.find(name)) is not None), None)
        size = self._size(name, path, entry)
        width, height = size if size is not None else (None, None)
        annotations = _pop(self.parts.annotations, key)
        labels = [self.converter.label(part, width, height) for part in annotations]
        kept: tuple[Label, ...] = tuple(label for label in labels if label is not None)
        return FoundImage(
            name=name,
            labels=kept,
            path=path,
            width=width,
            height=height,
            split=self.split,
            labelled=bool(annotations) or (self.parts.total > 0 and not self.parts.damaged),
            complete=len(kept) == len(annotations) and not self.parts.damaged,
        )

    def _size(self, name: str, path: Path | None, entry: dict[str, Any]) -> tuple[int, int] | None:
        width, height = entry.get("width"), entry.get("height")
        if isinstance(width, (int, float)) and isinstance(height, (int, float)) and width > 0 and height > 0:
            return int(width), int(height)
        found = image_size(name, path, self.options)
        if found is None:
            self.report.note("the size of the image is unknown, nothing was clipped", file=self.file, where=name)
        return found


def _finders(file: Path, split: str, options: ReadOptions) -> list[ImageFinder]:
    """Where the images may be, the likeliest place first."""
    if options.images is not None:
        return [ImageFinder(options.images)]
    base = file.parent.parent if file.parent.name == "annotations" else file.parent
    folders = [base / "images" / split, base / split] if split else []
    named = _PREFIX.fullmatch(file.stem)
    if named is not None:
        folders += [base / "images" / named[2], base / named[2]]
    found = [ImageFinder(folder) for folder in dict.fromkeys([*folders, base]) if folder.is_dir()]
    return [finder for finder in found if finder.names]


def _is_image(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("id"), (int, str))


def _image_name(entry: dict[str, Any]) -> str:
    name = entry.get("file_name") or entry.get("path") or ""
    text = str(name).replace("\\", "/")
    return str(PurePosixPath(text)) if text.startswith("./") or "//" in text else text


def _pop(annotations: dict[Any, list[Any]], key: Id) -> list[Any]:
    found = annotations.pop(key, None)
    if found is None:
        # Ids that are numbers in one place and text in the other.
        other = str(key) if isinstance(key, int) else int(key) if key.isdecimal() else key
        found = annotations.pop(other, [])
    return found


register(
    Format(
        name="coco",
        title="COCO",
        about="JSON with images, categories and annotations: boxes, polygons, masks (RLE, compressed or not), crowds, "
        "keypoints with skeletons, and whole-image labels. Reads a file, or a folder with one file per split. "
        "Panoptic files are refused. Polygons with holes are written as masks.",
        reader=CocoReader(),
        writer=CocoWriter(),
        out="file",
        suffix=".json",
        read_settings=READ_SETTINGS,
        write_settings=WRITE_SETTINGS,
    )
)
