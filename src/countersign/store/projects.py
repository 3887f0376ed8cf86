"""Project records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from countersign.domain.errors import InvalidInput, NameTaken, NotFound
from countersign.domain.image import Project
from countersign.store import tables as t


@dataclass(frozen=True, slots=True)
class ProjectSummary:
    """A project and how much is in it. ``last_change`` is when its labels last changed."""

    project: Project
    images: int
    labels: int
    fields: int
    runs: int
    last_change: datetime | None


def create(c: Connection, name: str) -> Project:
    """Make a project. Raises NameTaken, or InvalidInput for a name that is none."""
    _check_name(name)
    created = datetime.now(UTC)
    if _find(c, name) is not None:
        raise NameTaken("project", name)
    with _name_free(name):
        made = c.execute(
            t.project.insert().values(name=name, created_at=created).returning(t.project.c.id)
        ).scalar_one()
    return Project(made, name, created)


def get(c: Connection, name: str) -> Project:
    """Return the project of this name. Raises NotFound."""
    row = _find(c, name)
    if row is None:
        known = c.execute(sa.select(t.project.c.name).order_by(t.project.c.id).limit(12)).scalars().all()
        raise NotFound("project", name, known=tuple(known))
    return row


def by_id(c: Connection, project_id: int) -> Project:
    """Return the project with this id. Raises NotFound."""
    row = c.execute(sa.select(t.project).where(t.project.c.id == project_id)).one_or_none()
    if row is None:
        raise NotFound("project", project_id)
    return Project(row.id, row.name, row.created_at)


def list_all(c: Connection) -> list[ProjectSummary]:
    """Return all projects by name, with their counts."""

    def counted(table: sa.Table) -> sa.ScalarSelect[int]:
        return (
            sa.select(sa.func.count())
            .select_from(table)
            .where(table.c.project_id == t.project.c.id)
            .correlate(t.project)
            .scalar_subquery()
        )

    labels = (
        sa.select(sa.func.coalesce(sa.func.sum(t.label_summary.c.count), 0))
        .where(t.label_summary.c.field_id == t.field.c.id, t.field.c.project_id == t.project.c.id)
        .correlate(t.project)
        .scalar_subquery()
    )
    last = (
        sa.select(sa.func.max(t.change.c.at))
        .where(t.change.c.project_id == t.project.c.id)
        .correlate(t.project)
        .scalar_subquery()
    )
    own = (t.project.c.id, t.project.c.name, t.project.c.created_at)
    rows = c.execute(sa.select(*own, counted(t.image), labels, counted(t.field), counted(t.run), last))
    return sorted(
        (ProjectSummary(Project(*row[:3]), row[3], int(row[4]), *row[5:8]) for row in rows),
        key=lambda summary: summary.project.name,
    )


def rename(c: Connection, project_id: int, name: str) -> Project:
    """Give a project another name. Raises NameTaken or NotFound."""
    _check_name(name)
    other = _find(c, name)
    if other is not None and other.id != project_id:
        raise NameTaken("project", name)
    with _name_free(name):
        c.execute(t.project.update().where(t.project.c.id == project_id).values(name=name))
    return by_id(c, project_id)


def delete(c: Connection, project_id: int) -> None:
    """Delete a project and all that is in it, for good. Image files stay where they are. Raises NotFound."""
    by_id(c, project_id)
    fields = sa.select(t.field.c.id).where(t.field.c.project_id == project_id).scalar_subquery()
    runs = sa.select(t.run.c.id).where(t.run.c.project_id == project_id).scalar_subquery()
    changes = sa.select(t.change.c.id).where(t.change.c.project_id == project_id).scalar_subquery()
    for table in (t.label, t.label_removed, t.label_summary, t.label_block, t.verdict):
        c.execute(table.delete().where(table.c.field_id.in_(fields)))
    c.execute(t.label_change.delete().where(t.label_change.c.change_id.in_(changes)))
    c.execute(t.run_image.delete().where(t.run_image.c.run_id.in_(runs)))
    c.execute(t.project.delete().where(t.project.c.id == project_id))


def _find(c: Connection, name: str) -> Project | None:
    row = c.execute(sa.select(t.project).where(t.project.c.name == name)).one_or_none()
    return None if row is None else Project(row.id, row.name, row.created_at)


def _check_name(name: str) -> None:
    if not name or name != name.strip() or len(name) > 200 or not name.isprintable():
        raise InvalidInput(
            f"{name!r} cannot name a project",
            remedy="A project's name is 1 to 200 printable characters, without blanks at its ends.",
        )


@contextmanager
def _name_free(name: str) -> Iterator[None]:
    """On PostgreSQL somebody else may take a name between looking and writing."""
    try:
        yield
    except IntegrityError as error:
        raise NameTaken("project", name) from error
