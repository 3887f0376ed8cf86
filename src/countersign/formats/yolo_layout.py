"""Where a YOLO data set keeps its images, labels and class names: data.yaml, obj.data, lists, or plain folders.

A data.yaml is believed as far as it is true: folders that it names wrongly are looked for where they usually are, and
the report says so. The label lines themselves are read in ``yolo_read``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from countersign.domain.errors import FormatError
from countersign.formats import files
from countersign.formats.base import peek, read_text
from countersign.formats.report import ImportReport

ELSEWHERE = "data.yaml names a folder that is not there, another was read"
NOT_THERE = "data.yaml names images that are not there"
NOT_NAMED = "images in a folder that data.yaml does not name were not read"

NAME_FILES = (
    "classes.txt",
    "obj.names",
    "classes.names",
    "names.txt",
    "labels.txt",
    "coco.names",
    "predefined_classes.txt",
)
IMAGE_FOLDERS = ("images", "image", "jpegimages", "imgs", "img")
LABEL_FOLDERS = ("labels", "label", "annotations", "txt")
_SPLIT_KEYS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}


@dataclass(frozen=True, slots=True)
class Source:
    """A folder of images, or a file that lists them, one path a line. ``split`` None: each image's folder says it."""

    path: Path
    split: str | None
    is_list: bool = False


@dataclass(slots=True)
class Layout:
    """A data set as found. ``names`` maps class numbers to names, None where nothing says them."""

    root: Path
    sources: list[Source] = field(default_factory=list)
    names: dict[int, str] | None = None
    keypoints: tuple[int, int] | None = None
    keypoint_names: dict[int, tuple[str, ...]] = field(default_factory=dict)
    skeletons: dict[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    described_by: Path | None = None


def find(path: Path, report: ImportReport) -> Layout:
    """Find the layout of a folder, a data.yaml, an obj.data or a list of images. Raises FormatError."""
    if path.is_file():
        if path.suffix.lower() in (".yaml", ".yml"):
            return _of_yaml(path, report)
        if path.suffix.lower() == ".data":
            return _of_darknet(path, report)
        return Layout(path.parent, [Source(path, files.split_of(path.stem), True)], _names_beside(path.parent, report))
    described = description(path)
    if described is not None:
        return _of_yaml(described, report) if described.suffix.lower() != ".data" else _of_darknet(described, report)
    return Layout(path, guess_sources(path), _names_beside(path, report))


def description(folder: Path) -> Path | None:
    """Return the data.yaml (or obj.data) of a folder, None if there is none."""
    try:
        found = sorted(entry for entry in folder.iterdir() if entry.suffix.lower() in (".yaml", ".yml", ".data"))
    except OSError:
        return None
    found.sort(key=lambda entry: (entry.suffix.lower() == ".data", entry.stem.lower() not in ("data", "dataset")))
    for entry in found:
        text = peek(entry)
        if entry.suffix.lower() == ".data" and b"names" in text:
            return entry
        if (b"names" in text or b"nc:" in text) and (b"train" in text or b"val" in text or b"path" in text):
            return entry
    return None


# --- data.yaml -----------------------------------------------------------------------------------------------------


def _of_yaml(path: Path, report: ImportReport) -> Layout:
    import yaml

    try:
        # BaseLoader makes only texts, lists and maps: a class named "no" or "1" stays what it is.
        data = yaml.load(read_text(path, report), Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise FormatError(f"this is no YAML: {str(error).splitlines()[0]}", file=str(path)) from error
    if not isinstance(data, Mapping):
        raise FormatError("this is no description of a YOLO data set", file=str(path))
    layout = Layout(path.parent, described_by=path)
    layout.names = _yaml_names(data, path)
    layout.keypoints = _keypoint_shape(data, path)
    layout.keypoint_names = _keypoint_names(data.get("kpt_names"))
    layout.skeletons = _skeletons(data.get("kpt_skeleton"), layout.keypoint_names)
    for key, split in _SPLIT_KEYS.items():
        value = data.get(key)
        for entry in value if isinstance(value, list) else [value]:
            if isinstance(entry, str) and entry.strip():
                source = _resolve(entry.strip(), split, str(data.get("path") or ""), layout, report)
                if source is not None and source not in layout.sources:
                    layout.sources.append(source)
    if not layout.sources:
        layout.sources = guess_sources(path.parent)
    else:
        _note_unnamed(layout, report)
    return layout


def _yaml_names(data: Mapping[str, Any], path: Path) -> dict[int, str] | None:
    names = data.get("names")
    if isinstance(names, str) and names.strip():
        beside = path.parent / names.strip()
        names = beside.read_text(encoding="utf-8", errors="replace").splitlines() if files.is_file(beside) else [names]
    if isinstance(names, Mapping):
        try:
            return {int(key): str(value).strip() for key, value in names.items() if isinstance(value, str)}
        except ValueError as error:
            raise FormatError("the keys of names are not numbers", file=str(path)) from error
    if isinstance(names, list):
        return {index: value.strip() for index, value in enumerate(names) if isinstance(value, str)}
    count = str(data.get("nc", ""))
    return {index: f"class_{index}" for index in range(min(int(count), 100_000))} if count.isdigit() else None


def _keypoint_shape(data: Mapping[str, Any], path: Path) -> tuple[int, int] | None:
    shape = data.get("kpt_shape")
    if shape is None:
        return None
    try:
        count, numbers = (int(value) for value in shape)
    except (TypeError, ValueError):
        count, numbers = 0, 0
    if count < 1 or numbers not in (2, 3):
        raise FormatError("kpt_shape is not [number of points, 2 or 3]", file=str(path))
    return count, numbers


def _keypoint_names(value: Any) -> dict[int, tuple[str, ...]]:
    if not isinstance(value, Mapping):
        return {}
    return {
        int(key): tuple(str(name) for name in names)
        for key, names in value.items()
        if str(key).isdigit() and isinstance(names, list)
    }


def _skeletons(value: Any, names: Mapping[int, tuple[str, ...]]) -> dict[int, tuple[tuple[int, int], ...]]:
    """Bones as pairs of points, of the classes whose bones make sense."""
    found: dict[int, tuple[tuple[int, int], ...]] = {}
    for key, bones in value.items() if isinstance(value, Mapping) else ():
        try:
            pairs = tuple((int(first), int(second)) for first, second in bones)
        except (TypeError, ValueError):
            continue
        count = len(names.get(int(key), ())) if str(key).isdigit() else 0
        if all(0 <= point < count for pair in pairs for point in pair):
            found[int(key)] = pairs
    return found


def _resolve(entry: str, split: str, base: str, layout: Layout, report: ImportReport) -> Source | None:
    """Find what data.yaml names, as Ultralytics would, else where it probably is."""
    entry, base = entry.replace("\\", "/"), base.replace("\\", "/")
    root = layout.root
    for candidate in _candidates(entry, base, root):
        if files.exists(candidate):
            return _source(candidate, split)
    for candidate in _elsewhere(entry, split, root):
        if files.exists(candidate):
            report.changed(ELSEWHERE, file=layout.described_by or "", where=split, detail=f"{entry} -> {candidate}")
            return _source(candidate, split)
    report.skipped(NOT_THERE, file=layout.described_by or "", where=split, detail=entry)
    return None


def _candidates(entry: str, base: str, root: Path) -> Iterator[Path]:
    bases = [root / base, root, root.parent / base, root.parent]
    for start in bases:
        yield Path(os.path.normpath(start / entry))
        if entry.startswith("../"):
            yield Path(os.path.normpath(start / entry[3:]))


def _elsewhere(entry: str, split: str, root: Path) -> Iterator[Path]:
    """The tail of a path below the root (a data set that was moved), also with other names for the split."""
    parts = [part for part in PurePosixPath(entry).parts if part not in ("/", "..", ".")]
    for length in range(min(len(parts), 4), 0, -1):
        tail = parts[-length:]
        yield root.joinpath(*tail)
        for index, part in enumerate(tail):
            if files.split_of(part):
                for other in files.split_names(files.split_of(part)):
                    yield root.joinpath(*tail[:index], other, *tail[index + 1 :])
    for other in files.split_names(split):
        yield root / "images" / other
        yield root / other / "images"


def _source(path: Path, split: str) -> Source:
    return Source(path, split, is_list=path.is_file())


def _note_unnamed(layout: Layout, report: ImportReport) -> None:
    named = [source.path.resolve() for source in layout.sources if not source.is_list]
    if len(named) != len(layout.sources):
        return
    for source in guess_sources(layout.root):
        if source.path == layout.root:
            continue
        folder = source.path.resolve()
        if not any(folder == other or folder in other.parents or other in folder.parents for other in named):
            report.skipped(NOT_NAMED, file=source.path)


# --- darknet and plain folders -------------------------------------------------------------------------------------


def _of_darknet(path: Path, report: ImportReport) -> Layout:
    values: dict[str, str] = {}
    for line in read_text(path, report).splitlines():
        key, sep, value = line.partition("=")
        if sep:
            values[key.strip().lower()] = value.strip().replace("\\", "/")
    layout = Layout(path.parent, described_by=path)
    named = _below(path.parent, values.get("names", ""))
    layout.names = read_names(named, report) if named is not None else _names_beside(path.parent, report)
    for key in ("train", "valid", "val", "test"):
        if key in values:
            found = _below(path.parent, values[key])
            if found is None:
                report.skipped("obj.data names a list that is not there", file=path, where=key, detail=values[key])
            else:
                layout.sources.append(_source(found, _SPLIT_KEYS[key]))
    if not layout.sources:
        layout.sources = guess_sources(path.parent)
    return layout


def _below(root: Path, name: str) -> Path | None:
    """Darknet's paths are another machine's: try the whole path, then ever shorter tails of it below the root."""
    if not name:
        return None
    parts = PurePosixPath(name).parts
    for candidate in (
        Path(name) if name.startswith("/") else root / name,
        *(root.joinpath(*parts[i:]) for i in range(1, len(parts))),
    ):
        if files.exists(candidate):
            return candidate
    return None


def read_names(path: Path, report: ImportReport) -> dict[int, str]:
    """Read a file of class names, one a line; the line's number, from 0, is the class."""
    lines = read_text(path, report).splitlines()
    return {index: line.strip() for index, line in enumerate(lines) if line.strip()}


def _names_beside(folder: Path, report: ImportReport) -> dict[int, str] | None:
    for base in (
        folder,
        folder.parent if folder.name.lower() in (*IMAGE_FOLDERS, *LABEL_FOLDERS) else folder / "labels",
    ):
        for name in NAME_FILES:
            if (base / name).is_file():
                return read_names(base / name, report)
        other = sorted(base.glob("*.names")) if base.is_dir() else []
        if other:
            return read_names(other[0], report)
    return None


def guess_sources(root: Path) -> list[Source]:
    """Find the images of a folder that no file describes."""
    lists = [entry for split in ("train", "val", "test") for name in files.split_names(split)
             if is_image_list(entry := root / f"{name}.txt")]  # fmt: skip
    if lists:
        return [Source(entry, files.split_of(entry.stem), True) for entry in lists]
    folders = files.subfolders(root)
    found = [Source(folder, None) for folder in folders if folder.name.lower() in IMAGE_FOLDERS]
    for folder in folders:
        inner = [sub for sub in files.subfolders(folder) if sub.name.lower() in IMAGE_FOLDERS]
        if inner and folder.name.lower() not in IMAGE_FOLDERS:
            found += [Source(sub, files.split_of(folder.name)) for sub in inner]
    if not found:
        # train/a.jpg with train/a.txt: the folders' names are splits; else whatever lies below.
        split = [Source(folder, files.split_of(folder.name)) for folder in folders if files.split_of(folder.name)]
        found = split or [Source(root, "")]
    return found


def looks_like_labels(path: Path) -> bool:
    """Say whether a text file's first line is a label's: a whole number, then four or more numbers."""
    first = peek(path, 65536).decode("utf-8", errors="replace").strip().splitlines()
    columns = first[0].replace(",", " ").split() if first else []
    try:
        numbers = [float(column) for column in columns]
    except ValueError:
        return False
    return len(numbers) >= 5 and numbers[0].is_integer()


def is_image_list(path: Path) -> bool:
    """Say whether a text file's first line is the path of an image."""
    first = peek(path, 4096).decode("utf-8", errors="replace").lstrip("\ufeff").strip().splitlines()
    return bool(first) and files.is_image(first[0].strip())


# --- labels --------------------------------------------------------------------------------------------------------


def label_folders(folder: Path, root: Path) -> list[Path]:
    """Where the labels of a folder's images may be: ``images`` swapped for ``labels`` (last one first), else beside.

    Only folders that exist; only parts of the path below the data set's root (or its last two) are swapped.
    """
    parts = folder.parts
    low = len(root.parts) if parts[: len(root.parts)] == root.parts else max(0, len(parts) - 3)
    found = []
    for index in range(len(parts) - 1, low - 1, -1):
        if parts[index].lower() in IMAGE_FOLDERS:
            for name in LABEL_FOLDERS:
                for spelled in (name, name.capitalize(), name.upper()):
                    candidate = Path(*parts[:index], spelled, *parts[index + 1 :])
                    if candidate.is_dir() and candidate not in found:
                        found.append(candidate)
    inner = [folder / name for name in LABEL_FOLDERS[:1] if (folder / name).is_dir()]
    return [*found, *inner, folder]
