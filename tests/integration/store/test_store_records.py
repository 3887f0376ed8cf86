"""Projects, classes, fields, provenance."""

from __future__ import annotations

import pytest
from store_samples import add, boxes, every_shape, sample

from countersign.domain.errors import InvalidInput, NameTaken, NotFound, WrongState
from countersign.domain.geometry import Kind
from countersign.domain.label import LabelClass, LabelState, Origin, Provenance
from countersign.store import Store, classes, fields, projects, provenance
from countersign.store import tables as t


def test_projects(store: Store) -> None:
    with store.write() as c:
        zebra = projects.create(c, "zebra")
        s = sample(c, 3, "apes")
        add(c, s, boxes(s))
        assert projects.get(c, "zebra") == projects.by_id(c, zebra.id) == zebra
        assert zebra.created_at.tzinfo is not None
        first, second = projects.list_all(c)
        assert (first.project.name, first.images, first.labels, first.fields, first.runs) == ("apes", 3, 6, 1, 0)
        assert first.last_change is not None
        assert (second.project, second.images, second.labels, second.last_change) == (zebra, 0, 0, None)
        assert projects.rename(c, zebra.id, "zoo").name == "zoo"
        assert projects.rename(c, zebra.id, "zoo").name == "zoo"


def test_projects__refuse(store: Store) -> None:
    with store.write() as c:
        made = projects.create(c, "cells")
        other = projects.create(c, "other")
        with pytest.raises(NameTaken, match="cells"):
            projects.create(c, "cells")
        with pytest.raises(NameTaken, match="cells"):
            projects.rename(c, other.id, "cells")
        with pytest.raises(NotFound, match="cells, other"):
            projects.get(c, "nope")
        for absent in (
            lambda: projects.by_id(c, 99),
            lambda: projects.rename(c, 99, "x"),
            lambda: projects.delete(c, 99),
        ):
            with pytest.raises(NotFound):
                absent()
        for name in ("", " x", "x ", "a\nb", "x" * 201):
            with pytest.raises(InvalidInput, match="name a project"):
                projects.create(c, name)
        projects.delete(c, made.id)
        assert [found.project for found in projects.list_all(c)] == [other]


def test_classes(store: Store) -> None:
    with store.write() as c:
        s = sample(c)
        person = LabelClass("person", "#123456", ("nose", "eye"), ((0, 1),))
        ids = classes.ensure(c, s.project, ["cat", person, "cat"])
        assert list(ids) == ["cat", "person"]
        assert classes.ensure(c, s.project, ["person", "dog"])["person"] == ids["person"]
        cat, second, dog = classes.list_all(c, s.project)
        assert (second.name, second.color, second.keypoint_names, second.skeleton) == (
            "person",
            "#123456",
            ("nose", "eye"),
            ((0, 1),),
        )
        assert cat.color.startswith("#")
        assert cat.color != dog.color
        classes.ensure(
            c, s.project, [LabelClass("dog", keypoint_names=("tail",)), LabelClass("person", keypoint_names=("x",))]
        )
        assert classes.get(c, s.project, "dog").keypoint_names == ("tail",)
        assert classes.get(c, s.project, "dog").color == dog.color
        assert classes.get(c, s.project, "person").keypoint_names == ("nose", "eye")
        new = classes.update(
            c, s.project, "cat", new_name="kitten", color="#000000", keypoint_names=["a", "b"], skeleton=[(1, 0)]
        )  # type: ignore[arg-type]
        assert classes.get(c, s.project, "kitten") == new
        with pytest.raises(NotFound, match="cat"):
            classes.get(c, s.project, "cat")
        with pytest.raises(NameTaken, match="dog"):
            classes.update(c, s.project, "kitten", new_name="dog")
        with pytest.raises(InvalidInput, match="skeleton"):
            classes.update(c, s.project, "dog", skeleton=((0, 5),))


def test_fields(store: Store) -> None:
    with store.write() as c:
        s = sample(c)
        run = fields.create(c, s.project, "run_1", run_id=7)
        assert (
            fields.get(c, s.project, "run_1") == fields.by_id(c, run.id) == fields.ensure(c, s.project, "run_1") == run
        )
        assert (run.run_id, fields.row(c, run.id).closed) == (7, False)
        fields.set_run(c, run.id, 8)
        assert fields.by_id(c, run.id).run_id == 8
        new = fields.ensure(c, s.project, "new")
        assert fields.find(c, s.project, "nope") is None
        with pytest.raises(NotFound, match="There are: ground_truth"):
            fields.get(c, s.project, "nope")
        with pytest.raises(NotFound, match="no labels yet"):
            fields.get(c, projects.create(c, "bare").id, "ground_truth")
        add(c, s, every_shape(s))
        add(c, s, boxes(s, 1), field=new.id)
        first, second, third = fields.list_all(c, s.project)
        assert (first.field.name, first.labels, first.images) == ("ground_truth", 7, 1)
        assert first.by_kind == dict.fromkeys(Kind, 1) | {Kind.KEYPOINTS: 2}
        assert first.by_state == {LabelState.VERIFIED: 3, LabelState.PROPOSED: 4}
        assert (second.labels, second.images, second.by_kind, second.by_state) == (0, 0, {}, {})
        assert (third.labels, third.images) == (5, 5)
        assert fields.rename(c, s.project, "new", "newer").id == new.id
        assert fields.delete(c, s.project, "newer", actor="ann") == 5
        assert [found.field.name for found in fields.list_all(c, s.project)] == ["ground_truth", "run_1"]
        assert c.execute(t.label_summary.select().where(t.label_summary.c.field_id == new.id)).all() == []


def test_fields__refuse(store: Store) -> None:
    with store.write() as c:
        s = sample(c)
        with pytest.raises(NameTaken, match="ground_truth"):
            fields.create(c, s.project, "ground_truth")
        for name in ("", "1st", "with blank", "x" * 65, "a/b"):
            with pytest.raises(InvalidInput, match="name a field"):
                fields.create(c, s.project, name)
        with pytest.raises(NotFound, match=r"There are: ground_truth\."):
            fields.get(c, s.project, "nope")
        for absent in (
            lambda: fields.by_id(c, 99),
            lambda: fields.row(c, 99),
            lambda: fields.delete(c, s.project, "x"),
        ):
            with pytest.raises(NotFound):
                absent()
        fields.create(c, s.project, "other")
        with pytest.raises(NameTaken):
            fields.rename(c, s.project, "other", "ground_truth")


def test_fields__one_that_a_run_is_writing_stays(store: Store) -> None:
    with store.write() as c:
        s = sample(c)
        row = {"project_id": s.project, "field_id": s.field, "name": "r", "state": "generating", "spec": {}}
        c.execute(t.run.insert().values(row | {"created_at": projects.get(c, "cells").created_at}))
        with pytest.raises(WrongState, match="is writing the field"):
            fields.delete(c, s.project, "ground_truth")
        c.execute(t.run.update().values(state="cancelled"))
        fields.delete(c, s.project, "ground_truth")
        assert c.execute(t.run.select()).all() == []


def test_provenance__one_row_for_each(store: Store) -> None:
    first = Provenance(Origin.MODEL, "", "m", "2", "ff", "a cat", 0.25, 3)
    second = Provenance(Origin.PERSON, "ann")
    with store.write() as c:
        ids = [provenance.ensure(c, item) for item in (first, second, first)]
        assert ids[0] == ids[2] != ids[1]
        assert provenance.load(c, ids) == {ids[0]: first, ids[1]: second}
        assert provenance.load(c, []) == {}
