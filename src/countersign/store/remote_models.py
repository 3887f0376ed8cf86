"""Models behind a URL as rows: a name and what must be said of them. What that means is not known here.

A row may hold a secret: whoever shows one leaves that out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from countersign.domain.errors import NameTaken, NotFound
from countersign.store.models import check_name
from countersign.store.tables import remote_model

KIND = "model behind a URL"


@dataclass(frozen=True, slots=True)
class RemoteRow:
    """One model behind a URL."""

    id: int
    name: str
    spec: dict[str, Any] = field(repr=False)
    created_at: datetime


def _row(row: Row[Any]) -> RemoteRow:
    return RemoteRow(row.id, row.name, dict(row.spec), row.created_at)


def create(c: Connection, *, name: str, spec: Mapping[str, Any]) -> RemoteRow:
    """Keep a model behind a URL. Raises NameTaken, InvalidInput."""
    name = check_name(name)
    _check_free(c, name)
    values = {"name": name, "spec": dict(spec), "created_at": datetime.now(UTC)}
    c.execute(sa.insert(remote_model).values(values))
    return get(c, name)


def get(c: Connection, name: str) -> RemoteRow:
    """Return one by its name. Raises NotFound that lists what there is."""
    row = c.execute(sa.select(remote_model).where(remote_model.c.name == name)).first()
    if row is None:
        known = c.execute(sa.select(remote_model.c.name).order_by(remote_model.c.name)).scalars()
        raise NotFound(KIND, name, known=tuple(known))
    return _row(row)


def list_all(c: Connection) -> list[RemoteRow]:
    """Return all, oldest first."""
    return [_row(row) for row in c.execute(sa.select(remote_model).order_by(remote_model.c.id))]


def update(c: Connection, name: str, *, spec: Mapping[str, Any], new_name: str = "") -> RemoteRow:
    """Put another spec in place of the one there was, and give another name. Raises NotFound, NameTaken,
    InvalidInput."""
    found = get(c, name)
    wanted = check_name(new_name) if new_name else name
    if wanted != name:
        _check_free(c, wanted)
    change = sa.update(remote_model).where(remote_model.c.id == found.id)
    c.execute(change.values(name=wanted, spec=dict(spec)))
    return get(c, wanted)


def delete(c: Connection, name: str) -> RemoteRow:
    """Forget one and return what it was. Raises NotFound."""
    found = get(c, name)
    c.execute(sa.delete(remote_model).where(remote_model.c.id == found.id))
    return found


def _check_free(c: Connection, name: str) -> None:
    if c.execute(sa.select(remote_model.c.id).where(remote_model.c.name == name)).first():
        raise NameTaken(KIND, name)
