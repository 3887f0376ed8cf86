"""Real ONNX models on real photos reach the figures known of them. Neither is part of this repository."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import real_onnx
from countersign import imaging
from countersign.domain import mask
from countersign.domain.geometry import Box, Keypoints, Mask, box_iou
from countersign.domain.label import Prediction
from countersign.domain.model import Task
from countersign.models import registry
from countersign.models.contract import BoxRefiner, Embedder, Model, PredictOptions

Open = Callable[[str], Model]


@pytest.fixture
def opened(data_dir: Callable[[str], Path], tmp_path: Path) -> Open:
    """Load one of the models, described in a folder of the test's own."""

    def open_(folder: str) -> Model:
        return registry.open_any(real_onnx.reference(data_dir("models"), folder, tmp_path))  # type: ignore[return-value]

    return open_


@pytest.fixture
def photo(data_dir: Callable[[str], Path]) -> Callable[[str], np.ndarray]:
    return lambda name: imaging.read_rgb(data_dir("coral_images") / name)


def _best(found: list[Prediction], name: str) -> list[float]:
    return [item.confidence or 0.0 for item in found if item.class_name == name]


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        (
            "yolox_nano",
            {"pets.jpg": ("dog", 0.90, 0.84), "cat_720p.jpg": ("cat", 0.80), "kite_and_cold.jpg": ("kite", 0.87)},
        ),
        ("fastestdet", {"pets.jpg": ("dog", 0.90), "hot_dog.jpg": ("hot dog", 0.89)}),
        ("yolov8n_int8", {"pets.jpg": ("dog", 0.90, 0.88)}),
    ],
)  # fmt: skip
def test_detectors__photos(
    opened: Open, photo: Callable[[str], np.ndarray], folder: str, expected: dict[str, tuple[str, ...]]
) -> None:
    model = opened(folder)
    images = [photo(name) for name in expected]
    batch = model.predict(images, PredictOptions(min_confidence=0.3))
    for image, found, (name, *scores) in zip(images, batch, expected.values(), strict=True):
        assert _best(found, name)[: len(scores)] == pytest.approx(scores, abs=0.025)
        assert found == model.predict([image], PredictOptions(min_confidence=0.3))[0]


def _truth(image: Path, names: tuple[str, ...], width: int, height: int) -> list[tuple[str, list[float]]]:
    file = Path(str(image).replace("/images/", "/labels/")).with_suffix(".txt")
    found = []
    for line in file.read_text().splitlines() if file.exists() else []:
        number, *values = line.split()
        points = np.array(values, float).reshape(-1, 2) * (width, height)
        low, high = points.min(axis=0), points.max(axis=0)
        found.append((names[int(number)], [*low, *(high - low)]))
    return found


def _hits(found: list[Prediction], truth: list[tuple[str, list[float]]]) -> int:
    """Count predictions that match an object of their class (IoU 0.5), each object once."""
    free = dict(enumerate(truth))
    hits = 0
    for item in found:
        assert item.geometry is not None
        overlaps = {
            i: float(box_iou(np.array([item.geometry.bounds]), np.array([box]))[0, 0])
            for i, (name, box) in free.items()
            if name == item.class_name
        }
        best = max(overlaps, key=lambda i: overlaps[i], default=None)
        if best is not None and overlaps[best] >= 0.5:
            hits += 1
            del free[best]
    return hits


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "precision", "recall"), [("yolox_nano", 0.74, 0.39), ("yolov8n_int8", 0.785, 0.305)]
)
def test_detectors__coco128(
    opened: Open, data_dir: Callable[[str], Path], folder: str, precision: float, recall: float
) -> None:
    model = opened(folder)
    hits = said = there = 0
    for path in sorted((data_dir("coco128_seg") / "images").rglob("*.jpg")):
        image = imaging.read_rgb(path)
        truth = _truth(path, model.card.classes, image.shape[1], image.shape[0])
        found = model.predict([image], PredictOptions(min_confidence=0.35))[0]
        hits, said, there = hits + _hits(found, truth), said + len(found), there + len(truth)
    assert hits / said == pytest.approx(precision, abs=0.02)
    assert hits / there == pytest.approx(recall, abs=0.02)


def test_segmenter__masks_of_objects(opened: Open, photo: Callable[[str], np.ndarray]) -> None:
    model = opened("yolov8n_int8")
    assert model.card.tasks == (Task.INSTANCE_SEGMENTATION, Task.DETECTION)
    assert (model.card.licence, len(model.card.classes)) == ("AGPL-3.0", 80)
    image = photo("pets.jpg")
    masks = model.predict([image], PredictOptions(min_confidence=0.5))[0]
    boxes = model.predict([image], PredictOptions(min_confidence=0.5, task=Task.DETECTION))[0]
    assert len(masks) == len(boxes) == 2
    bounds = sorted(item.geometry.bounds for item in masks)  # type: ignore[union-attr]
    given = sorted(item.geometry.bounds for item in boxes)  # type: ignore[union-attr]
    assert all(isinstance(item.geometry, Mask) for item in masks)
    assert np.diag(box_iou(np.array(bounds), np.array(given))).min() > 0.85
    for geometry in (item.geometry for item in masks):
        assert geometry is not None
        _, _, width, height = geometry.bounds
        assert 0.4 < geometry.area / (width * height) < 0.95  # a dog is no rectangle


@pytest.mark.parametrize(("name", "said", "value", "iou"), [("bird", "bird", 3, 0.88), ("dog", "dog", 0, 0.86)])
def test_semantic(
    opened: Open,
    photo: Callable[[str], np.ndarray],
    data_dir: Callable[[str], Path],
    name: str,
    said: str,
    value: int,
    iou: float,
) -> None:
    truth = np.array(Image.open(data_dir("coral_images") / f"{name}_segmentation_mask.bmp")) == value
    found = opened("deeplab_v3_voc").predict([photo(f"{name}_segmentation.bmp")], PredictOptions())[0]
    geometry = next(item.geometry for item in found if item.class_name == said)
    assert isinstance(geometry, Mask)
    painted = mask.decode(geometry)
    assert (painted & truth).sum() / (painted | truth).sum() >= iou - 0.005


def test_classifier(opened: Open, photo: Callable[[str], np.ndarray]) -> None:
    model = opened("mobilenet_v2_imagenet")
    assert len(model.card.classes) == 1000
    parrot, cat = model.predict([photo("parrot.jpg"), photo("cat.bmp")], PredictOptions())
    assert (parrot[0].class_name, parrot[0].confidence) == ("macaw", 255 / 256)
    assert cat[0].class_name == "Egyptian cat"
    assert cat[0].confidence == pytest.approx(210 / 256, abs=0.03)


@pytest.mark.slow
def test_embedder__neighbours_are_of_one_kind(opened: Open, data_dir: Callable[[str], Path]) -> None:
    model = opened("mobilenet_v1_embedding")
    assert isinstance(model, Embedder)
    paths = [path for path in sorted(data_dir("hymenoptera").rglob("*")) if path.parent.name in ("ants", "bees")]
    ants = np.array([path.parent.name == "ants" for path in paths])
    vectors = model.embed([imaging.read_rgb(path) for path in paths])
    near = vectors @ vectors.T
    np.fill_diagonal(near, -1)
    votes = ants[np.argsort(-near, axis=1)[:, :5]].mean(axis=1) > 0.5
    assert (votes == ants).mean() >= 0.87


def test_pose__within_the_boxes_of_persons(opened: Open, data_dir: Callable[[str], Path]) -> None:
    model = opened("movenet_lightning")
    assert isinstance(model, BoxRefiner)
    folder = data_dir("keypoints_coco")
    data = json.loads((folder / "test_coco.json").read_text())
    hits = points = 0
    for image in data["images"]:
        people = [a for a in data["annotations"] if a["image_id"] == image["id"] and a["num_keypoints"]]
        boxes = [Prediction("person", Box(*person["bbox"]), 1.0) for person in people]
        found = model.refine([imaging.read_rgb(folder / image["file_name"])], [boxes], PredictOptions())[0]
        by_box = {item.geometry.box: item.geometry for item in found if isinstance(item.geometry, Keypoints)}
        for person in people:
            pose = np.array(by_box[Box(*person["bbox"])].points).reshape(-1, 3)
            truth = np.array(person["keypoints"], float).reshape(-1, 3)
            off = np.linalg.norm(pose[:, :2] - truth[:, :2], axis=1) / max(person["bbox"][2:])
            hits += int((off[truth[:, 2] > 0] <= 0.1).sum())
            points += int((truth[:, 2] > 0).sum())
    assert hits / points >= 0.86


def test_pose__of_the_whole_image(data_dir: Callable[[str], Path], photo: Callable[[str], np.ndarray]) -> None:
    path = data_dir("models") / "movenet_lightning" / "movenet_single_pose_lightning_ptq.onnx"
    model = registry.load(str(path))
    assert model.card.details["described_by"] == "shapes"
    found = model.predict([photo("squat.bmp")], PredictOptions())[0]
    assert isinstance(found[0].geometry, Keypoints)
    ys = dict(zip(model.card.details["keypoint_names"], found[0].geometry.points[1::3], strict=True))
    assert ys["nose"] < ys["left_shoulder"] < ys["left_hip"] < ys["left_ankle"]


def test_faces(opened: Open, photo: Callable[[str], np.ndarray]) -> None:
    model = opened("yunet_face")
    image = photo("grace_hopper.bmp")
    found, hopper = model.predict([photo("face.jpg"), image], PredictOptions(min_confidence=0.6))
    assert found[0].confidence == pytest.approx(1.0, abs=0.005)
    assert hopper[0].confidence == pytest.approx(1.0, abs=0.005)
    pose = model.predict([image], PredictOptions(min_confidence=0.6, task=Task.POSE))[0][0].geometry
    assert isinstance(pose, Keypoints)
    xs, ys = pose.points[0::3], pose.points[1::3]
    assert xs[0] < xs[2] < xs[1]  # the nose is between the eyes
    assert max(ys[:2]) < ys[2] < min(ys[3:])  # and between eyes and mouth
