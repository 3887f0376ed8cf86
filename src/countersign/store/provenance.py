"""Provenance records: one row for each different origin, shared by the labels that have it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from countersign.domain.label import Origin, Provenance
from countersign.store import tables as t
from countersign.store.sets import Lock, among, lock

_FIELDS = ("origin", "source", "model", "model_version", "weights_hash", "prompt", "min_confidence", "run_id")


def ensure(c: Connection, provenance: Provenance) -> int:
    """Return the id of this provenance, storing it the first time."""
    values = {name: getattr(provenance, name) for name in _FIELDS}
    digest = hashlib.sha256(orjson.dumps(list(values.values()))).hexdigest()
    find = sa.select(t.provenance.c.id).where(t.provenance.c.digest == digest)
    found = c.execute(find).scalar()
    if found is None:
        lock(c, Lock.PROVENANCE, 0)  # two workers of one run say the same at the same moment
        found = c.execute(find).scalar()
    if found is None:
        values["origin"] = provenance.origin.value
        found = c.execute(
            t.provenance.insert().values(digest=digest, **values).returning(t.provenance.c.id)
        ).scalar_one()
    return int(found)


def load(c: Connection, ids: Collection[int | None]) -> dict[int, Provenance]:
    """Return the provenances with these ids."""
    if not ids:
        return {}
    columns = (t.provenance.c.id, *(t.provenance.c[name] for name in _FIELDS))
    rows = c.execute(sa.select(*columns).where(among(c, t.provenance.c.id, ids)))
    return {row[0]: Provenance(Origin(row[1]), *row[2:]) for row in rows}
