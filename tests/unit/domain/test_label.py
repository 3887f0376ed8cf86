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


def test_color_of__differs_and_can_be_told_from_light_and_dark():
    colors = [color_of(index) for index in range(60)]
    assert len(set(colors)) == 60
    for color in colors:
        linear = [(int(color[i : i + 2], 16) / 255) ** 2.2 for i in (1, 3, 5)]
        luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        assert 1.05 / (luminance + 0.05) > 2.5, color
        assert (luminance + 0.05) / 0.058 > 2.5, color  # on the dark page
    assert color_of(3, taken=(color_of(3), color_of(4))) == color_of(5)
