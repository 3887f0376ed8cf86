"""Geometries made light, for tiles and other small pictures: nobody sees there what is left out.

What comes back has the shape of the geometry it was made of: polygons with fewer points, masks at a fraction of their
size (``width`` and ``height`` say which). Boxes, ellipses and keypoints are light as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from countersign.domain import mask as masks
from countersign.domain.geometry import Geometry, Mask, Polygon
from countersign.workbench.as_json import bounds, geometry

Data = dict[str, Any]

LONGEST_SIDE = 320
"""Pixels that a mask keeps on the longer side of its image."""
FEW_POINTS = 24
"""Rings with no more points stay as they are."""
STEPS = 40
"""Of other rings stay points that are at least this part of the polygon's longer side apart."""


def preview(value: Geometry | None) -> Data | None:
    """Return a light geometry as a JSON value."""
    if isinstance(value, Mask):
        value = _small_mask(value)
    elif isinstance(value, Polygon):
        value = _fewer_points(value)
    return geometry(value)


@lru_cache(maxsize=4096)
def _small_mask(mask: Mask) -> Mask:
    return masks.sampled(mask, -(-max(mask.width, mask.height) // LONGEST_SIDE))


def _fewer_points(polygon: Polygon) -> Polygon:
    apart = max(polygon.bounds[2:]) / STEPS
    return Polygon(
        tuple(_thinned(ring, apart) for ring in polygon.rings),
        tuple(_thinned(ring, apart) for ring in polygon.holes),
    )


def _thinned(ring: tuple[float, ...], apart: float) -> tuple[float, ...]:
    """Leave out points that are closer to the last one kept than ``apart``; a ring that would vanish stays."""
    if len(ring) <= 2 * FEW_POINTS:
        return ring
    kept = [ring[0], ring[1]]
    for at in range(2, len(ring), 2):
        x, y = ring[at], ring[at + 1]
        if abs(x - kept[-2]) >= apart or abs(y - kept[-1]) >= apart:
            kept += (x, y)
    return tuple(np.round(kept, 1).tolist()) if len(kept) >= 6 else ring


SHAPES: Mapping[str, Callable[[Geometry | None], Data | None]] = {
    "full": geometry,
    "bounds": bounds,
    "preview": preview,
}
"""How geometries are told, by the word of a request."""
