"""Verdicts on labels: states decided in bulk, kept beside the labels instead of in them.

A label's state is that of its row in ``verdict`` where it has one, else ``label.state``. Promoting 100,000 labels thus
writes 100,000 short rows in order, and leaves a million wide ones and their indexes alone: a fifth of the time.

The rules for everybody else: read a state through ``state_of``; before writing ``label.state``, the class or the
confidence of labels, or deleting them, ``settle`` them: their verdicts move into the labels and nothing looks
different.
Which states may follow which is not known here.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from countersign.store import tables as t
from countersign.store.sets import Lock, among, lock


def state_of(label: sa.FromClause = t.label) -> sa.ColumnElement[int]:
    """The state of a label (of the table or an alias of it), as an expression that looks its verdict up."""
    decided = (
        sa.select(t.verdict.c.state)
        .where(t.verdict.c.field_id == label.c.field_id, t.verdict.c.label_id == label.c.id)
        .correlate(label)
        .scalar_subquery()
    )
    return sa.func.coalesce(decided, label.c.state)


def undecided(label: sa.FromClause = t.label) -> sa.ColumnElement[bool]:
    """Whether a label has no verdict beside it, as a condition."""
    return ~sa.exists(
        sa.select(1)
        .where(t.verdict.c.field_id == label.c.field_id, t.verdict.c.label_id == label.c.id)
        .correlate(label)
    )


def settle(c: Connection, label_ids: Collection[int]) -> None:
    """Move the verdicts on these labels into the labels. States and counts stay what they are."""
    if not label_ids:
        return
    fields = c.execute(sa.select(t.label.c.field_id).where(among(c, t.label.c.id, label_ids)).distinct()).scalars()
    for field_id in sorted(fields.all()):
        lock(c, Lock.FIELD, field_id)
        these = sa.and_(t.verdict.c.field_id == field_id, among(c, t.verdict.c.label_id, label_ids))
        decided: dict[int, list[int]] = {}
        for label_id, state in c.execute(sa.select(t.verdict.c.label_id, t.verdict.c.state).where(these)):
            decided.setdefault(state, []).append(label_id)
        for state, ids in decided.items():
            c.execute(t.label.update().where(among(c, t.label.c.id, ids)).values(state=state))
        if decided:
            c.execute(t.verdict.delete().where(these))


def clear(c: Connection, field_ids: Collection[int]) -> None:
    """Forget the verdicts of fields (whose labels are being deleted as a whole)."""
    c.execute(t.verdict.delete().where(t.verdict.c.field_id.in_(field_ids)))
