"""What the formats are tried with: every writer in its default settings, and the variants named here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from countersign import formats
from countersign.domain import mask as masks
from countersign.domain.geometry import Box, Ellipse, Geometry, Keypoints, Kind, Mask, Polygon
from countersign.domain.image import Image
from countersign.domain.label import Label, LabelClass
from countersign.formats import FoundImage, Holds, ImportReport, ReadOptions, WriteOptions

POINTS = ("head", "left", "right")
NAMES = ("cell", "zwei", "red cell")
CELL = 32
"""Labels of one image lie in columns of this width, one each: some formats cannot hold labels that overlap."""


@dataclass(frozen=True)
class Case:
    """A format with settings. ``slack`` is by how many pixels coordinates may differ after a round trip.

    The rest is what ``Holds`` is too coarse for (each is reported when it is lost, by the writer's own tests):
    ``bones`` of skeletons, and confidences and attributes of ``classifications``.
    """

    format: str
    write: Mapping[str, Any] = field(default_factory=dict)
    read: Mapping[str, Any] = field(default_factory=dict)
    slack: float = 0.01
    bones: bool = True
    classifications: bool = True

    @property
    def id(self) -> str:
        return self.format + "".join(f"-{name}={value}" for name, value in self.write.items())

    @property
    def holds(self) -> Holds:
        writer = formats.get(self.format).writer
        assert writer is not None
        return writer.holds(WriteOptions(settings=self.write))

    def classes(self, images: Sequence[tuple[Image, Sequence[Label]]]) -> list[LabelClass]:
        """As much of three classes as the format can hold: with skeletons, and the unused ones, only if it can."""
        used = {label.class_name for _, labels in images for label in labels}
        names = [name for name in NAMES if self.holds.unused_classes or name in used]
        if not self.holds.skeletons:
            return [LabelClass(name) for name in names]
        bones = ((0, 1), (0, 2)) if self.bones else ()
        return [LabelClass(name, keypoint_names=POINTS, skeleton=bones) for name in names]

    def out(self, folder: Path) -> Path:
        made = formats.get(self.format)
        one_file = made.out == "file" and not self.write.get("by_split")
        return folder / f"out{made.suffix if one_file else ''}"


SPECIAL = [
    Case("coco"),
    Case("coco", {"by_split": True}),
    Case("csv"),
    Case("csv", {"all_columns": True}),
    Case("labelme", classifications=False),
    Case("yolo", bones=False),
    Case("yolo", {"task": "detect"}, bones=False),
    Case("yolo", {"task": "segment"}, bones=False),
    Case("yolo", {"task": "pose"}, bones=False),
]
_named = {case.format for case in SPECIAL}
_written = {made.name for made in formats.formats() if made.writer is not None}
CASES = [case for case in SPECIAL if case.format in _written] + [Case(name) for name in sorted(_written - _named)]


def write_and_read(
    case: Case, images: Sequence[tuple[Image, list[Label]]], folder: Path
) -> tuple[list[FoundImage], formats.ExportReport, ImportReport]:
    """Write, then read what was written."""
    out, classes = case.out(folder), case.classes(images)
    written = formats.write(case.format, images, classes, out, options=WriteOptions(settings=case.write))
    report = ImportReport()
    options = ReadOptions(
        images=Path(images[0][0].path).parent if case.format in ("coco", "csv") else None,
        size_of=lambda name: (images[0][0].width, images[0][0].height),
        own_ids=lambda: ({image.id: image.name for image, _ in images}, classes),
        settings=case.read,
    )
    return list(formats.read(out, format=case.format, options=options, report=report)), written, report


# Labels ----------------------------------------------------------------------------------------------------

# Whole pixels, so that formats of whole pixels can be tried as well.
_words = st.text(st.characters(categories=["L", "N", "S"]), min_size=1, max_size=5)
_steps = st.integers(0, 20).map(float)


@st.composite
def labels(draw: st.DrawFn, case: Case, kind: Kind, image: Image) -> list[Label]:
    """Up to three labels of one kind that the format can hold as they are, of different classes, side by side."""
    holds = case.holds
    if kind is Kind.CLASSIFICATION and not case.classifications:
        holds = replace(holds, confidence=False, attributes=False)
    count = draw(st.integers(1, 3)) if holds.many else 1
    names = draw(st.permutations(NAMES))
    return [draw(label(holds, kind, image, names[column], column * CELL)) for column in range(count)]


@st.composite
def label(draw: st.DrawFn, holds: Holds, kind: Kind, image: Image, class_name: str, left: float) -> Label:
    geometry = draw(geometry_of(kind, left, image, holes=holds.holes, parts=holds.parts, box=holds.keypoint_box))
    scores = st.floats(0, 1).map(lambda value: round(value, 4))
    confidence: float | None = None
    if holds.confidence:
        confidence = draw(scores if not holds.unscored else st.none() | scores)
    attributes: dict[str, Any] = {}
    if holds.attributes is True:
        attributes = draw(
            st.dictionaries(st.sampled_from(["note", "ünï", "n"]), st.integers(0, 9) | st.text(max_size=5))
        )
    return Label(class_name, geometry, confidence, attributes=attributes)


@st.composite
def geometry_of(
    draw: st.DrawFn, kind: Kind, left: float, image: Image, *, holes: bool, parts: bool, box: bool
) -> Geometry | None:
    """A geometry of this kind between ``left + 1`` and ``left + CELL - 1``."""
    x, y = left + 1 + draw(st.integers(0, 5)), 1 + draw(_steps)
    width, height = float(draw(st.integers(12, 24))), float(draw(st.integers(12, 40)))
    match kind:
        case Kind.CLASSIFICATION:
            return None
        case Kind.BOX:
            return Box(x, y, width, height)
        case Kind.ELLIPSE:
            return Ellipse(x + width / 2, y + width / 2, width / 2, width / 2)
        case Kind.KEYPOINTS:
            return draw(keypoints(x, y, width, height, box))
        case Kind.MASK:
            return draw(painted(x, y, width, height, image))
        case Kind.POLYGON:
            return draw(polygon(x, y, width, height, holes, parts))


@st.composite
def polygon(draw: st.DrawFn, x: float, y: float, width: float, height: float, holes: bool, parts: bool) -> Polygon:
    middle = x + draw(st.integers(3, 9))
    rings = [(x, y, x + width, y, x + width, y + height, middle, y + height)]
    if parts and draw(st.booleans()):
        rings = [(x, y, x + 4, y, x + 4, y + 4), (x + 6, y, x + width, y, x + width, y + height, x + 6, y + height)]
    cut = [(x + 7, y + 2, x + 9, y + 2, x + 9, y + 6)] if holes and len(rings) > 1 else []
    return Polygon(tuple(rings), tuple(cut))


@st.composite
def keypoints(draw: st.DrawFn, x: float, y: float, width: float, height: float, box: bool) -> Keypoints:
    seen = draw(st.lists(st.integers(0, 2), min_size=3, max_size=3).filter(any))
    places = [(x + 2, y + 2), (x + width - 3, y + 4), (x + 5, y + height - 2)]
    flat = [value for (px, py), v in zip(places, seen, strict=True) for value in ((px, py, v) if v else (0, 0, 0))]
    around = Box(x, y, width, height) if box else None
    return Keypoints(tuple(float(value) for value in flat), around)


@st.composite
def painted(draw: st.DrawFn, x: float, y: float, width: float, height: float, image: Image) -> Mask:
    array = np.zeros((image.height, image.width), bool)
    top, first = int(y), int(x)
    array[top : top + int(height), first : first + int(width)] = True
    seed = draw(st.integers(0, 2**16))
    noise = np.random.default_rng(seed).random((3, 3)) < 0.5
    array[top + 2 : top + 5, first + 2 : first + 5] &= noise  # holes, and ragged ones
    return masks.encode(array)


# Comparing -------------------------------------------------------------------------------------------------


def same(first: Geometry | None, second: Geometry | None, slack: float) -> bool:
    """Whether two geometries are the same to within ``slack`` pixels."""
    if type(first) is not type(second):
        return False
    if isinstance(first, Mask) or first is None:
        return first == second
    one, other = numbers(first), numbers(second)
    return len(one) == len(other) and bool(np.allclose(one, other, atol=slack, rtol=0))


def numbers(geometry: Geometry | None) -> list[float]:
    match geometry:
        case Box():
            return list(geometry.bounds)
        case Polygon():
            return [value for ring in (*geometry.rings, *geometry.holes) for value in (*ring, len(ring))]
        case Keypoints():
            return [*geometry.points, *geometry.bounds]
        case Ellipse():
            return [geometry.cx, geometry.cy, geometry.rx, geometry.ry, geometry.angle]
        case _:
            return []


def by_picture(found: Sequence[FoundImage], images: Sequence[tuple[Image, list[Label]]]) -> dict[int, FoundImage]:
    """Which of the images each one that was read is: by its file, or by its name."""
    ids = {str(Path(image.path).resolve()): image.id for image, _ in images}
    names = {image.name: image.id for image, _ in images}
    stems = {Path(image.name).stem: image.id for image, _ in images}
    made: dict[int, FoundImage] = {}
    for item in found:
        key = ids.get(str(item.path.resolve())) if item.path is not None else None
        key = key or names.get(item.name) or stems[Path(item.name).stem]
        assert key not in made, f"{item.name} was read twice"
        made[key] = item
    return made
