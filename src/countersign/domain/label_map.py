"""Label maps: which class of a project a class of a model becomes.

A map has a model's class as key and a project's as value; an empty value means that such predictions are left out, and
a class that is not in the map keeps its own name.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterable, Mapping, Sequence

from countersign.domain.errors import InvalidInput
from countersign.domain.label import Prediction

_ALIKE = 0.85  # of difflib's ratio: one wrong letter in seven; below it names are told apart


def check(label_map: Mapping[str, str]) -> dict[str, str]:
    """Return the map with its names stripped of blanks. Raises InvalidInput for an empty class of the model."""
    checked = {str(key).strip(): str(value).strip() for key, value in label_map.items()}
    if "" in checked:
        raise InvalidInput("a label map has an entry without a class of the model", remedy="Name it, or leave it out.")
    return checked


def apply(label_map: Mapping[str, str], class_name: str) -> str:
    """Return what a class of the model is called in the project, or "" where it is left out."""
    return label_map.get(class_name, class_name)


def rename(found: Iterable[Prediction], label_map: Mapping[str, str]) -> list[Prediction]:
    """Return predictions under the names of the project's classes, without those that the map leaves out."""
    named = ((apply(label_map, item.class_name), item) for item in found)
    return [dataclasses.replace(item, class_name=name) for name, item in named if name]


def suggest(model_classes: Sequence[str], project_classes: Sequence[str]) -> dict[str, str]:
    """Suggest a map by names alone: the same but for case, blanks and plural, else nearly the same, else "".

    Every class of the model is a key, in order. With no classes in the project each keeps its own name.
    """
    if not project_classes:
        return {name: name for name in model_classes}
    plain = {_plain(name): name for name in reversed(project_classes)}
    found: dict[str, str] = {}
    for name in model_classes:
        key = _plain(name)
        near = [key] if key in plain else difflib.get_close_matches(key, list(plain), n=1, cutoff=_ALIKE)
        found[name] = plain[near[0]] if near and near[0] else ""
    return found


def _plain(name: str) -> str:
    words = re.sub(r"[\W_]+", " ", name.casefold()).split()
    return " ".join(_singular(word) for word in words)


def _singular(word: str) -> str:
    if len(word) > 3 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 3 and word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
