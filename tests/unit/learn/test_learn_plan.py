from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from learn_toys import detection_images, painted_images, settings, tagged_images, training_image

from countersign.domain import mask as masks
from countersign.domain.errors import InvalidInput
from countersign.domain.geometry import Box, Ellipse, Keypoints, Polygon
from countersign.domain.label import Label
from countersign.learn import plan as planning


def image(*labels: Label, width: int = 640, height: int = 480, **extra: Any) -> planning.TrainingImage:
    pixels = np.zeros((height // 8, width // 8, 3), np.uint8)
    return training_image(pixels, labels, width=width, height=height, **extra)


def make(images: list[planning.TrainingImage], **changes: Any) -> planning.Plan:
    return planning.make(images, (), settings(**changes))


BOX = Label("cell", Box(10, 10, 50, 50))


def test_heads_follow_the_labels() -> None:
    assert make([image(BOX)]).heads == ("detection",)
    assert make(painted_images(2)).heads == ("segmentation",)
    assert make(tagged_images(4)).heads == ("classification",)
    triangle = Label("cell", Polygon(((0.0, 0.0, 9.0, 0.0, 9.0, 9.0),)))
    assert make([image(triangle)]).heads == ("detection", "segmentation")
    assert make([image(Label("cell", Ellipse(50, 50, 20, 10)))]).heads == ("detection",)


def test_head_that_no_label_teaches_is_told() -> None:
    found = make([image(BOX)], segmentation=True)
    assert found.heads == ("detection",)
    assert any("no segmentation" in text for text in found.notices)


def test_several_masks_of_a_class_are_objects() -> None:
    spot = np.zeros((480, 640), np.bool_)
    spot[10:20, 10:20] = True
    label = Label("cell", masks.encode(spot))
    assert make([image(label, label)]).heads == ("detection", "segmentation")
    assert make([image(label)]).heads == ("segmentation",)
    assert make([image(label)], detection=True).heads == ("detection", "segmentation")


def test_mixed_kinds_train_all_heads() -> None:
    found = make([image(BOX, Label("good")), image(Label("bad"))])
    assert found.heads == ("detection", "classification")
    assert found.vocabulary.all == ("cell", "bad", "good")


@pytest.mark.parametrize(
    ("images", "changes", "reason"),
    [
        ([], {}, "no images"),
        ([image(), image()], {}, "none of the 2 images has a label"),
        ([image(Label("cat"))], {}, "nothing to tell it from"),
        ([image(BOX)], {"detection": False}, "switched off"),
        ([image(Label("man", Keypoints((1.0, 1.0, 2.0))))], {}, "keypoints"),
    ],
)
def test_nothing_to_learn_says_why(images: list[planning.TrainingImage], changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        make(images, **changes)


def test_classes_asked_for_but_not_labelled() -> None:
    found = planning.make([image(BOX)], ("nucleus", "cell"), settings())
    assert found.vocabulary.boxes == ("cell",)
    assert any("nucleus" in text for text in found.notices)
    with pytest.raises(InvalidInput, match="nucleus"):
        planning.make([image(BOX)], ("nucleus",), settings())


def test_images_without_labels_are_negatives_only_when_complete() -> None:
    assert len(make([image(BOX), image()]).train) == 2
    found = make([image(BOX), image(complete=False)])
    assert len(found.train) == 1
    assert any("left out" in text for text in found.notices)


def test_few_images_all_train_and_many_hold_some_out() -> None:
    few, many = make(detection_images(20)), make(detection_images(48))
    assert (len(few.train), len(few.held_out)) == (20, 0)
    assert (len(many.train), len(many.held_out)) == (42, 6)
    assert not {x.name for x in many.train} & {x.name for x in many.held_out}
    assert len(make(detection_images(4), held_out=True).held_out) == 1


def test_working_size_follows_the_smallest_class() -> None:
    platelet = Label("platelet", Box(10, 10, 40, 40))
    assert make([image(BOX, platelet)], image_size=416).view.longest == 320
    assert make([image(BOX, platelet)], image_size=416, fit_image_size=False).view.longest == 416
    assert make([image(Label("cell", Box(0, 0, 20, 20)))], image_size=416).view.longest == 416
    assert make([image(BOX, platelet)], image_size=416).view.canvas == (256, 320)


def test_tiny_objects_are_tiled__and_it_can_be_overridden() -> None:
    tiny = image(Label("ship", Box(100, 100, 30, 30)), width=4000, height=3000)
    found = make([tiny], image_size=416)
    assert found.view.tiled
    assert found.view.scale == 1.0
    assert any("tiles" in text for text in found.notices)
    assert not make([tiny], image_size=416, tiling="off").view.tiled
    assert make([image(BOX)], tiling="on").view.tiled


@pytest.mark.parametrize(("width", "height", "canvas"), [(640, 480, (320, 416)), (480, 640, (416, 320))])
def test_canvas(width: int, height: int, canvas: tuple[int, int]) -> None:
    assert planning.canvas_of([(height, width)], 416) == canvas
    assert planning.canvas_for(height, width, 416) == canvas
