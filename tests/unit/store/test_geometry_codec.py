from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.domain import mask
from countersign.domain.errors import GeometryError
from countersign.domain.geometry import Box, Ellipse, Geometry, Keypoints, Kind, Mask, Polygon
from countersign.store.geometry_codec import decode, encode

exact = st.floats(-1e8, 1e8, allow_nan=False, allow_infinity=False)
hundredths = st.integers(-100_000, 100_000).map(lambda number: number / 100)
large = st.integers(-(10**9), 10**9).map(lambda number: number / 100)
numbers = st.one_of(exact, hundredths, large)
size = st.floats(1e-3, 1e6)


@st.composite
def rings(draw: st.DrawFn) -> tuple[float, ...]:
    kind = draw(st.sampled_from([exact, hundredths, large]))
    return tuple(draw(st.lists(kind, min_size=6, max_size=20).filter(lambda ring: len(ring) % 2 == 0)))


@st.composite
def keypoints(draw: st.DrawFn) -> Keypoints:
    count = draw(st.integers(1, 17))
    seen = draw(st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=count, max_size=count).filter(any))
    points = [value for v in seen for value in (draw(numbers), draw(numbers), v)]
    box = draw(st.none() | st.builds(Box, numbers, numbers, size, size))
    return Keypoints(tuple(points), box)


@st.composite
def masks(draw: st.DrawFn) -> Mask:
    height, width = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    bits = draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width))
    return mask.encode(np.array(bits).reshape(height, width))


geometries = st.one_of(
    st.builds(Box, numbers, numbers, size, size),
    st.builds(Polygon, st.lists(rings(), min_size=1, max_size=3).map(tuple), st.lists(rings(), max_size=2).map(tuple)),
    st.builds(Ellipse, numbers, numbers, size, size, st.floats(-360, 360)),
    keypoints(),
    masks(),
)


@given(geometries)
def test_comes_back_exactly(geometry: Geometry) -> None:
    kind, x, y, width, height, data = encode(geometry)
    assert kind == geometry.kind
    assert (x, y, width, height) == geometry.bounds
    assert x is not None
    assert y is not None
    assert width is not None
    assert height is not None
    assert decode(kind, x, y, width, height, data) == geometry


def test_a_box_is_its_bounds() -> None:
    assert encode(Box(1.5, 2.5, 3.0, 4.0)) == (Kind.BOX, 1.5, 2.5, 3.0, 4.0, None)


def test_a_classification_is_nothing() -> None:
    assert encode(None) == (0, None, None, None, None, None)
    assert decode(0, 0, 0, 0, 0, None) is None


@pytest.mark.parametrize(("scale", "per_number"), [(1.0, 2), (1000.0, 4), (1 / 3, 8)])
def test_coordinates_take_as_little_as_they_can(scale: float, per_number: int) -> None:
    ring = tuple(scale * value for value in (0.25, 1.5, 10.0, 20.0, 30.0, 40.01))
    data = encode(Polygon((ring,)))[5]
    assert data is not None
    assert len(data) == 1 + 4 + 4 + 1 + 6 * per_number


@pytest.mark.parametrize("kind", [2, 3, 4, 5, 99])
@pytest.mark.parametrize("data", [None, b"", b"P", b"P\x01\x00\x00\x00\x06\x00\x00\x00x", b"E123", b"kz", b"M\x01\x00"])
def test_decode__damaged(kind: int, data: bytes | None) -> None:
    with pytest.raises(GeometryError):
        decode(kind, 0, 0, 1, 1, data)


def test_encode__a_mask_that_is_none() -> None:
    with pytest.raises(GeometryError, match="mask"):
        encode(Mask(4, 5, b"06N4"))
