from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from learn_toys import (
    detection_images,
    discs,
    painted_images,
    settings,
    tagged_images,
    training_image,
)

from countersign.domain.errors import Cancelled, ImageError, InvalidInput, ModelError, SettingsError
from countersign.domain.geometry import Box, Mask
from countersign.domain.label import Label
from countersign.learn import evaluate
from countersign.learn.events import Event, Finished, Notice, Planned, Progress, Scored
from countersign.learn.trainer import fit
from countersign.models.contract import Model, PredictOptions, SplitModel


def test_learns_toy_detection() -> None:
    images = detection_images(8)
    events: list[Event] = []
    model = fit(images, ("red", "blue"), settings(epochs=45), on_event=events.append)
    scores = evaluate.score(model, images)
    assert scores.ap50 is not None
    assert scores.ap50 > 0.8
    assert model.card.classes == ("red", "blue")
    progress = [event for event in events if isinstance(event, Progress)]
    assert isinstance(events[-1], Finished)
    assert any(isinstance(event, Planned) for event in events)
    assert progress[-1].losses["detection"] < progress[0].losses["detection"]


def test_learns_toy_segmentation() -> None:
    images = painted_images(8)
    model = fit(images, (), settings(epochs=25))
    scores = evaluate.score(model, images)
    assert scores.mean_iou is not None
    assert scores.mean_iou > 0.75
    assert scores.background_iou is not None
    assert scores.background_iou > 0.9
    assert model.recipe.view.reflect
    assert model.recipe.flips
    for found in model.predict([images[0].load()])[0]:
        assert isinstance(found.geometry, Mask)
        assert (found.geometry.height, found.geometry.width) == (96, 96)


def test_learns_separable_classes() -> None:
    images = tagged_images(16)
    model = fit(images[:8], (), settings(epochs=10))
    assert evaluate.score(model, images[8:]).accuracy == 1.0


def test_model_keeps_the_contract() -> None:
    images = detection_images(2)
    model = fit(images, (), settings(epochs=3))
    assert isinstance(model, Model)
    assert isinstance(model, SplitModel)
    pictures = [image.load() for image in images] + [discs(9, side=64)[0][:40]]
    options = PredictOptions(min_confidence=0.01)
    together = model.predict(pictures, options)
    assert len(together) == 3
    assert together == model.predict_prepared([model.prepare(picture) for picture in pictures], options)
    for picture, found in zip(pictures, together, strict=True):
        for item in found:
            assert isinstance(item.geometry, Box)
            x0, y0, x1, y1 = item.geometry.corners
            assert 0 <= x0 < x1 <= picture.shape[1]
            assert 0 <= y0 < y1 <= picture.shape[0]
            assert item.confidence is not None
            assert item.confidence >= 0.01
    only = model.predict(pictures, PredictOptions(classes=("red",), min_confidence=0.01))
    assert {item.class_name for found in only for item in found} <= {"red"}
    assert model.predict([], options) == []
    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(lambda _: model.predict(pictures, options), range(6))) == [together] * 6


def test_bad_input_to_predict() -> None:
    model = fit(detection_images(1), (), settings(epochs=1))
    with pytest.raises(ModelError, match="uint8"):
        model.predict([np.zeros((5, 5), np.uint8)])
    with pytest.raises(SettingsError):
        model.predict([np.zeros((5, 5, 3), np.uint8)], PredictOptions(settings={"nms": 2}))


def test_cancel_keeps_what_was_learned() -> None:
    steps: list[int] = []
    events: list[Event] = []

    def cancel() -> bool:
        steps.append(1)
        return len(steps) > 5

    model = fit(detection_images(4), (), settings(epochs=500), should_cancel=cancel, on_event=events.append)
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert finished.cancelled
    assert finished.steps == 5
    assert model.card.details["outcome"]["cancelled"] is True
    assert model.predict([discs(0)[0]])


def test_cancel_at_once_is_said() -> None:
    with pytest.raises(Cancelled):
        fit(detection_images(1), (), settings(), should_cancel=lambda: True)


def test_budget_decides_how_long() -> None:
    now = [0.0]

    def clock() -> float:
        now[0] += 0.01
        return now[0]

    events: list[Event] = []
    fit(detection_images(2), (), settings(epochs=500, budget=2.0), on_event=events.append, clock=clock)
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert 1.5 < finished.elapsed_s <= 2.5
    lefts = [event.left_s for event in events if isinstance(event, Progress)]
    assert lefts == sorted(lefts, key=lambda left: -(left or 0.0))


def test_held_out_score_is_told_and_in_the_card() -> None:
    events: list[Event] = []
    model = fit(tagged_images(12), (), settings(epochs=8, held_out=True), on_event=events.append)
    scored = [event for event in events if isinstance(event, Scored)]
    assert scored
    assert model.card.scores == {"held_out_accuracy": max(event.scores["held_out_accuracy"] for event in scored)}
    assert len(model.card.details["data"]["held_out"]) == 1
    assert len(model.card.details["data"]["trained_on"]) == 11


def test_card_says_what_it_learned_from() -> None:
    model = fit(detection_images(2), (), settings(epochs=1), name="cells")
    data = model.card.details["data"]
    assert [item["sha256"] for item in data["trained_on"]] == ["hash of discs 0", "hash of discs 1"]
    assert model.card.name == "cells"
    assert model.card.scores == {}
    assert model.card.details["start"] == "random weights"
    assert model.card.details["settings"]["epochs"] == 1


def test_one_image_one_class_and_negatives() -> None:
    one = detection_images(1, colours=("red",))
    assert fit(one, (), settings(epochs=2)).card.classes == ("red",)
    empty = training_image(discs(5, count=0)[0], [], "empty")
    assert fit([*one, empty], (), settings(epochs=2)).card.classes == ("red",)


def test_many_classes() -> None:
    images = []
    for index in range(60):
        pixels, labels, _ = discs(index, count=1)
        images.append(training_image(pixels, [Label(f"class {index}", labels[0].geometry)], f"{index}"))
    assert len(fit(images, (), settings(epochs=1, batch_size=16, held_out=False)).card.classes) == 60


def test_mixed_labels_train_every_head() -> None:
    pixels, boxes, _ = discs(0)
    painted = painted_images(1)[0].labels
    images = [
        training_image(pixels, [*boxes, *painted, Label("good")], "both"),
        training_image(discs(1)[0], [Label("bad")], "tag only"),
    ]
    model = fit(images, (), settings(epochs=3))
    assert [task.value for task in model.card.tasks] == ["detection", "semantic_segmentation", "classification"]
    found = model.predict([pixels], PredictOptions(min_confidence=0.01))[0]
    assert any(item.geometry is None for item in found)


def test_unpainted_pixels_are_background_or_ignored() -> None:
    pixels, _, paint = discs(0, count=1, colours=("red",))
    half = painted_images(1, count=1, colours=("red",))[0]
    ignoring = fit([half], (), settings(epochs=8, unpainted="ignore"))
    # Nothing ever said "background": everything may be red.
    found = ignoring.predict([pixels])[0]
    assert len(found) == 1
    assert found[0].geometry is not None
    assert found[0].geometry.area > paint["red"].sum() * 1.5


def test_image_that_cannot_be_read_is_left_out() -> None:
    def broken(*, max_size: int | None = None) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        raise ImageError("lost.png", "the file is gone")

    good, lost = detection_images(2)
    lost = type(lost)("lost", "hash", broken, lost.labels, width=96, height=96)
    events: list[Event] = []
    fit([good, lost], (), settings(epochs=4), on_event=events.append)
    assert any(isinstance(event, Notice) and "lost.png" in event.text for event in events)
    with pytest.raises(InvalidInput, match="can be read"):
        fit([lost], (), settings())


def test_pretrained_weights_out_of_reach_are_told(tmp_path: object) -> None:
    events: list[Event] = []
    chosen = settings(epochs=1, pretrained=True, weights=str(tmp_path))
    model = fit(detection_images(1), (), chosen, on_event=events.append)
    notices = [event.text for event in events if isinstance(event, Notice)]
    assert any("random weights" in text for text in notices)
    assert any("random weights" in text for text in model.card.details["outcome"]["notices"])
    assert model.card.details["start"] == "random weights"


def test_unknown_backbone() -> None:
    with pytest.raises(SettingsError, match="resnet1800"):
        fit(detection_images(1), (), settings(backbone="resnet1800"))
