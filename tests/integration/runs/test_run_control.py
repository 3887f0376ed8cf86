"""Runs from beginning to end, in this process and in others."""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import fake_models
import pytest

from countersign.domain.errors import InvalidInput, ModelError, NotFound, WrongState
from countersign.domain.image import ImageState, Project
from countersign.domain.label import LabelState
from countersign.domain.query import ImageQuery
from countersign.domain.run import Run, RunSpec, RunState
from countersign.domain.work import RunProgress
from countersign.models import registry
from countersign.models.parts import acceleration
from countersign.runs import control, executors, labelling
from countersign.runs.executors import Processes
from countersign.store import Store, images, labels, runs

MakeProject = Callable[[int], Project]


def _create(store: Store, project: Project, model: str = "fake:quick", **more: object) -> Run:
    spec = RunSpec(model, str(more.pop("field", "f")), **{"min_confidence": 0.0, **more})  # type: ignore[arg-type]
    return control.create(store, project.id, spec, created_by="ann")


def _check_complete(store: Store, run: Run) -> None:
    """Every image done, each with its two labels exactly once, and the counters say so."""
    with store.read() as c:
        stored = labels.for_images(c, run.field_id, images.ids(c, run.project_id))
        assert labels.count(c, run.field_id) == 2 * run.total == run.labels
    assert (run.state, run.done, run.failed, run.pending) == (RunState.IN_REVIEW, run.total, 0, 0)
    assert all(len(found) == 2 for found in stored.values())
    assert len(stored) == run.total
    assert all(label.state is LabelState.PROPOSED for found in stored.values() for label in found)


def test_inline(store: Store, project_of: MakeProject) -> None:
    run = _create(store, project_of(20), executor="inline", batch_size=3)
    done = control.start(store, run.id)
    _check_complete(store, done)
    with store.read() as c:
        label = labels.for_images(c, run.field_id, [images.ids(c, run.project_id)[0]]).popitem()[1][0]
    assert label.provenance is not None
    assert (label.provenance.model, label.provenance.weights_hash) == ("fake:quick", "f00")
    assert (label.provenance.run_id, label.provenance.min_confidence) == (run.id, 0.0)


@pytest.mark.parametrize("worth", [2, 3])
def test_inline__its_record_says_what_computes_the_model(
    store: Store, project_of: MakeProject, monkeypatch: pytest.MonkeyPatch, worth: int
) -> None:
    """Engines are measured where the run has as many images as make it worth while."""
    noted: list[str] = []
    measured: list[bool] = []

    def load(_: Store, run: Run) -> fake_models.Fake:
        acceleration._tell("Measuring")
        measured.append(acceleration._may_measure.get())
        with store.read() as c:
            noted.append(runs.get(c, run.id).note)
        model = fake_models.Fake(registry.parse("fake:quick"))
        model.card = dataclasses.replace(model.card, details={"engine": "onnx", "engine_reason": "faster"})
        return model

    run = _create(store, project_of(2), executor="inline")
    monkeypatch.setattr(executors, "load_model", load)
    monkeypatch.setattr(labelling, "_WORTH_MEASURING", worth)
    done = control.start(store, run.id)
    assert (noted, measured) == (["Measuring"], [worth <= 2])
    assert done.note == control.progress(store, run.id).note == "onnx: faster"


def test_inline__what_fails_is_told_and_can_be_tried_again(
    store: Store, project_of: MakeProject, tmp_path: Path
) -> None:
    run = _create(store, project_of(8), "fake:quick?fail_black", executor="inline", batch_size=4)
    lost, broken = tmp_path / "pictures" / "0003.png", tmp_path / "pictures" / "0005.png"
    kept = lost.read_bytes(), broken.read_bytes()
    lost.unlink()
    broken.write_bytes(b"no picture")
    done = control.start(store, run.id)
    assert (done.state, done.done, done.failed) == (RunState.IN_REVIEW, 5, 3)
    with store.read() as c:
        found = {name: reason for _, name, reason in runs.failures(c, run.id)}
        missing = images.page(c, run.project_id, ImageQuery(file=ImageState.MISSING))
    assert found["0000.png"] == "ValueError: too dark"
    assert "the file is not there" in found["0003.png"]
    assert str(broken) in found["0005.png"]
    assert [image.name for image in missing] == ["0003.png"]
    lost.write_bytes(kept[0])
    broken.write_bytes(kept[1])
    again = control.retry_failed(store, run.id)
    assert (again.state, again.done, again.failed) == (RunState.IN_REVIEW, 7, 1)


def test_inline__filters(store: Store, project_of: MakeProject) -> None:
    project = project_of(6)
    run = _create(store, project, executor="inline", classes=("dark",), min_confidence=1.0)
    done = control.start(store, run.id)
    with store.read() as c:
        stored = labels.for_images(c, run.field_id, images.ids(c, project.id))
    assert {label.class_name for found in stored.values() for label in found} == {"dark"}
    confidences = [label.confidence for found in stored.values() for label in found if label.geometry is None]
    assert confidences == [1.0], "the black image; what has no confidence stays"
    assert done.labels == sum(map(len, stored.values()))


def test_create__refused_before_anything_is_stored(store: Store, project_of: MakeProject) -> None:
    project = project_of(1)
    with pytest.raises(NotFound, match="no model 'nobody'"):
        _create(store, project, "nobody")
    with pytest.raises(NotFound, match="There are: quick"):
        _create(store, project, "fake:nobody")
    with pytest.raises(ModelError, match="does not know cat, dog"):
        _create(store, project, classes=("dark", "cat", "dog"))
    with pytest.raises(NotFound, match="executor"):
        _create(store, project, executor="moon")
    with store.read() as c:
        assert runs.list_all(c) == []


def test_inline__a_model_that_cannot_be_loaded(store: Store, project_of: MakeProject) -> None:
    run = _create(store, project_of(1), "fake:broken", executor="inline")
    with pytest.raises(RuntimeError, match="on fire"):
        control.start(store, run.id)
    assert control.get(store, run.id).state is RunState.ERROR
    assert control.get(store, run.id).error == "RuntimeError: weights on fire"


def test_processes(store: Store, project_of: MakeProject, fake_processes: Processes) -> None:
    run = _create(store, project_of(60), workers=2, batch_size=4)
    begun = control.start(store, run.id, with_executor=fake_processes)
    assert begun.state is RunState.GENERATING
    with pytest.raises(WrongState, match="at work already"):
        control.start(store, run.id, with_executor=fake_processes)
    seen: list[RunProgress] = []
    _check_complete(store, control.wait(store, run.id, seen.append, timeout_s=120))
    assert seen[-1].done == 60
    assert not seen[-1].active


def test_processes__pause_resume_cancel_review(
    store: Store, project_of: MakeProject, fake_processes: Processes
) -> None:
    run = _create(store, project_of(200), "fake:quick?delay=0.1", batch_size=2)
    with pytest.raises(WrongState):
        control.pause(store, run.id)
    for ask, expected in (
        (control.pause, RunState.PAUSED),
        (control.cancel, RunState.CANCELLED),
        (control.skip_to_review, RunState.IN_REVIEW),
    ):
        before = control.get(store, run.id).done
        control.start(store, run.id, with_executor=fake_processes)
        _until(store, run, before + 1)
        ask(store, run.id)
        stopped = control.wait(store, run.id, timeout_s=60)
        assert stopped.state is expected
        assert before < stopped.done < 200
        with store.read() as c:
            assert labels.count(c, run.field_id) == 2 * stopped.done
    with pytest.raises(WrongState):
        control.resume(store, run.id, with_executor=fake_processes)


def test_at_rest__cancel_and_review(store: Store, project_of: MakeProject) -> None:
    run = _create(store, project_of(1))
    assert control.cancel(store, run.id).state is RunState.CANCELLED
    assert control.skip_to_review(store, run.id).state is RunState.IN_REVIEW
    with pytest.raises(WrongState):
        control.cancel(store, run.id)


@pytest.mark.parametrize(("model", "said"), [("fake:broken", "weights on fire"), ("fake:crash", "about to crash")])
def test_processes__a_worker_that_fails_or_dies(
    store: Store, project_of: MakeProject, fake_processes: Processes, model: str, said: str
) -> None:
    run = _create(store, project_of(2), model)
    control.start(store, run.id, with_executor=fake_processes)
    done = control.wait(store, run.id, timeout_s=60)
    assert done.state is RunState.ERROR
    assert said in done.error


def test_processes__told_to_end_by_the_system(store: Store, project_of: MakeProject, fake_processes: Processes) -> None:
    run = _create(store, project_of(200), "fake:quick?delay=0.1", batch_size=2)
    control.start(store, run.id, with_executor=fake_processes)
    _until(store, run, 1)
    _signal(store, run, signal.SIGTERM)
    done = control.wait(store, run.id, timeout_s=60)
    assert (done.state, done.error) == (RunState.ERROR, "a worker was told to end by the system")
    with store.read() as c:
        assert labels.count(c, run.field_id) == 2 * done.done


def _until(store: Store, run: Run, done: int) -> None:
    """Wait until so many images are done, or the run has stopped."""
    deadline = time.monotonic() + 60
    while (now := control.progress(store, run.id)).active and now.done < done:
        assert time.monotonic() < deadline, now
        time.sleep(0.01)


def _signal(store: Store, run: Run, what: signal.Signals) -> None:
    with store.read() as c:
        pids = [info.pid for info in runs.workers(c, run.id)]
    for pid in pids:
        if pid > 0 and pid != os.getpid():
            os.kill(pid, what)


@pytest.mark.slow
def test_kill_at_random_moments(store: Store, project_of: MakeProject, fake_processes: Processes) -> None:
    """However often and whenever all workers are killed: no image is lost, none is labelled twice."""
    kills = 10 if store.embedded else 3
    rng = random.Random(7)
    run = _create(store, project_of(400), "fake:quick?delay=0.002", workers=2, batch_size=3)
    killed = 0
    for attempt in range(kills):
        control.start(store, run.id, with_executor=fake_processes)
        if attempt % 5:
            _until(store, run, control.get(store, run.id).done + rng.randint(1, 25))
        time.sleep(rng.uniform(0, 0.08))  # every fifth time while the processes are being born
        _signal(store, run, signal.SIGKILL)
        now = control.wait(store, run.id, timeout_s=60)
        killed += now.state is RunState.ERROR
        with store.read() as c:
            assert labels.count(c, run.field_id) == 2 * now.done == now.labels
    assert killed >= kills - 2, "most of them hit it at work"
    if control.get(store, run.id).state is not RunState.IN_REVIEW:
        control.resume(store, run.id, with_executor=fake_processes)
    _check_complete(store, control.wait(store, run.id, timeout_s=120))


def test_reference_of_the_fake_family() -> None:
    assert fake_models.registry.parse("fake:quick?delay=1").options == {"delay": "1"}


def test_inline__where_every_image_fails_it_is_an_error_with_the_reason(
    store: Store, project_of: MakeProject, tmp_path: Path
) -> None:
    run = _create(store, project_of(3), executor="inline")
    files = sorted((tmp_path / "pictures").glob("*.png"))
    kept = [file.read_bytes() for file in files]
    for file in files:
        file.write_bytes(b"no picture")
    stopped = control.start(store, run.id)
    assert (stopped.state, stopped.failed) == (RunState.ERROR, 3)
    assert stopped.error.startswith("all 3 images failed, the first because: ")
    assert "not an image" in stopped.error
    for file, content in zip(files, kept, strict=True):
        file.write_bytes(content)
    _check_complete(store, control.resume(store, run.id))


def test_cancel__says_in_plain_words_why_not(store: Store, project_of: MakeProject) -> None:
    run = _create(store, project_of(2), executor="inline")
    control.cancel(store, run.id)
    with pytest.raises(WrongState, match="is cancelled already"):
        control.cancel(store, run.id)
    control.start(store, run.id)
    with pytest.raises(WrongState, match="has finished and is in review: there is nothing to cancel"):
        control.cancel(store, run.id)
    with pytest.raises(WrongState, match="is in review already"):
        control.skip_to_review(store, run.id)


def test_create__a_setting_that_the_model_does_not_have_is_refused(store: Store, project_of: MakeProject) -> None:
    with pytest.raises(InvalidInput, match=r"no setting 'nonsense'.*It has no settings"):
        _create(store, project_of(1), settings={"nonsense": 1})
