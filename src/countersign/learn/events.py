"""What a training reports while it goes on. Values only; does not import torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know and did not ask for: ``topic`` is one word, ``text`` one sentence."""

    topic: str
    text: str


@dataclass(frozen=True, slots=True)
class Planned:
    """What is about to happen. ``images`` train, ``held_out`` are for scoring; ``image_size`` in pixels."""

    heads: tuple[str, ...]
    classes: tuple[str, ...]
    images: int
    held_out: int
    image_size: int
    tiled: bool
    device: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a training is. ``done`` is a fraction 0..1; ``left_s`` are seconds, None while that is not known.

    ``epoch`` counts from 1; ``epochs`` is an estimate where a budget decides. ``losses`` has one number for each head,
    a moving average. ``score`` is the last one on held-out images, ``score_name`` what it is.
    """

    epoch: int
    epochs: int
    step: int
    done: float
    losses: Mapping[str, float]
    elapsed_s: float
    left_s: float | None
    score: float | None = None
    score_name: str = ""


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores on the held-out images (name to number), and whether this is the best so far."""

    step: int
    scores: Mapping[str, float]
    best: bool
    images: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The end. ``cancelled`` says whether somebody asked for it; the model is the best so far either way."""

    steps: int
    elapsed_s: float
    cancelled: bool
    scores: Mapping[str, float] = field(default_factory=dict)


Event: TypeAlias = Notice | Planned | Progress | Scored | Finished
OnEvent: TypeAlias = Callable[[Event], None]


def to_data(event: Event) -> dict[str, Any]:
    """Return the event as JSON values, its kind under ``event``."""
    data = dataclasses.asdict(event)
    return {"event": type(event).__name__.lower()} | {
        name: list(value) if isinstance(value, tuple) else value for name, value in data.items()
    }
