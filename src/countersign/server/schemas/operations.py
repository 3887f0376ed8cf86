"""Long work that the server does itself: imports, exports, measurements; and uploads for them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from countersign.server.schemas.common import JsonObject, LabelState, Problem, Wire
from countersign.server.schemas.images import ImageTarget


class Operation(Wire):
    """A piece of long work. Follow it here or by the events; the newest 200 are remembered."""

    id: str
    project_id: int | None
    """Null for work on what all projects share: `pull`, `check` of models."""
    kind: Literal["import", "export", "evaluate", "compare", "ask", "pull", "check"]
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    title: str
    """What it does, in words."""
    stage: str
    """What it is at: `images`, `labels`, `export`, `asking`, `download`."""
    done: int
    """Images, labels ...; of a `pull` or `check`, bytes."""
    total: int | None
    """Null where it is not known."""
    note: str
    created_by: str
    created_at: datetime
    finished_at: datetime | None
    result: JsonObject | None
    """What came of it: the report of an import or export, the numbers of a measurement."""
    problem: Problem | None
    """Why it failed."""
    download: str | None
    """Address of the file that an export made."""
    about: str
    """Name of the model that a `pull` is for; else empty."""


class OperationList(Wire):
    """Operations of a project, the newest first."""

    items: list[Operation]


class ImportCreate(Wire):
    """What to import: a folder or file of the server's computer."""

    path: str = Field(min_length=1, max_length=4000)
    format: str = Field(default="auto", max_length=100)
    """A label format's name, `auto`, or `none` for images only."""
    what: Literal["all", "images", "labels"] = "all"
    """`images`: no labels; `labels`: only those of images that the project has."""
    field: str = Field(default="ground_truth", min_length=1, max_length=64)
    images: str | None = Field(default=None, max_length=4000)
    """Folder of the images, where they are not beside the labels."""
    split: str = Field(default="", max_length=100)
    tags: list[str] = Field(default_factory=list, max_length=50)
    settings: JsonObject = Field(default_factory=dict)
    """The format's own."""


class Upload(Wire):
    """Files on their way in. They are imported all at once, when they are all there."""

    id: str
    project_id: int
    files: int
    bytes: int


class UploadImport(Wire):
    """How to import the files of an upload."""

    format: str = Field(default="auto", max_length=100)
    what: Literal["all", "images", "labels"] = "all"
    """`images`: no labels; `labels`: only those of images that the project has."""
    field: str = Field(default="ground_truth", min_length=1, max_length=64)
    split: str = Field(default="", max_length=100)
    tags: list[str] = Field(default_factory=list, max_length=50)
    settings: JsonObject = Field(default_factory=dict)


class ExportCreate(ImageTarget):
    """What to export."""

    field: str = Field(default="ground_truth", min_length=1, max_length=64)
    format: str = Field(default="coco", max_length=100)
    classes: list[str] = Field(default_factory=list, max_length=10_000)
    min_confidence: float | None = Field(default=None, ge=0, le=1)
    max_confidence: float | None = Field(default=None, ge=0, le=1)
    states: list[LabelState] = Field(default_factory=list)
    """Given none: all but the rejected."""
    settings: JsonObject = Field(default_factory=dict)
    """The format's own."""
    out: str | None = Field(default=None, max_length=4000)
    """Where to write on the server's computer; null: a file to download."""


class EvaluateCreate(ImageTarget):
    """Which field to measure, against which. No query and no ids: images with a label in `against`."""

    field: str = Field(min_length=1, max_length=64)
    against: str = Field(default="ground_truth", min_length=1, max_length=64)
    classes: list[str] = Field(default_factory=list, max_length=10_000)
    min_confidence: float | None = Field(default=None, ge=0, le=1)


class CompareCreate(EvaluateCreate):
    """Which two fields to compare, and which differences to list."""

    only: list[Literal["extra", "missing", "moved", "relabelled"]] = Field(default_factory=list)
    """Given none: all."""
    match_iou: float = Field(default=0.5, ge=0, le=1)
    """Overlap from which two labels are a pair."""
    same_iou: float = Field(default=0.9, ge=0, le=1)
    """Overlap from which a pair is the same."""
    most: int = Field(default=10_000, ge=1, le=1_000_000)
    """How many differences the result lists; it counts all."""


class Format(Wire):
    """A label format."""

    name: str
    title: str
    reads: bool
    writes: bool
    out: Literal["file", "folder"]
    suffix: str
    read_settings: dict[str, str]
    """Settings of reading, each with what it does."""
    write_settings: dict[str, str]


class FormatList(Wire):
    """All label formats."""

    items: list[Format]
