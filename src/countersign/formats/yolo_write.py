"""Writing a YOLO folder that Ultralytics trains on: data.yaml, images/<split>, labels/<split>.

A data set has one task. Which one, ``auto`` knows only when the last label has been seen: label files of the simpler
kinds are then rewritten, for Ultralytics misreads boxes beside polygons and refuses boxes beside keypoints.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from countersign.domain.geometry import Box, Geometry, Keypoints, Kind, Polygon
from countersign.domain.image import Image
from countersign.domain.label import Label, LabelClass
from countersign.formats import files, fit, settings
from countersign.formats.base import Holds, WriteOptions, atomic
from countersign.formats.report import ExportReport

TASKS = ("auto", "detect", "segment", "pose", "classify")
READABLE = frozenset((".bmp", ".dng", ".jpeg", ".jpg", ".mpo", ".png", ".tif", ".tiff", ".webp", ".pfm", ".heic"))

BOX_AS_POLYGON = "boxes were written as polygons of four corners: a YOLO data set with polygons holds nothing else"
BOX_ALONE = "boxes were written with keypoints that are not labelled: a YOLO pose data set holds nothing else"
POLYGON_AS_BOX = "polygons were written as boxes: a YOLO pose data set holds nothing else"
FEWER_POINTS = "keypoints were filled up with points that are not labelled: kpt_shape is one for all classes"
BOX_MADE = "keypoints without a box got one around their points"
POINT_OUTSIDE = "a keypoint outside the image was written as not labelled"
SPLIT_UNKNOWN = "the split is none of train, val, test: drawn"
NO_VAL = "no image is in val: data.yaml names another split for it"
NO_TRAIN = "no image is in train: data.yaml names another split for it"
NOT_READABLE = "Ultralytics does not read images of this kind"


def holds(options: WriteOptions) -> Holds:
    """What a YOLO folder holds, by its task."""
    task = settings.choice(options.settings, "task", TASKS)
    kinds = {
        "auto": {Kind.BOX, Kind.POLYGON, Kind.KEYPOINTS},
        "detect": {Kind.BOX},
        "segment": {Kind.POLYGON},
        "pose": {Kind.BOX, Kind.KEYPOINTS},
        "classify": {Kind.CLASSIFICATION},
    }[task]
    classify = task == "classify"
    return Holds(
        kinds=frozenset(kinds),
        confidence=not classify and settings.flag(options.settings, "confidences"),
        parts=False,
        bridges=True,
        splits=True,
        skeletons=task in ("auto", "pose"),
        many=not classify,
        empty_images=not classify,
    )


@dataclass(slots=True)
class _Written:
    """An image that has been written: enough to rewrite its labels and to move it to another split."""

    split: str
    name: str
    kinds: str  # one letter a line: b box, p polygon, k keypoints
    draw: float | None  # the number drawn for its split; None where the image said its split


@dataclass(slots=True)
class _Export:
    out: Path
    report: ExportReport
    how: str
    confidences: bool
    points: int = 0
    done: list[_Written] = field(default_factory=list)

    def image_path(self, split: str, name: str) -> Path:
        return self.out / "images" / split / name

    def label_path(self, split: str, name: str) -> Path:
        """Where Ultralytics looks: the last folder ``images`` swapped, which may be one of the image's own name."""
        path = f"/images/{split}/{name}"
        before, _, after = path.rpartition("/images/")
        return self.out / f"{before}/labels/{files.stem(after)}.txt".lstrip("/")


def write(
    images: Iterable[tuple[Image, Sequence[Label]]],
    classes: Sequence[LabelClass],
    out: Path,
    report: ExportReport,
    options: WriteOptions,
) -> None:
    """Write a detect, segment or pose data set. See ``Writer.write``."""
    given = options.settings
    files.fresh(out, settings.flag(given, "overwrite"))
    export = _Export(out, report, settings.choice(given, "images", files.PLACES), settings.flag(given, "confidences"))
    export.points = max((len(found.keypoint_names) for found in classes), default=0)
    numbers = {found.name: index for index, found in enumerate(classes)}
    draw = Draw(given, report)
    names = files.Names(report)
    for image, labels in images:
        split, drawn = draw.split(image)
        name = names.give(image, split)
        _place(image, name, split, export)
        lines, kinds = _lines(image, labels, numbers, export)
        _write_lines(export, split, name, lines)
        export.done.append(_Written(split, name, kinds, drawn))
    _move_into_empty(export)
    kind = _settle(export)
    if kind != "k":
        export.points = 0
    _describe(export, classes, given)


def _place(image: Image, name: str, split: str, export: _Export) -> None:
    if files.ending(name) not in READABLE:
        export.report.note(NOT_READABLE, where=image.name)
    if export.how != "none":
        files.place(image, export.image_path(split, name), export.how, export.report)


def _write_lines(export: _Export, split: str, name: str, lines: Sequence[str]) -> None:
    with atomic(export.label_path(split, name)) as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
    export.report.files += 1


# --- splits --------------------------------------------------------------------------------------------------------


class Draw:
    """Says each image's split: its own, else one drawn by a seed and its content, whatever comes before it."""

    def __init__(self, given: Mapping[str, Any], report: ExportReport) -> None:
        self._val = settings.number(given, "val", 0.2, 0, 1)
        self._test = settings.number(given, "test", 0.0, 0, 1)
        self._seed = int(settings.number(given, "seed", 0, 0, 2**31))
        self._report = report

    def split(self, image: Image) -> tuple[str, float | None]:
        own = files.split_of(image.split)
        if own:
            return own, None
        if image.split:
            self._report.changed(SPLIT_UNKNOWN, where=image.name, detail=image.split)
        digest = hashlib.sha256(f"{self._seed}:{image.content_hash or image.name}".encode()).digest()
        drawn = int.from_bytes(digest[:8], "big") / 2**64
        if drawn < self._val:
            return "val", drawn
        return ("test" if drawn < self._val + self._test else "train"), drawn

    def splits(self, images: Sequence[Image]) -> list[str]:
        """The splits of all images, such that neither train nor val is empty if there are two that were drawn."""
        drawn = [self.split(image) for image in images]
        for number, to in _into_empty(drawn):
            drawn[number] = (to, drawn[number][1])
        return [split for split, _ in drawn]


def _into_empty(drawn: Sequence[tuple[str, float | None]]) -> list[tuple[int, str]]:
    """Few images may all have been drawn into one split: give val, or train, the one that was closest to it.

    Takes each image's split and number drawn (None where it was not); returns which image goes where.
    """
    for empty, full, pick in (("val", "train", min), ("train", "val", max)):
        if any(split == empty for split, _ in drawn):
            continue
        movable = {index: number for index, (split, number) in enumerate(drawn) if split == full and number is not None}
        if movable and sum(split == full for split, _ in drawn) >= 2:
            return [(pick(movable, key=movable.__getitem__), empty)]
    return []


def _move_into_empty(export: _Export) -> None:
    for number, to in _into_empty([(written.split, written.draw) for written in export.done]):
        written = export.done[number]
        pairs = [(export.label_path(written.split, written.name), export.label_path(to, written.name))]
        pairs.append((export.image_path(written.split, written.name), export.image_path(to, written.name)))
        for before, after in pairs:
            if before.exists() or before.is_symlink():
                after.parent.mkdir(parents=True, exist_ok=True)
                before.replace(after)
        written.split = to


# --- label lines ---------------------------------------------------------------------------------------------------


def _lines(image: Image, labels: Sequence[Label], numbers: dict[str, int], export: _Export) -> tuple[list[str], str]:
    lines, kinds = [], []
    for label in labels:
        where = image.name if label.id is None else f"{image.name}, label {label.id}"
        geometry = label.geometry
        assert geometry is not None, "classifications are kept out by holds"
        inside = fit.to_image(geometry, image.width, image.height, export.report, file="", where=where)
        if inside is None:
            continue
        kind, shares = _shares(inside, image, export, where)
        text = " ".join([str(numbers[label.class_name]), *(_text(value) for value in shares)])
        if export.confidences and label.confidence is not None:
            text += f" {_text(label.confidence)}"
        lines.append(text)
        kinds.append(kind)
    return lines, "".join(kinds)


def _text(value: float) -> str:
    text = f"{value:.9f}".rstrip("0").rstrip(".")
    return text if text not in ("", "-0") else "0"


def _shares(geometry: Geometry, image: Image, export: _Export, where: str) -> tuple[str, list[float]]:
    width, height = image.width, image.height
    if isinstance(geometry, Polygon):
        ring = geometry.rings[0]
        return "p", [value / (height if index % 2 else width) for index, value in enumerate(ring)]
    if isinstance(geometry, Keypoints):
        box = geometry.box
        if box is None:
            export.report.note(BOX_MADE, where=where)
            box = _around(geometry)
        return "k", _box_shares(box, width, height) + _point_shares(geometry, image, export, where)
    assert isinstance(geometry, Box)
    return "b", _box_shares(geometry, width, height)


def _box_shares(box: Box, width: int, height: int) -> list[float]:
    x0, y0, x1, y1 = box.corners
    x0, x1 = min(max(x0, 0.0), width), min(max(x1, 0.0), width)
    y0, y1 = min(max(y0, 0.0), height), min(max(y1, 0.0), height)
    return [(x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height]


def _around(geometry: Keypoints) -> Box:
    x, y, width, height = geometry.bounds
    # A single point (or points in a row) has no area, and a box needs some: half a pixel on each side.
    wide, high = max(width, 1.0), max(height, 1.0)
    return Box(x - (wide - width) / 2, y - (high - height) / 2, wide, high)


def _point_shares(geometry: Keypoints, image: Image, export: _Export, where: str) -> list[float]:
    shares: list[float] = []
    for index in range(0, len(geometry.points), 3):
        x, y, v = geometry.points[index : index + 3]
        if v and not (0 <= x <= image.width and 0 <= y <= image.height):
            export.report.changed(POINT_OUTSIDE, where=where)
            v = 0.0
        shares += [x / image.width, y / image.height, v] if v else [0.0, 0.0, 0.0]
    missing = export.points - len(shares) // 3
    if missing > 0:
        export.report.changed(FEWER_POINTS, where=where)
        shares += [0.0] * (3 * missing)
    export.points = max(export.points, len(shares) // 3)
    return shares


def _settle(export: _Export) -> str:
    """Make all label files of one kind: the richest that was seen. Returns its letter."""
    seen = {kind for written in export.done for kind in written.kinds}
    richest = next((kind for kind in "kpb" if kind in seen), "b")
    if richest == "b":
        return richest
    for written in export.done:
        if any(kind != richest for kind in written.kinds) or "k" in written.kinds:
            _rewrite(written, richest, export)
    return richest


def _rewrite(written: _Written, richest: str, export: _Export) -> None:
    path = export.label_path(written.split, written.name)
    before = path.read_text(encoding="utf-8").splitlines()
    after = [_as(line.split(), kind, richest, export) for line, kind in zip(before, written.kinds, strict=True)]
    if after != before:
        with atomic(path) as file:
            file.write("".join(f"{line}\n" for line in after).encode())


def _as(columns: list[str], kind: str, richest: str, export: _Export) -> str:
    number, values = columns[0], columns[1:]
    plain = {"b": 4, "k": len(values) - len(values[4:]) % 3, "p": len(values) - len(values) % 2}[kind]
    values, confidence = values[:plain], values[plain:]
    if richest == "p" and kind == "b":
        export.report.changed(BOX_AS_POLYGON)
        x, y, w, h = map(float, values)
        x0, y0, x1, y1 = x - w / 2, y - h / 2, x + w / 2, y + h / 2
        values = [_text(value) for value in (x0, y0, x1, y0, x1, y1, x0, y1)]
    elif richest == "k":
        if kind == "p":
            export.report.changed(POLYGON_AS_BOX)
            xs, ys = [float(value) for value in values[0::2]], [float(value) for value in values[1::2]]
            x0, x1, y0, y1 = min(xs), max(xs), min(ys), max(ys)
            values = [_text(value) for value in ((x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0)]
        elif kind == "b":
            export.report.changed(BOX_ALONE)
        values = values + ["0"] * (4 + 3 * export.points - len(values))
    return " ".join([number, *values, *confidence])


# --- data.yaml -----------------------------------------------------------------------------------------------------


def _describe(export: _Export, classes: Sequence[LabelClass], given: Mapping[str, Any]) -> None:
    import yaml

    used = sorted({written.split for written in export.done}, key=("train", "val", "test").index)
    data: dict[str, object] = {}
    if settings.choice(given, "path", ("omit", "absolute")) == "absolute":
        data["path"] = str(export.out.absolute())
    for split, note in (("train", NO_TRAIN), ("val", NO_VAL), ("test", "")):
        if split in used:
            data[split] = _entry(export, split)
        elif note and used:
            export.report.note(note, where=split, detail=used[0])
            data[split] = _entry(export, used[0])
        elif note:
            data[split] = f"images/{split}"
    data["nc"] = len(classes)
    data["names"] = {index: found.name for index, found in enumerate(classes)}
    data.update(_keypoints(export, classes))
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120)
    head = (
        "# Written by Countersign. Folders are relative to this file, where Ultralytics looks if there is no `path`.\n"
    )
    with atomic(export.out / "data.yaml") as file:
        file.write((head + text).encode())
    export.report.files += 1


def _entry(export: _Export, split: str) -> str:
    """The folder of a split; a list of images where they are not placed, so that their names are not lost."""
    if export.how != "none":
        return f"images/{split}"
    path = export.out / f"{split}.txt"
    if not path.exists():
        with atomic(path) as file:
            names = sorted(written.name for written in export.done if written.split == split)
            file.write("".join(f"./images/{split}/{name}\n" for name in names).encode())
    return path.name


def _keypoints(export: _Export, classes: Sequence[LabelClass]) -> dict[str, object]:
    data: dict[str, object] = {"kpt_shape": [export.points, 3]} if export.points else {}
    named = {index: list(found.keypoint_names) for index, found in enumerate(classes) if found.keypoint_names}
    # Without flip_idx Ultralytics does not mirror images, which is right where nobody knows left from right.
    lists = {tuple(_flipped(names)) for names in named.values() if len(names) == export.points}
    if export.points and len(lists) == 1 and len(named) == len(classes):
        data["flip_idx"] = list(lists.pop())
    if named:
        data["kpt_names"] = named
    # Ultralytics knows names of keypoints; bones are our own entry, which it leaves alone.
    bones = {index: [list(bone) for bone in found.skeleton] for index, found in enumerate(classes) if found.skeleton}
    if bones:
        data["kpt_skeleton"] = bones
    return data


def _flipped(names: Sequence[str]) -> list[int]:
    """The index of each point's mirror image, by ``left`` and ``right`` (or a single l and r) in the names."""
    places = {name.lower(): index for index, name in enumerate(names)}
    return [places.get(_mirror(name.lower()), index) for index, name in enumerate(names)]


def _mirror(name: str) -> str:
    for one, other in (("left", "right"), ("right", "left")):
        if one in name:
            return name.replace(one, other)
    for one, other in (("l_", "r_"), ("r_", "l_"), ("l-", "r-"), ("r-", "l-")):
        if name.startswith(one):
            return other + name[2:]
        if name.endswith(one[::-1]):
            return name[:-2] + other[::-1]
    return name
