"""The examples in the docstrings of the Python interface: there is one for every verb, and each one runs."""

from __future__ import annotations

import doctest
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import countersign
import shapes
from countersign.domain.geometry import Box
from countersign.domain.label import Label
from countersign.domain.query import LabelFilter
from countersign.workbench.models import Models
from countersign.workbench.project import Project
from countersign.workbench.reference import members
from countersign.workbench.reviewing import Review
from countersign.workbench.workspace import Workspace, open_workspace

NEEDS_A_MODEL = {
    "get",
    "rename",
    "delete",
    "export",
    "import_file",
    "pull",
    "add",
    "accept_licence",
}  # see docs/guide/training.md and models.md
PLAIN = {"id", "name", "close", "field", "run"}  # properties, and what has no result to show


def verbs(kind: type) -> Iterator[tuple[str, Any]]:
    for name, member in members(kind):
        if inspect.isfunction(member) or isinstance(member, property):
            yield name, member


def examples() -> Iterator[tuple[str, Any]]:
    yield "open_workspace", open_workspace
    for kind in (Workspace, Project, Review, Models):
        for name, member in verbs(kind):
            if ">>>" in (member.__doc__ or ""):
                yield f"{kind.__name__}.{name}", member


@pytest.mark.parametrize("kind", [Workspace, Project, Review, Models])
def test_every_verb_has_an_example(kind: type) -> None:
    shown = {name.partition(".")[2] for name, _ in examples() if name.startswith(f"{kind.__name__}.")}
    spared = NEEDS_A_MODEL if kind is Models else set() if kind is Project else PLAIN
    missing = {name for name, member in verbs(kind)} - shown - spared - {"id", "name"}

    assert not missing


def _parameters() -> list[Any]:
    slow = {"Project.train": pytest.mark.slow}
    return [pytest.param(name, member, id=name, marks=slow.get(name, ())) for name, member in examples()]


@pytest.mark.parametrize(("name", "member"), _parameters())
def test_example(name: str, member: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COUNTERSIGN_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    shapes.register()
    shapes.draw(Path("pictures"), 6)
    Path("truth.json").write_text(json.dumps(shapes.coco_of([0, 1, 2, 3])))
    with open_workspace("workspace", user="anna") as workspace:
        project = workspace.create_project("shapes")
        project.import_images("pictures")
        project.import_labels("truth.json")
        known = {
            "countersign": countersign, "workspace": workspace, "project": project, "Path": Path, "Label": Label,
            "Box": Box, "LabelFilter": LabelFilter,
        }  # fmt: skip
        if name.startswith("Review."):
            known["review"] = project.review(project.run("bright:shapes", "auto", executor="inline"))
        text = inspect.cleandoc(member.__doc__ or "")
        test = doctest.DocTestParser().get_doctest(text, known, name, None, 0)
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        said: list[str] = []
        runner.run(test, out=said.append)

    assert not runner.failures, "".join(said)
