"""Polygons of several rings and holes as one closed line, for formats that hold no more.

The rings are joined by bridges of no width, walked there and back, as Ultralytics does when it converts COCO. Holes run
against the outer rings, so that the line has the polygon's area and fills the same pixels by either filling rule.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from countersign.domain.geometry import Polygon, Ring

Points = NDArray[np.float64]


def one_ring(polygon: Polygon) -> Polygon:
    """Return the polygon as a single ring; itself if it is one."""
    if len(polygon.rings) == 1 and not polygon.holes:
        return polygon
    outer = [_turned(ring, 1.0) for ring in polygon.rings]
    parts = outer + [_turned(ring, -1.0) for ring in polygon.holes]
    line = parts.pop(0)
    while parts:
        # Nearest part first, so that bridges stay short. Few parts: to look at all of them each time is quick enough.
        best = min(range(len(parts)), key=lambda index: _gap(line, parts[index])[0])
        part = parts.pop(best)
        _, here, there = _gap(line, part)
        loop = np.concatenate([part[there:], part[: there + 1]])
        line = np.concatenate([line[: here + 1], loop, line[here:]])
    return Polygon((tuple(line.ravel().tolist()),))


def _turned(ring: Ring, sign: float) -> Points:
    points = np.asarray(ring, np.float64).reshape(-1, 2)
    x, y = points[:, 0], points[:, 1]
    area = float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
    return points if area * sign >= 0 else points[::-1]


def _gap(first: Points, second: Points) -> tuple[float, int, int]:
    """Smallest squared distance between the points of two lines, and their indices. Bounded memory for long lines."""
    best = (float("inf"), 0, 0)
    step = max(1, 1_000_000 // len(second))
    for start in range(0, len(first), step):
        apart = ((first[start : start + step, None] - second[None]) ** 2).sum(axis=2)
        at = int(apart.argmin())
        row, column = divmod(at, len(second))
        if apart[row, column] < best[0]:
            best = (float(apart[row, column]), start + row, column)
    return best
