"""Image queries as the text that ``domain.query.parse`` reads, and without their label filter."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterable

from countersign.domain.query import ImageQuery, LabelFilter


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
