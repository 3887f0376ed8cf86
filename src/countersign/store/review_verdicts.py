"""Verdicts of a review: promote, reject, take back, for all that a filter shows or for single labels.

Each is one change in the history with a row for every label, in one transaction; writers of one field go one after the
other. What becomes of promoted labels in the end is said in review_approval.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from countersign.domain.errors import NotFound, WrongState
from countersign.domain.geometry import Geometry
from countersign.domain.label import Change, Check, Label, LabelState, Verb
from countersign.domain.query import ImageQuery, LabelFilter
from countersign.domain.run import Run, RunState
from countersign.store import fields, history, labels, runs, summary, verdicts
from countersign.store import tables as t
from countersign.store.review_scope import (
    BY_CLASS,
    BY_IMAGE,
    Scope,
    classes_of,
    has_verdicts,
    may_have_undecided,
    resolve,
)
from countersign.store.sets import Lock, among, lock, rows_of

_OPEN = (int(LabelState.PROPOSED),)
_PROMOTED = (int(LabelState.PROMOTED),)
_REJECTED = (int(LabelState.REJECTED),)


def promote(
    c: Connection,
    field_id: int,
    *,
    actor: str,
    filter: LabelFilter | None = None,
    query: ImageQuery | None = None,
    ids: Sequence[int] | None = None,
) -> Change:
    """Mark what the filter shows as right: its proposed labels, and rejected ones if the filter asks for that state.

    With ``ids`` it marks just these labels, proposed or rejected. Raises WrongState unless the run is in review.
    """
    default = _OPEN if ids is None else _OPEN + _REJECTED
    return _decide_all(c, field_id, LabelState.PROMOTED, Verb.PROMOTE, actor, filter, query, ids, default)


def reject(
    c: Connection,
    field_id: int,
    *,
    actor: str,
    filter: LabelFilter | None = None,
    query: ImageQuery | None = None,
    ids: Sequence[int] | None = None,
) -> Change:
    """Mark what the filter shows as wrong: its proposed labels, and promoted ones if the filter asks for that state.

    With ``ids`` it marks just these labels, proposed or promoted. Raises WrongState unless the run is in review.
    """
    default = _OPEN if ids is None else _OPEN + _PROMOTED
    return _decide_all(c, field_id, LabelState.REJECTED, Verb.REJECT, actor, filter, query, ids, default)


def undo_promotion(
    c: Connection,
    field_id: int,
    *,
    actor: str,
    classes: Sequence[str] = (),
    filter: LabelFilter | None = None,
    query: ImageQuery | None = None,
) -> Change:
    """Make promoted labels proposed again: all, those of some classes, or those that a filter shows."""
    wanted = filter or LabelFilter()
    wanted = LabelFilter("", tuple(classes) or wanted.classes, wanted.min_confidence, wanted.max_confidence, ())
    return _decide_all(c, field_id, LabelState.PROPOSED, Verb.UNDO, actor, wanted, query, None, _PROMOTED)


def restore(
    c: Connection,
    field_id: int,
    *,
    actor: str,
    filter: LabelFilter | None = None,
    query: ImageQuery | None = None,
    ids: Sequence[int] | None = None,
) -> Change:
    """Make rejected labels proposed again: what a filter shows, or these."""
    return _decide_all(c, field_id, LabelState.PROPOSED, Verb.UNDO, actor, filter, query, ids, _REJECTED)


def edit(
    c: Connection,
    field_id: int,
    label_id: int,
    *,
    actor: str,
    class_name: str | None = None,
    geometry: Geometry | None = None,
) -> Label:
    """Correct one label: its class, its geometry. It counts as promoted then, verified by an edit.

    Raises NotFound for a label of another field, WrongState unless the run is in review.
    """
    run = reviewable(c, field_id)
    if labels.field_of(c, label_id) != field_id:
        raise NotFound("label", label_id, remedy=f"The run {run.name!r} has no such label.")
    change = history.begin(c, run.project_id, Verb.EDIT, actor, field_id=field_id, run_id=run.id)
    given = {"class_name": class_name, "geometry": geometry}
    shape = {name: value for name, value in given.items() if value is not None}
    edit_many(c, field_id, {label_id: shape}, actor=actor, change_id=change)
    return labels.get(c, label_id)


def edit_many(
    c: Connection, field_id: int, values: Mapping[int, Mapping[str, Any]], *, actor: str, change_id: int
) -> int:
    """Correct labels, each in its own way: ``values`` has by their ids what ``labels.update`` takes by name.

    They count as promoted then. Returns how many are other than before; raises as ``edit`` does.
    """
    reviewable(c, field_id)
    verdict = {"state": LabelState.PROMOTED, "verified_by": actor, "verified_how": Check.EDITED}
    corrected = {label_id: {**given, **verdict} for label_id, given in values.items()}
    return labels.update_many(c, field_id, corrected, change_id=change_id)


def reviewable(c: Connection, field_id: int) -> Run:
    """Lock a field and return its run. Raises WrongState unless that is in review."""
    lock(c, Lock.FIELD, field_id)
    field = fields.row(c, field_id)
    if field.run_id is None:
        raise WrongState(
            f"The field {field.name!r} is no run's, so its labels cannot be promoted or rejected",
            remedy="Adopt it for review first: its labels are then taken through one like a run's.",
        )
    run = runs.get(c, field.run_id)
    check_in_review(run)
    return run


def check_in_review(run: Run) -> None:
    """Raise WrongState, with what to do about it, unless a run is in review."""
    if run.state is RunState.IN_REVIEW:
        return
    if run.state is RunState.APPROVED:
        raise WrongState(
            f"The run {run.name!r} is approved already",
            remedy=f"Change the labels in {run.target_field or 'the field that they were approved into'!r}.",
        )
    if run.state in (RunState.ERROR, RunState.CANCELLED):
        raise WrongState(
            f"The run {run.name!r} has stopped ({run.state}) and is not in review",
            remedy="Resume it, or take it to review with what there is.",
        )
    raise WrongState(
        f"The run {run.name!r} is still {run.state} and cannot be reviewed yet",
        remedy="Wait until it has finished, or skip to review with what there is.",
    )


def decide(c: Connection, change_id: int, scope: Scope, to: LabelState, *, how: Check | None = None) -> int:
    """Give the labels of a scope, whose states say from which ones, the state ``to``; return how many there were.

    Writes verdicts, the rows of the change and the summaries; the labels themselves stay as they are.
    """
    source = scope.with_states([state for state in scope.stored or () if state != to])
    moved = summary.Tally()
    known = _known_bins(c, source, moved)
    count = 0
    if may_have_undecided(c, source):
        count += _decide_first(c, change_id, source, to, how)
        v = t.verdict.c
        fresh = sa.select(v.was.label("state"), v.class_id, v.confidence, v.image_id)
        fresh = fresh.where(v.field_id == source.field.id, v.change_id == change_id)
        _count(c, source, moved, fresh.subquery(), known)
    count += _decide_again(c, change_id, source, to, how, moved, known)
    tally = summary.Tally()
    tally.move(moved, int(to))
    summary.add(c, tally)
    return count


def _known_bins(c: Connection, scope: Scope, moved: summary.Tally) -> bool:
    """Tally by bin what will move, if the summary knows: whole bins as they are, the range's ends from the index.

    Without a range the blocks of images are known as well. Call before anything is decided.
    """
    if scope.images is not None or scope.ids is not None:
        return False
    s, bins = t.label_summary.c, scope.bins
    for row in c.execute(sa.select(t.label_summary).where(*scope.cells(), s.bin.between(bins.first, bins.last))).all():
        moved.put_bin((row[0], row[1], row[2], row[3]), int(row[4]), int(row[5]))
    for edge in scope.bins.edges:
        part = scope.between(*edge)
        part = part.with_classes(classes_of(c, part))
        if part.classes:
            k = t.label.c
            ends = sa.select(verdicts.state_of().label("state"), k.class_id, k.confidence).where(*part.labels())
            ends = ends.with_hint(t.label, BY_CLASS, "sqlite")
            summary.count_bins(c, moved, ends.subquery(), field_id=scope.field.id)
    if not scope.ranged:
        for row in c.execute(sa.select(t.label_block).where(*scope.cells(t.label_block))).all():
            moved.blocks[row[0], row[1], row[2], row[3]] += int(row[4])
    return True


def _count(c: Connection, scope: Scope, moved: summary.Tally, labels: sa.Subquery, known: bool) -> None:
    """Tally labels that move, as far as ``_known_bins`` has not."""
    if not known:
        summary.count_bins(c, moved, labels, field_id=scope.field.id)
    if not known or scope.ranged:
        summary.count_blocks(c, moved, labels, field_id=scope.field.id)


def _decide_all(
    c: Connection,
    field_id: int,
    to: LabelState,
    verb: Verb,
    actor: str,
    filter: LabelFilter | None,
    query: ImageQuery | None,
    ids: Sequence[int] | None,
    default: tuple[int, ...],
) -> Change:
    run = reviewable(c, field_id)
    scope = resolve(c, field_id, filter, query)
    if scope.stored is None:
        scope = scope.with_states(default)
    change = history.begin(c, run.project_id, verb, actor, field_id=field_id, run_id=run.id)
    count = decide(c, change, scope, to) if ids is None else _decide_single(c, change, scope, to, ids)
    return history.finish(c, change, count)


def _decide_single(c: Connection, change_id: int, scope: Scope, to: LabelState, ids: Sequence[int]) -> int:
    """Decide on single labels: all of them, whose states must allow it, or none."""
    wanted = set(ids)
    state = verdicts.state_of().label("state")
    rows = c.execute(
        sa.select(t.label.c.id, state).where(among(c, t.label.c.id, wanted), t.label.c.field_id == scope.field.id)
    ).all()
    unknown = wanted - {row.id for row in rows}
    if unknown:
        raise NotFound("label", min(unknown), remedy=f"The field {scope.field.name!r} has no such label.")
    these = [row.id for row in rows if row.state in (scope.stored or ())]
    if not these:
        return 0
    few = Scope(scope.field, None, scope.stored, None, None, None, rows_of(c, these))
    return decide(c, change_id, few, to, how=Check.SINGLE)


def _decide_first(c: Connection, change_id: int, scope: Scope, to: LabelState, how: Check | None) -> int:
    """Decide on labels without a verdict beside them: each gets one."""
    label, v = t.label, t.verdict.c
    hint = None if scope.ids is not None else BY_CLASS if scope.images is None else BY_IMAGE
    if hint == BY_CLASS and scope.classes is None:
        scope = scope.with_classes(classes_of(c, scope))
    where = scope.labels(state=label.c.state)
    if has_verdicts(c, scope.field.id):
        where.append(verdicts.undecided())
    values = (
        label.c.field_id, label.c.id, _number(to), label.c.state, label.c.class_id, label.c.image_id,
        label.c.confidence, _number(change_id), sa.literal(how.value if how else None, sa.Text()),
    )  # fmt: skip
    chosen = sa.select(*values).where(*where).order_by(label.c.id)
    if hint:
        chosen = chosen.with_hint(label, hint, "sqlite")
    names = ("field_id", "label_id", "state", "was", "class_id", "image_id", "confidence", "change_id", "how")
    count = _insert(c, t.verdict, names, chosen)
    mine = (v.field_id == scope.field.id, v.change_id == change_id)
    _log(c, sa.select(_number(change_id), v.label_id, v.was, _number(to)).where(*mine))
    return count


def _decide_again(
    c: Connection, change_id: int, scope: Scope, to: LabelState, how: Check | None, moved: summary.Tally, known: bool
) -> int:
    """Decide on labels with a verdict beside them: it changes, or goes if the label itself says the same."""
    v = t.verdict.c
    where = (*scope.verdicts(), v.change_id != change_id)
    count = _log(c, sa.select(_number(change_id), v.label_id, v.state, _number(to)).where(*where))
    if not count:
        return 0
    earlier = sa.select(v.state, v.class_id, v.confidence, v.image_id).where(*where)
    _count(c, scope, moved, earlier.subquery(), known)
    c.execute(t.verdict.delete().where(*where, v.was == int(to)))
    values = {"state": int(to), "change_id": change_id, "how": how.value if how else None}
    c.execute(t.verdict.update().where(*where).values(values))
    return count


def _log(c: Connection, rows: sa.Select[int, int, int, int]) -> int:
    names = ("change_id", "label_id", "before_state", "after_state")
    return _insert(c, t.label_change, names, rows)


def _insert(c: Connection, table: sa.Table, names: tuple[str, ...], rows: sa.Select[*tuple[Any, ...]]) -> int:
    insert = table.insert().from_select(names, rows, include_defaults=False)
    return int(c.execute(insert.execution_options(preserve_rowcount=True)).rowcount)


def _number(value: int) -> sa.ColumnElement[int]:
    return sa.literal_column(str(int(value)), sa.BigInteger())
