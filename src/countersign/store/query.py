"""Image queries (``countersign.domain.query``) as SQL, on both databases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from countersign.domain.errors import NotFound
from countersign.domain.query import ImageQuery, LabelFilter
from countersign.store import fields, names, states, summary, verdicts
from countersign.store import tables as t
from countersign.store.sets import among

Conditions = list[sa.ColumnElement[bool]]

_FEW_LABELS = 20_000  # so many are looked up before the images; more are looked for image by image


def image_ids(c: Connection, project_id: int, query: ImageQuery | None) -> sa.Select[int]:
    """Return a select of the ids of the images that fit, unordered. Raises NotFound for an unknown field or class.

    A part of a query that names images is answered at once, the rest when the select runs.
    """
    return sa.select(t.image.c.id).where(*conditions(c, project_id, query))


def conditions(c: Connection, project_id: int, query: ImageQuery | None) -> Conditions:
    """Return the conditions on the table ``image`` that a query makes, that on the project among them."""
    found: Conditions = [t.image.c.project_id == project_id]
    if query is None or query.empty:
        return found
    if query.text:
        found.append(_name_has(c, query.text))
    if query.ids is not None:
        found.append(among(c, t.image.c.id, query.ids))
    if query.names is not None:
        found.append(among(c, t.image.c.id, ids_named(c, project_id, query.names)))
    if query.splits:
        found.append(t.image.c.split.in_(query.splits))
    found += [_tagged(project_id, tag) for tag in query.tags]
    found += [~_tagged(project_id, tag) for tag in query.without_tags]
    for name in query.has_labels_in:
        found.append(_has_labels(fields.get(c, project_id, name).id))
    for name in query.no_labels_in:
        found.append(~_has_labels(fields.get(c, project_id, name).id))
    if query.file is not None:
        found.append(t.image.c.state == query.file.value)
    if not query.labels.empty:
        found.append(_has_fitting(c, project_id, query.labels))
    return found


def _name_has(c: Connection, text: str) -> sa.ColumnElement[bool]:
    """Whether an image's name holds a text, whatever the case of the letters."""
    name = t.image.c.name
    every = name.icontains(text, autoescape=True)
    if c.dialect.name != "sqlite" or not text.isascii():
        return every
    # SQLite's lower() is ours (engine.py): called for 100,000 names it takes 60 ms, and keeps all threads waiting. Its
    # LIKE knows the case of ASCII by itself, which is all there is to a name of as many bytes as letters.
    wide = sa.func.length(name) != sa.func.length(sa.cast(name, sa.LargeBinary))
    return sa.or_(name.contains(text, autoescape=True), sa.and_(wide, every))


def label_conditions(
    c: Connection, project_id: int, filter: LabelFilter | None, *, closed: bool, table: sa.FromClause = t.label
) -> Conditions:
    """Return the conditions on labels (the table or an alias) that a filter makes, but for that on the field.

    ``closed`` is that of the field (see ``states``); verdicts count. Raises NotFound for a class of no such name.
    """
    found: Conditions = []
    if filter is None:
        return found
    if filter.states:
        wanted = [int(state) for state in states.stored(filter.states, closed=closed)]
        # The counts of the summary have the verdicts in them already.
        state = table.c.state if table in (t.label_summary, t.label_block) else verdicts.state_of(table)
        found.append(state.in_(wanted) if wanted else sa.false())
    if filter.classes:
        found.append(table.c.class_id.in_(class_ids(c, project_id, filter.classes)))
    if filter.min_confidence is not None:
        found.append(table.c.confidence >= filter.min_confidence)
    if filter.max_confidence is not None:
        found.append(table.c.confidence <= filter.max_confidence)
    return found


def class_ids(c: Connection, project_id: int, classes: Sequence[str]) -> list[int]:
    """Return the ids of these classes. Raises NotFound for one that is not there."""
    rows = c.execute(
        sa.select(t.label_class.c.name, t.label_class.c.id).where(t.label_class.c.project_id == project_id)
    )
    known: dict[str, int] = {row[0]: row[1] for row in rows}
    for name in classes:
        if name not in known:
            raise NotFound("class", name, known=tuple(known))
    return [known[name] for name in classes]


def ids_named(c: Connection, project_id: int, wanted: Iterable[str]) -> list[int]:
    """Return the ids of the images that have one of these names, by the rules of ``ImageQuery.names``, in order."""
    asked = {name for given in wanted for name in (given, given.replace("\\", "/")) if name}
    return sorted(id for id, name, path in _candidates(c, project_id, asked) if _is_called(name, path, asked))


def unmatched_names(c: Connection, project_id: int, wanted: Sequence[str]) -> list[str]:
    """Return those of the names that no image has, in their order: to tell whoever wrote the list."""
    known: set[str] = set()
    for _, name, path in _candidates(c, project_id, {name.replace("\\", "/") for name in wanted}):
        known |= _forms(name, path)
    return [name for name in wanted if name not in known and name.replace("\\", "/") not in known]


def _is_called(name: str, path: str, asked: set[str]) -> bool:
    # The likely cases first: 100,000 images are asked this.
    last = names.last_part(name)
    quick = name in asked or last in asked or path in asked or names.without_ending(last) in asked
    return quick or not asked.isdisjoint(_forms(name, path))


def _forms(name: str, path: str) -> set[str]:
    found = names.forms(name, path)
    return found | {form.replace("\\", "/") for form in found} if "\\" in path else found


def _candidates(c: Connection, project_id: int, asked: Iterable[str]) -> list[tuple[int, str, str]]:
    """Return id, name and path of the images whose last part, but for the ending, is that of one of the names."""
    lasts = {names.last_part(name) for name in asked}
    stems = lasts | {names.without_ending(last) for last in lasts}
    columns = (t.image.c.id, t.image.c.name, t.image.c.path)
    halves = [
        sa.select(*columns).where(t.image.c.project_id == project_id, among(c, column, stems))
        for column in (t.image.c.name_stem, t.image.c.path_stem)
    ]
    return [(row[0], row[1], row[2]) for row in c.execute(sa.union(*halves))]


def _tagged(project_id: int, tag: str) -> sa.ColumnElement[bool]:
    tagged = sa.select(t.image_tag.c.image_id).where(t.image_tag.c.project_id == project_id, t.image_tag.c.tag == tag)
    return t.image.c.id.in_(tagged)


def _has_labels(field_id: int) -> sa.ColumnElement[bool]:
    return sa.exists(sa.select(1).where(t.label.c.field_id == field_id, t.label.c.image_id == t.image.c.id))


def _has_fitting(c: Connection, project_id: int, filter: LabelFilter) -> sa.ColumnElement[bool]:
    """Images with a label that fits: looked up from the labels where those are few, else image by image."""
    field = fields.row(c, fields.get(c, project_id, filter.field).id)
    fits = [t.label.c.field_id == field.id, *label_conditions(c, project_id, filter, closed=field.closed)]
    few = _at_most(c, field, project_id, filter)
    if not few:
        return sa.false()
    if c.dialect.name == "sqlite" and few <= _FEW_LABELS and not filter.states:
        return t.image.c.id.in_(sa.select(t.label.c.image_id).where(*fits))
    looked_up = sa.select(1).where(t.label.c.image_id == t.image.c.id, *fits)
    # Left alone, SQLite looks through all labels of the class for every image: the range of confidence tempts it.
    found: sa.ColumnElement[bool] = sa.exists(looked_up.with_hint(t.label, "INDEXED BY ix_label_image", "sqlite"))
    if filter.states or filter.classes:
        # States are told label by label (see verdicts.py): look only where the summary says that there are such.
        wide = LabelFilter(filter.field, filter.classes, states=filter.states)
        cells = label_conditions(c, project_id, wide, closed=field.closed, table=t.label_block)
        block = sa.select(t.label_block.c.block).where(
            t.label_block.c.field_id == field.id, t.label_block.c.count > 0, *cells
        )
        found = sa.and_(summary.block_column(t.image.c.id).in_(block), found)
    return found


def _at_most(c: Connection, field: fields.FieldRow, project_id: int, filter: LabelFilter) -> int:
    """Return how many labels fit a filter at most, from the summary."""
    s = t.label_summary.c
    fits = [s.field_id == field.id]
    unranged = LabelFilter(filter.field, filter.classes, states=filter.states)
    fits += label_conditions(c, project_id, unranged, closed=field.closed, table=t.label_summary)
    if not filter.any_confidence:
        low, high = filter.min_confidence or 0.0, 1.0 if filter.max_confidence is None else filter.max_confidence
        fits += [s.bin >= max(int(low * 100) - 1, 0), s.bin <= int(high * 100)]
    return int(c.execute(sa.select(sa.func.coalesce(sa.func.sum(s.count), 0)).where(*fits)).scalar_one())
