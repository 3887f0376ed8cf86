"""labelme's shapes of labels: the other way of ``labelme_shapes``, which says how groups and attributes are meant."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from countersign.domain import mask as masks
from countersign.domain.geometry import Box, Ellipse, Keypoints, Mask, Polygon
from countersign.domain.image import Image
from countersign.domain.label import Label
from countersign.formats.labelme_shapes import ELLIPSE, NO_BOX, POINT_COUNT, POINT_INDEX
from countersign.formats.report import ExportReport

TWO_FLAGS = "an image can have a class once only"


def shapes_of(
    labels: Sequence[Label], points: Mapping[str, tuple[str, ...]], image: Image, report: ExportReport
) -> list[dict[str, Any]]:
    """Return the shapes of an image's labels; classifications are image flags and not among them."""
    shapes: list[dict[str, Any]] = []
    taken = {label.attributes.get("group_id") for label in labels}
    number = 0
    for label in labels:
        if label.geometry is None:
            continue
        group = None
        if isinstance(label.geometry, Keypoints) or (
            isinstance(label.geometry, Polygon) and len(label.geometry.rings) > 1
        ):
            number += 1
            while number in taken:
                number += 1
            group = number
        shapes += _shapes(label, group, points.get(label.class_name, ()), image, report)
    return shapes


def flags_of(labels: Sequence[Label], image: Image, report: ExportReport) -> dict[str, Any]:
    """Return an image's classes as ``flags``; their scores and attributes, which flags lack, as ``flag_details``."""
    set_flags: dict[str, bool] = {}
    details: dict[str, dict[str, Any]] = {}
    for label in labels:
        if label.geometry is not None:
            continue
        if label.class_name in set_flags:
            report.skipped(TWO_FLAGS, where=image.name, detail=label.class_name)
            continue
        set_flags[label.class_name] = True
        known = {"score": label.confidence, "attributes": dict(label.attributes) or None}
        if any(value is not None for value in known.values()):
            details[label.class_name] = {name: value for name, value in known.items() if value is not None}
    return {"flags": set_flags, **({"flag_details": details} if details else {})}


def _shapes(
    label: Label, group: int | None, names: Sequence[str], image: Image, report: ExportReport
) -> list[dict[str, Any]]:
    geometry = label.geometry
    if isinstance(geometry, Box):
        x0, y0, x1, y1 = geometry.corners
        return [_shape(label, "rectangle", [[x0, y0], [x1, y1]], group)]
    if isinstance(geometry, Ellipse):
        if math.isclose(geometry.rx, geometry.ry, rel_tol=1e-9):
            return [
                _shape(label, "circle", [[geometry.cx, geometry.cy], [geometry.cx + geometry.rx, geometry.cy]], group)
            ]
        numbers = [geometry.cx, geometry.cy, geometry.rx, geometry.ry, geometry.angle]
        label = replace(label, attributes={**label.attributes, ELLIPSE: numbers})
        geometry = geometry.to_polygon()
    if isinstance(geometry, Polygon):
        return [_shape(label, "polygon", _pairs(ring), group) for ring in geometry.rings]
    if isinstance(geometry, Mask):
        return [_mask_shape(label, geometry)]
    assert isinstance(geometry, Keypoints)
    return _keypoint_shapes(label, geometry, group, names)


def _pairs(ring: Sequence[float]) -> list[list[float]]:
    return [[ring[i], ring[i + 1]] for i in range(0, len(ring), 2)]


def _shape(label: Label, kind: str, points: list[list[float]], group: int | None) -> dict[str, Any]:
    rest = dict(label.attributes)
    text = rest.pop("description", "") if isinstance(rest.get("description"), str) else ""
    own = rest.pop("group_id", None)
    shape: dict[str, Any] = {
        "label": label.class_name,
        "points": points,
        "group_id": own if group is None else group,
        "description": text,
        "shape_type": kind,
        "flags": {},
        "mask": None,
    }
    if rest.get("difficult") is True and kind != "point":
        shape["difficult"] = rest.pop("difficult")
    if rest:
        shape["attributes"] = rest
    if label.confidence is not None:
        shape["score"] = label.confidence
    return shape


def _mask_shape(label: Label, geometry: Mask) -> dict[str, Any]:
    from PIL import Image as Pictures

    x, y, width, height = (int(value) for value in geometry.bounds)
    painted = masks.decode(geometry)[y : y + height, x : x + width]
    data = io.BytesIO()
    Pictures.fromarray(painted.astype(np.uint8) * 255).save(data, "PNG")
    shape = _shape(label, "mask", [[float(x), float(y)], [float(x + width - 1), float(y + height - 1)]], None)
    shape["mask"] = base64.b64encode(data.getvalue()).decode()
    return shape


def _keypoint_shapes(
    label: Label, geometry: Keypoints, group: int | None, names: Sequence[str]
) -> list[dict[str, Any]]:
    single = len(geometry.points) == 3 and geometry.box is None and not names
    if single:
        shape = _shape(label, "point", [list(geometry.points[:2])], None)
        shape["difficult"] = geometry.points[2] == 1
        return [shape]
    x, y, width, height = geometry.bounds
    rectangle = _shape(label, "rectangle", [[x, y], [x + max(width, 1.0), y + max(height, 1.0)]], group)
    rectangle.setdefault("attributes", {})[POINT_COUNT] = len(geometry.points) // 3
    if geometry.box is None:
        rectangle["attributes"][NO_BOX] = True
    shapes = [rectangle]
    for index in range(len(geometry.points) // 3):
        x, y, v = geometry.points[3 * index : 3 * index + 3]
        if v:
            name = names[index] if index < len(names) else f"point_{index}"
            point = _shape(Label(name, attributes={POINT_INDEX: index}), "point", [[x, y]], group)
            point["difficult"] = v == 1
            shapes.append(point)
    return shapes
