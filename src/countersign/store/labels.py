"""Label records: add, read, change, delete. Every change is kept (``history.py``); the summaries follow in the same
transaction.

A label's state is read with its verdict (``verdicts.py``) and with what a closed field makes of it (``states.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from countersign.domain.errors import NotFound
from countersign.domain.geometry import Geometry
from countersign.domain.image import Image
from countersign.domain.label import Check, Label, LabelState, Provenance
from countersign.domain.query import ImageQuery, LabelFilter
from countersign.store import classes, fields, history, images, label_moves, label_rows, states, summary, verdicts
from countersign.store import provenance as origins
from countersign.store import tables as t
from countersign.store.geometry_codec import encode
from countersign.store.sets import among, note_many


class _Unchanged:
    """The default of what ``update`` leaves as it is: None means something there."""


UNCHANGED: Final = _Unchanged()

# SQLite would take the index of classes and confidences for a filter, and walk the whole field for every few images.
_BY_IMAGE = "INDEXED BY ix_label_image"


def add(
    c: Connection,
    field_id: int,
    items: Iterable[tuple[int, Label]],
    *,
    change_id: int,
    provenance: Provenance | None = None,
) -> int:
    """Add labels, each with the id of its image; return how many.

    A label's own provenance wins; without either it is a person's: the actor of the change. Missing classes are made.
    The ids and image ids that the labels carry are ignored. Raises NotFound for an image that is not in the field's
    project, WrongState for a closed field.
    """
    field = fields.row(c, field_id)
    states.check_open(field.name, closed=field.closed)
    writer = label_rows.Writer(c, field, change_id, history.actor_of(c, change_id), provenance)
    writer.write(items)
    if writer.count and writer.first is not None and writer.last is not None:
        history.made(c, change_id, writer.count, writer.first, writer.last)
        summary.add(c, writer.tally())
        note_many(c, writer.count, t.label)
    return writer.count


def create(
    c: Connection, field_id: int, image_id: int, label: Label, *, change_id: int, provenance: Provenance | None = None
) -> Label:
    """Add one label and return it as stored, with its id. Raises as ``add`` does."""
    add(c, field_id, [(image_id, label)], change_id=change_id, provenance=provenance)
    newest = sa.select(sa.func.max(t.label.c.id)).where(t.label.c.field_id == field_id, t.label.c.image_id == image_id)
    return get(c, c.execute(newest.where(t.label.c.created_change == change_id)).scalar_one())


def get(c: Connection, label_id: int) -> Label:
    """Return the label with this id. Raises NotFound."""
    reader = label_rows.Reader(c, fields.row(c, field_of(c, label_id)))
    return reader.labels(c.execute(reader.select().where(t.label.c.id == label_id)))[0]


def field_of(c: Connection, label_id: int) -> int:
    """Return the id of the field that a label is in. Raises NotFound."""
    found = c.execute(sa.select(t.label.c.field_id).where(t.label.c.id == label_id)).scalar()
    if found is None:
        raise NotFound("label", label_id)
    return int(found)


def by_ids(c: Connection, field_id: int, ids: Collection[int]) -> list[Label]:
    """Return the labels of a field with these ids, in the order of ids; ids that are not there are left out."""
    reader = label_rows.Reader(c, fields.row(c, field_id))
    # SQLite would sooner walk an index of the whole field than look the ids up.
    chosen = reader.select().with_hint(t.label, "NOT INDEXED", "sqlite")
    return reader.labels(c.execute(chosen.where(among(c, t.label.c.id, ids)).order_by(t.label.c.id)))


def for_images(
    c: Connection, field_id: int, image_ids: Collection[int], *, filter: LabelFilter | None = None
) -> dict[int, list[Label]]:
    """Return the labels of a field on these images, by image, in the order of ids. Every image asked for is a key."""
    reader = label_rows.Reader(c, fields.row(c, field_id))
    found: dict[int, list[Label]] = {image_id: [] for image_id in image_ids}
    chosen = reader.select(filter).with_hint(t.label, _BY_IMAGE, "sqlite")
    rows = chosen.where(among(c, t.label.c.image_id, list(found))).order_by(t.label.c.id)
    for label in reader.labels(c.execute(rows)):
        assert label.image_id is not None
        found[label.image_id].append(label)
    return found


def stream(
    c: Connection,
    field_id: int,
    query: ImageQuery | None = None,
    *,
    filter: LabelFilter | None = None,
    only_labelled: bool = False,
    chunk: int = 1000,
) -> Iterator[tuple[Image, list[Label]]]:
    """Yield the images that fit, in the order of ids, each with its labels of a field that fit ``filter``.

    Memory is bounded by ``chunk`` images. ``only_labelled`` leaves out images without such a label. Read to the end
    within one ``store.read()``: all is of one moment.
    """
    reader = label_rows.Reader(c, fields.row(c, field_id))
    chosen = reader.select(filter).with_hint(t.label, _BY_IMAGE, "sqlite")
    for found in images.walk(c, reader.field.project_id, query, chunk=chunk):
        by_image: dict[int, list[Label]] = {image.id: [] for image in found}
        first, last = found[0].id, found[-1].id
        here: sa.ColumnElement[bool] = t.label.c.image_id.between(first, last)
        if last - first >= 2 * len(found):
            here = among(c, t.label.c.image_id, list(by_image))
        for label in reader.labels(c.execute(chosen.where(here).order_by(t.label.c.image_id, t.label.c.id))):
            assert label.image_id is not None
            if label.image_id in by_image:
                by_image[label.image_id].append(label)
        for image in found:
            if by_image[image.id] or not only_labelled:
                yield image, by_image[image.id]


def count(c: Connection, field_id: int, filter: LabelFilter | None = None) -> int:
    """Count the labels of a field that fit."""
    reader = label_rows.Reader(c, fields.row(c, field_id))
    return int(c.execute(sa.select(sa.func.count()).select_from(reader.select(filter).subquery())).scalar_one())


def update(
    c: Connection,
    label_id: int,
    *,
    change_id: int,
    class_name: str | _Unchanged = UNCHANGED,
    geometry: Geometry | _Unchanged | None = UNCHANGED,
    state: LabelState | _Unchanged = UNCHANGED,
    attributes: Mapping[str, Any] | _Unchanged = UNCHANGED,
    confidence: float | _Unchanged | None = UNCHANGED,
    verified_by: str | _Unchanged | None = UNCHANGED,
    verified_how: Check | _Unchanged | None = UNCHANGED,
    provenance: Provenance | _Unchanged = UNCHANGED,
) -> Label:
    """Change what is given of one label and keep what was; return it as it is now.

    Raises NotFound, WrongState for a label of a closed field, InvalidInput for values that no label has.
    """
    given = {
        "class_name": class_name, "geometry": geometry, "state": state, "attributes": attributes,
        "confidence": confidence, "verified_by": verified_by, "verified_how": verified_how,
        "provenance": provenance,
    }  # fmt: skip
    values = {name: value for name, value in given.items() if not isinstance(value, _Unchanged)}
    update_many(c, field_of(c, label_id), {label_id: values}, change_id=change_id)
    return get(c, label_id)


def update_many(c: Connection, field_id: int, values: Mapping[int, Mapping[str, Any]], *, change_id: int) -> int:
    """Change labels of one field, each in its own way: ``values`` has by their ids what ``update`` takes by name.

    Returns how many are other than before. All of them change or none: raises NotFound for a label that is not in the
    field, WrongState for a closed field, InvalidInput for values that no label has.
    """
    field = fields.row(c, field_id)
    states.check_open(field.name, closed=field.closed)
    names = dict.fromkeys(str(given["class_name"]) for given in values.values() if "class_name" in given)
    known = classes.ensure(c, field.project_id, names) if names else {}
    new = {label_id: _columns(c, given, known) for label_id, given in values.items()}
    verdicts.settle(c, values)
    # Not by the field as well: SQLite would walk all of it.
    there = c.execute(sa.select(t.label.c.id, t.label.c.field_id).where(among(c, t.label.c.id, values)))
    if gone := values.keys() - {row[0] for row in there if row[1] == field_id}:
        raise NotFound("label", min(gone))
    changed = label_moves.rewrite(c, new, change_id)
    if changed:
        history.count(c, change_id, len(changed))
    return len(changed)


def _columns(c: Connection, given: Mapping[str, Any], class_ids: Mapping[str, int]) -> dict[str, Any]:
    """Return what is given of a label as columns."""
    new: dict[str, Any] = {}
    if "class_name" in given:
        new["class_id"] = class_ids[given["class_name"]]
    if "geometry" in given:
        new |= zip(("kind", "x", "y", "width", "height", "geometry"), encode(given["geometry"]), strict=True)
    if "state" in given:
        new["state"] = int(given["state"])
    if "attributes" in given:
        new["attributes"] = label_rows.dump_attributes(given["attributes"])
    if "confidence" in given:
        Label("any", confidence=given["confidence"])  # raises for one out of range
        new["confidence"] = given["confidence"]
    if "verified_by" in given:
        new["verified_by"] = given["verified_by"]
    if "verified_how" in given:
        how = given["verified_how"]
        new["verified_how"] = None if how is None else Check(how).value
    if "provenance" in given:
        new["provenance_id"] = origins.ensure(c, given["provenance"])
    return new


def delete(c: Connection, ids: Collection[int], change_id: int) -> int:
    """Delete labels and keep what they were; return how many there were. Raises WrongState for a closed field."""
    mine = sa.select(t.field.c.name, t.field.c.closed).where(
        t.field.c.id.in_(sa.select(t.label.c.field_id).where(among(c, t.label.c.id, ids)))
    )
    for name, closed in c.execute(mine).all():
        states.check_open(name, closed=closed)
    verdicts.settle(c, ids)
    gone = label_moves.remove(c, among(c, t.label.c.id, ids), change_id)
    history.count(c, change_id, gone)
    return gone
