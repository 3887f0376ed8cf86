"""The moves that change labels, each keeping what it changed: rewrite, remove, restore, set states.

Each is for many labels at once, and costs as many statements for a thousand as for one. Verdicts on the labels must be
settled before. Whether a move is allowed, and how changes are counted and listed, is not known here.
"""

from __future__ import annotations

from base64 import b85decode, b85encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from countersign.store import label_rows, summary
from countersign.store import tables as t
from countersign.store.label_rows import COLUMNS
from countersign.store.sets import among, note_many
from countersign.store.summary import Tally


def rewrite(c: Connection, values: Mapping[int, Mapping[str, Any]], change_id: int) -> set[int]:
    """Set columns of labels, each its own by its id; return the ids of those that are other than before.

    All labels must be there. However many they are, the statements are the same few.
    """
    edits: list[_Edit] = []
    tally = Tally()
    for label_id, old in label_rows.raw(c, values).items():
        new = {name: value for name, value in values[label_id].items() if value != old[name]}
        if not new:
            continue
        now = old | new
        tally.put(old["field_id"], old["state"], old["class_id"], old["confidence"], old["image_id"], -1)
        tally.put(now["field_id"], now["state"], now["class_id"], now["confidence"], now["image_id"])
        edits.append(_Edit(label_id, old, now, tuple(sorted(new))))
    if edits:
        _write(c, edits)
        _note(c, change_id, edits)
        summary.add(c, tally)
        note_many(c, len(edits), t.label, t.label_change)
    return {edit.label_id for edit in edits}


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


@dataclass(frozen=True, slots=True)
class _Edit:
    """A label's columns before and after, and the names of those that differ."""

    label_id: int
    old: dict[str, Any]
    now: dict[str, Any]
    names: tuple[str, ...]


def _write(c: Connection, edits: Sequence[_Edit]) -> None:
    """Write the columns that changed: a statement for each set of them, which most batches have one of."""
    alike: dict[tuple[str, ...], list[_Edit]] = {}
    for edit in edits:
        alike.setdefault(edit.names, []).append(edit)
    for names, group in alike.items():
        # Attributes are here as the text that is stored: the column's type would make text of it again.
        columns = {n: sa.bindparam(f"new_{n}", type_=sa.Text() if n == "attributes" else t.label.c[n].type)
                   for n in names}  # fmt: skip
        update = t.label.update().where(t.label.c.id == sa.bindparam("this")).values(columns)
        c.execute(update, [{"this": each.label_id} | {f"new_{n}": each.now[n] for n in names} for each in group])


def _note(c: Connection, change_id: int, edits: Sequence[_Edit]) -> None:
    """Keep edits. A second edit of a label in one change keeps the columns as they were before the first."""
    k = t.label_change.c
    mine = sa.select(k.label_id, k.before).where(
        k.change_id == change_id, among(c, k.label_id, [edit.label_id for edit in edits])
    )
    earlier = {row[0]: row[1] for row in c.execute(mine)}
    rows = []
    for edit in edits:
        before = to_json({name: edit.old[name] for name in edit.names if name != "state"})
        before |= earlier.get(edit.label_id) or {}
        after = to_json({name: edit.now[name] for name in before})
        rows.append({
            "change_id": change_id, "label_id": edit.label_id, "before": before or None, "after": after or None,
            "before_state": edit.old["state"], "after_state": edit.now["state"],
        })  # fmt: skip
    insert = _dialect(c).insert(t.label_change)
    kept = {name: insert.excluded[name] for name in ("before", "after", "after_state")}
    c.execute(insert.on_conflict_do_update(index_elements=["change_id", "label_id"], set_=kept), rows)


def _note_many(c: Connection, rows: sa.Select[Any]) -> None:
    """Keep rows of change, label, states before and after. If the change has the label already, its first one stays."""
    insert = (
        _dialect(c).insert(t.label_change).from_select(["change_id", "label_id", "before_state", "after_state"], rows)
    )
    c.execute(
        insert.on_conflict_do_update(
            index_elements=["change_id", "label_id"], set_={"after_state": insert.excluded.after_state}
        )
    )


def _dialect(c: Connection) -> Any:
    return sqlite if c.dialect.name == "sqlite" else postgresql
