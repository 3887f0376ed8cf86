"""What a model says of itself (its card) and what it can be asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from countersign.domain.errors import ModelError


class Task(StrEnum):
    """What a model does with an image."""

    CLASSIFICATION = "classification"
    DETECTION = "detection"
    SEMANTIC_SEGMENTATION = "semantic_segmentation"
    INSTANCE_SEGMENTATION = "instance_segmentation"
    POSE = "pose"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model says of itself.

    ``classes`` is its fixed vocabulary. ``weights_hash`` is the SHA-256 of its weights in hex. ``scores`` maps the name
    of a measure (``held_out_ap50`` ...) to a number that was measured. ``details`` holds what only its family
    knows (parameters, training data by hash, library versions), as JSON values.
    """

    name: str
    family: str
    tasks: tuple[Task, ...]
    classes: tuple[str, ...]
    version: str = "1"
    description: str = ""
    author: str = ""
    source: str = ""
    licence: str = ""
    weights_hash: str = ""
    min_confidence: float = 0.3
    scores: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_data(self) -> dict[str, Any]:
        """Return JSON values from which ``from_data`` makes an equal card."""
        data = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        data["tasks"] = [task.value for task in self.tasks]
        data["classes"] = list(self.classes)
        return data | {"scores": dict(self.scores), "details": dict(self.details)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> ModelCard:
        """Make a card of what ``to_data`` returned. Raises ModelError for anything else."""
        try:
            known = {item.name for item in dataclasses.fields(cls)}
            values = {name: value for name, value in data.items() if name in known}
            values["tasks"] = tuple(Task(task) for task in values["tasks"])
            values["classes"] = tuple(str(name) for name in values["classes"])
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
