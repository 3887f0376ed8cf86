from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
import sqlalchemy as sa
from store_samples import IMPORT, add, boxes, every_shape, sample

from countersign.domain.errors import GeometryError, InvalidInput, NotFound, WrongState
from countersign.domain.geometry import Box, Polygon
from countersign.domain.label import Check, Label, LabelState, Origin, Provenance, Verb
from countersign.domain.query import ImageQuery, LabelFilter
from countersign.store import Store, classes, fields, history, images, labels, summary
from countersign.store import tables as t


def check_summary(store: Store, field_id: int) -> None:
    """The summary says what counting the labels anew says."""

    def cells() -> tuple[dict[tuple[int, ...], tuple[int, int]], dict[tuple[int, ...], int]]:
        with store.read() as c:
            bins = c.execute(sa.select(t.label_summary).where(t.label_summary.c.field_id == field_id)).all()
            blocks = c.execute(sa.select(t.label_block).where(t.label_block.c.field_id == field_id)).all()
        return (
            {tuple(row[:4]): (row[4], row[5]) for row in bins if row[4]},
            {tuple(row[:4]): row[4] for row in blocks if row[4]},
        )

    kept = cells()
    with store.write() as c:
        summary.rebuild(c, field_id)
    assert kept == cells()


def test_add__comes_back_as_it_was(store: Store) -> None:
    with store.write() as c:
        s = sample(c)
        given = every_shape(s)
        add(c, s, given)
    with store.read() as c:
        found = labels.for_images(c, s.field, s.images)
    assert set(found) == set(s.images)
    assert [replace(label, id=None) for label in found[s.images[0]]] == [
        replace(label, provenance=label.provenance or IMPORT, image_id=s.images[0]) for _, label in given
    ]
    check_summary(store, s.field)


def test_add__without_provenance_is_the_actors(store: Store) -> None:
    with store.write() as c:
        s = sample(c)
        change = history.begin(c, s.project, Verb.CREATE, "ann", s.field)
        made = labels.create(c, s.field, s.images[0], Label("red", Box(1, 2, 3, 4)), change_id=change)
        assert made.id is not None
        assert labels.get(c, made.id) == made
        assert made.provenance == Provenance(Origin.PERSON, source="ann")
        assert history.get(c, change).count == 1


def test_add__nothing(store: Store) -> None:
    with store.write() as c:
        s = sample(c)
        assert history.get(c, add(c, s, [])).count == 0


def test_add__in_several_chunks(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("countersign.store.label_rows.CHUNK", 7)
    with store.write() as c:
        s = sample(c, 20)
        change = add(c, s, boxes(s, 3))
        more = history.begin(c, s.project, Verb.CREATE, "bob", s.field)
        labels.add(c, s.field, boxes(s, 1), change_id=more)
        labels.add(c, s.field, boxes(s, 1), change_id=more)
        assert history.get(c, change).count == 60
        assert history.get(c, more).count == 40
        ids = c.execute(sa.select(t.label.c.id)).scalars().all()
        assert len(set(ids)) == 100
    check_summary(store, s.field)


def test_add__image_of_another_project(store: Store) -> None:
    with store.write() as c:
        s, other = sample(c), sample(c, name="other")
        with pytest.raises(NotFound, match="image"):
            add(c, s, [(other.images[0], Label("red"))])


@pytest.mark.parametrize("attributes", [{"x": object()}, {"x": {1, 2}}])
def test_add__attributes_that_json_does_not_know(store: Store, attributes: dict[str, object]) -> None:
    with store.write() as c:
        s = sample(c)
        with pytest.raises(InvalidInput, match="attributes"):
            add(c, s, [(s.images[0], Label("red", attributes=attributes))])


def test_for_images__filter(store: Store) -> None:
    with store.write() as c:
        s = sample(c)
        add(c, s, boxes(s))
    with store.read() as c:
        found = labels.for_images(c, s.field, s.images, filter=LabelFilter("", ("red",), 0.2, 0.9))
        flat = [label for some in found.values() for label in some]
        assert [label.class_name for label in flat] == ["red"] * len(flat)
        assert [round(label.confidence or 0, 2) for label in flat] == [0.44, 0.56, 0.89]
        assert not any(
            labels.for_images(
                c, s.field, s.images, filter=LabelFilter("", (), None, None, (LabelState.VERIFIED,))
            ).values()
        )
        with pytest.raises(NotFound, match="blue"):
            labels.for_images(c, s.field, s.images, filter=LabelFilter("", ("blue",)))


def test_update__keeps_what_was(store: Store) -> None:
    with store.write() as c:
        s = sample(c)
        add(c, s, [(s.images[0], Label("red", Box(1, 2, 3, 4), 0.5, LabelState.PROPOSED, {"iscrowd": 1}))])
        (old,) = labels.for_images(c, s.field, s.images)[s.images[0]]
        assert old.id is not None
        change = history.begin(c, s.project, Verb.EDIT, "bob", s.field)
        polygon = Polygon(((0.1, 0.2, 0.3, 0.4, 1 / 3, 7.0),))
        new = labels.update(
            c, old.id, change_id=change, class_name="white", geometry=polygon, state=LabelState.PROMOTED,
            attributes={"difficult": True}, confidence=None, verified_by="bob", verified_how=Check.EDITED,
        )  # fmt: skip
        assert new == replace(
            old, class_name="white", geometry=polygon, state=LabelState.PROMOTED, attributes={"difficult": True},
            confidence=None, verified_by="bob", verified_how=Check.EDITED,
        )  # fmt: skip
        assert history.get(c, change).count == 1
        versions = history.of_label(c, old.id)
        assert [(v.change.verb, v.before, v.after) for v in versions] == [
            (Verb.IMPORT, None, old),
            (Verb.EDIT, old, new),
        ]
    check_summary(store, s.field)


def test_update__nothing_new_is_no_change(store: Store) -> None:
    with store.write() as c:
        s = sample(c)
        add(c, s, [(s.images[0], Label("red", Box(1, 2, 3, 4)))])
        (old,) = labels.for_images(c, s.field, s.images)[s.images[0]]
        change = history.begin(c, s.project, Verb.EDIT, "bob", s.field)
        assert old.id is not None
        assert labels.update(c, old.id, change_id=change, class_name="red", geometry=old.geometry) == old
        assert history.get(c, change).count == 0
        assert len(history.of_label(c, old.id)) == 1


def test_update__twice_in_one_change(store: Store) -> None:
    with store.write() as c:
        s = sample(c)
        add(c, s, [(s.images[0], Label("red", Box(1, 2, 3, 4)))])
        (old,) = labels.for_images(c, s.field, s.images)[s.images[0]]
        assert old.id is not None
        change = history.begin(c, s.project, Verb.EDIT, "bob", s.field)
        labels.update(c, old.id, change_id=change, class_name="white")
        new = labels.update(c, old.id, change_id=change, geometry=None, class_name="blue")
        assert [(v.before, v.after) for v in history.of_label(c, old.id)] == [(None, old), (old, new)]
        history.undo(c, change, "bob")
        assert labels.get(c, old.id) == old


def test_update__refuses(store: Store) -> None:
    with store.write() as c:
        s = sample(c)
        change = add(c, s, boxes(s))
        (first, *_) = labels.for_images(c, s.field, s.images)[s.images[0]]
        assert first.id is not None
        with pytest.raises(NotFound, match="label"):
            labels.update(c, 10**9, change_id=change, class_name="red")
        with pytest.raises(GeometryError, match="confidence"):
            labels.update(c, first.id, change_id=change, confidence=2.0)
        fields.set_closed(c, s.field, True)
        with pytest.raises(WrongState, match="closed"):
            labels.update(c, first.id, change_id=change, class_name="blue")
        with pytest.raises(WrongState, match="closed"):
            labels.delete(c, [first.id], change)
        with pytest.raises(WrongState, match="closed"):
            add(c, s, boxes(s))


def test_closed_field__reads_as_rejected(store: Store) -> None:
    with store.write() as c:
        s = sample(c)
        given = boxes(s)
        given[0] = (given[0][0], replace(given[0][1], state=LabelState.PROMOTED))
        add(c, s, given)
        fields.set_closed(c, s.field, True)
    with store.read() as c:
        found = Counter(label.state for _, some in labels.stream(c, s.field) for label in some)
        assert found == {LabelState.PROMOTED: 1, LabelState.REJECTED: 9}
        for state, count in {LabelState.PROMOTED: 1, LabelState.REJECTED: 5, LabelState.PROPOSED: 0}.items():
            query = ImageQuery(labels=LabelFilter("ground_truth", states=(state,)))
            assert images.count(c, s.project, query) == count
            assert labels.count(c, s.field, LabelFilter(states=(state,))) == (
                9 if state is LabelState.REJECTED else count
            )
        (of,) = fields.list_all(c, s.project)
        assert of.by_state == {LabelState.PROMOTED: 1, LabelState.REJECTED: 9}


def test_delete(store: Store) -> None:
    with store.write() as c:
        s = sample(c)
        add(c, s, every_shape(s))
        (first, *rest) = labels.for_images(c, s.field, s.images)[s.images[0]]
        assert first.id is not None
        change = history.begin(c, s.project, Verb.DELETE, "bob", s.field)
        assert labels.delete(c, [first.id, 10**9], change) == 1
        assert labels.for_images(c, s.field, s.images)[s.images[0]] == rest
        with pytest.raises(NotFound):
            labels.get(c, first.id)
        assert [(v.before, v.after) for v in history.of_label(c, first.id)] == [(None, first), (first, None)]
        # Its id is not given again: the history would tell two labels' story.
        newest = max(label.id or 0 for label in rest)
        assert labels.delete(c, [newest], change) == 1
        made = labels.create(c, s.field, s.images[1], Label("red"), change_id=change)
        assert made.id is not None
        assert made.id > newest
    check_summary(store, s.field)


def test_stream__images_and_their_labels(store: Store) -> None:
    with store.write() as c:
        s = sample(c, 23)
        add(c, s, boxes(s, 3)[: 3 * 11])
    with store.read() as c:
        for chunk in (1, 4, 1000):
            found = list(labels.stream(c, s.field, chunk=chunk))
            assert [image.id for image, _ in found] == s.images
            assert [len(some) for _, some in found] == [3] * 11 + [0] * 12
            assert all(label.image_id == image.id for image, some in found for label in some)
        some = list(labels.stream(c, s.field, ImageQuery(ids=(s.images[0], s.images[10], s.images[22]))))
        assert [(image.id, len(found)) for image, found in some] == [
            (s.images[0], 3),
            (s.images[10], 3),
            (s.images[22], 0),
        ]
        only = list(labels.stream(c, s.field, filter=LabelFilter("", ("red",)), only_labelled=True, chunk=2))
        assert [image.id for image, _ in only] == s.images[:11:2]


def test_classes__made_once_with_their_colours(store: Store) -> None:
    with store.write() as c:
        s = sample(c)
        add(c, s, boxes(s, classes=("red", "white", "blue")))
        add(c, s, boxes(s, classes=("blue", "red", "green")))
        found = classes.list_all(c, s.project)
        assert [item.name for item in found] == ["red", "white", "blue", "green"]
        assert len({item.color for item in found}) == 4
