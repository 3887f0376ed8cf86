"""What became of a batch of edits, and how that is kept under the batch's key. What an edit does is not known here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from countersign.domain import errors
from countersign.domain.errors import CountersignError, Outdated


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an operation. ``error`` is None if it was done."""

    label_id: int | None
    client_id: str
    error: CountersignError | None = None


@dataclass(frozen=True, slots=True)
class Edited:
    """What became of a batch: an outcome for every operation, the changes it made, whether it had come before."""

    outcomes: list[Outcome]
    changes: list[int]
    replayed: bool = False


def kept(done: Edited) -> dict[str, Any]:
    """Return what is stored under a key."""
    return {
        "changes": done.changes,
        "outcomes": [
            [
                item.label_id,
                item.client_id,
                item.error and [type(item.error).__name__, item.error.what, item.error.remedy, _by(item.error)],
            ]
            for item in done.outcomes
        ],
    }


def replayed(answer: Mapping[str, Any]) -> Edited:
    """Return what ``kept`` made JSON values of."""
    outcomes = [
        Outcome(label_id, client_id, _error_of(*error) if error else None)
        for label_id, client_id, error in answer["outcomes"]
    ]
    return Edited(outcomes, list(answer["changes"]), replayed=True)


def _by(error: CountersignError) -> str:
    return error.by if isinstance(error, Outdated) else ""


def _error_of(kind: str, what: str, remedy: str, by: str = "") -> CountersignError:
    made: CountersignError = getattr(errors, kind).__new__(getattr(errors, kind))
    made.__dict__.update(what=what, remedy=remedy, **({"current": None, "by": by} if kind == "Outdated" else {}))
    made.args = (what, remedy)
    return made
