"""Image classification by folders: one per class, perhaps below train, val and test. Opens no image."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from countersign.domain.geometry import Kind
from countersign.domain.image import Image
from countersign.domain.label import Label, LabelClass
from countersign.formats import files, settings
from countersign.formats.base import NO, Format, FoundImage, Guess, Holds, ReadOptions, WriteOptions, cannot_write
from countersign.formats.registry import register
from countersign.formats.report import ExportReport, ImportReport
from countersign.imaging import ENDINGS

NO_CLASS = "images outside the folders of classes, taken as not labelled"
OTHER_FILES = "files that are no images"
NOT_WRITTEN = "the image file is not there, and a folder of images cannot do without it"
RENAMED_CLASS = "the class's name cannot name a folder, it was changed"
NO_SPLIT = "images without a split were put into train, beside others that have one"
ODD_SPLIT = "splits other than train, val and test: say split_level=yes to read them back"

_OTHER_FORMATS = {
    "images",
    "image",
    "imgs",
    "img",
    "labels",
    "label",
    "masks",
    "mask",
    "annotations",
    "annotation",
    "gt",
}
_OTHER_FORMATS |= {"jpegimages", "imagesets", "obj_train_data", "segmentationclass", "segmentationobject"}


@dataclass(frozen=True, slots=True)
class _Entry:
    short: str  # the name below the folder of its class
    full: str
    class_name: str
    split: str


class ClassFoldersReader:
    """Reads <class>/... and <split>/<class>/...; deeper folders belong to their class."""

    def detect(self, path: Path) -> Guess:
        tops = files.subfolders(path) if path.is_dir() else []
        splits = [folder for folder in tops if files.split_of(folder.name)]
        deep = bool(splits) and len(splits) == len(tops)
        classes = [inner for folder in splits for inner in files.subfolders(folder)] if deep else tops
        if not classes or any(folder.name.lower() in _OTHER_FORMATS for folder in (*tops, *classes)):
            return NO
        with_images = 0
        for folder in classes[:50]:
            found = _kinds(folder)
            if found & {".xml", ".json", ".txt"}:
                return NO
            with_images += bool(found & ENDINGS)
        if with_images * 2 < min(len(classes), 50):
            return NO
        names = {folder.name for folder in classes}
        return Guess(0.6 if deep or len(names) > 1 else 0.3, f"folders of images named {', '.join(sorted(names)[:3])}")

    def read(self, path: Path, report: ImportReport, options: ReadOptions) -> Iterator[FoundImage]:
        level = settings.choice(options.settings, "split_level", ("auto", "yes", "no"))
        nested = settings.choice(options.settings, "nested", ("first", "path"))
        tops = files.subfolders(path)
        splits = level == "yes" or (level == "auto" and bool(tops) and all(files.split_of(top.name) for top in tops))
        for folder in (inner for top in tops for inner in files.subfolders(top)) if splits else tops:
            if nested == "first" and folder.name.strip():
                report.add_class(folder.name.strip())
        entries = [_entry(name, splits, nested) for name in _images(path, report)]
        alike = len({entry.short for entry in entries}) < len(entries)
        for entry in entries:
            name = entry.full if alike else entry.short
            file = path / entry.full
            if not entry.class_name:
                report.note(NO_CLASS, file=file)
                yield FoundImage(name, path=file, split=entry.split, labelled=False, complete=False)
                continue
            report.add_class(entry.class_name)
            yield FoundImage(name, (Label(entry.class_name),), path=file, split=entry.split)


def _kinds(folder: Path) -> set[str]:
    """The endings of the first files directly in a folder."""
    found: set[str] = set()
    try:
        with os.scandir(folder) as entries:
            for index, entry in enumerate(entries):
                if entry.is_file() and not entry.name.startswith("."):
                    found.add(files.ending(entry.name))
                if index >= 200:
                    break
    except OSError:
        pass
    return found


def _images(path: Path, report: ImportReport) -> Iterator[str]:
    for name in files.files_below(path):
        if files.is_image(name):
            yield name
        else:
            report.note(OTHER_FILES, file=path / name)


def _entry(name: str, splits: bool, nested: str) -> _Entry:
    parts = name.split("/")
    split = ""
    if splits and len(parts) > 1:
        split, parts = files.split_of(parts[0]) or parts[0], parts[1:]
    at = len(parts) - 1 if nested == "path" else min(1, len(parts) - 1)
    class_name = "/".join(parts[:at]).strip()
    return _Entry("/".join(parts[at:]), name, class_name, split)


class ClassFoldersWriter:
    """Links or copies each image into the folder of its class."""

    def holds(self, options: WriteOptions) -> Holds:
        return Holds(kinds=frozenset({Kind.CLASSIFICATION}), splits=True, many=False, empty_images=False)

    def write(
        self,
        images: Iterable[tuple[Image, Sequence[Label]]],
        classes: Sequence[LabelClass],
        out: Path,
        report: ExportReport,
        options: WriteOptions,
    ) -> None:
        write_folders(images, classes, out, report, options, lambda found: [image.split for image in found])


def write_folders(
    images: Iterable[tuple[Image, Sequence[Label]]],
    classes: Sequence[LabelClass],
    out: Path,
    report: ExportReport,
    options: WriteOptions,
    splits_of: Callable[[Sequence[Image]], Sequence[str]],
) -> None:
    """Write the folders, each image below the split that ``splits_of`` gives it; none below a split if all are "".

    Raises FormatError.
    """
    files.fresh(out, settings.flag(options.settings, "overwrite"))
    how = settings.choice(options.settings, "images", files.PLACES[:2])
    folders = _folders(classes, report)
    # Whether there is a level of splits shows only when all images have been seen: so much is kept of each.
    found = [(image, labels[0].class_name) for image, labels in images if labels]
    drawn = splits_of([image for image, _ in found])
    splits = sorted(set(drawn))
    for split in splits or [""]:
        for folder in folders.values():
            _make(out / files.inside(split or "train") / folder if any(splits) else out / folder)
    names = files.Names(report, endings=True)
    for (image, class_name), split in zip(found, drawn, strict=True):
        if any(splits) and not split:
            report.changed(NO_SPLIT, where=image.name)
            split = "train"
        elif split and not files.split_of(split):
            report.note(ODD_SPLIT, where=image.name, detail=split)
        folder = f"{files.inside(split)}/{folders[class_name]}" if split else folders[class_name]
        report.files += files.place(image, out / folder / names.give(image, folder), how, report, NOT_WRITTEN)


def _folders(classes: Sequence[LabelClass], report: ExportReport) -> dict[str, str]:
    """A folder's name for each class, no two alike."""
    folders: dict[str, str] = {}
    taken: set[str] = set()
    for found in classes:
        wanted = "".join("_" if char in '/\\:*?"<>|' or ord(char) < 32 else char for char in found.name).lstrip(".")
        name, count = wanted or "class", 2
        while name in taken:
            name, count = f"{wanted}_{count}", count + 1
        if name != found.name:
            report.changed(RENAMED_CLASS, where=found.name, detail=name)
        folders[found.name] = name
        taken.add(name)
    return folders


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error


register(
    Format(
        name="class-folders",
        title="Class folders",
        about="A folder of images for each class, perhaps below train, val and test: one class per image.",
        reader=ClassFoldersReader(),
        writer=ClassFoldersWriter(),
        out="folder",
        read_settings={
            "split_level": "Whether the folders at the top are splits: auto (default), yes or no.",
            "nested": "Folders within a class's folder: first (default: they belong to it) or path (a class a/b).",
        },
        write_settings={
            "images": "link (default) or copy.",
            "overwrite": "yes: write into a folder that is not empty. Default no.",
        },
    )
)
