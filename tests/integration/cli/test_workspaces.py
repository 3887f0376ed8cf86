"""Which workspace a command uses, and projects in it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

import shapes
from shapes import Call


def test_workspace__not_there_yet(call: Call) -> None:
    done = call("projects", code=7)

    assert "There is no workspace in" in done.err
    assert "COUNTERSIGN_WORKSPACE" in done.err


def test_workspace__nearest_folder_upwards(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COUNTERSIGN_WORKSPACE")
    call("workspace", "create")
    deep = Path("a/b")
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)

    info = call("workspace", "--json").data

    assert info["workspace"] == str(Path("../..").resolve())
    assert "nearest" in info["chosen"]


def test_workspace__option_wins_before_and_after_the_command(call: Call) -> None:
    call("workspace", "create", "mine")

    first = call("--workspace", "mine", "workspace", "--json").data
    second = call("workspace", "--workspace", "mine", "--json").data

    assert first["workspace"] == second["workspace"] == str(Path("mine").absolute())


def test_workspace__says_what_it_holds(call: Call) -> None:
    shapes.write_yolo(Path("yolo"), 2)
    call("import", "shapes", "yolo")

    info = call("workspace", "--json").data

    assert (info["projects"], info["images"], info["labels"], info["user"]) == (1, 2, 2, "anna")
    assert "images             2" in call("workspace").out


def test_workspace__is_a_file(call: Call) -> None:
    Path("file").touch()

    assert "is a file, not a folder" in call("projects", "--workspace", "file", code=7).err


def test_projects__create_rename_delete(call: Call) -> None:
    call("projects", "create", "cells")
    assert "There is already a project named 'cells'" in call("projects", "create", "cells", code=4).err

    call("projects", "rename", "cells", "blood")
    assert [item["name"] for item in call("projects", "--json").data] == ["blood"]

    call("projects", "delete", "blood", "--yes")
    assert call("projects").out == "There are no projects. 'countersign import PROJECT PATH' makes one.\n"


def test_projects__delete_asks(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    call("projects", "create", "cells")
    monkeypatch.setattr("sys.stdin", io.StringIO())

    call("projects", "delete", "cells", code=130)

    assert len(call("projects", "--json").data) == 1


def test_projects__table(call: Call) -> None:
    shapes.write_yolo(Path("yolo"), 2)
    call("import", "shapes", "yolo")

    head, row = call("projects").out.splitlines()

    assert head.split()[:5] == ["project", "images", "labels", "fields", "runs"]
    assert row.split()[:5] == ["shapes", "2", "2", "1", "0"]


def test_process__as_a_user_calls_it(tmp_path: Path) -> None:
    shapes.write_yolo(tmp_path / "yolo", 2)
    environment = {**os.environ, "COUNTERSIGN_WORKSPACE": str(tmp_path / "workspace")}

    done = subprocess.run(
        [sys.executable, "-m", "countersign", "import", "shapes", "yolo"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "Labels (yolo): 2 added" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


def test_process__exit_code(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "countersign", "projects", "--workspace", str(tmp_path / "none")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 7
    assert done.stderr.startswith("countersign: There is no workspace")


def test_workspace__database_url(call: Call, postgres_url: str) -> None:
    shapes.write_yolo(Path("yolo"), 2)
    where = ("--workspace", postgres_url, "--blobs", "blobs")

    call("import", "shapes", "yolo", *where)

    info = call("workspace", *where, "--json").data
    assert (info["images"], info["labels"]) == (2, 2)
    assert info["blobs"] == str(Path("blobs").absolute())


def test_trainings__none(call: Call) -> None:
    call("projects", "create", "shapes")

    assert "There are no trainings" in call("trainings", "shapes").out
    assert "There is no training 'first'" in call("trainings", "shapes", "--cancel", "first", code=3).err
