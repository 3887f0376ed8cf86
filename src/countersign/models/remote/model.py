"""A model behind a URL with the capabilities that its card and its contract have. Loads nothing, holds connections."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from countersign.domain.errors import ModelError
from countersign.domain.label import Prediction
from countersign.domain.model import LABELLING, ModelCard, Task
from countersign.models.contract import Clicks, Pixels, PredictOptions, Segment
from countersign.models.remote.adapters import Adapter, Answers, Embeds, Refines, Segments
from countersign.models.remote.http import Http
from countersign.models.remote.pictures import Picture, Sent, pack
from countersign.models.remote.spec import RemoteSpec

T = TypeVar("T")


class Remote:
    """What all have: a card, connections, a way to send many images with few at once."""

    parallel = True  # waiting for a server takes no core
    device = "remote"

    def __init__(self, spec: RemoteSpec, http: Http, adapter: Adapter, card: ModelCard) -> None:
        self._spec, self._http, self._adapter, self._card = spec, http, adapter, card

    @property
    def card(self) -> ModelCard:
        return self._card

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def read(self, path: str | Path) -> Pixels | Picture:
        """Read an image for this model: with the file that it came from where all of its bands shall travel."""
        from countersign.imaging import read_rgb

        pixels = read_rgb(path)
        return Picture(pixels, Path(path)) if self._spec.encoding == "tiff" else pixels

    def _pack(self, image: Pixels | Picture) -> Sent:
        return pack(image, self._spec)

    def _in_parts(self, images: Sequence[Sent], call: Callable[[int, Sequence[Sent]], list[T]]) -> list[T]:
        """Ask for parts of a batch, a few at once. ``call`` gets the place of the first image and the images."""
        size = self._adapter.batch
        starts = range(0, len(images), size)
        if len(starts) <= 1 or self._spec.concurrency == 1:
            return [item for start in starts for item in call(start, images[start : start + size])]
        with ThreadPoolExecutor(min(len(starts), self._spec.concurrency)) as pool:
            parts = pool.map(lambda start: call(start, images[start : start + size]), starts)
            return [item for part in parts for item in part]


class _Labels(Remote):
    def prepare(self, image: Pixels | Picture) -> Sent:
        return self._pack(image)

    def predict(self, images: Sequence[Any], options: PredictOptions) -> list[list[Prediction]]:
        return self.predict_prepared([self.prepare(image) for image in images], options)

    def predict_prepared(self, prepared: Sequence[Sent], options: PredictOptions) -> list[list[Prediction]]:
        return self._in_parts(prepared, lambda _, part: self._adapter.predict(part, options))


class _Segments(Remote):
    def encode(self, image: Pixels) -> Sent:
        return self._pack(image)

    def segment(self, encoded: Sent, prompts: Sequence[Clicks]) -> list[Segment]:
        assert isinstance(self._adapter, Segments)
        return self._adapter.segment(encoded, prompts) if prompts else []


class _Refines(Remote):
    def refine(
        self, images: Sequence[Pixels], found: Sequence[Sequence[Prediction]], options: PredictOptions
    ) -> list[list[Prediction]]:
        adapter = self._adapter
        assert isinstance(adapter, Refines)
        some = [i for i, items in enumerate(found) if items]  # images without a box cost nothing
        sent = [self._pack(images[i]) for i in some]

        def ask(start: int, part: Sequence[Sent]) -> list[list[Prediction]]:
            return adapter.refine(part, [found[i] for i in some[start : start + len(part)]], options)

        made: list[list[Prediction]] = [[] for _ in images]
        for i, refined in zip(some, self._in_parts(sent, ask), strict=True):
            made[i] = refined
        return made


class _Embeds(Remote):
    def embed(self, images: Sequence[Pixels]) -> NDArray[np.float32]:
        adapter = self._adapter
        assert isinstance(adapter, Embeds)
        vectors = self._in_parts([self._pack(image) for image in images], lambda _, part: adapter.embed(part))
        if len({len(vector) for vector in vectors}) > 1:
            raise ModelError(f"{self._card.name!r} returned vectors of different lengths")
        found = np.asarray(vectors, np.float32)
        norms = np.linalg.norm(found, axis=-1, keepdims=True)
        if found.size and not (np.isfinite(norms).all() and (norms > 0).all()):
            raise ModelError(f"{self._card.name!r} returned a vector that has no direction")
        return (found / norms).astype(np.float32) if found.size else found


class _Answers(Remote):
    def ask(self, images: Sequence[Pixels], question: str, *, settings: Mapping[str, Any] | None = None) -> list[str]:
        adapter = self._adapter
        assert isinstance(adapter, Answers)
        sent = [self._pack(image) for image in images]
        return self._in_parts(sent, lambda _, part: adapter.ask(part, question, settings or {}))


def make(spec: RemoteSpec, http: Http, adapter: Adapter, card: ModelCard) -> Remote:
    """Return a model with exactly the capabilities that its tasks name and its contract has. Raises ModelError."""
    tasks = set(card.tasks)
    kinds: list[type[Remote]] = []
    needs_boxes = bool(card.details.get("needs_boxes"))
    if tasks.intersection(LABELLING) and not needs_boxes:
        kinds.append(_Labels)
    if Task.PROMPTED_SEGMENTATION in tasks and isinstance(adapter, Segments):
        kinds.append(_Segments)
    if (Task.PROMPTED_SEGMENTATION in tasks or needs_boxes) and isinstance(adapter, Refines):
        kinds.append(_Refines)
    if Task.EMBEDDING in tasks and isinstance(adapter, Embeds):
        kinds.append(_Embeds)
    if Task.QUESTIONS in tasks and isinstance(adapter, Answers):
        kinds.append(_Answers)
    if not kinds:
        does = ", ".join(task.value.replace("_", " ") for task in card.tasks)
        raise ModelError(f"contract {spec.contract} has no way to ask for {does}", remedy="Choose another contract.")
    # A class of these bases: what a model can do is told by the methods that it has (see the models' contract).
    made: Remote = type("RemoteModel", tuple(kinds), {})(spec, http, adapter, card)
    return made
