"""Changes: who did what to which labels, when, and how each was before and after; and taking them back.

How a change is kept is said in ``tables.py``. The moves themselves are in ``label_moves.py``.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from countersign.domain.errors import Conflict, NotFound, WrongState
from countersign.domain.label import Change, Label, LabelState, Verb
from countersign.store import fields, label_moves, label_rows, states, verdicts
from countersign.store import tables as t
from countersign.store.label_moves import from_json


@dataclass(frozen=True, slots=True)
class LabelVersion:
    """What one change did to one label. ``before`` is None where it was made, ``after`` where it was deleted."""

    change: Change
    before: Label | None
    after: Label | None


def begin(
    c: Connection,
    project_id: int,
    verb: Verb,
    actor: str,
    field_id: int | None = None,
    note: str = "",
    *,
    run_id: int | None = None,
    undoes: int | None = None,
) -> int:
    """Begin a change; return its id, which every function that writes labels takes. It counts its labels itself."""
    insert = t.change.insert().values(
        project_id=project_id,
        field_id=field_id,
        verb=Verb(verb).value,
        actor=actor,
        at=datetime.now(UTC),
        count=0,
        note=note,
        run_id=run_id,
        undoes=undoes,
    )
    return int(c.execute(insert.returning(t.change.c.id)).scalar_one())


def get(c: Connection, change_id: int) -> Change:
    """Return the change with this id. Raises NotFound."""
    row = c.execute(_changes().where(t.change.c.id == change_id)).one_or_none()
    if row is None:
        raise NotFound("change", change_id)
    return _change(row)


def list_all(
    c: Connection, project_id: int, *, limit: int = 100, before: int | None = None, field_id: int | None = None
) -> builtins.list[Change]:
    """Return the changes of a project (or of one field), newest first; those with ids below ``before``."""
    found = _changes().where(t.change.c.project_id == project_id).order_by(t.change.c.id.desc()).limit(limit)
    if before is not None:
        found = found.where(t.change.c.id < before)
    if field_id is not None:
        found = found.where(t.change.c.field_id == field_id)
    return [_change(row) for row in c.execute(found)]


list = list_all


def of_label(c: Connection, label_id: int) -> builtins.list[LabelVersion]:
    """Return all that happened to a label, oldest first. Raises NotFound for one that never was."""
    content = _content(c, label_id)
    if content is None:
        raise NotFound("label", label_id)
    changes = sa.select(t.label_change).where(t.label_change.c.label_id == label_id)
    rows = c.execute(changes.order_by(t.label_change.c.change_id.desc())).all()
    ids = {row.change_id for row in rows} | {content["created_change"]}
    done = {row.id: _change(row) for row in c.execute(_changes().where(t.change.c.id.in_(ids)))}
    reader = label_rows.Reader(c, fields.row(c, content["field_id"]))
    found: builtins.list[LabelVersion] = []
    # From what the label is (or was, when it was deleted) back to what it was at first.
    for row in rows:
        after = None if row.after_state is None else _label(reader, content | {"state": row.after_state})
        content |= from_json(row.before or {})
        content["state"] = row.after_state if row.before_state is None else row.before_state
        before = None if row.before_state is None else _label(reader, content)
        found.append(LabelVersion(done[row.change_id], before, after))
    made_by = done.get(content["created_change"])
    if made_by is not None:
        found.append(LabelVersion(made_by, None, _label(reader, content)))
    return found[::-1]


def undo(c: Connection, change_id: int, actor: str) -> Change:
    """Take back exactly what one change did; return the change that did so, which can be undone as well.

    Labels that it made are deleted, those that it deleted come back, those that it changed are as before.
    Raises NotFound; Conflict if later changes touched the same labels, or if it is undone already; WrongState for the
    labels of a run, an approval, and labels that an approval has closed.
    """
    undone = get(c, change_id)
    row = c.execute(sa.select(t.change).where(t.change.c.id == change_id)).one()
    _check_undoable(c, undone, row.field_id)
    for labels in (_changed_by(change_id), _made_by(row)):
        _check_untouched(c, undone, labels)
    undoing = begin(c, row.project_id, Verb.UNDO, actor, row.field_id, undone.note, undoes=change_id)
    count(c, undoing, _take_back(c, row, undoing))
    _mark_undone(c, change_id, undoing)
    return get(c, undoing)


def _check_undoable(c: Connection, change: Change, field_id: int | None) -> None:
    what = f"The change {change.id} ({change.verb})"
    if change.undone_by is not None:
        raise Conflict(f"{what} is undone already, by the change {change.undone_by}")
    if change.verb is Verb.RUN:
        raise WrongState(f"{what} is the work of a run", remedy="Delete its field to be rid of its labels.")
    if change.verb is Verb.APPROVE:
        raise WrongState(f"{what} cannot be undone: an approved run is closed", remedy="Delete or edit single labels.")
    if field_id is None:
        raise WrongState(f"{what} cannot be undone", remedy="Import the labels of a deleted field again.")
    field = fields.row(c, field_id)
    states.check_open(field.name, closed=field.closed)


def _check_untouched(c: Connection, change: Change, labels: sa.Select[int]) -> None:
    """Raise Conflict if changes that still hold touched these labels after this one."""
    later = t.label_change
    # An undo and what it undid cancel each other, if both came after this change.
    holds = (t.change.c.undone_by.is_(None), sa.or_(t.change.c.undoes.is_(None), t.change.c.undoes < change.id))
    touched = (
        sa.select(later.c.change_id, sa.func.count())
        .join(t.change, t.change.c.id == later.c.change_id)
        .where(later.c.change_id > change.id, later.c.label_id.in_(labels), *holds)
        .group_by(later.c.change_id)
        .order_by(later.c.change_id.desc())
    )
    found = c.execute(touched).all()
    if found:
        last = get(c, found[0][0])
        raise Conflict(
            f"The change {change.id} ({change.verb}) cannot be undone: {sum(row[1] for row in found)} of its labels "
            f"were changed later, the last time by {last.actor} (change {last.id}, {last.verb})",
            remedy=f"Undo the change {last.id} first.",
        )


def _changed_by(change_id: int) -> sa.Select[int]:
    return sa.select(t.label_change.c.label_id).where(t.label_change.c.change_id == change_id)


def _made_by(change: sa.Row[*tuple[Any, ...]]) -> sa.Select[int]:
    """Ids of the labels that a change made, wherever they are now."""
    tables = (t.label, t.label_removed)
    found = sa.union_all(*(sa.select(table.c.id).where(_made_in(table, change)) for table in tables)).subquery()
    return sa.select(found.c.id)


def _made_in(table: sa.Table, change: sa.Row[*tuple[Any, ...]]) -> sa.ColumnElement[bool]:
    if change.first_label is None:
        return sa.false()
    span = table.c.id.between(change.first_label, change.last_label)
    return sa.and_(span, table.c.created_change == change.id)


def _take_back(c: Connection, change: sa.Row[*tuple[Any, ...]], undoing: int) -> int:
    """Do the reverse of a change, kept as the change ``undoing``; return to how many labels."""
    mine, change_id = t.label_change.c, change.id

    def those(*conditions: sa.ColumnElement[bool]) -> sa.Select[int]:
        return _changed_by(change_id).where(*conditions)

    touched = c.execute(sa.union(_changed_by(change_id), _made_by(change))).scalars().all()
    verdicts.settle(c, touched)
    # What it made, or brought back, goes; then the labels left in its rows are others'.
    done = label_moves.remove(c, _made_in(t.label, change), undoing)
    done += label_moves.remove(c, t.label.c.id.in_(those(mine.before_state.is_(None))), undoing)
    gone = t.label_removed.c.id.in_(those(mine.after_state.is_(None), mine.before_state.is_not(None)))
    done += label_moves.restore(c, sa.and_(gone, t.label_removed.c.created_change != change_id), undoing)
    was = (mine.before_state.is_not(None), mine.label_id.in_(sa.select(t.label.c.id)))
    for state in LabelState:
        plain = those(*was, mine.before.is_(None), mine.before_state == int(state))
        done += label_moves.set_states(c, t.label.c.id.in_(plain), int(state), undoing)
    edits = sa.select(mine.label_id, mine.before, mine.before_state, mine.after_state)
    rows = c.execute(edits.where(mine.change_id == change_id, mine.before.is_not(None), *was)).all()
    values = {row.label_id: from_json(row.before) | {"state": row.before_state} for row in rows}
    rewritten = label_moves.rewrite(c, values, undoing)
    # What came back is counted already.
    return done + sum(row.label_id in rewritten for row in rows if row.after_state is not None)


def _mark_undone(c: Connection, change_id: int, by: int | None) -> None:
    """Note who undid a change. What an undone undo had undone holds again, and so on down the chain."""
    update = t.change.update().where(t.change.c.id == change_id)
    undid = c.execute(update.values(undone_by=by).returning(t.change.c.undoes)).scalar()
    if undid is not None:
        _mark_undone(c, undid, change_id if by is None else None)


def actor_of(c: Connection, change_id: int) -> str:
    """Return who makes a change. Raises NotFound."""
    actor = c.execute(sa.select(t.change.c.actor).where(t.change.c.id == change_id)).scalar()
    if actor is None:
        raise NotFound("change", change_id)
    return str(actor)


def count(c: Connection, change_id: int, labels: int) -> None:
    """Add to the number of labels that a change touched."""
    c.execute(t.change.update().where(t.change.c.id == change_id).values(count=t.change.c.count + labels))


def finish(c: Connection, change_id: int, labels: int) -> Change:
    """Add to the number of labels that a change touched, and return it."""
    count(c, change_id, labels)
    return get(c, change_id)


def made(c: Connection, change_id: int, labels: int, first: int, last: int) -> None:
    """Note labels that a change made: all with ``created_change`` of it, with ids from ``first`` to ``last``."""
    column = t.change.c
    widened = {
        "count": column.count + labels,
        "first_label": sa.case((column.first_label < first, column.first_label), else_=first),
        "last_label": sa.case((column.last_label > last, column.last_label), else_=last),
    }
    c.execute(t.change.update().where(column.id == change_id).values(widened))


def _changes() -> sa.Select[Any]:
    columns = (t.change.c[name] for name in ("id", "verb", "actor", "at", "count", "note", "undoes", "undone_by"))
    joined = t.change.outerjoin(t.field, t.field.c.id == t.change.c.field_id)
    return sa.select(*columns, sa.func.coalesce(t.field.c.name, "").label("field")).select_from(joined)


def _change(row: sa.Row[*tuple[Any, ...]]) -> Change:
    # By key: rows have a method that is named count.
    named = row._mapping
    return Change(**{**named, "verb": Verb(named["verb"])})


def _content(c: Connection, label_id: int) -> dict[str, Any] | None:
    """Return the columns of a label as it is, its verdict included, or as it was when it was deleted."""
    for table in (t.label, t.label_removed):
        found = label_rows.raw(c, [label_id], table).get(label_id)
        if found is not None:
            decided = sa.select(t.verdict.c.state).where(
                t.verdict.c.field_id == found["field_id"], t.verdict.c.label_id == label_id
            )
            state = c.execute(decided).scalar()
            return found if state is None else found | {"state": state}
    return None


def _label(reader: label_rows.Reader, columns: Mapping[str, Any]) -> Label:
    return reader.labels([tuple(columns[name] for name in label_rows.COLUMNS)])[0]
