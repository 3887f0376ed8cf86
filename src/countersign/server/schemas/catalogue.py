"""Models that can be used whatever the workspace: the catalogue, and the weights on the server's computer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from countersign.server.schemas.common import JsonObject, Wire

Task = Literal[
    "classification",
    "detection",
    "semantic_segmentation",
    "instance_segmentation",
    "pose",
    "prompted_segmentation",
    "embedding",
    "questions",
]


class WeightFile(Wire):
    """A file of a model's weights."""

    name: str
    sha256: str
    """In hex, whole or its first digits; empty where nobody publishes it."""
    url: str
    """Empty: in the repository on the hub."""
    size: int
    """In bytes; 0 if it is not known."""


class Installed(Wire):
    """Where a model's files are on the server's computer."""

    folder: str
    where: Literal["models folder", "hub cache", "torch cache", "linked", "workspace"]
    bytes: int
    files: int


class CatalogueEntry(Wire):
    """A model that can be used, as a list shows it."""

    name: str
    """What a run takes as its model."""
    origin: Literal["catalogue", "own", "fetched", "workspace"]
    installed: Installed | None
    """Null where its files must be fetched first."""
    licences: list[str]
    """Licences of it that restrict its use; somebody must accept them first."""
    licence_due: bool
    """Whether nobody has accepted them yet."""
    family: str
    tasks: list[Task]
    zero_shot: bool
    """It takes any words as classes."""
    needs_boxes: bool
    """It works on boxes that something else found: those of a detector, or of a field."""
    classes: int
    """How many classes it knows."""
    version: str
    size: str
    description: str
    author: str
    source: str
    hub_id: str
    licence: str
    """Of the weights."""
    code_licence: str
    download_bytes: int
    """0 if it is not known."""
    estimated_bytes: int
    """Where `download_bytes` is 0: four bytes for each published parameter; 0 if those are not known either."""
    extra: str
    """The optional dependency that it needs: `countersign[extra]`."""
    gpu: bool
    """It is too slow to be useful without a GPU."""
    min_confidence: float
    published: dict[str, float]
    """Numbers that its authors publish: `parameters` in millions, `gflops`, `coco_map` in percent ..."""
    published_source: str
    speed: int
    """1 to 3 among models that do the same; 0 if it is not known."""
    performance: int
    """1 to 3 among models that do the same; 0 if it is not known."""
    scores: dict[str, float]
    """What was measured here."""


class CatalogueList(Wire):
    """Models that can be used."""

    items: list[CatalogueEntry]
    folder: str
    """The models folder of the server's computer."""


class CatalogueModel(CatalogueEntry):
    """A model with all that is known of it."""

    class_names: list[str]
    files: list[WeightFile]
    """Those that its card names; none: all of its repository that it needs."""
    recorded: list[WeightFile]
    """Those that are on the server's computer, as they were when they came."""
    weights_hash: str
    details: JsonObject
    """What only its family knows."""
    licence_notice: str
    """What to tell the user before the licence is accepted; empty where nothing is to accept."""


class PullCreate(Wire):
    """Which model to fetch."""

    model: str = Field(min_length=1, max_length=300)
    """A name of the catalogue, or `family:owner/name` for a repository of the hub."""
    accept_licence: bool = False
    """The user accepts its licence; that is recorded with their name."""
    allow_pickles: list[str] = Field(default_factory=list, max_length=20)
    """Files of the repository to take though they are pickles."""
    again: bool = False
    """Fetch damaged files anew."""


class CheckCreate(Wire):
    """Which models to check; given none: all that are here."""

    models: list[str] = Field(default_factory=list, max_length=1000)


class ModelNamed(Wire):
    """Which model."""

    model: str = Field(min_length=1, max_length=300)


class ModelAdd(Wire):
    """A model's file or folder on the server's computer, and what its files do not say."""

    path: str = Field(min_length=1, max_length=4000)
    name: str = Field(default="", max_length=100)
    """Empty: of its file."""
    classes: list[str] = Field(default_factory=list, max_length=100_000)
    """Names of its outputs, in their order."""
    licence: str = Field(default="", max_length=200)
    description: str = Field(default="", max_length=2000)
    reference: str = Field(default="", max_length=300)
    """The architecture, where the file does not say it: `timm:resnet18`."""
    link: bool = False
    """Leave the files where they are."""
    allow_pickle: bool = False


class PickleAllow(Wire):
    """A file of the server's computer."""

    path: str = Field(min_length=1, max_length=4000)


class PickleAllowed(Wire):
    """A pickle that may be opened from now on, by its content."""

    sha256: str


class Removed(Wire):
    """What a removal freed."""

    bytes: int


class DiskUsage(Wire):
    """Bytes that each model takes in the models folder."""

    folder: str
    models: dict[str, int]
