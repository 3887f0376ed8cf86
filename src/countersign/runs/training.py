"""Trainings: make, start in a process or in the caller's thread, follow, cancel; the result becomes a model.

What a network is and how it learns is the learning part's business; what labels there are is the store's. This module
brings the two together.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from countersign import imaging
from countersign.domain.errors import Cancelled, CountersignError, InvalidInput, ModelError, SettingsError
from countersign.domain.label import Label, LabelState
from countersign.domain.model import StoredModel
from countersign.domain.query import LabelFilter
from countersign.domain.work import Request, Training, TrainingSpec, TrainingState
from countersign.learn import events
from countersign.learn.events import Event, OnEvent
from countersign.learn.settings import TrainingSettings
from countersign.runs import machine, processes
from countersign.runs.predicting import explain
from countersign.runs.pulse import Pulse
from countersign.runs.reporter import Reporter
from countersign.store import Store, fields, labels, trainings
from countersign.store import models as model_rows

POLL_S = 0.3
EMPTY_TAG = "empty"
"""Tag of an image that is known to show no object: without labels it teaches what is not there."""

_LEARNED_FROM = (LabelState.VERIFIED, LabelState.PROMOTED)


def create(store: Store, project_id: int, spec: TrainingSpec, *, created_by: str) -> Training:
    """Make a training and start nothing.

    Raises SettingsError, NameTaken or InvalidInput (the model's name), NotFound (the field), and InvalidInput where
    none of the images has labels.
    """
    _check_weights(settings_of(spec).weights)
    with store.write() as c:
        model_rows.check_free(c, model_rows.check_name(spec.model))
        field = fields.get(c, project_id, spec.field)
        chosen = labels.stream(c, field.id, spec.images, filter=_verified(spec), only_labelled=True)
        if next(iter(chosen), None) is None:
            raise InvalidInput(
                f"None of the images chosen has labels in {spec.field!r}",
                remedy="Import or draw some labels first, or choose other images.",
            )
        return trainings.create(c, project_id, spec, created_by=created_by)


def settings_of(spec: TrainingSpec) -> TrainingSettings:
    """Return the settings of a training, checked. Weights of one's own are meant to be used. Raises SettingsError."""
    settings = TrainingSettings.from_data(spec.settings)
    if settings.weights is None:
        return settings
    if spec.settings.get("pretrained") is False:
        raise SettingsError("pretrained", False, "true where weights are given")
    return dataclasses.replace(settings, pretrained=True)


def _check_weights(path: str | None) -> None:
    """A path that leads nowhere is told before anything starts, instead of a training from random weights."""
    if path is None:
        return
    found = Path(path).expanduser()
    good = any(found.glob("*.safetensors")) if found.is_dir() else found.is_file() and found.suffix == ".safetensors"
    if not good:
        raise SettingsError("weights", path, "the path of a .safetensors file, or of a folder with one")


def _verified(spec: TrainingSpec) -> LabelFilter:
    return LabelFilter(field=spec.field, states=_LEARNED_FROM)


def start(store: Store, training_id: int) -> Training:
    """Start a process that trains; it outlives the caller. Raises OSError where none can be started."""
    log = log_of(store, training_id)
    order = {"training": training_id}
    with store.write() as c:
        trainings.update(c, training_id)  # from now on a process is expected to say that it lives
    try:
        processes.spawn("countersign.runs.train_worker", store, order, log=log, threads=machine.cores())
    except OSError as error:
        with store.write() as c:
            trainings.finish(c, training_id, TrainingState.ERROR, error=f"no process could be started: {error}")
        raise
    return get(store, training_id)


def log_of(store: Store, training_id: int) -> Any:
    """Return the path of the log of a training's process."""
    return processes.log_file(store, f"training-{training_id}")


def get(store: Store, training_id: int) -> Training:
    """Return a training as it is now; one whose process has died becomes an error. Raises NotFound."""
    reap(store, training_id)
    with store.read() as c:
        return trainings.get(c, training_id)


def reap(store: Store, training_id: int | None = None) -> list[int]:
    """Notice trainings whose process has died. Returns which they are."""
    with store.read() as c:
        found = [trainings.get(c, training_id)] if training_id else trainings.list_all(c)
    if not any(item.active and _is_lost(item) for item in found):
        return []
    with store.write() as c:
        return trainings.reap(c, machine.HUNG_S, is_dead=_is_lost, reason=lambda item: _last_words(store, item))


def _is_lost(item: Training) -> bool:
    host = str(item.progress.get("host", ""))
    return item.beat_at is not None and machine.is_lost(host, item.pid or 0, item.beat_at)


def _last_words(store: Store, item: Training) -> str:
    said = processes.log_tail(log_of(store, item.id))
    return "its process has died" + (f"; it last said: {said}" if said else "")


def cancel(store: Store, training_id: int) -> Training:
    """Ask a training to stop; what it has learned by then becomes the model. Raises WrongState where it is over."""
    with store.write() as c:
        return trainings.cancel(c, training_id)


def wait(
    store: Store,
    training_id: int,
    on_event: OnEvent | None = None,
    should_cancel: Callable[[], bool] | None = None,
) -> Training:
    """Follow a training in another process until it is over, and return it.

    ``on_event`` gets what it reports (the newest of each kind where several came between two looks). Ctrl-C, or
    ``should_cancel`` saying True, cancels it; it is waited for, as it saves the best so far.
    """
    told: dict[str, Any] = {}
    asked = False
    while True:
        try:
            now = get(store, training_id)
            if on_event:
                _tell_news(now, told, on_event)
            if not now.active:
                return now
            if should_cancel and not asked and should_cancel():
                raise KeyboardInterrupt
            time.sleep(POLL_S)
        except KeyboardInterrupt:
            if asked:
                raise
            asked = True
            if get(store, training_id).active:
                cancel(store, training_id)


def _tell_news(now: Training, told: dict[str, Any], on_event: OnEvent) -> None:
    for kind in (events.Planned, events.Scored, events.Progress, events.Finished):
        key = kind.__name__.lower()
        data = now.progress.get(key)
        if data is not None and told.get(key) != data:
            told[key] = data
            on_event(kind(**data))
    notices = now.progress.get("notices", [])
    for notice in notices[told.get("notices", 0) :]:
        on_event(events.Notice(**notice))
    told["notices"] = len(notices)


def train(
    store: Store,
    training_id: int,
    *,
    on_event: OnEvent | None = None,
    should_cancel: Callable[[], bool] | None = None,
    device: str | None = None,
    begun: Callable[[Pulse], None] | None = None,
) -> StoredModel:
    """Do a training in this process and return the model. Raises what goes wrong, which its row says too.

    Cancelled (by its row, by ``should_cancel`` or Ctrl-C) it still returns the best so far, and raises Cancelled only
    where nothing had been learned yet.
    """
    with store.write() as c:
        training = trainings.begin(c, training_id, pid=os.getpid(), host=machine.HOST)
    reporter = Reporter()

    def beat() -> Request | None:
        with store.write() as c:
            return trainings.update(c, training_id, reporter.take())

    def tell(event: Event) -> None:
        reporter(event)
        if on_event:
            on_event(event)

    try:
        with Pulse(beat, every_s=1.0) as pulse:
            if begun:
                begun(pulse)
            stop = should_cancel or (lambda: False)
            trained = _fit(store, training, tell, lambda: pulse.stopped or stop(), device)
            cancelled = pulse.stopped or stop()
        model = keep(store, trained, training.spec.model)
    except BaseException as error:
        _end_without_model(store, training_id, error, reporter)
        raise
    with store.write() as c:
        state = TrainingState.CANCELLED if cancelled else TrainingState.DONE
        trainings.finish(c, training_id, state, model_id=model.id, progress=reporter.take())
    return model


def _end_without_model(store: Store, training_id: int, error: BaseException, reporter: Reporter) -> None:
    gone = isinstance(error, Cancelled | KeyboardInterrupt)
    state = TrainingState.CANCELLED if gone else TrainingState.ERROR
    with store.write() as c:
        said = "" if gone else explain(error)
        trainings.finish(c, training_id, state, error=said, progress=reporter.take())


def _fit(store: Store, training: Training, tell: OnEvent, stop: Callable[[], bool], device: str | None) -> Any:
    from countersign.learn.trainer import fit

    spec = training.spec
    images = images_of(store, training)
    return fit(images, (), settings_of(spec), name=spec.model, on_event=tell, should_cancel=stop, device=device)


def images_of(store: Store, training: Training) -> list[Any]:
    """Return what a training learns from: the learning part's ``TrainingImage`` values, in the order of ids.

    An image without labels counts as complete only if it is tagged so: else nobody has looked at it yet.
    """
    from countersign.learn.data import TrainingImage

    spec = training.spec
    with store.read() as c:
        field = fields.get(c, training.project_id, spec.field)
        found = []
        for image, known in labels.stream(c, field.id, spec.images, filter=_verified(spec)):
            taught: list[Label] = list(known)
            if not taught and EMPTY_TAG not in image.tags:
                continue
            load = functools.partial(imaging.read_rgb, image.path)
            size = (image.width, image.height)
            found.append(TrainingImage(image.name, image.content_hash, load, taught, True, *size))
    return found


def keep(store: Store, trained: Any, name: str) -> StoredModel:
    """Save a trained model into the workspace. A name taken meanwhile gets a number: nothing learned is lost."""
    from countersign.learn.saved import save

    folder = new_folder(name)
    card = save(trained, store.blobs / folder)
    with store.write() as c:
        return model_rows.add(c, name=model_rows.free_name(c, name), card=card, folder=folder)


def new_folder(name: str) -> str:
    """Return a folder below the blobs that no model has: readable, and never reused after a rename."""
    words = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name).strip("-")
    return f"models/{words or 'model'}-{uuid.uuid4().hex[:8]}"


def run(
    store: Store,
    project_id: int,
    spec: TrainingSpec,
    *,
    created_by: str,
    on_event: OnEvent | None = None,
    should_cancel: Callable[[], bool] | None = None,
    inline: bool = False,
) -> StoredModel:
    """Train from beginning to end, in a process of its own (or ``inline``), and return the model.

    Raises as ``create``; Cancelled where it was cancelled before it had learned anything; ModelError with what the
    training said where it failed.
    """
    training = create(store, project_id, spec, created_by=created_by)
    if inline:
        return train(store, training.id, on_event=on_event, should_cancel=should_cancel)
    start(store, training.id)
    done = wait(store, training.id, on_event, should_cancel)
    if done.model_id is None:
        if done.state is TrainingState.CANCELLED:
            raise Cancelled("the training was cancelled before it had learned anything")
        raise failure_of(done)
    with store.read() as c:
        return model_rows.get(c, done.model_id)


def failure_of(training: Training) -> CountersignError:
    """Return the error that a training in another process ended with."""
    return ModelError(f"The training {training.name!r} failed: {training.error or 'it said nothing'}")


__all__ = [
    "EMPTY_TAG",
    "cancel",
    "create",
    "get",
    "images_of",
    "keep",
    "reap",
    "run",
    "settings_of",
    "start",
    "train",
    "wait",
]
