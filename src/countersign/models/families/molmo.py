"""Molmo2: points at what a text names, and answers questions.

Asked to point, it writes ``<points coords="1 1 250 300 2 700 800">cat</points>``: the number of the image, then for
each object its own number and x, y in thousandths of the image's width and height. Each becomes keypoints of one
point. It gives no confidence. The first Molmo needs program code that comes with its weights, which is never run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.errors import ModelError
from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard, Task
from countersign.models.contract import Pixels, PredictOptions
from countersign.models.parts import chat_engine, generating, hub_loading, results
from countersign.models.parts.chat_engine import Conversation
from countersign.models.parts.hub_family import HubFamily
from countersign.models.parts.prompts import texts_of
from countersign.models.registry import Reference

POINT = "point"
"""The name of the only keypoint."""
_FIRST = "MolmoForCausalLM"
_SCALE = 1000.0
_NEAR = 0.01  # two points nearer than this share of the longer side are one object

_COORDS = re.compile(r"<(?:points|tracks)\b[^>]*?\bcoords=\"([^\"]*)\"")
_TRIPLE = re.compile(r"(\d+)\s+(\d{1,4})\s+(\d{1,4})")


class Pointer(Conversation):
    """A Model (pose of one point) and an Asker."""

    def predict(self, images: Sequence[Pixels], options: PredictOptions) -> list[list[Prediction]]:
        if not images:
            return []
        texts = texts_of(options, "the {}")
        most = generating.limit(options.settings, 512)
        sizes = [(image.shape[0], image.shape[1]) for image in images]
        found: list[list[tuple[str, NDArray[np.float64]]]] = [[] for _ in images]
        for text, name in zip(texts.texts, texts.names, strict=True):
            for i, said in enumerate(self._answers(images, f"Point to {text}.", most)):
                found[i] += [(name, point) for point in points_of(said, sizes[i])]
        return [_choose(size, each, options) for size, each in zip(sizes, found, strict=True)]


def points_of(said: str, size: results.Size) -> NDArray[np.float64]:
    """Return the points (N, 2), x and y in pixels, that an answer names; what is outside 0..1000 is no point."""
    height, width = size
    found: list[tuple[float, float]] = []
    for coords in _COORDS.findall(said):
        # The first number is that of the image: there is only one.
        _, _, rest = coords.strip().partition(" ")
        found += [(float(x), float(y)) for _, x, y in _TRIPLE.findall(rest)]
    points = np.array([point for point in found if max(point) <= _SCALE], np.float64).reshape(-1, 2)
    scaled: NDArray[np.float64] = points * np.array([width, height]) / _SCALE
    return scaled


def _choose(
    size: results.Size, found: list[tuple[str, NDArray[np.float64]]], options: PredictOptions
) -> list[Prediction]:
    """Leave out what a negative prompt points at too, and the same object found by several prompts of its class."""
    near = _NEAR * max(size)
    against = [point for name, point in found if not name]
    kept: list[tuple[str, NDArray[np.float64]]] = []
    for name, point in found:
        rivals = against + [other for known, other in kept if known == name]
        if name and not any(np.hypot(*(point - other)) < near for other in rivals):
            kept.append((name, point))
    names = [name for name, _ in kept]
    points = np.array([point for _, point in kept], np.float64).reshape(-1, 1, 2)
    return results.keypoints(size, points, np.ones(points.shape[:2], bool), None, names, options)


_TASKS = (Task.POSE, Task.QUESTIONS)
_DETAILS = {"keypoint_names": [POINT], "skeleton": []}


def _card(name: str, hub_id: str, size: str, description: str, **known: object) -> ModelCard:
    shared: dict[str, object] = {
        "family": "molmo",
        "tasks": _TASKS,
        "classes": (),
        "zero_shot": True,
        "version": "2",
        "size": size,
        "author": "Allen Institute for AI",
        "source": f"https://huggingface.co/{hub_id}",
        "hub_id": hub_id,
        "licence": "Apache-2.0",
        "code_licence": "Apache-2.0",
        "gpu": True,
        "details": _DETAILS,
        "description": description,
    }
    return ModelCard(name, **(shared | known))  # type: ignore[arg-type]


CARDS: tuple[ModelCard, ...] = (
    _card("molmo2-4b", "allenai/Molmo2-4B", "4b", "Points at what is named and answers questions; on Qwen3 4B."),
    _card(
        "molmo2-8b",
        "allenai/Molmo2-8B",
        "8b",
        "Points at what is named and answers questions; on Qwen3 8B.",
        published={"parameters": 8695},
        published_source="counted",
    ),
    _card(
        "molmo2-o-7b",
        "allenai/Molmo2-O-7B",
        "7b",
        "Points at what is named and answers questions; on Olmo 3 7B, all of it open.",
    ),
)


class MolmoFamily(HubFamily):
    """Molmo2: points at what a text names, and answers questions."""

    name = "molmo"
    catalogue = CARDS
    architectures = ("Molmo2ForConditionalGeneration", _FIRST)
    setting_names = ("max_new_tokens", "max_detections", "template")

    def describe(self, reference: Reference, folder: Path, config: Mapping[str, Any]) -> ModelCard:
        if _FIRST in (config.get("architectures") or ()):
            raise ModelError(
                f"{folder} is the first Molmo: it needs program code that comes with its weights, which is never run",
                remedy="Choose Molmo2 (countersign models pull molmo2-4b), which points and answers as well.",
            )
        base = ModelCard("", self.name, _TASKS, (), zero_shot=True, details=_DETAILS)
        return hub_loading.card_of(reference, base, folder)

    def open(self, folder: Path, card: ModelCard, device: str | None, pickle: bool) -> Pointer:
        return Pointer(chat_engine.load(folder, device), card)


FAMILY = MolmoFamily()
