from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made_pictures import encoded, scene

from countersign.domain.errors import ImageError, SettingsError
from countersign.imaging import Limits, default_limits, probe, read_rgb, scan
from countersign.imaging.files import Source

Save = Callable[[str, bytes], Path]


def test_probe__says_all_of_a_file(save: Save) -> None:
    data = encoded(scene(), "PNG")
    path = save("x.png", data)
    os.utime(path, ns=(1, 1_700_000_000_123_456_789))
    found = probe(path)
    assert found.path == str(path)
    assert found.content_hash == hashlib.sha256(data).hexdigest()
    assert (found.bytes, found.modified_ns) == (len(data), 1_700_000_000_123_456_789)


def test_probe__path_is_absolute(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save("x.png", encoded(scene(), "PNG"))
    monkeypatch.chdir(path.parent)
    assert probe("x.png").path == str(path)


def test_probe__names_of_any_script_and_length(save: Save) -> None:
    for name in ("наклейка 日本.png", "with\nnewline.png", "'quoted\" %s.png", "x" * 240 + ".png"):
        assert probe(save(name, encoded(scene(), "PNG"))).width == 96
    with pytest.raises(ImageError, match="too long"):
        probe("/" + "x" * 300)
    with pytest.raises(ImageError, match="cannot be the name"):
        probe("nul\0.png")


def test_limits__ceiling_and_the_doubtful_range(save: Save) -> None:
    path = save("x.png", encoded(scene(), "PNG"))
    with pytest.raises(ImageError, match="96 x 64 pixels, more than"):
        read_rgb(path, limits=Limits(max_pixels=6000, free_pixels=6000, pixels_per_byte=10_000))
    with pytest.raises(ImageError, match="bomb"):
        read_rgb(path, limits=Limits(free_pixels=100, pixels_per_byte=1))
    assert read_rgb(path, limits=Limits(max_pixels=96 * 64)).shape == (64, 96, 3)


def test_limits__from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIGN_MAX_MEGAPIXELS", "2000")
    assert default_limits().max_pixels == 2_000_000_000
    monkeypatch.setenv("COUNTERSIGN_MAX_MEGAPIXELS", "many")
    with pytest.raises(SettingsError, match="COUNTERSIGN_MAX_MEGAPIXELS"):
        default_limits()


def test_source__a_large_file_is_read_in_pieces(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("countersign.imaging.files.IN_MEMORY", 1000)
    picture = scene(300, 200)
    for kind in ("TIFF", "PNG", "BMP"):
        path = save(kind, encoded(picture, kind))
        found = probe(path)
        assert found.content_hash == hashlib.sha256(path.read_bytes()).hexdigest()
        assert np.array_equal(read_rgb(path), picture)
        with Source(path) as source:
            assert source.stream().read() == path.read_bytes()


def test_proving_ground__odd_files_are_read_or_refused(data_dir: Callable[[str], Path]) -> None:
    refused = {}
    for path in scan(data_dir("edge_pillow_dev")):
        try:
            found = probe(path, verify="full")
        except ImageError as error:
            refused[path.name] = error.reason.split(":")[0]
            continue
        assert read_rgb(path).shape == (found.height, found.width, 3)
    assert refused == {
        "broken.png": "damaged",
        "broken_data_stream.png": "damaged",
        "crash-0c7e0e8e11ce787078f00b5b0ca409a167f070e0.tif": "truncated",
        "crash-2020-10-test.tif": "damaged",
        "decompression_bomb.gif": "its frame is far larger than the picture",
        "png_decompression_dos.png": "its text grows without end when unpacked",
        "truncated_image.png": "truncated",
        "truncated_jpeg.jpg": "truncated",
        "ultrahdr.jpg": "truncated",
        "zero_width.gif": "damaged",
    }


def test_proving_ground__hopper_is_the_same_in_every_kind(data_dir: Callable[[str], Path]) -> None:
    folder = data_dir("edge_pillow_dev")
    truth = read_rgb(folder / "hopper.png").astype(int)
    for name in [
        "hopper.jpg",
        "hopper.webp",
        "hopper.avif",
        "hopper.bmp",
        "hopper.gif",
        "hopper.tif",
        "hopper.psd",
        "hopper.Lab.tif",
    ]:
        assert np.abs(read_rgb(folder / name) - truth).mean() < 9, name
    red = read_rgb(folder / "pil_sample_rgb.jpg").astype(int)
    for name in ("pil_sample_cmyk.jpg", "tiff_strip_cmyk_jpeg.tif"):
        assert np.abs(read_rgb(folder / name) - red).mean() < 8, name


def test_proving_ground__geotiff(data_dir: Callable[[str], Path]) -> None:
    folder = data_dir("geotiff_dev")
    found = probe(folder / "sample_geotiff_custom_proj.tif")
    assert (found.width, found.height, found.bands, found.dtype) == (512, 512, 3, "int16")
    for path in scan(folder):
        shown = read_rgb(path, max_size=200)
        assert shown.max() > 240
        assert shown.std() > 20
