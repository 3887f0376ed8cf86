"""The lines of YOLO label files: boxes, polygons, oriented boxes, keypoints, with or without a confidence.

A line is a class number and shares of the image's width and height. Which task it is of, its number of columns says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from countersign.domain.errors import GeometryError
from countersign.domain.geometry import Box, Geometry, Keypoints, Polygon, ring_area
from countersign.domain.label import Label
from countersign.formats import fit
from countersign.formats.report import ImportReport

UNKNOWN_CLASS = "unknown class"
NOT_NUMBERS = "not numbers"
NOT_SHARES = "coordinates are not shares of the image (0 to 1)"
NO_AREA = "no width, height or area"
COLUMNS = "a number of columns that no YOLO task has"
TWICE = "the same line twice"
COMMAS = "commas between the numbers"
FOUR_CORNERS = "four corners (an oriented box, or a polygon of four points), read as polygon"
MIXED = "boxes and polygons in one file (Ultralytics would misread the boxes)"
BAD_CONFIDENCE = "a confidence outside 0 to 1"

_FAR = 2.0  # shares beyond -1..2 are pixels or worse; nearer ones are labels that reach outside and get clipped


@dataclass(slots=True)
class Lines:
    """How the lines of a data set are read. ``corners`` counts the lines of four corners that were met.

    ``class_name`` gives the name of a class number, None for one that there is not; ``known`` describes the numbers.
    """

    report: ImportReport
    class_name: Callable[[int], str | None]
    first_class: int
    known: str
    keypoints: tuple[int, int] | None
    corners: int = 0


def read(text: str, size: tuple[int, int], label_file: str, reading: Lines) -> Iterator[Label]:
    """Yield the labels of a file's text for an image of (width, height) pixels; what cannot be read is reported."""
    report = reading.report
    seen: set[str] = set()
    kinds: set[str] = set()
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line:
            continue
        where = f"line {number}"
        if line in seen:
            report.skipped(TWICE, file=label_file, where=where)
            continue
        seen.add(line)
        if "," in line:
            report.note(COMMAS, file=label_file, where=where)
            line = line.replace(",", " ")
        label = _label(line.split(), size, label_file, where, reading)
        if label is None:
            continue
        kinds.add("box" if isinstance(label.geometry, Box) else "other")
        if isinstance(label.geometry, Polygon) and len(label.geometry.rings[0]) == 8:
            reading.corners += 1
        yield label
    if len(kinds) > 1 and reading.keypoints is None:
        report.note(MIXED, file=label_file)


def _label(columns: list[str], size: tuple[int, int], label_file: str, where: str, reading: Lines) -> Label | None:
    report = reading.report
    try:
        values = [float(column) for column in columns]
    except ValueError:
        report.skipped(NOT_NUMBERS, file=label_file, where=where, detail=" ".join(columns)[:80])
        return None
    if not all(map(math.isfinite, values)):
        report.skipped(NOT_NUMBERS, file=label_file, where=where, detail=" ".join(columns)[:80])
        return None
    class_name = _class(values[0], label_file, where, reading)
    if class_name is None:
        return None
    shares = values[1:]
    shape = _task(len(shares), reading.keypoints)
    if shape is None:
        report.skipped(COLUMNS, file=label_file, where=where, detail=f"{len(columns)} columns")
        return None
    kind, confidence = shape, None
    if shape.endswith("+"):
        kind, confidence = shape[:-1], shares.pop()
        if not 0.0 <= confidence <= 1.0:
            report.skipped(BAD_CONFIDENCE, file=label_file, where=where, detail=f"{confidence:g}")
            return None
    geometry = _geometry(kind, shares, size, reading, label_file, where)
    return None if geometry is None else Label(class_name, geometry, confidence)


def _class(value: float, label_file: str, where: str, reading: Lines) -> str | None:
    number = int(value) - reading.first_class
    name = reading.class_name(number) if value.is_integer() and number >= 0 else None
    if name is None:
        detail = f"{value:g}{reading.known}"
        reading.report.skipped(UNKNOWN_CLASS, file=label_file, where=where, detail=detail)
    return name


def _task(count: int, keypoints: tuple[int, int] | None) -> str | None:
    """What a line of so many numbers after the class is; ``+`` marks a confidence at its end."""
    if keypoints is not None:
        whole = 4 + keypoints[0] * keypoints[1]
        if count in (whole, whole + 1):
            return "pose" if count == whole else "pose+"
    if count in (4, 5):
        return "box" if count == 4 else "box+"
    if keypoints is not None or count < 6:
        return None
    return "polygon" if count % 2 == 0 else "polygon+"


def _geometry(
    kind: str, shares: list[float], size: tuple[int, int], reading: Lines, label_file: str, where: str
) -> Geometry | None:
    report, (width, height) = reading.report, size
    placed = shares if kind != "pose" else shares[:4]
    if not all(-(_FAR - 1) <= value <= _FAR for value in placed):
        report.skipped(NOT_SHARES, file=label_file, where=where, detail=" ".join(f"{value:g}" for value in shares[:4]))
        return None
    try:
        geometry: Geometry
        if kind == "polygon":
            geometry = Polygon.from_points(
                [(shares[i] * width, shares[i + 1] * height) for i in range(0, len(shares), 2)]
            )
            if ring_area(geometry.rings[0]) <= 0:
                report.skipped(NO_AREA, file=label_file, where=where)
                return None
        else:
            box = _box(shares, width, height)
            geometry = box if kind == "box" else _keypoints(shares[4:], reading, size, box)
    except GeometryError as error:
        report.skipped(NO_AREA, file=label_file, where=where, detail=str(error))
        return None
    return fit.to_image(geometry, width, height, report, file=label_file, where=where)


def _box(shares: list[float], width: int, height: int) -> Box:
    x, y, across, down = shares[:4]
    # Written with six digits, a box at the edge lies a thousandth of a pixel outside: cut that off without a word.
    left, right = _snap((x - across / 2) * width, width), _snap((x + across / 2) * width, width)
    top, bottom = _snap((y - down / 2) * height, height), _snap((y + down / 2) * height, height)
    return Box(left, top, right - left, bottom - top)


def _snap(value: float, limit: int) -> float:
    if -fit.TOLERANCE < value < 0:
        return 0.0
    return float(limit) if limit < value < limit + fit.TOLERANCE else value


def _keypoints(shares: list[float], reading: Lines, size: tuple[int, int], box: Box) -> Keypoints | Box:
    assert reading.keypoints is not None
    count, numbers = reading.keypoints
    points: list[float] = []
    for index in range(count):
        x, y, *seen = shares[index * numbers : (index + 1) * numbers]
        # With two numbers a point there is not labelled is written as 0 0 or below 0; with three, v = 0 says so.
        visible = seen[0] if seen else (2.0 if (x > 0 or y > 0) and x >= 0 and y >= 0 else 0.0)
        v = 2.0 if visible >= 2 or 0 < visible < 1 else float(visible == 1)
        points += [x * size[0], y * size[1], v] if v else [0.0, 0.0, 0.0]
    return Keypoints(tuple(points), box) if any(points[2::3]) else box
