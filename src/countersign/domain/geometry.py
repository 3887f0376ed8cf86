"""Geometries: where on an image a label is.

All coordinates are float pixels of the upright image: origin at the top left corner of the top left
pixel, x to the right, y down; pixel (column c, row r) covers [c, c+1) x [r, r+1). Values check
themselves when they are made and never change. How they are stored or drawn is not known here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from countersign.domain.errors import GeometryError


class Kind(IntEnum):
    """What kind of geometry a label has. The numbers are stored: never renumber."""

    CLASSIFICATION = 0
    BOX = 1
    POLYGON = 2
    MASK = 3
    KEYPOINTS = 4
    ELLIPSE = 5


Bounds: TypeAlias = tuple[float, float, float, float]
"""x, y, width, height of the smallest upright rectangle around a geometry, in pixels."""

Ring: TypeAlias = tuple[float, ...]
"""A closed line as flat coordinates x0, y0, x1, y1, ...; at least three points, not repeated at the end."""


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle: top left corner, width and height in pixels, both > 0."""

    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        # One chained comparison per number is the quickest check that also refuses NaN and infinity.
        if not (
            -_LIMIT < self.x < _LIMIT
            and -_LIMIT < self.y < _LIMIT
            and 0 < self.width < _LIMIT
            and 0 < self.height < _LIMIT
        ):
            raise GeometryError(
                f"a box needs finite coordinates and a width and height above 0, not "
                f"x={self.x} y={self.y} width={self.width} height={self.height}"
            )

    @classmethod
    def from_corners(cls, x0: float, y0: float, x1: float, y1: float) -> Box:
        """Make a box of two opposite corners, in any order."""
        return cls(min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0))

    @property
    def kind(self) -> Kind:
        return Kind.BOX

    @property
    def bounds(self) -> Bounds:
        return (self.x, self.y, self.width, self.height)

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 with x0 < x1 and y0 < y1."""
        return (self.x, self.y, self.x + self.width, self.y + self.height)


@dataclass(frozen=True, slots=True)
class Polygon:
    """One object outlined by one or more rings; ``holes`` are cut out of their union."""

    rings: tuple[Ring, ...]
    holes: tuple[Ring, ...] = ()

    def __post_init__(self) -> None:
        if not self.rings:
            raise GeometryError("a polygon needs at least one ring")
        for ring in (*self.rings, *self.holes):
            if len(ring) < 6 or len(ring) % 2:
                raise GeometryError(f"a polygon ring needs three or more x, y pairs, not {len(ring)} numbers")
            # Not finite is found by the sum: min and max may step over a NaN.
            if not (math.isfinite(sum(ring)) and min(ring) > -_LIMIT and max(ring) < _LIMIT):
                raise GeometryError("a polygon needs finite coordinates")

    @classmethod
    def from_points(cls, points: Iterable[Sequence[float]]) -> Polygon:
        """Make a polygon of one ring of (x, y) points; a repeated end point is dropped."""
        ring = [float(value) for point in points for value in point[:2]]
        if len(ring) >= 8 and ring[:2] == ring[-2:]:
            ring = ring[:-2]
        return cls((tuple(ring),))

    @property
    def kind(self) -> Kind:
        return Kind.POLYGON

    @property
    def bounds(self) -> Bounds:
        return _bounds_of((ring[0::2] for ring in self.rings), (ring[1::2] for ring in self.rings))

    @property
    def area(self) -> float:
        """Sum of the rings' areas less the holes', in square pixels (exact where rings do not overlap)."""
        return sum(map(ring_area, self.rings)) - sum(map(ring_area, self.holes))


@dataclass(frozen=True, slots=True)
class Ellipse:
    """Centre and half axes in pixels; ``angle`` in degrees turns the first axis clockwise from +x."""

    cx: float
    cy: float
    rx: float
    ry: float
    angle: float = 0.0

    def __post_init__(self) -> None:
        finite = all(-_LIMIT < value < _LIMIT for value in (self.cx, self.cy, self.angle))
        if not (finite and 0 < self.rx < _LIMIT and 0 < self.ry < _LIMIT):
            raise GeometryError("an ellipse needs a finite centre and two half axes above 0")

    @property
    def kind(self) -> Kind:
        return Kind.ELLIPSE

    @property
    def bounds(self) -> Bounds:
        turn = math.radians(self.angle)
        half_width = math.hypot(self.rx * math.cos(turn), self.ry * math.sin(turn))
        half_height = math.hypot(self.rx * math.sin(turn), self.ry * math.cos(turn))
        return (self.cx - half_width, self.cy - half_height, 2 * half_width, 2 * half_height)

    @property
    def area(self) -> float:
        return math.pi * self.rx * self.ry

    def to_polygon(self, points: int = 64) -> Polygon:
        """Return the polygon with ``points`` corners on the ellipse."""
        turn = math.radians(self.angle)
        steps = np.linspace(0.0, 2 * math.pi, points, endpoint=False)
        across, down = self.rx * np.cos(steps), self.ry * np.sin(steps)
        xs = self.cx + across * math.cos(turn) - down * math.sin(turn)
        ys = self.cy + across * math.sin(turn) + down * math.cos(turn)
        return Polygon((tuple(np.column_stack([xs, ys]).ravel().tolist()),))


@dataclass(frozen=True, slots=True)
class Mask:
    """Painted pixels as COCO's compressed run-length encoding; holes and several parts are kept.

    ``height`` and ``width`` are those of the upright image. ``counts`` is the ASCII string that COCO
    tools call ``counts`` (column-major runs). ``countersign.domain.mask`` encodes, decodes and combines.
    """

    height: int
    width: int
    counts: bytes

    def __post_init__(self) -> None:
        if self.height <= 0 or self.width <= 0 or not self.counts:
            raise GeometryError(f"a mask needs a size and runs, not {self.width}x{self.height}")

    @property
    def kind(self) -> Kind:
        return Kind.MASK

    @property
    def bounds(self) -> Bounds:
        from countersign.domain import mask

        return mask.bounds(self)

    @property
    def area(self) -> float:
        from countersign.domain import mask

        return float(mask.area(self))


@dataclass(frozen=True, slots=True)
class Keypoints:
    """Points of a skeleton, flat: x0, y0, v0, x1, y1, v1, ...

    The visibility v is COCO's: 0 not labelled (x = y = 0), 1 labelled but hidden, 2 visible. The order is that
    of the class's ``keypoint_names``. ``box`` is the object's own box where one is known.
    """

    points: tuple[float, ...]
    box: Box | None = None

    def __post_init__(self) -> None:
        if not self.points or len(self.points) % 3:
            raise GeometryError(f"keypoints need x, y, v for each point, not {len(self.points)} numbers")
        if not all(-_LIMIT < value < _LIMIT for value in self.points):
            raise GeometryError("keypoints need finite coordinates")
        if not any(self.points[2::3]):
            raise GeometryError("keypoints need at least one labelled point")

    @property
    def kind(self) -> Kind:
        return Kind.KEYPOINTS

    @property
    def bounds(self) -> Bounds:
        if self.box is not None:
            return self.box.bounds
        seen = [i for i in range(0, len(self.points), 3) if self.points[i + 2] > 0]
        return _bounds_of(([self.points[i] for i in seen],), ([self.points[i + 1] for i in seen],))

    @property
    def area(self) -> float:
        _, _, width, height = self.bounds
        return width * height


Geometry: TypeAlias = Box | Polygon | Ellipse | Mask | Keypoints

_LIMIT = 1e9  # no image is a billion pixels wide; beyond it a float32 has lost its pixels anyway


def clip_box(box: Box, width: int, height: int) -> Box | None:
    """Return the part of a box that lies on an image of this size, or None if nothing does."""
    x0, y0, x1, y1 = box.corners
    x0, y0, x1, y1 = max(0.0, x0), max(0.0, y0), min(float(width), x1), min(float(height), y1)
    return Box(x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None


def clip_polygon(polygon: Polygon, width: int, height: int) -> Polygon | None:
    """Return the part of a polygon that lies on an image of this size, or None if nothing of any area does."""
    rings = tuple(ring for ring in (_clip_ring(ring, width, height) for ring in polygon.rings) if ring)
    holes = tuple(ring for ring in (_clip_ring(ring, width, height) for ring in polygon.holes) if ring)
    return Polygon(rings, holes) if rings else None


def _clip_ring(ring: Ring, width: int, height: int) -> Ring:
    """Sutherland and Hodgman's clipping by the four edges; () if nothing of any area is left."""
    points = [(ring[i], ring[i + 1]) for i in range(0, len(ring), 2)]
    for axis, limit, sign in ((0, 0.0, 1), (0, float(width), -1), (1, 0.0, 1), (1, float(height), -1)):
        points = _clip_edge(points, axis, limit, sign)
    flat = tuple(value for point in points for value in point)
    return flat if len(flat) >= 6 and ring_area(flat) > 0 else ()


def _clip_edge(points: list[tuple[float, float]], axis: int, limit: float, sign: int) -> list[tuple[float, float]]:
    kept: list[tuple[float, float]] = []
    for index, point in enumerate(points):
        before = points[index - 1]
        now, then = sign * (point[axis] - limit), sign * (before[axis] - limit)
        if (now >= 0) != (then >= 0):
            share = then / (then - now)
            other = before[1 - axis] + share * (point[1 - axis] - before[1 - axis])
            kept.append((limit, other) if axis == 0 else (other, limit))
        if now >= 0:
            kept.append(point)
    return kept


def ring_area(ring: Ring) -> float:
    """Area of a ring in square pixels by the shoelace formula, never negative."""
    # Relative to the first corner, so that far from the origin no digits are lost. Most rings are short: numpy, which
    # would have to convert them first, takes ten times as long.
    x0, y0 = ring[0], ring[1]
    xs, ys = [x - x0 for x in ring[0::2]], [y - y0 for y in ring[1::2]]
    doubled = sum(x * next_y - next_x * y for x, y, next_x, next_y in zip(xs, ys, xs[1:], ys[1:], strict=False))
    return float(abs(doubled)) / 2  # the closing side starts or ends at 0, 0 and adds nothing


def box_iou(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of every pair of boxes.

    Takes (N, 4) and (M, 4) arrays of x, y, width, height in pixels; returns (N, M) in 0..1, 0 where both are empty.
    """
    a, b = np.asarray(first, np.float64).reshape(-1, 4), np.asarray(second, np.float64).reshape(-1, 4)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, :2] + a[:, None, 2:], b[None, :, :2] + b[None, :, 2:])
    overlap = np.clip(high - low, 0, None).prod(axis=2)
    union = a[:, 2:].prod(axis=1)[:, None] + b[:, 2:].prod(axis=1)[None, :] - overlap
    iou: NDArray[np.float64] = np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)
    return iou


def _bounds_of(xs: Iterable[Sequence[float]], ys: Iterable[Sequence[float]]) -> Bounds:
    all_x, all_y = list(xs), list(ys)
    left, top = min(map(min, all_x)), min(map(min, all_y))
    return (left, top, max(map(max, all_x)) - left, max(map(max, all_y)) - top)
