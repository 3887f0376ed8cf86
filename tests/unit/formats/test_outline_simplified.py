"""Outlines with fewer corners: as near to the exact one as is allowed, holes and parts kept, never nothing."""

from __future__ import annotations

import numpy as np

from countersign.domain import mask as masks
from countersign.domain.geometry import Polygon, ring_area
from countersign.formats.outline import outline, simplified


def _disc(radius: int, hole: int = 0) -> Polygon:
    rows, columns = np.mgrid[-radius - 3 : radius + 4, -radius - 3 : radius + 4]
    away = np.hypot(rows, columns)
    made = outline(masks.encode((away <= radius) & (away >= hole)))
    assert made is not None
    return made


def test_simplified__few_corners_near_the_edge() -> None:
    exact = _disc(60)
    made = simplified(exact, 1.0)
    assert len(made.rings[0]) < len(exact.rings[0]) / 4
    size = 2 * (60 + 3) + 1
    one, other = (masks.from_geometry(shape, size, size) for shape in (exact, made))
    assert masks.iou([one], [other])[0, 0] > 0.97
    assert simplified(exact, 0) is exact


def test_simplified__holes_stay_and_specks_go() -> None:
    ring = simplified(_disc(40, hole=20), 1.0)
    assert (len(ring.rings), len(ring.holes)) == (1, 1)
    painted = np.zeros((50, 50), bool)
    painted[10:40, 10:40] = True
    painted[2, 2] = True
    exact = outline(masks.encode(painted))
    assert exact is not None
    assert len(exact.rings) == 2
    assert simplified(exact, 2.0) == Polygon(((40, 10, 40, 40, 10, 40, 10, 10),))


def test_simplified__never_nothing() -> None:
    painted = np.zeros((9, 9), bool)
    painted[4, 4] = painted[1, 1:3] = True
    exact = outline(masks.encode(painted))
    assert exact is not None
    made = simplified(exact, 5.0)
    assert [ring_area(ring) for ring in made.rings] == [2.0]
