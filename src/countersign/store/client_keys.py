"""Keys under which clients send batches of edits, with the answers they got: nothing is done twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from countersign.store import tables as t
from countersign.store.sets import Lock, lock

KEPT = timedelta(days=30)
"""How long an answer is kept: much longer than a client that lost its connection waits to send again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered. ``digest`` is that of the request."""

    digest: str
    answer: Any


def find(c: Connection, project_id: int, key: str) -> Answer | None:
    """Return the answer that a key got. Two requests with one key go one after the other."""
    lock(c, Lock.CLASSES, -project_id)
    k = t.client_key.c
    row = c.execute(sa.select(k.digest, k.answer).where(k.project_id == project_id, k.key == key)).one_or_none()
    return None if row is None else Answer(row.digest, row.answer)


def keep(c: Connection, project_id: int, key: str, answer: Answer) -> None:
    """Keep the answer of a key, and forget those that are old."""
    now = datetime.now(UTC)
    c.execute(t.client_key.delete().where(t.client_key.c.project_id == project_id, t.client_key.c.at < now - KEPT))
    c.execute(
        t.client_key.insert().values(project_id=project_id, key=key, digest=answer.digest, answer=answer.answer, at=now)
    )
