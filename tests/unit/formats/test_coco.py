"""Reading COCO: what files have right, and what they have wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from countersign import formats
from countersign.domain import mask as masks
from countersign.domain.errors import FormatError
from countersign.domain.geometry import Box, Keypoints, Kind, Polygon
from countersign.domain.label import LabelClass
from countersign.formats import FoundImage, ImportReport, ReadOptions, Severity


def coco(*annotations: Any, **other: Any) -> dict[str, Any]:
    """A COCO file of one image of 100x80 pixels with these annotations, numbered from 1."""
    numbered = [
        {"id": number, "image_id": 1, "category_id": 1, **item} if isinstance(item, dict) else item
        for number, item in enumerate(annotations, 1)
    ]
    made = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 80}],
        "annotations": numbered,
        "categories": [{"id": 1, "name": "cell"}],
    }
    return {**made, **other}


def read(
    folder: Path, content: dict[str, Any] | str, name: str = "labels.json", format: str = "auto", **settings: Any
) -> tuple[list[FoundImage], ImportReport]:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    report = ImportReport()
    return list(formats.read(path, format=format, report=report, options=ReadOptions(settings=settings))), report


def only_problem(report: ImportReport) -> tuple[str, str, str]:
    (problem,) = report.problems
    assert problem.file.endswith("labels.json")
    return problem.severity.value, problem.reason, problem.where


# What is right ----------------------------------------------------------------------------------------------


def test_a_box(tmp_path: Path) -> None:
    (image,), report = read(tmp_path, coco({"bbox": [1, 2.5, 30, 40]}))
    assert (image.name, image.width, image.height) == ("a.jpg", 100, 80)
    assert image.labels[0].geometry == Box(1, 2.5, 30, 40)
    assert image.labels[0].class_name == "cell"
    assert not report.problems
    assert (report.images, report.labels, report.format) == (1, 1, "coco")


def test_a_polygon_of_two_parts_one_of_them_closed(tmp_path: Path) -> None:
    rings = [[0, 0, 10, 0, 10, 10], [20, 20, 30, 20, 30, 30, 20, 20]]
    (image,), report = read(tmp_path, coco({"bbox": [0, 0, 30, 30], "segmentation": rings}))
    assert image.labels[0].geometry == Polygon(((0, 0, 10, 0, 10, 10), (20, 20, 30, 20, 30, 30)))
    assert not report.problems


@pytest.mark.parametrize("compressed", [True, False])
def test_runs(tmp_path: Path, compressed: bool) -> None:
    mask = masks.from_geometry(Box(3, 4, 20, 10), 80, 100)
    counts = mask.counts.decode() if compressed else masks.to_counts(mask)
    (image,), report = read(tmp_path, coco({"segmentation": {"size": [80, 100], "counts": counts}, "iscrowd": 1}))
    assert image.labels[0].geometry == mask
    assert image.labels[0].attributes == {"iscrowd": 1}
    assert not report.problems


def test_keypoints_with_a_skeleton_and_the_outline_beside(tmp_path: Path) -> None:
    category = {"id": 1, "name": "cell", "keypoints": ["a", "b"], "skeleton": [[1, 2]]}
    ring = [[0, 0, 50, 0, 50, 50, 0, 50]]
    annotation = {"keypoints": [1, 2, 2, 0, 0, 0], "bbox": [0, 0, 50, 50], "segmentation": ring}
    content = coco(annotation, categories=[category])
    (image,), report = read(tmp_path, content)
    label = image.labels[0]
    assert label.geometry == Keypoints((1, 2, 2, 0, 0, 0), Box(0, 0, 50, 50))
    assert label.attributes == {"segmentation": ring}
    assert report.classes == [LabelClass("cell", keypoint_names=("a", "b"), skeleton=((0, 1),))]
    assert report.count(Severity.NOTE) == 1
    (image,), _ = read(tmp_path, content, prefer="segmentation")
    assert image.labels[0].geometry == Polygon((tuple(map(float, ring[0])),))
    assert image.labels[0].attributes == {"keypoints": [1, 2, 2, 0, 0, 0]}
    (image,), _ = read(tmp_path, content, prefer="box")
    assert image.labels[0].geometry == Box(0, 0, 50, 50)


def test_keypoints_that_are_all_unlabelled_are_a_box(tmp_path: Path) -> None:
    (image,), report = read(tmp_path, coco({"keypoints": [0] * 6, "num_keypoints": 0, "bbox": [1, 1, 5, 5]}))
    assert image.labels[0].geometry == Box(1, 1, 5, 5)
    assert not report.problems


def test_an_annotation_without_geometry_speaks_of_the_image(tmp_path: Path) -> None:
    (image,), _ = read(tmp_path, coco({}))
    assert image.labels[0].kind is Kind.CLASSIFICATION


def test_attributes_score_and_unknown_fields_are_kept(tmp_path: Path) -> None:
    annotation = {"bbox": [1, 1, 5, 5], "score": 0.0, "attributes": {"occluded": True}, "ignore": 0}
    (image,), report = read(tmp_path, coco(annotation))
    assert image.labels[0].confidence == 0.0
    assert image.labels[0].attributes == {"occluded": True, "ignore": 0}
    assert only_problem(report) == ("note", "other fields were kept as attributes", "annotation 1")


def test_images_without_annotations_are_labelled_unless_nothing_is(tmp_path: Path) -> None:
    two = [{"id": 1, "file_name": "a.jpg", "width": 9, "height": 9}, {"id": 2, "file_name": "b.jpg"}]
    found, _ = read(tmp_path, coco({"bbox": [1, 1, 5, 5]}, images=two))
    assert [image.labelled for image in found] == [True, True]
    found, _ = read(tmp_path, coco(images=two))
    assert [image.labelled for image in found] == [False, False]


def test_ids_that_are_text_in_one_place_and_numbers_in_the_other(tmp_path: Path) -> None:
    content = coco({"image_id": "1", "category_id": "1", "bbox": [1, 1, 5, 5]})
    (image,), report = read(tmp_path, content)
    assert len(image.labels) == 1
    assert not report.problems


def test_a_box_that_is_not_that_of_the_outline_is_kept_beside(tmp_path: Path) -> None:
    annotation = {"bbox": [0, 0, 60, 60], "segmentation": [[0, 0, 20, 0, 20, 20]]}
    (image,), _ = read(tmp_path, coco(annotation))
    assert image.labels[0].attributes == {"bbox": [0, 0, 60, 60]}


# What is wrong ----------------------------------------------------------------------------------------------

GOOD = {"bbox": [1, 1, 5, 5]}

WRONG: dict[str, tuple[Any, str]] = {
    "outside": ({"bbox": [200, 1, 5, 5]}, "outside the image"),
    "no area": ({"bbox": [1, 1, 0, 5]}, "the box has no area"),
    "negative": ({"bbox": [1, 1, -4, 5]}, "the box has no area"),
    "three numbers": ({"bbox": [1, 1, 5]}, "the box does not have four numbers"),
    "not a list": ({"bbox": "1 1 5 5"}, "bbox is not a list"),
    "not a number": ({"bbox": [1, 1, "wide", 5]}, "bbox is not a number"),
    "nothing": ({"bbox": [], "segmentation": []}, "neither a box, a segmentation nor keypoints"),
    "category": ({"category_id": 9, **GOOD}, "unknown category"),
    "no category": ({"category_id": None, **GOOD}, "category_id is missing"),
    "score": ({"score": 7, **GOOD}, "the score is not between 0 and 1"),
    "caption": ({"caption": "a cell"}, "captions are not labels"),
    "thin ring": ({"segmentation": [[1, 1, 5, 5]]}, "the segmentation has no ring of three points"),
    "mask of another size": (
        {"segmentation": {"size": [2, 3], "counts": [0, 6]}},
        "the mask's size is not the image's",
    ),
    "damaged runs": ({"segmentation": {"size": [80, 100], "counts": "~~~"}}, "the runs of the mask are damaged"),
    "runs that do not fill": ({"segmentation": {"size": [80, 100], "counts": [1, 2]}}, "the segmentation is damaged"),
    "nothing painted": ({"segmentation": {"size": [80, 100], "counts": [8000]}}, "nothing is painted in the mask"),
    "keypoints": ({"keypoints": [1, 2, 2, 4]}, "keypoints that are not x, y, v for each point"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_skipped_and_reported_by_id(tmp_path: Path, case: str) -> None:
    annotation, reason = WRONG[case]
    (image,), report = read(tmp_path, coco(annotation, GOOD))
    assert [label.geometry for label in image.labels] == [Box(1, 1, 5, 5)]
    assert not image.complete
    assert only_problem(report) == ("skipped", reason, "annotation 1")


def test_an_annotation_that_is_no_object(tmp_path: Path) -> None:
    (image,), report = read(tmp_path, coco(5, None, [], GOOD))
    assert len(image.labels) == 1
    assert report.counts == {(Severity.SKIPPED, "the annotation names no image"): 3}


def test_a_box_partly_outside_is_clipped(tmp_path: Path) -> None:
    (image,), report = read(tmp_path, coco({"bbox": [-5, 70, 20, 30]}))
    assert image.labels[0].geometry == Box(0, 70, 15, 10)
    assert only_problem(report) == ("changed", "partly outside the image, clipped", "annotation 1")


def test_rounding_beyond_the_edge_is_clipped_without_a_word(tmp_path: Path) -> None:
    (image,), report = read(tmp_path, coco({"bbox": [90, 70, 10.004, 10]}))
    assert image.labels[0].geometry == Box(90, 70, 10, 10)
    assert not report.problems


def test_a_polygon_partly_outside_is_clipped(tmp_path: Path) -> None:
    (image,), report = read(tmp_path, coco({"segmentation": [[90, 10, 110, 10, 110, 30, 90, 30]]}))
    geometry = image.labels[0].geometry
    assert isinstance(geometry, Polygon)
    assert geometry.bounds == (90, 10, 10, 20)
    assert geometry.area == 200
    assert only_problem(report)[1] == "partly outside the image, clipped"


def test_a_broken_outline_falls_back_to_its_box(tmp_path: Path) -> None:
    (image,), report = read(tmp_path, coco({"segmentation": [[1, 1, 5, 5]], **GOOD}))
    assert image.labels[0].geometry == Box(1, 1, 5, 5)
    assert only_problem(report)[0] == "changed"


def test_numbers_as_text_are_read(tmp_path: Path) -> None:
    (image,), report = read(tmp_path, coco({"bbox": ["1", "1.5", "5", "5"], "iscrowd": "0"}))
    assert image.labels[0].geometry == Box(1, 1.5, 5, 5)
    assert not report.problems


def test_flat_rings_and_points_as_pairs_are_read(tmp_path: Path) -> None:
    flat, pairs = [0, 0, 9, 0, 9, 9], [[[0, 0], [9, 0], [9, 9]]]
    (image,), _ = read(tmp_path, coco({"segmentation": flat}, {"segmentation": pairs}))
    assert image.labels[0].geometry == image.labels[1].geometry == Polygon((tuple(map(float, flat)),))


def test_annotations_of_an_image_that_is_not_listed(tmp_path: Path) -> None:
    _, report = read(tmp_path, coco({"image_id": 7, **GOOD}, {"image_id": 7, **GOOD}))
    assert report.counts == {(Severity.SKIPPED, "annotations of an image that is not listed"): 2}


def test_ids_used_twice(tmp_path: Path) -> None:
    images = [
        {"id": 1, "file_name": "a.jpg", "width": 100, "height": 80},
        {"id": 1, "file_name": "b.jpg", "width": 50, "height": 50},
        {"id": 2, "file_name": "a.jpg", "width": 100, "height": 80},
    ]
    categories = [{"id": 1, "name": "cell"}, {"id": 1, "name": "dirt"}]
    content = coco(GOOD, {"id": 1, "image_id": 2, "bbox": [9, 9, 5, 5]}, images=images, categories=categories)
    (image,), report = read(tmp_path, content)
    assert (image.width, [label.class_name for label in image.labels]) == (100, ["cell", "cell"])
    reasons = {reason for _, reason in report.counts}
    assert reasons == {
        "an image id is used twice, the first was kept",
        "an image is listed twice, its labels were joined",
        "a category id is used twice",
        "an annotation id is used twice, both were kept",
    }


def test_odd_categories(tmp_path: Path) -> None:
    categories = [
        {"id": 1, "name": " cell "},
        {"id": 2, "name": "cell"},
        {"id": 3},
        {"name": "none"},
        {"id": 4, "name": "pose", "keypoints": ["a", "b"], "skeleton": [[1, 2], [2, 9]]},
    ]
    (image,), report = read(tmp_path, coco(GOOD, {"category_id": 3, **GOOD}, categories=categories))
    assert [label.class_name for label in image.labels] == ["cell", "3"]
    assert [made.name for made in report.classes] == ["cell", "3", "pose"]
    assert report.classes[2].skeleton == ((0, 1),)
    assert report.count() == 5


def test_a_size_that_is_missing_is_asked_for(tmp_path: Path) -> None:
    content = coco({"bbox": [90, 1, 30, 5]}, images=[{"id": 1, "file_name": "a.jpg"}])
    (image,), report = read(tmp_path, content)
    assert image.width is None
    assert only_problem(report) == ("note", "the size of the image is unknown, nothing was clipped", "a.jpg")
    options = ReadOptions(size_of=lambda name: (100, 80) if name == "a.jpg" else None)
    (image,) = formats.read(tmp_path / "labels.json", options=options)
    assert image.labels[0].geometry == Box(90, 1, 10, 5)


_numbers = st.integers(-5, 200) | st.floats(-1e12, 1e12) | st.sampled_from([0, 1, 2, 0.5, 1e300])
_values = st.recursive(
    st.none() | st.booleans() | _numbers | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.sampled_from(["size", "counts", "id"]), inner),
    max_leaves=8,
)
_annotations = st.lists(
    st.dictionaries(
        st.sampled_from(["id", "image_id", "bbox", "segmentation", "keypoints", "score", "iscrowd"]), _values
    )
    | _values,
    max_size=4,
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(annotations=_annotations, categories=_values, image=_values)
def test_whatever_stands_in_a_file_costs_only_itself(
    tmp_path: Path, annotations: list[Any], categories: Any, image: Any
) -> None:
    content = coco(GOOD, *annotations, {"id": "last", **GOOD})
    content["images"].append(image)
    if isinstance(categories, list):
        content["categories"] += categories
    found, report = read(tmp_path, content)
    assert [label.geometry for label in found[0].labels if label.geometry == Box(1, 1, 5, 5)][:2] == [
        Box(1, 1, 5, 5)
    ] * 2
    assert sum(len(item.labels) for item in found) + report.count(Severity.SKIPPED) >= 2 + len(annotations)


# Damaged files ----------------------------------------------------------------------------------------------


def test_not_a_number_costs_only_its_annotation(tmp_path: Path) -> None:
    content = json.dumps(coco({"bbox": [1, 1, 5, float("nan")]}, GOOD))
    (image,), report = read(tmp_path, content)
    assert [label.geometry for label in image.labels] == [Box(1, 1, 5, 5)]
    assert {reason for _, reason in report.counts} == {"the file is not strict JSON", "bbox is not finite"}


def test_a_file_that_was_cut_short(tmp_path: Path) -> None:
    content = json.dumps(coco(*[GOOD] * 20, categories=None))
    head = json.dumps({"categories": [{"id": 1, "name": "cell"}]})[:-1] + ", "
    whole = head + content[1 : content.index('"categories": null')]
    (image,), report = read(tmp_path, whole[: whole.rindex('"bbox"')])
    assert len(image.labels) == 19
    assert not image.complete
    assert only_problem(report)[:2] == ("skipped", "the file is damaged or cut short, what can be read was")


def test_a_file_cut_anywhere_is_read_as_far_as_it_goes_or_refused(tmp_path: Path) -> None:
    content = json.dumps(coco(GOOD, {"segmentation": [[1, 1, 9, 1, 9, 9]]}))
    counts = []
    for end in range(len(content)):
        try:
            found, _ = read(tmp_path, content[:end], format="coco")
        except FormatError:
            continue
        counts.append(sum(len(image.labels) for image in found))
    assert counts == sorted(counts)


def test_one_broken_object_costs_only_itself(tmp_path: Path) -> None:
    content = json.dumps(coco(GOOD, GOOD, GOOD)).replace('"id": 2, "image_id"', '"id": 2 "image_id"')
    (image,), report = read(tmp_path, content)
    assert len(image.labels) == 2
    assert report.count(Severity.SKIPPED) == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_other_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(coco(GOOD, categories=[{"id": 1, "name": "Zelle ä"}]), ensure_ascii=False), encoding)
    (image,) = formats.read(path, format="coco")
    assert image.labels[0].class_name == "Zelle ä"


@pytest.mark.parametrize("content", ["", "nonsense", "[]", '{"images": 3}', "{}"])
def test_what_is_no_coco_at_all(tmp_path: Path, content: str) -> None:
    path = tmp_path / "labels.json"
    path.write_text(content)
    with pytest.raises(FormatError, match=r"labels.json: .*JSON"):
        list(formats.read(path, format="coco"))


def test_panoptic_is_refused_with_a_reason(tmp_path: Path) -> None:
    content = coco({"segments_info": []})
    with pytest.raises(FormatError, match="panoptic"):
        read(tmp_path, content)


# Folders ----------------------------------------------------------------------------------------------------


def test_a_folder_of_splits_with_its_images(tmp_path: Path) -> None:
    for split in ("train", "val"):
        image = tmp_path / "images" / split / "a.jpg"
        image.parent.mkdir(parents=True)
        image.write_bytes(b"")
        read(tmp_path, coco(GOOD), f"annotations/instances_{split}.json")
    read(tmp_path, coco({"caption": "x"}), "annotations/captions_val.json")
    report = ImportReport()
    found = list(formats.read(tmp_path, report=report))
    assert [(image.split, image.path) for image in found] == [
        ("train", tmp_path / "images/train/a.jpg"),
        ("val", tmp_path / "images/val/a.jpg"),
    ]
    assert report.counts == {(Severity.SKIPPED, "another view of the same images was not read"): 1}


def test_a_folder_of_several_views_is_refused(tmp_path: Path) -> None:
    for name in ("first.json", "second.json"):
        read(tmp_path, coco(GOOD), name)
    with pytest.raises(FormatError, match=r"first.json, second.json"):
        list(formats.read(tmp_path))


def test_a_split_may_be_named(tmp_path: Path) -> None:
    (image,), _ = read(tmp_path, coco(GOOD), "instances_val2017.json")
    assert image.split == "val"
    (image,), _ = read(tmp_path, coco(GOOD), "valid/_annotations.coco.json")
    assert image.split == "val"
    (image,), _ = read(tmp_path, coco(GOOD), "instances_val2017.json", split="other")
    assert image.split == "other"
