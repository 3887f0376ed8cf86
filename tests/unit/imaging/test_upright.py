from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from made_pictures import close, encoded, scene, stored
from PIL import Image

from countersign.imaging import probe, read_bands, read_rgb
from countersign.imaging.upright import orientation_of, sane, turn

Save = Callable[[str, bytes], Path]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turn__undoes_how_it_lies(orientation: int) -> None:
    picture = scene()
    found = turn(stored(picture, orientation), orientation)
    assert np.array_equal(found, picture)
    assert found.flags.c_contiguous


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_kind_with_exif_is_read_upright(kind: str, orientation: int, save: Save) -> None:
    picture = scene()
    exif = Image.Exif()
    exif[274] = orientation
    options = {} if kind == "TIFF" else {"quality": 95}
    path = save(f"picture.{kind}", encoded(stored(picture, orientation), kind, exif=exif, **options))
    found = probe(path)
    assert (found.width, found.height, found.format) == (96, 64, kind)
    assert close(read_rgb(path), picture, 6)
    assert read_rgb(path, max_size=24).shape == (16, 24, 3)
    assert close(read_rgb(path, max_size=24)[::15, ::23], picture[::63, ::95], 12)
    assert close(read_bands(path)[:, :, :3], picture, 6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_tiff_that_pillow_decodes__is_turned_once(orientation: int, save: Save, tmp_path: Path) -> None:
    image = Image.fromarray(stored(scene(), orientation)).convert("YCbCr")
    image.save(tmp_path / "x.tif", tiffinfo={274: orientation})
    with tifffile.TiffFile(tmp_path / "x.tif") as file:
        assert file.pages[0].photometric == 6  # neither RGB nor JPEG: libtiff's work
    assert close(read_rgb(tmp_path / "x.tif"), scene(), 4)
    assert probe(tmp_path / "x.tif").width == 96


@given(
    st.binary(max_size=200), st.sampled_from([b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"Exif\0\0II*\0\x08\0\0\0"])
)
def test_orientation_of__survives_any_bytes(data: bytes, start: bytes) -> None:
    assert 1 <= orientation_of(start + data) <= 8


@pytest.mark.parametrize(("order", "mark"), [("<", b"II"), (">", b"MM")])
def test_orientation_of__both_byte_orders(order: str, mark: bytes) -> None:
    block = mark + struct.pack(f"{order}HIHHHIHH", 42, 8, 1, 274, 3, 1, 6, 0)
    assert orientation_of(block) == 6
    assert orientation_of(b"Exif\0\0" + block) == 6


def test_sane__zero_and_nonsense_mean_as_stored() -> None:
    assert [sane(value) for value in (0, 9, -1, None, "6", 6)] == [1, 1, 1, 1, 1, 6]


def test_proving_ground__all_orientations_show_the_same(data_dir: Callable[[str], Path]) -> None:
    pictures = [read_rgb(path, max_size=300) for path in sorted(data_dir("exif_orientation_dev").glob("*.jpg"))]
    assert len(pictures) == 9
    # The number in the middle of the scene differs, the rest does not.
    assert all(close(picture, pictures[0], 8) for picture in pictures)
