"""What is new in the database, whoever wrote it: for those who watch. Reads only, and little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from countersign.domain.label import Change
from countersign.store import history
from countersign.store import tables as t


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A change with its project and what tells that it went on."""

    project_id: int
    change: Change
    first_label: int | None
    last_label: int | None


def changes(c: Connection, *, newest: int = 50) -> list[ChangeRow]:
    """Return the newest changes of all projects, oldest first."""
    k = t.change.c
    rows = c.execute(sa.select(k.id, k.project_id, k.first_label, k.last_label).order_by(k.id.desc()).limit(newest))
    return [ChangeRow(row[1], history.get(c, row[0]), row[2], row[3]) for row in rows.all()[::-1]]


def change_marks(c: Connection, *, newest: int = 50) -> list[tuple[int, int, int | None]]:
    """Return id, count and ``undone_by`` of the newest changes, oldest first: what tells whether any is news."""
    k = t.change.c
    rows = c.execute(sa.select(k.id, k.count, k.undone_by).order_by(k.id.desc()).limit(newest)).all()
    return [(row[0], row[1], row[2]) for row in rows[::-1]]


def change(c: Connection, change_id: int) -> ChangeRow | None:
    """Return one change, None if it is gone."""
    k = t.change.c
    row = c.execute(sa.select(k.project_id, k.first_label, k.last_label).where(k.id == change_id)).one_or_none()
    return None if row is None else ChangeRow(row[0], history.get(c, change_id), row[1], row[2])


def images_of(c: Connection, row: ChangeRow, *, most: int = 200) -> list[int] | None:
    """Return the images whose labels a change touched; None where they are more than ``most``, or not known."""
    if row.change.count > 20 * most:
        return None
    touched = sa.select(t.label_change.c.label_id).where(t.label_change.c.change_id == row.change.id)
    found: set[int] = set()
    for table in (t.label, t.label_removed):
        chosen: list[sa.ColumnElement[bool]] = [table.c.id.in_(touched)]
        if row.first_label is not None:
            span = table.c.id.between(row.first_label, row.last_label)
            chosen.append(sa.and_(span, table.c.created_change == row.change.id))
        for each in chosen:
            found.update(c.execute(sa.select(table.c.image_id).where(each).distinct().limit(most + 1)).scalars())
    return sorted(found) if len(found) <= most else None


def lists(c: Connection) -> dict[str, tuple[Any, ...]]:
    """Return what the short lists look like now, by name or name:project: compare two to see what changed."""
    p = t.project.c
    projects = c.execute(sa.select(p.id, p.name, p.images_changed).order_by(p.id)).all()
    found: dict[str, Any] = {
        "projects": tuple((row[0], row[1]) for row in projects),
        "models": tuple(map(tuple, c.execute(sa.select(t.model.c.id, t.model.c.name).order_by(t.model.c.id)))),
    }
    for project_id, _, images_changed in projects:
        k, f = t.label_class.c, t.field.c
        classes = sa.select(k.id, k.name, k.color, sa.type_coerce(k.keypoint_names, sa.Text))
        found[f"classes:{project_id}"] = tuple(map(tuple, c.execute(classes.where(k.project_id == project_id))))
        these = sa.select(f.id, f.name, f.closed).where(f.project_id == project_id)
        found[f"fields:{project_id}"] = tuple(map(tuple, c.execute(these)))
        found[f"images:{project_id}"] = (images_changed,)
    return found


def works(c: Connection) -> tuple[dict[int, tuple[Any, ...]], dict[int, tuple[Any, ...]]]:
    """Return what the runs and the trainings look like now, by their ids: compare two to see which moved."""
    r, k = t.run.c, t.training.c
    runs = sa.select(r.id, r.name, r.state, r.total, r.done, r.failed, r.labels, r.error, r.request, r.target_field)
    trainings = sa.select(k.id, k.name, k.state, k.error, k.model_id, sa.type_coerce(k.progress, sa.Text))
    return (
        {row[0]: tuple(row) for row in c.execute(runs)},
        {row[0]: tuple(row) for row in c.execute(trainings)},
    )


def cover(c: Connection, project_id: int, count: int = 4) -> list[tuple[int, str]]:
    """Return ids and content hashes of the first few images of a project whose files are there."""
    k = t.image.c
    chosen = (
        sa.select(k.id, k.content_hash).where(k.project_id == project_id, k.state == "ok").order_by(k.id).limit(count)
    )
    return [(row[0], row[1]) for row in c.execute(chosen)]


def active(c: Connection, project_id: int) -> int:
    """Return how many runs and trainings of a project are at work or about to be."""
    r, k = t.run.c, t.training.c
    runs = sa.select(sa.func.count()).where(r.project_id == project_id, r.state.in_(("queued", "generating")))
    trainings = sa.select(sa.func.count()).where(k.project_id == project_id, k.state.in_(("queued", "training")))
    return int(c.execute(runs).scalar_one()) + int(c.execute(trainings).scalar_one())
