"""Geometries as JSON values, as the server sends them and its client reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from countersign.domain.errors import InvalidInput
from countersign.domain.geometry import Box, Ellipse, Geometry, Keypoints, Mask, Polygon

Data = dict[str, Any]


def geometry(value: Geometry | None) -> Data | None:
    """Return a geometry; None for none."""
    match value:
        case None:
            return None
        case Box():
            return {"type": "box", "x": value.x, "y": value.y, "width": value.width, "height": value.height}
        case Polygon():
            return {"type": "polygon", "rings": value.rings, "holes": value.holes}
        case Mask():
            counts = value.counts.decode("ascii")
            return {"type": "mask", "width": value.width, "height": value.height, "counts": counts}
        case Ellipse():
            shape = {"cx": value.cx, "cy": value.cy, "rx": value.rx, "ry": value.ry, "angle": value.angle}
            return {"type": "ellipse", **shape}
        case Keypoints():
            return {"type": "keypoints", "points": value.points, "box": geometry(value.box)}


def bounds(value: Geometry | None) -> Data | None:
    """The box around a geometry, for small pictures."""
    if value is None or isinstance(value, Box):
        return geometry(value)
    x, y, width, height = value.bounds
    if width <= 0 or height <= 0:
        return geometry(value)
    return {"type": "box", "x": x, "y": y, "width": width, "height": height}


def to_geometry(data: Mapping[str, Any] | None) -> Geometry | None:
    """Make a geometry of what came over the wire. Raises GeometryError, InvalidInput."""
    if data is None:
        return None
    values = {name: value for name, value in data.items() if name != "type"}
    match data["type"]:
        case "box":
            return Box(**values)
        case "polygon":
            return Polygon(tuple(map(tuple, values["rings"])), tuple(map(tuple, values.get("holes", ()))))
        case "ellipse":
            return Ellipse(**values)
        case "mask":
            if not values["counts"].isascii():
                raise InvalidInput("the counts of a mask are ASCII characters")
            return Mask(values["height"], values["width"], values["counts"].encode("ascii"))
        case "keypoints":
            box = to_geometry(values.get("box"))
            assert box is None or isinstance(box, Box)
            return Keypoints(tuple(values["points"]), box)
    raise InvalidInput(f"there is no geometry {data['type']!r}")
