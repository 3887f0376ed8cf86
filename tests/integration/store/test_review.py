"""Reviewing a run step by step: states, approval, adoption, history, and two processes at once."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

import pytest
from review_setup import Truth, add_labels, make_images, make_review, make_run

from countersign.domain.errors import Conflict, InvalidInput, NotFound, WrongState
from countersign.domain.geometry import Box
from countersign.domain.label import Check, Label, LabelState, Origin, Verb
from countersign.domain.query import ImageQuery, LabelFilter
from countersign.domain.run import RunState
from countersign.store import Store, fields, history, labels, projects, review, runs, summary

SURE = LabelFilter(min_confidence=0.5)


def made(store: Store) -> Truth:
    """Four cats (0.1, 0.4, 0.6, 0.9) and two dogs (0.5, none) on three images."""
    with store.write() as c:
        truth = make_review(c, image_count=3)
        one, two, three = truth.image_ids
        cats = [(one, "cat", 0.1), (one, "cat", 0.4), (two, "cat", 0.6), (three, "cat", 0.9)]
        add_labels(c, truth, [*cats, (two, "dog", 0.5), (three, "dog", None)])
    return truth


def states(store: Store, field_id: int) -> list[LabelState]:
    with store.read() as c:
        return [label.state for label in review.page_labels(c, field_id).items]


def test_stats_by_hand(store: Store) -> None:
    truth = made(store)
    with store.read() as c:
        cat, dog = review.stats(c, truth.run.field_id, min_confidence=0.4)
        assert (cat.class_name, cat.current, cat.total, cat.mean_confidence) == ("cat", 3, 4, pytest.approx(1.9 / 3))
        assert (dog.class_name, dog.current, dog.total, dog.mean_confidence) == ("dog", 1, 2, 0.5)
        spread = review.histogram(c, truth.run.field_id)
        assert (len(spread), sum(spread), spread[25], spread[20]) == (50, 5, 1, 1)
        asked = review.stats(c, truth.run.field_id, query=ImageQuery(ids=(truth.image_ids[0],)), classes=("dog",))
        assert [(s.class_name, s.current, s.total) for s in asked] == [("dog", 0, 0)]


def test_questions_that_cannot_be_answered(store: Store) -> None:
    truth = made(store)
    field = truth.run.field_id
    with store.read() as c:
        with pytest.raises(InvalidInput, match="7 bins"):
            review.histogram(c, field, bins=7)
        with pytest.raises(InvalidInput, match="no order"):
            review.page_labels(c, field, order="size")
        with pytest.raises(InvalidInput, match="no cursor"):
            review.page_labels(c, field, after="12")
        page = review.page_labels(c, field, limit=2)
        with pytest.raises(InvalidInput, match="not by confidence"):
            review.page_images(c, field, order="confidence", after=page.next)
        with pytest.raises(NotFound, match="owl"):
            review.stats(c, field, classes=("owl",))
        with pytest.raises(NotFound):
            review.stats(c, 4711)


def test_promote_undo_and_history(store: Store) -> None:
    truth = made(store)
    field = truth.run.field_id
    with store.write() as c:
        change = review.promote(c, field, filter=SURE, actor="ann")
        assert (change.verb, change.actor, change.count, change.field) == (Verb.PROMOTE, "ann", 3, "run_1")
    with store.write() as c:
        label = review.page_labels(c, field, labels=LabelFilter(states=(LabelState.PROMOTED,))).items[0]
        assert label.id is not None
        undone = review.undo_promotion(c, field, classes=("dog",), actor="bob")
        assert (undone.verb, undone.count) == (Verb.UNDO, 1)
        assert review.undo_promotion(c, field, actor="bob").count == 2
        versions = history.of_label(c, label.id)
        told = [(v.change.actor, v.before and v.before.state, v.after and v.after.state) for v in versions[1:]]
        assert told == [
            ("ann", LabelState.PROPOSED, LabelState.PROMOTED),
            ("bob", LabelState.PROMOTED, LabelState.PROPOSED),
        ]
    assert set(states(store, field)) == {LabelState.PROPOSED}


def test_any_change_can_be_undone(store: Store) -> None:
    truth = made(store)
    field = truth.run.field_id
    with store.write() as c:
        first = review.promote(c, field, filter=SURE, actor="ann")
        second = review.reject(c, field, filter=LabelFilter(states=(LabelState.PROMOTED,)), actor="ann")
        with pytest.raises(Conflict):
            history.undo(c, first.id, "ann")
        history.undo(c, second.id, "ann")
        assert review.stats(c, field, states=(LabelState.PROMOTED,))[0].current == 2
        history.undo(c, first.id, "ann")
        assert summary.counted(c, field, (LabelState.PROMOTED, LabelState.REJECTED)).bins == {}


def test_rejected_labels_stay_rejected(store: Store) -> None:
    """A later promotion by threshold does not bring back what somebody has rejected, unless it is asked for."""
    truth = made(store)
    field = truth.run.field_id
    best = next(i for i, known in truth.labels.items() if known.confidence == 0.9)
    with store.write() as c:
        assert review.reject(c, field, ids=[best], actor="ann").count == 1
        assert review.promote(c, field, filter=SURE, actor="ann").count == 2
        again = LabelFilter(min_confidence=0.5, states=(LabelState.REJECTED,))
        assert review.promote(c, field, filter=again, actor="ann").count == 1
        with pytest.raises(NotFound, match="label"):
            review.reject(c, field, ids=[best, 4711], actor="ann")


def test_approve(store: Store) -> None:
    truth = made(store)
    field = truth.run.field_id
    by_confidence = {known.confidence: label_id for label_id, known in truth.labels.items()}
    with store.write() as c:
        review.promote(c, field, filter=LabelFilter(min_confidence=0.6), actor="ann")
        review.promote(c, field, ids=[by_confidence[0.1]], actor="bob")
        edited = review.edit(c, field, by_confidence[0.5], class_name="owl", geometry=Box(0, 0, 9, 9), actor="cid")
        assert (edited.class_name, edited.state) == ("owl", LabelState.PROMOTED)
    with store.write() as c:
        change = review.approve(c, truth.run.id, actor="dan")
        assert (change.verb, change.count, change.field) == (Verb.APPROVE, 4, "ground_truth")
    with store.read() as c:
        run = runs.get(c, truth.run.id)
        assert (run.state, run.target_field) == (RunState.APPROVED, "ground_truth")
        target = fields.get(c, truth.project_id, "ground_truth").id
        found = {x.confidence: x for many in labels.for_images(c, target, truth.image_ids).values() for x in many}
        assert {k: (x.verified_by, x.verified_how) for k, x in found.items()} == {
            0.6: ("ann", Check.BULK), 0.9: ("ann", Check.BULK), 0.1: ("bob", Check.SINGLE), 0.5: ("cid", Check.EDITED),
        }  # fmt: skip
        assert {x.state for x in found.values()} == {LabelState.VERIFIED}
        assert {x.provenance.origin for x in found.values() if x.provenance} == {Origin.MODEL}
        assert found[0.5].geometry == Box(0, 0, 9, 9)
        assert sorted(states(store, field)) == [LabelState.PROMOTED] * 4 + [LabelState.REJECTED] * 2
        assert [s.current for s in review.stats(c, field, states=(LabelState.REJECTED,))] == [1, 1, 0]
        assert review.page_labels(c, field, labels=LabelFilter(states=(LabelState.PROPOSED,))).items == ()
        kept = summary.counted(c, target)
    with store.write() as c:
        summary.rebuild(c, target)
        assert summary.counted(c, target).bins == kept.bins
        made_by = history.of_label(c, found[0.6].id or 0)
        assert [(v.change.verb, v.before) for v in made_by] == [(Verb.APPROVE, None)]


def test_a_second_run_adds_to_the_target(store: Store) -> None:
    truth = made(store)
    with store.write() as c:
        review.promote(c, truth.run.field_id, actor="ann")
        review.approve(c, truth.run.id, actor="ann")
        truth.run = make_run(c, truth.project_id, "run_2")
        add_labels(c, truth, [(truth.image_ids[0], "cat", 0.7)])
        review.promote(c, truth.run.field_id, actor="ann")
        assert review.approve(c, truth.run.id, actor="ann").count == 1
        target = fields.get(c, truth.project_id, "ground_truth").id
        assert [s.total for s in review.stats(c, target)] == [5, 2]


NOT_IN_REVIEW = (RunState.QUEUED, RunState.GENERATING, RunState.PAUSED, RunState.ERROR, RunState.CANCELLED)


@pytest.mark.parametrize("state", NOT_IN_REVIEW)
def test_a_run_that_is_not_in_review(store: Store, state: RunState) -> None:
    with store.write() as c:
        project = projects.create(c, "p").id
        make_images(c, project, 2)
        run = make_run(c, project, state=state)
    words = "has stopped" if state in (RunState.ERROR, RunState.CANCELLED) else "cannot be reviewed yet"
    with store.write() as c:
        for action in (review.promote, review.reject, review.undo_promotion, review.restore):
            with pytest.raises(WrongState, match=words):
                action(c, run.field_id, actor="ann")
        with pytest.raises(WrongState, match=words):
            review.approve(c, run.id, actor="ann")


def test_an_approved_run_is_closed(store: Store) -> None:
    truth = made(store)
    field = truth.run.field_id
    with store.write() as c:
        review.promote(c, field, filter=SURE, actor="ann")
        review.approve(c, truth.run.id, actor="ann")
    some = next(iter(truth.labels))
    with store.write() as c:
        with pytest.raises(WrongState, match="approved already"):
            review.approve(c, truth.run.id, actor="ann")
        for action in (review.promote, review.reject, review.undo_promotion, review.restore):
            with pytest.raises(WrongState, match="approved already"):
                action(c, field, actor="ann")
        with pytest.raises(WrongState, match="approved already"):
            review.edit(c, field, some, class_name="dog", actor="ann")
        with pytest.raises(WrongState):
            labels.delete(c, [some], history.begin(c, truth.project_id, Verb.DELETE, "ann", field))


def test_approve_needs_another_target(store: Store) -> None:
    truth = made(store)
    with store.write() as c:
        other = make_run(c, truth.project_id, "run_2")
        for target in ("run_1", other.spec.field):
            with pytest.raises(WrongState, match="what a run proposed"):
                review.approve(c, truth.run.id, target_field=target, actor="ann")
        assert review.approve(c, truth.run.id, target_field="checked", empty=True, actor="ann").count == 0


def test_approving_nothing_must_be_meant(store: Store) -> None:
    truth = made(store)
    with pytest.raises(WrongState, match=r"Nothing .* is promoted.*--empty"), store.write() as c:
        review.approve(c, truth.run.id, target_field="checked", actor="ann")
    with store.read() as c:
        assert runs.get(c, truth.run.id).state is RunState.IN_REVIEW
        assert [item.field.name for item in fields.list_all(c, truth.project_id)] == ["run_1"]
        assert [x.verb for x in history.list(c, truth.project_id) if x.verb is Verb.APPROVE] == []
    with store.write() as c:
        assert review.approve(c, truth.run.id, empty=True, actor="ann").count == 0
        assert runs.get(c, truth.run.id).state is RunState.APPROVED
    assert set(states(store, truth.run.field_id)) == {LabelState.REJECTED}


def test_labels_of_nobodys_run_cannot_be_promoted(store: Store) -> None:
    with store.write() as c:
        project = projects.create(c, "p").id
        field = fields.create(c, project, "mine")
        with pytest.raises(WrongState, match="is no run's"):
            review.promote(c, field.id, actor="ann")


def test_adopt(store: Store) -> None:
    with store.write() as c:
        project = projects.create(c, "p").id
        one, two, _ = make_images(c, project, 3)
        field = fields.create(c, project, "imported")
        with pytest.raises(InvalidInput, match="confidence"):
            review.adopt(c, project, field.id, "ann")
        items = [(one, Label("cat", Box(1, 1, 5, 5), 0.8)), (two, Label("dog", None, 0.3)), (two, Label("cat"))]
        labels.add(c, field.id, items, change_id=history.begin(c, project, Verb.IMPORT, "ann", field.id))
    with store.write() as c:
        run = review.adopt(c, project, field.id, "ann")
        assert (run.state, run.total, run.done, run.labels) == (RunState.IN_REVIEW, 2, 2, 3)
        assert [(s.class_name, s.current) for s in review.stats(c, run.field_id)] == [("cat", 2), ("dog", 1)]
        review.promote(c, run.field_id, filter=LabelFilter(min_confidence=0.5), actor="ann")
        assert review.approve(c, run.id, actor="ann").count == 1
        assert [s.total for s in review.stats(c, field.id)] == [2, 1]
        assert review.adopt(c, project, field.id, "ann").spec.field == "imported_review_2"
        with pytest.raises(WrongState, match="Review that run"):
            review.adopt(c, project, fields.get(c, project, "imported_review_2").id, "ann")


def _act(workspace: str, blobs: Path, action: str, target: int, start: Any, results: Any) -> None:
    """What each of two processes does: the same thing at the same moment."""
    with Store.open(workspace, blobs=blobs) as store:
        start.wait()
        try:
            with store.write() as c:
                if action == "promote":
                    results.put(review.promote(c, target, actor="x").count)
                else:
                    results.put(review.approve(c, target, actor="x").count)
        except WrongState:
            results.put("refused")


def test_two_processes_at_once(store: Store, workspace: str, tmp_path: Path) -> None:
    """Promoted and approved at the same moment from two processes: each label once, one approval."""
    truth = made(store)
    process = multiprocessing.get_context("spawn")
    for action, target, expected in (
        ("promote", truth.run.field_id, ["0", "6"]),
        ("approve", truth.run.id, ["6", "refused"]),
    ):
        start, results = process.Barrier(2), process.Queue()
        given = (workspace, tmp_path / "blobs", action, target, start, results)
        workers = [process.Process(target=_act, args=given) for _ in range(2)]
        for worker in workers:
            worker.start()
        found = [str(results.get(timeout=60)) for _ in workers]
        for worker in workers:
            worker.join(60)
        assert sorted(found) == expected
    with store.read() as c:
        target = fields.get(c, truth.project_id, "ground_truth").id
        assert [s.total for s in review.stats(c, target)] == [4, 2]
        assert sum(len(x) for x in labels.for_images(c, target, truth.image_ids).values()) == 6
