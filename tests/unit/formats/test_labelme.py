"""labelme: its own examples, X-AnyLabeling's file, and shapes with everything wrong."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from countersign import formats
from countersign.domain import mask as masks
from countersign.domain.errors import FormatError
from countersign.domain.geometry import Box, Ellipse, Keypoints, Kind, Mask, Polygon
from countersign.domain.image import Image
from countersign.domain.label import Label, LabelClass
from countersign.formats import FoundImage, ImportReport, ReadOptions, WriteOptions, labelme, labelme_shapes


def read(path: Path, **settings: Any) -> tuple[list[FoundImage], ImportReport]:
    report = ImportReport()
    return list(formats.read(path, format="labelme", report=report, options=ReadOptions(settings=settings))), report


def shape(kind: str, points: list[list[float]], label: str = "a", **more: Any) -> dict[str, Any]:
    return {"label": label, "points": points, "shape_type": kind, "group_id": None, "flags": {}, **more}


def file(path: Path, *shapes: Any, **more: Any) -> Path:
    data = {"version": "5.0.0", "flags": {}, "shapes": shapes, "imagePath": "a.jpg", "imageData": None}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data | {"imageHeight": 100, "imageWidth": 200} | more))
    return path


def image(number: int, name: str) -> Image:
    return Image(number, 1, name, "", f"{number:064x}", 200, 100)


@pytest.mark.parametrize(
    ("name", "images", "kinds"),
    [
        ("bbox_detection/data_annotated", 3, {Kind.BOX: 9}),
        ("semantic_segmentation/data_annotated", 3, {Kind.POLYGON: 18}),
        ("instance_segmentation/data_annotated", 3, {Kind.POLYGON: 14}),  # 18 polygons, some of one group
        ("video_annotation/data_annotated", 5, {Kind.POLYGON: 15}),
        ("classification/data_annotated", 2, {Kind.CLASSIFICATION: 2}),
        ("tutorial", 1, {Kind.POLYGON: 4}),
        ("primitives", 1, {Kind.BOX: 2, Kind.ELLIPSE: 1, Kind.POLYGON: 1, Kind.KEYPOINTS: 1, Kind.MASK: 1}),
    ],
)
def test_examples(data_dir: Callable[[str], Path], name: str, images: int, kinds: dict[Kind, int]) -> None:
    found, _ = read(data_dir("labelme_examples") / name)
    assert len([image for image in found if image.labelled]) == images
    assert all(image.path is not None for image in found)
    assert Counter(label.kind for image in found for label in image.labels) == kinds


def test_all_examples_at_once(data_dir: Callable[[str], Path]) -> None:
    found, report = read(data_dir("labelme_examples"))
    assert sum(image.labelled for image in found) == 18
    assert report.count(reason=labelme_shapes.LINE) == 2
    assert report.count(reason=labelme.NOT_READ) == 1  # a COCO file among them


def test_groups_join_to_what_labelme_makes_of_them(data_dir: Callable[[str], Path]) -> None:
    root = data_dir("labelme_examples") / "instance_segmentation"
    found, _ = read(root / "data_annotated")
    drawn = Counter(label.class_name for image in found for label in image.labels if label.class_name != "__ignore__")
    data = json.loads((root / "data_dataset_coco/annotations.json").read_text())
    names = {item["id"]: item["name"] for item in data["categories"]}
    assert drawn == Counter(names[item["category_id"]] for item in data["annotations"])
    kept, _ = read(root / "data_annotated", groups="keep")
    assert sum(len(image.labels) for image in kept) == 18


def test_flags_say_the_classes_that_an_image_could_have(data_dir: Callable[[str], Path]) -> None:
    found, report = read(data_dir("labelme_examples") / "classification")
    assert [label.class_name for image in found for label in image.labels] == ["cat", "dog"]
    assert [item.name for item in report.classes] == ["__ignore__", "cat", "dog"]


def test_x_anylabeling(data_dir: Callable[[str], Path]) -> None:
    (found,), _ = read(data_dir("formats_xanylabeling") / "demo.json")
    assert (found.name, len(found.labels)) == ("demo.jpg", 51)
    assert {label.kind for label in found.labels} == {Kind.BOX}
    assert found.labels[0].confidence == pytest.approx(0.8585938811302185)


def test_what_is_wrong_is_reported_and_the_rest_read(tmp_path: Path) -> None:
    file(
        tmp_path / "a.json",
        shape("rectangle", [[50, 60], [10, 20]]),
        shape("rectangle", [[10, 20], [10, 50]]),
        shape("polygon", [[1, 1], [2, 2]]),
        shape("polygon", [["x", 1], [2, 2], [3, 3]]),
        shape("line", [[1, 1], [5, 5]]),
        shape("blob", [[1, 1]]),
        shape("mask", [[1, 1], [5, 5]], mask="not base64!"),
        shape("rectangle", [[-10, 20], [10, 50]], label=""),
        shape("rectangle", [[-10, 20], [10, 50]]),
        shape("rectangle", [[300, 20], [310, 50]]),
        "nonsense",
        flags={"cat": True, "dog": False, "odd": "x"},
    )
    (tmp_path / "b.json").write_text("{")
    (found,), report = read(tmp_path)
    assert [label.geometry for label in found.labels] == [Box(10, 20, 40, 40), Box(0, 20, 10, 30), None]
    assert not found.complete
    reasons = Counter(problem.reason for problem in report.problems)
    assert reasons == {
        labelme_shapes.NO_AREA: 2,
        labelme_shapes.BAD_POINTS: 1,
        labelme_shapes.LINE: 1,
        labelme_shapes.UNKNOWN: 2,
        labelme_shapes.BAD_MASK: 1,
        labelme_shapes.NO_LABEL: 1,
        "partly outside the image, clipped": 1,
        "outside the image": 1,
        labelme_shapes.BAD_FLAG: 1,
        labelme.NOT_READ: 1,
        labelme.NO_IMAGE: 1,
    }
    where = {problem.reason: problem.where for problem in report.problems}
    assert where[labelme_shapes.LINE] == "shape 4"


def test_paths_of_another_system(tmp_path: Path) -> None:
    Pillow.new("RGB", (200, 100)).save(tmp_path / "b.jpg")
    file(tmp_path / "labels/a.json", imagePath="..\\b.jpg")
    (found,), _ = read(tmp_path)
    assert (found.name, found.path) == ("b.jpg", tmp_path / "b.jpg")


def test_an_embedded_image_is_noted(tmp_path: Path) -> None:
    (found,), report = read(file(tmp_path / "a.json", imageData="aGVsbG8="))
    assert (found.path, found.width) == (None, 200)
    assert report.count(reason=labelme.EMBEDDED) == 1


def test_a_single_file_that_is_none_raises(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(FormatError, match="no labelme file"):
        read(tmp_path / "a.json")


def test_rectangles_of_four_points(tmp_path: Path) -> None:
    upright = [[10, 20], [50, 20], [50, 60], [10, 60]]
    turned = [[50, 10], [90, 50], [50, 90], [10, 50]]
    (found,), report = read(file(tmp_path / "a.json", shape("rectangle", upright), shape("rotation", turned)))
    assert [label.kind for label in found.labels] == [Kind.BOX, Kind.POLYGON]
    assert report.count(reason=labelme_shapes.TURNED) == 1


def test_points_in_a_group_with_a_rectangle_are_its_keypoints(tmp_path: Path) -> None:
    file(
        tmp_path / "a.json",
        shape("rectangle", [[10, 10], [60, 60]], label="person", group_id=1),
        shape("point", [[20, 20]], label="nose", group_id=1),
        shape("point", [[30, 20]], label="eye", group_id=1, difficult=True),
        shape("point", [[90, 20]], label="dot"),
    )
    (found,), report = read(tmp_path)
    assert [(label.class_name, label.geometry) for label in found.labels] == [
        ("person", Keypoints((20, 20, 2, 30, 20, 1), Box(10, 10, 50, 50))),
        ("dot", Keypoints((90, 20, 2))),
    ]
    assert report.classes[0] == LabelClass("person", keypoint_names=("nose", "eye"))


def test_everything_survives(tmp_path: Path) -> None:
    painted = np.zeros((100, 200), bool)
    painted[10:40, 10:50], painted[20:30, 20:30], painted[60:70, 60:90] = True, False, True
    rings = ((1.0, 1.0, 9.0, 1.0, 9.0, 9.0), (20.0, 1.0, 29.0, 1.0, 29.0, 9.0))
    labels = [
        Label("a", Box(1.25, 2, 30, 40), 0.5, attributes={"difficult": True, "description": "text", "n": [1, None]}),
        Label("a", Polygon(rings[:1]), attributes={"group_id": 1}),
        Label("a", Polygon(rings)),
        Label("b", masks.encode(painted)),
        Label("b", Ellipse(50, 50, 20, 20)),
        Label("b", Ellipse(50, 50, 20, 10, 30)),
        Label("p", Keypoints((20, 20, 2, 0, 0, 0, 30, 30, 1, 0, 0, 0), Box(10, 10, 50, 50))),
        Label("p", Keypoints((20, 20, 2, 25, 40, 2, 0, 0, 0, 0, 0, 0))),
        Label("cat", None, 0.25, attributes={"x": 1}),
    ]
    classes = [
        LabelClass("a"),
        LabelClass("b"),
        LabelClass("p", keypoint_names=("w", "x", "y", "z"), skeleton=((0, 2),)),
        LabelClass("cat"),
    ]
    report = formats.write(
        "labelme", [(image(1, "x/1.jpg"), labels), (image(2, "2.jpg"), [])], classes, tmp_path / "out"
    )
    assert list(report.counts) == []
    images, read_report = read(tmp_path / "out")
    assert read_report.classes == classes
    found = {item.name: item for item in images}
    assert found["2.jpg"].labelled
    assert len(found["x/1.jpg"].labels) == len(labels)
    for before, after in zip(labels, found["x/1.jpg"].labels, strict=True):
        assert after == before


def test_an_ellipse_whose_polygon_somebody_moved_is_a_polygon(tmp_path: Path) -> None:
    made = [(image(1, "1.jpg"), [Label("a", Ellipse(50, 50, 20, 10, 30))])]
    formats.write("labelme", made, [LabelClass("a")], tmp_path)
    data = json.loads((tmp_path / "1.json").read_text())
    data["shapes"][0]["points"][0][0] += 5
    (tmp_path / "1.json").write_text(json.dumps(data))
    (found,), _ = read(tmp_path)
    assert found.labels[0].kind is Kind.POLYGON


def test_the_way_to_the_image(tmp_path: Path) -> None:
    photo = tmp_path / "photos/1.jpg"
    photo.parent.mkdir()
    Pillow.new("RGB", (200, 100)).save(photo)
    made = [(Image(1, 1, "x/1.jpg", str(photo), "1", 200, 100), [Label("a", Box(1, 1, 5, 5))])]
    for images, path in (("none", "../../photos/1.jpg"), ("copy", "1.jpg"), ("link", "1.jpg")):
        out = tmp_path / images
        formats.write("labelme", made, [LabelClass("a")], out, options=WriteOptions({"images": images}))
        assert json.loads((out / "x/1.json").read_text())["imagePath"] == path
        (found,), _ = read(out)
        assert found.path is not None
        assert found.path.samefile(photo) is (images != "copy")
        assert found.name == "x/1.jpg"


def test_a_painted_mask_reaching_outside(tmp_path: Path) -> None:
    import base64
    import io

    data = io.BytesIO()
    Pillow.fromarray(np.full((10, 10), 255, np.uint8)).save(data, "PNG")
    text = base64.b64encode(data.getvalue()).decode()
    file(tmp_path / "a.json", shape("mask", [[195, -5], [204, 4]], mask=text))
    (found,), report = read(tmp_path)
    assert isinstance(found.labels[0].geometry, Mask)
    assert found.labels[0].geometry.bounds == (195, 0, 5, 5)
    assert report.count(formats.Severity.CHANGED) == 1
