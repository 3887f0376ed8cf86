"""Classes by their ids, and deleting those that no label ever had."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from countersign.domain.errors import Conflict, NotFound
from countersign.domain.label import LabelClass
from countersign.store import classes
from countersign.store import tables as t


def by_id(c: Connection, class_id: int) -> tuple[int, LabelClass]:
    """Return a class with the id of its project. Raises NotFound."""
    row = c.execute(
        sa.select(t.label_class.c.project_id, t.label_class.c.name).where(t.label_class.c.id == class_id)
    ).one_or_none()
    if row is None:
        raise NotFound("class", class_id)
    return row[0], classes.get(c, row[0], row[1])


def delete(c: Connection, class_id: int) -> None:
    """Delete a class. Raises NotFound, and Conflict where labels have it, or the history knows labels that had."""
    _, found = by_id(c, class_id)
    s = t.label_summary.c
    used = int(
        c.execute(sa.select(sa.func.coalesce(sa.func.sum(s.count), 0)).where(s.class_id == class_id)).scalar_one()
    )
    if used:
        raise Conflict(
            f"{used:,} labels have the class {found.name!r}", remedy="Give them another class or delete them first."
        )
    past = sa.select(1).where(t.label_removed.c.class_id == class_id).limit(1)
    if c.execute(past).scalar() is not None or _in_history(c, class_id):
        raise Conflict(
            f"Labels of the past had the class {found.name!r}, and the history can bring them back",
            remedy="Rename it instead.",
        )
    c.execute(t.label_summary.delete().where(s.class_id == class_id))
    c.execute(t.label_block.delete().where(t.label_block.c.class_id == class_id))
    c.execute(t.label_class.delete().where(t.label_class.c.id == class_id))


def _in_history(c: Connection, class_id: int) -> bool:
    """Whether an edit changed a label's class from or to this one: its row holds the old and the new columns."""
    k = t.label_change.c
    known = [sa.type_coerce(column, sa.Text).contains(f'"class_id":{class_id}{end}') for column in (k.before, k.after)
             for end in (",", "}")]  # fmt: skip
    return c.execute(sa.select(1).where(sa.or_(*known)).limit(1)).scalar() is not None
