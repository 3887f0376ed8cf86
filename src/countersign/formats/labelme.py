"""labelme's JSON, one file per image, and what X-AnyLabeling adds to it. Shapes are read in ``labelme_shapes``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from countersign.domain.errors import FormatError, InvalidInput
from countersign.domain.geometry import Kind
from countersign.domain.image import Image
from countersign.domain.label import Label, LabelClass
from countersign.formats import files, labelme_shapes, labelme_write, settings
from countersign.formats.base import (
    NO,
    Format,
    FoundImage,
    Guess,
    Holds,
    ReadOptions,
    WriteOptions,
    atomic,
    image_size,
    peek,
    read_bytes,
    read_text,
)
from countersign.formats.labelme_shapes import Shapes
from countersign.formats.registry import register
from countersign.formats.report import ExportReport, ImportReport

NOT_READ = "a file that is no labelme file"
NO_LABELS = "images without a label file, taken as not labelled"
NO_IMAGE = "the image is not there"
EMBEDDED = "the image is only embedded in the label file and was not taken out"
OTHER_SIZE = "the size in the file is not the image's"

CLASSES = "classes.yaml"
"""Beside the label files: the classes and the names of their keypoints, as X-AnyLabeling keeps them for poses."""

BAD_CLASSES = "a file of classes that cannot be read"

_LOOK = 400
VERSION = "5.5.0"
"""The version of labelme whose format is written."""


class LabelmeReader:
    """Reads a file or a folder of them; the images are beside them, or where ``imagePath`` says."""

    def detect(self, path: Path) -> Guess:
        if path.is_file():
            return Guess(0.9, "it has shapes and imagePath") if _is_labelme(path) else NO
        for seen, name in enumerate(files.files_below(path, (".json",))):
            if _is_labelme(path / name):
                return Guess(0.9, f"{name} has shapes and imagePath")
            if seen >= _LOOK:
                break
        return NO

    def read(self, path: Path, report: ImportReport, options: ReadOptions) -> Iterator[FoundImage]:
        join = settings.choice(options.settings, "groups", ("join", "keep")) == "join"
        root = path if path.is_dir() else path.parent
        finder = files.ImageFinder(options.images) if options.images is not None else None
        _read_classes(root / CLASSES, report)
        seen: set[str] = set()
        read = 0
        for name in [path.name] if path.is_file() else files.files_below(path, (".json",)):
            data = _load(root / name, report, sole=path.is_file())
            if data is None:
                continue
            read += 1
            found = _image(root, name, data, report, options, finder, join)
            if found.path is not None:
                seen.add(str(found.path))
            yield found
        if not read:
            raise FormatError("there are no labelme files", file=str(path))
        if path.is_dir():
            yield from _unlabelled(root, seen, report)


def _read_classes(path: Path, report: ImportReport) -> None:
    """Read ``classes``: a map from each class to the names of its keypoints; ``skeleton`` is our own addition."""
    import yaml

    if not path.is_file():
        return
    try:
        data = yaml.load(read_text(path, report), Loader=yaml.BaseLoader)
        bones = data.get("skeleton") or {}
        for name, points in data["classes"].items():
            pairs = tuple((int(first), int(second)) for first, second in bones.get(name, ()))
            report.add_class(LabelClass(name, keypoint_names=tuple(points or ()), skeleton=pairs))
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError, RecursionError, InvalidInput) as error:
        report.skipped(BAD_CLASSES, file=path, detail=str(error).partition("\n")[0])


def _write_classes(path: Path, classes: Sequence[LabelClass]) -> None:
    import yaml

    bones = {found.name: [list(bone) for bone in found.skeleton] for found in classes if found.skeleton}
    data: dict[str, Any] = {
        "has_visible": True,
        "classes": {found.name: list(found.keypoint_names) for found in classes},
    }
    if bones:
        data["skeleton"] = bones
    with atomic(path) as file:
        file.write(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, default_flow_style=None).encode())


def _is_labelme(path: Path) -> bool:
    if path.suffix.lower() != ".json":
        return False
    text = peek(path)
    if b'"shapes"' in text and (b'"imagePath"' in text or b'"version"' in text or b'"imageData"' in text):
        return True
    # Embedded image data may come before the rest: then the end of the file has the key.
    return b'"imageData"' in text and b'"imagePath"' in text + _end(path)


def _end(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 4096))
            return file.read()
    except OSError:
        return b""


def _load(path: Path, report: ImportReport, *, sole: bool) -> Mapping[str, Any] | None:
    """Read one file; what is none is reported, or raised where it is all that there is."""
    try:
        data = orjson.loads(read_bytes(path).removeprefix(b"\xef\xbb\xbf"))
        problem = "" if isinstance(data, dict) and isinstance(data.get("shapes"), list) else "it has no list of shapes"
    except (orjson.JSONDecodeError, FormatError) as error:
        data, problem = None, str(error)
    if not problem:
        return dict(data)
    if sole:
        raise FormatError(f"this is no labelme file: {problem}", file=str(path))
    report.skipped(NOT_READ, file=path, detail=problem)
    return None


def _image(
    root: Path,
    name: str,
    data: Mapping[str, Any],
    report: ImportReport,
    options: ReadOptions,
    finder: files.ImageFinder | None,
    join: bool,
) -> FoundImage:
    file = root / name
    said = str(data.get("imagePath") or "").replace("\\", "/")
    path = _find(file, said)
    called = _name(root, name, said, path)
    if path is None and finder is not None:
        path = finder.find(called) or finder.find(said)
    if path is None:
        report.note(EMBEDDED if data.get("imageData") else NO_IMAGE, file=file, detail=said)
    size = _size(called, path, data, file, report, options)
    shapes = Shapes(data["shapes"], size, file, report, join)
    labels = (*shapes.labels(), *labelme_shapes.flags(data.get("flags"), data.get("flag_details"), file, report))
    for label in labels:
        report.add_class(label.class_name)
    width, height = size or (None, None)
    return FoundImage(called, labels, path, width, height, complete=not shapes.lost)


def _find(file: Path, said: str) -> Path | None:
    """The image of a label file: where it says, beside it by that name, or beside it by the file's own name."""
    last = said.rpartition("/")[2]
    for candidate in (said, last):
        # Some versions wrote the label file's own name as imagePath.
        if candidate and files.is_image(candidate):
            path = Path(os.path.normpath(file.parent / candidate))
            if files.is_file(path):
                return path
    for ending in (".jpg", ".png", ".jpeg", ".JPG", ".PNG", ".bmp", ".tif", ".tiff", ".webp"):
        path = file.with_suffix(ending)
        if path.is_file():
            return path
    return None


def _name(root: Path, name: str, said: str, path: Path | None) -> str:
    if path is not None and path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    folder, _, _ = name.rpartition("/")
    last = path.name if path is not None else said.rpartition("/")[2]
    if not last or not files.is_image(last):
        return files.stem(name)
    return f"{folder}/{last}" if folder else last


def _size(
    called: str, path: Path | None, data: Mapping[str, Any], file: Path, report: ImportReport, options: ReadOptions
) -> tuple[int, int] | None:
    known = None
    if options.size_of is not None:
        known = options.size_of(called) or (options.size_of(str(path)) if path is not None else None)
    width, height = data.get("imageWidth"), data.get("imageHeight")
    if isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0:
        if known is not None and known != (width, height):
            report.note(OTHER_SIZE, file=file, detail=f"{width}x{height}, the image is {known[0]}x{known[1]}")
        return known or (width, height)
    return known or image_size(called, path, options)


def _unlabelled(root: Path, seen: set[str], report: ImportReport) -> Iterator[FoundImage]:
    """Images in folders with label files that none of these named."""
    folders = {str(Path(path).parent) for path in seen}
    for name in files.images_below(root):
        path = root / name
        if str(path) not in seen and str(path.parent) in folders:
            report.note(NO_LABELS, file=path)
            yield FoundImage(name, path=path, labelled=False, complete=False)


class LabelmeWriter:
    """Writes a JSON file per image, to be opened with labelme."""

    def holds(self, options: WriteOptions) -> Holds:
        return Holds(kinds=frozenset(Kind), confidence=True, attributes=True, parts=True, skeletons=True)

    def write(
        self,
        images: Iterable[tuple[Image, Sequence[Label]]],
        classes: Sequence[LabelClass],
        out: Path,
        report: ExportReport,
        options: WriteOptions,
    ) -> None:
        files.fresh(out, settings.flag(options.settings, "overwrite"))
        how = settings.choice(options.settings, "images", ("none", "link", "copy"))
        points = {found.name: found.keypoint_names for found in classes}
        _write_classes(out / CLASSES, classes)
        report.files += 1
        names = files.Names(report)
        for image, labels in images:
            name = names.give(image)
            target = out / name
            files.place(image, target, how, report)
            file = out / f"{files.stem(name)}.json"
            data = {
                "version": VERSION,
                **labelme_write.flags_of(labels, image, report),
                "shapes": labelme_write.shapes_of(labels, points, image, report),
                "imagePath": target.name if how != "none" else _relative(image, file, target.name),
                "imageData": None,
                "imageHeight": image.height,
                "imageWidth": image.width,
            }
            with atomic(file) as opened:
                opened.write(orjson.dumps(data, option=orjson.OPT_INDENT_2) + b"\n")
            report.files += 1


def _relative(image: Image, file: Path, name: str) -> str:
    """The way from a label file to its image, as labelme opens it; the name alone if the image is not there."""
    if not image.path or not Path(image.path).is_file() or Path(image.path).name != name:
        return name
    try:
        return os.path.relpath(image.path, file.parent).replace("\\", "/")
    except ValueError:  # another drive
        return Path(image.path).as_posix()


register(
    Format(
        name="labelme",
        title="labelme",
        about=(
            "Polygons, rectangles, circles, points and painted masks, with image flags as classes, one JSON file per "
            "image; also as X-AnyLabeling writes it, with scores and attributes. Points that share a group with a "
            "rectangle are its keypoints."
        ),
        reader=LabelmeReader(),
        writer=LabelmeWriter(),
        out="folder",
        read_settings={
            "groups": "Polygons of one class and group: join (default: one label of several parts) or keep apart."
        },
        write_settings={
            "images": "none (default: the files say where the images are), link or copy: put the images beside them.",
            "overwrite": "yes: write into a folder that is not empty. Default no.",
        },
    )
)
