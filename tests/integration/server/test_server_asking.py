"""Questions over HTTP: about one image, and about many as an operation; the client does the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from serving_setup import Served

import countersign
import shapes
from countersign.client import Workspace
from countersign.domain.errors import ModelError
from countersign.server.predicting import Server
from countersign.server.worker import _error_of

MODEL, QUESTION = "bright:shapes", "How bright is it?"


@pytest.fixture
def asked(served: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    """The process that predicts knows the real families: here its part is done in this one."""
    shapes.register()
    server = Server(served.workspace.store)

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        found = server.answer(request)
        if "error" in found:
            raise _error_of(found["error"])
        return found

    monkeypatch.setattr(served.parts.predictor, "_ask", answer)
    return served


@pytest.fixture
def client(asked: Served) -> Iterator[Workspace]:
    with countersign.connect(asked.url, asked.token, user="bert") as workspace:
        yield workspace


def _expected(index: int) -> str:
    return str(round(float(shapes.pixels(index).mean(axis=(1, 2)).max())))


def test_one_image(asked: Served) -> None:
    image = asked.workspace.project("shapes").images(["3.png"])[0]
    found = asked.post(f"/images/{image.id}/ask", {"model": MODEL, "question": f" {QUESTION} ", "max_new_tokens": 5})
    assert found["text"] == _expected(3)
    assert found["answered_by"]["model"] == MODEL
    wrong = {"model": MODEL, "question": f"Of width {shapes.WIDTH}?"}
    assert "not for me" in asked.post(f"/images/{image.id}/ask", wrong, 422)["detail"]
    assert asked.post(f"/images/{image.id}/ask", {"model": MODEL, "question": "  "}, 422)["kind"] == "InvalidInput"
    assert asked.post(f"/images/{image.id}/ask", {"model": "nothing", "question": "?"}, 404)["kind"] == "NotFound"
    assert asked.post("/images/9999/ask", {"model": MODEL, "question": "?"}, 404)["kind"] == "NotFound"
    silent = {"model": "timm:resnet18?weights=random", "question": "?"}
    assert "answers no questions" in asked.post(f"/images/{image.id}/ask", silent, 422)["detail"]


def test_many_images__as_an_operation(asked: Served) -> None:
    body = {"model": MODEL, "question": QUESTION, "query": "name=1.png", "field": "notes", "batch_size": 2}
    operation = asked.wait(asked.post(f"/projects/{asked.project}/ask", body, 202))
    assert (operation["kind"], operation["state"], operation["problem"]) == ("ask", "done", None)
    assert [item["text"] for item in operation["result"]["items"]] == [_expected(1)]
    kept = asked.workspace.project("shapes").labels("notes")
    assert kept["images/train/1.png"][0].attributes == {"question": QUESTION, "text": _expected(1)}
    refused = body | {"field": "ground_truth"}
    assert asked.post(f"/projects/{asked.project}/ask", refused, 422)["kind"] == "InvalidInput"


def test_client__as_in_this_process(asked: Served, client: Workspace) -> None:
    here, there = asked.workspace.project("shapes"), client.project("shapes")
    assert there.ask(None, QUESTION, model=MODEL) == here.ask(None, QUESTION, model=MODEL)
    found = there.ask(["0.png", "2.png"], QUESTION, model=MODEL, field="notes", batch_size=2)
    assert sorted(there.labels("notes")) == ["images/train/0.png", "images/train/2.png"]
    assert (found.field, found.failed) == ("notes", 0)
    with pytest.raises(ModelError, match="answers no questions"):
        there.ask(None, QUESTION, model="timm:resnet18?weights=random")
