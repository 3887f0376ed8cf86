"""Geometries made light: the same shape, with less of it."""

import math

import numpy as np

from countersign.domain import mask
from countersign.domain.geometry import Box, Ellipse, Keypoints, Polygon
from countersign.server.previews import LONGEST_SIDE, preview
from countersign.workbench.as_json import geometry, to_geometry


def circle(points, radius=100.0):
    turns = (2 * math.pi * i / points for i in range(points))
    return tuple(value for turn in turns for value in (200 + radius * math.cos(turn), 200 + radius * math.sin(turn)))


def test_preview__light_shapes_stay():
    for shape in (
        None,
        Box(1, 2, 3, 4),
        Ellipse(9, 9, 3, 2, 30),
        Keypoints((1.0, 2.0, 2.0)),
        Polygon((circle(12),), (circle(9, 20.0),)),
    ):
        assert preview(shape) == geometry(shape)


def test_preview__polygons_lose_points_and_hardly_any_area():
    whole = Polygon((circle(2000),), (circle(2000, 30.0),))
    light = to_geometry(preview(whole))
    assert isinstance(light, Polygon)
    assert len(light.rings[0]) < 500
    assert abs(light.area - whole.area) < 0.02 * whole.area


def test_preview__tiny_ring_beside_a_large_one_stays():
    tiny = circle(50, 0.5)
    assert to_geometry(preview(Polygon((circle(2000), tiny)))).rings[1] == tiny


def test_preview__masks_shrink():
    painted = np.zeros((900, 1600), dtype=bool)
    painted[100:400, 200:900] = True
    light = preview(mask.encode(painted))
    assert light is not None
    assert (light["width"], light["height"]) == (LONGEST_SIDE, 180)
    assert mask.area(to_geometry(light)) == 60 * 140


def test_preview__small_masks_stay():
    whole = mask.encode(np.eye(40, dtype=bool))
    assert preview(whole) == geometry(whole)
