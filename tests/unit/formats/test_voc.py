"""Pascal VOC: real folders, files with everything wrong, and masks that are objects at the same time."""

from __future__ import annotations

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
from countersign.domain.geometry import Box, Kind, Polygon
from countersign.domain.image import Image
from countersign.domain.label import Label, LabelClass
from countersign.formats import FoundImage, ImportReport, ReadOptions, WriteOptions, voc, voc_segmentation, voc_xml


def read(path: Path, **settings: Any) -> tuple[list[FoundImage], ImportReport]:
    report = ImportReport()
    return list(formats.read(path, format="voc", report=report, options=ReadOptions(settings=settings))), report


def thing(name: str = "a", box: tuple[Any, ...] = (10, 20, 40, 60), more: str = "") -> str:
    sides = "".join(f"<{tag}>{value}</{tag}>" for tag, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))
    return f"<object><name>{name}</name><bndbox>{sides}</bndbox>{more}</object>"


def xml(*things: str, size: str = "<size><width>200</width><height>100</height><depth>3</depth></size>") -> str:
    return f"<annotation><filename>a.jpg</filename>{size}{''.join(things)}</annotation>"


def image(number: int, name: str, split: str = "") -> Image:
    return Image(number, 1, name, "", f"{number:064x}", 200, 100, split=split)


def test_bccd(data_dir: Callable[[str], Path]) -> None:
    root = data_dir("bccd")
    assert formats.detect(root).name == "voc"
    found, report = read(root)
    classes = Counter(label.class_name for image in found for label in image.labels)
    # The README counts 4155 RBC: two are boxes without width and height, which are reported.
    assert classes == {"RBC": 4153, "WBC": 372, "Platelets": 361}
    problems = [problem for problem in report.problems if problem.reason == voc_xml.NO_AREA]
    assert [Path(problem.file).name for problem in problems] == ["BloodImage_00338.xml", "BloodImage_00343.xml"]
    assert [image.name for image in found if not image.complete] == ["BloodImage_00338.jpg", "BloodImage_00343.jpg"]
    lists = {
        split: len((root / f"BCCD/ImageSets/Main/{split}.txt").read_text().split())
        for split in ("train", "val", "test")
    }
    assert Counter(image.split for image in found) == lists
    assert all(image.path is not None and image.width == 640 for image in found)


def test_raccoon(data_dir: Callable[[str], Path]) -> None:
    found, report = read(data_dir("raccoon"))
    assert (len(found), sum(len(image.labels) for image in found)) == (200, 217)
    assert {label.class_name for image in found for label in image.labels} == {"raccoon"}
    assert list(report.counts) == []


@pytest.mark.parametrize(
    ("name", "images", "kinds"),
    [
        ("labelme_examples/bbox_detection/data_dataset_voc", 3, {Kind.BOX: 9}),
        ("labelme_examples/semantic_segmentation/data_dataset_voc", 3, {Kind.MASK: 7}),
        ("labelme_examples/instance_segmentation/data_dataset_voc", 3, {Kind.MASK: 12}),
        ("labelme_examples/video_annotation/data_dataset_voc", 5, {Kind.MASK: 10}),
        ("formats_xanylabeling", 1, {Kind.BOX: 49}),
        ("formats_datumaro/voc_dataset/voc_dataset1", 2, {Kind.BOX: 2, Kind.MASK: 1}),
        ("formats_datumaro/voc_dataset/voc_dataset2", 5, {Kind.BOX: 4}),
        ("formats_datumaro/voc_dataset/voc_dataset3", 1, {Kind.BOX: 1}),
        ("formats_datumaro/kaggle_dataset/relaxed_voc1", 2, {Kind.BOX: 2}),
        ("formats_datumaro/kaggle_dataset/relaxed_voc2", 2, {Kind.BOX: 2}),
    ],
)
def test_other_folders(data_dir: Callable[[str], Path], name: str, images: int, kinds: dict[Kind, int]) -> None:
    top, _, rest = name.partition("/")
    found, _ = read(data_dir(top) / rest)
    assert len(found) == images
    assert Counter(label.kind for image in found for label in image.labels) == kinds


def test_masks_of_labelme_are_its_polygons(data_dir: Callable[[str], Path]) -> None:
    root = data_dir("labelme_examples") / "instance_segmentation"
    painted, _ = read(root / "data_dataset_voc")
    drawn = {image.name: image for image in formats.read(root / "data_annotated", format="labelme")}
    for item in painted:
        polygons = [label for label in drawn[item.name].labels if label.class_name != "__ignore__"]
        assert Counter(label.class_name for label in item.labels) == Counter(label.class_name for label in polygons)


def test_what_is_wrong_is_reported_and_the_rest_read(tmp_path: Path) -> None:
    things = [
        thing(),
        thing(box=(40, 60, 10, 20)),
        thing(box=(10, 20, 10, 20)),
        thing(box=("x", 20, 10, 20)),
        thing(box=("nan", 20, 10, 20)),
        thing(box=(-5, 20, 210.5, 60)),
        thing(box=(300, 20, 310, 60)),
        thing(name=""),
        "<object><name>a</name></object>",
    ]
    (tmp_path / "a.xml").write_text(xml(*things))
    (tmp_path / "b.xml").write_text("<annotation><object>")
    (tmp_path / "c.xml").write_text("<other/>")
    (found,), report = read(tmp_path)
    assert [label.geometry for label in found.labels] == [Box(10, 20, 30, 40), Box(10, 20, 30, 40), Box(0, 20, 200, 40)]
    assert not found.complete
    reasons = {problem.reason: problem.where for problem in report.problems}
    assert reasons == {
        voc_xml.SWAPPED: "object 2",
        voc_xml.NO_AREA: "object 3",
        voc_xml.NOT_NUMBERS: "object 5",
        "partly outside the image, clipped": "object 6",
        "outside the image": "object 7",
        voc_xml.NO_NAME: "object 8",
        voc_xml.NO_BOX: "object 9",
        voc.NOT_READ: "",
    }
    assert report.count(reason=voc.NOT_READ) == 2
    assert {Path(problem.file).suffix for problem in report.problems} == {".xml"}


@pytest.mark.parametrize("size", ["", "<size><width>0</width><height>0</height></size>"])
def test_a_missing_size_is_that_of_the_image(size: str, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(xml(thing(box=(150, 20, 250, 60)), size=size))
    Pillow.new("RGB", (200, 100)).save(tmp_path / "a.jpg")
    (found,), report = read(tmp_path)
    assert (found.width, found.height) == (200, 100)
    assert found.labels[0].geometry == Box(150, 20, 50, 40)
    assert report.count(reason=voc.NO_SIZE) == 1


def test_pixels_counted_from_one(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(xml(thing(box=(1, 1, 200, 100)), thing(box=(5, 5, 5, 5))))
    (found,), _ = read(tmp_path, coordinates="pixels")
    assert [label.geometry for label in found.labels] == [Box(0, 0, 200, 100), Box(4, 4, 1, 1)]


def test_attributes_scores_polygons_and_turned_boxes(tmp_path: Path) -> None:
    more = "<difficult>1</difficult><truncated>0</truncated><pose>Left</pose><confidence>0.5</confidence>"
    more += "<attributes><attribute><name>n</name><value>3</value></attribute></attributes>"
    corners = "<polygon><x1>0</x1><y1>0</y1><x2>9</x2><y2>0</y2><x3>9</x3><y3>9</y3></polygon>"
    turned = "<robndbox><cx>50</cx><cy>50</cy><w>20</w><h>10</h><angle>1.5707963267948966</angle></robndbox>"
    things = (thing(more=more), thing(more=corners), f"<object><name>a</name>{turned}</object>")
    (tmp_path / "a.xml").write_text(xml(*things))
    (found,), report = read(tmp_path)
    first, second, third = found.labels
    assert (first.attributes, first.confidence) == ({"difficult": True, "pose": "Left", "n": 3}, 0.5)
    assert second.geometry == Polygon(((0, 0, 9, 0, 9, 9),))
    assert third.geometry is not None
    assert third.geometry.bounds == pytest.approx((45, 40, 10, 20))
    assert report.count(reason=voc_xml.ROTATED) == 1


BOMB = """<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;&x;&x;&x;&x;&x;">]>
<annotation><filename>&y;</filename></annotation>"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_bomb_of_entities_is_refused(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(BOMB.encode(encoding))
    with pytest.raises(FormatError, match="entities"):
        voc_xml.parse(tmp_path / "a.xml", ImportReport(), pixels=False)


def test_texts_in_other_encodings(tmp_path: Path) -> None:
    text = '<?xml version="1.0" encoding="gb2312"?>' + xml(thing("猫"))
    (tmp_path / "a.xml").write_bytes(text.encode("gb2312"))
    (found,), _ = read(tmp_path)
    assert found.labels[0].class_name == "猫"


def test_an_xml_file_that_names_another_image(tmp_path: Path) -> None:
    for name in ("b.jpg", "c.jpg"):
        Pillow.new("RGB", (200, 100)).save(tmp_path / name)
    (tmp_path / "b.xml").write_text(xml(thing()))  # says a.jpg, lies beside b.jpg
    (tmp_path / "x.xml").write_text(xml(thing()).replace("a.jpg", "C:\\photos\\c.jpg"))
    found, report = read(tmp_path)
    assert [(image.name, image.path is not None, len(image.labels)) for image in found] == [
        ("b.jpg", True, 1),
        ("c.jpg", True, 1),
    ]
    assert report.count(reason=voc.NAMED_OTHERWISE) == 1


def test_masks_and_their_objects_are_one_label(tmp_path: Path) -> None:
    holed = np.zeros((100, 200), bool)
    holed[10:40, 10:50], holed[20:30, 20:30], holed[60:70, 60:90] = True, False, True
    labels = [
        Label("b", Box(100, 5, 20, 20), 0.25, attributes={"difficult": True, "text": "1", "odd": "a\tb"}),
        Label("a", masks.encode(holed), attributes={"occluded": True}),
        Label("a", masks.from_geometry(Box(120, 60, 30, 30), 100, 200)),
    ]
    made = [(image(1, "x/1.jpg", "train"), labels), (image(2, "2 3.jpg", "val"), [])]
    report = formats.write("voc", made, [LabelClass("a"), LabelClass("b"), LabelClass("unused")], tmp_path / "out")
    assert list(report.counts) == []
    found, read_report = read(tmp_path / "out")
    by_name = {item.name: item for item in found}
    assert {item.name: item.split for item in found} == {"x/1.jpg": "train", "2 3.jpg": "val"}
    assert by_name["2 3.jpg"].labelled
    assert list(by_name["x/1.jpg"].labels) == [labels[1], labels[2], labels[0]]
    assert [item.name for item in read_report.classes] == ["a", "b", "unused"]


def test_masks_that_overlap_are_reported(tmp_path: Path) -> None:
    whole, part = (masks.from_geometry(box, 100, 200) for box in (Box(0, 0, 50, 50), Box(10, 10, 20, 20)))
    made = [(image(1, "1.jpg"), [Label("a", part), Label("a", whole)])]
    report = formats.write("voc", made, [LabelClass("a")], tmp_path / "out")
    assert {reason for _, reason in report.counts} == {"masks that overlap: the later one covers the earlier one",
                                                       "a mask that others cover wholly"}  # fmt: skip


def test_void_and_unknown_values(tmp_path: Path) -> None:
    for folder in ("SegmentationClass", "SegmentationObject"):
        (tmp_path / folder).mkdir()
    codes = np.zeros((10, 20), np.uint8)
    codes[:, 0], codes[:, 1:5], codes[:, 5:8] = 255, 15, 99
    Pillow.fromarray(codes).save(tmp_path / "SegmentationClass/a.png")
    (found,), report = read(tmp_path)
    assert [(label.class_name, label.geometry and label.geometry.area) for label in found.labels] == [("person", 40)]
    assert report.count(reason=voc_segmentation.VOID) == 1
    assert report.count(reason=voc_segmentation.UNKNOWN) == 1


def test_coordinates_as_pixels_survive(tmp_path: Path) -> None:
    made = [(image(1, "1.jpg"), [Label("a", Box(0.5, 0, 10, 100))])]
    settings = {"coordinates": "pixels"}
    formats.write("voc", made, [LabelClass("a")], tmp_path / "out", options=WriteOptions(settings))
    assert "<xmin>1.5</xmin>" in (tmp_path / "out/Annotations/1.xml").read_text()
    (found,), _ = read(tmp_path / "out", **settings)
    assert found.labels[0].geometry == Box(0.5, 0, 10, 100)
