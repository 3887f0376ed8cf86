"""A model that answers questions without having learned anything: it says the question again, and the image's size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.model import ModelCard, Task
from countersign.models.registry import Reference


@dataclass(frozen=True, slots=True)
class Talker:
    """``talker:parrot``."""

    @property
    def card(self) -> ModelCard:
        return ModelCard("talker:parrot", "talker", (Task.QUESTIONS,), ())

    def ask(
        self, images: Sequence[NDArray[np.uint8]], question: str, *, settings: Mapping[str, Any] | None = None
    ) -> list[str]:
        if "fail" in question:
            raise RuntimeError("the parrot is asleep")
        return [f"{question} You ask that of {image.shape[1]} x {image.shape[0]} pixels." for image in images]


@dataclass(frozen=True, slots=True)
class TalkerFamily:
    """A family of one."""

    name: str = "talker"
    option_names: tuple[str, ...] = ()
    setting_names: tuple[str, ...] = ()

    def load(self, reference: Reference, *, device: str | None) -> Talker:
        return Talker()

    def card(self, reference: Reference) -> ModelCard:
        return Talker().card

    def names(self) -> Sequence[str]:
        return ("parrot",)
