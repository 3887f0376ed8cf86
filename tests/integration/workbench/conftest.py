"""A workspace on both databases, in a folder of its own, with the model that finds bright shapes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import shapes
from countersign.workbench.project import Project
from countersign.workbench.workspace import Workspace, open_workspace


@pytest.fixture
def opened(workspace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """An empty workspace; the current folder is an empty one, too."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    shapes.register()
    with open_workspace(workspace, blobs=tmp_path / "blobs", user="anna") as made:
        yield made


@pytest.fixture
def project(opened: Workspace) -> Project:
    """An empty project."""
    return opened.create_project("shapes")
