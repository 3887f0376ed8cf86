"""The end and the beginning of a review: approving a run's promoted labels, and adopting a field that no run wrote."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from countersign.domain.errors import InvalidInput, WrongState
from countersign.domain.label import Change, Check, LabelState, Verb
from countersign.domain.query import ImageQuery
from countersign.domain.run import ImageProgress, Run, RunSpec, RunState
from countersign.store import fields, history, runs, summary, verdicts
from countersign.store import tables as t
from countersign.store.review_verdicts import check_in_review
from countersign.store.sets import Lock, lock, reserve_ids

_COPIED = (
    "image_id", "class_id", "kind", "confidence", "x", "y", "width", "height", "geometry", "provenance_id",
    "attributes",
)  # fmt: skip


def approve(
    c: Connection, run_id: int, *, actor: str, target_field: str = "ground_truth", empty: bool = False
) -> Change:
    """Copy a run's promoted labels into the target field as verified, close the run's own, and make it approved.

    Each copy keeps its provenance and says who verified it and how. What was not promoted stays in the run's field and
    reads as rejected from now on. Raises WrongState unless the run is in review, if another run writes the target, or
    if nothing is promoted: approving that rejects all, which only ``empty`` says is meant.
    """
    run = runs.get(c, run_id)
    target = fields.ensure(c, run.project_id, target_field)
    # The run before its field, as its workers lock them: in the other order two could wait for each other.
    c.execute(sa.select(t.run.c.id).where(t.run.c.id == run_id).with_for_update())
    for field_id in sorted({run.field_id, target.id}):
        lock(c, Lock.FIELD, field_id)
    run = runs.get(c, run_id)  # as it is now that nobody else can approve it
    check_in_review(run)
    if target.run_id is not None or target.id == run.field_id:
        raise WrongState(
            f"The field {target.name!r} holds what a run proposed, so nothing can be approved into it",
            remedy="Approve into another field: ground_truth, or a new name.",
        )
    promoted = summary.counted(c, run.field_id, (int(LabelState.PROMOTED),))
    count = sum(number for number, _ in promoted.bins.values())
    if not count and not empty:
        raise WrongState(
            f"Nothing of the run {run.name!r} is promoted, so there is nothing to approve",
            remedy="Promote what is right first; to close the run with all its labels rejected, approve it as empty "
            "('countersign approve --empty', or empty=True).",
        )
    change = history.begin(c, run.project_id, Verb.APPROVE, actor, field_id=target.id, note=run.name, run_id=run.id)
    if count:
        first = reserve_ids(c, t.label, count)
        _copy_promoted(c, run.field_id, target.id, change, actor, first)
        history.made(c, change, count, first, first + count - 1)
    fields.set_closed(c, run.field_id, True)
    c.execute(t.run.update().where(t.run.c.id == run.id).values(target_field=target.name))
    runs.move(c, run.id, RunState.APPROVED)
    tally = summary.Tally()
    tally.copy(promoted, target.id, int(LabelState.VERIFIED))
    summary.add(c, tally)
    return history.get(c, change)


def adopt(c: Connection, project_id: int, field_id: int, actor: str) -> Run:
    """Make a run in review of a field whose labels carry confidences: copies of them, as proposals in a new field.

    The field itself stays as it is. Raises InvalidInput if none of its labels has a confidence, and WrongState for the
    field of a run that is not approved: that has a review of its own.
    """
    lock(c, Lock.FIELD, field_id)
    field = fields.row(c, field_id)
    if field.run_id is not None and not field.closed:
        raise WrongState(f"The field {field.name!r} is a run's", remedy="Review that run.")
    labels = summary.counted(c, field_id)
    if not any(at >= 0 and count for (_, _, _, at), (count, _) in labels.bins.items()):
        raise InvalidInput(
            f"No label of the field {field.name!r} has a confidence",
            remedy="Only what a model said with a confidence can be reviewed by it.",
        )
    name = _free_field(c, project_id, f"{field.name[:50]}_review")
    spec = RunSpec(model="", field=name, images=ImageQuery(has_labels_in=(field.name,)), min_confidence=0.0)
    run = runs.create(c, project_id, spec, created_by=actor)
    change = history.begin(c, project_id, Verb.CREATE, actor, field_id=run.field_id, note=field.name, run_id=run.id)
    count = sum(number for number, _ in labels.bins.values())
    first = reserve_ids(c, t.label, count)
    _copy_all(c, field_id, run.field_id, change, first)
    history.made(c, change, count, first, first + count - 1)
    c.execute(t.run_image.update().where(t.run_image.c.run_id == run.id).values(state=ImageProgress.DONE.value))
    now = datetime.now(UTC)
    values = {"state": RunState.IN_REVIEW.value, "done": run.total, "labels": count, "started_at": now}
    c.execute(t.run.update().where(t.run.c.id == run.id).values(values | {"finished_at": now}))
    tally = summary.Tally()
    tally.copy(labels, run.field_id, int(LabelState.PROPOSED))
    summary.add(c, tally)
    return runs.get(c, run.id)


def _copy_promoted(c: Connection, source: int, target: int, change: int, actor: str, first: int) -> None:
    k, v, by = t.label.c, t.verdict.c, t.change.c
    joined = t.label.outerjoin(t.verdict, sa.and_(v.field_id == k.field_id, v.label_id == k.id))
    joined = joined.outerjoin(t.change, by.id == v.change_id)
    who = sa.case((v.label_id.is_(None), k.verified_by), else_=by.actor)
    how = sa.case((v.label_id.is_(None), k.verified_how), else_=v.how)
    chosen = (
        sa.select(
            _next_id(first),
            sa.literal_column(str(target)),
            sa.literal_column(str(int(LabelState.VERIFIED))),
            sa.literal_column(str(change)),
            sa.func.coalesce(who, sa.literal(actor)),
            sa.func.coalesce(how, sa.literal(Check.BULK.value)),
            *(k[name] for name in _COPIED),
        )
        .select_from(joined)
        .where(k.id.in_(_promoted_ids(c, source)))
        .order_by(k.id)
    )
    names = ("id", "field_id", "state", "created_change", "verified_by", "verified_how", *_COPIED)
    c.execute(t.label.insert().from_select(names, chosen, include_defaults=False))


def _promoted_ids(c: Connection, field_id: int) -> sa.CompoundSelect[int] | sa.Select[int]:
    """Ids of promoted labels: those with such a verdict, and those that say so themselves, if there are any."""
    k, v, promoted = t.label.c, t.verdict.c, int(LabelState.PROMOTED)
    decided = sa.select(v.label_id).where(v.field_id == field_id, v.state == promoted)
    known = sum(n for n, _ in summary.counted(c, field_id, (promoted,)).bins.values())
    if known == c.execute(sa.select(sa.func.count()).select_from(decided.subquery())).scalar_one():
        return decided
    own = sa.select(k.id).where(k.field_id == field_id, k.state == promoted, verdicts.undecided())
    return sa.union_all(decided, own)


def _copy_all(c: Connection, source: int, target: int, change: int, first: int) -> None:
    k = t.label.c
    chosen = (
        sa.select(
            _next_id(first),
            sa.literal_column(str(target)),
            sa.literal_column(str(int(LabelState.PROPOSED))),
            sa.literal_column(str(change)),
            *(k[name] for name in _COPIED),
        )
        .where(k.field_id == source)
        .order_by(k.id)
    )
    c.execute(
        t.label.insert().from_select(
            ("id", "field_id", "state", "created_change", *_COPIED), chosen, include_defaults=False
        )
    )


def _next_id(first: int) -> sa.ColumnElement[int]:
    return sa.func.row_number().over(order_by=t.label.c.id) + sa.literal_column(str(first - 1))


def _free_field(c: Connection, project_id: int, name: str) -> str:
    found, number = name, 2
    while fields.find(c, project_id, found) is not None:
        found, number = f"{name}_{number}", number + 1
    return found
