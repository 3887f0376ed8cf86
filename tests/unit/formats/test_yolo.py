"""YOLO folders: what real ones get wrong, and what Ultralytics needs to train on ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from countersign import formats
from countersign.domain import mask as masks
from countersign.domain.errors import FormatError, SettingsError
from countersign.domain.geometry import Box, Keypoints, Kind, Polygon
from countersign.domain.image import Image
from countersign.domain.label import Label, LabelClass
from countersign.formats import FoundImage, ImportReport, ReadOptions, WriteOptions, bridge, yolo_lines, yolo_read

SIZE = (200, 100)
BOX = Label("a", Box(10, 20, 30, 40))
MASK = np.zeros((100, 200), bool)
MASK[20:60, 20:70], MASK[30:40, 30:50], MASK[70:90, 80:100] = True, False, True


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.new("RGB", SIZE).save(path)
    return path


def folder(root: Path, contents: Mapping[str, str | None]) -> Path:
    """Make files: text, or a picture for None."""
    for name, text in contents.items():
        if text is None:
            picture(root / name)
        else:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
    return root


def read(path: Path, **settings: Any) -> tuple[dict[str, FoundImage], ImportReport]:
    report = ImportReport()
    found = list(formats.read(path, format="yolo", report=report, options=ReadOptions(settings=settings)))
    return {image.name: image for image in found}, report


def images(tmp_path: Path, *labelled: tuple[str, str, Sequence[Label]]) -> list[tuple[Image, Sequence[Label]]]:
    made = []
    for number, (name, split, labels) in enumerate(labelled, 1):
        path = picture(tmp_path / "source" / name)
        made.append((Image(number, 1, name, str(path), f"{number:064x}", *SIZE, split=split), labels))
    return made


def write(tmp_path: Path, made: Any, classes: Sequence[str | LabelClass] = ("a", "b"), **settings: Any) -> Any:
    classes = [LabelClass(name) if isinstance(name, str) else name for name in classes]
    return formats.write("yolo", made, classes, tmp_path / "out", options=WriteOptions(settings))


# Reading -----------------------------------------------------------------------------------------------------------


def test_ships__a_data_yaml_that_lies(data_dir: Callable[[str], Path]) -> None:
    found = list(formats.read(data_dir("ships_yolo"), report=(report := ImportReport())))
    assert len(found) == 567
    assert Counter(image.split for image in found) == {"train": 405, "val": 99, "test": 63}
    assert sum(len(image.labels) for image in found) == 520  # and 150 of classes that data.yaml does not have
    assert report.count(reason=yolo_lines.UNKNOWN_CLASS) == 150
    assert report.count(reason=yolo_read.NO_IMAGE) == 34
    assert report.count(reason=yolo_read.NO_LABELS) == sum(not image.labelled for image in found) == 88
    assert any("validate" in problem.detail for problem in report.problems)


def test_ships__unknown_classes_can_be_kept(data_dir: Callable[[str], Path]) -> None:
    options = ReadOptions(settings={"unknown_classes": "keep"})
    found = list(formats.read(data_dir("ships_yolo"), options=options))
    assert sum(len(image.labels) for image in found) == 670
    assert {label.class_name for image in found for label in image.labels} >= {"Ships", "class_3"}


def test_coco128_seg(data_dir: Callable[[str], Path]) -> None:
    found = list(formats.read(data_dir("coco128_seg"), report=(report := ImportReport())))
    labels = [label for image in found for label in image.labels]
    assert (len(found), len(labels), {label.kind for label in labels}) == (128, 929, {Kind.POLYGON})
    assert len({label.class_name for label in labels}) == 71
    # The README counts 941: 12 more are in the two label files whose images are not there.
    assert report.count(reason=yolo_read.NO_IMAGE) == 2
    assert sum(not image.labelled for image in found) == 2


@pytest.mark.parametrize(
    ("name", "images", "labels", "classes"),
    [
        ("formats_label_studio/test_import_yolo_data", 7, 25, ["closed_door", "opened_door", "bus", "number"]),
        ("formats_label_studio/test_import_yolo_data_unif_dims", 5, 19, None),
        ("formats_datumaro/yolo_dataset/annotations", 1, 2, None),
        ("formats_datumaro/yolo_dataset/labels", 2, 4, None),
        ("formats_datumaro/yolo_dataset/strict", 1, 2, [f"label_{index}" for index in range(10)]),
        ("formats_datumaro/kaggle_dataset/relaxed_yolo", 2, 4, None),
    ],
)
def test_layouts(
    data_dir: Callable[[str], Path], name: str, images: int, labels: int, classes: list[str] | None
) -> None:
    top, _, rest = name.partition("/")
    found = list(formats.read(data_dir(top) / rest, report=(report := ImportReport())))
    assert (len(found), sum(len(image.labels) for image in found)) == (images, labels)
    assert not [key for key in report.counts if key[0] != "note"]
    if classes:
        assert [item.name for item in report.classes] == classes


def test_the_numbers_of_one_tool_agree_in_yolo_and_voc(data_dir: Callable[[str], Path]) -> None:
    root = data_dir("formats_xanylabeling")
    boxes = []
    for name in ("yolo", "voc"):
        found = next(image for image in formats.read(root, format=name) if image.name == "demo.jpg")
        boxes.append(sorted(label.geometry.bounds for label in found.labels if label.geometry is not None))
    assert len(boxes[0]) == 49
    assert np.allclose(boxes[0], boxes[1], atol=0.01)


LINE = "0 0.5 0.5 0.25 0.5\n"


HERE: dict[str, str | None] = {"images/train/a.jpg": None, "labels/train/a.txt": LINE}
THERE: dict[str, str | None] = {"train/images/a.jpg": None, "train/labels/a.txt": LINE}
DARKNET: dict[str, str | None] = {"obj_train_data/a.jpg": None, "obj_train_data/a.txt": LINE, "obj.names": "x\n"}


@pytest.mark.parametrize(
    "contents",
    [
        HERE,
        THERE,
        {"train/a.jpg": None, "train/a.txt": LINE},
        {"train.txt": "./pictures/a.jpg\n", "pictures/a.jpg": None, "pictures/a.txt": LINE},
        {"d.yaml": "path: .\ntrain: [images/train]\nnames: {0: x}", **HERE},
        {"d.yaml": "path: /elsewhere/d\ntrain: train/images\nval: ''\nnames: [x]", **THERE},
        {"d.yaml": "train: /content/d/images/train\nnames: [x]", **HERE},
        {
            "obj.data": "names = data/obj.names\ntrain = data/train.txt\n",
            "train.txt": "data/obj_train_data/a.jpg",
            **DARKNET,
        },
    ],
)
def test_every_layout_gives_the_same(contents: dict[str, str | None], tmp_path: Path) -> None:
    found, report = read(folder(tmp_path, contents))
    assert list(found) in (["a.jpg"], ["pictures/a.jpg"])
    (image,) = found.values()
    assert image.split == "train"
    assert image.path is not None
    assert image.path.is_file()
    assert [label.geometry for label in image.labels] == [Box(75, 25, 50, 50)]
    assert not report.count(formats.Severity.SKIPPED)


def test_empty_labels_are_a_negative_and_no_labels_are_nothing(tmp_path: Path) -> None:
    found, _ = read(folder(tmp_path, {"images/a.jpg": None, "labels/a.txt": "", "images/b.jpg": None}))
    assert (found["a.jpg"].labelled, found["a.jpg"].complete) == (True, True)
    assert not found["b.jpg"].labelled


def test_one_name_in_two_splits(tmp_path: Path) -> None:
    found, _ = read(folder(tmp_path, {f"images/{s}/a.jpg": None for s in ("train", "val")} | {"labels/x.txt": LINE}))
    assert sorted(found) == ["train/a.jpg", "val/a.jpg"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("0 0.5 0.5 0.25", yolo_lines.COLUMNS),
        ("0 nan 0.5 0.25 0.5", yolo_lines.NOT_NUMBERS),
        ("cat 0.5 0.5 0.25 0.5", yolo_lines.NOT_NUMBERS),
        ("7 0.5 0.5 0.25 0.5", yolo_lines.UNKNOWN_CLASS),
        ("-1 0.5 0.5 0.25 0.5", yolo_lines.UNKNOWN_CLASS),
        ("0.5 0.5 0.5 0.25 0.5", yolo_lines.UNKNOWN_CLASS),
        ("0 75 25 50 50", yolo_lines.NOT_SHARES),
        ("0 0.5 0.5 0 0.5", yolo_lines.NO_AREA),
        ("0 0.1 0.1 0.2 0.2 0.3 0.3", yolo_lines.NO_AREA),
        ("0 0.5 0.5 0.25 0.5 1.5", yolo_lines.BAD_CONFIDENCE),
        ("0 1.5 0.5 0.25 0.5", "outside the image"),
        (LINE.strip(), yolo_lines.TWICE),
    ],
)
def test_a_bad_line_is_reported_and_the_rest_read(line: str, reason: str, tmp_path: Path) -> None:
    contents = {"classes.txt": "x\n", "images/a.jpg": None, "labels/a.txt": f"{LINE}{line}\n0 0.2 0.2 0.1 0.1\n"}
    found, report = read(folder(tmp_path, contents))
    assert len(found["a.jpg"].labels) == 2
    assert not found["a.jpg"].complete
    (problem,) = report.problems
    assert (problem.reason, problem.where, Path(problem.file).name) == (reason, "line 2", "a.txt")


def test_lines_of_every_task(tmp_path: Path) -> None:
    lines = [
        "0,0.5,0.5,0.25,0.5",
        "0 0.5 0.5 0.2 0.2 0.75",
        "0 0.1 0.1 0.3 0.1 0.2 0.4",
        "0 0.1 0.1 0.3 0.1 0.2 0.4 0.5",
        "0 0.1 0.1 0.3 0.1 0.3 0.4 0.1 0.4",
        "0 0.5 0.5 1.01 0.2",
    ]
    found, report = read(folder(tmp_path, {"images/a.jpg": None, "labels/a.txt": "\n".join(lines)}))
    labels = found["a.jpg"].labels
    assert [label.kind for label in labels] == [Kind.BOX, Kind.BOX, Kind.POLYGON, Kind.POLYGON, Kind.POLYGON, Kind.BOX]
    assert [label.confidence for label in labels] == [None, 0.75, None, 0.5, None, None]
    assert report.count(reason=yolo_lines.COMMAS) == report.count(reason=yolo_lines.MIXED) == 1
    assert report.count(reason=yolo_lines.FOUR_CORNERS) == 1
    assert labels[-1].geometry == Box(0, 40, 200, 20)  # clipped, and said so


def test_keypoints_of_two_and_three_numbers(tmp_path: Path) -> None:
    for numbers, line in ((3, "0 .5 .5 .5 .5 .1 .2 2 0 0 0 .3 .4 1"), (2, "0 .5 .5 .5 .5 .1 .2 0 0 .3 .4")):
        text = f"train: images\nnames: [x]\nkpt_shape: [3, {numbers}]\nkpt_names: {{0: [p, q, r]}}\n"
        found, report = read(
            folder(tmp_path / str(numbers), {"data.yaml": text, "images/a.jpg": None, "labels/a.txt": line})
        )
        (label,) = found["a.jpg"].labels
        assert isinstance(label.geometry, Keypoints)
        assert label.geometry.points == pytest.approx((20, 20, 2, 0, 0, 0, 60, 40, 1 if numbers == 3 else 2))
        assert label.geometry.box == Box(50, 25, 100, 50)
        assert report.classes == [LabelClass("x", keypoint_names=("p", "q", "r"))]


def test_class_names_stay_what_they_are(tmp_path: Path) -> None:
    text = "train: images\nnames: [no, 1, 'two words']\n"
    _, report = read(folder(tmp_path, {"data.yaml": text, "images/a.jpg": None}))
    assert [item.name for item in report.classes] == ["no", "1", "two words"]


def test_classes_counted_from_one(tmp_path: Path) -> None:
    contents = {"classes.txt": "x\ny\n", "images/a.jpg": None, "labels/a.txt": "1 .5 .5 .2 .2\n2 .5 .5 .4 .4"}
    found, _ = read(folder(tmp_path, contents), first_class=1)
    assert [label.class_name for label in found["a.jpg"].labels] == ["x", "y"]


def test_predictions_without_images_by_the_sizes_that_the_caller_knows(tmp_path: Path) -> None:
    root = folder(tmp_path, {"labels/a.txt": "0 0.5 0.5 0.25 0.5 0.9\n", "labels/b.txt": LINE})
    options = ReadOptions(size_of=lambda name: SIZE if name == "a" else None)
    (found,) = formats.read(root, format="yolo", options=options, report=(report := ImportReport()))
    assert (found.name, found.labels[0].geometry, found.labels[0].confidence) == ("a", Box(75, 25, 50, 50), 0.9)
    assert report.count(reason=yolo_read.NO_IMAGE) == 1


@pytest.mark.parametrize("text", ["names: [", "- 1", "train: x\nnames: [a]\nkpt_shape: 3", "names: {a: b}\ntrain: x"])
def test_a_data_yaml_that_is_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(FormatError, match=r"data\.yaml"):
        read(tmp_path / "data.yaml")


# Writing -----------------------------------------------------------------------------------------------------------


def described(tmp_path: Path) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((tmp_path / "out/data.yaml").read_text())
    return data


def test_what_is_written_for_detection(tmp_path: Path) -> None:
    made = images(tmp_path, ("x/1.jpg", "train", [BOX]), ("2.png", "val", []), ("3.jpg", "test", [BOX]))
    report = write(tmp_path, made)
    assert described(tmp_path) == {
        "train": "images/train",
        "val": "images/val",
        "test": "images/test",
        "nc": 2,
        "names": {0: "a", 1: "b"},
    }
    out = tmp_path / "out"
    assert (out / "images/train/x/1.jpg").is_symlink()
    assert (out / "labels/train/x/1.txt").read_text() == "0 0.125 0.4 0.15 0.4\n"
    assert (out / "labels/val/2.txt").read_text() == ""
    assert list(report.counts) == []


def test_masks_with_holes_and_parts_keep_their_area(tmp_path: Path) -> None:
    write(tmp_path, images(tmp_path, ("1.jpg", "train", [Label("a", masks.encode(MASK)), BOX])))
    found, _ = read(tmp_path / "out")
    first, second = (label.geometry for label in found["1.jpg"].labels)
    assert isinstance(first, Polygon)
    assert masks.from_geometry(first, 100, 200) == masks.encode(MASK)
    assert isinstance(second, Polygon)  # Ultralytics would misread a box beside a polygon
    assert second.bounds == pytest.approx((10, 20, 30, 40))


@given(seed=st.integers(0, 2**32 - 1))
def test_a_bridged_polygon_has_the_same_area(seed: int) -> None:
    painted = np.kron(np.random.default_rng(seed).random((5, 5)) < 0.6, np.ones((4, 4))).astype(bool)
    painted[0, 0] = True
    from countersign.formats.outline import outline

    before = outline(masks.encode(painted))
    assert before is not None
    after = bridge.one_ring(before)
    assert len(after.rings) == 1
    assert not after.holes
    x, y = np.array(after.rings[0]).reshape(-1, 2).T
    signed = float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
    assert abs(signed) == pytest.approx(painted.sum())


def test_boxes_beside_keypoints_have_the_same_columns(tmp_path: Path) -> None:
    skeleton = LabelClass("a", keypoint_names=("left_eye", "right_eye", "nose"), skeleton=((0, 2), (1, 2)))
    points = Keypoints((20, 20, 2, 40, 20, 1, 0, 0, 0), Box(10, 10, 40, 40))
    made = images(tmp_path, ("1.jpg", "train", [BOX]), ("2.jpg", "val", [Label("a", points), BOX]))
    write(tmp_path, made, [skeleton])
    data = described(tmp_path)
    assert (data["kpt_shape"], data["flip_idx"]) == ([3, 3], [1, 0, 2])
    lines = [line for path in (tmp_path / "out/labels").rglob("*.txt") for line in path.read_text().splitlines()]
    assert {len(line.split()) for line in lines} == {5 + 9}
    found, report = read(tmp_path / "out")
    assert found["1.jpg"].labels[0].kind is Kind.BOX
    assert [label.kind for label in found["2.jpg"].labels] == [Kind.KEYPOINTS, Kind.BOX]
    assert report.classes == [skeleton]


def test_without_names_of_points_nothing_is_mirrored(tmp_path: Path) -> None:
    write(
        tmp_path, images(tmp_path, ("1.jpg", "train", [Label("a", Keypoints((20, 20, 2, 9, 9, 2), Box(1, 1, 30, 30)))]))
    )
    assert "flip_idx" not in described(tmp_path)


@pytest.mark.parametrize("count", [2, 3, 40])
def test_val_is_never_empty(count: int, tmp_path: Path) -> None:
    write(tmp_path, images(tmp_path, *((f"{index}.jpg", "", [BOX]) for index in range(count))), seed=1)
    found, _ = read(tmp_path / "out")
    splits = Counter(image.split for image in found.values())
    assert splits["train"] >= 1
    assert splits["val"] >= 1
    assert sum(splits.values()) == count


def test_splits_do_not_depend_on_the_other_images(tmp_path: Path) -> None:
    made = images(tmp_path, *((f"{index}.jpg", "", [BOX]) for index in range(30)))
    write(tmp_path / "all", made)
    write(tmp_path / "half", made[:15])
    whole, half = (read(tmp_path / name / "out")[0] for name in ("all", "half"))
    assert all(whole[name].split == image.split for name, image in half.items())


def test_all_in_train_is_said(tmp_path: Path) -> None:
    report = write(tmp_path, images(tmp_path, ("1.jpg", "train", [BOX])))
    assert described(tmp_path)["val"] == "images/train"
    assert [str(severity) for severity, _ in report.counts] == ["note"]


def test_an_image_in_a_folder_called_images(tmp_path: Path) -> None:
    write(tmp_path, images(tmp_path, ("id/images/1.jpg", "train", [BOX])))
    # Ultralytics swaps the last "images" of a path for "labels".
    assert (tmp_path / "out/images/train/id/labels/1.txt").is_file()
    found, _ = read(tmp_path / "out")
    assert len(found["id/images/1.jpg"].labels) == 1


def test_labels_alone_keep_the_names_of_the_images(tmp_path: Path) -> None:
    write(tmp_path, images(tmp_path, ("x/1.png", "train", [BOX])), images="none")
    assert not (tmp_path / "out/images").exists()
    options = ReadOptions(size_of=lambda name: SIZE)
    (found,) = formats.read(tmp_path / "out", options=options)
    assert (found.name, found.split, len(found.labels)) == ("x/1.png", "train", 1)


def test_names_that_differ_in_their_ending_only(tmp_path: Path) -> None:
    report = write(tmp_path, images(tmp_path, ("1.jpg", "train", [BOX]), ("1.png", "train", [])))
    found, _ = read(tmp_path / "out")
    assert {name: len(image.labels) for name, image in found.items()} == {"1.jpg": 1, "1_png.png": 0}
    assert report.count(formats.Severity.CHANGED) == 1


def test_an_image_that_is_gone_is_reported(tmp_path: Path) -> None:
    made = images(tmp_path, ("1.jpg", "train", [BOX]))
    Path(made[0][0].path).unlink()
    assert write(tmp_path, made).count(formats.Severity.SKIPPED) == 1


def test_classify_is_written_as_folders(tmp_path: Path) -> None:
    made = images(tmp_path, *((f"{index}.jpg", "", [Label("ab"[index % 2])]) for index in range(4)))
    write(tmp_path, made, task="classify")
    found = list(formats.read(tmp_path / "out", format="class-folders"))
    assert {image.split for image in found} == {"train", "val"}
    assert sorted((image.name, image.labels[0].class_name) for image in found) == [
        (f"{index}.jpg", "ab"[index % 2]) for index in range(4)
    ]


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    folder(tmp_path / "out", {"mine.txt": "x"})
    with pytest.raises(FormatError, match="not empty"):
        write(tmp_path, images(tmp_path, ("1.jpg", "train", [BOX])))
    write(tmp_path, images(tmp_path, ("1.jpg", "train", [BOX])), overwrite="yes")


@pytest.mark.parametrize("settings", [{"task": "x"}, {"images": "x"}, {"val": 2}, {"seed": "x"}, {"confidences": "x"}])
def test_settings_out_of_range(settings: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        write(tmp_path, images(tmp_path, ("1.jpg", "train", [BOX])), **settings)
