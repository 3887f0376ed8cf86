"""The image on screen and its questions, by models behind a URL, through the process that predicts; the client's test.

The process is the real one, so these tests take some seconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from serving_setup import Served

import countersign
from countersign.client import Workspace
from countersign.domain.errors import ImageError, NotFound, ServerGone
from countersign.domain.geometry import Box
from countersign.domain.label import Prediction
from countersign.domain.model import Task
from countersign.domain.run import RunState
from model_servers import Asked, ModelServer, Reply, serving

SECRET = "Bearer a-very-secret-token"
ANSWER = [{"box": [1, 2, 11, 12], "label": "cat", "score": 0.75}, {"box": [0, 0, 5, 5], "label": "dog", "score": 0.25}]
CAT = Prediction("cat", Box(1, 2, 10, 10), 0.75)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A server that turns those away who do not know its secret, detects, and answers as X-AnyLabeling's do."""

    def answer(asked: Asked) -> Reply:
        if asked.headers.get("authorization") != SECRET:
            return Reply(b'{"detail": "who are you?"}', 401)
        if asked.path == "/cut":
            (x0, y0), (x1, y1) = json.loads(asked.body)["obj_bbox"]
            return Reply(json.dumps({"mask": [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]}).encode())
        if asked.path == "/v1/predict":
            question = json.loads(asked.body)["params"]["text_prompt"]
            said: dict[str, Any] = {"success": True, "data": {"description": f"{question} A cat."}}
            return Reply(json.dumps(said).encode())
        return Reply(json.dumps(ANSWER).encode())

    with serving(answer) as running:
        yield running


@pytest.fixture
def client(served: Served) -> Iterator[Workspace]:
    with countersign.connect(served.url, served.token, user="bert") as workspace:
        yield workspace


@pytest.mark.slow
def test_image_on_screen(served: Served, client: Workspace, server: ModelServer) -> None:
    said = {"contract": "plain", "tasks": ["detection"], "classes": ["cat", "dog"], "retries": 0}
    client.models.remote.add("boxes", server.url, secret=SECRET, **said)
    found = served.post("/images/1/predict", {"model": "remote:boxes", "min_confidence": 0.5})
    assert [item["class_name"] for item in found["items"]] == ["cat"]
    assert found["predicted_by"]["model"] == "remote:boxes"
    first = served.parts.predictor.pid

    client.models.remote.edit("boxes", secret="Bearer wrong")  # what is in memory is of the old secret
    problem = served.post("/images/1/predict", {"model": "remote:boxes"}, 422)
    assert problem["kind"] == "ServerGone"
    assert "answered 401: 'who are you?'" in problem["detail"]
    assert "Bearer" not in json.dumps(problem)
    assert served.parts.predictor.pid == first

    talk = {"contract": "x-anylabeling", "tasks": ["questions"], "model": "vlm", "secret": SECRET}
    client.models.remote.add("talk", server.url, **talk)
    asked = served.post("/images/1/ask", {"model": "remote:talk", "question": "What is it?"})
    assert asked["text"] == "What is it? A cat."
    assert asked["answered_by"]["model"] == "remote:talk"
    cut = {"contract": "cvat", "tasks": ["prompted_segmentation"], "secret": SECRET}
    client.models.remote.add("cut", f"{server.url}/cut", **cut)
    box = {"type": "box", "x": 4, "y": 6, "width": 20, "height": 10}
    made = served.post("/images/1/segment", {"model": "remote:cut", "points": [], "box": box, "outline": True})
    assert made["mask"] is not None
    assert made["segmented_by"]["model"] == "remote:cut"
    many = client.project("shapes").ask(["images/train/0.png"], "What?", model="remote:talk")
    assert [item.text for item in many.items] == ["What? A cat."]


@pytest.mark.slow
def test_run_over_http(served: Served, client: Workspace, server: ModelServer) -> None:
    """The run's own process loads the model with its secret from the workspace."""
    said = {"contract": "plain", "tasks": ["detection"], "classes": ["cat", "dog"]}
    client.models.remote.add("boxes", server.url, secret=SECRET, **said)
    run = client.project("shapes").run("remote:boxes", "auto", min_confidence=0.5)
    assert (run.state, run.done, run.failed) == (RunState.IN_REVIEW, 10, 0)
    assert "very-secret" not in served.http.get(f"/runs/{run.id}").text


def test_client__test_as_in_this_process(
    served: Served, client: Workspace, server: ModelServer, tmp_path: Path
) -> None:
    Image.fromarray(np.zeros((30, 40, 3), np.uint8)).save(tmp_path / "mine.png")
    here, there = served.workspace.models.remote, client.models.remote
    there.add("boxes", server.url, contract="plain", tasks=["detection"], classes=["cat", "dog"], secret=SECRET)
    for known in (here, there):
        assert known.test("boxes").predictions is None
        tested = known.test("boxes", tmp_path / "mine.png", min_confidence=0.5)
        assert tested.predictions == (CAT,)
        assert tested.seconds >= 0
        (dog,) = known.test("boxes", tmp_path / "mine.png", classes=("dog",), task=Task.DETECTION).predictions or ()
        assert dog.class_name == "dog"
        with pytest.raises(ImageError):
            known.test("boxes", tmp_path / "none.png")
        with pytest.raises(NotFound):
            known.test("nothing")
    there.edit("boxes", secret="Bearer wrong")
    for known in (here, there):
        with pytest.raises(ServerGone, match="answered 401") as caught:
            known.test("boxes", tmp_path / "mine.png")
        assert "Bearer" not in str(caught.value)
