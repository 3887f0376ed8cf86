from __future__ import annotations

import io
from pathlib import Path

import pytest

from countersign.domain.errors import Conflict, InvalidInput
from countersign.server import uploads


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a.jpg", ("a.jpg",)),
        ("day 1/a.jpg", ("day 1", "a.jpg")),
        ("./x//y.png", ("x", "y.png")),
        ("dir\\b.png", ("dir", "b.png")),
        ("/etc/passwd", ("etc", "passwd")),
        ('wh"at?.png', ("wh_at_.png",)),
        ("ü.png", ("ü.png",)),
    ],
)
def test_clean(name: str, parts: tuple[str, ...]) -> None:
    assert uploads.clean(name) == parts


@pytest.mark.parametrize("name", ["", "/", "..", "../x", "a/../../x", "\\..\\x", "/".join("a" * 30)])
def test_clean__leads_elsewhere(name: str) -> None:
    with pytest.raises(InvalidInput):
        uploads.clean(name)


def test_long_names_keep_their_ending() -> None:
    assert uploads.clean("x" * 400 + ".png")[0].endswith(".png")


def test_add_file(tmp_path: Path) -> None:
    path = uploads.add_file(tmp_path, "a/b.txt", io.BytesIO(b"text"))
    assert path.read_bytes() == b"text"
    assert uploads.size_of(tmp_path) == (1, 4)
    with pytest.raises(Conflict):
        uploads.add_file(tmp_path, "a/b.txt", io.BytesIO(b"other"))
    with pytest.raises((Conflict, InvalidInput, OSError)):
        uploads.add_file(tmp_path, "a/b.txt/c", io.BytesIO(b"below a file"))
