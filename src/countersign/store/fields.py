"""Field records: the named sets of labels of a project."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from countersign.domain.errors import NameTaken, NotFound, WrongState
from countersign.domain.geometry import Kind
from countersign.domain.label import Field, LabelState, Verb
from countersign.domain.run import RunState, check_field_name
from countersign.store import states
from countersign.store import tables as t


@dataclass(frozen=True, slots=True)
class FieldSummary:
    """A field and how much is in it: labels by state (as they read) and kind, and images that have any."""

    field: Field
    closed: bool
    labels: int
    images: int
    by_state: dict[LabelState, int]
    by_kind: dict[Kind, int]


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A field as the other record modules need it. ``closed``: see ``states``."""

    id: int
    project_id: int
    name: str
    run_id: int | None
    closed: bool


def get(c: Connection, project_id: int, name: str) -> Field:
    """Return the field of this name. Raises NotFound."""
    found = find(c, project_id, name)
    if found is None:
        query = sa.select(t.field.c.name).where(t.field.c.project_id == project_id).order_by(t.field.c.id).limit(12)
        known = tuple(c.execute(query).scalars())
        remedy = "" if known else "The project has no labels yet: import some, or draw them."
        raise NotFound("field", name, known=known, remedy=remedy)
    return found


def find(c: Connection, project_id: int, name: str) -> Field | None:
    """Return the field of this name, if there is one."""
    row = c.execute(sa.select(t.field).where(t.field.c.project_id == project_id, t.field.c.name == name)).one_or_none()
    return None if row is None else _field(row)


def row(c: Connection, field_id: int) -> FieldRow:
    """Return what is stored of a field. Raises NotFound."""
    found = c.execute(sa.select(t.field).where(t.field.c.id == field_id)).one_or_none()
    if found is None:
        raise NotFound("field", field_id)
    return FieldRow(found.id, found.project_id, found.name, found.run_id, bool(found.closed))


def by_id(c: Connection, field_id: int) -> Field:
    """Return the field with this id. Raises NotFound."""
    found = c.execute(sa.select(t.field).where(t.field.c.id == field_id)).one_or_none()
    if found is None:
        raise NotFound("field", field_id)
    return _field(found)


def create(c: Connection, project_id: int, name: str, run_id: int | None = None) -> Field:
    """Make a field. Raises NameTaken if there is one of this name, InvalidInput for a name that is none."""
    check_field_name(name)
    if find(c, project_id, name) is not None:
        raise NameTaken("field", name)
    created = datetime.now(UTC)
    insert = t.field.insert().values(project_id=project_id, name=name, run_id=run_id, closed=False, created_at=created)
    try:
        made = c.execute(insert.returning(t.field.c.id)).scalar_one()
    except IntegrityError as error:  # PostgreSQL: somebody else made it just now
        raise NameTaken("field", name) from error
    return Field(name, made, project_id, run_id, created)


def ensure(c: Connection, project_id: int, name: str) -> Field:
    """Return the field of this name, making it if there is none."""
    found = find(c, project_id, name)
    if found is not None:
        return found
    if c.dialect.name == "sqlite":
        return create(c, project_id, name)
    try:
        with c.begin_nested():
            return create(c, project_id, name)
    except NameTaken:
        return get(c, project_id, name)


def set_run(c: Connection, field_id: int, run_id: int | None) -> None:
    """Say which run writes a field."""
    c.execute(t.field.update().where(t.field.c.id == field_id).values(run_id=run_id))


def set_closed(c: Connection, field_id: int, closed: bool) -> None:
    """Close a field (its run was approved), or open it again."""
    c.execute(t.field.update().where(t.field.c.id == field_id).values(closed=closed))


def rename(c: Connection, project_id: int, name: str, new_name: str) -> Field:
    """Give a field another name. Raises NotFound, NameTaken, InvalidInput."""
    found = get(c, project_id, name)
    check_field_name(new_name)
    if new_name != name and find(c, project_id, new_name) is not None:
        raise NameTaken("field", new_name)
    c.execute(t.field.update().where(t.field.c.id == found.id).values(name=new_name))
    return by_id(c, found.id)


def list_all(c: Connection, project_id: int, ids: Collection[int] | None = None) -> list[FieldSummary]:
    """Return the fields of a project (or those of it with these ids), oldest first, with their counts."""
    wanted = sa.select(t.field).where(t.field.c.project_id == project_id).order_by(t.field.c.id)
    if ids is not None:
        wanted = wanted.where(t.field.c.id.in_(list(ids)))
    rows = c.execute(wanted).all()
    return [_summary(c, found) for found in rows]


def delete(c: Connection, project_id: int, name: str, *, actor: str = "") -> int:
    """Delete a field with its labels, their history and its run, for good; return how many labels there were.

    Raises NotFound, and WrongState while its run is at work.
    """
    found = get(c, project_id, name)
    running = sa.select(t.run.c.name).where(t.run.c.field_id == found.id, t.run.c.state == RunState.GENERATING.value)
    run = c.execute(running).scalar()
    if run is not None:
        raise WrongState(f"The run {run!r} is writing the field {name!r}", remedy="Cancel the run first.")
    count = c.execute(sa.select(sa.func.count()).where(t.label.c.field_id == found.id)).scalar_one()
    ids = sa.union_all(
        sa.select(t.label.c.id).where(t.label.c.field_id == found.id),
        sa.select(t.label_removed.c.id).where(t.label_removed.c.field_id == found.id),
    )
    c.execute(t.label_change.delete().where(t.label_change.c.label_id.in_(sa.select(ids.subquery().c.id))))
    for table in (t.label, t.label_removed, t.label_summary, t.label_block, t.verdict):
        c.execute(table.delete().where(table.c.field_id == found.id))
    runs = sa.select(t.run.c.id).where(t.run.c.field_id == found.id).scalar_subquery()
    c.execute(t.run_image.delete().where(t.run_image.c.run_id.in_(runs)))
    c.execute(t.run.delete().where(t.run.c.field_id == found.id))
    c.execute(t.field.delete().where(t.field.c.id == found.id))
    c.execute(
        t.change.insert().values(
            project_id=project_id,
            verb=Verb.DELETE.value,
            actor=actor,
            at=datetime.now(UTC),
            count=count,
            note=f"the field {name}",
        )
    )
    return int(count)


def _summary(c: Connection, found: sa.Row[tuple[object, ...]]) -> FieldSummary:
    mine = t.label.c.field_id == found.id
    counts = c.execute(
        sa.select(t.label_summary.c.state, sa.func.sum(t.label_summary.c.count))
        .where(t.label_summary.c.field_id == found.id)
        .group_by(t.label_summary.c.state)
    ).all()
    by_state: dict[LabelState, int] = {}
    for state, count in counts:
        if count:
            reads = states.shown(state, closed=found.closed)
            by_state[reads] = by_state.get(reads, 0) + int(count)
    # Grouped, not DISTINCT: the index on (field, image) gives the images in order, without a set of them.
    images = sa.select(t.label.c.image_id).where(mine).group_by(t.label.c.image_id).subquery()
    kinds = c.execute(sa.select(t.label.c.kind, sa.func.count()).where(mine).group_by(t.label.c.kind)).all()
    return FieldSummary(
        field=_field(found),
        closed=bool(found.closed),
        labels=sum(by_state.values()),
        images=c.execute(sa.select(sa.func.count()).select_from(images)).scalar_one(),
        by_state=by_state,
        by_kind={Kind(kind): count for kind, count in kinds},
    )


def _field(found: sa.Row[tuple[object, ...]]) -> Field:
    return Field(found.name, found.id, found.project_id, found.run_id, found.created_at)
