"""Reading a YOLO data set: its images in order, each with its label file.

Labels are shares of the image's width and height, so each labelled image's size is needed: the caller's, else the
file's. Where the files are is ``yolo_layout``'s to know, what their lines mean ``yolo_lines``'s.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from countersign.domain.label import LabelClass
from countersign.formats import files, settings, yolo_layout, yolo_lines
from countersign.formats.base import FoundImage, ReadOptions, image_size, read_text
from countersign.formats.report import ImportReport
from countersign.formats.yolo_layout import Layout, Source
from countersign.formats.yolo_lines import Lines

NO_IMAGE = "labels without an image file"
NO_LABELS = "images without a label file, taken as not labelled"
NO_SIZE = "the image's size is not known, its labels cannot be placed"


@dataclass(slots=True)
class _Reading:
    layout: Layout
    report: ImportReport
    options: ReadOptions
    keep_unknown: bool
    lines: Lines = field(init=False)
    listings: dict[str, dict[str, str]] = field(default_factory=dict)  # folder -> stem -> path of a label file
    folders: dict[str, list[str]] = field(default_factory=dict)  # folder of images -> folders of labels
    used: set[str] = field(default_factory=set)
    classes: dict[int, str] = field(default_factory=dict)

    def class_name(self, number: int) -> str | None:
        """The name of a class number; None for one that the names do not have."""
        name = self.classes.get(number)
        if name is None and (self.layout.names is None or self.keep_unknown):
            name = self.classes[number] = f"class_{number}"
            self.report.add_class(name)
        return name

    def label_file(self, folder: str, stem: str) -> str | None:
        """The label file of the image of this stem in this folder."""
        known = self.folders.get(folder)
        if known is None:
            found = yolo_layout.label_folders(Path(folder), self.layout.root)
            known = self.folders[folder] = [str(candidate) for candidate in found]
        for candidate in known:
            path = self.listing(candidate).get(stem)
            if path is not None:
                self.used.add(path)
                return path
        return None

    def listing(self, folder: str) -> dict[str, str]:
        found = self.listings.get(folder)
        if found is None:
            found = {}
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        base, ending = posixpath.splitext(entry.name)
                        if ending.lower() == ".txt":
                            found[base] = f"{folder}/{entry.name}"
            except OSError:
                pass
            self.listings[folder] = found
        return found


@dataclass(frozen=True, slots=True)
class _Listed:
    """An image to be read: its name, its path (perhaps not there), and its split."""

    name: str
    path: str
    split: str
    there: bool = True


def read(path: Path, report: ImportReport, options: ReadOptions) -> Iterator[FoundImage]:
    """Stream a data set. See ``Reader.read``."""
    layout = yolo_layout.find(path, report)
    given = settings.names(options.settings, "names")
    if given:
        layout.names = dict(enumerate(given))
    first = int(settings.number(options.settings, "first_class", 0, 0, 1))
    keep = settings.choice(options.settings, "unknown_classes", ("skip", "keep")) == "keep"
    known = f", there are {len(layout.names)} from {first}" if layout.names else ""
    reading = _Reading(layout, report, options, keep)
    reading.lines = Lines(report, reading.class_name, first, known, layout.keypoints)
    _add_classes(reading)
    images = _list(reading)
    for image in images:
        yield _image(image, reading)
    yield from _without_image(reading)
    if reading.lines.corners:
        report.note(yolo_lines.FOUR_CORNERS, file=path, count=reading.lines.corners)


def _add_classes(reading: _Reading) -> None:
    layout, report = reading.layout, reading.report
    if layout.names is None:
        report.note("nothing says the names of the classes", file=layout.root, detail="called class_0, class_1 ...")
        return
    seen: set[str] = set()
    for number, name in sorted(layout.names.items()):
        name = name or f"class_{number}"
        if name in seen:
            report.note("two classes of one name, read as one", file=layout.described_by or layout.root, detail=name)
        seen.add(name)
        reading.classes[number] = name
        points = layout.keypoint_names.get(number, ())
        if layout.keypoints and not points and len(layout.names) == 1:
            points = tuple(f"point_{index}" for index in range(layout.keypoints[0]))
        bones = layout.skeletons.get(number, ()) if layout.keypoint_names.get(number) else ()
        report.add_class(LabelClass(name, keypoint_names=points, skeleton=bones))


# --- images --------------------------------------------------------------------------------------------------------


def _list(reading: _Reading) -> list[_Listed]:
    """List all images, each once. Names lose the folders that only say the split, unless two would be alike then."""
    found: list[tuple[str, _Listed]] = []
    seen: set[str] = set()
    for source in reading.layout.sources:
        for prefix, image in _of_list(source, reading) if source.is_list else _of_folder(source):
            if image.path in seen:
                continue
            seen.add(image.path)
            found.append((prefix, image))
    alike = len({image.name for _, image in found}) < len(found)
    if not alike:
        return [image for _, image in found]
    return [_Listed(f"{prefix}{image.name}", image.path, image.split, image.there) for prefix, image in found]


def _of_folder(source: Source) -> Iterator[tuple[str, _Listed]]:
    base = str(source.path)
    for name in files.images_below(source.path):
        path, split, prefix = f"{base}/{name}", source.split or "", ""
        if source.split is None:
            top, slash, rest = name.partition("/")
            if slash and files.split_of(top):
                split, name, prefix = files.split_of(top), rest, f"{top}/"
        elif source.split:
            prefix = f"{source.split}/"
        yield prefix, _Listed(name, path, split)


def _of_list(source: Source, reading: _Reading) -> Iterator[tuple[str, _Listed]]:
    root = reading.layout.root
    there = _there(source, reading)
    for line in read_text(source.path, reading.report).splitlines():
        entry = line.strip().replace("\\", "/")
        if not entry:
            continue
        path, exists = there(entry)
        try:
            name = path.relative_to(root).as_posix()
        except ValueError:
            name = path.name
        prefix, name = _short(name)
        yield prefix, _Listed(name, str(path), source.split or "", exists)


def _there(source: Source, reading: _Reading) -> Callable[[str], tuple[Path, bool]]:
    """Make the function that finds a listed image: as written, else by ever shorter tails of it below the root."""
    bases = list(dict.fromkeys((source.path.parent, reading.layout.root)))
    skip = 0  # how many leading parts the last line had too many: the next lines have as many

    def find(entry: str) -> tuple[Path, bool]:
        nonlocal skip
        parts = [part for part in entry.split("/") if part not in ("", ".")]
        for count in dict.fromkeys((skip, *range(len(parts)))):
            if count == 0 and entry.startswith("/"):
                tries = [Path(entry)]
            else:
                tries = [Path(os.path.normpath(base.joinpath(*parts[count:]))) for base in bases]
            for candidate in tries:
                if files.is_file(candidate):
                    skip = count
                    return candidate, True
        return Path(os.path.normpath(bases[0].joinpath(*parts))), False

    return find


def _short(name: str) -> tuple[str, str]:
    """Split off the folders of a listed path that only say where images and splits are: (them, the rest)."""
    parts = name.split("/")
    at = 0
    while (
        at < len(parts) - 1
        and at < 2
        and (
            parts[at].lower() in ("images", "obj_train_data", "obj_valid_data", "obj_test_data")
            or files.split_of(parts[at])
        )
    ):
        at += 1
    return "".join(f"{part}/" for part in parts[:at]), "/".join(parts[at:])


def _image(image: _Listed, reading: _Reading) -> FoundImage:
    folder, last = os.path.split(image.path)
    label_file = reading.label_file(folder, files.stem(last))
    path = Path(image.path) if image.there else None
    if not image.there:
        reading.report.note("a listed image is not there", file=image.path)
    if label_file is None:
        reading.report.note(NO_LABELS, file=image.path)
        return FoundImage(image.name, path=path, split=image.split, labelled=False, complete=False)
    return _labelled(image.name, path, image.split, label_file, reading)


def _labelled(name: str, path: Path | None, split: str, label_file: str, reading: _Reading) -> FoundImage:
    report = reading.report
    text = read_text(Path(label_file), report)
    if not text.strip():
        return FoundImage(name, path=path, split=split)
    size = image_size(name, path, reading.options)
    if size is None:
        report.skipped(NO_SIZE, file=label_file, detail=name)
        return FoundImage(name, path=path, split=split, complete=False)
    before = report.count()
    labels = tuple(yolo_lines.read(text, size, label_file, reading.lines))
    whole = report.count() == before or len(labels) == sum(1 for line in text.splitlines() if line.strip())
    return FoundImage(name, labels, path, size[0], size[1], split, complete=whole)


def _without_image(reading: _Reading) -> Iterator[FoundImage]:
    """Labels whose image is not among the files: read if somebody knows the image (by ``size_of``), else reported."""
    finder = files.ImageFinder(reading.options.images) if reading.options.images is not None else None
    for label_file, name in _orphans(reading):
        path = finder.find(name) if finder is not None else None
        if path is not None or image_size(name, None, reading.options) is not None:
            known = f"{name}{path.suffix}" if path is not None else name
            yield _labelled(known, path, "", label_file, reading)
        else:
            reading.report.skipped(NO_IMAGE, file=label_file)


def _orphans(reading: _Reading) -> Iterator[tuple[str, str]]:
    """Yield (label file, name of its image without ending) of label files that no image used."""
    seen: set[str] = set()
    for source in reading.layout.sources:
        folder = source.path.parent if source.is_list else source.path
        for labels in yolo_layout.label_folders(folder, reading.layout.root):
            beside = labels == folder
            for name in files.files_below(labels, (".txt",)):
                path = f"{labels}/{name}"
                if path in reading.used or path in seen:
                    continue
                seen.add(path)
                if name.lower() in yolo_layout.NAME_FILES or (beside and not yolo_layout.looks_like_labels(Path(path))):
                    continue
                yield path, files.stem(name)
