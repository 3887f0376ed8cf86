from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from countersign.imaging.display import to_byte, to_rgb, value_range


def gray(values: object, dtype: str) -> np.ndarray:
    return np.asarray(values, dtype)[:, :, None]


def test_eight_bits__are_shown_as_they_are() -> None:
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    assert np.array_equal(to_rgb(pixels, color=True), pixels)
    assert np.array_equal(to_rgb(pixels[:, :, :1], color=False)[:, :, 2], pixels[:, :, 0])


@pytest.mark.parametrize("dtype", ["uint16", "int16", "uint32", "int32", "float32", "float64", "float16"])
def test_dim_micrograph__is_made_visible(dtype: str) -> None:
    random = np.random.default_rng(1)
    pixels = gray(random.normal(300, 20, (200, 200)), dtype)  # of 65,535: black without scaling
    shown = to_rgb(pixels, color=False)
    assert shown.min() == 0
    assert shown.max() == 255
    assert 100 < shown.mean() < 155


def test_percentiles__one_hot_pixel_does_not_blacken_the_rest() -> None:
    pixels = gray(np.tile(np.arange(100), (100, 1)), "uint16")
    pixels[5, 5] = 65_535
    assert value_range(pixels) == (0.0, 99.0)
    assert to_rgb(pixels, color=False)[0, 50, 0] in range(126, 132)


def test_few_bright_specks_on_black__from_least_to_greatest() -> None:
    pixels = gray(np.zeros((100, 100)), "uint16")
    pixels[3, 3] = 1000
    shown = to_rgb(pixels, color=False)
    assert (shown[3, 3, 0], shown[9, 9, 0]) == (255, 0)


def test_not_a_number_and_no_data__are_black_and_do_not_count() -> None:
    pixels = gray(np.tile(np.linspace(0.2, 0.4, 50), (50, 1)), "float32")
    pixels[0, 0], pixels[0, 1], pixels[0, 2] = np.nan, np.inf, -np.inf
    pixels[1] = -9999.0
    shown = to_rgb(pixels, color=False, valid=(pixels != -9999.0)[:, :, 0])
    assert shown[0, :3].max() == 0
    assert shown[1].max() == 0
    assert 110 < shown[2:].mean() < 145


def test_all_not_a_number__is_black() -> None:
    assert to_rgb(gray(np.full((3, 3), np.nan), "float32"), color=False).max() == 0


def test_rgb_of_16_bits__full_range_keeps_its_brightness() -> None:
    eight = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    assert np.array_equal(to_rgb(eight.astype(np.uint16) * 257, color=True), eight)


def test_rgb_of_a_12_bit_camera__is_stretched_and_keeps_its_hue() -> None:
    pixels = np.random.default_rng(0).integers(0, 4096, (40, 40, 3)).astype(np.uint16)
    pixels[:, :, 2] //= 2
    shown = to_rgb(pixels, color=True).astype(float)
    assert shown[:, :, 0].mean() > 110
    assert 0.4 < shown[:, :, 2].mean() / shown[:, :, 0].mean() < 0.6


def test_bands_that_are_no_colours__each_on_its_own() -> None:
    pixels = np.stack([np.tile(np.arange(64) * scale, (64, 1)) for scale in (1, 10, 100, 7)], 2).astype(np.int16)
    shown = to_rgb(pixels, color=False)
    assert shown.shape == (64, 64, 3)
    assert np.abs(shown[:, :, 0].astype(int) - shown[:, :, 2]).max() <= 1


def test_transparency__is_laid_on_white() -> None:
    pixels = np.full((1, 3, 3), 100, np.uint8)
    alpha = np.array([[0, 128, 255]], np.uint8)
    assert to_rgb(pixels, color=True, alpha=alpha)[0, :, 0].tolist() == [255, 177, 100]
    multiplied = np.array([[[0] * 3, [50] * 3, [100] * 3]], np.uint8)
    assert to_rgb(multiplied, color=True, alpha=alpha, premultiplied=True)[0, :, 0].tolist() == [255, 177, 100]


def test_to_byte() -> None:
    assert to_byte(np.array([0.0, 0.5, 1.0, 7.0, np.nan], np.float32)).tolist() == [0, 128, 255, 255, 0]
    assert to_byte(np.array([0, 65_535], np.uint16)).tolist() == [0, 255]
    assert to_byte(np.array([False, True])).tolist() == [0, 255]
    assert to_byte(np.array([-5, 32_767], np.int16)).tolist() == [0, 255]


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(
        st.sampled_from(
            [np.float32, np.float64, np.float16, np.int8, np.int64, np.uint64, np.uint16, np.complex64, bool]
        ),
        st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 5)),
    ),
    st.booleans(),
)
def test_to_rgb__any_values_make_a_picture(pixels: np.ndarray, color: bool) -> None:
    shown = to_rgb(pixels, color=color)
    assert shown.dtype == np.uint8
    assert shown.shape == (*pixels.shape[:2], 3)
