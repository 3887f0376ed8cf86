"""Poses in given boxes: as the library answers, boxes of several images in one pass, thresholds, names of points."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tiny_checkpoints
from countersign.domain.geometry import Box, Keypoints
from countersign.domain.label import Prediction
from countersign.models import catalogue, registry, vocabularies
from countersign.models.contract import Pixels, PredictOptions
from countersign.models.families import pose_estimator
from countersign.models.families.pose_estimator import PoseEstimator

IMAGES: list[Pixels] = [
    np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)
    for seed, size in enumerate([(80, 60, 3), (50, 90, 3)])
]
ALL = PredictOptions(settings={"keypoint_threshold": -1e9})


@pytest.fixture(scope="module", params=["vitpose-base-simple", "vitpose-plus-base"])
def model(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> PoseEstimator:
    card = catalogue.find(request.param)
    assert card is not None
    folder = tiny_checkpoints.checkpoint(card, Path(pytestconfig.cache.mkdir("tiny")))
    found = registry.open_any(str(folder), device="cpu")
    assert isinstance(found, PoseEstimator)
    return found


def _boxes(count: int) -> list[Prediction]:
    return [Prediction("person", Box(4 + i, 3, 30 + i, 40), 0.5, {"n": i}) for i in range(count)]


def test_refine__as_the_library_answers(model: PoseEstimator) -> None:
    import torch

    (item,) = _boxes(1)
    assert isinstance(item.geometry, Box)
    inputs = model._processor(IMAGES[0], boxes=[[item.geometry.bounds]], return_tensors="pt")
    experts = {"dataset_index": torch.zeros(1, dtype=torch.long)} if model._experts > 1 else {}
    with torch.inference_mode():
        output = model._network(**inputs, **experts)
    expected = model._processor.post_process_pose_estimation(output, boxes=[[np.array(item.geometry.bounds)]])[0][0]
    (pose,) = model.refine(IMAGES[:1], [[item]], ALL)[0]
    assert isinstance(pose.geometry, Keypoints)
    points = np.array(pose.geometry.points).reshape(-1, 3)
    height, width = IMAGES[0].shape[:2]
    assert np.allclose(points[:, :2], np.clip(expected["keypoints"].numpy(), 0, (width, height)), atol=1e-2)
    assert (points[:, 2] == 2).all()
    assert pose.geometry.box == item.geometry
    assert (pose.class_name, pose.confidence, pose.attributes["n"]) == ("person", 0.5, 0)
    assert np.allclose(pose.attributes["keypoint_confidence"], np.clip(expected["scores"].numpy(), 0, 1), atol=1e-4)


def test_refine__boxes_of_several_images_in_one_pass(model: PoseEstimator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pose_estimator, "_AT_ONCE", 2)
    given = [_boxes(3), _boxes(2)]
    together = model.refine(IMAGES, given, ALL)
    assert [len(poses) for poses in together] == [3, 2]
    for image, items, poses in zip(IMAGES, given, together, strict=True):
        for item, pose in zip(items, poses, strict=True):
            (alone,) = model.refine([image], [[item]], ALL)[0]
            assert isinstance(alone.geometry, Keypoints)
            assert isinstance(pose.geometry, Keypoints)
            assert np.allclose(alone.geometry.points, pose.geometry.points, atol=1e-2)


def test_refine__points_below_the_threshold_are_not_labelled(model: PoseEstimator) -> None:
    (item,) = _boxes(1)
    assert isinstance(item.geometry, Box)
    scores = model._points(IMAGES, [(0, item, item.geometry)])[1][0]
    limit = float(np.sort(scores)[-3])
    options = PredictOptions(settings={"keypoint_threshold": limit})
    (some,) = model.refine(IMAGES[:1], [_boxes(1)], options)[0]
    assert isinstance(some.geometry, Keypoints)
    points = np.array(some.geometry.points).reshape(-1, 3)
    shown = points[:, 2] > 0
    assert 0 < shown.sum() < len(points)
    assert scores[shown].min() >= scores[~shown].max() - 1e-4
    assert (points[~shown] == 0).all()
    nobody = PredictOptions(settings={"keypoint_threshold": 1e9})
    assert model.refine(IMAGES[:1], [_boxes(2)], nobody) == [[]]
    assert nobody.tally.counts()["empty"] == 2


def test_refine__boxes_off_the_image_are_counted(model: PoseEstimator) -> None:
    options = PredictOptions(settings=ALL.settings)
    assert model.refine(IMAGES[:1], [[Prediction("person", Box(500, 2, 5, 5), 0.5)]], options) == [[]]
    assert options.tally.counts() == {"degenerate": 1}


def test_card__names_the_points(model: PoseEstimator) -> None:
    assert model.card.details["keypoint_names"] == list(vocabularies.coco_keypoints())
    assert model.card.details["needs_boxes"]
    assert len(model.card.details["skeleton"]) == len(vocabularies.COCO_SKELETON)


@pytest.mark.parametrize(
    ("given", "made"),
    [("L_Shoulder", "left_shoulder"), ("R_Eye", "right_eye"), ("Nose", "nose"), ("left_hip", "left_hip")],
)
def test_words__as_coco_writes_them(given: str, made: str) -> None:
    assert pose_estimator._words([given]) == (made,)
