"""Models behind a URL."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from countersign.server.schemas.common import Id, JsonObject, Wire
from countersign.server.schemas.learning import ModelCard, Prediction, Task


class RemoteModel(Wire):
    """A model behind a URL. A run takes it by its `reference`."""

    name: str
    reference: str
    spec: JsonObject
    """What is said of it (see the guide), without the secret; `has_secret` says whether there is one."""
    card: ModelCard
    created_at: datetime


class RemoteModelList(Wire):
    """All models behind a URL, oldest first."""

    items: list[RemoteModel]


class RemoteModelCreate(Wire):
    """A model behind a URL to know."""

    name: str = Field(min_length=1, max_length=100)
    spec: JsonObject
    """`url`, `contract`, `tasks`, `classes` ...: the keys stand in the guide."""


class RemoteModelUpdate(Wire):
    """What shall change; what is not given stays, the secret too unless the address leads to another server."""

    name: str = Field(default="", max_length=100)
    """Empty: as it is."""
    spec: JsonObject = Field(default_factory=dict)


class RemoteModelTest(Wire):
    """How to test a model."""

    image_id: Id | None = None
    """Null: ask its server alone."""
    min_confidence: float = Field(default=0.1, ge=0, le=1)
    classes: list[str] = Field(default_factory=list, max_length=10_000)
    task: Task | None = None
    """Null: the first that the model does."""


class RemoteModelTested(Wire):
    """What came of a test."""

    answer: str
    """What the server says of itself."""
    seconds: float
    predictions: list[Prediction] | None
    """Null where no image was given."""
    counts: Annotated[dict[str, int], Field(description="What was mended or left out.")]
