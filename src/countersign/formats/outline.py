"""From painted pixels to polygons: exact outlines along the pixels' edges, and with fewer corners.

Knows nothing of formats or labels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from countersign.domain import mask as masks
from countersign.domain.geometry import Mask, Polygon, Ring, ring_area

# Directions as (dx, dy), each the right turn of the one before it (y points down).
_TURNS = ((1, 0), (0, 1), (-1, 0), (0, -1))


def outline(mask: Mask) -> Polygon | None:
    """Return the outlines of a mask's parts and their holes; None if nothing is painted.

    The polygon runs along the edges of pixels, so it has exactly the mask's area and paints exactly its pixels (but for
    an island within a hole: a polygon's holes are cut out of all its rings). Pixels that only touch at a corner are
    separate parts, unless they enclose a hole. Takes time in proportion to the length of the outline.
    """
    x, y, width, height = (int(value) for value in masks.bounds(mask))
    if not width or not height:
        return None
    rings: list[Ring] = []
    holes: list[Ring] = []
    for line in _trace(_edges(masks.decode(mask)[y : y + height, x : x + width])):
        ring = tuple(float(value) for px, py in line for value in (px + x, py + y))
        (rings if _turn(line) > 0 else holes).append(ring)
    return Polygon(tuple(rings), tuple(holes))


def _edges(painted: NDArray[np.bool_]) -> dict[tuple[int, int], list[int]]:
    """Directed pixel edges with the paint on their right: start corner -> directions (indices into _TURNS)."""
    padded = np.pad(painted, 1)
    inside = padded[1:-1, 1:-1]
    starts: dict[tuple[int, int], list[int]] = {}
    sides = (
        (0, ~padded[:-2, 1:-1], 0, 0),  # top: from the top left corner to the right
        (1, ~padded[1:-1, 2:], 1, 0),  # right: from the top right corner down
        (2, ~padded[2:, 1:-1], 1, 1),  # bottom: from the bottom right corner to the left
        (3, ~padded[1:-1, :-2], 0, 1),  # left: from the bottom left corner up
    )
    for direction, free, dx, dy in sides:
        rows, columns = np.nonzero(inside & free)
        for corner in zip((columns + dx).tolist(), (rows + dy).tolist(), strict=True):
            starts.setdefault(corner, []).append(direction)
    return starts


def _trace(starts: dict[tuple[int, int], list[int]]) -> list[list[tuple[int, int]]]:
    """Chain the edges into closed lines of corners, keeping only the corners where the line turns."""
    lines: list[list[tuple[int, int]]] = []
    for start in list(starts):
        while starts[start]:
            lines.append(_line(start, starts))
    return lines


def _line(start: tuple[int, int], starts: dict[tuple[int, int], list[int]]) -> list[tuple[int, int]]:
    """Follow one closed line from a corner, taking its edges out of ``starts``."""
    at, first = start, starts[start].pop()
    go = first
    line: list[tuple[int, int]] = []
    while True:
        at = (at[0] + _TURNS[go][0], at[1] + _TURNS[go][1])
        ways = [*starts[at], first] if at == start else starts[at]
        # Where two pixels touch at a corner there are two ways on: the right turn stays with its own pixel.
        way = next(way for way in ((go + 1) % 4, go, (go + 3) % 4) if way in ways)
        if way != go:
            line.append(at)
        if at == start and way == first:
            return line
        starts[at].remove(way)
        go = way


def _turn(line: list[tuple[int, int]]) -> int:
    """Twice the signed area: above 0 for a line that runs clockwise on the screen."""
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(line, [*line[1:], line[0]], strict=True))


def simplified(polygon: Polygon, tolerance: float) -> Polygon:
    """Return the polygon with as few corners as lie within ``tolerance`` pixels of it (Ramer-Douglas-Peucker).

    Rings that come down to less than a triangle are left out; where all would be, the largest stays as it is.
    """
    if tolerance <= 0:
        return polygon
    rings = [made for ring in polygon.rings if (made := _thinned(ring, tolerance)) is not None]
    if not rings:
        return Polygon((max(polygon.rings, key=ring_area),))
    holes = (_thinned(ring, tolerance) for ring in polygon.holes)
    return Polygon(tuple(rings), tuple(ring for ring in holes if ring is not None))


def _thinned(ring: Ring, tolerance: float) -> Ring | None:
    import cv2

    points = np.asarray(ring, np.float32).reshape(-1, 1, 2)
    kept = cv2.approxPolyDP(points, tolerance, True).reshape(-1, 2)
    return tuple(float(value) for value in kept.ravel()) if len(kept) >= 3 else None


def without_specks(mask: Mask, least: float) -> Mask:
    """Return a mask without parts of fewer than ``least`` pixels, and without such holes; the largest part stays."""
    x, y, width, height = (int(value) for value in masks.bounds(mask))
    if least <= 1 or not width or not height:
        return mask
    painted = masks.decode(mask)
    part = painted[y : y + height, x : x + width]
    parts, areas = _parts(part, 4)
    areas[0] = 0
    part[:] = (areas >= min(least, areas.max()))[parts]
    holes, areas = _parts(~part, 8)
    edge = np.concatenate([holes[0], holes[-1], holes[:, 0], holes[:, -1]])
    areas[edge] = masks.area(mask) + least  # open to the outside: no holes
    part |= (areas < least)[holes]
    return masks.encode(painted)


def _parts(painted: NDArray[np.bool_], connectivity: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Number the connected parts of what is painted, 0 is the rest; and the area of each."""
    import cv2

    _, numbers, stats, _ = cv2.connectedComponentsWithStats(painted.astype(np.uint8), connectivity=connectivity)
    return np.asarray(numbers, np.int32), stats[:, cv2.CC_STAT_AREA].astype(np.int64)
