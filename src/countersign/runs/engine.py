"""The engine of a run: one loop that takes images, decodes ahead, predicts in batches and hands results on.

    take -> [decode and prepare: threads] -> buffer -> [predict in batches: lanes] -> queue -> [write: one thread]

Decoding and preparing never wait for a prediction, a prediction never waits for the disk or the database, and many
batches become one transaction when the database is slow. An image that fails becomes a result with its reason.

Where images come from and results go (a database, a list in a test) is behind ``Work``; where this runs (a process, a
thread) is not known here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from countersign.domain import label_map as mapping
from countersign.domain.errors import CountersignError, ImageError
from countersign.domain.label import Label, LabelState, Prediction
from countersign.domain.work import ClaimedImage, ImageResult
from countersign.models.contract import Model, Pixels, PredictOptions, SplitModel
from countersign.runs.flow import Buffer
from countersign.runs.predicting import BatchSize, explain, predict_all
from countersign.runs.stages import GivenBoxes, wanted

Read = Callable[[ClaimedImage], Pixels]


class Work(Protocol):
    """Where a worker gets images from and gives results to. Called from several threads."""

    def claim(self, limit: int) -> list[ClaimedImage]:
        """Take up to ``limit`` images; none ends the loop. Must not wait: images taken before wait for a full batch."""
        ...

    def write(self, results: Sequence[ImageResult]) -> None:
        """Keep results, all or none of them."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """How the work is laid out on the threads of this process.

    ``lanes`` threads predict, each with its own batch; ``decoders`` threads read and prepare. ``ahead_bytes`` bounds
    the decoded images that wait.
    """

    batch_size: int = 8
    lanes: int = 1
    decoders: int = 2
    ahead_bytes: int = 512 << 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the loop ended: ``stopped`` means that it was asked to, and that there may be more to do."""

    stopped: bool
    done: int
    failed: int


@dataclass(frozen=True, slots=True)
class _Ready:
    image: ClaimedImage
    prepared: Any


class Engine:
    """One loop over the images of a run. Use it once: ``Engine(...).run()``."""

    def __init__(
        self,
        model: Model | GivenBoxes,
        options: PredictOptions,
        work: Work,
        read: Read,
        plan: Plan,
        *,
        label_map: Mapping[str, str] | None = None,
    ) -> None:
        self._model = model
        self._options = options
        self._label_map = label_map or {}
        self._work = work
        self._read = read
        self._plan = plan
        self._batch = BatchSize(plan.batch_size)
        self._split = isinstance(model, SplitModel)
        room = plan.batch_size * (plan.lanes + 1)
        self._buffer: Buffer[_Ready] = Buffer(items=room, bytes_=plan.ahead_bytes, producers=plan.decoders)
        self._claimed: list[ClaimedImage] = []
        self._no_more = False
        self._claiming = threading.Lock()
        self._results: queue.Queue[list[ImageResult] | None] = queue.Queue(maxsize=64)
        self._stop, self._writer_gone = threading.Event(), threading.Event()
        self._error: BaseException | None = None
        self._done = self._failed = 0

    def run(self) -> Outcome:
        """Work until there is nothing more to take, or until somebody asks to stop. Raises what a part of it raised.

        After a request the batches in flight are finished and written; images decoded ahead are let go.
        """
        writer = self._spawn(self._write, "write")
        decoders = [self._spawn(self._decode, f"decode-{i}") for i in range(self._plan.decoders)]
        lanes = [self._spawn(self._predict, f"predict-{i}") for i in range(1, self._plan.lanes)]
        try:
            self._guard(self._predict)  # the first lane is this thread: what is not thread-safe stays in one place
        finally:
            for thread in (*lanes, *decoders):
                thread.join()
            self._hand_on(None)
            writer.join()
        if self._error is not None:
            raise self._error
        return Outcome(self._stop.is_set(), self._done, self._failed)

    def stop(self) -> None:
        """Ask the loop to end after the batches in flight. May be called from any thread, before or during ``run``."""
        self._stop.set()
        self._buffer.stop()

    def _spawn(self, target: Callable[[], None], name: str) -> threading.Thread:
        thread = threading.Thread(target=self._guard, args=(target,), name=f"engine-{name}", daemon=True)
        thread.start()
        return thread

    def _guard(self, target: Callable[[], None]) -> None:
        """Run one part; its error ends all of them and is raised by ``run``."""
        try:
            target()
        except BaseException as error:
            self._error = self._error or error
            self._stop.set()
            self._buffer.stop()
            if not isinstance(error, Exception) and threading.current_thread() is threading.main_thread():
                raise

    # -- take and decode ---------------------------------------------------------------------------------------------

    def _decode(self) -> None:
        try:
            while (image := self._next()) is not None:
                ready = self._prepare(image)
                if isinstance(ready, ImageResult):
                    self._hand_on([ready])
                elif not self._buffer.put(ready, _size(ready.prepared)):
                    return
        finally:
            self._buffer.done()

    def _next(self) -> ClaimedImage | None:
        with self._claiming:
            if not self._claimed and not self._no_more and not self._stop.is_set():
                # Few transactions, yet little to give back when this process dies.
                self._claimed = self._work.claim(self._plan.batch_size * (self._plan.lanes + 1))[::-1]
                self._no_more = not self._claimed
            if self._stop.is_set() or not self._claimed:
                return None
            return self._claimed.pop()

    def _prepare(self, image: ClaimedImage) -> _Ready | ImageResult:
        try:
            pixels = self._read(image)
            height, width = pixels.shape[:2]
            if (width, height) != (image.width, image.height):
                reason = (
                    f"{image.path} has changed: it is {width} x {height}, not {image.width} x {image.height} pixels"
                )
                raise ImageError(image.path, reason, remedy="Import it again.")
            return _Ready(image, self._model.prepare(pixels) if isinstance(self._model, SplitModel) else pixels)
        except Exception as error:
            return ImageResult(image.image_id, None, explain(error))

    # -- predict -----------------------------------------------------------------------------------------------------

    def _predict(self) -> None:
        while batch := self._buffer.take(self._batch.value):
            found = predict_all(self._call, batch, self._batch)
            self._hand_on([self._result(ready.image, result) for ready, result in zip(batch, found, strict=True)])

    def _call(self, batch: Sequence[_Ready]) -> list[list[Prediction]]:
        prepared = [ready.prepared for ready in batch]
        if isinstance(self._model, GivenBoxes):
            return self._model.predict_given(prepared, [ready.image.given for ready in batch], self._options)
        if isinstance(self._model, SplitModel):
            return self._model.predict_prepared(prepared, self._options)
        return self._model.predict(prepared, self._options)

    def _result(self, image: ClaimedImage, found: list[Prediction] | str) -> ImageResult:
        if isinstance(found, str):
            return ImageResult(image.image_id, None, found)
        try:
            return ImageResult(image.image_id, tuple(labels_of(found, self._options, self._label_map)))
        except CountersignError as error:
            return ImageResult(image.image_id, None, f"the model's answer cannot be used: {explain(error)}")

    # -- write -------------------------------------------------------------------------------------------------------

    def _hand_on(self, results: list[ImageResult] | None) -> None:
        """Give results to the writer; None says that there are no more. Waits while it is far behind."""
        while not self._writer_gone.is_set():
            with contextlib.suppress(queue.Full):
                self._results.put(results, timeout=1.0)
                return

    def _write(self) -> None:
        try:
            self._write_all()
        finally:
            self._writer_gone.set()

    def _write_all(self) -> None:
        over = False
        while not over:
            waiting = [self._results.get()]
            while True:
                try:
                    waiting.append(self._results.get_nowait())
                except queue.Empty:
                    break
            over = None in waiting
            results = [result for batch in waiting if batch for result in batch]
            if results:
                self._work.write(results)
                failed = sum(result.labels is None for result in results)
                self._failed += failed
                self._done += len(results) - failed


def _size(prepared: Any) -> int:
    """Bytes of what waits in the buffer: of an array, or of the arrays in a sequence or dataclass."""
    if hasattr(prepared, "nbytes"):
        return int(prepared.nbytes)
    if isinstance(prepared, tuple | list):
        return sum(map(_size, prepared))
    if dataclasses.is_dataclass(prepared):
        return sum(_size(getattr(prepared, item.name)) for item in dataclasses.fields(prepared))
    return 64


def labels_of(
    found: Sequence[Prediction], options: PredictOptions, label_map: Mapping[str, str] | None = None
) -> list[Label]:
    """Turn predictions into proposals, leaving out what was not asked for, whatever the model returned.

    ``label_map`` gives them the names of the project's classes; what it maps to nothing is left out.
    """
    return [
        Label(item.class_name, item.geometry, item.confidence, LabelState.PROPOSED, dict(item.attributes))
        for item in mapping.rename(wanted(found, options), label_map or {})
    ]
