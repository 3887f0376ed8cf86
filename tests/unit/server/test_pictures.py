from __future__ import annotations

import base64
import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from countersign import imaging
from countersign.domain.errors import ImageError
from countersign.domain.image import Image
from countersign.server.pictures import Pictures, region

SIDES = st.integers(1, 5000)
PLACES = st.floats(-100, 6000, allow_nan=False)


@given(SIDES, SIDES, PLACES, PLACES, st.floats(0.1, 3000), st.floats(0.1, 3000))
def test_region_lies_on_the_image(width: int, height: int, x: float, y: float, w: float, h: float) -> None:
    left, top, across, down = region((x, y, w, h), width, height)
    assert 0 <= left < width
    assert 0 <= top < height
    assert 0 < across <= width - left + 1e-6
    assert 0 < down <= height - top + 1e-6
    if x >= 0 and y >= 0 and x + w <= width and y + h <= height:
        assert left <= x + 1e-6
        assert left + across >= x + w - 1e-6


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    store: Any = SimpleNamespace(blobs=tmp_path / "blobs")
    return Pictures(store)


def _image(path: Path) -> Image:
    found = imaging.probe(path)
    return Image(
        1, 1, path.name, str(path), found.content_hash, found.width, found.height, found.format, found.bands,
        found.dtype, found.bytes,
    )  # fmt: skip


def _size(data: bytes) -> tuple[int, int]:
    with Pillow.open(io.BytesIO(data)) as opened:
        return opened.size


def test_thumbnail_is_made_once(tmp_path: Path, pictures: Pictures) -> None:
    path = tmp_path / "wide.jpg"
    Pillow.new("RGB", (1000, 400), "red").save(path)
    image = _image(path)
    first = pictures.thumbnail(image, 256)
    assert _size(first.path.read_bytes()) == (256, 102)
    path.unlink()
    assert pictures.thumbnail(image, 200).path == first.path
    with pytest.raises(ImageError, match="not there"):
        pictures.thumbnail(image, 512)


def test_plain_file_is_sent_as_it_is(tmp_path: Path, pictures: Pictures) -> None:
    path = tmp_path / "plain.png"
    Pillow.new("RGB", (20, 10), "red").save(path)
    found = pictures.full(_image(path))
    assert (found.path, found.media_type) == (path, "image/png")


@pytest.mark.parametrize("kind", ["turned", "clear", "sixteen", "tiff"])
def test_others_are_rendered_upright(tmp_path: Path, pictures: Pictures, kind: str) -> None:
    path = tmp_path / {"turned": "a.jpg", "clear": "a.png", "sixteen": "b.png", "tiff": "a.tif"}[kind]
    if kind == "turned":
        exif = Pillow.Exif()
        exif[0x0112] = 6
        Pillow.new("RGB", (40, 20), "red").save(path, exif=exif)
    elif kind == "clear":
        Pillow.new("RGBA", (20, 40), (255, 0, 0, 10)).save(path)
    elif kind == "sixteen":
        Pillow.fromarray(np.full((40, 20), 3000, np.uint16)).save(path)
    else:
        Pillow.new("RGB", (20, 40), "red").save(path)
    found = pictures.full(_image(path))
    assert found.path != path
    assert found.media_type == "image/png"
    assert _size(found.path.read_bytes()) == (20, 40)


def test_crop_shows_the_label(tmp_path: Path, pictures: Pictures) -> None:
    path = tmp_path / "spot.png"
    pixels = np.zeros((300, 400, 3), np.uint8)
    pixels[100:140, 200:240] = 255
    Pillow.fromarray(pixels).save(path)
    image = _image(path)
    found = pictures.crop(image, (200.0, 100.0, 40.0, 40.0), 160)
    with Pillow.open(found.path) as opened:
        shown = np.asarray(opened.convert("L"))
    assert max(shown.shape) == 160
    assert shown[80, 80] > 240
    assert shown[5, 5] < 20
    assert pictures.crop(image, (200.0, 100.0, 40.0, 41.0), 160).path != found.path


def test_thumbnails_of_many(tmp_path: Path, pictures: Pictures) -> None:
    found = []
    for number, color in enumerate(("red", "green", "blue"), 1):
        path = tmp_path / f"{color}.png"
        Pillow.new("RGB", (300, 200), color).save(path)
        found.append(replace(_image(path), id=number))
    pictures.thumbnail(found[2], 128)  # made already: it comes first
    (tmp_path / "red.png").unlink()
    lines = b"".join(pictures.thumbnails(found, 100)).splitlines()
    said = {int(line.split(b" ")[0]): base64.b64decode(line.split(b" ")[1]) for line in lines}
    assert lines[0].startswith(b"3 ")
    assert said[1] == b""
    assert [_size(said[number]) for number in (2, 3)] == [(128, 85), (128, 85)]


def test_thumbnail_that_is_ready(tmp_path: Path, pictures: Pictures) -> None:
    path = tmp_path / "wide.jpg"
    Pillow.new("RGB", (1000, 400), "red").save(path)
    image = _image(path)
    version = image.content_hash[:16]
    assert pictures.ready(1, 256, version) is None  # never looked up
    pictures.seen([image])
    assert pictures.ready(1, 256, version) is None  # not made yet
    made = pictures.thumbnail(image, 256)
    assert pictures.ready(1, 256, version) == (made, made.path.read_bytes())
    assert pictures.ready(1, 256, "") is None
    assert pictures.ready(1, 256, "0" * 16) is None
    assert pictures.ready(2, 256, version) is None
