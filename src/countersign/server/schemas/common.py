"""What all nouns share: the base of the models, problems, geometry-free helpers."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

JsonObject: TypeAlias = dict[str, Any]

Id: TypeAlias = Annotated[int, Field(ge=1, le=2**53 - 1)]
"""A row number. JavaScript's numbers are exact up to here."""

LabelState: TypeAlias = Literal["verified", "proposed", "promoted", "rejected"]
"""What has become of a label."""


class Wire(BaseModel):
    """Base of everything that travels. A name that is not known is refused: a slip shall not go unnoticed."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class InvalidValue(Wire):
    """One value of a request that cannot be used."""

    where: str
    """Path of the value: `body.labels.0.class_name`, `query.limit`."""
    what: str
    """What is wrong with it."""


class Problem(Wire):
    """An error, as RFC 9457 has it (`application/problem+json`), with what to do about it."""

    type: str
    """A URN for the kind: `urn:countersign:not-found`."""
    title: str
    """The kind in words."""
    status: int
    """The HTTP status."""
    detail: str
    """One sentence: what happened, and to what."""
    remedy: str = ""
    """What to do about it; may be empty."""
    kind: str
    """Name of the error's class: `NotFound`, `QueryError` ..."""
    errors: list[InvalidValue] | None = None
    """For a request that does not fit its schema: each value that is wrong."""
    current: JsonObject | None = None
    """For `Outdated`: the label as it is now; null if it is gone."""
    by: str | None = None
    """For `Outdated`: who changed it; empty where that is not known."""


class Count(Wire):
    """How many."""

    count: int


class NamedCount(Wire):
    """How many have a name (a split, a tag, a class, a state)."""

    name: str
    count: int
