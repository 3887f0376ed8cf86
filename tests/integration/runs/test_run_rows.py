"""The rows of runs, on both databases."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from countersign.domain.errors import InvalidInput, NameTaken, NotFound, WrongState
from countersign.domain.image import Project
from countersign.domain.label import Label, LabelState, Origin, Provenance
from countersign.domain.query import ImageQuery
from countersign.domain.run import Run, RunSpec, RunState
from countersign.domain.work import ClaimedImage, ImageResult, Request
from countersign.store import Store, fields, history, labels, runs

MakeProject = Callable[[int], Project]
MODEL = Provenance(Origin.MODEL, model="m", weights_hash="f00", min_confidence=0.1)


def _begin(store: Store, project: Project, field: str = "f", *workers: str) -> Run:
    with store.write() as c:
        run = runs.create(c, project.id, RunSpec("m", field), created_by="ann")
        runs.start(c, run.id)
        for name in workers or ("w",):
            runs.enter(c, run.id, name, pid=0, host="h")
        return runs.get(c, run.id)


def _results(images: list[ClaimedImage]) -> list[ImageResult]:
    return [ImageResult(image.image_id, (Label("a", None, 0.5, LabelState.PROPOSED),)) for image in images]


def test_create(store: Store, project_of: MakeProject) -> None:
    project = project_of(5)
    spec = RunSpec("m", "f", ImageQuery(names=("0001", "0003")), ("a",), 0.25, "my run", 2, 4, {"nms": 0.5})
    with store.write() as c:
        run = runs.create(c, project.id, spec, created_by="ann")
    assert (run.state, run.total, run.pending, run.name, run.created_by) == (RunState.QUEUED, 2, 2, "my run", "ann")
    with store.read() as c:
        assert runs.get(c, run.id) == run
        assert run.spec == spec
        for wanted in ("my run", "f", str(run.id)):
            assert runs.find(c, project.id, wanted) == run
        assert runs.find(c, None, "my run") == run
        assert runs.list_all(c) == runs.list_all(c, project.id) == [run]
        assert fields.get(c, project.id, "f").run_id == run.id


def test_create__refused(store: Store, project_of: MakeProject) -> None:
    project = project_of(2)
    with store.write() as c:
        runs.create(c, project.id, RunSpec("m", "f", name="one"), created_by="ann")
    with pytest.raises(NameTaken, match="field"), store.write() as c:
        runs.create(c, project.id, RunSpec("m", "f"), created_by="ann")
    with pytest.raises(NameTaken, match="run"), store.write() as c:
        runs.create(c, project.id, RunSpec("m", "g", name="one"), created_by="ann")
    with pytest.raises(InvalidInput, match="no images"), store.write() as c:
        runs.create(c, project.id, RunSpec("m", "g", ImageQuery(text="nothing")), created_by="ann")
    with store.read() as c:
        assert [field.field.name for field in fields.list_all(c, project.id)] == ["f"], "nothing is left of a refusal"
        with pytest.raises(NotFound, match="There are: one"):
            runs.find(c, project.id, "two")


def test_rename(store: Store, project_of: MakeProject) -> None:
    project = project_of(1)
    first, second = _begin(store, project, "f"), _begin(store, project, "g")
    with store.write() as c:
        assert runs.rename(c, first.id, " better ").name == "better"
    with pytest.raises(NameTaken), store.write() as c:
        runs.rename(c, second.id, "better")


def test_two_workers_never_get_the_same_image(store: Store, project_of: MakeProject) -> None:
    run = _begin(store, project_of(10), "f", "a", "b")
    with store.write() as c:
        first = runs.claim(c, run.id, "a", limit=4)
        second = runs.claim(c, run.id, "b", limit=100)
        assert runs.claim(c, run.id, "a", limit=4) == []
    ids = [image.image_id for image in (*first, *second)]
    assert len(ids) == len(set(ids)) == 10
    assert (first[0].width, first[0].height) == (8, 6)


def test_write_batch__once(store: Store, project_of: MakeProject) -> None:
    run = _begin(store, project_of(6))
    with store.write() as c:
        mine = runs.claim(c, run.id, "w", limit=6)
        results = [*_results(mine[:4]), ImageResult(mine[4].image_id, None, "broken")]
        assert runs.write_batch(c, run.id, "w", results, MODEL) == 5
        assert runs.write_batch(c, run.id, "w", results, MODEL) == 0
        after = runs.get(c, run.id)
        assert (after.done, after.failed, after.labels, after.pending) == (4, 1, 4, 1)
        assert labels.count(c, run.field_id) == 4
        assert [(name, reason) for _, name, reason in runs.failures(c, run.id)] == [("0004.png", "broken")]
        stored = labels.for_images(c, run.field_id, [mine[0].image_id])[mine[0].image_id]
        assert stored[0].provenance == MODEL
        changes = history.list(c, run.project_id)
        assert [(change.verb, change.actor, change.count) for change in changes] == [("run", "ann", 4)]


def test_write_batch__a_worker_that_lost_its_images_writes_nothing(store: Store, project_of: MakeProject) -> None:
    run = _begin(store, project_of(3), "f", "sleepy", "awake")
    with store.write() as c:
        lost = runs.claim(c, run.id, "sleepy", limit=3)
    with store.write() as c:
        taken = runs.claim(c, run.id, "awake", limit=2, stale_s=-1.0)  # everybody else has been silent for too long
    assert len(taken) == 2
    with store.write() as c:
        assert runs.write_batch(c, run.id, "sleepy", _results(lost), MODEL) == 1, "the one that nobody took"
        assert runs.write_batch(c, run.id, "awake", _results(taken), MODEL) == 2
        assert labels.count(c, run.field_id) == 3
        assert runs.get(c, run.id).done == 3


def test_a_dropped_worker_gets_and_writes_nothing(store: Store, project_of: MakeProject) -> None:
    run = _begin(store, project_of(3))
    with store.write() as c:
        mine = runs.claim(c, run.id, "w", limit=2)
        runs.drop(c, run.id, ["w"])
        assert runs.heartbeat(c, run.id, "w") is None
        assert runs.claim(c, run.id, "w", limit=2) == []
        assert runs.write_batch(c, run.id, "w", _results(mine), MODEL) == 0


@pytest.mark.parametrize(
    ("request_", "error", "expected"),
    [
        (Request.NONE, "", RunState.ERROR),
        (Request.NONE, "it broke", RunState.ERROR),
        (Request.PAUSE, "", RunState.PAUSED),
        (Request.CANCEL, "", RunState.CANCELLED),
        (Request.REVIEW, "", RunState.IN_REVIEW),
    ],
)
def test_leave__with_images_left(
    store: Store, project_of: MakeProject, request_: Request, error: str, expected: RunState
) -> None:
    run = _begin(store, project_of(3), "f", "a", "b")
    with store.write() as c:
        runs.claim(c, run.id, "a", limit=2)
        if request_:
            runs.request(c, run.id, request_)
        assert runs.heartbeat(c, run.id, "a") is request_
        assert runs.leave(c, run.id, "a", error=error) is RunState.GENERATING, "b is still there"
        assert len(runs.claim(c, run.id, "b", limit=5)) == 3, "what a had is free"
        assert runs.leave(c, run.id, "b", error=error) is expected
        after = runs.get(c, run.id)
        assert runs.requested(c, run.id) is Request.NONE
    assert after.error == (error or "its workers ended with 3 images still to do" if expected is RunState.ERROR else "")
    with store.write() as c:
        if expected is not RunState.IN_REVIEW:
            assert runs.start(c, run.id).state is RunState.GENERATING


def test_start__again_retries_what_failed(store: Store, project_of: MakeProject) -> None:
    run = _begin(store, project_of(2))
    with store.write() as c:
        mine = runs.claim(c, run.id, "w", limit=2)
        runs.write_batch(c, run.id, "w", [*_results(mine[:1]), ImageResult(mine[1].image_id, None, "x")], MODEL)
        assert runs.leave(c, run.id, "w") is RunState.IN_REVIEW
        assert runs.start(c, run.id).pending == 1
        with pytest.raises(WrongState, match="at work already"):
            runs.start(c, run.id)
        runs.enter(c, run.id, "w2", pid=0, host="h")
        again = runs.claim(c, run.id, "w2", limit=5)
        assert [image.image_id for image in again] == [mine[1].image_id]
        runs.write_batch(c, run.id, "w2", _results(again), MODEL)
        assert runs.leave(c, run.id, "w2") is RunState.IN_REVIEW
        with pytest.raises(WrongState, match="no image of it failed"):
            runs.start(c, run.id)
        assert labels.count(c, run.field_id) == 2


def test_request__nobody_at_work(store: Store, project_of: MakeProject) -> None:
    project = project_of(1)
    with store.write() as c:
        run = runs.create(c, project.id, RunSpec("m", "f"), created_by="ann")
    with pytest.raises(WrongState), store.write() as c:
        runs.request(c, run.id, Request.PAUSE)
    with pytest.raises(WrongState), store.write() as c:
        runs.move(c, run.id, RunState.APPROVED)


def test_reap(store: Store, project_of: MakeProject) -> None:
    project = project_of(2)
    silent, lively = _begin(store, project, "f"), _begin(store, project, "g")
    time.sleep(0.3)
    with store.write() as c:
        runs.heartbeat(c, lively.id, "w")
        assert runs.reap(c, 0.25, reason=lambda info: f"{info.name} is gone") == [silent.id]
        assert runs.get(c, silent.id).error == "w is gone"
        assert runs.get(c, lively.id).state is RunState.GENERATING
        assert runs.reap(c, 3600, is_dead=lambda info: True) == [lively.id]


def test_reap__a_run_whose_starter_died_before_any_worker(store: Store, project_of: MakeProject) -> None:
    project = project_of(1)
    with store.write() as c:
        run = runs.create(c, project.id, RunSpec("m", "f"), created_by="ann")
        runs.start(c, run.id)
        assert runs.reap(c, 3600) == []
        assert runs.reap(c, -1.0) == [run.id]
        started = runs.get(c, run.id).started_at
    assert started is not None
    assert datetime.now(UTC) - started < timedelta(minutes=5)
