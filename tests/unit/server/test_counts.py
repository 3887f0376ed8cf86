"""Counts of large fields, while somebody writes into them and somebody else looks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import shapes
from countersign.domain.geometry import Box
from countersign.domain.label import Label
from countersign.server import counts
from countersign.store import fields
from countersign.store.browse import field_counts
from countersign.workbench.workspace import Workspace, open_workspace

TAKES = 2.0  # seconds that a count seems to take


class Clock:
    """A clock that stands still but for what moves it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.paused: list[float] = []

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.paused.append(seconds)
        self.now += seconds


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path / "workspace", user="anna") as opened:
        shapes.write_yolo(tmp_path / "yolo", 6, labelled=2)
        opened.create_project("shapes").import_images(tmp_path / "yolo")
        yield opened


def test_large_field_rests_between_two_counts(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, project, told = Clock(), workspace.project("shapes"), []
    names = [image.name for image in project.images()]
    list_all = fields.list_all

    def slowly(*given: Any) -> Any:
        clock.now += TAKES
        return list_all(*given)

    monkeypatch.setattr(counts, "LARGE", 0)
    monkeypatch.setattr(counts.fields, "list_all", slowly)

    def write() -> None:
        project.add_labels({names[len(told)]: [Label("cell", Box(1, 1, 5, 5))]}, field="auto")

    def look() -> int:
        with workspace.store.read() as c:
            known = field_counts(c, project_id)
            return sum(detail.images for detail in counted.of(c, project_id, known))

    def page(_: int) -> None:  # asks again whenever it is told, while a run writes
        told.append(clock.now)
        if len(told) < 4:
            write()
        look()

    counted = counts.Counts(workspace.store, page, clock=clock, pause=clock.pause)
    project_id = workspace.project("shapes").id
    write()
    assert look() == 1
    told.append(clock.now)
    write()
    assert look() == 1  # the counts of before
    for thread in threading.enumerate():
        if thread.name == "counts":
            thread.join(20)
    assert told == [TAKES * (1 + (1 + counts.REST) * i) for i in range(4)]
    assert clock.paused == [TAKES * counts.REST] * 3
    assert look() == 4
    assert counted._wanted == {}
