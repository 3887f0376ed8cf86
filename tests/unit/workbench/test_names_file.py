"""Files of image names, and progress as verbs tell it."""

from __future__ import annotations

from pathlib import Path

import pytest

from countersign.domain.errors import InvalidInput, QueryError
from countersign.workbench.progress import Progress, Ticker
from countersign.workbench.selecting import _file_of_names, read_names


def test_read_names(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_bytes("\ufeffa.jpg\r\n\r\n# remark\r\n  b c.jpg  \n".encode())

    assert read_names(path) == ["a.jpg", "b c.jpg"]


@pytest.mark.parametrize("content", [b"", b"# only a remark\n", b"\xff\xfe\x00\x01\x80"])
def test_read_names__none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "names.txt"
    path.write_bytes(content)

    with pytest.raises(InvalidInput):
        read_names(path)


def test_file_of_names__or_query(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "names.txt").write_text("a.jpg")
    (tmp_path / "night").write_text("a.jpg")

    assert _file_of_names("names.txt") == Path("names.txt")
    assert _file_of_names("night") == Path("night")
    assert _file_of_names("split=train") is None
    assert _file_of_names("text~a.txt") is None
    assert _file_of_names("x" * 5000) is None
    with pytest.raises(QueryError, match="no file other"):
        _file_of_names("other.txt")


def test_ticker__says_begin_and_end() -> None:
    seen: list[Progress] = []
    ticker = Ticker(seen.append, "images", 1000, every=3600)
    for _ in range(1000):
        ticker.step()
    ticker.finish("2 refused")

    assert seen == [Progress("images", 0, 1000), Progress("images", 1000, 1000, "2 refused")]


def test_ticker__unknown_total_is_known_at_the_end() -> None:
    seen: list[Progress] = []
    ticker = Ticker(seen.append, "labels", every=0)
    ticker.step(5)
    ticker.finish()

    assert [(item.done, item.total) for item in seen] == [(0, None), (5, None), (5, 5)]


def test_ticker__nobody_listens() -> None:
    Ticker(None, "images").step()
