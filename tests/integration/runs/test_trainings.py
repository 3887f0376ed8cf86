"""Trainings as rows and in processes of their own, and what can be done with their models."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from countersign import imaging
from countersign.domain.errors import InvalidInput, ModelError, NameTaken, NotFound, SettingsError, WrongState
from countersign.domain.geometry import Box
from countersign.domain.image import Project
from countersign.domain.label import Label, Verb
from countersign.domain.model import ModelCard, Task
from countersign.domain.work import Request, TrainingSpec, TrainingState
from countersign.learn import events
from countersign.runs import catalogue, training
from countersign.store import Store, fields, history, images, labels, models, projects, trainings
from countersign.store.images import NewImage

CARD = ModelCard("m", "trained", (Task.DETECTION,), ("a",))
QUICK = {"epochs": 2, "image_size": 224, "batch_size": 2}


@pytest.fixture
def squares(store: Store, tmp_path: Path) -> Project:
    """Six pictures of a white square; four have their label, one of the others is known to be empty."""
    folder = tmp_path / "squares"
    folder.mkdir()
    items = []
    for index in range(6):
        pixels = np.full((64, 64, 3), index, np.uint8)
        if index < 5:
            pixels[10 + index : 34 + index, 16:40] = 255
        path = folder / f"{index}.png"
        cv2.imwrite(str(path), pixels)
        items.append(NewImage(imaging.probe(path), path.name, tags=("empty",) if index == 5 else ()))
    with store.write() as c:
        project = projects.create(c, "squares")
        ids = images.add(c, project.id, items).added
        field = fields.ensure(c, project.id, "ground_truth")
        change = history.begin(c, project.id, Verb.CREATE, "ann", field.id)
        taught = [(ids[i], Label("square", Box(16, 10 + i, 24, 24))) for i in range(4)]
        labels.add(c, field.id, taught, change_id=change)
    return project


def test_rows(store: Store, squares: Project) -> None:
    with store.write() as c:
        made = trainings.create(c, squares.id, TrainingSpec("m", settings={"epochs": 3}), created_by="ann")
        assert (made.state, made.active, made.spec.settings) == (TrainingState.QUEUED, True, {"epochs": 3})
        assert trainings.begin(c, made.id, pid=1, host="h").state is TrainingState.TRAINING
        with pytest.raises(WrongState):
            trainings.begin(c, made.id, pid=2, host="h")
        assert trainings.update(c, made.id, {"progress": {"epoch": 1}}) is Request.NONE
        trainings.cancel(c, made.id)
        assert trainings.update(c, made.id, {"notices": []}) is Request.CANCEL
        assert trainings.get(c, made.id).progress == {"host": "h", "progress": {"epoch": 1}, "notices": []}
        ended = trainings.finish(c, made.id, TrainingState.ERROR, error="x")
        assert (ended.state, ended.error, ended.active) == (TrainingState.ERROR, "x", False)
        assert trainings.update(c, made.id) is None
        assert trainings.finish(c, made.id, TrainingState.DONE).state is TrainingState.ERROR
        with pytest.raises(WrongState):
            trainings.cancel(c, made.id)
        assert trainings.list_all(c, squares.id) == [ended]
        with pytest.raises(NotFound):
            trainings.get(c, 99)


def test_rows__a_silent_process(store: Store, squares: Project) -> None:
    with store.write() as c:
        waiting = trainings.create(c, squares.id, TrainingSpec("m"), created_by="ann")
        begun = trainings.create(c, squares.id, TrainingSpec("n"), created_by="ann")
        trainings.begin(c, begun.id, pid=1, host="h")
        assert trainings.reap(c, 60) == []
        assert trainings.reap(c, -1, reason=lambda item: f"{item.name} died") == [begun.id]
        assert trainings.get(c, begun.id).error == "n died"
        assert trainings.get(c, waiting.id).active
        assert trainings.cancel(c, waiting.id).state is TrainingState.CANCELLED


def test_models(store: Store) -> None:
    with store.write() as c:
        first = models.add(c, name="one", card=CARD, folder="models/one")
        assert (first.card.name, first.folder) == ("one", "models/one")
        with pytest.raises(NameTaken):
            models.add(c, name=" one ", card=CARD, folder="x")
        with pytest.raises(InvalidInput):
            models.add(c, name="../one", card=CARD, folder="x")
        with pytest.raises(InvalidInput):
            models.add(c, name="timm:one", card=CARD, folder="x")
        assert models.free_name(c, "one") == "one-2"
        models.add(c, name="two", card=CARD, folder="models/two")
        with pytest.raises(NameTaken):
            models.rename(c, "two", "one")
        assert models.rename(c, "two", "three").card.name == "three"
        assert [item.name for item in models.list_all(c)] == ["one", "three"]
        with pytest.raises(NotFound, match="There are: one, three"):
            models.get(c, "two")
        assert models.delete(c, "one").folder == "models/one"
        assert [item.name for item in models.list_all(c)] == ["three"]


def test_create__refused(store: Store, squares: Project) -> None:
    def create(spec: TrainingSpec) -> None:
        training.create(store, squares.id, spec, created_by="ann")

    with pytest.raises(SettingsError, match="epochs"):
        create(TrainingSpec("m", settings={"epochs": 0}))
    with pytest.raises(NotFound, match="field"):
        create(TrainingSpec("m", field="nowhere"))
    with pytest.raises(InvalidInput, match="None of the images chosen has labels"):
        create(TrainingSpec("m", images=images.ImageQuery(names=("4",))))
    with store.write() as c:
        models.add(c, name="m", card=CARD, folder="x")
    with pytest.raises(NameTaken):
        create(TrainingSpec("m"))
    with store.read() as c:
        assert trainings.list_all(c) == []


def test_images_of(store: Store, squares: Project) -> None:
    made = training.create(store, squares.id, TrainingSpec("m"), created_by="ann")
    found = training.images_of(store, made)
    assert [(item.name, len(item.labels), item.complete) for item in found] == [
        ("0.png", 1, True), ("1.png", 1, True), ("2.png", 1, True), ("3.png", 1, True), ("5.png", 0, True),
    ]  # fmt: skip
    assert found[0].load(max_size=32).shape == (32, 32, 3)


@pytest.mark.slow
def test_train_in_a_process_and_use_the_model(store: Store, squares: Project, tmp_path: Path) -> None:
    told: list[events.Event] = []
    spec = TrainingSpec("my cells", settings=QUICK)
    model = training.run(store, squares.id, spec, created_by="ann", on_event=told.append)
    assert (model.name, model.card.name, model.card.classes) == ("my cells", "my cells", ("square",))
    assert {events.Planned, events.Progress} <= {type(event) for event in told}
    with store.read() as c:
        row = trainings.list_all(c)[0]
    assert (row.state, row.model_id) == (TrainingState.DONE, model.id)
    assert catalogue.card(store, "my cells").weights_hash == model.card.weights_hash

    with store.write() as c:
        models.rename(c, "my cells", "better")
    assert catalogue.card(store, "better").name == "better"
    file = catalogue.export(store, "better", tmp_path / "out.countersign-model")
    with pytest.raises(NameTaken):
        catalogue.import_file(store, file)
    again = catalogue.import_file(store, file, name="copy")
    assert again.card.weights_hash == model.card.weights_hash
    loaded = catalogue.load(store, "copy", device="cpu")
    assert loaded.card.classes == ("square",)
    folder = store.blobs / again.folder
    catalogue.delete(store, "copy")
    assert not folder.exists()
    file.write_bytes(file.read_bytes()[:-2000])
    with pytest.raises(ModelError):
        catalogue.import_file(store, file, name="damaged")


@pytest.mark.slow
def test_train__cancelled_and_killed(store: Store, squares: Project) -> None:
    if not store.embedded:
        pytest.skip("the rows are tested on both databases; the processes on one")
    long = QUICK | {"epochs": 500}
    made = training.create(store, squares.id, TrainingSpec("cancelled", settings=long), created_by="ann")
    training.start(store, made.id)
    _until_learning(store, made.id)
    training.cancel(store, made.id)
    done = training.wait(store, made.id)
    assert (done.state, done.error) == (TrainingState.CANCELLED, "")
    assert done.model_id is not None, "the best so far is kept"

    made = training.create(store, squares.id, TrainingSpec("killed", settings=long), created_by="ann")
    training.start(store, made.id)
    pid = _until_learning(store, made.id)
    os.kill(pid, signal.SIGKILL)
    done = training.wait(store, made.id)
    assert (done.state, done.model_id) == (TrainingState.ERROR, None)
    assert "its process has died" in done.error


def _until_learning(store: Store, training_id: int) -> int:
    deadline = time.monotonic() + 120
    while "progress" not in (now := training.get(store, training_id)).progress:
        assert now.active, now
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert now.pid is not None
    return now.pid


def test_weights_of_ones_own(store: Store, squares: Project, tmp_path: Path) -> None:
    """Naming weights means using them, and a path without any is told before anything starts."""
    for path in (tmp_path / "nowhere", tmp_path, tmp_path / "squares" / "0.png"):
        with pytest.raises(SettingsError, match="weights is"):
            training.create(store, squares.id, TrainingSpec("m", settings={"weights": str(path)}), created_by="ann")
    file = tmp_path / "mine.safetensors"
    file.touch()
    for path in (file, tmp_path):
        assert training.settings_of(TrainingSpec("m", settings={"weights": str(path)})).pretrained
        training.create(store, squares.id, TrainingSpec(path.name, settings={"weights": str(path)}), created_by="ann")
    with pytest.raises(SettingsError, match="pretrained is False"):
        training.settings_of(TrainingSpec("m", settings={"weights": str(file), "pretrained": False}))
    assert not training.settings_of(TrainingSpec("m", settings={})).pretrained
