"""Questions over HTTP: about one image, and about many as an operation; the client does the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from serving_setup import Served

import countersign
import shapes
from countersign.client import Workspace
from countersign.domain.errors import ModelError

MODEL, QUESTION = "bright:shapes", "How bright is it?"


@pytest.fixture
def client(predicting: Served) -> Iterator[Workspace]:
    with countersign.connect(predicting.url, predicting.token, user="bert") as workspace:
        yield workspace


def _expected(index: int) -> str:
    return str(round(float(shapes.pixels(index).mean(axis=(1, 2)).max())))


def test_one_image(predicting: Served) -> None:
    image = predicting.workspace.project("shapes").images(["3.png"])[0]
    found = predicting.post(
        f"/images/{image.id}/ask", {"model": MODEL, "question": f" {QUESTION} ", "max_new_tokens": 5}
    )
    assert found["text"] == _expected(3)
    assert found["answered_by"]["model"] == MODEL
    wrong = {"model": MODEL, "question": f"Of width {shapes.WIDTH}?"}
    assert "not for me" in predicting.post(f"/images/{image.id}/ask", wrong, 422)["detail"]
    assert predicting.post(f"/images/{image.id}/ask", {"model": MODEL, "question": "  "}, 422)["kind"] == "InvalidInput"
    assert predicting.post(f"/images/{image.id}/ask", {"model": "nothing", "question": "?"}, 404)["kind"] == "NotFound"
    assert predicting.post("/images/9999/ask", {"model": MODEL, "question": "?"}, 404)["kind"] == "NotFound"
    silent = {"model": "timm:resnet18?weights=random", "question": "?"}
    assert "answers no questions" in predicting.post(f"/images/{image.id}/ask", silent, 422)["detail"]


def test_many_images__as_an_operation(predicting: Served) -> None:
    body = {"model": MODEL, "question": QUESTION, "query": "name=1.png", "field": "notes", "batch_size": 2}
    operation = predicting.wait(predicting.post(f"/projects/{predicting.project}/ask", body, 202))
    assert (operation["kind"], operation["state"], operation["problem"]) == ("ask", "done", None)
    assert [item["text"] for item in operation["result"]["items"]] == [_expected(1)]
    kept = predicting.workspace.project("shapes").labels("notes")
    assert kept["images/train/1.png"][0].attributes == {"question": QUESTION, "text": _expected(1)}
    refused = body | {"field": "ground_truth"}
    assert predicting.post(f"/projects/{predicting.project}/ask", refused, 422)["kind"] == "InvalidInput"


def test_client__as_in_this_process(predicting: Served, client: Workspace) -> None:
    here, there = predicting.workspace.project("shapes"), client.project("shapes")
    assert there.ask(None, QUESTION, model=MODEL) == here.ask(None, QUESTION, model=MODEL)
    found = there.ask(["0.png", "2.png"], QUESTION, model=MODEL, field="notes", batch_size=2)
    assert sorted(there.labels("notes")) == ["images/train/0.png", "images/train/2.png"]
    assert (found.field, found.failed) == ("notes", 0)
    with pytest.raises(ModelError, match="answers no questions"):
        there.ask(None, QUESTION, model="timm:resnet18?weights=random")
