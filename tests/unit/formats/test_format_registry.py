"""Looking up, detecting, and the door in front of every reader and writer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from countersign import formats
from countersign.domain.errors import FormatError, NotFound
from countersign.domain.geometry import Box
from countersign.domain.image import Image
from countersign.domain.label import Label, LabelClass
from countersign.formats import Format, Guess, registry


def test_names_may_be_written_in_several_ways() -> None:
    assert formats.get("COCO_Results") is formats.get("coco-results")
    with pytest.raises(NotFound, match="coco-results, csv"):
        formats.get("nonsense")


def test_an_unknown_file_lists_the_formats(tmp_path: Path) -> None:
    path = tmp_path / "notes.md"
    path.write_text("hello")
    with pytest.raises(FormatError, match=r"no known label format.* coco, "):
        formats.detect(path)


class _Sure:
    def __init__(self, confidence: float) -> None:
        self.confidence = confidence

    def detect(self, path: Path) -> Guess:
        return Guess(self.confidence, f"sure by {self.confidence}")


@pytest.mark.parametrize(("second", "ambiguous"), [(0.85, True), (0.5, False)])
def test_formats_that_are_equally_likely_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, second: float, ambiguous: bool
) -> None:
    readers = {"one": _Sure(0.9), "two": _Sure(second), "never": _Sure(0)}
    made = {name: Format(name, name, "", reader=reader) for name, reader in readers.items()}  # type: ignore[arg-type]
    formats.formats()
    monkeypatch.setattr(registry, "_formats", made)
    if ambiguous:
        with pytest.raises(FormatError, match=r"one \(sure by 0.9\) or two \(sure by 0.85\)"):
            formats.detect(tmp_path)
    else:
        assert formats.detect(tmp_path).name == "one"


def test_reading_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("image,class\na.jpg,ant\na.jpg,bee\nb.jpg,\n")
    report = formats.ImportReport()
    stream = formats.read(path, report=report)
    assert (report.format, report.images) == ("csv", 0)
    assert len(list(stream)) == 2
    assert (report.images, report.labels) == (2, 2)


def test_only_reading_or_only_writing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    formats.formats()
    monkeypatch.setattr(registry, "_formats", {"neither": Format("neither", "N", "")})
    with pytest.raises(FormatError, match="cannot be read"):
        formats.read(tmp_path, format="neither")
    with pytest.raises(FormatError, match="cannot be written"):
        formats.write("neither", [], [], tmp_path / "x")


def test_an_export_replaces_a_file_only_when_it_is_whole(tmp_path: Path) -> None:
    out = tmp_path / "new folder" / "labels.json"
    image, classes = Image(1, 1, "ü.jpg", "", "", 10, 10), [LabelClass("cell")]
    formats.write("coco", [(image, [Label("cell", Box(1, 1, 2, 2))])], classes, out)
    before = out.read_bytes()
    assert json.loads(before)["images"][0]["file_name"] == "ü.jpg"

    def broken() -> object:
        yield image, []
        raise RuntimeError

    with pytest.raises(RuntimeError):
        formats.write("coco", broken(), classes, out)  # type: ignore[arg-type]
    assert out.read_bytes() == before
    assert [path.name for path in out.parent.iterdir()] == ["labels.json"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FormatError, match="cannot be written"):
        formats.write("coco", [], [], tmp_path / "file" / "labels.json")
    with pytest.raises(FormatError, match="this is a folder"):
        formats.write("coco", [], [], tmp_path)
