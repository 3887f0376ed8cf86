"""ONNX models behind the contract: what predicts, and what embeds. Made of a session, a fitted input and a decoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.errors import ModelError
from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard
from countersign.models.contract import Pixels, PredictOptions, SplitModel
from countersign.models.onnx.decoders.base import Labels, Output
from countersign.models.onnx.inputs import Fit, Prepared
from countersign.models.onnx.session import Session

Array = NDArray[Any]


class Runner:
    """Prepared images in, outputs for each out: in one batch where the model takes batches, else one by one."""

    def __init__(self, session: Session, fit: Fit, output: Output) -> None:
        self.fit = fit
        self._session = session
        self._outputs = output.select(session.signature.outputs)
        self._room = _batch_room(session, fit, self._outputs)
        self._types = {tensor.name: tensor.dtype for tensor in session.signature.inputs}

    @property
    def device(self) -> str:
        return self._session.device

    def run(self, prepared: Sequence[Prepared]) -> list[list[Array]]:
        """Return the outputs of each image, without the axis of the batch. Raises ModelError."""
        found: dict[int, list[Array]] = {}
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for index, item in enumerate(prepared):
            by_shape.setdefault(item.pixels.shape, []).append(index)
        for indices in by_shape.values():
            step = len(indices) if self._room is None else self._room
            for start in range(0, len(indices), step):
                part = indices[start : start + step]
                found.update(zip(part, self._batch([prepared[i] for i in part]), strict=True))
        return [found[i] for i in range(len(prepared))]

    def _batch(self, items: Sequence[Prepared]) -> list[list[Array]]:
        pixels = np.stack([item.pixels for item in items])
        short = 0 if self._room is None else self._room - len(items)
        if short:  # a model with a fixed batch gets it, filled up
            pixels = np.concatenate([pixels, np.repeat(pixels[-1:], short, axis=0)])
        feeds: dict[str, Array] = {self.fit.name: pixels}
        extras = [self.fit.extras(item.frame) for item in items]
        for name in self.fit.declared.extra:
            rows = np.stack([extra[name] for extra in extras] + [extras[-1][name]] * short)
            feeds[name] = rows.astype(self._types[name])
        arrays = self._session.run(feeds, self._outputs)
        if len(pixels) == 1:  # the decoder drops the axis of the batch, which some outputs do not have
            return [arrays]
        for name, array in zip(self._outputs, arrays, strict=True):
            if array.ndim < 1 or len(array) != len(pixels):
                raise ModelError(
                    f"{self._session.path}: {len(pixels)} images gave {name} of shape {list(array.shape)}",
                    remedy="Declare input.batch: false.",
                )
        return [[array[i : i + 1] for array in arrays] for i in range(len(items))]


def _batch_room(session: Session, fit: Fit, outputs: Sequence[str]) -> int | None:
    """Return how many images one call takes: None for any number."""
    signature = session.signature
    first = next(tensor.shape[0] for tensor in signature.inputs if tensor.name == fit.name)
    if isinstance(first, int):
        return max(1, first)
    if fit.declared.batch is not None:
        return None if fit.declared.batch else 1
    # Only an output whose first axis has the name of the input's is sure to hold one entry for each image.
    heads = [tensor.shape[:1] for tensor in signature.outputs if tensor.name in outputs]
    return None if first is not None and all(head == (first,) for head in heads) else 1


class OnnxModel(SplitModel):
    """An ONNX model as a SplitModel. onnxruntime allows several threads in one session."""

    parallel = True

    def __init__(self, card: ModelCard, runner: Runner, output: Output, labels: Labels) -> None:
        self._card = card
        self._runner = runner
        self._output = output
        self._labels = labels

    @property
    def card(self) -> ModelCard:
        return self._card

    @property
    def device(self) -> str:
        return self._runner.device

    def prepare(self, image: Pixels) -> Prepared:
        return self._runner.fit.prepare(image)

    def predict_prepared(self, prepared: Sequence[Any], options: PredictOptions) -> list[list[Prediction]]:
        if options.task is not None and options.task not in self._card.tasks:
            can = ", ".join(task.value for task in self._card.tasks)
            raise ModelError(f"{self._card.name!r} does not do {options.task.value}", remedy=f"It does {can}.")
        if options.task is None:
            options = _with_task(options, self._card)
        outputs = self._runner.run(prepared)
        with np.errstate(all="ignore"):  # what a network gives may be anything: what is not finite is left out
            return [
                self._output.decode(arrays, item.frame, self._labels, options)
                for item, arrays in zip(prepared, outputs, strict=True)
            ]


def _with_task(options: PredictOptions, card: ModelCard) -> PredictOptions:
    import dataclasses

    return dataclasses.replace(options, task=card.tasks[0])


class OnnxEmbedder:
    """An ONNX model that gives a vector."""

    parallel = True

    def __init__(self, card: ModelCard, runner: Runner, output: Output) -> None:
        self._card = card
        self._runner = runner
        self._output = output

    @property
    def card(self) -> ModelCard:
        return self._card

    @property
    def device(self) -> str:
        return self._runner.device

    def embed(self, images: Sequence[Pixels]) -> NDArray[np.float32]:
        if not images:
            return np.zeros((0, int(self._card.details.get("dimensions", 0))), np.float32)
        prepared = [self._runner.fit.prepare(image) for image in images]
        options, none = PredictOptions(), Labels(())
        outputs = self._runner.run(prepared)
        with np.errstate(all="ignore"):  # a vector that is not finite is refused
            rows = [
                self._output.decode(arrays, item.frame, none, options)
                for item, arrays in zip(prepared, outputs, strict=True)
            ]
        return np.stack(rows)
