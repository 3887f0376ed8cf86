from __future__ import annotations

import numpy as np
import pytest

from countersign.domain import mask
from countersign.domain.geometry import Box, Polygon
from countersign.domain.label import Label
from countersign.domain.metrics import ImageLabels, SemanticCounter, classification, detection


def box(name: str, x: float, confidence: float | None = None, **more: object) -> Label:
    return Label(name, Box(x, 10, 20, 20), confidence, attributes=more)


def image(found: list[Label], truth: list[Label], number: int = 1) -> ImageLabels:
    return ImageLabels(number, 100, 80, found, truth)


def test_detection_of_all_is_one() -> None:
    truth = [box("a", 0), box("b", 40)]
    scores = detection([image([box("a", 0, 0.9), box("b", 40, 0.8)], truth)])
    assert (scores.ap, scores.ap50, scores.ar) == (1.0, 1.0, 1.0)
    assert [(c.class_name, c.ap, c.found, c.truth) for c in scores.classes] == [("a", 1.0, 1, 1), ("b", 1.0, 1, 1)]


def test_detection_by_hand() -> None:
    """Two true objects; the surest label is wrong, the next is right, one object is not found."""
    truth = [box("a", 0), box("a", 60)]
    scores = detection([image([box("a", 30, 0.9), box("a", 0, 0.8)], truth)])
    # Precision 1/2 up to a recall of 1/2: 51 of the 101 points.
    assert scores.ap50 == pytest.approx(0.5 * 51 / 101)
    assert scores.ar == 0.5


def test_detection_at_one_overlap_only() -> None:
    found = Label("a", Box(0, 10, 20, 14), 0.5)
    scores = detection([image([found], [box("a", 0)])])  # overlap 0.7: five of the ten thresholds
    assert scores.ap == pytest.approx(0.5)
    assert (scores.ap50, scores.ap75) == (1.0, 0.0)


def test_detection_without_anything_found_or_true() -> None:
    nothing = detection([image([], [box("a", 0)])])
    assert (nothing.ap, nothing.ar, nothing.classes[0].truth) == (0.0, 0.0, 1)
    aimless = detection([image([box("a", 0, 0.5)], [])])
    assert (aimless.ap, aimless.classes[0].ap, aimless.classes[0].found) == (None, None, 1)
    assert detection([image([], [])]).classes == ()


def test_detection_leaves_crowds_alone() -> None:
    crowd = Label("a", Box(40, 0, 60, 80), attributes={"iscrowd": 1})
    found = [box("a", 0, 0.5), box("a", 50, 0.9), box("a", 70, 0.95)]
    scores = detection([image(found, [box("a", 0), crowd])])
    assert scores.ap == 1.0
    assert scores.classes[0].truth == 1


def test_detection_of_masks() -> None:
    lower, upper = Polygon(((0, 0, 40, 40, 0, 40),)), Polygon(((0, 0, 40, 0, 40, 40),))
    items = [image([Label("a", lower, 0.5)], [Label("a", upper)])]
    assert detection(items).ap == 1.0
    assert detection(items, overlap="mask").ap == 0.0


def test_semantic_sums_pixels_over_images() -> None:
    def painted(left: int, right: int) -> Label:
        array = np.zeros((80, 100), np.bool_)
        array[:, left:right] = True
        return Label("cell", mask.encode(array))

    counter = SemanticCounter()
    counter.add(image([painted(0, 10), painted(5, 20)], [painted(0, 40)]))
    counter.add(image([], [painted(0, 10)]))
    counter.add(image([], [Label("other", Box(0, 0, 10, 10))]))
    scores = counter.scores()
    assert scores.iou == {"cell": pytest.approx(20 / 50), "other": 0.0}
    assert scores.mean_iou == pytest.approx(0.2)
    assert SemanticCounter().scores().mean_iou is None


def test_classification() -> None:
    items = [
        image([Label("ant", confidence=0.4), Label("bee", confidence=0.6)], [Label("bee")]),
        image([Label("ant")], [Label("bee")]),
        image([], [Label("ant")]),
        image([Label("ant")], []),
    ]
    scores = classification(items)
    assert scores.accuracy == pytest.approx(1 / 3)
    assert scores.images == 3
    assert scores.classes == ("ant", "bee", "")
    assert scores.confusion == ((0, 0, 1), (1, 1, 0), (0, 0, 0))
