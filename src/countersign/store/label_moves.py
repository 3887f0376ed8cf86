"""The moves that change labels, each keeping what it changed: rewrite one, remove and restore many, set states of many.

Everything is a set operation in the database but ``rewrite``. Verdicts on the labels must be settled before. Whether a
move is allowed, and how changes are counted and listed, is not known here.
"""

from __future__ import annotations

from base64 import b85decode, b85encode
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from countersign.store import label_rows, summary
from countersign.store import tables as t
from countersign.store.label_rows import COLUMNS
from countersign.store.sets import note_many
from countersign.store.summary import Tally


def rewrite(c: Connection, label_id: int, values: dict[str, Any], change_id: int) -> bool:
    """Set columns of one label; say whether that changed anything."""
    old = label_rows.raw(c, label_id)
    assert old is not None
    new = {name: value for name, value in values.items() if value != old[name]}
    if not new:
        return False
    tally = Tally()
    tally.put(old["field_id"], old["state"], old["class_id"], old["confidence"], old["image_id"], -1)
    now = old | new
    tally.put(now["field_id"], now["state"], now["class_id"], now["confidence"], now["image_id"])
    written = {name: sa.literal(value, sa.Text) if name == "attributes" else value for name, value in new.items()}
    c.execute(t.label.update().where(t.label.c.id == label_id).values(written))
    _note(c, change_id, label_id, old, now, [name for name in new if name != "state"])
    summary.add(c, tally)
    return True


def remove(c: Connection, which: sa.ColumnElement[bool], change_id: int) -> int:
    """Move the labels that a condition on ``label`` chooses to ``label_removed``; return how many."""
    tally = _counted(c, t.label, which, -1)
    kept = sa.select(*(t.label.c[name] for name in COLUMNS)).where(which)
    c.execute(t.label_removed.insert().from_select(list(COLUMNS), kept))
    rows = sa.select(sa.literal(change_id), t.label.c.id, t.label.c.state, sa.cast(sa.null(), sa.SmallInteger)).where(
        which
    )
    _note_many(c, rows)
    gone = c.execute(t.label.delete().where(which)).rowcount
    summary.add(c, tally)
    note_many(c, gone, t.label, t.label_removed, t.label_change)
    return gone


def restore(c: Connection, which: sa.ColumnElement[bool], change_id: int) -> int:
    """Move the labels that a condition on ``label_removed`` chooses back to ``label``; return how many."""
    removed = t.label_removed
    tally = _counted(c, removed, which, 1)
    kept = sa.select(*(removed.c[name] for name in COLUMNS)).where(which)
    c.execute(t.label.insert().from_select(list(COLUMNS), kept))
    rows = sa.select(sa.literal(change_id), removed.c.id, sa.cast(sa.null(), sa.SmallInteger), removed.c.state).where(
        which
    )
    _note_many(c, rows)
    back = c.execute(removed.delete().where(which)).rowcount
    summary.add(c, tally)
    note_many(c, back, t.label, t.label_removed, t.label_change)
    return back


def set_states(c: Connection, which: sa.ColumnElement[bool], state: int, change_id: int) -> int:
    """Give the labels that a condition on ``label`` chooses a state; return how many."""
    which = sa.and_(which, t.label.c.state != state)
    tally = _counted(c, t.label, which, -1)
    for (field_id, _, class_id, at), (count, steps) in list(tally.bins.items()):
        tally.put_bin((field_id, state, class_id, at), -count, -steps)
    for (field_id, _, class_id, block), count in list(tally.blocks.items()):
        tally.blocks[field_id, state, class_id, block] -= count
    rows = sa.select(sa.literal(change_id), t.label.c.id, t.label.c.state, sa.cast(state, sa.SmallInteger)).where(which)
    _note_many(c, rows)
    changed = c.execute(t.label.update().where(which).values(state=state)).rowcount
    summary.add(c, tally)
    return changed


def to_json(columns: dict[str, Any]) -> dict[str, Any]:
    """Return columns as JSON values: the bytes of a geometry become text."""
    return {name: b85encode(value).decode() if isinstance(value, bytes) else value for name, value in columns.items()}


def from_json(columns: dict[str, Any]) -> dict[str, Any]:
    """Return columns that ``to_json`` made JSON values of."""
    data = columns.get("geometry")
    return columns if data is None else columns | {"geometry": b85decode(data)}


def _counted(c: Connection, table: sa.Table, which: sa.ColumnElement[bool], sign: int) -> Tally:
    tally = Tally()
    for field_id in c.execute(sa.select(table.c.field_id).where(which).distinct()).scalars().all():
        chosen = sa.select(table.c.state, table.c.class_id, table.c.confidence, table.c.image_id)
        summary.count_selected(
            c, tally, chosen.where(which, table.c.field_id == field_id).subquery(), field_id=field_id, sign=sign
        )
    return tally


def _note(
    c: Connection, change_id: int, label_id: int, old: dict[str, Any], now: dict[str, Any], names: list[str]
) -> None:
    """Keep an edit. A second edit in one change keeps the columns as they were before the first."""
    earlier = c.execute(
        sa.select(t.label_change.c.before, t.label_change.c.before_state).where(
            t.label_change.c.change_id == change_id, t.label_change.c.label_id == label_id
        )
    ).one_or_none()
    before = to_json({name: old[name] for name in names})
    first_state = old["state"]
    if earlier is not None:
        before |= earlier.before or {}
        first_state = earlier.before_state
    values = {
        "before": before or None,
        "after": to_json({name: now[name] for name in before}) or None,
        "before_state": first_state,
        "after_state": now["state"],
    }
    if earlier is None:
        c.execute(t.label_change.insert().values(change_id=change_id, label_id=label_id, **values))
    else:
        these = (t.label_change.c.change_id == change_id, t.label_change.c.label_id == label_id)
        c.execute(t.label_change.update().where(*these).values(**values))


def _note_many(c: Connection, rows: sa.Select[Any]) -> None:
    """Keep rows of change, label, states before and after. If the change has the label already, its first one stays."""
    dialect = sqlite if c.dialect.name == "sqlite" else postgresql
    insert = dialect.insert(t.label_change).from_select(["change_id", "label_id", "before_state", "after_state"], rows)
    c.execute(
        insert.on_conflict_do_update(
            index_elements=["change_id", "label_id"], set_={"after_state": insert.excluded.after_state}
        )
    )
