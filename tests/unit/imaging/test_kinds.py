"""Every kind and way of storing a picture: what probe says and what is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg
import tifffile
from made_pictures import close, encoded, scene
from PIL import Image, ImageCms

from countersign.domain.errors import SettingsError
from countersign.imaging import probe, read_bands, read_rgb, thumbnail

Save = Callable[[str, bytes], Path]
RAMP16 = (np.arange(64, dtype=np.uint16)[None, :] * 40 + 200).repeat(48, axis=0)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "BMP", "TIFF", "JPEG2000", "PPM", "TGA", "ICO", "GIF"])
def test_kind__is_told_by_content(kind: str, save: Save) -> None:
    picture = scene(64, 64) if kind == "ICO" else scene()
    path = save(f"picture.{'tga' if kind == 'TGA' else 'jpg'}", encoded(picture, kind))
    found = probe(path, verify="full")
    assert (found.format, found.width, found.height) == (kind, picture.shape[1], picture.shape[0])
    assert found.dtype == "uint8"
    assert close(read_rgb(path), picture, 6)
    assert read_rgb(path).flags.writeable
    assert read_rgb(path).flags.c_contiguous
    assert read_bands(path).flags.writeable
    assert read_bands(path).shape == (*picture.shape[:2], found.bands)
    assert read_rgb(path, max_size=32).shape == (
        *(round(side * 32 / picture.shape[1]) for side in picture.shape[:2]),
        3,
    )


def test_png__palette_gives_colours_and_indices(save: Save) -> None:
    image = Image.fromarray(scene()).quantize(4)
    for options in ({}, {"bits": 2}, {"transparency": 0}):
        path = save("p.png", _saved(image, "PNG", **options))
        found = probe(path)
        assert (found.bands, found.dtype) == (1, "uint8")
        assert np.array_equal(read_bands(path)[:, :, 0], np.asarray(image))
        if not found.notes:
            assert close(read_rgb(path), scene(), 4)
    shown = read_rgb(path)  # index 0 is transparent: one corner is white instead
    assert (shown == 255).all(axis=2).sum() >= 48 * 32


def test_png__16_bit_gray_is_made_visible_and_stays_reachable(save: Save) -> None:
    path = save("g.png", encoded(RAMP16, "PNG"))
    found = probe(path)
    assert (found.bands, found.dtype, found.notes) == (1, "uint16", ("uint16 is shown with 8 bits",))
    assert np.array_equal(read_bands(path)[:, :, 0], RAMP16)
    shown = read_rgb(path)
    assert (shown[0, 0, 0], shown[0, -1, 0]) == (0, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGBA"])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_gray_alpha_and_one_bit(mode: str, kind: str, save: Save) -> None:
    image = Image.fromarray(scene()).convert(mode)
    if mode in ("LA", "RGBA"):
        image.putalpha(Image.fromarray(np.full((64, 96), 0, np.uint8)))
    path = save("x.img", _saved(image, kind))
    found = probe(path)
    assert (found.bands, found.dtype) == (len(image.getbands()), "bool" if mode == "1" else "uint8")
    shown = read_rgb(path)
    if mode in ("LA", "RGBA"):
        assert shown.min() == 255
        assert "transparency is shown on white" in found.notes or kind == "TIFF"
    else:
        assert np.array_equal(shown, np.asarray(image.convert("RGB")))
    assert read_bands(path).dtype == found.dtype


@pytest.mark.parametrize("quality", [30, 95])
def test_jpeg__gray_and_odd_sizes(quality: int, save: Save) -> None:
    for size in ((1, 1), (3, 200), (131, 67)):
        image = Image.fromarray(scene(*size) if min(size) > 1 else np.full((1, 1, 3), 77, np.uint8))
        path = save("g.jpg", _saved(image.convert("L"), "JPEG", quality=quality))
        assert probe(path).bands == 1
        assert read_rgb(path).shape == (size[1], size[0], 3)
        assert close(read_rgb(path)[:, :, 1], np.asarray(image.convert("L")), 8)
        assert max(read_rgb(path, max_size=16).shape[:2]) == min(16, max(size))


@pytest.mark.parametrize("max_size", [400, 399, 300, 200, 100, 51, 50, 49, 7, 1])
def test_jpeg__any_scale_shows_the_same_picture(max_size: int, save: Save) -> None:
    picture = scene(400, 268)
    path = save("x.jpg", encoded(picture, "JPEG", quality=95))
    found = read_rgb(path, max_size=max_size)
    assert found.shape == (max(1, round(268 * max_size / 400)), max_size, 3)
    if max_size > 40:
        centre = found[:: found.shape[0] // 2 + found.shape[0] // 4, :: found.shape[1] // 2 + found.shape[1] // 4]
        assert close(centre[:2, :2], picture[::267, ::399], 12)


def test_jpeg__cmyk_as_adobe_stores_it(save: Save) -> None:
    inks = Image.fromarray(scene()).convert("CMYK")
    data = _saved(inks, "JPEG", quality=95)  # Pillow writes inverted inks and Adobe's marker
    path = save("c.jpg", data)
    assert probe(path).bands == 4
    assert close(read_rgb(path), scene(), 8)
    assert read_rgb(path, max_size=48).shape == (32, 48, 3)
    assert close(read_bands(path), np.asarray(inks), 8)


def test_mpo_and_trailing_bytes__the_first_picture_is_used(save: Save) -> None:
    first, second = Image.fromarray(scene()), Image.fromarray(255 - scene())
    path = save("two.mpo", _saved(first, "MPO", save_all=True, append_images=[second], quality=95))
    assert probe(path).notes == ("holds more pictures, the first is used",)
    assert close(read_rgb(path), scene(), 6)
    padded = save("padded.jpg", encoded(scene(), "JPEG", quality=95) + b"\0" * 5000)
    assert close(read_rgb(padded), scene(), 6)
    assert probe(padded).width == 96


def test_animations__the_first_frame(save: Save) -> None:
    frames = [Image.fromarray(scene()), Image.fromarray(255 - scene())]
    for kind, options in (("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True})):
        path = save(f"a.{kind}", _saved(frames[0], kind, save_all=True, append_images=frames[1:], **options))
        assert "animated, the first frame is used" in probe(path, verify="full").notes
        assert close(read_rgb(path), scene(), 6)


_WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "tiled": {"tile": (32, 32)},
    "planar": {"planarconfig": "separate"},
    "bigtiff": {"bigtiff": True},
    "deflated": {"compression": "zlib", "predictor": True},
    "lzw": {"compression": "lzw"},
    "zstd tiles in planes": {"compression": "zstd", "tile": (16, 16), "planarconfig": "separate"},
    "big endian": {"byteorder": ">"},
}


@pytest.mark.parametrize("way", _WAYS)
def test_tiff__ways_to_store_rgb(way: str, tmp_path: Path) -> None:
    path, picture, options = tmp_path / "x.tif", scene(), dict(_WAYS[way])
    pixels = np.moveaxis(picture, -1, 0) if "planarconfig" in options else picture
    writer = {name: options.pop(name) for name in ("bigtiff", "byteorder") if name in options}
    tifffile.imwrite(path, pixels, photometric="rgb", **writer, **options)
    found = probe(path, verify="full")
    assert (found.width, found.height, found.bands, found.dtype) == (96, 64, 3, "uint8")
    assert np.array_equal(read_rgb(path), picture)
    assert np.array_equal(read_bands(path), picture)


@pytest.mark.parametrize("dtype", ["uint16", "int16", "uint32", "int32", "float16", "float32", "float64", "int8"])
def test_tiff__wide_gray_is_made_visible(dtype: str, tmp_path: Path) -> None:
    values = (np.arange(100)[None, :].repeat(80, 0)).astype(dtype)
    tifffile.imwrite(tmp_path / "x.tif", values, photometric="minisblack")
    found = probe(tmp_path / "x.tif")
    assert (found.dtype, found.bands) == (dtype, 1)
    shown = read_rgb(tmp_path / "x.tif")
    assert (shown[0, 0, 0], shown[0, -1, 0]) == (0, 255)
    assert np.array_equal(read_bands(tmp_path / "x.tif")[:, :, 0], values)


@pytest.mark.parametrize("planar", [False, True])
def test_geotiff_of_many_bands__no_data_is_black_and_bands_are_reachable(planar: bool, tmp_path: Path) -> None:
    bands = np.random.default_rng(0).integers(500, 900, (7, 60, 80)).astype(np.int16)
    bands[:, :10] = -9999
    tifffile.imwrite(
        tmp_path / "x.tif",
        bands if planar else np.moveaxis(bands, 0, -1),
        photometric="minisblack",
        planarconfig="separate" if planar else "contig",
        extratags=[(42113, "s", 0, "-9999", True)],
    )
    found = probe(tmp_path / "x.tif")
    assert (found.width, found.height, found.bands, found.dtype) == (80, 60, 7, "int16")
    assert "7 bands, of which the first are shown" in found.notes
    shown = read_rgb(tmp_path / "x.tif")
    assert shown[:10].max() == 0
    assert 110 < shown[10:].mean() < 145
    assert np.array_equal(read_bands(tmp_path / "x.tif"), np.moveaxis(bands, 0, -1))


def test_tiff__pages_the_first_and_overviews_are_no_pages(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "pages.tif") as writer:
        for value in (10, 20, 30):
            writer.write(np.full((20, 30), value, np.uint8), contiguous=False)
    assert probe(tmp_path / "pages.tif").notes == ("holds more pages, the first is used",)
    assert read_rgb(tmp_path / "pages.tif").max() == 10
    with tifffile.TiffWriter(tmp_path / "overviews.tif") as writer:
        writer.write(scene(), photometric="rgb")
        writer.write(scene()[::2, ::2], photometric="rgb", subfiletype=1)
    assert probe(tmp_path / "overviews.tif").notes == ()


def test_tiff__white_is_zero_low_bits_palette_and_alpha(tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, np.array([[0, 255]], np.uint8), photometric="miniswhite")
    assert read_rgb(path)[0, :, 0].tolist() == [255, 0]
    tifffile.imwrite(path, np.array([[0, 5, 15]], np.uint8), photometric="minisblack", bitspersample=4)
    assert read_rgb(path)[0, :, 0].tolist() == [0, 85, 255]
    colors = np.zeros((3, 256), np.uint16)
    colors[:, 7] = (65_535, 32_896, 0)
    tifffile.imwrite(path, np.array([[7, 0]], np.uint8), photometric="palette", colormap=colors)
    assert read_rgb(path)[0, 0].tolist() == [255, 128, 0]
    half = np.dstack([scene(), np.full((64, 96), 0, np.uint8)])
    tifffile.imwrite(path, half, photometric="rgb", extrasamples=["unassalpha"])
    assert read_rgb(path).min() == 255
    tifffile.imwrite(path, half, photometric="rgb", extrasamples=["unspecified"])
    assert np.array_equal(read_rgb(path), scene())


def test_tiff__cmyk_and_lab(tmp_path: Path) -> None:
    path, image = tmp_path / "x.tif", Image.fromarray(scene())
    image.convert("CMYK").save(path)
    assert close(read_rgb(path), scene(), 4)
    lab = ImageCms.profileToProfile(
        image, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert lab is not None
    lab.save(path)
    assert close(read_rgb(path), scene(), 4)


def test_cmyk__a_colour_profile_that_is_damaged_is_passed_over(save: Save) -> None:
    path = save("c.jpg", _saved(Image.fromarray(scene()).convert("CMYK"), "JPEG", quality=95, icc_profile=b"x" * 300))
    assert close(read_rgb(path), scene(), 8)


def test_thumbnail__a_small_upright_jpeg(save: Save) -> None:
    data = thumbnail(save("x.png", encoded(scene(600, 400), "PNG")), 150)
    assert simplejpeg.decode_jpeg(data).shape == (100, 150, 3)
    assert len(data) < 4000


def test_read_rgb__does_not_enlarge_and_wants_a_size(save: Save) -> None:
    path = save("x.png", encoded(scene(), "PNG"))
    assert read_rgb(path, max_size=5000).shape == (64, 96, 3)
    with pytest.raises(SettingsError):
        read_rgb(path, max_size=0)


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    import io

    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_tiff__fax_and_few_bits_with_an_orientation(orientation: int, tmp_path: Path) -> None:
    image = Image.fromarray(scene()).convert("1", dither=Image.Dither.NONE)
    for compression in ("group4", "group3", "packbits", "tiff_lzw", None):
        image.save(tmp_path / "x.tif", compression=compression, tiffinfo={274: orientation})
        found = probe(tmp_path / "x.tif", verify="full")
        assert (found.dtype, found.bands) == ("bool", 1)
        assert (found.width > found.height) == (orientation < 5)
        truth = np.asarray(image.convert("RGB"))
        turned = {1: truth, 3: np.rot90(truth, 2), 6: np.rot90(truth, -1)}[orientation]
        assert np.array_equal(read_rgb(tmp_path / "x.tif"), turned), compression


def test_jpeg__progressive_and_every_subsampling(save: Save) -> None:
    for options in (
        {"progressive": True},
        {"subsampling": 0},
        {"subsampling": 1},
        {"subsampling": 2},
        {"keep_rgb": True},
    ):
        path = save("x.jpg", encoded(scene(400, 300), "JPEG", quality=95, **options))
        assert probe(path, verify="full").bands == 3
        assert close(read_rgb(path), scene(400, 300), 3), options
        assert read_rgb(path, max_size=100).shape == (75, 100, 3)


def test_jpeg__12_bit(save: Save) -> None:
    import imagecodecs

    values = (RAMP16 * 1.3).astype(np.uint16)
    path = save("x.jpg", imagecodecs.jpeg8_encode(values, level=95, bitspersample=12))
    found = probe(path, verify="full")
    assert (found.dtype, found.bands, found.width) == ("uint16", 1, 64)
    assert close(read_bands(path)[:, :, 0], values, 8)
    assert read_rgb(path, max_size=32).shape == (24, 32, 3)
    assert read_rgb(path).max() == 255
