"""Looking at a project's images in any order, and counting what there is to filter by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from countersign.domain.errors import InvalidInput
from countersign.domain.image import Image
from countersign.domain.query import ImageQuery
from countersign.store import fields, images, query, states
from countersign.store import tables as t


class Sort(StrEnum):
    """How images are ordered. By confidence: by the lowest (highest) label that fits the query's label filter."""

    ID = "id"
    ID_DOWN = "-id"
    NAME = "name"
    NAME_DOWN = "-name"
    CONFIDENCE = "confidence"
    CONFIDENCE_DOWN = "-confidence"

    @property
    def down(self) -> bool:
        return self.value.startswith("-")

    @property
    def by_name(self) -> bool:
        return self in (Sort.NAME, Sort.NAME_DOWN)

    @property
    def by_confidence(self) -> bool:
        return self in (Sort.CONFIDENCE, Sort.CONFIDENCE_DOWN)


def page(
    c: Connection,
    project_id: int,
    wanted: ImageQuery | None,
    *,
    sort: Sort = Sort.ID,
    after: tuple[Any, ...] | None = None,
    limit: int = 100,
) -> tuple[list[Image], tuple[Any, ...] | None]:
    """Return a page of images by id or name, and the key of its last one (None at the end) to go on after."""
    k = t.image.c
    keys: list[sa.ColumnElement[Any]] = [_name(c), k.id] if sort.by_name else [k.id]
    chosen = sa.select(*keys).where(*query.conditions(c, project_id, wanted)).order_by(*_directed(keys, sort))
    if after is not None:
        if len(after) != len(keys):
            raise InvalidInput("the cursor is of pages in another order", remedy="Begin at the first page.")
        here, there = sa.tuple_(*keys), sa.tuple_(*(sa.literal(value) for value in after))
        chosen = chosen.where(here < there if sort.down else here > there)
    rows = c.execute(chosen.limit(limit + 1)).all()
    found = {image.id: image for image in images.by_ids(c, [row[-1] for row in rows[:limit]])}
    return [found[row[-1]] for row in rows[:limit]], tuple(rows[limit - 1]) if len(rows) > limit else None


def ids(c: Connection, project_id: int, wanted: ImageQuery | None, *, sort: Sort = Sort.ID) -> list[int]:
    """Return the ids of all images that fit, in order. Raises InvalidInput by confidence without a field."""
    return list(c.execute(_chosen(c, project_id, wanted, sort)).scalars())


def ids_text(c: Connection, project_id: int, wanted: ImageQuery | None, *, sort: Sort = Sort.ID) -> str:
    """Return the same ids as text, with commas.

    The database writes it: 100,000 rows read one by one keep every other thread waiting, this none.
    """
    chosen = _chosen(c, project_id, wanted, sort).subquery()
    # Both join in the order in which the inner select gives the rows.
    number = sa.cast(next(iter(chosen.c)), sa.Text)
    joined = sa.func.group_concat(number) if c.dialect.name == "sqlite" else sa.func.string_agg(number, ",")
    return str(c.execute(sa.select(joined)).scalar() or "")


def _chosen(c: Connection, project_id: int, wanted: ImageQuery | None, sort: Sort) -> sa.Select[int]:
    if sort.by_confidence:
        return _by_confidence(c, project_id, wanted or ImageQuery(), sort)
    k = t.image.c
    keys: list[sa.ColumnElement[Any]] = [_name(c), k.id] if sort.by_name else [k.id]
    return sa.select(k.id).where(*query.conditions(c, project_id, wanted)).order_by(*_directed(keys, sort))


def _directed(keys: Sequence[sa.ColumnElement[Any]], sort: Sort) -> list[sa.ColumnElement[Any]]:
    return [key.desc() if sort.down else key for key in keys]


def _name(c: Connection) -> sa.ColumnElement[str]:
    # By code points on both databases: PostgreSQL's own order depends on the language it was set up in.
    return t.image.c.name if c.dialect.name == "sqlite" else sa.collate(t.image.c.name, "C")


def _by_confidence(c: Connection, project_id: int, wanted: ImageQuery, sort: Sort) -> sa.Select[int]:
    if not wanted.labels.field:
        raise InvalidInput("Images by confidence need a field", remedy="Add field=NAME to the query.")
    field = fields.row(c, fields.get(c, project_id, wanted.labels.field).id)
    k = t.label.c
    best = sa.func.max(k.confidence) if sort.down else sa.func.min(k.confidence)
    fits = query.label_conditions(c, project_id, wanted.labels, closed=field.closed)
    return (
        sa.select(k.image_id)
        .where(k.field_id == field.id, k.image_id.in_(query.image_ids(c, project_id, wanted)), *fits)
        .group_by(k.image_id)
        .order_by(best.desc().nulls_last() if sort.down else best.nulls_last(), k.image_id)
    )


@dataclass(frozen=True, slots=True)
class Facets:
    """Counts of images that fit a query, by what one can filter by. Names are in order."""

    images: int
    total: int
    splits: list[tuple[str, int]]
    states: list[tuple[str, int]]
    tags: list[tuple[str, int]]
    with_labels: list[tuple[str, int]]


def facets(c: Connection, project_id: int, wanted: ImageQuery | None, *, fields_of: Sequence[str] = ()) -> Facets:
    """Count the images that fit by split, state of the file and tag, and those with a label in each of some fields."""
    k = t.image.c
    if wanted is None or wanted.empty:
        return _facets_of_all(c, project_id, fields_of)
    # The filter is the dear part, so it is asked once; the database counts, so that no other thread waits meanwhile.
    chosen = sa.select(k.id, k.split, k.state).where(*query.conditions(c, project_id, wanted)).cte("chosen")
    chosen = chosen.prefix_with("MATERIALIZED")
    g = t.image_tag.c
    tagged = (g.project_id == project_id) & g.image_id.in_(sa.select(chosen.c.id))
    parts = [
        sa.select(sa.literal("cell"), chosen.c.split, chosen.c.state, sa.func.count()).group_by(
            chosen.c.split, chosen.c.state
        ),
        sa.select(sa.literal("tag"), g.tag, sa.literal(""), sa.func.count()).where(tagged).group_by(g.tag),
    ]
    for name in fields_of:
        label = t.label.c
        has = (label.field_id == fields.get(c, project_id, name).id) & (label.image_id == chosen.c.id)
        count = sa.select(sa.literal("field"), sa.literal(name), sa.literal(""), sa.func.count())
        parts.append(count.select_from(chosen).where(sa.exists().where(has)))
    rows = [tuple(row) for row in c.execute(sa.union_all(*parts))]
    cells = [row[1:] for row in rows if row[0] == "cell"]
    labelled_in = {row[1]: row[3] for row in rows if row[0] == "field"}
    return Facets(
        sum(row[2] for row in cells),
        images.count(c, project_id),
        _sums(cells, 0),
        _sums(cells, 1),
        sorted((row[1], row[3]) for row in rows if row[0] == "tag"),
        [(name, labelled_in[name]) for name in fields_of],
    )


def _facets_of_all(c: Connection, project_id: int, fields_of: Sequence[str]) -> Facets:
    k = t.image.c
    everything = query.conditions(c, project_id, None)
    cells = c.execute(sa.select(k.split, k.state, sa.func.count()).where(*everything).group_by(k.split, k.state)).all()
    count = sum(row[2] for row in cells)
    with_labels = [(name, _with_labels(c, project_id, name, everything)) for name in fields_of]
    return Facets(count, count, _sums(cells, 0), _sums(cells, 1), list(images.tags(c, project_id).items()), with_labels)


def _sums(cells: Sequence[Any], column: int) -> list[tuple[str, int]]:
    found: dict[str, int] = {}
    for row in cells:
        found[row[column]] = found.get(row[column], 0) + row[2]
    return sorted(found.items())


def _with_labels(c: Connection, project_id: int, name: str, conditions: query.Conditions) -> int:
    field_id = fields.get(c, project_id, name).id
    has = sa.exists().where(t.label.c.field_id == field_id, t.label.c.image_id == t.image.c.id)
    return int(c.execute(sa.select(sa.func.count()).select_from(t.image).where(*conditions, has)).scalar_one())


def labelled(c: Connection, project_id: int, field: str) -> int:
    """Count the images of a project with a label in a field; 0 if there is no such field."""
    if fields.find(c, project_id, field) is None:
        return 0
    return _with_labels(c, project_id, field, query.conditions(c, project_id, None))


@dataclass(frozen=True, slots=True)
class FieldCount:
    """A field and what the summaries know of it. ``confident``: whether any label has a confidence."""

    row: fields.FieldRow
    labels: int
    by_state: dict[str, int]
    confident: bool


def field_counts(c: Connection, project_id: int) -> list[FieldCount]:
    """Return the fields of a project with counts, without reading a label."""
    s = t.label_summary.c
    rows = c.execute(sa.select(t.field.c.id).where(t.field.c.project_id == project_id).order_by(t.field.c.id)).scalars()
    found = []
    for field in [fields.row(c, field_id) for field_id in rows.all()]:
        by_state: dict[str, int] = {}
        confident = False
        cells = sa.select(s.state, sa.case((s.bin < 0, 0), else_=1).label("sure"), sa.func.sum(s.count))
        for state, sure, count in c.execute(cells.where(s.field_id == field.id, s.count > 0).group_by(s.state, "sure")):
            name = states.shown(state, closed=field.closed).name.lower()
            by_state[name] = by_state.get(name, 0) + int(count)
            confident = confident or bool(sure)
        found.append(FieldCount(field, sum(by_state.values()), by_state, confident))
    return found


def class_counts(c: Connection, project_id: int) -> dict[int, int]:
    """Return how many labels each class has in all fields of a project, by its id."""
    s = t.label_summary.c
    mine = sa.select(t.field.c.id).where(t.field.c.project_id == project_id)
    rows = c.execute(sa.select(s.class_id, sa.func.sum(s.count)).where(s.field_id.in_(mine)).group_by(s.class_id))
    return {row[0]: int(row[1]) for row in rows}


def promoted_counts(c: Connection, field_id: int, state: int) -> list[tuple[str, int]]:
    """Return how many labels of a field are in a stored state, by the names of their classes."""
    s, k = t.label_summary.c, t.label_class.c
    rows = c.execute(
        sa.select(k.name, sa.func.sum(s.count))
        .join(t.label_class, k.id == s.class_id)
        .where(s.field_id == field_id, s.state == state, s.count > 0)
        .group_by(k.name)
        .order_by(k.name)
    )
    return [(row[0], int(row[1])) for row in rows]


def unsure_count(c: Connection, field_id: int) -> int:
    """Return how many labels of a field have no confidence."""
    s = t.label_summary.c
    return int(
        c.execute(
            sa.select(sa.func.coalesce(sa.func.sum(s.count), 0)).where(s.field_id == field_id, s.bin < 0)
        ).scalar_one()
    )
