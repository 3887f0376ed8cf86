"""The client has the verbs that there are in this process: the same names, arguments and defaults."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from countersign.client import project, remote_models, review, workspace
from countersign.workbench.models import Models
from countersign.workbench.project import Project
from countersign.workbench.remote_models import RemoteModels
from countersign.workbench.reviewing import Review
from countersign.workbench.workspace import Workspace

KINDS: list[tuple[type, type]] = [
    (Workspace, workspace.Workspace),
    (Models, workspace.Models),
    (RemoteModels, remote_models.RemoteModels),
    (Project, project.Project),
    (Review, review.Review),
]
VERBS = [
    pytest.param(here, there, name, id=f"{here.__name__}.{name}")
    for here, there in KINDS
    for name in dir(here)
    if not name.startswith("_") and (callable(getattr(here, name)) or isinstance(getattr(here, name), property))
]


@pytest.mark.parametrize(("here", "there", "name"), VERBS)
def test_same_verb(here: type, there: type, name: str) -> None:
    mine, theirs = getattr(here, name), getattr(there, name, None)
    assert theirs is not None, f"the client's {there.__name__} has no {name}"
    if isinstance(mine, property):
        assert isinstance(theirs, property)
        return
    assert _parameters(theirs) == _parameters(mine)


def test_nothing_more() -> None:
    for here, there in KINDS:
        more = {name for name in dir(there) if not name.startswith("_")} - set(dir(here))
        assert not more


def _parameters(function: Any) -> list[tuple[str, Any, Any]]:
    found = inspect.signature(function).parameters.values()
    return [(item.name, item.kind, item.default) for item in found if item.name != "self"]
