"""Opening a workspace's database, and the two ways to use it: ``read()`` and ``write()``.

SQLite: one file in WAL mode. Readers see a snapshot and never wait. A writer takes the write lock as it begins
(BEGIN IMMEDIATE), waiting for its turn; a transaction that reads first and upgrades later would fail with "database is
locked" whatever the timeout. PostgreSQL: ordinary transactions. What the rows mean is not known here.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import DatabaseError, OperationalError

from countersign.domain.errors import WorkspaceError
from countersign.store import schema

DATABASE_NAME = "countersign.db"
BUSY_MS = 10_000  # how long SQLite itself waits for a lock before write() asks again
WAIT_S = 600.0  # how long write() waits for its turn in all: longer than any import takes

_PRAGMAS = (
    f"PRAGMA busy_timeout={BUSY_MS}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA synchronous=NORMAL",  # with WAL a crash of the machine may lose the last commits, never the database
    "PRAGMA cache_size=-131072",  # 128 MiB at most for each connection
    "PRAGMA mmap_size=1073741824",
    "PRAGMA temp_store=MEMORY",
)


class Store:
    """The database of one workspace, and its folder for blobs. Make one for each process; threads may share it."""

    def __init__(self, engine: Engine, *, url: str, folder: Path, blobs: Path) -> None:
        self.url = url
        self.folder = folder
        self.blobs = blobs
        self._engine = engine
        self._pid = os.getpid()
        # Threads of one process queue here, in turn, instead of polling SQLite's lock against each other.
        self._turn = threading.Lock()
        self._writing: int | None = None

    @classmethod
    def open(cls, workspace: str | Path, *, blobs: Path | None = None, create: bool = True) -> Store:
        """Open a folder (SQLite) or a ``postgresql://`` URL, making or upgrading its database where needed.

        ``blobs`` is where files go: by default ``blobs`` in the folder, or a folder of the user's for a URL.
        Raises WorkspaceError if it cannot be used, was written by a newer version, or is absent and not to be created.
        """
        text = str(workspace)
        if "://" in text:
            store = cls._open_url(text, blobs)
        else:
            store = cls._open_folder(Path(text).expanduser().absolute(), blobs, create=create)
        try:
            with _explained(store.url):
                schema.prepare(store._engine, store.url)
            _make_folder(store.blobs)
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def _open_folder(cls, folder: Path, blobs: Path | None, *, create: bool) -> Store:
        database = folder / DATABASE_NAME
        if not create and not database.exists():
            raise WorkspaceError(
                f"There is no workspace in {folder}", remedy="Import images there first, or name another folder."
            )
        _make_folder(folder)
        if not os.access(folder, os.W_OK) or (database.exists() and not os.access(database, os.W_OK)):
            raise WorkspaceError(
                f"The workspace {folder} cannot be written to",
                remedy="Give yourself the right to write there, or choose another folder with --workspace.",
            )
        url = URL.create("sqlite", database=str(database))
        return cls(_sqlite_engine(url), url=str(url), folder=folder, blobs=blobs or folder / "blobs")

    @classmethod
    def _open_url(cls, text: str, blobs: Path | None) -> Store:
        try:
            url = make_url(text)
        except sa.exc.ArgumentError as error:
            raise WorkspaceError(f"{text!r} is no database URL", remedy=_URL_HELP) from error
        if url.get_backend_name() not in ("postgresql", "postgres"):
            raise WorkspaceError(f"{url.drivername} databases are not supported", remedy=_URL_HELP)
        try:
            engine = sa.create_engine(url.set(drivername="postgresql+psycopg"), max_overflow=-1, pool_pre_ping=True)
        except ImportError as error:
            raise WorkspaceError(
                "PostgreSQL needs the package psycopg", remedy="Install it: pip install 'countersign[postgres]'."
            ) from error
        blobs = blobs or _home_of(url)
        return cls(engine, url=url.render_as_string(hide_password=True), folder=blobs.parent, blobs=blobs)

    @property
    def embedded(self) -> bool:
        """Whether this is SQLite in a folder."""
        return self._engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one moment of the database, whatever others write meanwhile."""
        with _explained(self.url), self._connect() as connection:
            if self.embedded:
                connection = connection.execution_options(countersign_read=True)
            else:
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection in a transaction that commits at the end and rolls back on an error.

        On SQLite there is one writer at a time: this waits for its turn. Keep it short; never call it inside itself.
        """
        if not self.embedded:
            with _explained(self.url), self._connect() as connection, connection.begin():
                yield connection
            return
        me = threading.get_ident()
        if self._writing == me:
            raise RuntimeError("write() inside write(): it would wait for itself")
        with _explained(self.url), self._turn:
            self._writing = me
            try:
                with self._connect() as connection:
                    connection = connection.execution_options(countersign_begin="BEGIN IMMEDIATE")
                    with _begin_in_turn(connection):
                        yield connection
            finally:
                self._writing = None

    def close(self) -> None:
        """Give the connections back. The store must not be used afterwards."""
        self._engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connect(self) -> Connection:
        if self._pid != os.getpid():  # a forked child must not use its parent's connections
            self._engine.dispose(close=False)
            self._pid, self._turn, self._writing = os.getpid(), threading.Lock(), None
        return self._engine.connect()


def _begin_in_turn(connection: Connection) -> sa.RootTransaction:
    """Begin a write transaction, asking again while another process holds the lock."""
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            return connection.begin()
        except OperationalError as error:
            if not is_locked(error) or time.monotonic() > deadline:
                raise


def is_locked(error: DatabaseError) -> bool:
    """Whether SQLite refused because somebody else holds a lock."""
    return any(
        word in str(error.orig) for word in ("database is locked", "database table is locked", "database is busy")
    )


_URL_HELP = "Name a folder, or a URL such as postgresql://user:password@host/database."

_REASONS = (
    ("file is not a database", "is no database of Countersign", "Choose another folder."),
    ("malformed", "is damaged", "Restore a copy, or choose another folder."),
    ("readonly database", "cannot be written to", "Give yourself the right to write there, or choose another folder."),
    ("unable to open", "cannot be opened", "Check that the folder exists and that you may read and write in it."),
    ("disk is full", "cannot grow: the disk is full", "Free some space and try again."),
    ("disk I/O error", "cannot be read or written: the disk reports an error", "Check the disk and its free space."),
    (
        "is locked",
        "has been written to by another process for too long",
        "Wait for it to end, or end it, and try again.",
    ),
    *(
        (words, "cannot be reached", "Check host, port, user and password, and that the server runs.")
        for words in (
            "connection failed",
            "connection is bad",
            "failed to resolve host",
            "connection timeout",
        )
    ),
    ("server closed the connection", "has closed the connection", "Check that the server runs and try again."),
    ("terminating connection", "has closed the connection", "Check that the server runs and try again."),
)


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """Turn what a database says when it cannot be used into a WorkspaceError; leave faults of the program alone."""
    try:
        yield
    except (DatabaseError, sqlite3.DatabaseError) as error:
        # While a connection is being made, SQLite's errors arrive as they are.
        said = str(error.orig if isinstance(error, DatabaseError) else error)
        for words, what, remedy in _REASONS:
            if words in said:
                raise WorkspaceError(f"The database {url} {what} ({said.strip()})", remedy=remedy) from error
        raise


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkspaceError(
            f"The folder {folder} cannot be made: {error.strerror or error}",
            remedy="Choose another folder with --workspace.",
        ) from error


def _home_of(url: URL) -> Path:
    import platformdirs

    parts = (url.host or "local", str(url.port or 5432), url.database or "postgres")
    return Path(platformdirs.user_data_path("countersign")) / "-".join(parts).replace("/", "_") / "blobs"


class _Compiler(SQLiteCompiler):
    """SQLite's own, which also writes hints: ``with_hint(table, "INDEXED BY ...", "sqlite")``."""

    def get_from_hint_text(self, table: sa.FromClause, text: str | None) -> str | None:
        return text


def _sqlite_engine(url: URL) -> Engine:
    engine = sa.create_engine(url, max_overflow=-1)
    # Without statistics SQLite takes any index on a field for a selective one; the large queries name theirs.
    engine.dialect.statement_compiler = _Compiler

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver shall not begin transactions: see _begin
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        # SQLite's own lower() knows ASCII alone; a search for a name shall find the same on both databases.
        connection.create_function("lower", 1, _lower, deterministic=True)

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        # A write in a read() is a fault that would show as a lock under load only: it fails at once.
        connection.exec_driver_sql(f"PRAGMA query_only={int(options.get('countersign_read', False))}")
        connection.exec_driver_sql(options.get("countersign_begin", "BEGIN"))

    return engine


def _lower(text: object) -> object:
    return text.lower() if isinstance(text, str) else text
