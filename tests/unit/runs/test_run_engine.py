from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from countersign.domain.errors import ImageError
from countersign.domain.geometry import Box
from countersign.domain.label import LabelState, Prediction
from countersign.domain.model import ModelCard, Task
from countersign.domain.work import ClaimedImage, ImageResult
from countersign.models.contract import Pixels, PredictOptions
from countersign.runs.engine import Engine, Plan

CARD = ModelCard("fake", "fake", (Task.CLASSIFICATION,), ("a", "b"))


class Shelf:
    """Images in a list, results in a list."""

    def __init__(self, count: int, broken: Sequence[int] = ()) -> None:
        self.waiting = [ClaimedImage(i, f"{i}.png", "", 4 + i % 3, 5) for i in range(count)]
        self.results: list[ImageResult] = []
        self.broken = set(broken)
        self.writes = 0
        self.failing: Exception | None = None

    def claim(self, limit: int) -> list[ClaimedImage]:
        found, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return found

    def write(self, results: Sequence[ImageResult]) -> None:
        if self.failing:
            raise self.failing
        self.writes += 1
        self.results += results

    def read(self, image: ClaimedImage) -> Pixels:
        if image.image_id in self.broken:
            raise ImageError(image.path, "it is broken")
        return np.full((image.height, image.width, 3), image.image_id % 256, np.uint8)


class Plain:
    """Says what it sees; counts batches."""

    card = CARD

    def __init__(self) -> None:
        self.batches: list[int] = []

    def predict(self, images: Sequence[Pixels], options: PredictOptions) -> list[list[Prediction]]:
        self.batches.append(len(images))
        return [self.see(int(image[0, 0, 0])) for image in images]

    def see(self, value: int) -> list[Prediction]:
        return [Prediction("a", None, 0.9), Prediction("b", Box(0, 0, 1, 1), value / 256)]


class Split(Plain):
    parallel = True

    def prepare(self, image: Pixels) -> Any:
        return int(image[0, 0, 0])

    def predict_prepared(self, prepared: Sequence[Any], options: PredictOptions) -> list[list[Prediction]]:
        self.batches.append(len(prepared))
        return [self.see(value) for value in prepared]


@settings(deadline=None, max_examples=40)
@given(
    count=st.integers(0, 60),
    broken=st.sets(st.integers(0, 59)),
    split=st.booleans(),
    batch=st.integers(1, 9),
    lanes=st.integers(1, 3),
    decoders=st.integers(1, 3),
)
def test_every_image_has_one_result(
    count: int, broken: set[int], split: bool, batch: int, lanes: int, decoders: int
) -> None:
    shelf, model = Shelf(count, list(broken)), Split() if split else Plain()
    engine = Engine(model, PredictOptions(min_confidence=0.0), shelf, shelf.read, Plan(batch, lanes, decoders))
    outcome = engine.run()
    assert sorted(result.image_id for result in shelf.results) == list(range(count))
    failed = {result.image_id for result in shelf.results if result.labels is None}
    assert failed == {index for index in broken if index < count}
    assert (outcome.done, outcome.failed, outcome.stopped) == (count - len(failed), len(failed), False)
    assert sum(model.batches) == count - len(failed)
    for result in shelf.results:
        if result.labels is None:
            assert "it is broken" in result.error
        else:
            assert [label.class_name for label in result.labels] == ["a", "b"]
            assert all(label.state is LabelState.PROPOSED for label in result.labels)


def test_full_batches_though_images_come_one_by_one() -> None:
    shelf, model = Shelf(20), Plain()
    Engine(model, PredictOptions(), shelf, shelf.read, Plan(batch_size=8)).run()
    assert model.batches == [8, 8, 4]


def test_what_was_not_asked_for_is_left_out() -> None:
    shelf = Shelf(200)
    options = PredictOptions(classes=("b",), min_confidence=0.5)
    Engine(Plain(), options, shelf, shelf.read, Plan()).run()
    kept = {result.image_id: result.labels for result in shelf.results}
    assert kept[10] == ()
    assert [label.class_name for label in kept[199] or ()] == ["b"]


def test_an_image_that_has_changed_its_size_fails() -> None:
    shelf = Shelf(3)
    shelf.waiting[1] = ClaimedImage(1, "1.png", "", 99, 5)
    Engine(
        Plain(), PredictOptions(), shelf, lambda image: np.zeros((5, 4 + image.image_id % 3, 3), np.uint8), Plan()
    ).run()
    errors = {result.image_id: result.error for result in shelf.results if result.labels is None}
    assert list(errors) == [1]
    assert "has changed: it is 5 x 5, not 99 x 5 pixels" in errors[1]


def test_stop_finishes_the_batch_in_flight() -> None:
    begun = threading.Event()

    class Slow(Plain):
        def predict(self, images: Sequence[Pixels], options: PredictOptions) -> list[list[Prediction]]:
            begun.set()
            time.sleep(0.1)
            return super().predict(images, options)

    shelf = Shelf(1000)
    engine = Engine(Slow(), PredictOptions(), shelf, shelf.read, Plan(batch_size=4))
    threading.Thread(target=lambda: (begun.wait(), engine.stop())).start()
    outcome = engine.run()
    assert outcome.stopped
    assert 4 <= len(shelf.results) < 1000
    assert len(shelf.results) == outcome.done


def test_stop_before_it_began() -> None:
    shelf = Shelf(10)
    engine = Engine(Plain(), PredictOptions(), shelf, shelf.read, Plan())
    engine.stop()
    assert engine.run().stopped
    assert shelf.results == []


@pytest.mark.parametrize("lanes", [1, 3])
def test_an_error_of_the_store_ends_it(lanes: int) -> None:
    shelf = Shelf(500)
    shelf.failing = OSError("disk full")
    with pytest.raises(OSError, match="disk full"):
        Engine(Split(), PredictOptions(), shelf, shelf.read, Plan(batch_size=1, lanes=lanes)).run()


def test_an_error_of_claiming_ends_it() -> None:
    class Bad(Shelf):
        def claim(self, limit: int) -> list[ClaimedImage]:
            raise OSError("no database")

    shelf = Bad(5)
    with pytest.raises(OSError, match="no database"):
        Engine(Plain(), PredictOptions(), shelf, shelf.read, Plan()).run()


def test_a_nonsense_answer_fails_its_image_alone() -> None:
    class Odd(Plain):
        def see(self, value: int) -> list[Prediction]:
            return [Prediction("a", None, 7.0 if value == 2 else 0.5)]

    shelf = Shelf(4)
    Engine(Odd(), PredictOptions(), shelf, shelf.read, Plan()).run()
    failed = [result for result in shelf.results if result.labels is None]
    assert [result.image_id for result in failed] == [2]
    assert "the model's answer cannot be used" in failed[0].error


def test_keyboard_interrupt_goes_up() -> None:
    class Interrupted(Plain):
        def predict(self, images: Sequence[Pixels], options: PredictOptions) -> list[list[Prediction]]:
            raise KeyboardInterrupt

    shelf = Shelf(50)
    with pytest.raises(KeyboardInterrupt):
        Engine(Interrupted(), PredictOptions(), shelf, shelf.read, Plan(batch_size=2)).run()
