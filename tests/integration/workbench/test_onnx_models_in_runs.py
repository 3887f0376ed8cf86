"""Real ONNX models label real photos in a run, and are measured against what people drew. Neither is part of this
repository.

The model's words for classes are not the project's: a label map translates.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import real_onnx
from countersign.domain.geometry import Box, Keypoints, Mask
from countersign.domain.label import Label
from countersign.domain.mask import encode
from countersign.domain.model import Task
from countersign.domain.run import Method, Run, RunState
from countersign.models import vocabularies
from countersign.workbench.project import Project
from countersign.workbench.workspace import open_workspace

DataDir = Callable[[str], Path]
DARKNET = {
    "motorbike": "motorcycle", "aeroplane": "airplane", "sofa": "couch", "pottedplant": "potted plant",
    "diningtable": "dining table", "tvmonitor": "tv",
}  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with open_workspace(tmp_path / "workspace", user="anna") as workspace:
        yield workspace.create_project("photos")


def _check(run: Run, project: Project, model: str, images: int) -> None:
    """The run is through, and its labels say which model with which weights made them."""
    assert (run.state, run.done, run.failed) == (RunState.IN_REVIEW, images, 0)
    label = next(label for labels in project.labels(run.spec.field).values() for label in labels)
    assert label.provenance is not None
    assert (label.provenance.model, label.provenance.run_id) == (model, run.id)
    file = Path(model.partition("?")[0])
    assert label.provenance.weights_hash == hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.slow
def test_boxes__average_precision(project: Project, data_dir: DataDir, tmp_path: Path) -> None:
    data, model = data_dir("coco128_seg"), real_onnx.reference(data_dir("models"), "yolox_nano", tmp_path)
    names = "".join(f"  {i}: {name}\n" for i, name in enumerate(vocabularies.coco()))
    truth = tmp_path / "truth"
    truth.mkdir()
    for name in ("images", "labels"):
        (truth / name).symlink_to(data / name)
    (truth / "data.yaml").write_text(f"path: .\ntrain: images/train2017\nval: images/train2017\nnames:\n{names}")
    project.import_images(data / "images")
    project.import_labels(truth, format="yolo")
    project.set_label_map(model, DARKNET | {"person": "person"})
    run = project.run(model, "auto", executor="inline", min_confidence=0.01)
    _check(run, project, model, 128)
    found = {label.class_name for labels in project.labels("auto").values() for label in labels}
    assert found <= set(vocabularies.coco())
    assert {"motorcycle", "couch", "tv"} <= found
    scores = project.evaluate("auto")
    assert scores.boxes is not None
    assert scores.images == 126  # two have no label
    assert scores.boxes.ap == pytest.approx(0.325, abs=0.01)
    assert scores.boxes.ap50 == pytest.approx(0.50, abs=0.015)


def test_masks__of_classes(project: Project, data_dir: DataDir, tmp_path: Path) -> None:
    data, model = data_dir("coral_images"), real_onnx.reference(data_dir("models"), "deeplab_v3_voc", tmp_path)
    drawn = {}
    for name, ours, value in (("bird", "bird", 3), ("dog", "pet", 0)):
        project.import_images(data / f"{name}_segmentation.bmp")
        painted = np.array(Image.open(data / f"{name}_segmentation_mask.bmp")) == value
        drawn[f"{name}_segmentation.bmp"] = [Label(ours, encode(painted))]
    project.add_labels(drawn)
    words = dict.fromkeys(vocabularies.voc(), "")
    run = project.run(
        model, "auto", executor="inline", task=Task.SEMANTIC_SEGMENTATION,
        label_map=words | {"bird": "bird", "dog": "pet"},
    )  # fmt: skip
    _check(run, project, model, 2)
    labels = [label for found in project.labels("auto").values() for label in found]
    assert {label.class_name for label in labels} == {"bird", "pet"}
    assert all(isinstance(label.geometry, Mask) for label in labels)
    scores = project.evaluate("auto")
    assert scores.semantic is not None
    assert scores.semantic.iou == pytest.approx({"bird": 0.88, "pet": 0.87}, abs=0.01)
    assert scores.masks is not None
    assert (scores.masks.ap50, scores.masks.ap75) == (1.0, 1.0)


def test_poses__in_the_boxes_of_persons(project: Project, data_dir: DataDir, tmp_path: Path) -> None:
    data, model = data_dir("keypoints_coco"), real_onnx.reference(data_dir("models"), "movenet_lightning", tmp_path)
    project.import_images(data)
    project.import_labels(data / "test_coco.json")
    truth = project.labels("ground_truth")
    boxes = {
        name: [Label("person", _pose(label).box) for label in found if _posed(label)] for name, found in truth.items()
    }
    project.add_labels(boxes, field="boxes")
    run = project.run(
        model,
        "auto",
        executor="inline",
        method=Method.EXISTING,
        boxes_field="boxes",
        task=Task.POSE,
        label_map={"person": "runner"},
    )
    _check(run, project, model, run.done)
    hits = points = 0
    poses = project.labels("auto")
    for name, found in truth.items():
        by_box = {_pose(label).box: label for label in poses[name]}
        for label in filter(_posed, found):
            right, count = _near(_pose(by_box[_pose(label).box]), _pose(label))
            hits, points = hits + right, points + count
            assert by_box[_pose(label).box].class_name == "runner"
    assert points == 181
    assert hits / points == pytest.approx(0.867, abs=0.01)


def _posed(label: Label) -> bool:
    return isinstance(label.geometry, Keypoints)


def _pose(label: Label) -> Keypoints:
    assert isinstance(label.geometry, Keypoints)
    return label.geometry


def _near(found: Keypoints, truth: Keypoints) -> tuple[int, int]:
    """Count points of the truth that were found within a tenth of the box's longer side, and all of them."""
    assert isinstance(truth.box, Box)
    seen, right = np.array(found.points).reshape(-1, 3), np.array(truth.points).reshape(-1, 3)
    off = np.linalg.norm(seen[:, :2] - right[:, :2], axis=1) / max(truth.box.width, truth.box.height)
    return int((off[right[:, 2] > 0] <= 0.1).sum()), int((right[:, 2] > 0).sum())
