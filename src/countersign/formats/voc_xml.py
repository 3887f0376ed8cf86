"""Pascal VOC's XML files, one per image: read with care, written as the tools expect them.

Coordinates. VOC's own files count pixels from 1 and mean the last pixel inclusively ("pixels": x = xmin - 1, width =
xmax - xmin + 1). The tools that write VOC today do not: labelImg, labelme's converter, CVAT, X-AnyLabeling, FiftyOne
write the box's edges as they are ("edges": x = xmin, width = xmax - xmin); their boxes end at xmax = width, and what
they export as YOLO at the same time agrees to the pixel. So edges are what is read and written unless the setting
``coordinates`` says ``pixels``. The difference is one pixel at most.
"""

from __future__ import annotations

import json
import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from countersign.domain.errors import FormatError, GeometryError
from countersign.domain.geometry import Box, Geometry, Polygon, ring_area
from countersign.formats.base import read_bytes
from countersign.formats.report import ImportReport

COORDINATES = ("edges", "pixels")

NO_AREA = "a box without width or height"
SWAPPED = "a box with its minimum and maximum swapped, turned round"
NO_BOX = "an object without a box"
NOT_NUMBERS = "coordinates that are no numbers"
NO_NAME = "an object without a name"
ROTATED = "a rotated box, read as polygon"
PARTS = "parts of objects (head, hand, foot ...) were not read"
VOC_OWN = "it says that it is of a VOC challenge, where pixels count from 1: see the setting coordinates"

_FLAGS = ("truncated", "difficult", "occluded")
_MAX_BYTES = 64 * 1024 * 1024
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ENCODING = re.compile(rb'^\s*<\?xml[^>]*encoding=["\']([A-Za-z0-9._-]+)["\']')


@dataclass(slots=True)
class VocObject:
    """One <object>: its name, geometry (a box, or a polygon where the file has one), and what else it says."""

    name: str
    geometry: Geometry
    where: str
    confidence: float | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class VocFile:
    """One XML file. ``size`` is None where the file does not say it, or says 0. ``skipped`` counts objects."""

    filename: str = ""
    path: str = ""
    size: tuple[int, int] | None = None
    objects: list[VocObject] = field(default_factory=list)
    skipped: int = 0


def parse(path: Path, report: ImportReport, pixels: bool) -> VocFile:
    """Read one file; objects that cannot be read are reported. Raises FormatError if it is no VOC file."""
    root = _root(path)
    if root.tag != "annotation":
        raise FormatError(f"no Pascal VOC file: it begins with <{root.tag}>", file=str(path))
    found = VocFile(filename=_text(root, "filename").replace("\\", "/"), path=_text(root, "path").replace("\\", "/"))
    found.size = _size(root)
    if "VOC20" in _text(root, "source/database") and not pixels:
        report.note(VOC_OWN, file=path)
    for index, element in enumerate(root.iter("object"), 1):
        made = _object(element, f"object {index}", path, report, pixels)
        if made is None:
            found.skipped += 1
        else:
            found.objects.append(made)
    return found


def _root(path: Path) -> ElementTree.Element:
    data = read_bytes(path)
    if len(data) > _MAX_BYTES:
        raise FormatError(f"{len(data):,} bytes are too many for the labels of one image", file=str(path))
    text = _decoded(data)
    # Entities are how a few bytes of XML become gigabytes, or read other files; no label file needs them.
    if "<!ENTITY" in text:
        raise FormatError("it declares XML entities, which are not read for safety", file=str(path))
    try:
        return ElementTree.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text))
    except (ElementTree.ParseError, ValueError) as error:
        raise FormatError(f"this is no XML: {error}", file=str(path)) from error


def _decoded(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    declared = _ENCODING.match(data)
    for encoding in (declared[1].decode() if declared else "utf-8", "utf-8"):
        try:
            return data.decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return data.decode("latin-1")


def _text(element: ElementTree.Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _size(root: ElementTree.Element) -> tuple[int, int] | None:
    try:
        width, height = (round(float(_text(root, f"size/{side}"))) for side in ("width", "height"))
    except (ValueError, OverflowError):
        return None
    return (width, height) if width > 0 and height > 0 else None


def _object(
    element: ElementTree.Element, where: str, path: Path, report: ImportReport, pixels: bool
) -> VocObject | None:
    name = _text(element, "name") or _text(element, "class")
    if not name:
        report.skipped(NO_NAME, file=path, where=where)
        return None
    geometry = _geometry(element, where, path, report, pixels)
    if geometry is None:
        return None
    if element.find("part") is not None:
        report.skipped(PARTS, file=path, where=where, count=len(element.findall("part")))
    made = VocObject(name, geometry, where, attributes=_attributes(element))
    for tag in ("confidence", "score"):
        try:
            made.confidence = min(max(float(_text(element, tag)), 0.0), 1.0)
        except ValueError:
            continue
        if math.isnan(made.confidence):
            made.confidence = None
    return made


def _geometry(
    element: ElementTree.Element, where: str, path: Path, report: ImportReport, pixels: bool
) -> Geometry | None:
    box, robust, polygon = element.find("bndbox"), element.find("robndbox"), element.find("polygon")
    try:
        if polygon is not None and (made := _polygon(polygon)) is not None:
            return made
        if box is None and robust is not None:
            report.note(ROTATED, file=path, where=where)
            return _rotated(robust)
        if box is None:
            report.skipped(NO_BOX, file=path, where=where)
            return None
        return _box(box, where, path, report, pixels)
    except (ValueError, GeometryError) as error:
        detail = str(error) if isinstance(error, GeometryError) else ""
        report.skipped(NOT_NUMBERS, file=path, where=where, detail=detail)
        return None


def _box(element: ElementTree.Element, where: str, path: Path, report: ImportReport, pixels: bool) -> Box | None:
    x0, y0, x1, y1 = (float(_text(element, side)) for side in ("xmin", "ymin", "xmax", "ymax"))
    if not all(map(math.isfinite, (x0, y0, x1, y1))):
        raise ValueError("not finite")
    if x1 < x0 or y1 < y0:
        report.changed(SWAPPED, file=path, where=where, detail=f"{x0:g} {y0:g} {x1:g} {y1:g}")
        x0, x1, y0, y1 = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
    if pixels:
        x0, y0 = x0 - 1, y0 - 1
    if x1 == x0 or y1 == y0:
        report.skipped(NO_AREA, file=path, where=where, detail=f"xmin={x0:g} ymin={y0:g} xmax={x1:g} ymax={y1:g}")
        return None
    return Box(x0, y0, x1 - x0, y1 - y0)


def _rotated(element: ElementTree.Element) -> Polygon:
    """roLabelImg's box: centre, sides, and an angle in radians, clockwise on the screen."""
    cx, cy, w, h, angle = (float(_text(element, side)) for side in ("cx", "cy", "w", "h", "angle"))
    cos, sin = math.cos(angle), math.sin(angle)
    corners = ((-w / 2, -h / 2), (w / 2, -h / 2), (w / 2, h / 2), (-w / 2, h / 2))
    return Polygon.from_points([(cx + x * cos - y * sin, cy + x * sin + y * cos) for x, y in corners])


def _polygon(element: ElementTree.Element) -> Polygon | None:
    """<x1/><y1/><x2/>... as Roboflow and X-AnyLabeling write it, or <pt><x/><y/></pt>...; None if it is too small."""
    points = [(float(_text(point, "x")), float(_text(point, "y"))) for point in element.iter("pt")]
    count = 1
    while not element.findall("pt") and element.find(f"x{count}") is not None:
        points.append((float(_text(element, f"x{count}")), float(_text(element, f"y{count}"))))
        count += 1
    if len(points) < 3:
        return None
    made = Polygon.from_points(points)
    return made if ring_area(made.rings[0]) > 0 else None


def _attributes(element: ElementTree.Element) -> dict[str, Any]:
    found: dict[str, Any] = {name: True for name in _FLAGS if _text(element, name).lower() in ("1", "true", "yes")}
    pose = _text(element, "pose")
    if pose and pose.lower() != "unspecified":
        found["pose"] = pose
    actions = [action.tag for action in element.findall("actions/*") if (action.text or "").strip() == "1"]
    if actions:
        found["actions"] = actions
    for attribute in element.findall("attributes/attribute"):
        name = _text(attribute, "name")
        if name:
            found[name] = _value(_text(attribute, "value"))
    return found


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


# --- writing -------------------------------------------------------------------------------------------------------


def build(
    name: str, size: tuple[int, int, int], objects: Sequence[VocObject], *, pixels: bool, segmented: bool
) -> bytes:
    """Return a file's bytes. ``size`` is width, height and bands. Objects are written with their bounds."""
    root = ElementTree.Element("annotation")
    folder, _, _ = name.rpartition("/")
    _add(root, "folder", folder or "JPEGImages")
    _add(root, "filename", name)
    _add(ElementTree.SubElement(root, "source"), "database", "Unknown")
    sizes = ElementTree.SubElement(root, "size")
    for tag, number in zip(("width", "height", "depth"), size, strict=True):
        _add(sizes, tag, str(number))
    _add(root, "segmented", str(int(segmented)))
    for found in objects:
        _build_object(root, found, pixels)
    ElementTree.indent(root)
    # As text first: ElementTree writes bytes through an encoder that takes twice the time of all the rest.
    text: str = ElementTree.tostring(root, encoding="unicode")
    return f"<?xml version='1.0' encoding='utf-8'?>\n{text}\n".encode()


def _build_object(root: ElementTree.Element, found: VocObject, pixels: bool) -> None:
    element = ElementTree.SubElement(root, "object")
    rest = dict(found.attributes)
    _add(element, "name", found.name)
    pose = rest.get("pose")
    own = isinstance(pose, str) and pose.strip() == pose and pose.lower() not in ("", "unspecified")
    _add(element, "pose", rest.pop("pose") if own else "Unspecified")
    for flag in _FLAGS:
        _add(element, flag, "1" if rest.get(flag) is True else "0")
        if rest.get(flag) is True:
            del rest[flag]
    if found.confidence is not None:
        _add(element, "confidence", repr(found.confidence))
    x, y, width, height = found.geometry.bounds
    box = ElementTree.SubElement(element, "bndbox")
    first = 1 if pixels else 0
    for tag, value in (("xmin", x + first), ("ymin", y + first), ("xmax", x + width), ("ymax", y + height)):
        _add(box, tag, _number(value))
    if rest:
        _build_attributes(element, rest)


def _build_attributes(element: ElementTree.Element, values: Mapping[str, Any]) -> None:
    """Other attributes, as CVAT writes them; texts bare unless they would read as something else."""
    group = ElementTree.SubElement(element, "attributes")
    for name, value in values.items():
        attribute = ElementTree.SubElement(group, "attribute")
        _add(attribute, "name", name)
        plain = isinstance(value, str) and value.isprintable() and value == value.strip() and value != ""
        _add(attribute, "value", value if plain and _value(value) == value else json.dumps(value))


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(round(value, 6))


def _add(parent: ElementTree.Element, tag: str, text: str) -> None:
    # XML 1.0 has no control characters, not even escaped.
    ElementTree.SubElement(parent, tag).text = text if text.isprintable() else _NOT_XML.sub("\ufffd", text)
