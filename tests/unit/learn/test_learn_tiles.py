from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.learn import tiles


@given(height=st.integers(1, 400), width=st.integers(1, 400), side=st.integers(8, 200), overlap=st.floats(0, 0.5))
def test_cores_cover_every_pixel_once(height: int, width: int, side: int, overlap: float) -> None:
    seen = np.zeros((height, width), np.int64)
    for tile in tiles.cut(height, width, side, int(side * overlap)):
        x0, y0, x1, y1 = tile.core
        assert tile.x0 <= x0 < x1 <= tile.x1 <= width
        assert tile.y0 <= y0 < y1 <= tile.y1 <= height
        assert max(tile.x1 - tile.x0, tile.y1 - tile.y0) <= side
        seen[y0:y1, x0:x1] += 1
    assert (seen == 1).all()


def test_small_object_is_seen_whole_by_the_tile_that_answers_for_it() -> None:
    rng = np.random.default_rng(0)
    cut = tiles.cut(300, 500, 100, 40)
    for _ in range(200):
        x, y = rng.uniform(10, 490), rng.uniform(10, 290)
        box = np.array([[x - 10, y - 10, x + 10, y + 10]], np.float32)
        owners = [tile for tile in cut if tiles.in_core(box, tile)[0]]
        assert len(owners) == 1
        tile = owners[0]
        assert tile.x0 <= box[0, 0]
        assert tile.y0 <= box[0, 1]
        assert tile.x1 >= box[0, 2]
        assert tile.y1 >= box[0, 3]


def test_image_smaller_than_a_tile() -> None:
    assert tiles.cut(50, 80, 100, 20) == [tiles.Tile(0, 0, 80, 50, (0, 0, 80, 50))]


def test_cut_off_sides() -> None:
    tile = tiles.Tile(100, 0, 200, 100, (120, 0, 200, 100))
    boxes = np.array([[100, 10, 150, 50], [110, 0, 150, 50], [150, 50, 200, 100]], np.float32)
    assert tiles.is_cut(boxes, tile, 100, 200).tolist() == [True, False, False]


@pytest.mark.parametrize(("same", "kept"), [(True, [True, False]), (False, [True, True])])
def test_part_of_a_larger_box_goes(same: bool, kept: list[bool]) -> None:
    boxes = np.array([[0, 0, 100, 100], [80, 20, 110, 60]], np.float32)
    classes = np.array([0, 0 if same else 1])
    found = tiles.drop_parts(boxes, classes, np.array([False, True]), share=0.6)
    assert found.tolist() == kept
