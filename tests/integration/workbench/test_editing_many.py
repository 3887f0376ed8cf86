"""Many edits in one batch are done together, and nobody can tell: by the labels, their history, the counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from countersign.domain import mask
from countersign.domain.geometry import Box, Polygon
from countersign.domain.image import ImageFile, Project
from countersign.domain.label import Label, LabelState, Origin, Provenance, Verb
from countersign.domain.run import RunSpec, RunState
from countersign.store import Store, editions, fields, history, images, labels, projects, review, runs
from countersign.workbench import editing
from countersign.workbench.editing import Create, Operation, Update

BY_MODEL = Provenance(Origin.MODEL, model="m")


@dataclass(frozen=True)
class Made:
    """A project with labels 0 to 5 in a field of persons, 6 and 7 of a model there, 8 to 11 of a run in review."""

    project: Project
    images: list[int]
    ids: list[int]
    field: int
    run_field: int


def make(store: Store, name: str) -> Made:
    with store.write() as c:
        project = projects.create(c, name)
        files = [ImageFile(f"/{name}/{n}.png", f"{name}{n}", 64, 48, "PNG", 3, "uint8", 9) for n in range(3)]
        at = images.add(c, project.id, [images.NewImage(file, f"{n}.png") for n, file in enumerate(files)]).added
        field = fields.create(c, project.id, "ground_truth").id
        drawn = [(at[n % 3], Label("red", Box(n, 1, 5, 5), attributes={"n": n})) for n in range(6)]
        drawn += [(at[0], Label("red", Box(n, 9, 5, 5), 0.5, provenance=BY_MODEL)) for n in range(2)]
        change = history.begin(c, project.id, Verb.CREATE, "ann", field_id=field)
        labels.add(c, field, drawn, change_id=change)
        ids = editions.newest_of(c, change, len(drawn))
        run = runs.create(c, project.id, RunSpec(model="m", field="auto"), created_by="ann")
        runs.move(c, run.id, RunState.GENERATING)
        change = history.begin(c, project.id, Verb.RUN, "ann", field_id=run.field_id, run_id=run.id)
        found = [(at[1], Label("red", Box(n, 20, 5, 5), 0.2 * n, LabelState.PROPOSED)) for n in range(4)]
        labels.add(c, run.field_id, found, change_id=change, provenance=BY_MODEL)
        ids += editions.newest_of(c, change, len(found))
        runs.move(c, run.id, RunState.IN_REVIEW)
        review.reject(c, run.field_id, actor="ann", ids=[ids[11]])  # a verdict beside the label, to be settled
    return Made(project, at, ids, field, run.field_id)


def operations(of: Made, version: int) -> list[Operation]:
    """Edits of every kind, and some that cannot be done."""
    triangle, whole = Polygon(((1.0, 1.0, 9.0, 1.0, 5.0, 1 / 3),)), mask.encode(np.eye(48, 64))
    return [
        Update({"class_name": "blue"}, of.ids[0], expected=version),
        Update({"geometry": triangle, "attributes": {}}, of.ids[1]),
        Update({"class_name": "red"}, of.ids[2]),  # it is red
        Update({"geometry": whole}, of.ids[3]),
        Update({"geometry": None, "class_name": "green"}, of.ids[4]),
        Update({"class_name": "mine"}, of.ids[5], expected=version + 1000),
        Update({"attributes": {"who": "é"}}, of.ids[6]),
        Update({"class_name": "nobody's"}, 10**9),
        Update({"class_name": "blue"}, of.ids[8]),
        Update({"attributes": {"seen": True}}, of.ids[9]),
        Update({"geometry": Box(1, 1, 2, 2), "attributes": {"seen": True}}, of.ids[10]),
        Update({"class_name": "green"}, of.ids[11]),
        Update({"class_name": "white"}, of.ids[0], expected=version),  # again: its own edit does not make it outdated
        Create(of.images[2], "ground_truth", Label("red", Box(0, 0, 3, 3)), "new"),
        Update({"class_name": "blue"}, client_id="new"),
        Update({"class_name": "blue"}, of.ids[7]),
    ]


def told(store: Store, of: Made) -> list[Any]:
    """All there is to know of the labels and their past, without the numbers that differ between two projects."""

    def plain(label: Label | None) -> Any:
        return label and replace(label, id=None, image_id=None if label.image_id is None else label.image_id - first)

    first = of.images[0]
    with store.read() as c:
        newest = labels.for_images(c, of.field, [of.images[2]])[of.images[2]][-1].id
        assert newest is not None
        ids = [*of.ids, *([newest] if newest not in of.ids else [])]
        past = [
            [(each.change.verb, each.change.actor, plain(each.before), plain(each.after)) for each in found]
            for found in (history.of_label(c, label_id) for label_id in ids)
        ]
        changes = [(each.verb, each.count, each.field, each.note) for each in history.list_all(c, of.project.id or 0)]
        stats = [review.stats(c, field) for field in (of.field, of.run_field)]
    return [past, changes, stats]


def edit(store: Store, of: Made, wanted: list[Operation]) -> list[tuple[str, str]]:
    done = editing.edit(store, of.project, wanted, actor="bob", note="together")
    with store.read() as c:
        assert [history.get(c, change).note for change in done.changes] == ["together"] * len(done.changes)
    return [(item.client_id, type(item.error).__name__) for item in done.outcomes]


def test_together_as_one_by_one(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = make(store, "one"), make(store, "other")
    with store.read() as c:
        version = {of.project.id: editions.versions(c, of.ids[:1])[of.ids[0]] for of in (one, other)}
    together = edit(store, one, operations(one, version[one.project.id]))
    assert [number for number, (_, error) in enumerate(together) if error != "NoneType"] == [5, 7]
    assert (together[5][1], together[7][1]) == ("Outdated", "NotFound")
    monkeypatch.setattr(editing, "_updates_from", lambda *_: [])
    assert edit(store, other, operations(other, version[other.project.id])) == together
    assert told(store, one) == told(store, other)


def test_undone_together(store: Store) -> None:
    of = make(store, "one")
    before = [each[-1] for each in told(store, of)[0]]
    done = editing.edit(store, of.project, [Update({"class_name": f"c{n}"}, of.ids[n]) for n in range(6)], actor="bob")
    with store.write() as c:
        assert history.get(c, done.changes[0]).count == 6
        assert history.undo(c, done.changes[0], "bob").count == 6
    assert [each[-1][3] for each in told(store, of)[0]] == [each[3] for each in before]


def test_one_that_cannot_be_written_stops_no_other(store: Store) -> None:
    of = make(store, "one")
    wanted: list[Operation] = [Update({"class_name": "blue"}, label_id) for label_id in of.ids[:4]]
    wanted[2] = Update({"geometry": mask.encode(np.eye(4, 5))}, of.ids[2])  # of another size than the image
    assert [error for _, error in edit(store, of, wanted)] == ["NoneType", "NoneType", "GeometryError", "NoneType"]
    with store.read() as c:
        assert [label.class_name for label in labels.by_ids(c, of.field, of.ids[:4])] == ["blue", "blue", "red", "blue"]


def test_a_thousand_take_no_more_statements_than_ten(tmp_path: Path) -> None:
    def statements(store: Store, of: Made, count: int) -> int:
        with store.write() as c:
            change = history.begin(c, of.project.id or 0, Verb.CREATE, "ann", field_id=of.field)
            labels.add(c, of.field, [(of.images[0], Label("red", Box(n, 1, 5, 5))) for n in range(count)],
                       change_id=change)  # fmt: skip
            ids = editions.newest_of(c, change, count)
        sent: list[str] = []

        def note(*said: Any) -> None:
            sent.append(said[2])

        sa.event.listen(store._engine, "before_cursor_execute", note)
        editing.edit(store, of.project, [Update({"class_name": "blue"}, label_id) for label_id in ids], actor="bob")
        sa.event.remove(store._engine, "before_cursor_execute", note)
        return len(sent)

    with Store.open(tmp_path / "workspace") as store:
        of = make(store, "one")
        few = statements(store, of, 10)
        assert statements(store, of, 1000) <= few
