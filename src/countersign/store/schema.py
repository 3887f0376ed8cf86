"""Bringing a database to the schema of this version: make it, upgrade it, or refuse it.

The usual case, a database that is at head already, costs one query and does not import Alembic. A new database is made
from the metadata at once; a test proves that the migrations make exactly the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError

from countersign.domain.errors import WorkspaceError
from countersign.store.tables import metadata

REVISIONS = ("0001", "0002", "0003", "0004", "0005")
"""All revisions, oldest first: the ids of the files in migrations/versions."""

VERSION_TABLE = "countersign_version"
_LOCK = 0x436F756E  # any number of our own: PostgreSQL's advisory lock while a schema is made


def prepare(engine: Engine, url: str) -> None:
    """Make or upgrade the schema. Raises WorkspaceError for a newer one and for somebody else's database."""
    if engine.dialect.name == "sqlite":
        _use_wal(engine)
    with engine.connect() as connection:
        found = _revision(connection)
    if found == REVISIONS[-1]:
        return
    _check_known(found, url)
    if found is None:
        _create(engine, url)
    else:
        upgrade(engine)


def upgrade(engine: Engine, to: str = "head") -> None:
    """Run the Alembic migrations up to a revision (``head``: the newest)."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "countersign.store:migrations")
    with _alone(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def _check_known(found: str | None, url: str) -> None:
    if found is not None and found not in REVISIONS:
        raise WorkspaceError(
            f"The workspace {url} was written by a newer version of Countersign "
            f"(its schema is {found}, this version knows up to {REVISIONS[-1]})",
            remedy="Update Countersign: pip install --upgrade countersign.",
        )


def _create(engine: Engine, url: str) -> None:
    with _alone(engine) as connection:
        found = _revision(connection)
        if found is not None:  # another process was quicker
            _check_known(found, url)
            return
        existing = set(sa.inspect(connection).get_table_names())
        theirs = existing if engine.dialect.name == "sqlite" else existing & set(metadata.tables)
        if theirs:
            raise WorkspaceError(
                f"The database {url} is not one of Countersign: it has the tables {', '.join(sorted(theirs)[:5])}",
                remedy="Choose another folder or an empty database.",
            )
        metadata.create_all(connection, checkfirst=False)
        connection.exec_driver_sql(
            f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL, "
            f"CONSTRAINT {VERSION_TABLE}_pkc PRIMARY KEY (version_num))"
        )
        connection.exec_driver_sql(f"INSERT INTO {VERSION_TABLE} VALUES ('{REVISIONS[-1]}')")


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """Give a connection in a transaction that alone may change the schema: others wait until it has ended."""
    with engine.connect().execution_options(countersign_begin="BEGIN IMMEDIATE") as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        yield connection


def _revision(connection: Connection) -> str | None:
    """The revision of a database, None for one without."""
    if connection.dialect.name == "sqlite":
        exists = connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = ?", (VERSION_TABLE,)).scalar()
    else:
        exists = connection.exec_driver_sql("SELECT to_regclass(%s)", (VERSION_TABLE,)).scalar()
    if not exists:
        return None
    found: str | None = connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar()
    return found


def _use_wal(engine: Engine) -> None:
    """Set WAL mode, which stays. SQLite does not wait for locks here by itself."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with engine.connect() as connection:
                raw = connection.connection.dbapi_connection
                assert raw is not None
                cursor = raw.cursor()
                mode = cursor.execute("PRAGMA journal_mode").fetchone()[0]
                if mode != "wal":
                    mode = cursor.execute("PRAGMA journal_mode=WAL").fetchone()[0]
                cursor.close()
            if mode == "wal":
                return
            raise WorkspaceError(
                f"SQLite cannot keep a write-ahead log in {engine.url.database} (it says {mode!r})",
                remedy="Choose a folder on a local disk: network drives cannot be shared between processes.",
            )
        except Exception as error:
            if not _may_retry(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _may_retry(error: Exception) -> bool:
    said = str(error.orig) if isinstance(error, OperationalError) else str(error)
    return "database is locked" in said
