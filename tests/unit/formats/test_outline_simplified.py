"""Outlines with fewer corners: as near to the exact one as is allowed, holes and parts kept, never nothing."""

from __future__ import annotations

import numpy as np

from countersign.domain import mask as masks
from countersign.domain.geometry import Polygon, ring_area
from countersign.formats.outline import outline, simplified, without_specks


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


def test_without_specks__small_parts_and_holes_go() -> None:
    painted = np.zeros((60, 80), bool)
    painted[10:50, 20:70] = True
    painted[2:4, 2:4] = painted[58, 79] = True
    painted[20:22, 30:32] = painted[30:40, 40:50] = False
    painted[10, 20] = False  # open to the outside
    left = masks.decode(without_specks(masks.encode(painted), 16))
    assert not left[:5, :5].any()
    assert not left[58, 79]
    assert left[20:22, 30:32].all()
    assert not left[30:40, 40:50].any()
    assert not left[10, 20]
    assert int(left.sum()) == 40 * 50 - 10 * 10 - 1


def test_without_specks__the_largest_stays_and_nothing_stays_nothing() -> None:
    painted = np.zeros((9, 9), bool)
    assert without_specks(masks.encode(painted), 16) == masks.encode(painted)
    painted[4, 4:6] = painted[1, 1] = True
    assert np.argwhere(masks.decode(without_specks(masks.encode(painted), 16))).tolist() == [[4, 4], [4, 5]]
    assert without_specks(masks.encode(painted), 0) == masks.encode(painted)
