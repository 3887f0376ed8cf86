import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.domain.errors import GeometryError
from countersign.domain.geometry import Box, Ellipse, Keypoints, Kind, Mask, Polygon, box_iou, clip_box, ring_area

coordinate = st.floats(-500, 500, allow_nan=False, width=32)
extent = st.floats(0.125, 500, allow_nan=False, width=32)
boxes = st.builds(Box, coordinate, coordinate, extent, extent)


@pytest.mark.parametrize(
    "values",
    [(0, 0, 0, 1), (0, 0, 1, -1), (math.nan, 0, 1, 1), (0, math.inf, 1, 1), (0, 0, math.inf, 1), (1e12, 0, 1, 1)],
)
def test_box__refuses_what_is_none(values):
    with pytest.raises(GeometryError):
        Box(*values)


@given(boxes)
def test_box__corners_in_any_order_make_the_same_box(box):
    x0, y0, x1, y1 = box.corners
    again = Box.from_corners(x1, y0, x0, y1)
    assert again.bounds == pytest.approx(box.bounds, abs=1e-6)


@given(boxes, st.integers(1, 400), st.integers(1, 400))
def test_clip_box__lies_on_the_image_and_inside_the_box(box, width, height):
    clipped = clip_box(box, width, height)
    x0, y0, x1, y1 = box.corners
    if clipped is None:
        assert x1 <= 0 or y1 <= 0 or x0 >= width or y0 >= height
        return
    cx0, cy0, cx1, cy1 = clipped.corners
    assert 0 <= cx0 < cx1 <= width + 1e-9
    assert 0 <= cy0 < cy1 <= height + 1e-9
    assert cx0 >= x0 - 1e-9
    assert cy0 >= y0 - 1e-9
    assert clipped.area <= box.area + 1e-6


@given(st.lists(boxes, min_size=1, max_size=5), st.lists(boxes, min_size=1, max_size=5))
def test_box_iou__symmetric_and_one_with_itself(first, second):
    a, b = np.array([box.bounds for box in first]), np.array([box.bounds for box in second])
    iou = box_iou(a, b)
    assert iou.shape == (len(first), len(second))
    assert np.allclose(iou, box_iou(b, a).T)
    assert np.allclose(np.diag(box_iou(a, a)), 1)
    assert (iou >= 0).all()
    assert (iou <= 1 + 1e-9).all()


def test_box_iou__known_values():
    assert box_iou(np.array([[0, 0, 2, 2]]), np.array([[1, 0, 2, 2], [5, 5, 1, 1]])) == pytest.approx(
        np.array([[1 / 3, 0]])
    )


@given(coordinate, coordinate, extent, extent, st.floats(-360, 360))
def test_ellipse__polygon_fills_its_bounds(cx, cy, rx, ry, angle):
    ellipse = Ellipse(cx, cy, rx, ry, angle)
    fine = ellipse.to_polygon(points=720)
    tolerance = 0.01 * max(rx, ry) + 1e-6
    assert fine.bounds == pytest.approx(ellipse.bounds, abs=tolerance)
    assert fine.area == pytest.approx(ellipse.area, rel=1e-3)


def test_ring_area__far_from_the_origin():
    assert ring_area((1e6, 1e6, 1e6 + 2, 1e6, 1e6 + 2, 1e6 + 3, 1e6, 1e6 + 3)) == pytest.approx(6)


def test_polygon__holes_and_parts():
    outer, hole, second = (0, 0, 10, 0, 10, 10, 0, 10), (2, 2, 4, 2, 4, 4, 2, 4), (20, 0, 25, 0, 25, 5, 20, 5)
    polygon = Polygon((outer, second), (hole,))
    assert polygon.area == pytest.approx(100 - 4 + 25)
    assert polygon.bounds == (0, 0, 25, 10)
    assert polygon.kind is Kind.POLYGON


@pytest.mark.parametrize("rings", [(), ((0.0, 0.0, 1.0, 1.0),), ((0, 0, 1, 1, 2),), ((0, 0, 1, 1, math.nan, 2),)])
def test_polygon__refuses_what_is_none(rings):
    with pytest.raises(GeometryError):
        Polygon(rings)


def test_polygon__from_points_drops_the_repeated_end():
    assert Polygon.from_points([(0, 0), (4, 0), (4, 4), (0, 0)]).rings == ((0, 0, 4, 0, 4, 4),)


def test_keypoints__bounds_are_of_the_labelled_points():
    assert Keypoints((0, 0, 0, 5, 6, 2, 9, 8, 1)).bounds == (5, 6, 4, 2)
    assert Keypoints((5, 6, 2), Box(0, 0, 9, 9)).bounds == (0, 0, 9, 9)


@pytest.mark.parametrize("points", [(), (1, 2), (0, 0, 0), (math.inf, 0, 2)])
def test_keypoints__refuses_what_are_none(points):
    with pytest.raises(GeometryError):
        Keypoints(points)


def test_mask__refuses_what_is_none():
    with pytest.raises(GeometryError):
        Mask(0, 5, b"x")
    with pytest.raises(GeometryError):
        Mask(5, 5, b"")
