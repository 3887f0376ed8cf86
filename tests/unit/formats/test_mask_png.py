"""Mask PNGs: one per image, one per object, tables of all kinds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from countersign import formats
from countersign.domain import mask as masks
from countersign.domain.errors import FormatError
from countersign.domain.geometry import Box, Mask
from countersign.domain.image import Image
from countersign.domain.label import Label, LabelClass
from countersign.formats import (
    FoundImage,
    ImportReport,
    ReadOptions,
    WriteOptions,
    class_table,
    index_png,
    mask_png,
)


def read(path: Path, **settings: Any) -> tuple[list[FoundImage], ImportReport]:
    report = ImportReport()
    return list(formats.read(path, format="mask-png", report=report, options=ReadOptions(settings=settings))), report


def png(path: Path, codes: Any, mode: str | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(np.asarray(codes, np.uint8)).convert(mode or None).save(path)


def image(number: int, name: str) -> Image:
    return Image(number, 1, name, "", f"{number:064x}", 200, 100)


def test_nuclei(data_dir: Callable[[str], Path]) -> None:
    root = data_dir("nuclei_dsb2018")
    assert formats.detect(root).name == "mask-png"
    found, report = read(root, **{"class": "nucleus"})
    assert (len(found), sum(len(image.labels) for image in found)) == (40, 1372)
    assert {label.class_name for image in found for label in image.labels} == {"nucleus"}
    assert all(image.path is not None and image.complete for image in found)
    assert list(report.counts) == []


def test_coco_mval62(data_dir: Callable[[str], Path]) -> None:
    root = data_dir("coco_mval62")
    assert formats.detect(root).name == "mask-png"
    found, _ = read(root)
    assert (len(found), sum(len(image.labels) for image in found)) == (62, 62)
    assert all(image.path is not None and image.path.suffix == ".jpg" for image in found)


@pytest.mark.parametrize(
    ("name", "images", "classes"),
    [
        ("common_semantic_segmentation_dataset/dataset", 2, {"Bicyclist": 1, "Road": 1, "Animal": 1, "Child": 1}),
        (
            "common_semantic_segmentation_dataset/non_standard_dataset",
            2,
            {"Road": 2, "Bicyclist": 1, "Animal": 1, "SignSymbol": 1},
        ),
        ("kaggle_dataset/image_mask", 2, {"object": 2}),
        ("kaggle_dataset/image_mask_with_labelmap", 3, {"cat": 3, "dog": 3}),
    ],
)
def test_datumaro(data_dir: Callable[[str], Path], name: str, images: int, classes: dict[str, int]) -> None:
    found, _ = read(data_dir("formats_datumaro") / name)
    assert (len(found), Counter(label.class_name for image in found for label in image.labels)) == (images, classes)


def test_labelme_label_png(data_dir: Callable[[str], Path]) -> None:
    root = data_dir("labelme_examples") / "tutorial"
    (found,), _ = read(root / "apc2016_obj3")
    drawn = next(iter(formats.read(root / "apc2016_obj3.json")))
    painted = {label.class_name: label.geometry for label in found.labels}
    assert found.name == "img.png"
    # Where polygons overlap the PNG has one of them only, so it is compared as far as it goes.
    for label in drawn.labels:
        mask = painted[label.class_name]
        assert isinstance(mask, Mask)
        assert label.geometry is not None
        whole = masks.from_geometry(label.geometry, mask.height, mask.width)
        overlap = masks.decode(mask) & masks.decode(whole)
        assert overlap.sum() > 0.95 * mask.area


def test_colour_masks_of_another_size_are_reported(data_dir: Callable[[str], Path]) -> None:
    found, report = read(data_dir("formats_xanylabeling"))
    assert sum(len(image.labels) for image in found) == 0
    assert report.count(reason="the mask's size is not the image's") == 2


TWO = [[0, 1, 1, 2], [0, 1, 255, 7]]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labelmap.txt", "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:128,0,0::\nred dog:0,128,0::\n"),
        ("class_names.txt", "_background_\ncat\nred dog\n"),
        ("labels.txt", "__ignore__\n_background_\ncat\nred dog\n"),
        ("classes.txt", "0 background\n1: cat\n2 red dog\n"),
        ("colors.txt", "background 0 0 0\ncat 128 0 0\nred dog 0 128 0\n"),
        ("classes.csv", "value,name\n0,background\n1,cat\n2,red dog\n"),
        ("classes.csv", "1,cat\n2,red dog\n"),
        ("class_dict.csv", "name,r,g,b\nbackground,0,0,0\ncat,128,0,0\nred dog,0,128,0\n"),
        ("classes.json", '["background", "cat", "red dog"]'),
        ("classes.json", '{"1": "cat", "2": "red dog"}'),
        ("classes.json", '[{"id": 1, "name": "cat"}, {"id": 2, "name": "red dog"}]'),
        ("class_colors.json", '{"background": [0, 0, 0], "cat": [128, 0, 0], "red dog": [0, 128, 0]}'),
        ("dataset_meta.json", '{"label_map": {"0": "background", "1": "cat", "2": "red dog"}}'),
    ],
)
def test_every_table_says_the_same(name: str, text: str, tmp_path: Path) -> None:
    png(tmp_path / "masks/a.png", TWO)
    (tmp_path / name).write_text(text)
    (found,), report = read(tmp_path)
    assert {label.class_name: label.geometry and label.geometry.area for label in found.labels} == {
        "cat": 3,
        "red dog": 1,
    }
    assert [item.name for item in report.classes] == ["cat", "red dog"]
    assert report.count(reason=mask_png.VOID) == 1
    (problem,) = [item for item in report.problems if item.reason == mask_png.UNKNOWN]
    assert (Path(problem.file).name, problem.where) == ("a.png", "value 7")


def test_a_palette_in_another_order_is_read_by_its_colours(tmp_path: Path) -> None:
    picture = Pillow.new("P", (3, 1))
    picture.putpalette([0, 0, 0] + [9, 9, 9] * 4 + [0, 128, 0] + [9, 9, 9] * 3 + [128, 0, 0])
    picture.putdata([0, 5, 9])
    (tmp_path / "masks").mkdir()
    picture.save(tmp_path / "masks/a.png")
    (tmp_path / "labelmap.txt").write_text("background:0,0,0::\ncat:128,0,0::\ndog:0,128,0::\n")
    (found,), _ = read(tmp_path)
    assert [(label.class_name, label.geometry and label.geometry.bounds) for label in found.labels] == [
        ("dog", (1, 0, 1, 1)),
        ("cat", (2, 0, 1, 1)),
    ]


def test_without_a_table(tmp_path: Path) -> None:
    png(tmp_path / "masks/a.png", TWO)
    png(tmp_path / "masks/b.png", np.array([[[0, 0, 0], [255, 0, 16]]]))
    found, report = read(tmp_path)
    assert [label.class_name for image in found for label in image.labels] == [
        "class_1",
        "class_2",
        "class_7",
        "color_ff0010",
    ]
    assert report.count(reason=mask_png.NO_TABLE) == 2
    (found, _), _ = read(tmp_path, classes="cat,red dog")
    assert [label.class_name for label in found.labels] == ["cat", "red dog"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["images/train/a.jpg", "masks/train/a.png"], {"train/a.jpg": ["object"]}),
        (["train/images/a.jpg", "train/masks/a.png"], {"a.jpg": ["object"]}),
        (["img/a.jpg", "gt/a.png"], {"a.jpg": ["object"]}),
        (["a.jpg", "a.png"], {"a.jpg": ["object"]}),
        (["a.jpg", "a_mask.png", "b.png", "b_mask.png"], {"a.jpg": ["object"], "b.png": ["object"]}),
        (["images/a.jpg", "masks/a/1.png", "masks/a/2.png"], {"a.jpg": ["object"] * 2}),
        (
            ["images/a.jpg", "images/b.jpg", "masks/cat/a.png", "masks/dog/a.png"],
            {"a.jpg": ["cat", "dog"], "b.jpg": []},
        ),
        (["images/a.jpg", "masks/a/cat/1.png", "masks/a/cat/2.png"], {"a.jpg": ["cat"] * 2}),
    ],
)
def test_which_mask_belongs_to_which_image(names: list[str], expected: dict[str, list[str]], tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Pillow.fromarray(np.eye(8, dtype=np.uint8) * 255).save(tmp_path / name)
    found, _ = read(tmp_path)
    assert {image.name: [label.class_name for label in image.labels] for image in found} == expected
    assert all(image.path is not None for image in found)


def test_broken_masks_are_reported(tmp_path: Path) -> None:
    png(tmp_path / "masks/a.png", np.eye(8) * 255)
    (tmp_path / "masks/b.png").write_bytes((tmp_path / "masks/a.png").read_bytes()[:50])
    (tmp_path / "masks/c.png").write_bytes(b"")
    found, report = read(tmp_path)
    assert [len(image.labels) for image in found] == [1, 0, 0]
    assert report.count(reason=mask_png.NOT_READ) == 2


def test_a_table_that_is_none(tmp_path: Path) -> None:
    png(tmp_path / "masks/a.png", TWO)
    (tmp_path / "classes.json").write_text("{")
    with pytest.raises(FormatError, match="table of classes"):
        read(tmp_path)


CLASSES = [LabelClass("a"), LabelClass("b, c"), LabelClass("unused")]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    holed = np.zeros((100, 200), bool)
    holed[10:40, 10:50], holed[20:30, 20:30], holed[60:70, 60:90] = True, False, True
    labels = [Label("a", masks.encode(holed)), Label("b, c", masks.from_geometry(Box(120, 60, 30, 30), 100, 200))]
    report = formats.write("mask-png", [(image(1, "x/1.jpg"), labels), (image(2, "2.jpg"), [])], CLASSES, tmp_path)
    assert list(report.counts) == []
    found, read_report = read(tmp_path)
    assert {item.name: list(item.labels) for item in found} == {"x/1": labels, "2": []}
    assert [item.name for item in read_report.classes] == ["a", "b, c", "unused"]


def test_objects_keep_apart_what_overlaps(tmp_path: Path) -> None:
    one, other = (masks.from_geometry(box, 100, 200) for box in (Box(0, 0, 50, 50), Box(10, 10, 60, 60)))
    labels = [Label("a", one), Label("a", other), Label("b, c", one)]
    made = [(image(1, "x/1.jpg"), labels)]
    report = formats.write("mask-png", made, CLASSES, tmp_path / "o", options=WriteOptions({"objects": "yes"}))
    assert list(report.counts) == []
    (found,), _ = read(tmp_path / "o")
    assert (found.name, list(found.labels)) == ("x/1", labels)
    report = formats.write("mask-png", made, CLASSES, tmp_path / "i")
    assert {reason for _, reason in report.counts} >= {mask_png.ONE_MASK, mask_png.OVERLAP}


def test_more_classes_than_a_byte_holds(tmp_path: Path) -> None:
    classes = [LabelClass(f"c{number}") for number in range(400)]
    square = masks.from_geometry(Box(5, 5, 10, 10), 100, 200)
    made = [(image(number, f"{number}.jpg"), [Label(f"c{number}", square)]) for number in (0, 253, 254, 255, 256, 399)]
    formats.write("mask-png", made, classes, tmp_path)
    found, report = read(tmp_path)
    assert {item.name: item.labels[0].class_name for item in found} == {str(i.id): f"c{i.id}" for i, _ in made}
    assert len(report.classes) == 400


@given(value=st.integers(0, 255))
def test_vocs_palette(value: int) -> None:
    # The devkit deals bits 0, 1, 2 of the value to red, green and blue, then shifts by three.
    red, green, blue = class_table.voc_color(value)
    back = sum(
        (part >> (7 - place) & 1) << (3 * place + channel)
        for channel, part in enumerate((red, green, blue))
        for place in range(3)
    )
    assert back == value
    assert class_table.voc_color(15) == (192, 128, 128)


def test_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_png, "MAX_PIXELS", 50)
    png(tmp_path / "masks/a.png", np.eye(8) * 255)
    (found,), report = read(tmp_path)
    assert not found.labels
    assert report.count(reason=mask_png.NOT_READ) == 1
