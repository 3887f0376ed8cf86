from __future__ import annotations

import numpy as np
import pytest

from countersign.domain import mask as mask_tools
from countersign.domain.geometry import Box, Keypoints, Mask
from countersign.models.contract import PredictOptions
from countersign.models.parts import results

SIZE = (40, 60)
NAN = float("nan")


def test_boxes__clipped_dropped_and_counted() -> None:
    corners = [[-5, 2, 10, 10], [1, 1, 1, 9], [NAN, 0, 3, 3], [70, 5, 80, 9], [3, 4, 13, 24], [-0.2, 0, 9, 9]]
    options = PredictOptions(min_confidence=0.1)
    found = results.boxes(SIZE, corners, [0.5, 0.9, 0.9, 0.9, 0.7, 0.3], ["a"] * 6, options)
    assert [(item.geometry, item.confidence) for item in found] == [
        (Box(3, 4, 10, 20), 0.7),
        (Box(0, 2, 10, 8), 0.5),
        (Box(0, 0, 9, 9), 0.3),
    ]
    assert options.tally.counts() == {"clipped": 1, "degenerate": 3}


def test_boxes__only_what_is_asked_for_is_counted() -> None:
    options = PredictOptions(classes=("a",), min_confidence=0.5)
    corners = [[0, 0, 0, 0]] * 4
    assert results.boxes(SIZE, corners, [0.9, 0.1, NAN, 0.9], ["b", "a", "a", ""], options) == []
    assert options.tally.counts() == {}


def test_boxes__without_a_score_none_is_invented() -> None:
    found = results.boxes(SIZE, [[0, 0, 5, 5], [1, 1, 7, 7]], None, ["a", "b"], PredictOptions(min_confidence=0.9))
    assert [(item.class_name, item.confidence) for item in found] == [("a", None), ("b", None)]


def test_boxes__nothing() -> None:
    assert results.boxes(SIZE, np.zeros((0, 4)), [], [], PredictOptions()) == []
    with pytest.raises(ValueError, match="1 boxes and 2 names"):
        results.boxes(SIZE, [[0, 0, 1, 1]], [0.5], ["a", "b"], PredictOptions())


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({}, ["a", "a", "b"]),
        ({"nms": 0.5}, ["a", "b"]),
        ({"nms": 0.5, "nms_across_classes": True}, ["a"]),
        ({"max_detections": 2}, ["a", "a"]),
    ],
)
def test_boxes__suppression(settings: dict[str, object], kept: list[str]) -> None:
    corners = [[0, 0, 10, 10], [0, 0, 10, 9], [0, 1, 10, 10]]
    found = results.boxes(SIZE, corners, [0.9, 0.8, 0.7], ["a", "a", "b"], PredictOptions(settings=settings))
    assert [item.class_name for item in found] == kept


def test_masks() -> None:
    painted = np.zeros((3, *SIZE), bool)
    painted[0, 5:9, 4:8] = True
    painted[2, 1:3, 1:3] = True
    options = PredictOptions()
    found = results.masks(
        SIZE, painted, [0.4, 0.9, 0.6], ["a", "b", "c"], options, attributes=[{"n": i} for i in "xyz"]
    )
    assert [(item.class_name, item.confidence, item.attributes) for item in found] == [
        ("c", 0.6, {"n": "z"}),
        ("a", 0.4, {"n": "x"}),
    ]
    assert isinstance(found[1].geometry, Mask)
    assert (mask_tools.decode(found[1].geometry) == painted[0]).all()
    assert options.tally.counts() == {"empty": 1}
    with pytest.raises(ValueError, match="does not fit"):
        results.masks((4, 4), painted, None, ["a", "b", "c"], options)


def test_class_map__one_mask_per_class_present() -> None:
    classes = np.zeros(SIZE, np.int64)
    classes[:10] = 2
    classes[30:] = 1
    scores = np.where(classes == 2, 0.8, 0.3)
    names = ["", "sky", "road", "tree"]
    found = results.class_map(classes, names, PredictOptions(min_confidence=0.5), scores=scores)
    assert [(item.class_name, item.confidence) for item in found] == [("road", pytest.approx(0.8))]
    found = results.class_map(classes, {1: "sky", 2: "road"}, PredictOptions(classes=("sky",)))
    assert [(item.class_name, item.confidence) for item in found] == [("sky", None)]
    assert isinstance(found[0].geometry, Mask)
    assert found[0].geometry.area == 10 * 60


def test_keypoints() -> None:
    points = np.array([[[10, 10], [70, 20], [NAN, 1]], [[1, 1], [2, 2], [3, 3]]], float)
    visible = np.array([[True, True, True], [False, False, False]])
    options = PredictOptions()
    found = results.keypoints(
        SIZE, points, visible, [0.5, 0.9], ["person"] * 2, options, point_scores=np.full((2, 3), 0.25)
    )
    assert len(found) == 1
    assert found[0].geometry == Keypoints((10, 10, 2, 60, 20, 2, 0, 0, 0))
    assert found[0].attributes == {"keypoint_confidence": [0.25] * 3}
    assert options.tally.counts()["empty"] == 1
    boxed = results.keypoints(SIZE, points, visible, None, ["p", "p"], options, corners=[[1, 2, 30, 50], [0, 0, 5, 5]])
    assert boxed[0].geometry == Keypoints((10, 10, 2, 60, 20, 2, 0, 0, 0), Box(1, 2, 29, 38))


def test_whole__the_negative_prompt_ends_the_list() -> None:
    scores, names = results.best_per_class([0.1, 0.4, 0.3, 0.2], ["cat", "dog", "", "cat"])
    assert names == ["cat", "dog", ""]
    assert scores.tolist() == [0.2, 0.4, 0.3]
    options = PredictOptions(min_confidence=0.0, settings={"top": 3})
    assert [item.class_name for item in results.whole(scores, names, options)] == ["dog"]
    assert [item.class_name for item in results.whole(scores[:2], names[:2], options)] == ["dog", "cat"]
    assert results.whole(scores, names, PredictOptions(min_confidence=0.5)) == []


def test_suppress__groups_do_not_compete() -> None:
    corners = [[0, 0, 10, 10], [0, 0, 10, 10], [20, 20, 30, 30]]
    assert results.suppress(corners, [0.2, 0.9, 0.5], 0.5) == [1, 2]
    assert results.suppress(corners, [0.2, 0.9, 0.5], 0.5, ["a", "b", "a"]) == [1, 2, 0]
