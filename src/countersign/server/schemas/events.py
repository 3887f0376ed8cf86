"""What the event stream tells: changes by anybody, in this process or another."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from countersign.server.schemas.common import Wire
from countersign.server.schemas.learning import Training
from countersign.server.schemas.operations import Operation
from countersign.server.schemas.projects import Change
from countersign.server.schemas.runs import Run


class ChangeEvent(Wire):
    """Labels changed. It comes again when a change goes on (an import in several steps)."""

    type: Literal["change"]
    project_id: int
    change: Change
    image_ids: list[int] | None
    """The images whose labels changed; null: many."""


class RunEvent(Wire):
    """A run moved: its state, its progress. A run that is gone is not told: its field's deletion is a change."""

    type: Literal["run"]
    project_id: int
    run: Run


class TrainingEvent(Wire):
    """A training moved."""

    type: Literal["training"]
    project_id: int
    training: Training


class OperationEvent(Wire):
    """An operation of this server moved."""

    type: Literal["operation"]
    project_id: int | None
    operation: Operation


class ImagesEvent(Wire):
    """Images of a project came, or their tags, splits or files changed."""

    type: Literal["images"]
    project_id: int
    count: int
    """How many images the project has now."""


class ListEvent(Wire):
    """A list changed: fetch it again."""

    type: Literal["projects", "models", "classes", "fields"]
    project_id: int | None


class WorkerEvent(Wire):
    """The process that predicts started, is ready, or died."""

    type: Literal["worker"]
    state: Literal["starting", "ready", "lost"]
    message: str
    project_id: None = None


class ResetEvent(Wire):
    """Events were missed (the connection was away for too long, or the server is new): fetch everything again."""

    type: Literal["reset"]
    project_id: None = None


Event: TypeAlias = Annotated[
    ChangeEvent | RunEvent | TrainingEvent | OperationEvent | ImagesEvent | ListEvent | WorkerEvent | ResetEvent,
    Field(discriminator="type"),
]
