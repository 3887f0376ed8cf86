"""Runs: one auto-labelling job as data, and the moves it may make."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypedDict

from countersign.domain.errors import InvalidInput, SettingsError, WrongState
from countersign.domain.model import Prompt, Task
from countersign.domain.query import ImageQuery


class RunState(StrEnum):
    """Where a run is. See ``MOVES``."""

    QUEUED = "queued"
    GENERATING = "generating"
    PAUSED = "paused"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    ERROR = "error"
    CANCELLED = "cancelled"


_R = RunState
MOVES: Mapping[RunState, frozenset[RunState]] = {
    _R.QUEUED: frozenset({_R.GENERATING, _R.CANCELLED, _R.ERROR}),
    _R.GENERATING: frozenset({_R.PAUSED, _R.IN_REVIEW, _R.ERROR, _R.CANCELLED}),
    _R.PAUSED: frozenset({_R.GENERATING, _R.CANCELLED, _R.ERROR}),
    _R.ERROR: frozenset({_R.QUEUED, _R.GENERATING, _R.IN_REVIEW}),
    _R.CANCELLED: frozenset({_R.QUEUED, _R.GENERATING, _R.IN_REVIEW}),
    _R.IN_REVIEW: frozenset({_R.APPROVED, _R.QUEUED}),  # queued again: to retry the images that failed
    _R.APPROVED: frozenset(),
}


def check_move(run: str, now: RunState, to: RunState) -> None:
    """Raise WrongState unless a run may go from ``now`` to ``to``."""
    if to not in MOVES[now]:
        may = ", ".join(sorted(MOVES[now])) or "nothing: it is closed"
        raise WrongState(f"The run {run!r} is {now} and cannot become {to}", remedy=f"It may become {may}.")


class ImageProgress(StrEnum):
    """What a run has done with one of its images."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


TRUTH = "ground_truth"
"""The field that verified labels go to, unless another is named."""

_FIELD_NAME = re.compile(r"[^\W\d_][\w.-]{0,63}")


def check_field_name(name: str) -> str:
    """Return the name, or raise InvalidInput: a letter first, then letters, digits, ``_ . -``, 64 at most."""
    if not _FIELD_NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} cannot name a field",
            remedy="A field's name starts with a letter and goes on with letters, digits, '_', '-' or '.', 64 in all.",
        )
    return name


class Method(StrEnum):
    """How a run comes to its labels."""

    ONE_STAGE = "one_stage"
    """The model labels whole images."""
    TWO_STAGE = "two_stage"
    """The model finds boxes, and ``refiner`` turns them into masks or poses."""
    EXISTING = "existing"
    """The boxes are those of ``boxes_field``; the model turns them into masks or poses."""


class RunOptions(TypedDict, total=False):
    """What a run may be told besides model, field, images and classes. See ``RunSpec``.

    ``prompts`` maps each text to its class ("" for a negative one). ``label_map`` None (or left out) is the one that
    the project keeps for the model.
    """

    task: Task | str | None
    method: Method | str
    refiner: str
    boxes_field: str
    prompts: Mapping[str, str]
    label_map: Mapping[str, str] | None
    masks: str


def read_options(options: RunOptions) -> dict[str, Any]:
    """Return the same as ``RunSpec`` takes them. Raises InvalidInput for a task or method that there is not."""
    values: dict[str, Any] = dict(options)
    if values.get("task"):
        values["task"] = _one_of(Task, values["task"], "task")
    if "method" in values:
        values["method"] = _one_of(Method, values["method"], "method")
    values["prompts"] = tuple(Prompt(text, name) for text, name in dict(values.get("prompts") or {}).items())
    return values


def _one_of(kind: type[StrEnum], value: str, what: str) -> StrEnum:
    try:
        return kind(value)
    except ValueError:
        raise SettingsError(what, value, ", ".join(kind)) from None


@dataclass(frozen=True, slots=True)
class RunSpec:
    """What a run shall do, settled before it starts.

    ``task`` None is the first one of the model's card. ``classes`` (the model's own words for them) empty means all
    that it knows; a zero-shot model needs some, or ``prompts``. ``label_map`` says which class of the project a class
    of the model becomes: "" leaves its labels out, one that is not in it keeps its name. ``min_confidence`` in 0..1:
    predictions below are not stored; those without a confidence are. ``settings`` are the model's own (NMS, tiling
    ...), JSON values by name. ``masks`` is a folder (a path, or any URL that fsspec knows) for masks as PNG files;
    empty keeps them in the database. ``executor`` names where it works: ``processes`` (default) or ``inline``.
    """

    model: str
    field: str
    images: ImageQuery = dataclasses.field(default_factory=ImageQuery)
    classes: tuple[str, ...] = ()
    min_confidence: float = 0.1
    name: str = ""
    workers: int = 1
    batch_size: int = 8
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    executor: str = "processes"
    task: Task | None = None
    method: Method = Method.ONE_STAGE
    refiner: str = ""
    boxes_field: str = ""
    prompts: tuple[Prompt, ...] = ()
    label_map: Mapping[str, str] = dataclasses.field(default_factory=dict)
    masks: str = ""

    def __post_init__(self) -> None:
        check_field_name(self.field)
        if self.method is Method.TWO_STAGE and not self.refiner:
            raise InvalidInput("a run in two stages needs a second model", remedy="Name one that segments from boxes.")
        if self.method is Method.EXISTING and not self.boxes_field:
            raise InvalidInput("a run over existing boxes needs their field", remedy="Name the field with the boxes.")
        if not 0.0 <= self.min_confidence <= 1.0:
            raise SettingsError("minimum confidence", self.min_confidence, "0 to 1")
        if not 1 <= self.workers <= 256:
            raise SettingsError("workers", self.workers, "1 to 256")
        if not 1 <= self.batch_size <= 1024:
            raise SettingsError("batch size", self.batch_size, "1 to 1024")


@dataclass(frozen=True, slots=True)
class Run:
    """A run as stored. Counts are of its images; ``error`` says why it stopped, if it did."""

    id: int
    project_id: int
    field_id: int
    name: str
    state: RunState
    spec: RunSpec
    created_by: str
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str = ""
    total: int = 0
    done: int = 0
    failed: int = 0
    labels: int = 0
    target_field: str = ""
    tally: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """What was mended or left out while predicting: ``clipped``, ``degenerate`` (boxes without an area) ..."""
    note: str = ""
    """Which engine computes the model, and why; or that the engines are being measured."""

    @property
    def pending(self) -> int:
        return self.total - self.done - self.failed
