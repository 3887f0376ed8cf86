"""The guides do what they say: every command and every piece of Python in docs/guide runs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import guide
import pytest

import shapes
from countersign.domain.label import Prediction
from countersign.domain.model import StoredModel
from countersign.domain.query import _IMAGE_TERMS, _LABEL_TERMS
from countersign.learn.settings import TrainingSettings
from countersign.models import registry
from countersign.runs import catalogue, executors, training
from countersign.store import Store
from countersign.store import models as records
from shapes import Call

DOCS = Path(__file__).parents[3] / "docs"
GUIDES = [DOCS.parent / "README.md", *sorted((DOCS / "guide").rglob("*.md"))]
NAMES = {"square": "RBC", "bar": "WBC"}


class CellModel(shapes.BrightModel):
    """The model of the tests, under the names of the guides."""

    @property
    def card(self) -> Any:
        return dataclasses.replace(super().card, name="cells", family="trained", classes=("RBC", "WBC"))

    def predict(self, images: Any, options: Any) -> list[list[Prediction]]:
        found = super().predict(images, options)
        return [[dataclasses.replace(item, class_name=NAMES[item.class_name]) for item in one] for one in found]

    def ask(self, images: Sequence[Any], question: str, *, settings: Mapping[str, Any] | None = None) -> list[str]:
        return [f"{image.mean():.0f}, if you ask {question!r}" for image in images]


@pytest.fixture
def _quick_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Teaching takes no time: what is taught is the model of the tests. Runs work in this process."""

    def run(store: Store, project_id: int, spec: Any, **rest: Any) -> StoredModel:
        training.settings_of(spec)
        with store.write() as c:
            return records.add(c, name=spec.model, card=CellModel().card, folder=f"models/{spec.model}")

    def card(store: Store, reference: str) -> Any:
        with store.read() as c:
            return records.get(c, reference).card

    monkeypatch.setattr(training, "run", run)
    monkeypatch.setattr(catalogue, "load", lambda *_, **__: CellModel())
    monkeypatch.setattr(catalogue, "open_any", lambda *_, **__: CellModel())
    monkeypatch.setattr(catalogue, "card", card)
    monkeypatch.setitem(executors._executors, "processes", executors.Inline)


def _photos() -> None:
    for index, path in enumerate(shapes.draw(Path("photos"), 8)):
        path.rename(path.with_name(f"blood_{index}.png"))
    data: Any = shapes.coco_of([0, 1, 2, 3])
    for image in data["images"]:
        image["file_name"] = f"blood_{image['file_name']}"
    for category in data["categories"]:
        category["name"] = NAMES[category["name"]]
    Path("photos/labels.json").write_text(json.dumps(data))


@pytest.fixture
def _own_families(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page registers is gone after it."""
    monkeypatch.setattr(registry, "_families", dict(registry._families))


@pytest.mark.usefixtures("_quick_model", "_own_families")
@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.relative_to(DOCS.parent).with_suffix("").as_posix())
def test_guide(page: Path, call: Call) -> None:
    _photos()

    guide.play(page, lambda words, code: call(*words, code=code).out)


def test_guides__are_those_that_are_promised() -> None:
    assert {page.stem for page in GUIDES} >= {
        "adding-a-model", "command-line", "getting-started", "python", "queries", "review", "training"
    }  # fmt: skip


@pytest.mark.parametrize("term", [*_IMAGE_TERMS, *_LABEL_TERMS])
def test_queries__every_term_is_explained(term: str) -> None:
    text = (DOCS / "guide" / "queries.md").read_text()

    assert f"| `{term}=" in text or f"| `{term}~" in text


@pytest.mark.parametrize("setting", dataclasses.fields(TrainingSettings), ids=lambda item: item.name)
def test_training__every_setting_is_explained(setting: Any) -> None:
    (row,) = (line for line in (DOCS / "guide/training.md").read_text().splitlines() if f"| `{setting.name}` |" in line)

    default = row.split("|")[3].strip()
    if isinstance(setting.default, int | float | str):
        assert default.lower() in (
            str(setting.default).lower(),
            f"{setting.default:.2f}" if setting.name in ("confidence", "nms") else "",
        )
