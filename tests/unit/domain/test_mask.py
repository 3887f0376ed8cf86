import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from countersign.domain import mask
from countersign.domain.errors import GeometryError
from countersign.domain.geometry import Box, Ellipse, Keypoints, Mask, Polygon

paintings = arrays(np.bool_, st.tuples(st.integers(1, 40), st.integers(1, 40)))


@given(paintings)
def test_encode__decodes_to_the_same(painted):
    encoded = mask.encode(painted)
    assert (encoded.height, encoded.width) == painted.shape
    assert np.array_equal(mask.decode(encoded), painted)
    assert mask.area(encoded) == painted.sum()
    assert mask.valid(encoded)


@given(paintings)
def test_counts__inverse(painted):
    encoded = mask.encode(painted)
    runs = mask.to_counts(encoded)
    assert sum(runs) == painted.size
    assert mask.from_counts(runs, *painted.shape) == encoded


@given(paintings, st.integers(1, 9))
def test_sampled__every_middle_pixel(painted, step):
    small = mask.sampled(mask.encode(painted), step)
    rows, columns = (np.minimum(np.arange(0, side, step) + step // 2, side - 1) for side in painted.shape)
    expected = painted[np.ix_(rows, columns)] if step > 1 else painted
    assert np.array_equal(mask.decode(small), expected)


@given(paintings)
def test_bounds__around_the_painted_pixels(painted):
    x, y, width, height = mask.bounds(mask.encode(painted))
    rows, columns = np.nonzero(painted)
    if not len(rows):
        assert (width, height) == (0, 0)
        return
    assert (x, y) == (columns.min(), rows.min())
    assert (x + width, y + height) == (columns.max() + 1, rows.max() + 1)


@given(st.data())
def test_merge_and_iou__as_numpy_says(data):
    shape = data.draw(st.tuples(st.integers(1, 20), st.integers(1, 20)))
    a, b = data.draw(arrays(np.bool_, shape)), data.draw(arrays(np.bool_, shape))
    first, second = mask.encode(a), mask.encode(b)
    assert np.array_equal(mask.decode(mask.merge([first, second])), a | b)
    assert np.array_equal(mask.decode(mask.merge([first, second], intersect=True)), a & b)
    if (a | b).any():
        assert mask.iou([first], [second])[0, 0] == pytest.approx((a & b).sum() / (a | b).sum())


@given(st.binary(min_size=1, max_size=30), st.integers(1, 50), st.integers(1, 50))
def test_valid__never_fails_on_rubbish(counts, height, width):
    assert mask.valid(Mask(height, width, counts)) in (True, False)


def test_valid__refuses_runs_of_another_size():
    encoded = mask.encode(np.eye(7))
    assert not mask.valid(Mask(8, 7, encoded.counts))
    assert not mask.valid(Mask(7, 7, encoded.counts + b"5"))


def test_encode__keeps_holes_and_parts():
    painted = np.zeros((20, 30), bool)
    painted[2:12, 2:12] = True
    painted[5:8, 5:8] = False
    painted[15:18, 20:28] = True
    assert np.array_equal(mask.decode(mask.encode(painted)), painted)


def test_from_geometry__box_of_whole_pixels_is_exact():
    painted = mask.decode(mask.from_geometry(Box(3, 4, 5, 6), 20, 30))
    expected = np.zeros((20, 30), bool)
    expected[4:10, 3:8] = True
    assert np.array_equal(painted, expected)


def test_from_geometry__holes_are_cut_out():
    polygon = Polygon(((2, 2, 18, 2, 18, 18, 2, 18),), ((6, 6, 12, 6, 12, 12, 6, 12),))
    painted = mask.decode(mask.from_geometry(polygon, 20, 20))
    assert painted.sum() == 16 * 16 - 6 * 6
    assert not painted[8, 8]


def test_from_geometry__ellipse_has_its_area():
    ellipse = Ellipse(50, 40, 30, 12, 25)
    assert mask.area(mask.from_geometry(ellipse, 80, 100)) == pytest.approx(ellipse.area, rel=0.03)


def test_from_geometry__refuses_what_has_no_area_or_another_size():
    with pytest.raises(GeometryError, match="keypoints"):
        mask.from_geometry(Keypoints((1, 1, 2)), 5, 5)
    with pytest.raises(GeometryError, match="7x7"):
        mask.from_geometry(mask.encode(np.ones((7, 7))), 5, 5)


@pytest.mark.parametrize("runs", [[10], [-1, 26], [20, 6], []])
def test_from_counts__must_fill_the_image(runs):
    with pytest.raises(GeometryError):
        mask.from_counts(runs, 5, 5)


def test_merge__refuses_different_sizes_and_none():
    with pytest.raises(GeometryError):
        mask.merge([mask.encode(np.ones((2, 2))), mask.encode(np.ones((2, 3)))])
    with pytest.raises(GeometryError):
        mask.merge([])
