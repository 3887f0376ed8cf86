"""labelme's shapes as labels; ``labelme_write`` goes the other way.

A group is what labelme's own converters take it for: polygons of one class and group are one object. Following
X-AnyLabeling, points in one group with a rectangle are that object's keypoints, named by their labels; a single point
elsewhere is a label of one keypoint. Lines have no area and no place here.
"""

from __future__ import annotations

import base64
import binascii
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from countersign.domain import mask as masks
from countersign.domain.errors import GeometryError, InvalidInput
from countersign.domain.geometry import Box, Ellipse, Geometry, Keypoints, Mask, Polygon, ring_area
from countersign.domain.label import Label, LabelClass
from countersign.formats import fit
from countersign.formats.report import ImportReport

LINE = "lines, which are no region"
UNKNOWN = "shapes of an unknown type"
NO_AREA = "a shape without area"
NO_LABEL = "a shape without a label"
BAD_POINTS = "points that are no numbers, or too few"
BAD_MASK = "a painted mask that cannot be read"
MASK_NEEDS_SIZE = "a painted mask on an image of unknown size"
TURNED = "a turned rectangle, read as polygon"
BAD_SCORE = "a score outside 0 to 1, left out"
BAD_FLAG = "an image flag that is neither true nor false"

POINT_INDEX = "keypoint"
"""Attribute of a point's shape: its number in the skeleton."""
ELLIPSE = "ellipse"
"""Attribute of a polygon that stands for an ellipse (labelme has circles only): centre, half axes, angle. It counts as
long as nobody moves the polygon's points."""
POINT_COUNT = "keypoints"
"""Attribute of such a rectangle: how many points the skeleton has, for those at its end may not be labelled."""
NO_BOX = "box_of_points"
"""Attribute of a rectangle that only holds its keypoints together: they have no box of their own."""


class Shapes:
    """Reads the shapes of one file. ``lost`` says whether some are missing from ``labels``."""

    def __init__(
        self, shapes: Sequence[Any], size: tuple[int, int] | None, file: Path, report: ImportReport, join: bool
    ) -> None:
        self._shapes = shapes
        self._size = size
        self._file = file
        self._report = report
        self._join = join
        self.lost = False

    def labels(self) -> list[Label]:
        found: list[tuple[Label, Any, int]] = []  # label, group, index of the shape
        points: dict[Any, list[tuple[str, Keypoints, Mapping[str, Any]]]] = {}
        for index, shape in enumerate(self._shapes):
            label = self._label(shape, f"shape {index}")
            if label is None:
                self.lost = True
                continue
            group = shape.get("group_id")
            if isinstance(label.geometry, Keypoints) and group is not None:
                points.setdefault(group, []).append((label.class_name, label.geometry, label.attributes))
            found.append((label, group, index))
        found = self._with_points(found, points)
        if self._join:
            found = _joined(found)
        return [self._inside(label, index) for label, _, index in found if self._keeps(label, index)]

    def _keeps(self, label: Label, index: int) -> bool:
        width, height = self._size or (None, None)
        assert label.geometry is not None
        kept = fit.to_image(label.geometry, width, height, self._report, file=self._file, where=f"shape {index}")
        self._last = kept
        self.lost |= kept is None
        return kept is not None

    def _inside(self, label: Label, index: int) -> Label:
        return label if self._last is label.geometry else _with(label, self._last)

    # --- one shape

    def _label(self, shape: Any, where: str) -> Label | None:
        skipped = self._report.skipped
        if not isinstance(shape, dict):
            skipped(UNKNOWN, file=self._file, where=where)
            return None
        name = str(shape.get("label") or "").strip()
        if not name:
            skipped(NO_LABEL, file=self._file, where=where)
            return None
        try:
            geometry = self._geometry(shape, where)
        except GeometryError as error:
            skipped(NO_AREA, file=self._file, where=where, detail=error.what)
            return None
        except (TypeError, ValueError, IndexError):
            skipped(BAD_POINTS, file=self._file, where=where)
            return None
        if geometry is None:
            return None
        attributes = _attributes(shape)
        ellipse = _ellipse(geometry, attributes.get(ELLIPSE))
        if ellipse is not None:
            del attributes[ELLIPSE]
        return Label(name, ellipse or geometry, self._score(shape, where), attributes=attributes)

    def _geometry(self, shape: Mapping[str, Any], where: str) -> Geometry | None:
        kind = str(shape.get("shape_type") or "polygon").lower()
        points = [(float(point[0]), float(point[1])) for point in shape.get("points") or []]
        if kind == "rectangle":
            return self._rectangle(points, where)
        if kind in ("polygon", "rotation", "quadrilateral", "oriented_rectangle"):
            if kind in ("rotation", "oriented_rectangle"):
                self._report.note(TURNED, file=self._file, where=where)
            return _solid(Polygon.from_points(points))
        if kind == "circle":
            (cx, cy), (x, y) = points[:2]
            radius = math.hypot(x - cx, y - cy)
            return Ellipse(cx, cy, radius, radius)
        if kind == "point":
            seen = 1.0 if shape.get("difficult") is True else 2.0
            return Keypoints((*points[0], seen))
        if kind == "mask":
            return self._mask(shape, points, where)
        self._report.skipped(
            LINE if kind in ("line", "linestrip") else UNKNOWN, file=self._file, where=where, detail=kind
        )
        return None

    def _rectangle(self, points: Sequence[tuple[float, float]], where: str) -> Geometry:
        xs, ys = [x for x, _ in points], [y for _, y in points]
        box = Box.from_corners(min(xs), min(ys), max(xs), max(ys))
        upright = all(
            min(abs(x - box.x), abs(x - box.x - box.width)) < 0.01
            and min(abs(y - box.y), abs(y - box.y - box.height)) < 0.01
            for x, y in points
        )
        if upright or len(points) < 4:
            return box
        self._report.note(TURNED, file=self._file, where=where)
        return _solid(Polygon.from_points(points))

    def _mask(self, shape: Mapping[str, Any], points: Sequence[tuple[float, float]], where: str) -> Mask | None:
        if self._size is None:
            self._report.skipped(MASK_NEEDS_SIZE, file=self._file, where=where)
            return None
        try:
            painted = _decode(str(shape.get("mask") or ""))
        except (OSError, ValueError, SyntaxError, binascii.Error) as error:
            self._report.skipped(BAD_MASK, file=self._file, where=where, detail=str(error))
            return None
        width, height = self._size
        # labelme pastes at the whole part of the first corner.
        x, y = int(points[0][0]), int(points[0][1])
        left, top = max(x, 0), max(y, 0)
        part = painted[top - y : height - y, left - x : width - x] if x < width and y < height else painted[:0]
        whole = np.zeros((height, width), np.bool_)
        whole[top : top + part.shape[0], left : left + part.shape[1]] = part
        if part.sum() < painted.sum():
            self._report.changed(fit.CLIPPED, file=self._file, where=where)
        if not whole.any():
            raise GeometryError("nothing is painted on the image")
        return masks.encode(whole)

    def _score(self, shape: Mapping[str, Any], where: str) -> float | None:
        score = shape.get("score")
        if score is None or isinstance(score, bool) or not isinstance(score, int | float):
            return None
        if not 0.0 <= score <= 1.0:
            self._report.changed(BAD_SCORE, file=self._file, where=where, detail=f"{score:g}")
            return None
        return float(score)

    # --- groups

    def _with_points(
        self,
        found: list[tuple[Label, Any, int]],
        points: Mapping[Any, list[tuple[str, Keypoints, Mapping[str, Any]]]],
    ) -> list[tuple[Label, Any, int]]:
        """Make one keypoints label of a rectangle and the points in its group."""
        boxes = {group for label, group, _ in found if group in points and isinstance(label.geometry, Box)}
        result = []
        for label, group, index in found:
            if group not in boxes:
                result.append((label, group, index))
            elif isinstance(label.geometry, Box):
                result.append((self._skeleton(label, label.geometry, points[group]), None, index))
        return result

    def _skeleton(self, label: Label, box: Box, points: Sequence[tuple[str, Keypoints, Mapping[str, Any]]]) -> Label:
        known = next((one.keypoint_names for one in self._report.classes if one.name == label.class_name), ())
        names, flat = list(known), [0.0] * (3 * len(known))
        for name, point, attributes in points:
            index = attributes.get(POINT_INDEX)
            at = (
                index
                if isinstance(index, int) and 0 <= index < 1000
                else names.index(name)
                if name in names
                else len(names)
            )
            names += [f"point_{missing}" for missing in range(len(names), at + 1)]
            flat += [0.0] * (3 * len(names) - len(flat))
            names[at] = name
            flat[3 * at : 3 * at + 3] = point.points
        count = label.attributes.get(POINT_COUNT)
        if isinstance(count, int) and 0 < count <= 1000:
            names += [f"point_{missing}" for missing in range(len(names), count)]
            flat += [0.0] * (3 * len(names) - len(flat))
        self._report.add_class(LabelClass(label.class_name, keypoint_names=tuple(names)))
        attributes = {
            key: value for key, value in label.attributes.items() if key not in ("group_id", NO_BOX, POINT_COUNT)
        }
        own = not label.attributes.get(NO_BOX)
        return Label(
            label.class_name, Keypoints(tuple(flat), box if own else None), label.confidence, attributes=attributes
        )


def _joined(found: list[tuple[Label, Any, int]]) -> list[tuple[Label, Any, int]]:
    """Make one label of the polygons that share a class and a group."""
    result: list[tuple[Label, Any, int]] = []
    places: dict[tuple[str, Any], int] = {}
    for label, group, index in found:
        key = (label.class_name, group)
        if group is None or not isinstance(label.geometry, Polygon):
            result.append((label, group, index))
        elif key in places:
            first, _, at = result[places[key]]
            assert isinstance(first.geometry, Polygon)
            attributes = {name: value for name, value in first.attributes.items() if name != "group_id"}
            rings = first.geometry.rings + label.geometry.rings
            joined = Label(first.class_name, Polygon(rings), first.confidence, attributes=attributes)
            result[places[key]] = (joined, group, at)
        else:
            places[key] = len(result)
            result.append((label, group, index))
    return result


def _solid(polygon: Polygon) -> Polygon:
    if ring_area(polygon.rings[0]) <= 0:
        raise GeometryError("a polygon without area")
    return polygon


def _ellipse(geometry: Geometry, numbers: Any) -> Ellipse | None:
    """The ellipse that a polygon was written for, if it is still its polygon."""
    if not isinstance(geometry, Polygon) or not isinstance(numbers, list) or len(numbers) != 5:
        return None
    try:
        made = Ellipse(*(float(number) for number in numbers))
    except (TypeError, ValueError, GeometryError):
        return None
    ring, now = made.to_polygon().rings[0], geometry.rings[0]
    return made if len(ring) == len(now) and np.allclose(ring, now, atol=0.01, rtol=0) else None


def _with(label: Label, geometry: Geometry | None) -> Label:
    return Label(label.class_name, geometry, label.confidence, attributes=label.attributes)


def _decode(text: str) -> Any:
    from PIL import Image as Pictures

    with Pictures.open(io.BytesIO(base64.b64decode(text, validate=False)), formats=("PNG",)) as picture:
        if picture.width * picture.height > 400_000_000:
            raise ValueError("too many pixels")
        painted = np.asarray(picture)
    return (painted if painted.ndim == 2 else painted[..., 0]) != 0


def _attributes(shape: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    flags = shape.get("flags")
    if isinstance(flags, dict):
        found.update({str(name): value for name, value in flags.items() if value})
    own = shape.get("attributes")
    if isinstance(own, dict):
        found.update({str(name): value for name, value in own.items()})
    for name in ("description", "group_id"):
        if shape.get(name) not in (None, ""):
            found[name] = shape[name]
    if shape.get("difficult") is True and shape.get("shape_type") != "point":
        found["difficult"] = True
    return found


def flags(value: Any, more: Any, file: Path, report: ImportReport) -> list[Label]:
    """Image flags as classes: one label for each that is set; those that are not set are classes all the same.

    ``more`` is what ``labelme_write.flags_of`` wrote beside the flags.
    """
    found = []
    for name, is_set in value.items() if isinstance(value, dict) else ():
        if not isinstance(is_set, bool):
            report.skipped(BAD_FLAG, file=file, where=str(name))
            continue
        try:
            report.add_class(str(name).strip())
        except InvalidInput:
            report.skipped(NO_LABEL, file=file, where="flags")
            continue
        if is_set:
            found.append(_flag(str(name).strip(), more.get(name) if isinstance(more, dict) else None))
    return found


def _flag(name: str, more: Any) -> Label:
    rest: dict[str, Any] = more if isinstance(more, dict) else {}
    score, attributes = rest.get("score"), rest.get("attributes")
    known = isinstance(score, int | float) and not isinstance(score, bool) and 0 <= score <= 1
    confidence = float(score) if known and score is not None else None
    return Label(name, None, confidence, attributes=attributes if isinstance(attributes, dict) else {})
