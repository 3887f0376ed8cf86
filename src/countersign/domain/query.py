"""Image queries as data: which images of a project. The store turns them into SQL.

A query is a conjunction. As text (for a command line or an address bar) it is a list of terms::

    text~part of the name   name=folder/a.jpg   id=1,2,3   split=train   tag=night   -tag=blurry
    field=yolo_run   class=RBC,WBC   confidence=0.3..0.7   state=proposed   has=ground_truth   -has=ground_truth
    file=missing

Terms are separated by blanks; a value with blanks stands in double quotes. ``field`` with ``class``, ``confidence``
and ``state`` asks for images with at least one label in that field that fits all of them.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from countersign.domain.errors import QueryError
from countersign.domain.image import ImageState
from countersign.domain.label import LabelState


@dataclass(frozen=True, slots=True)
class LabelFilter:
    """Labels of one field. Empty tuples and None do not filter; the confidence range includes both its ends.

    Once either end of the range is set, a label without a confidence does not fit.
    """

    field: str = ""
    classes: tuple[str, ...] = ()
    min_confidence: float | None = None
    max_confidence: float | None = None
    states: tuple[LabelState, ...] = ()

    def __post_init__(self) -> None:
        low, high = self.min_confidence, self.max_confidence
        for value in (low, high):
            if value is not None and not 0.0 <= value <= 1.0:
                raise QueryError(f"a confidence lies between 0 and 1, not {value}")
        if low is not None and high is not None and low > high:
            raise QueryError(f"the lowest confidence, {low}, is above the highest, {high}")

    @property
    def empty(self) -> bool:
        return not (self.field or self.classes or self.states) and self.any_confidence

    @property
    def any_confidence(self) -> bool:
        return self.min_confidence is None and self.max_confidence is None


@dataclass(frozen=True, slots=True)
class ImageQuery:
    """Which images. Everything given must hold; an empty query means all images of the project.

    ``names`` match an image's name, its path, or the last part of either, with or without the file's ending.
    """

    text: str = ""
    ids: tuple[int, ...] | None = None
    names: tuple[str, ...] | None = None
    splits: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    without_tags: tuple[str, ...] = ()
    labels: LabelFilter = LabelFilter()
    has_labels_in: tuple[str, ...] = ()
    no_labels_in: tuple[str, ...] = ()
    file: ImageState | None = None

    def __post_init__(self) -> None:
        if (self.labels.classes or self.labels.states or not self.labels.any_confidence) and not self.labels.field:
            raise QueryError("class, confidence and state need a field", remedy="Add field=NAME to the query.")

    @property
    def empty(self) -> bool:
        return self == ImageQuery()

    def to_data(self) -> dict[str, Any]:
        """Return JSON values from which ``from_data`` makes an equal query."""
        data: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name == "labels":
                if not value.empty:
                    data["labels"] = {
                        part.name: list(found) if isinstance(found, tuple) else found
                        for part in fields(value)
                        if (found := getattr(value, part.name)) not in ((), None, "")
                    }
            elif value is not None and value != item.default:
                data[item.name] = list(value) if isinstance(value, tuple) else value
        return data

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> ImageQuery:
        """Make a query of what ``to_data`` returned. Raises QueryError for anything else."""
        try:
            values = dict(data)
            labels = dict(values.pop("labels", {}))
            if "states" in labels:
                labels["states"] = tuple(LabelState(state) for state in labels["states"])
            if "classes" in labels:
                labels["classes"] = tuple(labels["classes"])
            if values.get("file") is not None:
                values["file"] = ImageState(values["file"])
            values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
            return cls(labels=LabelFilter(**labels), **values)
        except (TypeError, ValueError) as error:
            raise QueryError(f"this is no image query: {error}") from error


def parse(text: str) -> ImageQuery:
    """Read a query written as terms (see the module). Raises QueryError that names the term."""
    try:
        terms = shlex.split(text)
    except ValueError as error:
        raise QueryError(f"the query {text!r} has a quote that does not end") from error
    query = ImageQuery()
    labels: dict[str, Any] = {}
    for term in terms:
        key, sep, value = term.partition("=")
        if key.startswith("text~") or (not sep and "~" in term):
            key, _, value = term.partition("~")
        elif not sep:
            key, value = "text", term
        if not value:
            raise QueryError(f"the term {term!r} has no value", remedy=_HELP)
        query = _apply(query, labels, term, key, value)
    return replace(query, labels=LabelFilter(**labels)) if labels else query


_HELP = (
    "Terms are text~PART, name=, id=, split=, tag=, -tag=, field=, class=, confidence=LOW..HIGH, state=, "
    "has=, -has=, file=."
)


def _split(value: str) -> tuple[str, ...]:
    return tuple(part for part in value.split(",") if part)


def _state(value: str) -> LabelState:
    try:
        return LabelState[value.upper()]
    except KeyError:
        known = ", ".join(state.name.lower() for state in LabelState)
        raise QueryError(f"there is no label state {value!r}", remedy=f"States are {known}.") from None


def _range(value: str) -> dict[str, float]:
    low, dots, high = value.partition("..")
    try:
        found = {"min_confidence": float(low)} if low else {}
        if high or not dots:
            found["max_confidence"] = float(high or low)
    except ValueError:
        raise QueryError(f"{value!r} is no range of confidence", remedy="Write it as 0.3..0.7.") from None
    return found


_LABEL_TERMS: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "field": lambda value: {"field": value},
    "class": lambda value: {"classes": _split(value)},
    "state": lambda value: {"states": tuple(_state(part) for part in _split(value))},
    "confidence": _range,
}
_IMAGE_TERMS: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "text": lambda value: {"text": value},
    "name": lambda value: {"names": _split(value)},
    "id": lambda value: {"ids": tuple(int(part) for part in _split(value))},
    "split": lambda value: {"splits": _split(value)},
    "tag": lambda value: {"tags": _split(value)},
    "-tag": lambda value: {"without_tags": _split(value)},
    "has": lambda value: {"has_labels_in": _split(value)},
    "-has": lambda value: {"no_labels_in": _split(value)},
    "file": lambda value: {"file": ImageState(value)},
}


def _apply(query: ImageQuery, labels: dict[str, Any], term: str, key: str, value: str) -> ImageQuery:
    if key in _LABEL_TERMS:
        labels.update(_LABEL_TERMS[key](value))
        return query
    if key not in _IMAGE_TERMS:
        raise QueryError(f"the term {term!r} is not known", remedy=_HELP)
    try:
        return replace(query, **_IMAGE_TERMS[key](value))
    except ValueError:
        raise QueryError(f"the term {term!r} cannot be read", remedy=_HELP) from None
