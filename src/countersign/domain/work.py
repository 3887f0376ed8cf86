"""What passes between a run and its workers: images to do, their results, and how far it is. Values only."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from countersign.domain.label import Label, Prediction
from countersign.domain.query import ImageQuery
from countersign.domain.run import RunState


class Request(StrEnum):
    """What somebody asks of a run's workers. They look for it with every heartbeat."""

    NONE = ""
    PAUSE = "pause"
    CANCEL = "cancel"
    REVIEW = "review"  # stop, and go to review with what there is


@dataclass(frozen=True, slots=True)
class ClaimedImage:
    """One image that a worker has taken to do. Sizes are pixels of the upright image.

    ``given`` are the boxes that a run over existing detections starts from.
    """

    image_id: int
    path: str
    content_hash: str
    width: int
    height: int
    given: tuple[Prediction, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageResult:
    """What came of one image: its labels (may be none), or ``labels`` None and the reason why it failed."""

    image_id: int
    labels: tuple[Label, ...] | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """A process that works on a run. ``beat_at`` is when it last said that it lives."""

    run_id: int
    name: str
    pid: int
    host: str
    started_at: datetime
    beat_at: datetime


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run is. ``rate`` is images per second lately; ``eta_s`` is None while that is not known."""

    run_id: int
    state: RunState
    total: int
    done: int
    failed: int
    labels: int
    rate: float = 0.0
    eta_s: float | None = None
    workers: int = 0
    error: str = ""
    note: str = ""

    @property
    def pending(self) -> int:
        return self.total - self.done - self.failed

    @property
    def active(self) -> bool:
        """Whether it is (or will be) moving without anybody doing anything."""
        return self.state in (RunState.QUEUED, RunState.GENERATING)


class TrainingState(StrEnum):
    """Where a training is."""

    QUEUED = "queued"
    TRAINING = "training"
    DONE = "done"
    CANCELLED = "cancelled"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class TrainingSpec:
    """What a training shall do, settled before it starts.

    ``field`` holds the labels to learn from, ``images`` chooses the images. ``model`` is the name of the model to be.
    ``settings`` are the learning's own (epochs, budget ...), JSON values by name.
    """

    model: str
    field: str = "ground_truth"
    images: ImageQuery = dataclasses.field(default_factory=ImageQuery)
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    name: str = ""


@dataclass(frozen=True, slots=True)
class Training:
    """A training as stored. ``progress`` is what it last reported, JSON values by name."""

    id: int
    project_id: int
    name: str
    state: TrainingState
    spec: TrainingSpec
    created_by: str
    created_at: datetime
    progress: Mapping[str, Any] = field(default_factory=dict)
    finished_at: datetime | None = None
    model_id: int | None = None
    error: str = ""
    pid: int | None = None
    beat_at: datetime | None = None

    @property
    def active(self) -> bool:
        return self.state in (TrainingState.QUEUED, TrainingState.TRAINING)
