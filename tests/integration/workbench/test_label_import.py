"""Importing labels: matched to images, once each, with everything that did not fit in the report."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import shapes
from countersign.domain.errors import FormatError, InvalidInput
from countersign.domain.label import LabelState, Origin
from countersign.workbench.project import Project


@pytest.fixture
def pictures(project: Project) -> Path:
    """Four images in the project."""
    folder = Path("pictures")
    shapes.draw(folder, 4)
    project.import_images(folder)
    return folder


def write_coco(indices: list[int], name: str = "truth.json") -> Path:
    path = Path(name)
    path.write_text(json.dumps(shapes.coco_of(indices)))
    return path


@pytest.mark.usefixtures("pictures")
def test_import__coco(project: Project) -> None:
    done = project.import_labels(write_coco([0, 1, 2]))

    assert (done.format, done.images, done.labels, done.duplicates) == ("coco", 3, 3, 0)
    (label,) = project.labels(images=["1.png"])["1.png"]
    assert (label.class_name, label.geometry, label.state) == ("bar", shapes.box_of(1), LabelState.VERIFIED)
    assert label.provenance is not None
    assert (label.provenance.origin, label.provenance.source) == (Origin.IMPORT, "truth.json")


@pytest.mark.usefixtures("pictures")
def test_import__twice_adds_nothing(project: Project) -> None:
    path = write_coco([0, 1])
    project.import_labels(path)

    done = project.import_labels(path)

    assert (done.labels, done.duplicates, done.change) == (0, 2, None)
    assert len(project.history()) == 1


@pytest.mark.usefixtures("pictures")
def test_import__adds_what_is_new(project: Project) -> None:
    project.import_labels(write_coco([0, 1]))

    done = project.import_labels(write_coco([0, 1, 2]))

    assert (done.labels, done.duplicates) == (1, 2)


@pytest.mark.usefixtures("pictures")
def test_import__equal_labels_within_a_file_stay_two(project: Project) -> None:
    data = shapes.coco_of([0])
    twice = data["annotations"] * 2  # type: ignore[operator]
    data["annotations"] = [{**item, "id": number} for number, item in enumerate(twice, 1)]
    Path("twice.json").write_text(json.dumps(data))

    first, second = project.import_labels("twice.json"), project.import_labels("twice.json")

    assert (first.labels, second.labels, second.duplicates) == (2, 0, 2)


@pytest.mark.usefixtures("pictures")
def test_import__is_one_change_that_can_be_undone(project: Project) -> None:
    project.import_labels(write_coco([0, 1, 2]))
    (change,) = project.history()

    undone = project.undo(change)

    assert (change.count, undone.count) == (3, 3)
    assert project.labels() == {}


@pytest.mark.usefixtures("pictures")
def test_import__image_that_is_not_there(project: Project) -> None:
    done = project.import_labels(write_coco([0, 9]))

    assert (done.images, done.labels, done.missing) == (1, 1, 1)
    assert any(item.where == "9.png" for item in done.report.problems)


def test_import__ambiguous_name(project: Project) -> None:
    shapes.draw(Path("a/left"), 1)
    shapes.draw(Path("a/right"), 1, first=1)
    Path("a/right/1.png").rename("a/right/0.png")
    project.import_images("a")

    done = project.import_labels(write_coco([0]))

    assert (done.labels, done.ambiguous) == (0, 1)


@pytest.mark.usefixtures("pictures")
def test_import__image_without_labels_is_known_to_be_empty(project: Project) -> None:
    data = shapes.coco_of([0, 1])
    data["annotations"] = data["annotations"][:1]  # type: ignore[index]
    Path("one.json").write_text(json.dumps(data))

    project.import_labels("one.json")

    assert [image.name for image in project.images("tag=empty")] == ["1.png"]


def test_import_path__yolo_folder_holds_both(project: Project) -> None:
    shapes.write_yolo(Path("yolo"), 4, labelled=3)

    done = project.import_path("yolo")

    assert done.images.added == 4
    assert done.labels is not None
    assert (done.labels.format, done.labels.labels) == ("yolo", 3)
    (label,) = project.labels(images=["2.png"])["images/train/2.png"]
    assert label.geometry is not None
    assert label.geometry.bounds == pytest.approx(shapes.box_of(2).bounds, abs=0.01)


def test_import_path__label_file_brings_the_images_beside_it(project: Project) -> None:
    shapes.draw(Path("set"), 2)
    Path("set/labels.json").write_text(json.dumps(shapes.coco_of([0, 1])))

    done = project.import_path("set/labels.json")

    assert done.labels is not None
    assert (done.labels.images_added, done.labels.labels) == (2, 2)


def test_import_path__folder_with_coco_inside(project: Project) -> None:
    shapes.draw(Path("set"), 3)
    Path("set/labels.json").write_text(json.dumps(shapes.coco_of([0, 1])))

    done = project.import_path("set")

    assert done.images.added == 3
    assert done.labels is not None
    assert done.labels.labels == 2


def test_import_path__only_images(project: Project) -> None:
    shapes.write_yolo(Path("yolo"), 2)

    done = project.import_path("yolo", format="none")

    assert (done.images.added, done.labels) == (2, None)


def test_import_path__folders_are_not_taken_for_classes(project: Project) -> None:
    shapes.draw(Path("trip/monday"), 1)
    shapes.draw(Path("trip/tuesday"), 1, first=1)

    done = project.import_path("trip")

    assert done.labels is None
    assert any("class" in note for note in done.notes)


def test_import_path__nothing_there(project: Project) -> None:
    Path("nothing").mkdir()

    with pytest.raises(InvalidInput, match="no images and no labels"):
        project.import_path("nothing")


def test_import_path__file_of_no_known_format(project: Project) -> None:
    Path("novel.bin").write_bytes(b"once upon a time")

    with pytest.raises(FormatError):
        project.import_path("novel.bin")


def test_import_path__one_picture(project: Project) -> None:
    (path,) = shapes.draw(Path("pictures"), 1)

    done = project.import_path(path)

    assert (done.images.added, project.images()[0].name) == (1, "0.png")


def test_import_path__two_files_of_one_image(project: Project) -> None:
    folder = shapes.write_yolo(Path("yolo"), 2)
    for kind, ending in (("images", "png"), ("labels", "txt")):
        shutil.copy(folder / kind / f"train/0.{ending}", folder / kind / f"train/copy.{ending}")

    done = project.import_path(folder)

    assert (done.images.added, [name for _, name in done.images.duplicates]) == (2, ["images/train/0.png"])
    assert done.labels is not None
    assert (done.labels.images, done.labels.labels, done.labels.duplicates) == (2, 2, 1)
