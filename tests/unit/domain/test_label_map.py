from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.domain import label_map
from countersign.domain.errors import InvalidInput
from countersign.domain.label import Prediction

NAMES = st.lists(st.text(min_size=1).map(str.strip).filter(bool), unique=True, max_size=8)


@pytest.mark.parametrize(
    ("model", "project", "found"),
    [
        ("car", ["Car"], "Car"),
        ("traffic light", ["traffic_light"], "traffic_light"),
        ("cells", ["cell"], "cell"),
        ("berry", ["Berries"], "Berries"),
        ("benches", ["bench"], "bench"),
        ("platelet", ["Platelets", "RBC"], "Platelets"),
        ("bicycle", ["bicicle"], "bicicle"),
        ("bus", ["bu"], ""),
        ("cat", ["car"], ""),
        ("dog", ["hot dog"], ""),
    ],
)
def test_suggest__by_name_alone(model: str, project: list[str], found: str) -> None:
    assert label_map.suggest([model], project) == {model: found}


def test_suggest__nothing_to_map_to() -> None:
    assert label_map.suggest(["a", "b"], []) == {"a": "a", "b": "b"}


@given(NAMES, NAMES)
def test_suggest__every_class_has_an_entry(model: list[str], project: list[str]) -> None:
    found = label_map.suggest(model, project)
    assert list(found) == model
    assert set(found.values()) <= ({*project, ""} if project else set(model))
    for name in set(model) & set(project):
        assert label_map._plain(found[name]) == label_map._plain(name)


def test_apply() -> None:
    names = {"person": "pedestrian", "sky": ""}
    assert [label_map.apply(names, name) for name in ("person", "sky", "dog")] == ["pedestrian", "", "dog"]


def test_rename__what_is_mapped_to_nothing_is_left_out() -> None:
    found = [Prediction(name, None, 0.5, {"text": name}) for name in ("person", "sky", "dog")]

    renamed = label_map.rename(found, {"person": "pedestrian", "sky": ""})

    assert renamed == [Prediction("pedestrian", None, 0.5, {"text": "person"}), found[2]]


def test_check() -> None:
    assert label_map.check({" a ": " b", "c": " "}) == {"a": "b", "c": ""}
    with pytest.raises(InvalidInput, match="without a class"):
        label_map.check({" ": "b"})
