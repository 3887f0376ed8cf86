import math

import pytest

from countersign.domain.errors import CountersignError, InvalidInput
from countersign.domain.geometry import Box, Kind
from countersign.domain.label import Label, LabelClass, LabelState, color_of


def test_label__kind_follows_the_geometry():
    assert Label("a").kind is Kind.CLASSIFICATION
    assert Label("a", Box(0, 0, 1, 1)).kind is Kind.BOX


@pytest.mark.parametrize("confidence", [-0.1, 1.1, math.nan])
def test_label__confidence_lies_between_0_and_1(confidence):
    with pytest.raises(CountersignError):
        Label("a", confidence=confidence)


def test_label__needs_a_class():
    with pytest.raises(InvalidInput):
        Label("")


def test_state__numbers_are_stored_and_stay():
    assert [(state.name, int(state)) for state in LabelState] == [
        ("VERIFIED", 0),
        ("PROPOSED", 1),
        ("PROMOTED", 2),
        ("REJECTED", 3),
    ]
    assert [int(kind) for kind in Kind] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("bad", [{"name": ""}, {"name": " a"}, {"name": "a", "skeleton": ((0, 1),)}])
def test_class__refuses_what_is_none(bad):
    with pytest.raises(InvalidInput):
        LabelClass(**bad)


def test_color_of__goes_round():
    assert color_of(0) == color_of(20)
    assert color_of(0) != color_of(1)
