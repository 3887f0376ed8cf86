"""The contract of every model: one small protocol per capability. What loads it, and where it runs, is not known here.

| capability | protocol | gives |
|---|---|---|
| classify, detect, segment (semantic, instances), pose of whole images | ``Model`` | predictions |
| segment from prompts (points, boxes) | ``PromptSegmenter`` | masks |
| refine given boxes (masks or poses within them) | ``BoxRefiner`` | predictions |
| embed | ``Embedder`` | vectors |
| answer questions | ``Asker`` | text |

A model may have several capabilities. Its card says which tasks it does.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from countersign.domain.geometry import Box
from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard, Prompt, Task

Pixels: TypeAlias = NDArray[np.uint8]
"""One upright image: (height, width, 3), RGB, uint8."""


class Tally:
    """Counts what was mended or left out while predicting, from several threads: ``clipped``, ``degenerate`` ..."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()

    def add(self, what: str, count: int = 1) -> None:
        """Count ``count`` more of ``what``."""
        if count:
            with self._lock:
                self._counts[what] = self._counts.get(what, 0) + count

    def counts(self) -> dict[str, int]:
        """Return the counts so far."""
        with self._lock:
            return dict(self._counts)


@dataclass(frozen=True, slots=True)
class PredictOptions:
    """What is asked of a model for every image of a batch.

    ``task`` None means the first of the card's tasks. ``classes`` empty means all. For a zero-shot model ``prompts``
    says what to look for; with none, each class is its own prompt (see ``prompt_list``). Predictions below
    ``min_confidence`` (0..1) are left out; those without a confidence are kept. ``settings`` are the family's own
    (``nms``, ``tiling`` ...). What a model clips or drops it counts in ``tally``.
    """

    classes: tuple[str, ...] = ()
    min_confidence: float = 0.1
    settings: Mapping[str, Any] = field(default_factory=dict)
    task: Task | None = None
    prompts: tuple[Prompt, ...] = ()
    tally: Tally = field(default_factory=Tally, compare=False)

    def prompt_list(self) -> tuple[Prompt, ...]:
        """Return the prompts for a zero-shot model: those given, or the classes themselves."""
        return self.prompts or tuple(Prompt(name, name) for name in self.classes)


@runtime_checkable
class Model(Protocol):
    """Something that predicts. Made in the process that uses it, never shared between threads."""

    @property
    def card(self) -> ModelCard: ...

    def predict(self, images: Sequence[Pixels], options: PredictOptions) -> list[list[Prediction]]:
        """Predict a batch of images of any sizes; one list of predictions for each, in the same order.

        Geometries are in pixels of the image as given, clipped to it; degenerate ones are dropped and counted.
        Raises ModelError.
        """
        ...


@runtime_checkable
class SplitModel(Model, Protocol):
    """A model whose preparation of one image can be done ahead, in another thread.

    ``prepare`` takes one image and returns what ``predict_prepared`` takes in place of it (resized, normalised ...); a
    class that has this one as its base has ``predict`` by them. A model whose ``predict_prepared`` several threads may
    call at once says so with an attribute ``parallel`` that is True: on a CPU that is quicker than one call on all
    cores.
    """

    def prepare(self, image: Pixels) -> Any: ...

    def predict_prepared(self, prepared: Sequence[Any], options: PredictOptions) -> list[list[Prediction]]: ...

    def predict(self, images: Sequence[Pixels], options: PredictOptions) -> list[list[Prediction]]:
        return self.predict_prepared([self.prepare(image) for image in images], options)


@runtime_checkable
class ReadsFiles(Protocol):
    """A model that reads image files by itself, because it wants more of them than RGB (all bands, where they lie)."""

    def read(self, path: str | Path) -> Any:
        """Return what ``predict`` takes in place of an image. It has a ``shape`` that begins with height and width of
        the upright image. Raises ImageError."""
        ...


@dataclass(frozen=True, slots=True)
class Clicks:
    """What a person points at to segment one object: points (x, y) in pixels with their sign, a box, both, an old mask.

    ``positive`` has one value per point: True for "this belongs to it". ``logits`` is what the last call for the same
    object returned (``Segment.logits``), to refine it.
    """

    points: tuple[tuple[float, float], ...] = ()
    positive: tuple[bool, ...] = ()
    box: Box | None = None
    logits: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """An object cut out: mask (height, width) bool at full size, the model's own estimate of its quality 0..1 or None.

    ``logits`` is in the model's own low resolution, to be passed on with the next click.
    """

    mask: NDArray[np.bool_]
    confidence: float | None
    logits: NDArray[np.float32] | None = None


@runtime_checkable
class PromptSegmenter(Protocol):
    """Segments from prompts. ``encode`` looks at an image once (slow), ``segment`` answers prompts (quick)."""

    @property
    def card(self) -> ModelCard: ...

    def encode(self, image: Pixels) -> Any:
        """Return what ``segment`` needs of an image. Raises ModelError."""
        ...

    def segment(self, encoded: Any, prompts: Sequence[Clicks]) -> list[Segment]:
        """Cut out one object per prompt. Raises ModelError."""
        ...


@runtime_checkable
class BoxRefiner(Protocol):
    """A second stage: turns boxes into masks or poses. Every prompted segmenter and top-down pose model is one."""

    @property
    def card(self) -> ModelCard: ...

    def refine(
        self, images: Sequence[Pixels], found: Sequence[Sequence[Prediction]], options: PredictOptions
    ) -> list[list[Prediction]]:
        """Return for each image its predictions with a mask (or keypoints) in place of the box.

        ``found`` holds predictions with boxes; classes and attributes are kept, and so is the box's confidence.
        Where nothing was found within a box the prediction is dropped and counted as ``empty``. Raises ModelError.
        """
        ...


@runtime_checkable
class Embedder(Protocol):
    """Turns images into vectors."""

    @property
    def card(self) -> ModelCard: ...

    def embed(self, images: Sequence[Pixels]) -> NDArray[np.float32]:
        """Return (N, D) float32, each row of length 1. Raises ModelError."""
        ...


@runtime_checkable
class Asker(Protocol):
    """Answers questions about images in words."""

    @property
    def card(self) -> ModelCard: ...

    def ask(self, images: Sequence[Pixels], question: str, *, settings: Mapping[str, Any] | None = None) -> list[str]:
        """Return one answer per image. Raises ModelError."""
        ...


def is_parallel(model: object) -> bool:
    """Whether several threads may predict with a model at once: its attribute ``parallel``."""
    return bool(getattr(model, "parallel", False))


def device_of(model: object) -> str:
    """Return where a model computes: its attribute ``device``; ``cpu`` where it says nothing."""
    return str(getattr(model, "device", "cpu"))


Anything: TypeAlias = Model | PromptSegmenter | BoxRefiner | Embedder | Asker
"""What a family can load."""
