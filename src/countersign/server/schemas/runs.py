"""Runs: auto-labelling jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import Field

from countersign.server.schemas.common import JsonObject, Wire
from countersign.server.schemas.images import ImageTarget
from countersign.server.schemas.learning import Prompt, Task

Method: TypeAlias = Literal["one_stage", "two_stage", "existing"]
RunState: TypeAlias = Literal["queued", "generating", "paused", "in_review", "approved", "error", "cancelled"]


class RunProgress(Wire):
    """How far a run is, in images."""

    total: int
    done: int
    failed: int
    pending: int
    labels: int
    rate: float
    """Images per second lately; 0 while that is not known."""
    eta_s: float | None
    workers: int


class Run(Wire):
    """One auto-labelling job."""

    id: int
    project_id: int
    name: str
    state: RunState
    field: str
    field_id: int
    model: str
    """Empty for a field that was taken for review without a model."""
    classes: list[str]
    """Empty: all that the model knows."""
    min_confidence: float
    settings: JsonObject
    images: JsonObject
    """Which images, as a query in JSON."""
    workers: int
    batch_size: int
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str
    target_field: str
    """Where its labels were approved into."""
    task: Task | None
    method: Method
    refiner: str
    """The second of two stages."""
    boxes_field: str
    prompts: list[Prompt]
    label_map: dict[str, str]
    masks: str
    """Where masks go as files; empty: they are in the database."""
    tally: dict[str, int]
    """What was mended or left out: `clipped`, `degenerate`, `empty` ..."""
    note: str
    """Which engine computes the model, and why; or that the engines are being measured."""
    progress: RunProgress
    actions: list[Literal["pause", "resume", "cancel", "skip", "retry", "review", "approve"]]
    """What may be done with it now."""


class RunList(Wire):
    """The runs of a project, the newest first."""

    items: list[Run]


class RunCreate(ImageTarget):
    """What a run shall do."""

    model: str = Field(min_length=1, max_length=500, examples=["cells-1"])
    """A model of the workspace, a path of one, or a family's: `timm:resnet18`."""
    field: str = Field(min_length=1, max_length=64, examples=["auto_1"])
    """A new field: a run never writes into one that is there."""
    classes: list[str] = Field(default_factory=list, max_length=10_000)
    min_confidence: float = Field(default=0.1, ge=0, le=1)
    name: str = Field(default="", max_length=200)
    workers: int = Field(default=1, ge=1, le=256)
    batch_size: int = Field(default=8, ge=1, le=1024)
    settings: JsonObject = Field(default_factory=dict)
    """The model's own: `{"nms": 0.4}`."""
    task: Task | None = None
    """Null: the first that the model does."""
    method: Method = "one_stage"
    """`two_stage`: the boxes of `model` go to `refiner`; `existing`: those of `boxes_field` go to `model`."""
    refiner: str = Field(default="", max_length=500)
    boxes_field: str = Field(default="", max_length=64)
    prompts: list[Prompt] = Field(default_factory=list, max_length=10_000)
    """For a zero-shot model; none: each class is its own."""
    label_map: dict[str, str] | None = None
    """Class of the model -> class of the project, empty leaves it out; null: the project's map for this model."""
    masks: str = Field(default="", max_length=4000)
    """A folder or URL for masks as PNG files; empty keeps them in the database."""


class RunUpdate(Wire):
    """Another name for a run."""

    name: str = Field(min_length=1, max_length=200)


class RunAdopt(Wire):
    """The field to take for review."""

    field: str = Field(min_length=1, max_length=64)


class Failure(Wire):
    """An image that a run could not label."""

    image_id: int
    name: str
    reason: str


class FailurePage(Wire):
    """Some failures, by image."""

    items: list[Failure]
    next: str | None
