"""Files that are not what they say: each is refused with a reason, quietly; nothing else may come out."""

from __future__ import annotations

import errno
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_pictures import encoded, scene

from countersign.domain.errors import ImageError
from countersign.imaging import MISSING, probe, probe_many, read_bands, read_rgb, thumbnail

Save = Callable[[str, bytes], Path]
KINDS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "JPEG2000", "PPM", "ICO")


@cache
def whole(kind: str, side: int = 48) -> bytes:
    noise = np.random.default_rng(3).integers(0, 60, (side, side, 3), dtype=np.uint8)
    return encoded(scene(side, side) - np.minimum(scene(side, side), noise), kind)


def reason(path: Path, **options: object) -> str:
    with pytest.raises(ImageError) as caught:
        probe(path, **options)  # type: ignore[arg-type]
    assert caught.value.path == str(path)
    return caught.value.reason


@pytest.mark.parametrize("side", [48, 300])
@pytest.mark.parametrize("kind", KINDS)
def test_truncated_anywhere__is_refused(kind: str, side: int, save: Save) -> None:
    data = whole(kind, 200 if kind == "ICO" else side)
    assert probe(save("whole", data)).format == kind
    for share in (0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97):
        path = save("cut", data[: max(4, int(len(data) * share))])
        assert reason(path), share


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_truncated_and_filled_with_zeros__is_refused(kind: str, save: Save) -> None:
    data = whole(kind, 300)
    cut = len(data) * 2 // 3
    assert reason(save("x", data[:cut] + b"\0" * (len(data) - cut)))


def test_jpeg__cut_off_is_called_truncated_even_if_its_preview_is_whole(save: Save) -> None:
    preview = whole("JPEG")
    data = whole("JPEG", 300)
    segment = b"\xff\xe1" + struct.pack(">H", len(preview) + 2) + preview
    path = save("x.jpg", data[:2] + segment + data[2 : len(data) // 2])
    assert reason(path) == "truncated: the end of the picture is missing"
    with pytest.raises(ImageError, match="truncated"):
        read_rgb(path)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(KINDS), spots=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=8))
def test_damaged_bytes__give_a_picture_or_an_image_error(
    tmp_path: Path, kind: str, spots: list[tuple[float, int]]
) -> None:
    data = bytearray(whole(kind))
    for place, value in spots:
        data[int(place * (len(data) - 1))] = value
    path = tmp_path / "damaged"
    path.write_bytes(data)
    actions = probe, partial(probe, verify="full"), read_rgb, read_bands, partial(thumbnail, size=9)
    for action in actions:
        with suppress(ImageError):
            action(path)


@given(
    st.binary(max_size=64), st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0", b"MM\0+", b""])
)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rubbish_behind_a_signature__is_refused(tmp_path: Path, data: bytes, start: bytes) -> None:
    path = tmp_path / "rubbish.jpg"
    path.write_bytes(start + data)
    assert reason(path)


def test_what_it_is_instead(save: Save) -> None:
    assert reason(save("x.jpg", b"")) == "the file is empty"
    assert reason(save("x.jpg", b"\0" * 900)) == "not an image: it is nothing but zeros"
    assert reason(save("x.jpg", b"<!DOCTYPE html><html>404")) == "not an image: it is a web page"
    assert reason(save("x.png", b"version https://git-lfs.github.com/spec/v1\n")).endswith(
        "LFS pointer without its file"
    )
    assert "HEIC" in reason(save("x.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"))
    assert reason(save("x.jpg", b"hello")) == "not an image of a known kind"


def _png(width: int, height: int, body: bytes = b"") -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header), body or chunk(b"IDAT", zlib.compress(b"\0" * 50)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_bombs__are_refused_by_their_header(save: Save, tmp_path: Path) -> None:
    assert "decompression bomb" in reason(save("x.png", _png(50_000, 50_000)))
    assert "width or height is 0" in reason(save("x.png", _png(0, 9)))
    jpeg = bytearray(whole("JPEG"))
    at = jpeg.index(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = struct.pack(">HH", 65_000, 65_000)
    assert "decompression bomb" in reason(save("x.jpg", bytes(jpeg)))
    for call in (read_rgb, read_bands):
        with pytest.raises(ImageError, match="decompression bomb"):
            call(tmp_path / "x.jpg")
    gif = bytearray(whole("GIF"))
    gif[6:10] = struct.pack("<HH", 65_000, 65_000)
    assert "decompression bomb" in reason(save("x.gif", bytes(gif)))


def test_png__text_that_grows_without_end(save: Save) -> None:
    content = b"Comment\0\0" + zlib.compress(b"\0" * 3_000_000)
    chunk = b"zTXt" + content
    data = _png(4, 4)
    text = struct.pack(">I", len(content)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    assert "decompression bomb" in reason(save("x.png", data[:33] + text + data[33:]))


def test_png__a_wrong_checksum(save: Save) -> None:
    data = bytearray(whole("PNG", 300))
    data[len(data) // 2] ^= 1
    assert reason(save("x.png", bytes(data))) == "damaged: a checksum is wrong"


def test_full_check__finds_what_the_structure_does_not_show(save: Save) -> None:
    data = bytearray(whole("JPEG", 400))
    scan = data.index(b"\xff\xda") + 14
    data[scan + 500 : scan + 700] = b"\x55" * 200
    path = save("x.jpg", bytes(data))
    assert probe(path).width == 400
    assert reason(path, verify="full").startswith("damaged")
    assert read_rgb(path).shape == (400, 400, 3)  # shown as other programs show it


def test_tiff__strips_beyond_the_end_and_circles(tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, scene(300, 300), photometric="rgb")
    path.write_bytes(path.read_bytes()[:-20_000])
    assert reason(path) == "truncated: the end of the picture is missing"
    tifffile.imwrite(path, scene(300, 300), photometric="rgb")
    data = bytearray(path.read_bytes())
    first = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, first)[0]
    struct.pack_into("<I", data, first + 2 + 12 * count, first)  # the next page is this page
    path.write_bytes(data)
    assert probe(path).width == 300


def test_probe_many__one_broken_file_does_not_stop_the_rest(save: Save, tmp_path: Path) -> None:
    paths = []
    for i in range(50):
        broken = i % 7 == 3
        paths.append(save(f"{i:02}.png", whole("PNG")[:60] if broken else whole("PNG") + bytes([i])))
    paths.append(tmp_path / "gone.png")
    results = list(probe_many(iter(paths), workers=3))
    assert [path for path, _ in results] == paths
    refused = [path.name for path, result in results if isinstance(result, ImageError)]
    assert refused == ["03.png", "10.png", "17.png", "24.png", "31.png", "38.png", "45.png", "gone.png"]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EACCES, "no permission to read it"),
        (errno.ELOOP, "a link that leads back to itself"),
        (errno.ENOENT, MISSING),
        (errno.EIO, "the disk reports a read error"),
    ],
)
def test_what_the_system_refuses__in_plain_words(
    number: int, words: str, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save("x.png", whole("PNG"))

    def refuse(*_: object) -> int:
        raise OSError(number, "said by the system")

    monkeypatch.setattr("countersign.imaging.files.os.open", refuse)
    assert reason(path) == words


def test_probe_many__stops_when_its_reader_does(save: Save) -> None:
    path = save("x.png", whole("PNG"))
    taken = []

    def endless() -> object:
        while True:
            taken.append(1)
            yield path

    results = probe_many(endless(), workers=2)  # type: ignore[arg-type]
    for _ in range(5):
        next(results)
    results.close()  # type: ignore[attr-defined]
    assert len(taken) < 200
