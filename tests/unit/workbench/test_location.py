"""Which folder or database is the workspace, and who works in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from countersign.domain.errors import WorkspaceError
from countersign.workbench.location import DATABASE, actor, locate


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("COUNTERSIGN_WORKSPACE", "COUNTERSIGN_BLOBS", "COUNTERSIGN_USER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_locate__given_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COUNTERSIGN_WORKSPACE", "elsewhere")

    assert locate("mine").address == str(tmp_path / "mine")


def test_locate__environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COUNTERSIGN_WORKSPACE", "named")
    (tmp_path / DATABASE).touch()

    found = locate()

    assert (found.address, found.why) == (str(tmp_path / "named"), "by COUNTERSIGN_WORKSPACE")


def test_locate__nearest_upwards(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / DATABASE).touch()
    (tmp_path / "a" / DATABASE).touch()
    monkeypatch.chdir(deep)

    found = locate()

    assert found.address == str(tmp_path / "a")
    assert found.exists


def test_locate__data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platformdirs.user_data_path", lambda *_, **__: tmp_path / "data")

    found = locate()

    assert (found.address, found.exists) == (str(tmp_path / "data"), False)


def test_locate__url(tmp_path: Path) -> None:
    found = locate("postgresql://host/db", blobs="blobs")

    assert found.is_url
    assert found.exists
    assert (found.address, found.blobs) == ("postgresql://host/db", tmp_path / "blobs")


def test_locate__file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(WorkspaceError, match="is a file"):
        locate("file")


def test_actor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "someone")
    assert actor() == "someone"

    monkeypatch.setenv("COUNTERSIGN_USER", "anna")
    assert actor() == "anna"


def test_actor__without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("no such user")

    monkeypatch.setattr("getpass.getuser", nobody)

    assert actor() == "unknown"
