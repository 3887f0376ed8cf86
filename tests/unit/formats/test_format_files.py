"""Walking through the folders that label formats live in."""

from __future__ import annotations

from pathlib import Path

from countersign.formats import files


def test_walk__links_that_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").touch()
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "gone").symlink_to("nowhere")

    assert list(files.images_below(tmp_path)) == ["a/1.png"]
    assert [below for below, _ in files.walk(tmp_path)] == ["", "a"]
    assert files.subfolders(tmp_path) == [tmp_path / "a"]
