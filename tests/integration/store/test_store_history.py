from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from store_samples import Sample, add, boxes, every_shape, sample
from test_store_labels import check_summary

from countersign.domain.errors import Conflict, NotFound, WrongState
from countersign.domain.geometry import Box
from countersign.domain.label import Label, LabelState, Verb
from countersign.store import Store, fields, history, label_moves, labels
from countersign.store import tables as t


def all_labels(c: Connection, s: Sample) -> dict[int, list[Label]]:
    return labels.for_images(c, s.field, s.images)


def ids_of(c: Connection, s: Sample) -> list[int]:
    return [label.id or 0 for some in all_labels(c, s).values() for label in some]


def promote(c: Connection, s: Sample, ids: list[int]) -> int:
    change = history.begin(c, s.project, Verb.PROMOTE, "ann", s.field)
    label_moves.set_states(c, t.label.c.id.in_(ids), int(LabelState.PROMOTED), change)
    return change


def test_undo__of_an_import_and_of_its_undo(store: Store) -> None:
    with store.write() as c:
        s = sample(c)
        kept = add(c, s, boxes(s, 1))
        change = add(c, s, [*every_shape(s), *boxes(s)])
        before = all_labels(c, s)
        undone = history.undo(c, change, "bob")
        assert (undone.verb, undone.actor, undone.count, undone.undoes) == (Verb.UNDO, "bob", 17, change)
        assert history.get(c, change).undone_by == undone.id
        assert [len(some) for some in all_labels(c, s).values()] == [1] * 5
    check_summary(store, s.field)
    with store.write() as c:
        again = history.undo(c, undone.id, "ann")
        assert again.count == 17
        assert all_labels(c, s) == before
        assert history.get(c, change).undone_by is None
        assert history.get(c, kept).undone_by is None
    check_summary(store, s.field)
    with store.write() as c:
        history.undo(c, change, "ann")  # the change itself can be undone again
        assert [len(some) for some in all_labels(c, s).values()] == [1] * 5
        verbs = [v.change.verb for v in history.of_label(c, before[s.images[0]][1].id or 0)]
        assert verbs == [Verb.IMPORT, Verb.UNDO, Verb.UNDO, Verb.UNDO]
    check_summary(store, s.field)


def test_undo__of_an_edit_a_deletion_and_states(store: Store) -> None:
    with store.write() as c:
        s = sample(c)
        add(c, s, [*every_shape(s), *boxes(s)])
        before, ids = all_labels(c, s), ids_of(c, s)
        edit = history.begin(c, s.project, Verb.EDIT, "bob", s.field)
        labels.update(c, ids[3], change_id=edit, class_name="new", geometry=Box(1 / 3, 2, 3, 4), attributes={"a": [1]})
        labels.update(c, ids[4], change_id=edit, geometry=None, confidence=0.25)
        delete = history.begin(c, s.project, Verb.DELETE, "bob", s.field)
        labels.delete(c, ids[:3], delete)
        promoted = promote(c, s, ids[5:])
        check = [history.undo(c, number, "ann").count for number in (promoted, delete, edit)]
        assert check == [12, 3, 2]
        assert all_labels(c, s) == before
    check_summary(store, s.field)


def test_undo__of_one_change_that_did_everything(store: Store) -> None:
    with store.write() as c:
        s = sample(c)
        add(c, s, boxes(s))
        before, ids = all_labels(c, s), ids_of(c, s)
        change = history.begin(c, s.project, Verb.EDIT, "bob", s.field)
        made = labels.create(c, s.field, s.images[0], Label("made", Box(1, 1, 1, 1)), change_id=change)
        gone = labels.create(c, s.field, s.images[0], Label("made", Box(1, 1, 1, 1)), change_id=change)
        assert made.id is not None
        assert gone.id is not None
        labels.update(c, made.id, change_id=change, class_name="other")
        labels.delete(c, [gone.id, ids[0]], change)
        labels.update(c, ids[1], change_id=change, class_name="other")
        labels.update(c, ids[2], change_id=change, state=LabelState.REJECTED)
        labels.update(c, ids[3], change_id=change, class_name="other")
        labels.delete(c, [ids[3]], change)
        after = all_labels(c, s)
        undone = history.undo(c, change, "ann")
        assert all_labels(c, s) == before
        history.undo(c, undone.id, "ann")
        assert all_labels(c, s) == after
    check_summary(store, s.field)


def test_undo__later_changes_stand_in_the_way(store: Store) -> None:
    with store.write() as c:
        s = sample(c)
        first = add(c, s, boxes(s))
        ids = ids_of(c, s)
        promoted = promote(c, s, ids[:4])
        edit = history.begin(c, s.project, Verb.EDIT, "bob", s.field)
        labels.update(c, ids[0], change_id=edit, class_name="other")
        with pytest.raises(
            Conflict, match=f"1 of its labels .* bob .*change {edit}, edit.*Undo the change {edit} first"
        ):
            history.undo(c, promoted, "ann")
        with pytest.raises(Conflict, match="5 of its labels"):
            history.undo(c, first, "ann")
        undone = history.undo(c, edit, "ann")
        with pytest.raises(Conflict, match="undone already"):
            history.undo(c, edit, "ann")
        redone = history.undo(c, undone.id, "ann")
        with pytest.raises(Conflict, match="1 of its labels"):
            history.undo(c, promoted, "ann")
        with pytest.raises(Conflict, match="undone already"):
            history.undo(c, undone.id, "ann")
        history.undo(c, redone.id, "ann")
        history.undo(c, promoted, "ann")
        history.undo(c, first, "ann")
        assert ids_of(c, s) == []
    check_summary(store, s.field)


def test_undo__a_deleted_label_stands_in_the_way(store: Store) -> None:
    with store.write() as c:
        s = sample(c)
        first = add(c, s, boxes(s))
        delete = history.begin(c, s.project, Verb.DELETE, "bob", s.field)
        labels.delete(c, ids_of(c, s)[:1], delete)
        with pytest.raises(Conflict, match="1 of its labels"):
            history.undo(c, first, "ann")


def test_undo__counts_verdicts(store: Store) -> None:
    """A verdict beside the label (see verdicts.py) is its state, for undo as well."""
    with store.write() as c:
        s = sample(c)
        add(c, s, boxes(s))
        (first, *_) = labels.for_images(c, s.field, s.images)[s.images[0]]
        change = history.begin(c, s.project, Verb.PROMOTE, "ann", s.field)
        c.execute(
            t.verdict.insert().values(
                field_id=s.field, label_id=first.id, state=2, was=1, class_id=1, image_id=s.images[0], change_id=change
            )
        )
        row = {"change_id": change, "label_id": first.id, "before_state": 1, "after_state": 2}
        c.execute(t.label_change.insert().values(row))
        assert first.id is not None
        assert labels.get(c, first.id).state is LabelState.PROMOTED
        assert history.of_label(c, first.id)[-1].after == labels.get(c, first.id)
        assert history.undo(c, change, "bob").count == 1
        assert labels.get(c, first.id) == first


def test_undo__refuses(store: Store) -> None:
    with store.write() as c:
        s = sample(c)
        run = add(c, s, boxes(s), verb=Verb.RUN)
        approve = history.begin(c, s.project, Verb.APPROVE, "ann", s.field)
        plain = add(c, s, boxes(s))
        with pytest.raises(NotFound, match="change"):
            history.undo(c, 10**9, "ann")
        with pytest.raises(WrongState, match="work of a run"):
            history.undo(c, run, "ann")
        with pytest.raises(WrongState, match="approved"):
            history.undo(c, approve, "ann")
        fields.set_closed(c, s.field, True)
        with pytest.raises(WrongState, match="closed"):
            history.undo(c, plain, "ann")
        fields.delete(c, s.project, "ground_truth", actor="ann")
        (last, *_) = history.list_all(c, s.project)
        assert (last.verb, last.count, last.note, last.actor) == (Verb.DELETE, 20, "the field ground_truth", "ann")
        with pytest.raises(WrongState, match="cannot be undone"):
            history.undo(c, last.id, "ann")
        with pytest.raises(NotFound, match="field"):
            history.undo(c, plain, "ann")


def test_list(store: Store) -> None:
    with store.write() as c:
        s = sample(c)
        other = fields.create(c, s.project, "other")
        made = [add(c, s, boxes(s, 1)), add(c, s, boxes(s, 2), field=other.id), add(c, s, [])]
        found = history.list_all(c, s.project)
        assert [change.id for change in found] == made[::-1]
        assert [(change.field, change.count) for change in found] == [
            ("ground_truth", 0),
            ("other", 10),
            ("ground_truth", 5),
        ]
        assert [change.id for change in history.list_all(c, s.project, limit=1, before=made[2])] == [made[1]]
        assert [change.id for change in history.list_all(c, s.project, field_id=other.id)] == [made[1]]
        with pytest.raises(NotFound, match="label"):
            history.of_label(c, 10**9)


def test_nothing_is_left_of_a_deleted_project(store: Store) -> None:
    from countersign.store import projects

    def rows(c: Connection) -> dict[str, Any]:
        return {
            table.name: c.execute(sa.select(sa.func.count()).select_from(table)).scalar()
            for table in t.metadata.sorted_tables
        }

    with store.write() as c:
        kept = sample(c, 2, "kept")
        add(c, kept, boxes(kept))
        labels.delete(c, ids_of(c, kept)[:1], add(c, kept, []))
        before = rows(c)
        s = sample(c)
        add(c, s, boxes(s))
        labels.delete(c, ids_of(c, s)[:1], add(c, s, []))
        projects.delete(c, s.project)
        assert rows(c) == before
        assert len(ids_of(c, kept)) == 3
