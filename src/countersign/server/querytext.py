"""Image queries as they come and go: in words or in JSON, and without their label filter."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from countersign.domain.errors import QueryError
from countersign.domain.query import ImageQuery, LabelFilter, parse

_Id = Annotated[int, Field(ge=1, le=2**53 - 1)]


class _Labels(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    field: str = ""
    classes: list[str] = []
    min_confidence: float | None = None
    max_confidence: float | None = None
    states: list[Literal[0, 1, 2, 3]] = []


class _Query(BaseModel):
    """What ``ImageQuery.to_data`` returns, to check what strangers send before it meets the database."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str = ""
    ids: list[_Id] | None = None
    names: list[str] | None = None
    splits: list[str] = []
    tags: list[str] = []
    without_tags: list[str] = []
    labels: _Labels | None = None
    has_labels_in: list[str] = []
    no_labels_in: list[str] = []
    file: Literal["ok", "missing"] | None = None


def read(text: str) -> ImageQuery:
    """Read a query in words, or one in JSON, which begins with a brace. Raises QueryError."""
    if not text.lstrip().startswith("{"):
        found = parse(text)
        if found.ids and not all(1 <= number < 2**53 for number in found.ids):
            raise QueryError("an id in the query is none", remedy="Ids are whole numbers from 1 on.")
        return found
    try:
        data = _Query.model_validate_json(text).model_dump(exclude_unset=True, exclude_none=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the query"
        raise QueryError(f"this is no image query: {where}: {first['msg']}") from error
    return ImageQuery.from_data(data)


def to_text(query: ImageQuery) -> str:
    """Return a query in words. Names with commas, which words cannot say, are left as they are."""
    terms: list[str] = []
    if query.text:
        terms.append(f"text~{query.text}")
    for key, values in (
        ("name", query.names), ("id", query.ids), ("split", query.splits), ("tag", query.tags),
        ("-tag", query.without_tags), ("has", query.has_labels_in), ("-has", query.no_labels_in),
    ):  # fmt: skip
        if values:
            terms.append(f"{key}={_joined(values)}")
    if query.file is not None:
        terms.append(f"file={query.file.value}")
    return " ".join(shlex.quote(term) for term in [*terms, *_of_labels(query.labels)])


def _of_labels(labels: LabelFilter) -> list[str]:
    found = []
    if labels.field:
        found.append(f"field={labels.field}")
    if labels.classes:
        found.append(f"class={_joined(labels.classes)}")
    if not labels.any_confidence:
        low = "" if labels.min_confidence is None else f"{labels.min_confidence:g}"
        high = "" if labels.max_confidence is None else f"{labels.max_confidence:g}"
        found.append(f"confidence={low}..{high}")
    if labels.states:
        found.append(f"state={_joined(state.name.lower() for state in labels.states)}")
    return found


def _joined(values: Iterable[object]) -> str:
    return ",".join(str(value) for value in values)


def without_labels(query: ImageQuery) -> ImageQuery | None:
    """Return the same query without its label filter; None if nothing is left of it."""
    left = dataclasses.replace(query, labels=LabelFilter())
    return None if left.empty else left
