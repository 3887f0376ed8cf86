"""Clipping to the image, and finding a form that a format can hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull, QhullError

from countersign.domain import mask as masks
from countersign.domain.geometry import Box, Ellipse, Geometry, Keypoints, Kind, Mask, Polygon, ring_area
from countersign.domain.image import Image
from countersign.domain.label import Label
from countersign.formats import ExportReport, Holds, ImportReport, Severity
from countersign.formats.fit import to_format, to_image
from countersign.formats.outline import outline

IMAGE = Image(1, 1, "a.jpg", "", "", 40, 30)


def fitted(geometry: Geometry, report: ImportReport | None = None) -> Geometry | None:
    return to_image(geometry, 40, 30, report or ImportReport(), file="f", where="w")


def test_without_a_size_nothing_is_changed() -> None:
    box = Box(-5, -5, 1000, 1000)
    assert to_image(box, None, None, ImportReport(), file="", where="") is box


@pytest.mark.parametrize(
    ("geometry", "severity"),
    [
        (Box(50, 5, 5, 5), Severity.SKIPPED),
        (Polygon(((50, 5, 60, 5, 60, 15),)), Severity.SKIPPED),
        (Ellipse(100, 100, 5, 5), Severity.SKIPPED),
        (Ellipse(40, 10, 5, 5), Severity.NOTE),
        (Keypoints((45, 5, 2, 10, 10, 2)), Severity.NOTE),
        (Keypoints((45, 5, 2, 50, 10, 2)), Severity.SKIPPED),
        (Mask(2, 2, b"04"), Severity.SKIPPED),
        (Box(-1, 5, 5, 5), Severity.CHANGED),
    ],
)
def test_what_reaches_outside(geometry: Geometry, severity: Severity) -> None:
    report = ImportReport()
    assert (fitted(geometry, report) is None) is (severity is Severity.SKIPPED)
    assert [level for level, _ in report.counts] == [severity]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-20, 60), st.integers(-20, 50)), min_size=3, max_size=8, unique=True))
def test_a_clipped_polygon_paints_what_the_whole_one_paints_inside(points: list[tuple[int, int]]) -> None:
    # Convex, so that there is one part inside whatever is cut off.
    middle = np.mean(points, axis=0)
    points.sort(key=lambda point: float(np.arctan2(point[1] - middle[1], point[0] - middle[0])))
    hull = _hull(points)
    if len(hull) < 3:
        return
    polygon = Polygon.from_points([(float(x), float(y)) for x, y in hull])
    clipped = fitted(polygon)
    shifted = Polygon((tuple(value + 60 for value in polygon.rings[0]),))
    whole = masks.decode(masks.from_geometry(shifted, 150, 160))[60:90, 60:100].sum()
    area = clipped.area if isinstance(clipped, Polygon) else 0.0
    assert abs(area - whole) <= 0.5 * _length(polygon) + 2


def _hull(points: list[tuple[int, int]]) -> list[tuple[int, int]]:
    try:
        return [points[index] for index in ConvexHull(np.asarray(points)).vertices]
    except QhullError:
        return []


def _length(polygon: Polygon) -> float:
    corners = np.asarray(polygon.rings[0]).reshape(-1, 2)
    return float(np.hypot(*(corners - np.roll(corners, 1, axis=0)).T).sum())


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 0.95))
def test_an_outline_has_exactly_the_area_of_its_mask(seed: int, share: float) -> None:
    painted = np.random.default_rng(seed).random((9, 11)) < share
    found = outline(masks.encode(painted))
    if found is None:
        assert not painted.any()
    else:
        assert sum(map(ring_area, found.rings)) - sum(map(ring_area, found.holes)) == painted.sum()


def test_an_outline_keeps_holes_and_parts() -> None:
    painted = np.zeros((20, 20), bool)
    painted[2:12, 2:12] = True
    painted[5:8, 5:8] = False
    painted[15:17, 15:19] = True
    mask = masks.encode(painted)
    found = outline(mask)
    assert found is not None
    assert (len(found.rings), len(found.holes)) == (2, 1)
    assert masks.from_geometry(found, 20, 20) == mask


def changed(geometry: Geometry, holds: Holds) -> tuple[Geometry | None, list[str]]:
    report = ExportReport()
    made = to_format(Label("cell", geometry), IMAGE, holds, report)
    return (made.geometry if made else None), [reason for _, reason in report.counts]


RING = (2.0, 2.0, 20.0, 2.0, 20.0, 22.0, 2.0, 22.0)
HOLE = (5.0, 5.0, 9.0, 5.0, 9.0, 9.0, 5.0, 9.0)


def test_the_closest_form_is_taken() -> None:
    mask = masks.from_geometry(Box(2, 2, 18, 20), 30, 40)
    everything = frozenset({Kind.POLYGON, Kind.MASK, Kind.BOX})
    assert isinstance(changed(Ellipse(20, 15, 5, 5), Holds(kinds=everything))[0], Polygon)
    assert isinstance(changed(Polygon((RING,)), Holds(kinds=frozenset({Kind.MASK, Kind.BOX})))[0], Mask)
    assert changed(mask, Holds(kinds=frozenset({Kind.BOX})))[0] == Box(2, 2, 18, 20)
    assert changed(mask, Holds(kinds=frozenset({Kind.POLYGON}), holes=True))[0] == Polygon(
        ((20.0, 2.0, 20.0, 22.0, 2.0, 22.0, 2.0, 2.0),)
    )


def test_a_box_does_not_become_a_class_of_the_whole_image() -> None:
    made, reasons = changed(Box(1, 1, 5, 5), Holds(kinds=frozenset({Kind.CLASSIFICATION})))
    assert made is None
    assert reasons == ["box labels do not fit the format"]


def test_holes_that_do_not_fit() -> None:
    polygon = Polygon((RING,), (HOLE,))
    made, reasons = changed(polygon, Holds(kinds=frozenset({Kind.POLYGON})))
    assert made == Polygon((RING,))
    assert reasons == ["the holes of polygons do not fit the format"]
    made, reasons = changed(polygon, Holds(kinds=frozenset({Kind.POLYGON, Kind.MASK})))
    assert made is not None
    assert made.area == polygon.area


def test_a_label_that_fits_is_the_same_object() -> None:
    label = Label("cell", Polygon((RING,), (HOLE,)), 0.5, attributes={"a": 1})
    assert to_format(label, IMAGE, Holds(confidence=True, attributes=True, holes=True), ExportReport()) is label
