"""What a model says of itself (its card) and what it can be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


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
