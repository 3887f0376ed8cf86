"""What a model says of itself (its card) and what it can be asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from countersign.domain.errors import InvalidInput, ModelError


class Task(StrEnum):
    """What a model does with an image."""

    CLASSIFICATION = "classification"
    DETECTION = "detection"
    SEMANTIC_SEGMENTATION = "semantic_segmentation"
    INSTANCE_SEGMENTATION = "instance_segmentation"
    POSE = "pose"
    PROMPTED_SEGMENTATION = "prompted_segmentation"
    EMBEDDING = "embedding"
    QUESTIONS = "questions"


LABELLING = (
    Task.CLASSIFICATION,
    Task.DETECTION,
    Task.SEMANTIC_SEGMENTATION,
    Task.INSTANCE_SEGMENTATION,
    Task.POSE,
)
"""The tasks whose results are labels: those that a run can have."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One text given to a zero-shot model, and the class that it stands for.

    Several prompts may stand for one class. A prompt with an empty ``class_name`` is a negative one: what fits it
    best is left out.
    """

    text: str
    class_name: str

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise InvalidInput("a prompt needs some text")


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file of a model's weights: its path inside the model's folder.

    ``sha256`` is in hex, whole or its first digits (as torchvision writes them into file names); empty where nobody
    publishes it: then it is recorded at the first download. ``url`` is set where the file is not in the card's
    repository on the hub. ``size`` in bytes, 0 if unknown.
    """

    name: str
    sha256: str = ""
    url: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model says of itself.

    ``classes`` is its fixed vocabulary; a ``zero_shot`` model has none and takes its classes as words. ``licence`` is
    that of the weights, ``code_licence`` that of the code which runs them. ``hub_id`` is where the weights are
    (owner/name on the Hugging Face hub), ``source`` the page that describes them, ``files`` what is needed of them
    (with none named: all safetensors and JSON files of the repository). ``extra`` is the optional dependency that it
    needs (``countersign[extra]``), ``gpu`` whether it is too slow to be useful without one.

    ``weights_hash`` is the SHA-256 of loaded weights in hex. ``scores`` maps the name of a measure
    (``held_out_ap50`` ...) to a number measured here. ``published`` holds what its authors or its library publish
    (``parameters`` in millions, ``gflops``, ``map`` in percent ...), read at ``published_source``; ``speed`` and
    ``performance`` are ratings 1 to 3 made of them relative to comparable models, 0 where nothing is published.
    ``details`` holds what only its family knows, as JSON values.
    """

    name: str
    family: str
    tasks: tuple[Task, ...]
    classes: tuple[str, ...]
    version: str = "1"
    size: str = ""
    zero_shot: bool = False
    description: str = ""
    author: str = ""
    source: str = ""
    hub_id: str = ""
    licence: str = ""
    code_licence: str = ""
    download_bytes: int = 0
    files: tuple[WeightFile, ...] = ()
    extra: str = ""
    gpu: bool = False
    weights_hash: str = ""
    min_confidence: float = 0.3
    scores: Mapping[str, float] = field(default_factory=dict)
    published: Mapping[str, float] = field(default_factory=dict)
    published_source: str = ""
    speed: int = 0
    performance: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def estimated_bytes(self) -> int:
        """Size of the download where nobody publishes it: four bytes for each published parameter, else 0."""
        return 0 if self.download_bytes else round(self.published.get("parameters", 0) * 4e6)

    def to_data(self) -> dict[str, Any]:
        """Return JSON values from which ``from_data`` makes an equal card."""
        data = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        data["tasks"] = [task.value for task in self.tasks]
        data["classes"] = list(self.classes)
        data["files"] = [dataclasses.asdict(file) for file in self.files]
        maps = {name: dict(data[name]) for name in ("scores", "published", "details")}
        return data | maps

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> ModelCard:
        """Make a card of what ``to_data`` returned. Raises ModelError for anything else."""
        try:
            known = {item.name for item in dataclasses.fields(cls)}
            values = {name: value for name, value in data.items() if name in known}
            values["tasks"] = tuple(Task(task) for task in values["tasks"])
            values["classes"] = tuple(str(name) for name in values["classes"])
            values["files"] = tuple(WeightFile(**file) for file in values.get("files", ()))
            return cls(**values)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"this is no card of a model: {error}") from error


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model of the workspace. ``card.name`` is ``name``; ``folder`` is where its files are, below the blobs."""

    id: int
    name: str
    card: ModelCard
    folder: str
    created_at: datetime
