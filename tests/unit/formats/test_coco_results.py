"""Reading and writing COCO results: detections with scores."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from countersign import formats
from countersign.domain.errors import FormatError, SettingsError
from countersign.domain.geometry import Box, Keypoints, Kind, Polygon
from countersign.domain.image import Image
from countersign.domain.label import Label, LabelClass
from countersign.formats import FoundImage, ImportReport, ReadOptions, Severity

IMAGES = {1: "a.jpg", 2: "000785.jpg"}
LOOKUP = {"images": IMAGES, "categories": {1: "cell", 2: "dirt"}}


def read(folder: Path, results: Any, **settings: Any) -> tuple[list[FoundImage], ImportReport]:
    path = folder / "results.json"
    path.write_text(results if isinstance(results, str) else json.dumps(results))
    report = ImportReport()
    options = ReadOptions(settings=settings or LOOKUP, size_of=lambda name: (100, 80))
    return list(formats.read(path, report=report, options=options)), report


def result(**fields: Any) -> dict[str, Any]:
    return {"image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 40], "score": 0.75, **fields}


def test_boxes_with_scores(tmp_path: Path) -> None:
    (first, second), report = read(tmp_path, [result(), result(category_id=2, score=1)])
    assert [(label.class_name, label.geometry, label.confidence) for label in first.labels] == [
        ("cell", Box(1, 2, 30, 40), 0.75),
        ("dirt", Box(1, 2, 30, 40), 1.0),
    ]
    assert (first.labelled, second.labelled) == (True, False)
    assert not report.problems


def test_outlines_and_keypoints(tmp_path: Path) -> None:
    ring = [0.0, 0.0, 9.0, 0.0, 9.0, 9.0]
    points = [1.0, 2.0, 0.9, 5.0, 6.0, 0.0]
    (image, _), _ = read(tmp_path, [result(segmentation=[ring]), result(keypoints=points, bbox=None)])
    assert image.labels[0].geometry == Polygon((tuple(ring),))
    assert image.labels[1].geometry == Keypoints((1, 2, 2, 5, 6, 0))
    assert image.labels[1].attributes == {"keypoint_scores": [0.9, 0.0]}


def test_images_may_be_named_by_their_files(tmp_path: Path) -> None:
    found, report = read(tmp_path, [result(image_id="a"), result(image_id="a.jpg"), result(image_id=785)])
    assert [len(image.labels) for image in found] == [2, 1]
    assert not report.problems


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"image_id": 99}, "results for an unknown image"),
        ({"category_id": 99}, "unknown category"),
        ({"score": 12.5}, "the score is not between 0 and 1"),
        ({"score": "high"}, "score is not a number"),
        ({"bbox": [1, 1, 0, 0]}, "the box has no area"),
    ],
)
def test_what_is_wrong_is_reported(tmp_path: Path, fields: dict[str, Any], reason: str) -> None:
    found, report = read(tmp_path, [result(**fields), result()])
    assert sum(len(image.labels) for image in found) == 1
    assert report.counts == {(Severity.SKIPPED, reason): 1}


def test_a_file_cut_short_and_one_with_not_a_number(tmp_path: Path) -> None:
    text = json.dumps([result(), result(), result()])
    found, report = read(tmp_path, text[:-20])
    assert len(found[0].labels) == 2
    assert report.count(Severity.SKIPPED) == 1
    found, report = read(tmp_path, text.replace("0.75", "NaN", 1))
    assert len(found[0].labels) == 2
    assert {reason for _, reason in report.counts} == {"the file is not strict JSON", "score is not finite"}


def test_without_knowing_the_ids_it_says_what_to_give(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps([result()]))
    with pytest.raises(FormatError, match="images_json="):
        list(formats.read(path))
    with pytest.raises(SettingsError, match="images"):
        list(formats.read(path, options=ReadOptions(settings={"images": "a.jpg"})))


def test_the_ids_of_our_own_export(tmp_path: Path) -> None:
    images = [Image(7, 1, "a.jpg", "", "", 100, 80), Image(9, 1, "b.jpg", "", "", 100, 80)]
    classes = [LabelClass("cell"), LabelClass("dirt")]
    truth = tmp_path / "truth.json"
    formats.write("coco", [(image, [Label("dirt", Box(1, 1, 5, 5))]) for image in images], classes, truth)
    detections = [(image, [Label("dirt", Box(1, 1, 5, 5), 0.5), Label("cell", None, 0.5)]) for image in images]
    out = tmp_path / "out.json"
    report = formats.write("coco-results", detections, classes, out)
    assert report.counts[(Severity.SKIPPED, "classification labels do not fit the format")] == 2
    by_file = ReadOptions(settings={"images_json": truth})
    by_project = ReadOptions(own_ids=lambda: ({7: "a.jpg", 9: "b.jpg"}, classes))
    for options in (by_file, by_project):
        found = list(formats.read(out, options=options))
        assert [(image.name, [label.class_name for label in image.labels]) for image in found] == [
            ("a.jpg", ["dirt"]),
            ("b.jpg", ["dirt"]),
        ]


@pytest.mark.parametrize(
    ("results", "truth", "count"),
    [
        ("test_coco_det_AP_H_56.json", "test_coco.json", 118),
        ("crowdpose/test_crowdpose_det_AP_40.json", "crowdpose/test_crowdpose.json", 6),
    ],
)
def test_real_results(data_dir: Callable[[str], Path], results: str, truth: str, count: int) -> None:
    folder = data_dir("keypoints_coco")
    options = ReadOptions(settings={"images_json": str(folder / truth)}, images=folder)
    labels = [label for image in formats.read(folder / results, options=options) for label in image.labels]
    assert len(labels) == count
    assert {label.kind for label in labels} == {Kind.BOX}
    assert all(label.confidence is not None for label in labels)
