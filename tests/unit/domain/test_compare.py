from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.domain.compare import Difference, What, compare, match, overlaps
from countersign.domain.errors import SettingsError
from countersign.domain.geometry import Box, Polygon
from countersign.domain.label import Label

SIZE = (100, 100)


def box(name: str, x: float, y: float, size: float = 20, **more: Any) -> Label:
    return Label(name, Box(x, y, size, size), **more)


def kinds(listed: list[Difference]) -> list[str]:
    return sorted(item.what.value for item in listed)


def test_the_same_labels_do_not_differ() -> None:
    labels = [box("a", 0, 0), box("b", 50, 50), Label("day")]
    assert compare(labels, labels[::-1], size=SIZE) == []


def test_each_kind_of_difference() -> None:
    truth = [box("a", 0, 0), box("a", 40, 0), box("a", 0, 40), box("a", 40, 40)]
    found = [box("a", 0, 0), box("a", 43, 0), box("b", 0, 40), box("a", 80, 80)]
    listed = compare(found, truth, size=SIZE)
    assert kinds(listed) == ["extra", "missing", "moved", "relabelled"]
    moved = next(item for item in listed if item.what is What.MOVED)
    assert (moved.found, moved.truth) == (found[1], truth[1])
    assert moved.iou == pytest.approx(17 / 23)


def test_pairs_add_up_to_the_most_overlap() -> None:
    # Taking the best pair first (found 0 with truth 0) would leave the other two alone.
    truth = [box("a", 10, 0), box("a", 0, 0)]
    found = [box("a", 6, 0), box("a", 16, 0)]
    pairs = match(found, truth, size=SIZE, match_iou=0.5)
    assert {(pair.found, pair.truth) for pair in pairs} == {(0, 1), (1, 0)}


def test_of_two_alike_the_same_class_is_taken() -> None:
    truth = [box("a", 0, 0), box("b", 1, 0)]
    found = [box("b", 0, 0), box("a", 1, 0)]
    assert compare(found, truth, size=SIZE) == []


def test_crowds_are_neither_missing_nor_are_labels_in_them_extra() -> None:
    crowd = box("a", 0, 0, 60, attributes={"iscrowd": 1})
    assert compare([box("a", 5, 5), box("a", 30, 30)], [crowd], size=SIZE) == []
    assert kinds(compare([box("b", 5, 5)], [crowd], size=SIZE)) == ["extra"]


def test_classes_of_the_image() -> None:
    listed = compare([Label("day"), Label("wet")], [Label("night")], size=SIZE)
    assert kinds(listed) == ["extra", "relabelled"]


def test_outlines_are_compared_by_their_pixels() -> None:
    lower = Polygon(((0, 0, 40, 40, 0, 40),))
    upper = Polygon(((0, 0, 40, 0, 40, 40),))
    assert overlaps([Label("a", lower)], [Label("a", upper)], size=SIZE)[0, 0] < 0.1
    assert overlaps([Label("a", lower)], [Label("a", Box(0, 0, 40, 40))], size=SIZE)[0, 0] == 1.0


def test_a_limit_that_is_none() -> None:
    with pytest.raises(SettingsError):
        compare([], [], size=SIZE, match_iou=0.9, same_iou=0.5)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 80), st.integers(0, 80)), max_size=12), st.data())
def test_what_is_changed_is_what_is_listed(made: list[tuple[str, int, int]], data: Any) -> None:
    truth = [box(name, x, y, 10) for name, x, y in made]
    kept = [label for label in truth if data.draw(st.booleans())]
    listed = compare(kept, truth, size=SIZE, same_iou=0.5)
    # Every label stands for itself or for one just like it: only as many as were dropped can be missing.
    assert sum(item.what is What.MISSING for item in listed) == len(truth) - len(kept)
    assert not any(item.what is What.EXTRA for item in listed)
