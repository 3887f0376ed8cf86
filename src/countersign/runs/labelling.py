"""One worker's part of a run: load the model, put the engine between the store and it, leave in good order.

Which process this is in does not matter; see ``executors``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from countersign import imaging
from countersign.domain.errors import CountersignError, WorkspaceError, WrongState
from countersign.domain.geometry import Box, Keypoints
from countersign.domain.image import ImageState
from countersign.domain.label import Label, LabelClass, LabelState, Origin, Prediction, Provenance
from countersign.domain.model import ModelCard
from countersign.domain.run import Method, Run, RunState
from countersign.domain.work import ClaimedImage, ImageResult, Request
from countersign.imaging.files import MISSING
from countersign.models.contract import Model, Pixels, PredictOptions, ReadsFiles, Tally, device_of, is_parallel
from countersign.models.parts import acceleration
from countersign.runs import machine
from countersign.runs.engine import Engine, Plan
from countersign.runs.mask_files import MaskFolder
from countersign.runs.predicting import explain
from countersign.runs.pulse import Pulse
from countersign.runs.stages import GivenBoxes
from countersign.store import Store, classes, fields, images, labels, runs

T = TypeVar("T")
LoadModel = Callable[[Run], Model | GivenBoxes]

_POLL_S = 0.5  # how often a worker looks whether images that others have become free
_WORTH_MEASURING = 50  # images: a short run would be over before it is known which engine is faster
_TRIES_S = (0.2, 1.0, 3.0)  # pauses before a write that failed is tried again


@dataclass(slots=True)
class Skeleton:
    """The points of a model of poses, for the classes that it gives: whatever its boxes are called."""

    names: tuple[str, ...] = ()
    bones: tuple[tuple[int, int], ...] = ()
    known: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, card: ModelCard) -> Skeleton:
        """Return what a card tells in ``details``: ``keypoint_names`` and ``skeleton`` (pairs of indices)."""
        bones = tuple((int(first), int(second)) for first, second in card.details.get("skeleton", ()))
        return cls(tuple(card.details.get("keypoint_names", ())), bones)

    def classes_in(self, results: Sequence[ImageResult]) -> list[LabelClass]:
        """Return the classes with their points that come with these results for the first time."""
        if not self.names:
            return []
        found = dict.fromkeys(
            label.class_name
            for result in results
            for label in result.labels or ()
            if isinstance(label.geometry, Keypoints) and label.class_name not in self.known
        )
        return [LabelClass(name, keypoint_names=self.names, skeleton=self.bones) for name in found]


class StoreWork:
    """The images of a run in the store, as the engine sees them."""

    def __init__(
        self,
        store: Store,
        run: Run,
        name: str,
        provenance: Provenance,
        pulse: Pulse,
        *,
        tally: Tally | None = None,
        skeleton: Skeleton | None = None,
    ) -> None:
        self._store = store
        self._boxes_field = run.spec.boxes_field if run.spec.method is Method.EXISTING else ""
        self._project_id = run.project_id
        self._masks = MaskFolder(run) if run.spec.masks else None
        self._tally = tally or Tally()
        self._told: Counter[str] = Counter()  # what of the tally is written already
        self._skeleton = skeleton or Skeleton()
        self._run_id = run.id
        self._name = name
        self._provenance = provenance
        self._pulse = pulse

    def claim(self, limit: int) -> list[ClaimedImage]:
        """Take images that are free now."""
        with self._store.write() as c:
            claimed = runs.claim(c, self._run_id, self._name, limit=limit)
        return self._with_boxes(claimed) if self._boxes_field and claimed else claimed

    def _with_boxes(self, claimed: Sequence[ClaimedImage]) -> list[ClaimedImage]:
        """Give each image the boxes (or the bounds of other shapes) that its field has and nobody rejected."""
        with self._store.read() as c:
            field = fields.get(c, self._project_id, self._boxes_field)
            found = labels.for_images(c, field.id, [image.image_id for image in claimed])
        return [dataclasses.replace(image, given=_given(found[image.image_id])) for image in claimed]

    def others_have_some(self) -> bool:
        """Return whether there are images left though none is free, after waiting a moment if there are."""
        with self._store.read() as c:
            left = runs.pending(c, self._run_id) > 0
        return left and not self._pulse.wait(_POLL_S)

    def write(self, results: Sequence[ImageResult]) -> None:
        """Keep results; tried again when the database was away, as a transaction is all or nothing."""
        if self._masks is not None:
            results = [self._masks.keep(result) for result in results]
        gone = [result.image_id for result in results if result.labels is None and _vanished(result)]
        counted = Counter(self._tally.counts())
        news = counted - self._told
        posed = self._skeleton.classes_in(results)

        def once() -> None:
            with self._store.write() as c:
                if posed:
                    classes.ensure(c, self._project_id, posed)  # it keeps the points that a class has
                runs.write_batch(c, self._run_id, self._name, results, self._provenance, tally=news)
                if gone:
                    images.set_state(c, gone, ImageState.MISSING)

        _persist(once)
        self._told = counted
        self._skeleton.known.update(item.name for item in posed)


def _given(found: Sequence[Label]) -> tuple[Prediction, ...]:
    shapes = ((label, label.geometry) for label in found if label.state is not LabelState.REJECTED)
    return tuple(
        Prediction(label.class_name, Box(*shape.bounds), label.confidence)
        for label, shape in shapes
        if shape is not None and min(shape.bounds[2:]) > 0
    )


def _vanished(result: ImageResult) -> bool:
    return MISSING in result.error


def _persist(call: Callable[[], T]) -> T:
    for pause in _TRIES_S:
        try:
            return call()
        except Exception as error:
            if isinstance(error, CountersignError) and not isinstance(error, WorkspaceError):
                raise
            time.sleep(pause)
    return call()


def read(image: ClaimedImage) -> Pixels:
    """Read an image upright. Raises ImageError."""
    return imaging.read_rgb(image.path)


def reading(model: Model | GivenBoxes) -> Callable[[ClaimedImage], Any]:
    """Return how images are read for a model: by itself where it wants more than the pixels that a screen shows."""
    if not isinstance(model, ReadsFiles):
        return read
    return lambda image: model.read(image.path)


def provenance_of(run: Run, card: ModelCard) -> Provenance:
    """Return what every label of a run carries: written once, however many labels there are."""
    spec = run.spec
    return Provenance(
        Origin.MODEL,
        model=f"{spec.model} + {spec.refiner}" if spec.refiner else spec.model,
        prompt="; ".join(f"{prompt.text} -> {prompt.class_name}" for prompt in spec.prompts),
        model_version=card.version,
        weights_hash=card.weights_hash,
        min_confidence=spec.min_confidence,
        run_id=run.id,
    )


def work(
    store: Store,
    run_id: int,
    name: str,
    load: LoadModel,
    *,
    own_process: bool,
    cores: int,
    begun: Callable[[Pulse], None] | None = None,
) -> RunState:
    """Do one worker's part of a run that generates, and leave it. Returns the state of the run then.

    ``name`` has entered the run already. ``own_process`` allows what changes the whole process (thread counts);
    ``cores`` are those that it may use. ``begun`` gets the pulse, with which the work can be stopped.
    What goes wrong becomes the run's error if nobody else works on it; KeyboardInterrupt pauses it and goes on up.
    """

    def beat() -> Request | None:
        with store.write() as c:
            return runs.heartbeat(c, run_id, name)

    error = ""
    with Pulse(beat) as pulse:
        try:
            if begun:
                begun(pulse)
            _generate(store, run_id, name, load, pulse, own_process=own_process, cores=cores)
            if pulse.stopped and not pulse.asked and not pulse.dropped:
                error = "a worker was told to end by the system"
        except Exception as caught:
            error = explain(caught)
            raise
        except KeyboardInterrupt:
            with contextlib.suppress(WrongState), store.write() as c:
                runs.request(c, run_id, Request.PAUSE)
            raise
        finally:
            state = _persist(lambda: _leave(store, run_id, name, error))
    return state


def _leave(store: Store, run_id: int, name: str, error: str) -> RunState:
    with store.write() as c:
        return runs.leave(c, run_id, name, error=error)


def _generate(
    store: Store, run_id: int, name: str, load: LoadModel, pulse: Pulse, *, own_process: bool, cores: int
) -> None:
    with store.read() as c:
        run = runs.get(c, run_id)
    spec = run.spec
    model = _loaded(store, run, load)
    place = machine.layout(cores, parallel=is_parallel(model), on_gpu=not device_of(model).startswith("cpu"))
    plan = Plan(spec.batch_size, place.lanes, place.decoders)
    options = PredictOptions(spec.classes, spec.min_confidence, spec.settings, spec.task, spec.prompts)
    images_of_run = StoreWork(
        store,
        run,
        name,
        provenance_of(run, model.card),
        pulse,
        tally=options.tally,
        skeleton=Skeleton.of(model.card),
    )
    before = machine.use_threads(place.threads, place.lanes)
    if own_process:
        machine.single_threaded_decoding()
    try:
        while not pulse.stopped:
            engine = Engine(model, options, images_of_run, reading(model), plan, label_map=spec.label_map)
            with pulse.stopping(engine.stop):
                engine.run()
            # What is left belongs to other workers. One of them may die: then it is free again.
            if not images_of_run.others_have_some():
                break
    finally:
        if not own_process:
            machine.restore_threads(before)


def _loaded(store: Store, run: Run, load: LoadModel) -> Model | GivenBoxes:
    """Load, and let the run's record say that engines are measured meanwhile, and which one it was."""

    def say(text: str) -> None:
        with store.write() as c:
            runs.note(c, run.id, text)

    few = contextlib.nullcontext() if run.total >= _WORTH_MEASURING else acceleration.without_measuring()
    with acceleration.announced(say), few:
        model = load(run)
    details = model.card.details
    if details.get("engine"):
        reason = details.get("engine_reason")
        say(f"{details['engine']}: {reason}" if reason else str(details["engine"]))
    return model
