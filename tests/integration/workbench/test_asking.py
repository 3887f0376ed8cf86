"""Questions about images: answers, the field that keeps them, what fails and what is cut off."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import shapes
from countersign.cli.main import main
from countersign.domain.errors import Cancelled, InvalidInput, ModelError, WrongState
from countersign.domain.geometry import Box
from countersign.domain.label import Label, LabelState, Origin
from countersign.workbench.progress import Progress
from countersign.workbench.project import Project
from countersign.workbench.workspace import Workspace

MODEL, QUESTION = "bright:shapes", "How bright is it?"


@pytest.fixture
def pictures(project: Project, tmp_path: Path) -> Project:
    shapes.draw(tmp_path / "pictures", 5)
    project.import_images(tmp_path / "pictures")
    return project


def _expected(count: int) -> list[str]:
    return [str(round(float(shapes.pixels(index).mean(axis=(1, 2)).max()))) for index in range(count)]


@pytest.mark.parametrize("batch_size", [1, 3])
def test_ask__one_answer_per_image(pictures: Project, batch_size: int) -> None:
    seen: list[Progress] = []
    found = pictures.ask(None, f"  {QUESTION} ", model=MODEL, batch_size=batch_size, on_progress=seen.append)
    assert [item.name for item in found.items] == [f"{index}.png" for index in range(5)]
    assert [item.text for item in found.items] == _expected(5)
    assert (found.question, found.model, found.field, found.change, found.failed) == (QUESTION, MODEL, "", None, 0)
    assert (seen[-1].done, seen[-1].total) == (5, 5)
    assert pictures.fields() == []


def test_ask__kept_as_proposed_labels(pictures: Project) -> None:
    found = pictures.ask(["1.png", "3.png"], QUESTION, model=MODEL, field="notes")
    kept = pictures.labels("notes")
    assert sorted(kept) == ["1.png", "3.png"]
    (label,) = kept["3.png"]
    assert (label.class_name, label.geometry, label.confidence) == ("answer", None, None)
    assert label.state is LabelState.PROPOSED
    assert label.attributes == {"question": QUESTION, "text": _expected(4)[3]}
    assert label.provenance is not None
    assert (label.provenance.origin, label.provenance.model, label.provenance.prompt) == (Origin.MODEL, MODEL, QUESTION)
    assert found.change is not None
    assert pictures.history()[0].id == found.change
    pictures.undo(found.change)
    assert pictures.labels("notes") == {}


def test_ask__again_asks_only_for_what_is_missing(pictures: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    answer = shapes.BrightModel.ask

    def counted(
        self: shapes.BrightModel, images: Sequence[Any], question: str, *, settings: Mapping[str, Any] | None = None
    ) -> list[str]:
        asked.append(len(images))
        return answer(self, images, question, settings=settings)

    monkeypatch.setattr(shapes.BrightModel, "ask", counted)
    pictures.ask(["1.png"], QUESTION, model=MODEL, field="notes")
    found = pictures.ask(None, QUESTION, model=MODEL, field="notes", batch_size=5)
    assert asked == [1, 4]
    assert [item.text for item in found.items] == _expected(5)
    pictures.ask(["1.png"], "And how dark?", model=MODEL, field="notes")
    assert len(pictures.labels("notes")["1.png"]) == 2


def test_ask__an_image_that_fails_says_why(pictures: Project, tmp_path: Path) -> None:
    (tmp_path / "pictures" / "2.png").write_bytes(b"broken")
    shapes.draw(tmp_path / "more", 1, first=7)
    found = pictures.ask(None, QUESTION, model=MODEL, field="notes", batch_size=4)
    assert [item.text is None for item in found.items] == [False, False, True, False, False]
    assert found.failed == 1
    assert "2.png" in found.items[2].error
    assert "2.png" not in pictures.labels("notes")
    every = pictures.ask(["0.png", "1.png"], f"Of width {shapes.WIDTH}?", model=MODEL, batch_size=2)
    assert [item.error for item in every.items] == ["ValueError: this picture is not for me"] * 2


def test_ask__cut_off_keeps_what_was_said(pictures: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    answer, asked = shapes.BrightModel.ask, [0]

    def interrupted(
        self: shapes.BrightModel, images: Sequence[Any], question: str, *, settings: Mapping[str, Any] | None = None
    ) -> list[str]:
        asked[0] += 1
        if asked[0] == 4:
            raise KeyboardInterrupt
        return answer(self, images, question, settings=settings)

    monkeypatch.setattr(shapes.BrightModel, "ask", interrupted)
    with pytest.raises(KeyboardInterrupt):
        pictures.ask(None, QUESTION, model=MODEL, field="notes")
    assert len(pictures.labels("notes")) == 3
    assert len(pictures.ask(None, QUESTION, model=MODEL, field="notes").items) == 5
    assert len(pictures.labels("notes")) == 5
    assert asked[0] == 6


def test_ask__who_follows_it_may_end_it(pictures: Project) -> None:
    def stop(progress: Progress) -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        pictures.ask(None, QUESTION, model=MODEL, on_progress=stop)


def test_ask__never_into_verified_labels(pictures: Project) -> None:
    with pytest.raises(InvalidInput, match="ground_truth"):
        pictures.ask(None, QUESTION, model=MODEL, field="ground_truth")
    pictures.add_labels({"0.png": [Label("square", Box(1, 1, 4, 4))]}, field="mine")
    with pytest.raises(WrongState, match="verified"):
        pictures.ask(None, QUESTION, model=MODEL, field="mine")
    pictures.run(MODEL, "auto", executor="inline")
    with pytest.raises(WrongState, match="run"):
        pictures.ask(None, QUESTION, model=MODEL, field="auto")


def test_ask__what_cannot_be_asked(pictures: Project) -> None:
    with pytest.raises(InvalidInput, match="question"):
        pictures.ask(None, "  ", model=MODEL)
    with pytest.raises(InvalidInput, match="No image"):
        pictures.ask("split=nowhere", QUESTION, model=MODEL)
    with pytest.raises(InvalidInput, match="no setting 'tokens'"):
        pictures.ask(None, QUESTION, model="florence-2-base", settings={"tokens": 9})
    with pytest.raises(ModelError, match="answers no questions"):
        pictures.ask(None, QUESTION, model="timm:resnet18?weights=random")


def test_cli__lines_and_json(
    opened: Workspace, pictures: Project, workspace: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pictures" / "2.png").write_bytes(b"broken")
    where = ["--workspace", workspace, "--blobs", str(tmp_path / "blobs")]
    assert main(["ask", "shapes", QUESTION, "--model", MODEL, *where]) == 0
    shown = capsys.readouterr()
    expected = _expected(5)
    assert shown.out.splitlines() == [f"{index}.png: {expected[index]}" for index in (0, 1, 3, 4)]
    assert "2.png: no answer" in shown.err
    kept = ["--field", "notes", "--images", "name=1.png", "--json"]
    assert main(["ask", "shapes", QUESTION, "--model", MODEL, *kept, *where]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["field"], data["items"][0]["text"]) == ("notes", expected[1])
