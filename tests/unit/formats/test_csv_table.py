"""Tables of labels: columns, dialects, numbers, and what is wrong with rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from countersign import formats
from countersign.domain.errors import FormatError
from countersign.domain.geometry import Box, Kind, Polygon
from countersign.domain.image import Image
from countersign.domain.label import Label, LabelClass
from countersign.formats import FoundImage, ImportReport, ReadOptions, Severity, WriteOptions


def read(
    folder: Path, text: str, encoding: str = "utf-8", format: str = "auto", **given_settings: Any
) -> tuple[list[FoundImage], ImportReport]:
    path = folder / "labels.csv"
    path.write_bytes(text.encode(encoding))
    report = ImportReport()
    options = ReadOptions(settings=given_settings, size_of=lambda name: (100, 80) if "a" in name else None)
    return list(formats.read(path, format=format, report=report, options=options)), report


BOX = Box(10, 20, 30, 40)

LAYOUTS = {
    "ours": "image,class,x,y,width,height,confidence\na.jpg,cell,10,20,30,40,\n",
    "corners": "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,100,80,cell,10,20,40,60\n",
    "other order and names": "label;x1;y2;x2;y1;Image Name\ncell;10;60;40;20;a.jpg\n",
    "size": "image_name,label_name,x1,y1,w,h\na.jpg,cell,10,20,30,40\n",
    "tabs": "image\tclass\tx\ty\twidth\theight\na.jpg\tcell\t10\t20\t30\t40\n",
    "bars and quotes": '"image"|"class"|"x"|"y"|"width"|"height"\n"a.jpg"|"cell"|10|20|30|40\n',
    "blank lines and blanks": "image, class, x, y, width, height\n\n a.jpg , cell , 10, 20, 30, 40\n\n",
    "keras-retinanet": "a.jpg,10,20,40,60,cell\n",
    "AutoML": "TRAIN,a.jpg,cell,0.1,0.25,,,0.4,0.75,,\n",
    "Open Images": "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax\na,xclick,cell,1,0.1,0.4,0.25,0.75\n",
    "fractions": "image,class,x,y,width,height\na.jpg,cell,0.1,0.25,0.3,0.5\n",
    "Windows": "image,class,x,y,width,height\r\na.jpg,cell,10,20,30,40\r\n",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(tmp_path: Path, layout: str) -> None:
    (image,), report = read(tmp_path, LAYOUTS[layout])
    (label,) = image.labels
    assert label.class_name == "cell"
    assert isinstance(label.geometry, Box)
    assert label.geometry.bounds == pytest.approx(BOX.bounds)
    assert label.confidence is None
    assert image.width == 100
    assert not report.count(Severity.SKIPPED)
    assert not report.count(Severity.CHANGED)


def test_one_cell_for_the_box_needs_to_be_told(tmp_path: Path) -> None:
    text = 'image,class,bbox\na.jpg,cell,"[10, 20, 30, 40]"\n'
    (image,), _ = read(tmp_path, text, box="xywh")
    assert image.labels[0].geometry == BOX
    (image,), _ = read(tmp_path, text, box="xyxy")
    assert image.labels[0].geometry == Box(10, 20, 20, 20)
    with pytest.raises(FormatError, match="box=xyxy or box=xywh"):
        read(tmp_path, text)


def test_classes_of_whole_images(tmp_path: Path) -> None:
    found, report = read(tmp_path, "image,class,confidence\na.jpg,ant,0.5\nb.jpg,bee,\n")
    assert [(image.name, image.labels[0].class_name, image.labels[0].confidence) for image in found] == [
        ("a.jpg", "ant", 0.5),
        ("b.jpg", "bee", None),
    ]
    assert {label.kind for image in found for label in image.labels} == {Kind.CLASSIFICATION}
    assert [made.name for made in report.classes] == ["ant", "bee"]


def test_a_column_for_each_class(tmp_path: Path) -> None:
    found, _ = read(tmp_path, "image,ant,bee\na.jpg,1,1\nb.jpg,0,0\n")
    assert [[label.class_name for label in image.labels] for image in found] == [["ant", "bee"], []]


def test_rows_of_an_image_need_not_be_together_and_may_be_empty(tmp_path: Path) -> None:
    text = "image,class,x,y,width,height\na.jpg,cell,1,1,5,5\nb.jpg,,,,,\na.jpg,dirt,9,9,5,5\n"
    found, report = read(tmp_path, text)
    assert [(image.name, len(image.labels), image.complete) for image in found] == [
        ("a.jpg", 2, True),
        ("b.jpg", 0, True),
    ]
    assert not report.problems


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a.jpg,cell,1,1,0,5", "the box has no area"),
        ("a.jpg,cell,200,1,5,5", "outside the image"),
        ("a.jpg,cell,one,1,5,5", "a coordinate is not a number"),
        ("a.jpg,cell,1,1,5,", "a coordinate is missing"),
        ("a.jpg,cell,nan,1,5,5", "the values are not usable"),
        ("a.jpg,,1,1,5,5", "the row names no class"),
        (",cell,1,1,5,5", "the row names no image"),
        ("a.jpg,cell,1,1,5,5,2.5", "the confidence is not between 0 and 1"),
        ("a.jpg,cell,1,1,5,5,sure", "the confidence is not a number"),
    ],
)
def test_what_is_wrong_is_reported_with_its_line(tmp_path: Path, row: str, reason: str) -> None:
    text = f"image,class,x,y,width,height,confidence\na.jpg,cell,1,1,5,5,\n{row}\na.jpg,cell,9,9,5,5,\n"
    (image,), report = read(tmp_path, text)
    assert len(image.labels) == 2
    (problem,) = report.problems
    assert (problem.severity.value, problem.reason, problem.where) == ("skipped", reason, "line 3")


def test_a_box_partly_outside_is_clipped(tmp_path: Path) -> None:
    (image,), report = read(tmp_path, "image,class,x,y,width,height\na.jpg,cell,90,70,30,30\n")
    assert image.labels[0].geometry == Box(90, 70, 10, 10)
    assert report.counts == {(Severity.CHANGED, "partly outside the image, clipped"): 1}


def test_decimal_commas_are_read_and_reported(tmp_path: Path) -> None:
    (image,), report = read(tmp_path, "image;class;x;y;width;height\na.jpg;cell;1,5;2;3;4\n")
    assert image.labels[0].geometry == Box(1.5, 2, 3, 4)
    assert report.counts == {(Severity.CHANGED, "decimal commas were read as points"): 1}


def test_fractions_without_a_size_are_skipped_and_may_be_forced(tmp_path: Path) -> None:
    found, report = read(tmp_path, "image,class,x,y,width,height\nb.jpg,cell,0.1,0.1,0.5,0.5\n")
    assert not found[0].labels
    assert not found[0].complete
    assert report.count(Severity.SKIPPED) == 1
    (image,), _ = read(tmp_path, "image,class,x,y,width,height\na.jpg,cell,0,0,1,1\n")
    assert image.labels[0].geometry == Box(0, 0, 1, 1)  # whole numbers are pixels
    (image,), _ = read(tmp_path, "image,class,x,y,width,height\na.jpg,cell,0,0,1,1\n", units="fractions")
    assert image.labels[0].geometry == Box(0, 0, 100, 80)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    (image,), report = read(tmp_path, "image,class\nGrün a.jpg,Käfer\n", encoding)
    assert (image.name, image.labels[0].class_name) == ("Grün a.jpg", "Käfer")
    assert report.count(Severity.NOTE) == (1 if encoding == "latin-1" else 0)


def test_other_columns_are_kept_as_attributes(tmp_path: Path) -> None:
    (image,), report = read(tmp_path, "image,class,who\na.jpg,cell,Ann\na.jpg,dirt,\n")
    assert [label.attributes for label in image.labels] == [{"who": "Ann"}, {}]
    assert report.count(Severity.NOTE) == 1


def test_splits(tmp_path: Path) -> None:
    text = "image,class,split\na.jpg,cell,valid\nb.jpg,cell,mine\nc.jpg,cell,UNASSIGNED\n"
    found, _ = read(tmp_path, text)
    assert [image.split for image in found] == ["val", "mine", ""]


@pytest.mark.parametrize("text", ["", "\n\n", "one,two\n1,2\n", "image,x,y\na.jpg,1,2\n", "image,class,x,y\na,b,1,2\n"])
def test_columns_that_are_not_understood(tmp_path: Path, text: str) -> None:
    with pytest.raises(FormatError, match="columns are not understood"):
        read(tmp_path, text, format="csv")


_cells = st.sampled_from(["a.jpg", "cell", "1", "0.5", "-3", "nan", "1e400", "", '"', ",", ";", "x", "\0", "é"])
_rows = st.lists(st.lists(_cells, max_size=9).map(",".join), max_size=8).map("\n".join)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    header=st.sampled_from(["image,class,x,y,width,height,confidence", "image,class", "image,ant,bee", ""]), text=_rows
)
def test_whatever_stands_in_a_table_costs_only_its_rows(tmp_path: Path, header: str, text: str) -> None:
    try:
        found, _ = read(tmp_path, f"{header}\n{text}", format="csv")
    except FormatError:
        return
    assert all(label.class_name.strip() for image in found for label in image.labels)


def test_a_folder_with_one_table_or_one_per_split(tmp_path: Path) -> None:
    for split in ("train", "valid"):
        (tmp_path / split).mkdir()
        (tmp_path / split / "_annotations.csv").write_text("image,class\na.jpg,ant\n")
    assert formats.detect(tmp_path).name == "csv"
    assert [image.split for image in formats.read(tmp_path)] == ["train", "val"]
    (tmp_path / "labels.csv").write_text("image,class\nb.jpg,ant\n")
    (tmp_path / "notes.csv").write_text("who,what\n1,2\n")
    assert [image.name for image in formats.read(tmp_path)] == ["b.jpg"]
    (tmp_path / "more.csv").write_text("image,class\nb.jpg,ant\n")
    with pytest.raises(FormatError, match="one table"):
        list(formats.read(tmp_path, format="csv"))


def test_what_is_written(tmp_path: Path) -> None:
    images = [Image(1, 1, 'a "b", c.jpg', "", "", 100, 80, split="val"), Image(2, 1, "empty.jpg", "", "", 10, 10)]
    ring = (0.0, 0.0, 10.0, 0.0, 10.0, 10.5)
    labels = [Label("cell", Box(1, 2.25, 3, 4), 0.5), Label("big"), Label("cell", Polygon((ring,)))]
    classes = [LabelClass(name) for name in ("cell", "big", "never")]
    report = formats.write("csv", [(images[0], labels), (images[1], [])], classes, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == (
        "image,class,x,y,width,height,confidence\n"
        '"a ""b"", c.jpg",cell,1,2.25,3,4,0.5\n'
        '"a ""b"", c.jpg",big,,,,,\n'
        '"a ""b"", c.jpg",cell,0,0,10,10.5,\n'
        "empty.jpg,,,,,,\n"
    )
    assert {reason for _, reason in report.counts} == {
        "polygon labels were written as box",
        "splits do not fit the format",
        "classes without a label do not fit the format",
    }
    options = WriteOptions(settings={"all_columns": True})
    formats.write("csv", [(images[0], labels[:1])], classes, tmp_path / "all.csv", options=options)
    (found,) = formats.read(tmp_path / "all.csv")
    assert (found.width, found.height, found.split) == (100, 80, "val")


REAL = {
    "raccoon/data/raccoon_labels.csv": (200, 217),
    "raccoon/data/train_labels.csv": (160, 173),
    "raccoon/data/test_labels.csv": (40, 44),
    "formats_datumaro/kaggle_dataset/image_csv/ann.csv": (5, 5),
    "formats_datumaro/kaggle_dataset/image_csv_det/ann.csv": (3, 6),
    "formats_datumaro/kaggle_dataset/image_csv_det/ann2.csv": (3, 6),
    "formats_datumaro/kaggle_dataset/image_csv_multi_label/ann.csv": (6, 9),
    "formats_datumaro/vott_csv_dataset/dataset/train-export.csv": (2, 3),
    "formats_datumaro/open_images_dataset/v6/annotations/oidv6-train-annotations-bbox.csv": (1, 1),
    "formats_datumaro/open_images_dataset/v6/annotations/oidv6-train-annotations-human-imagelabels.csv": (2, 1),
}


@pytest.mark.parametrize("place", REAL)
def test_real_files(data_dir: Callable[[str], Path], place: str) -> None:
    folder, _, rest = place.partition("/")
    found = list(formats.read(data_dir(folder) / rest))
    assert (len(found), sum(len(image.labels) for image in found)) == REAL[place]


def test_real_codes_are_named_by_the_table_beside(data_dir: Callable[[str], Path]) -> None:
    path = data_dir("formats_datumaro") / "open_images_dataset/v6/annotations/oidv6-train-annotations-bbox.csv"
    (image,) = formats.read(path)
    assert image.labels[0].class_name == "Generic label #0"
