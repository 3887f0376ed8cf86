"""What the record modules share: long lists of values in a query, blocks of ids, locks between writers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import IntEnum
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from countersign.store import tables as t


def among(c: Connection, column: sa.ColumnElement[Any], values: Collection[Any]) -> sa.ColumnElement[bool]:
    """Return ``column IN values`` with all values (numbers or texts) in one parameter: a million are as good as one."""
    return column.in_(rows_of(c, values)) if values else sa.false()


def rows_of(c: Connection, values: Collection[Any]) -> sa.Select[Any]:
    """Return a select of one column with these numbers or texts (all alike) as rows."""
    listed = list(values)
    if c.dialect.name == "sqlite":
        return sa.select(sa.func.json_each(orjson.dumps(listed).decode()).table_valued("value").c.value)
    array = sa.ARRAY(sa.Text() if listed and isinstance(listed[0], str) else sa.BigInteger())
    return sa.select(sa.func.unnest(sa.cast(sa.literal(listed, array), array)))


def reserve_ids(c: Connection, table: sa.Table, count: int) -> int:
    """Take ``count`` ids of ``label`` (or another table) in a row that nobody else gets; return the first.

    Use inside a write transaction. An id whose row was removed, but is still known to the history, is not given again.
    """
    if c.dialect.name == "sqlite":
        newest = c.execute(sa.select(sa.func.max(table.c.id))).scalar() or 0
        if table is t.label:
            newest = max(newest, c.execute(sa.select(sa.func.max(t.label_removed.c.id))).scalar() or 0)
        return int(newest) + 1
    # Two statements on one sequence are not atomic; everybody who takes a block of it holds this lock meanwhile.
    sequence = f"pg_get_serial_sequence('{table.name}', 'id')"
    lock(c, Lock.IDS, 0, until_commit=False)
    last = c.exec_driver_sql(f"SELECT setval({sequence}, nextval({sequence}) + {max(count, 1) - 1})").scalar_one()
    unlock(c, Lock.IDS, 0)
    return int(last) - max(count, 1) + 1


class Lock(IntEnum):
    """What writers on PostgreSQL queue for. SQLite has one writer at a time anyway."""

    IDS = 1
    FIELD = 2
    CLASSES = 3
    IMAGES = 4
    PROVENANCE = 5


def lock(c: Connection, kind: Lock, of: int, *, until_commit: bool = True) -> None:
    """Wait until no other transaction holds this lock, and hold it until the end of this one."""
    if c.dialect.name == "postgresql":
        function = "pg_advisory_xact_lock" if until_commit else "pg_advisory_lock"
        c.exec_driver_sql(f"SELECT {function}({int(kind)}, {of % 2**31})")


def unlock(c: Connection, kind: Lock, of: int) -> None:
    """Give back a lock that was taken with ``until_commit=False``."""
    if c.dialect.name == "postgresql":
        c.exec_driver_sql(f"SELECT pg_advisory_unlock({int(kind)}, {of % 2**31})")


_MANY = 10_000


def note_many(c: Connection, rows: int, *written: sa.Table) -> None:
    """Let PostgreSQL count anew what is in tables that many rows were written to: it plans by what it knows of them.

    It does so by itself, but later, and until then a page may take it ten times as long.
    """
    if rows >= _MANY and c.dialect.name == "postgresql":
        c.exec_driver_sql(f"ANALYZE {', '.join(table.name for table in written)}")


def insert_many(c: Connection, table: sa.Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows given as tuples of what the driver takes (JSON as text, moments as seconds), as fast as it can."""
    if c.dialect.name == "sqlite":
        marks = ",".join("?" * len(columns))
        cursor = c.connection.cursor()
        cursor.executemany(f"INSERT INTO {table.name} ({','.join(columns)}) VALUES ({marks})", rows)
        cursor.close()
        return
    cursor = c.connection.cursor()
    with cursor.copy(f"COPY {table.name} ({','.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    cursor.close()
