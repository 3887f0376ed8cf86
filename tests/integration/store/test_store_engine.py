from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from countersign.domain.errors import WorkspaceError
from countersign.store import Store, engine, projects, schema
from countersign.store import tables as t


def test_open__again(workspace: str, tmp_path: Path) -> None:
    with Store.open(workspace, blobs=tmp_path / "b") as store, store.write() as c:
        projects.create(c, "cells")
    with Store.open(workspace, blobs=tmp_path / "b") as store, store.read() as c:
        assert projects.get(c, "cells").name == "cells"
    assert (tmp_path / "b").is_dir()


def test_open__a_folder(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a" / "b") as store:
        assert store.embedded
        assert store.folder == tmp_path / "a" / "b"
        assert store.blobs == tmp_path / "a" / "b" / "blobs"
        assert (store.folder / "countersign.db").exists()
        with store.write() as c:
            found = [
                c.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "foreign_keys", "synchronous")
            ]
            assert found == ["wal", 1, 1]


def test_open__the_usual_case_does_without_alembic(tmp_path: Path) -> None:
    code = (
        "import sys; from countersign.store import Store\n"
        f"for _ in range(2): Store.open({str(tmp_path)!r}).close()\n"
        "print([name for name in ('alembic', 'torch', 'numpy.random', 'psycopg') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "alembic" not in done.stdout
    assert "torch" not in done.stdout
    assert "psycopg" not in done.stdout


def test_open__not_to_be_created(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="There is no workspace in"):
        Store.open(tmp_path / "none", create=False)
    assert not (tmp_path / "none").exists()
    Store.open(tmp_path / "none").close()
    Store.open(tmp_path / "none", create=False).close()


def test_open__newer(workspace: str, tmp_path: Path) -> None:
    with Store.open(workspace, blobs=tmp_path / "b") as store, store.write() as c:
        c.exec_driver_sql("UPDATE countersign_version SET version_num = '9999'")
    try:
        with pytest.raises(WorkspaceError, match=r"newer version .*9999.*knows up to .*Update Countersign"):
            Store.open(workspace, blobs=tmp_path / "b")
    finally:
        _set_version(workspace, schema.REVISIONS[-1])


def _set_version(workspace: str, revision: str) -> None:
    if "://" not in workspace:
        with sqlite3.connect(Path(workspace) / "countersign.db") as raw:
            raw.execute("UPDATE countersign_version SET version_num = ?", (revision,))
        raw.close()
        return
    import psycopg

    with psycopg.connect(workspace) as connection:
        connection.execute("UPDATE countersign_version SET version_num = %s", (revision,))


def test_open__somebody_elses_database(tmp_path: Path) -> None:
    raw = sqlite3.connect(tmp_path / "countersign.db")
    raw.execute("CREATE TABLE theirs (id INTEGER)")
    raw.commit()
    raw.close()
    with pytest.raises(WorkspaceError, match="not one of Countersign: it has the tables theirs"):
        Store.open(tmp_path)


def test_open__somebody_elses_postgres(postgres_url: str, tmp_path: Path) -> None:
    import psycopg

    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE project (id INTEGER)")
    with pytest.raises(WorkspaceError, match="not one of Countersign: it has the tables project"):
        Store.open(postgres_url, blobs=tmp_path)


@pytest.mark.parametrize("content", [b"not a database at all" * 500, b"SQLite format 3\0" + b"\xff" * 9000])
def test_open__no_database(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "countersign.db").write_bytes(content)
    with pytest.raises(WorkspaceError, match=r"countersign\.db"):
        Store.open(tmp_path)


def test_open__an_empty_file_becomes_one(tmp_path: Path) -> None:
    (tmp_path / "countersign.db").touch()
    with Store.open(tmp_path) as store, store.read() as c:
        assert projects.list_all(c) == []


def test_open__where_nothing_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(WorkspaceError, match="cannot be made"):
            Store.open(folder)
    (tmp_path / "countersign.db").mkdir()
    with pytest.raises(WorkspaceError, match="cannot be opened"):
        Store.open(tmp_path)


def test_open__read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store.open(tmp_path).close()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(WorkspaceError, match="cannot be written to"):
        Store.open(tmp_path)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://host/db", "mysql databases are not supported"),
        ("postgresql://nobody:wrong@127.0.0.1:1/none", "cannot be reached"),
        ("postgresql://nobody@/none?host=/no/such/folder", "cannot be reached"),
        ("postgresql://nobody:wrong@nowhere.invalid/none", "cannot be reached"),
        ("http://[bad", "no database URL|not supported"),
    ],
)
def test_open__urls_that_are_none(tmp_path: Path, url: str, says: str) -> None:
    with pytest.raises(WorkspaceError, match=says) as caught:
        Store.open(url, blobs=tmp_path)
    assert "wrong" not in str(caught.value)


def test_open__a_url_without_blobs_has_a_folder_of_the_users(
    shared_postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with Store.open(shared_postgres_url) as store:
        assert not store.embedded
        assert tmp_path in store.blobs.parents
        assert store.blobs.is_dir()


def test_open__many_at_once(tmp_path: Path) -> None:
    """Eight processes make the same new workspace; one does it, all can use it."""
    code = f"from countersign.store import Store; s = Store.open({str(tmp_path / 'new')!r}); print(s.embedded)"
    started = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)
    ]
    for process in started:
        out, err = process.communicate(timeout=120)
        assert (out.strip(), err) == (b"True", b"")


def test_write__rolls_back(store: Store) -> None:
    def fail() -> None:
        with store.write() as c:
            projects.create(c, "cells")
            raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        fail()
    with store.read() as c:
        assert projects.list_all(c) == []
    with store.write() as c:
        projects.create(c, "cells")


def test_write__inside_itself_is_a_fault(tmp_path: Path) -> None:
    with (
        Store.open(tmp_path) as store,
        store.write(),
        pytest.raises(RuntimeError, match=r"write\(\) inside write\(\)"),
        store.write(),
    ):
        pass


def test_read__sees_one_moment(store: Store) -> None:
    with store.read() as before:
        assert projects.list_all(before) == []
        with store.write() as c:
            projects.create(c, "cells")
        assert projects.list_all(before) == []
    with store.read() as after:
        assert len(projects.list_all(after)) == 1


def test_read__cannot_write(store: Store) -> None:
    with (
        pytest.raises((WorkspaceError, sa.exc.DBAPIError), match=r"read-only|readonly|cannot be written"),
        store.read() as c,
    ):
        projects.create(c, "cells")
    with store.write() as c:
        projects.create(c, "cells")


def test_threads_share_a_store(store: Store) -> None:
    errors: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for number in range(10):
                with store.write() as c:
                    projects.create(c, f"{name} {number}")
                with store.read() as c:
                    projects.get(c, f"{name} {number}")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(f"t{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with store.read() as c:
        assert len(projects.list_all(c)) == 60


def test_write__waits_for_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite itself gives up after its timeout; write() asks again until it is its turn, or far too late."""
    monkeypatch.setattr(engine, "_PRAGMAS", ("PRAGMA busy_timeout=10", *engine._PRAGMAS[1:]))
    with Store.open(tmp_path) as first, Store.open(tmp_path) as second:
        begun, done = threading.Event(), threading.Event()

        def hold() -> None:
            with first.write() as c:
                projects.create(c, "first")
                begun.set()
                done.wait(0.5)

        holder = threading.Thread(target=hold)
        holder.start()
        begun.wait(10)
        with second.write() as c:
            assert projects.get(c, "first").name == "first"
        holder.join()

        holder = threading.Thread(target=lambda: (begun.clear(), hold()))
        monkeypatch.setattr(engine, "WAIT_S", 0.05)
        with first.write() as c:
            projects.create(c, "third")
            with pytest.raises(WorkspaceError, match="by another process for too long"), second.write():
                pass


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_fork__a_child_has_connections_of_its_own(store: Store) -> None:
    with store.write() as c:
        projects.create(c, "parents")
    child = os.fork()
    if child == 0:  # pragma: no cover
        code = 1
        try:
            with store.write() as c:
                projects.create(c, "childs")
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    with store.read() as c:
        assert [found.project.name for found in projects.list_all(c)] == ["childs", "parents"]


def test_moments_and_json(store: Store) -> None:
    with store.write() as c:
        made = projects.create(c, "cells")
        assert c.execute(sa.select(t.project.c.created_at)).scalar() == projects.get(c, "cells").created_at
        assert abs((projects.get(c, "cells").created_at - made.created_at).total_seconds()) < 1e-3
