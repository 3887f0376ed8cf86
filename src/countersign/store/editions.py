"""Which edition of a label somebody has seen: the id of the last change that touched it.

Two people who look at the same label can so find out who came second. What an edit does is not known here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from countersign.domain.label import Origin
from countersign.store import tables as t
from countersign.store.sets import Lock, among, lock


@dataclass(frozen=True, slots=True)
class Edition:
    """A label as somebody is about to edit it. ``by_model``: whether a model made it."""

    field_id: int
    image_id: int
    version: int
    by_model: bool


def held(c: Connection, label_ids: Collection[int]) -> dict[int, Edition]:
    """Return these labels' editions, which nobody else changes until commit; those that are not there are left out."""
    for field_id in sorted(set(fields_of(c, label_ids).values())):
        lock(c, Lock.FIELD, field_id)
    now = versions(c, label_ids)
    k = t.label.c
    chosen = (
        sa.select(k.id, k.field_id, k.image_id, sa.func.coalesce(t.provenance.c.origin, "") == Origin.MODEL.value)
        .select_from(t.label.outerjoin(t.provenance, t.provenance.c.id == k.provenance_id))
        .with_hint(t.label, "NOT INDEXED", "sqlite")
    )
    rows = c.execute(chosen.where(among(c, k.id, label_ids)))
    return {row[0]: Edition(row[1], row[2], now[row[0]], bool(row[3])) for row in rows}


def versions(c: Connection, label_ids: Collection[int]) -> dict[int, int]:
    """Return the version of each of these labels; those that are not there are left out."""
    if not label_ids:
        return {}
    k = t.label.c
    last = (
        sa.select(sa.func.max(t.label_change.c.change_id))
        .where(t.label_change.c.label_id == k.id)
        .correlate(t.label)
        .scalar_subquery()
    )
    chosen = sa.select(k.id, sa.func.coalesce(last, k.created_change)).with_hint(t.label, "NOT INDEXED", "sqlite")
    return {row[0]: row[1] for row in c.execute(chosen.where(among(c, k.id, label_ids)))}


def place(c: Connection, label_id: int) -> tuple[int, int] | None:
    """Return the ids of the field and the image of a label, None if it is not there."""
    row = c.execute(sa.select(t.label.c.field_id, t.label.c.image_id).where(t.label.c.id == label_id)).one_or_none()
    return None if row is None else (row[0], row[1])


def fields_of(c: Connection, label_ids: Collection[int]) -> dict[int, int]:
    """Return the field of each of these labels; those that are not there are left out."""
    if not label_ids:
        return {}
    chosen = sa.select(t.label.c.id, t.label.c.field_id).with_hint(t.label, "NOT INDEXED", "sqlite")
    return {row[0]: row[1] for row in c.execute(chosen.where(among(c, t.label.c.id, label_ids)))}


def was_deleted(c: Connection, label_id: int) -> bool:
    """Whether there was such a label, and it was deleted."""
    return c.execute(sa.select(1).where(t.label_removed.c.id == label_id)).scalar() is not None


def last_actor(c: Connection, label_id: int) -> str:
    """Return who changed (or deleted) a label last; empty where nobody changed it since it was made."""
    k = t.label_change.c
    last = sa.select(sa.func.max(k.change_id)).where(k.label_id == label_id).scalar_subquery()
    return str(c.execute(sa.select(t.change.c.actor).where(t.change.c.id == last)).scalar() or "")


def newest_of(c: Connection, change_id: int, count: int) -> list[int]:
    """Return the ids of the last ``count`` labels that a change made, in the order in which it made them."""
    made = c.execute(sa.select(t.change.c.last_label).where(t.change.c.id == change_id)).scalar()
    if made is None:
        return []
    k = t.label.c
    rows = c.execute(
        sa.select(k.id).where(k.id.between(made - count + 1, made), k.created_change == change_id).order_by(k.id)
    )
    return list(rows.scalars())


def forget_empty(c: Connection, change_ids: Collection[int]) -> list[int]:
    """Delete those of these changes that touched no label; return the others."""
    if not change_ids:
        return []
    k = t.change.c
    c.execute(t.change.delete().where(k.id.in_(list(change_ids)), k.count == 0))
    return sorted(c.execute(sa.select(k.id).where(k.id.in_(list(change_ids)))).scalars())
