"""Clicks: the image is looked at once, points refine each other, what was answered is answered again at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from countersign.domain.errors import InvalidInput, ModelError
from countersign.domain.geometry import Box
from countersign.domain.mask import area
from countersign.domain.model import ModelCard, Task
from countersign.models.contract import Clicks, Pixels, Segment
from countersign.runs import segmenting
from countersign.runs.segmenting import Cutter

IMAGE: Pixels = np.zeros((20, 30, 3), np.uint8)


class Counting:
    """Paints as many columns as there were masks before this one, and counts what it is asked."""

    def __init__(self, *, refines: bool = True) -> None:
        self.looks = 0
        self.asked: list[Clicks] = []
        self._refines = refines

    @property
    def card(self) -> ModelCard:
        return ModelCard("counting", "counting", (Task.PROMPTED_SEGMENTATION,), ())

    def encode(self, image: Pixels) -> Any:
        self.looks += 1
        return image

    def segment(self, encoded: Any, prompts: Sequence[Clicks]) -> list[Segment]:
        return [self._one(encoded, prompt) for prompt in prompts]

    def _one(self, image: Pixels, prompt: Clicks) -> Segment:
        self.asked.append(prompt)
        before = 0 if prompt.logits is None else int(prompt.logits[0])
        mask = np.zeros(image.shape[:2], bool)
        mask[:, : before + 1] = True
        return Segment(mask, 0.5, np.array([before + 1], np.float32) if self._refines else None)


def _points(count: int) -> Clicks:
    return segmenting.clicks([(i % 30, i // 30, i % 2 == 0) for i in range(count)], None, 30, 20)


def _columns(cutter: Cutter, asked: Clicks, key: object = "image") -> float:
    mask = cutter.cut(key, lambda: IMAGE, asked).mask
    assert mask is not None
    return area(mask) / 20


def test_cut__one_look_for_all_clicks() -> None:
    model = Counting()
    cutter = Cutter(model)
    first = cutter.cut("image", lambda: IMAGE, _points(1))
    second = cutter.cut("image", lambda: pytest.fail("it was read again"), _points(2))
    assert (first.looked, second.looked) == (True, False)
    assert (model.looks, len(model.asked)) == (1, 2)
    assert not cutter.look("image", lambda: IMAGE)
    assert cutter.look("another", lambda: IMAGE)


def test_cut__one_by_one_as_all_at_once() -> None:
    slowly, at_once = Cutter(Counting()), Cutter(Counting())
    assert [_columns(slowly, _points(count)) for count in (1, 2, 3)] == [1, 2, 3]
    assert _columns(at_once, _points(3)) == 3
    model = slowly.model
    assert isinstance(model, Counting)
    asked = len(model.asked)
    assert _columns(slowly, _points(2)) == 2  # the last point was taken back
    assert len(model.asked) == asked


def test_cut__a_box_comes_before_its_points() -> None:
    model = Counting()
    _columns(Cutter(model), segmenting.clicks([(1, 1, True)], Box(0, 0, 5, 5), 30, 20))
    assert [(len(prompt.points), prompt.box is not None) for prompt in model.asked] == [(0, True), (1, True)]


def test_cut__without_logits_only_what_is_asked() -> None:
    model = Counting(refines=False)
    cutter = Cutter(model)
    _columns(cutter, _points(1))
    assert _columns(cutter, _points(5)) == 1
    assert [len(prompt.points) for prompt in model.asked] == [1, 5]


def test_cut__the_last_images_are_kept() -> None:
    model = Counting()
    cutter = Cutter(model)
    for key in range(20):
        _columns(cutter, _points(1), key)
    assert model.looks == 20
    _columns(cutter, _points(1), 19)
    _columns(cutter, _points(1), 15)
    assert model.looks == 20
    _columns(cutter, _points(1), 0)
    assert model.looks == 21
    assert len(cutter._seen) == segmenting._KEPT_IMAGES


def test_cut__many_answers_for_one_image() -> None:
    cutter = Cutter(Counting())
    for x in range(100):
        cutter.cut("image", lambda: IMAGE, segmenting.clicks([(x / 4, 1, True)], None, 30, 20))
    assert len(cutter._seen["image"].answers) == segmenting._KEPT_ANSWERS
    assert _columns(cutter, _points(150)) == 30  # as many columns as there are, though each step is one more


def test_cut__an_error_leaves_nothing_behind() -> None:
    cutter = Cutter(Counting())

    def broken() -> Pixels:
        raise ModelError("no picture")

    with pytest.raises(ModelError, match="no picture"):
        cutter.cut("image", broken, _points(1))
    assert cutter.cut("image", lambda: IMAGE, _points(1)).looked


def test_cut__a_model_without_an_answer() -> None:
    class Silent(Counting):
        def segment(self, encoded: Any, prompts: Sequence[Clicks]) -> list[Segment]:
            return []

    with pytest.raises(ModelError, match="'counting' has no answer"):
        Cutter(Silent()).cut("image", lambda: IMAGE, _points(1))


@pytest.mark.parametrize(
    ("points", "box", "what"),
    [
        ([], None, "Nothing was pointed at"),
        ([(31, 5, True)], None, "is not on the image"),
        ([(float("nan"), 5, True)], None, "is not on the image"),
        ([], Box(40, 40, 5, 5), "box is not on the image"),
        ([(1, 1, True)] * 201, None, "too many"),
    ],
)
def test_clicks__what_is_wrong(points: list[tuple[float, float, bool]], box: Box | None, what: str) -> None:
    with pytest.raises(InvalidInput, match=what):
        segmenting.clicks(points, box, 30, 20)


def test_clicks__a_box_is_clipped() -> None:
    assert segmenting.clicks([], Box(-5, 10, 20, 50), 30, 20).box == Box(0, 10, 15, 10)


def test_as_segmenter() -> None:
    assert segmenting.as_segmenter(model := Counting(), "counting") is model
    with pytest.raises(ModelError, match="cuts out nothing"):
        segmenting.as_segmenter(object(), "other")
