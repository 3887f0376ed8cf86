"""The contract of every format, driven by the registry: a new format is tested by being registered."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from format_cases import CASES, CELL, NAMES, Case, by_picture, labels, same, write_and_read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from countersign import formats
from countersign.domain import mask as masks
from countersign.domain.errors import CountersignError, FormatError, SettingsError
from countersign.domain.geometry import Box, Ellipse, Geometry, Keypoints, Kind, Polygon
from countersign.domain.image import Image
from countersign.domain.label import Label, LabelClass
from countersign.formats import ImportReport, ReadOptions, Severity, WriteOptions

quick = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
every_format = pytest.mark.parametrize("made", formats.formats(), ids=lambda made: made.name)


def test_the_formats_of_the_plan_are_there() -> None:
    names = {made.name for made in formats.formats()}
    assert {"coco", "coco-results", "csv"} <= names
    assert all(name == name.lower() and "_" not in name for name in names)


@every_format
def test_a_format_says_what_it_is(made: formats.Format) -> None:
    assert made.title
    assert made.about.rstrip(")").endswith(".")
    assert made.out in ("file", "folder")
    assert made.reader or made.writer


@every_case
@quick
@given(data=st.data())
def test_what_is_written_is_read_back(case: Case, pictures: list[Image], data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(case.holds.kinds)))
    images = [(image, data.draw(labels(case, kind, image))) for image in pictures[:2]]
    if case.holds.empty_images:
        images.append((pictures[2], []))
    with tempfile.TemporaryDirectory() as folder:
        found, written, report = write_and_read(case, images, Path(folder))
    assert not lost(written), list(written.summary())
    assert not lost(report), list(report.summary())
    read = by_picture(found, images)
    for image, expected in images:
        compare(read[image.id].labels, expected, case)
        assert read[image.id].complete
        assert read[image.id].labelled


def lost(report: formats.ExportReport | ImportReport) -> list[tuple[Severity, str]]:
    return [key for key in report.counts if key[0] is not Severity.NOTE]


def compare(found: tuple[Label, ...], expected: list[Label], case: Case) -> None:
    assert len(found) == len(expected)
    ordered = sorted(found, key=lambda label: label.class_name)
    for read, label in zip(ordered, sorted(expected, key=lambda label: label.class_name), strict=True):
        assert read.class_name == label.class_name
        assert same(read.geometry, label.geometry, case.slack), f"{read.geometry}\n{label.geometry}"
        if label.confidence is not None:
            assert read.confidence == pytest.approx(label.confidence, abs=1e-4)
        if label.attributes:
            assert dict(read.attributes) == dict(label.attributes)


@every_case
def test_classes_are_read_back(case: Case, pictures: list[Image], tmp_path: Path) -> None:
    kind = min(case.holds.kinds)
    made = [_label(kind, pictures[0], name, column * CELL) for column, name in enumerate((NAMES[0], NAMES[2]))]
    images = [(pictures[0], made if case.holds.many else made[:1])]
    _, _, report = write_and_read(case, images, tmp_path)
    expected = case.classes(images)
    if case.holds.skeletons:
        assert report.classes == expected
    assert {item.name for item in report.classes} == {item.name for item in expected}


def _label(kind: Kind, image: Image, name: str, left: float, confidence: float | None = 0.5) -> Label:
    x, y = left + 2, 4.0
    ring = (x, y, x + 20, y, x + 20, y + 30, x + 4, y + 30)
    shapes: dict[Kind, Geometry | None] = {
        Kind.CLASSIFICATION: None,
        Kind.BOX: Box(x, y, 20, 30),
        Kind.POLYGON: Polygon((ring,)),
        Kind.MASK: masks.from_geometry(Box(x, y, 20, 30), image.height, image.width),
        Kind.KEYPOINTS: Keypoints((x, y, 2, x + 9, y + 9, 1, x + 3, y + 20, 2), Box(x, y, 20, 30)),
        Kind.ELLIPSE: Ellipse(x + 10, y + 10, 8, 8),
    }
    return Label(name, shapes[kind], confidence)


@every_case
@pytest.mark.parametrize("kind", sorted(Kind), ids=lambda kind: kind.name.lower())
def test_a_kind_that_does_not_fit_is_reported(case: Case, kind: Kind, pictures: list[Image], tmp_path: Path) -> None:
    made = _label(kind, pictures[0], "cell", 0.0, confidence=None if case.holds.unscored else 0.5)
    if isinstance(made.geometry, Keypoints) and not case.holds.keypoint_box:
        made = replace(made, geometry=Keypoints(made.geometry.points))
    found, written, _ = write_and_read(case, [(pictures[0], [made])], tmp_path)
    if kind in case.holds.kinds:
        assert not lost(written)
        assert [label.kind for item in found for label in item.labels] == [kind]
    else:
        assert lost(written)


@every_case
def test_what_does_not_fit_is_reported(case: Case, pictures: list[Image], tmp_path: Path) -> None:
    holds = case.holds
    kind = min(holds.kinds)
    plain = _label(kind, pictures[0], "cell", 0.0, confidence=None)
    scored = Label("cell", plain.geometry, 0.5, attributes={"odd": 1})
    _, report, _ = write_and_read(case, [(pictures[0], [scored])], tmp_path / "a")
    assert ("confidences do not fit the format" in reasons(report)) is not holds.confidence
    assert ("attributes do not fit the format" in reasons(report)) is (holds.attributes is not True)
    _, report, _ = write_and_read(case, [(pictures[0], [plain])], tmp_path / "b")
    assert bool(report.count(Severity.SKIPPED)) is not holds.unscored or not holds.unused_classes
    if Kind.POLYGON in holds.kinds:
        ring = (2.0, 2.0, 30.0, 2.0, 30.0, 40.0, 2.0, 40.0)
        hole = Label("cell", Polygon((ring,), ((5.0, 5.0, 9.0, 5.0, 9.0, 9.0),)), 0.5)
        _, report, _ = write_and_read(case, [(pictures[0], [hole])], tmp_path / "c")
        assert bool(report.count(Severity.CHANGED)) or holds.holes


def reasons(report: formats.ExportReport) -> set[str]:
    return {reason for _, reason in report.counts}


@every_case
def test_the_same_input_gives_the_same_bytes(case: Case, pictures: list[Image], tmp_path: Path) -> None:
    made = [(image, [_label(min(case.holds.kinds), image, "cell", 0.0)]) for image in pictures]
    for name in ("a", "b"):
        out = case.out(tmp_path / name)
        formats.write(case.format, made, case.classes(made), out, options=WriteOptions(settings=case.write))
    first, second = (sorted(path for path in (tmp_path / name).rglob("*") if path.is_file()) for name in ("a", "b"))
    assert [path.relative_to(tmp_path / "a") for path in first] == [path.relative_to(tmp_path / "b") for path in second]
    assert all(one.read_bytes() == other.read_bytes() for one, other in zip(first, second, strict=True))
    assert not [path for path in first if path.name.endswith(".part")]


@every_case
def test_a_failing_export_leaves_no_half_written_file(case: Case, pictures: list[Image], tmp_path: Path) -> None:
    def images() -> Iterator[tuple[Image, list[Label]]]:
        yield pictures[0], [_label(min(case.holds.kinds), pictures[0], "cell", 0.0)]
        raise RuntimeError("the database went away")

    out = case.out(tmp_path)
    with pytest.raises(RuntimeError):
        formats.write(case.format, images(), [LabelClass("cell")], out, options=WriteOptions(settings=case.write))
    assert not out.is_file()
    assert not list(tmp_path.rglob("*.part"))


@every_case
def test_what_was_written_is_detected(case: Case, pictures: list[Image], tmp_path: Path) -> None:
    kind = min(case.holds.kinds)
    images = [(image, [_label(kind, image, NAMES[index], 0.0)]) for index, image in enumerate(pictures)]
    write_and_read(case, images, tmp_path)
    assert formats.detect(case.out(tmp_path)).name == case.format


ODD = {
    "empty.json": b"",
    "empty.csv": b"",
    "list.json": b"[1, 2]",
    "text.json": b"hello",
    "cut.json": b'{"images": [{"id": 1',
    "deep.json": b"[" * 5000,
    "binary.csv": bytes(range(256)) * 10,
    "words.txt": b"just some words\n",
    "broken.xml": b"<annotation><object>",
    "broken.yaml": b"names: [a\n",
    "broken.png": b"\x89PNG\r\n\x1a\n",
}


@every_format
def test_detecting_never_fails(made: formats.Format, tmp_path: Path) -> None:
    if made.reader is None:
        pytest.skip("it is not read")
    for name, content in ODD.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    for path in [*(tmp_path / name for name in ODD), tmp_path / "folder", tmp_path, tmp_path / "missing"]:
        assert 0 <= made.reader.detect(path).confidence <= 1


@every_format
def test_reading_what_is_none_of_its_files_is_one_of_our_errors(made: formats.Format, tmp_path: Path) -> None:
    for name, content in ODD.items():
        path = tmp_path / name
        path.write_bytes(content)
        with contextlib.suppress(CountersignError):
            assert not [label for found in formats.read(path, format=made.name) for label in found.labels]


@every_format
def test_unknown_settings_are_refused(made: formats.Format, tmp_path: Path) -> None:
    if made.reader is not None:
        with pytest.raises(SettingsError, match="no_such_setting"):
            list(formats.read(tmp_path, format=made.name, options=ReadOptions(settings={"no_such_setting": 1})))
    if made.writer is not None:
        with pytest.raises(SettingsError, match="no_such_setting"):
            formats.write(made.name, [], [], tmp_path / "x", options=WriteOptions(settings={"no_such_setting": 1}))


@every_format
def test_a_missing_path_says_so(made: formats.Format, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no such file"):
        formats.read(tmp_path / "nowhere", format=made.name)
