"""COCO files of other programs, and how many labels of which kind are in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from countersign import formats
from countersign.domain.errors import FormatError
from countersign.domain.geometry import Kind
from countersign.formats import ImportReport

DataDir = Callable[[str], Path]
K = Kind
REAL: dict[str, tuple[str, int, dict[Kind, int]]] = {
    "instances": ("formats_datumaro/coco_dataset/coco_instances", 2, {K.BOX: 1, K.POLYGON: 1, K.MASK: 1}),
    "all tasks": ("formats_datumaro/coco_dataset/coco", 2, {K.BOX: 1, K.POLYGON: 1, K.MASK: 1}),
    "roboflow": ("formats_datumaro/coco_dataset/coco_roboflow", 2, {K.BOX: 1, K.POLYGON: 1, K.MASK: 1}),
    "mmdet": ("formats_datumaro/coco_dataset/mmdet_coco", 2, {K.BOX: 1, K.POLYGON: 1, K.MASK: 1}),
    "stuff": ("formats_datumaro/coco_dataset/coco_stuff", 2, {K.MASK: 2}),
    "whole images": ("formats_datumaro/coco_dataset/coco_labels", 2, {K.CLASSIFICATION: 3}),
    "person keypoints": ("formats_datumaro/coco_dataset/coco_person_keypoints", 2, {K.KEYPOINTS: 3}),
    "image info": ("formats_datumaro/coco_dataset/coco_image_info", 2, {}),
    "kaggle": ("formats_datumaro/kaggle_dataset/relaxed_coco", 2, {K.BOX: 2}),
    "X-AnyLabeling boxes": ("formats_xanylabeling/annotations/coco_detection.json", 13, {K.BOX: 49}),
    "X-AnyLabeling outlines": ("formats_xanylabeling/annotations/coco_instance_segmentation.json", 4, {K.POLYGON: 6}),
    "X-AnyLabeling points": ("formats_xanylabeling/annotations/coco_keypoints.json", 3, {K.KEYPOINTS: 6}),
    "17 points": ("keypoints_coco/test_coco.json", 4, {K.KEYPOINTS: 12, K.POLYGON: 2}),
    "whole body": ("keypoints_coco/test_coco_wholebody.json", 4, {K.KEYPOINTS: 12, K.POLYGON: 2}),
    "14 points": ("keypoints_coco/crowdpose/test_crowdpose.json", 2, {K.KEYPOINTS: 4, K.BOX: 1}),
    "CVAT": ("cvat_street_tiny/instances.json", 12, {K.BOX: 100}),
    "labelme": ("labelme_examples/instance_segmentation/data_dataset_coco", 3, {K.POLYGON: 12}),
}


@pytest.mark.parametrize("case", REAL)
def test_real_files(data_dir: DataDir, case: str) -> None:
    place, images, kinds = REAL[case]
    folder, _, rest = place.partition("/")
    report = ImportReport()
    found = list(formats.read(data_dir(folder) / rest, report=report))
    labels = [label for image in found for label in image.labels]
    counted = {kind: sum(label.kind is kind for label in labels) for kind in {label.kind for label in labels}}
    assert (len(found), counted) == (images, kinds)
    assert all(
        problem.reason.startswith("another view") for problem in report.problems if problem.severity == "skipped"
    )


def test_real_panoptic(data_dir: DataDir) -> None:
    with pytest.raises(FormatError, match="panoptic"):
        list(formats.read(data_dir("formats_datumaro") / "coco_dataset/coco_panoptic"))
