"""The migrations and the metadata say the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from countersign.store import Store, engine, schema
from countersign.store.tables import metadata


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> sa.Engine:
    """An empty database of its own."""
    if request.param == "sqlite":
        return engine._sqlite_engine(sa.URL.create("sqlite", database=str(tmp_path / "countersign.db")))
    url = sa.make_url(request.getfixturevalue("postgres_url"))
    return sa.create_engine(url.set(drivername="postgresql+psycopg"))


def test_revisions__are_those_of_the_files() -> None:
    config = Config()
    config.set_main_option("script_location", "countersign.store:migrations")
    scripts = ScriptDirectory.from_config(config)
    assert tuple(script.revision for script in scripts.walk_revisions())[::-1] == schema.REVISIONS


def test_migrations__make_the_metadata(empty: sa.Engine) -> None:
    schema.upgrade(empty)
    with empty.connect() as c:
        migrated = described(c)
        context = MigrationContext.configure(c, opts={"version_table": schema.VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, metadata) == []
    with empty.begin() as c:
        metadata.drop_all(c)
        c.exec_driver_sql(f"DROP TABLE {schema.VERSION_TABLE}")
    schema.prepare(empty, "here")
    with empty.connect() as c:
        assert described(c) == migrated
    empty.dispose()


def described(c: Connection) -> dict[str, Any]:
    """Everything that the database says of its tables."""
    if c.dialect.name == "sqlite":
        rows = c.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
        # The order of constraints says nothing.
        return {name: sorted(re.findall(r"[^\s(),]+", sql)) for name, sql in rows}
    found = sa.inspect(c)
    said: dict[str, Any] = {}
    for table in found.get_table_names():
        said[table] = [
            [{key: str(value) for key, value in column.items()} for column in found.get_columns(table)],
            sorted(map(str, found.get_indexes(table))),
            sorted(map(str, found.get_foreign_keys(table))),
            str(found.get_pk_constraint(table)),
            sorted(map(str, found.get_unique_constraints(table))),
        ]
    return said


def test_prepare__upgrades_an_older_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upgraded: list[object] = []
    monkeypatch.setattr(schema, "REVISIONS", ("0000", *schema.REVISIONS))
    monkeypatch.setattr(schema, "upgrade", lambda engine: upgraded.append(engine))
    with Store.open(tmp_path) as store, store.write() as c:
        c.exec_driver_sql("UPDATE countersign_version SET version_num = '0000'")
    Store.open(tmp_path).close()
    assert len(upgraded) == 1


def test_upgrade__of_one_at_head_does_nothing(empty: sa.Engine) -> None:
    schema.prepare(empty, "here")
    schema.upgrade(empty)
    with empty.connect() as c:
        assert c.exec_driver_sql(f"SELECT version_num FROM {schema.VERSION_TABLE}").scalars().all() == [
            schema.REVISIONS[-1]
        ]
    empty.dispose()
