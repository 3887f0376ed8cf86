"""Pages in any order, facets and versions: the same on both databases, and the same as counted by hand."""

from __future__ import annotations

import itertools

import pytest

from countersign.domain.errors import Conflict, InvalidInput, NotFound
from countersign.domain.geometry import Box
from countersign.domain.image import ImageFile
from countersign.domain.label import Label, Verb
from countersign.domain.query import parse
from countersign.store import (
    Store,
    browse,
    class_edits,
    classes,
    client_keys,
    editions,
    fields,
    history,
    images,
    labels,
    projects,
    watch,
)
from countersign.store.browse import Sort
from countersign.store.images import NewImage

NAMES = ("b/2.jpg", "a/10.jpg", "a/9.jpg", "C/1.jpg", "ä.jpg", "b/2.png", "Z.jpg")


@pytest.fixture
def project(store: Store) -> int:
    """Seven images, of which the first four have labels; every second is tagged."""
    with store.write() as c:
        project_id = projects.create(c, "p").id
        items = [
            NewImage(ImageFile(f"/x/{n}", f"{i:064}", 50, 40, "JPEG", 3, "uint8", 9), n, ("train", "val")[i % 2],
                     ("odd",) if i % 2 else ())
            for i, n in enumerate(NAMES)
        ]  # fmt: skip
        ids = images.add(c, project_id, items).ids
        field = fields.create(c, project_id, "auto")
        change = history.begin(c, project_id, Verb.IMPORT, "anna", field_id=field.id)
        found = [(ids[i], Label("cell", Box(1, 1, 5, 5), (0.9, 0.2, 0.5, None)[i])) for i in range(4)]
        labels.add(c, field.id, found, change_id=change)
    return project_id


@pytest.mark.parametrize("sort", [Sort.ID, Sort.ID_DOWN, Sort.NAME, Sort.NAME_DOWN])
def test_pages_join_to_the_whole(store: Store, project: int, sort: Sort) -> None:
    with store.read() as c:
        everything = browse.ids(c, project, None, sort=sort)
        paged: list[int] = []
        after = None
        for _ in itertools.count():
            page, after = browse.page(c, project, None, sort=sort, after=after, limit=3)
            paged += [image.id for image in page]
            if after is None:
                break
        names = {image.id: image.name for image in images.page(c, project)}
        text = browse.ids_text(c, project, None, sort=sort)
    assert paged == everything
    assert text == ",".join(map(str, everything))
    if sort.by_name:
        assert [names[found] for found in paged] == sorted(NAMES, reverse=sort.down)


def test_order_by_confidence(store: Store, project: int) -> None:
    query = parse("field=auto")
    with store.read() as c:
        low = browse.ids(c, project, query, sort=Sort.CONFIDENCE)
        high = browse.ids(c, project, query, sort=Sort.CONFIDENCE_DOWN)
        with pytest.raises(InvalidInput, match="field"):
            browse.ids(c, project, None, sort=Sort.CONFIDENCE)
        text = browse.ids_text(c, project, query, sort=Sort.CONFIDENCE)
        nothing = browse.ids_text(c, project, parse("field=auto text~no-such-name"), sort=Sort.CONFIDENCE)
    first = low[0] - 1
    assert [found - first for found in low] == [1, 2, 0, 3]
    assert [found - first for found in high] == [0, 2, 1, 3]
    assert text == ",".join(map(str, low))
    assert nothing == ""


def test_cursor_of_another_order(store: Store, project: int) -> None:
    with store.read() as c, pytest.raises(InvalidInput, match="order"):
        browse.page(c, project, None, sort=Sort.NAME, after=(3,))


@pytest.mark.parametrize(
    "query", ["", "split=val", "tag=odd", "has=auto", "-has=auto split=train", "field=auto confidence=0.3.."]
)
def test_facets_are_what_one_counts(store: Store, project: int, query: str) -> None:
    wanted = parse(query)
    with store.read() as c:
        found = browse.facets(c, project, wanted, fields_of=["auto"])
        fitting = images.page(c, project, wanted)
        labelled = {image_id for image_id, theirs in labels.for_images(c, 1, [i.id for i in fitting]).items() if theirs}
    assert (found.images, found.total) == (len(fitting), len(NAMES))
    for pairs, values in (
        (found.splits, [i.split for i in fitting]),
        (found.tags, [t for i in fitting for t in i.tags]),
    ):
        assert dict(pairs) == {value: values.count(value) for value in set(values)}
    assert found.with_labels == [("auto", len(labelled))]


def test_version_is_the_last_change(store: Store, project: int) -> None:
    with store.write() as c:
        label_id = labels.for_images(c, 1, [images.ids(c, project)[0]]).popitem()[1][0].id
        assert label_id is not None
        first = editions.versions(c, [label_id, 999])
        change = history.begin(c, project, Verb.EDIT, "bert", field_id=1)
        labels.update(c, label_id, change_id=change, class_name="other")
        second = editions.versions(c, [label_id])
        empty = history.begin(c, project, Verb.EDIT, "bert", field_id=1)
        assert editions.forget_empty(c, [change, empty]) == [change]
        labels.delete(c, [label_id], history.begin(c, project, Verb.DELETE, "bert", field_id=1))
        assert editions.versions(c, [label_id]) == {}
        assert editions.was_deleted(c, label_id)
    assert first.keys() == {label_id}
    assert second == {label_id: change}


def test_class_is_deleted_only_if_no_label_had_it(store: Store, project: int) -> None:
    with store.write() as c:
        ids = classes.ensure(c, project, ["unused"])
        class_edits.delete(c, ids["unused"])
        with pytest.raises(NotFound):
            class_edits.by_id(c, ids["unused"])
        cell = classes.get(c, project, "cell").id
        assert cell is not None
        with pytest.raises(Conflict, match="4 labels"):
            class_edits.delete(c, cell)


def test_client_keys(store: Store, project: int) -> None:
    with store.write() as c:
        assert client_keys.find(c, project, "k") is None
        client_keys.keep(c, project, "k", client_keys.Answer("digest", {"a": [1]}))
    with store.write() as c:
        assert client_keys.find(c, project, "k") == client_keys.Answer("digest", {"a": [1]})
        projects.delete(c, project)
        assert client_keys.find(c, project, "k") is None


def test_what_a_change_touched(store: Store, project: int) -> None:
    with store.read() as c:
        row = watch.changes(c)[-1]
        assert row.project_id == project
        assert watch.images_of(c, row) == images.ids(c, project)[:4]
        assert watch.images_of(c, row, most=3) is None
        assert watch.change_marks(c)[-1][:2] == (row.change.id, 4)
        assert watch.active(c, project) == 0
        first = images.ids(c, project)[:2]
        assert watch.cover(c, project, 2) == [(key, images.get(c, key).content_hash) for key in first]
