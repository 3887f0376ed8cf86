"""Batches, prepared by threads beside the training: the network never waits for a picture."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from countersign.domain.errors import InvalidInput
from countersign.learn import targets as target_maker
from countersign.learn.augment import Sample, Variation, vary
from countersign.learn.data import Example, ExampleStore
from countersign.learn.network import STRIDE, NetworkSpec
from countersign.learn.plan import View
from countersign.learn.targets import Targets

AHEAD = 3
"""Batches that wait ready."""
NEAR_OBJECTS = 0.8
"""Share of tiles that are taken around an object; the others lie anywhere."""


@dataclass(slots=True)
class Batch:
    """``pixels``: (batch, 3, height, width) uint8, channels last in memory."""

    pixels: Tensor
    targets: Targets


class Loader:
    """Makes batches without end. ``canvas`` says the (height, width) of the next one. Use as a context."""

    def __init__(
        self,
        store: ExampleStore,
        view: View,
        spec: NetworkSpec,
        variation: Variation,
        *,
        batch_size: int,
        canvas: Callable[[], tuple[int, int]],
        seed: int,
        threads: int = 1,
    ) -> None:
        self._store, self._view, self._spec, self._variation = store, view, spec, variation
        self._batch_size, self._canvas = batch_size, canvas
        self._rngs = [np.random.default_rng([seed, thread]) for thread in range(threads)]
        self._order = np.random.default_rng([seed, 2**20])
        self._pool: list[int] = []
        self._lock = threading.Lock()
        self._queue: queue.Queue[Batch | BaseException] = queue.Queue(AHEAD)
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(rng,), daemon=True) for rng in self._rngs]

    def __enter__(self) -> Loader:
        self._opencv_threads = cv2.getNumThreads()
        cv2.setNumThreads(1)  # its own threads would only take the cores from the network
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        cv2.setNumThreads(self._opencv_threads)

    def next(self) -> Batch:
        """Return the next batch. Raises what went wrong in the threads."""
        found = self._queue.get()
        if isinstance(found, BaseException):
            raise found
        return found

    def _work(self, rng: np.random.Generator) -> None:
        while not self._stop.is_set():
            try:
                found: Batch | BaseException = self._make(rng)
            except Exception as error:  # carried over to the training's thread, which raises it
                found = error
            while not self._stop.is_set():
                with contextlib.suppress(queue.Full):
                    self._queue.put(found, timeout=0.1)
                    break
            if isinstance(found, BaseException):
                return

    def _draw(self) -> int:
        with self._lock:
            if not self._pool:
                self._pool = self._order.permutation(len(self._store)).tolist()
            return self._pool.pop()

    def _example(self) -> Example:
        for _ in range(2 * len(self._store) + 1):
            if self._stop.is_set():
                break
            example = self._store.get(self._draw())
            if example is not None:
                return example
        reasons = "; ".join(list(self._store.failed.values())[:3])
        raise InvalidInput(f"none of the images to learn from can be read: {reasons}")

    def _make(self, rng: np.random.Generator) -> Batch:
        canvas = self._canvas()
        samples = [self._sample(canvas, rng) for _ in range(self._batch_size)]
        pixels = torch.from_numpy(np.stack([sample.pixels for sample in samples])).permute(0, 3, 1, 2)
        spec = self._spec
        targets = target_maker.make(samples, canvas, STRIDE, boxes=spec.boxes, paints=spec.paints, tags=spec.tags)
        return Batch(pixels, targets)

    def _sample(self, canvas: tuple[int, int], rng: np.random.Generator) -> Sample:
        example = self._example()
        height, width = example.pixels.shape[:2]
        if not self._view.tiled:
            return vary(example, canvas, max(canvas) / max(height, width), self._variation, rng)
        scale = self._view.scale / example.scale * max(canvas) / max(self._view.canvas)
        return vary(example, canvas, scale, self._variation, rng, centre=_somewhere(example, canvas, scale, rng))


def _somewhere(
    example: Example, canvas: tuple[int, int], scale: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Choose the middle of a tile: near an object mostly, else anywhere."""
    height, width = example.pixels.shape[:2]
    if rng.random() < NEAR_OBJECTS:
        spot = _spot(example, rng)
        if spot is not None:
            jitter = rng.uniform(-0.4, 0.4, 2) * np.array([canvas[1], canvas[0]]) / scale
            return (float(spot[0] + jitter[0]), float(spot[1] + jitter[1]))
    return (float(rng.uniform(0, width)), float(rng.uniform(0, height)))


def _spot(example: Example, rng: np.random.Generator) -> NDArray[np.float64] | None:
    if len(example.boxes):
        box = example.boxes[int(rng.integers(len(example.boxes)))].astype(np.float64)
        middle: NDArray[np.float64] = (box[:2] + box[2:]) / 2
        return middle
    if example.paint is None:
        return None
    height, width = example.paint.shape
    for _ in range(20):  # a few darts instead of listing all painted pixels of a large image
        row, column = int(rng.integers(height)), int(rng.integers(width))
        if 0 < example.paint[row, column] < 255:
            return np.array([column, row], np.float64)
    return None
