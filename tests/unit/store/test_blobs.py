from __future__ import annotations

from pathlib import Path

import pytest

from countersign.domain.errors import InvalidInput, WorkspaceError
from countersign.store import Store, blobs


def test_path_of(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        assert blobs.path_of(store, "models", "cells 1/weights.safetensors") == (
            tmp_path / "blobs" / "models" / "cells 1" / "weights.safetensors"
        )
        for name in ("", "..", "../x", "/etc/passwd", "a//b", "a/..", ".hidden", "a.", "a ", "x" * 200, "a\\b", "a:b"):
            with pytest.raises(InvalidInput, match="cannot name a file"):
                blobs.path_of(store, "models", name)


def test_write(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.bin"
    for content in (b"old", b"new"):
        assert blobs.write(path, content) == path
        assert path.read_bytes() == content
    assert [child.name for child in path.parent.iterdir()] == ["file.bin"]
    blobs.delete(path)
    blobs.delete(path)
    assert not path.exists()


def test_replacing__nothing_is_left_of_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    blobs.write(path, b"old")

    def fail() -> None:
        with blobs.replacing(path) as part:
            part.write_bytes(b"half")
            raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        fail()
    assert path.read_bytes() == b"old"
    assert [child.name for child in tmp_path.iterdir()] == ["file.bin"]


def test_replacing__a_folder(tmp_path: Path) -> None:
    path = tmp_path / "model"
    for content in ("old", "new"):
        with blobs.replacing(path) as part:
            part.mkdir()
            (part / content).touch()
    assert [child.name for child in path.iterdir()] == ["new"]
    assert [child.name for child in tmp_path.iterdir()] == ["model"]
    blobs.delete(path)
    assert not path.exists()


def test_write__where_nothing_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WorkspaceError, match="cannot be written"):
        blobs.write(tmp_path / "file" / "below", b"x")
