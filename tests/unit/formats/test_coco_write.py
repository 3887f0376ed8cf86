"""Writing COCO."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from countersign import formats
from countersign.domain import mask as masks
from countersign.domain.geometry import Box, Mask, Polygon
from countersign.domain.image import Image
from countersign.domain.label import Label, LabelClass
from countersign.formats import ImportReport, Severity

DataDir = Callable[[str], Path]


def test_what_was_read_can_be_written_and_read_again(data_dir: DataDir, tmp_path: Path) -> None:
    report = ImportReport()
    found = list(formats.read(data_dir("keypoints_coco") / "test_coco_wholebody.json", report=report))
    images = [
        (Image(number, 1, item.name, "", "", item.width or 0, item.height or 0), list(item.labels))
        for number, item in enumerate(found, 1)
    ]
    out = tmp_path / "again.json"
    written = formats.write("coco", images, report.classes, out)
    assert not list(written.problems)
    again = ImportReport()
    assert [item.labels for item in formats.read(out, report=again)] == [item.labels for item in found]
    assert again.classes == report.classes


def test_the_file_is_what_coco_tools_expect(tmp_path: Path) -> None:
    from faster_coco_eval import COCO

    image = Image(7, 1, "a.jpg", "", "", 100, 80)
    mask = masks.from_geometry(Box(3, 4, 20, 10), 80, 100)
    ring = (0.0, 0.0, 10.0, 0.0, 10.0, 10.0, 0.0, 10.0)
    labels = [Label("cell", Box(1, 2, 3, 4), 0.5), Label("cell", mask), Label("dirt", Polygon((ring,)))]
    classes = [LabelClass("cell"), LabelClass("dirt")]
    report = formats.write("coco", [(image, labels)], classes, tmp_path / "out.json")
    assert (report.images, report.labels, report.files) == (1, 3, 1)
    loaded = COCO(str(tmp_path / "out.json"))
    box, painted, outlined = (loaded.anns[number] for number in (1, 2, 3))
    assert (box["image_id"], box["category_id"], box["bbox"], box["area"]) == (7, 1, [1, 2, 3, 4], 12)
    assert (loaded.annToMask(painted) == masks.decode(mask)).all()
    assert loaded.annToMask(outlined).sum() == 100
    assert outlined["area"] == 100


def test_a_polygon_with_a_hole_becomes_a_mask_and_says_so(tmp_path: Path) -> None:
    ring, hole = (0.0, 0.0, 40.0, 0.0, 40.0, 40.0, 0.0, 40.0), (10.0, 10.0, 20.0, 10.0, 20.0, 20.0, 10.0, 20.0)
    label = Label("cell", Polygon((ring,), (hole,)))
    image = Image(1, 1, "a.jpg", "", "", 100, 80)
    report = formats.write("coco", [(image, [label])], [LabelClass("cell")], tmp_path / "out.json")
    assert [problem.severity.value for problem in report.problems] == ["changed"]
    (found,) = formats.read(tmp_path / "out.json")
    assert isinstance(found.labels[0].geometry, Mask)
    assert found.labels[0].geometry.area == 1500


def test_a_label_of_an_unknown_class_is_reported(tmp_path: Path) -> None:
    image = Image(1, 1, "a.jpg", "", "", 100, 80)
    report = formats.write("coco", [(image, [Label("x", Box(1, 1, 1, 1))])], [], tmp_path / "out.json")
    assert report.counts == {(Severity.SKIPPED, "the label's class is not among the classes"): 1}
