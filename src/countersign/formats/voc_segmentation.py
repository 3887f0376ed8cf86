"""Pascal VOC's SegmentationClass and SegmentationObject as masks, joined with the objects of the XML file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from countersign.domain import mask as masks
from countersign.domain.errors import ImageError
from countersign.domain.geometry import Box, Geometry, box_iou
from countersign.formats import class_table, index_png
from countersign.formats.class_table import ClassTable
from countersign.formats.index_png import Pixels
from countersign.formats.report import ImportReport
from countersign.formats.voc_layout import Root
from countersign.formats.voc_xml import VocObject

NOT_READ = "a mask that cannot be read"
UNKNOWN = "unknown class in a mask"
VOID = "pixels of no class (255, void) are not kept"
OUTSIDE_OBJECTS = "pixels with a class but no object, read as one mask per class"
NO_CLASS = "an object without a class"
SIZES = "SegmentationClass and SegmentationObject have different sizes"


def read(key: str, root: Root, table: ClassTable | None, report: ImportReport) -> list[VocObject]:
    """Return the masks of one image: one per object if there is a SegmentationObject, else one per class."""
    if key not in root.class_png and key not in root.object_png:
        return []
    path = root.class_png.get(key) or root.object_png[key]
    if key not in root.class_png:
        report.skipped(NO_CLASS, file=path)
        return []
    try:
        codes = index_png.read(path)
        objects = index_png.read(root.object_png[key]) if key in root.object_png else None
    except ImageError as error:
        report.skipped(NOT_READ, file=error.path, detail=error.reason)
        return []
    table = table or class_table.voc_table()
    names = _names(codes, table, str(path), report)
    if objects is None:
        return list(_by_class(codes, names))
    if objects.codes.shape != codes.codes.shape:
        report.skipped(SIZES, file=path)
        return []
    return list(_by_object(codes, objects, names, str(path), report))


def _names(codes: Pixels, table: ClassTable, path: str, report: ImportReport) -> dict[int, str]:
    """The class of each code that stands for one; reports those that stand for nothing known."""
    names: dict[int, str] = {}
    for code, name in index_png.classes(codes, table).items():
        if name is None:
            if index_png.is_void(codes, code):
                report.note(VOID, file=path)
            else:
                report.skipped(UNKNOWN, file=path, where=_spelled(codes, code))
        elif not table.is_background(name):
            names[code] = name
    return names


def _spelled(codes: Pixels, code: int) -> str:
    return f"colour #{code:06x}" if codes.colored else f"value {code}"


def _by_class(codes: Pixels, names: dict[int, str]) -> Iterator[VocObject]:
    by_name: dict[str, list[int]] = {}
    for code, name in names.items():
        by_name.setdefault(name, []).append(code)
    for name, members in by_name.items():
        yield VocObject(name, masks.encode(np.isin(codes.codes, members)), f"mask of {name}")


def _by_object(
    codes: Pixels, objects: Pixels, names: dict[int, str], path: str, report: ImportReport
) -> Iterator[VocObject]:
    """One mask per object; its class is that of most of its pixels. ``where`` begins with the object's number."""
    left = np.isin(codes.codes, list(names))
    for code in objects.used:
        color = objects.color(code) if objects.colored else None
        if code == 0 or color == (0, 0, 0) or index_png.is_void(objects, code):
            continue
        painted = objects.codes == code
        inside, counts = np.unique(codes.codes[painted], return_counts=True)
        known = [
            (int(count), names[int(value)]) for value, count in zip(inside, counts, strict=True) if int(value) in names
        ]
        if not known:
            report.skipped(NO_CLASS, file=path, where=_spelled(objects, code))
            continue
        number = index_png.value_of(color) if color is not None else code
        yield VocObject(max(known)[1], masks.encode(painted), f"{number} in SegmentationObject")
        left &= ~painted
    if left.any():
        report.note(OUTSIDE_OBJECTS, file=path)
        rest = Pixels(np.where(left, codes.codes, 0), codes.colored, codes.palette)
        yield from _by_class(rest, {code: name for code, name in names.items() if code and (rest.codes == code).any()})


def joined(objects: Sequence[VocObject], found: Sequence[VocObject]) -> list[VocObject]:
    """Put masks in place of the boxes of the same objects; what has no partner stays as it is."""
    if not found or not objects:
        return [*objects, *found]
    result = list(objects)
    free = {index for index, one in enumerate(objects) if isinstance(one.geometry, Box)}
    rest: list[VocObject] = []
    for mask in found:
        index = _partner(mask, objects, free)
        if index is None:
            rest.append(mask)
            continue
        free.discard(index)
        box = objects[index]
        result[index] = VocObject(box.name, mask.geometry, box.where, box.confidence, box.attributes)
    return result + rest


def _partner(mask: VocObject, objects: Sequence[VocObject], free: set[int]) -> int | None:
    """The object of a mask: that of its number if the box fits at all, else the one whose box fits closely."""
    number = mask.where.partition(" ")[0]
    if number.isdigit() and (index := int(number) - 1) in free:
        one = objects[index]
        if one.name == mask.name and (_within(mask.geometry, one.geometry) or _overlap(mask, one) >= 0.5):
            return index
    close = [
        (overlap, -i) for i in free if objects[i].name == mask.name and (overlap := _overlap(mask, objects[i])) >= 0.8
    ]
    return -max(close)[1] if close and number.isdigit() else None


def _within(inner: Geometry, outer: Geometry, slack: float = 1.5) -> bool:
    x, y, width, height = inner.bounds
    left, top, across, down = outer.bounds
    return (
        x >= left - slack
        and y >= top - slack
        and x + width <= left + across + slack
        and y + height <= top + down + slack
    )


def _overlap(first: VocObject, second: VocObject) -> float:
    return float(box_iou(np.array([first.geometry.bounds]), np.array([second.geometry.bounds]))[0, 0])
