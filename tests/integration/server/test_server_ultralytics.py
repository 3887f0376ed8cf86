"""YOLO in the workbench: refused until its licence is accepted, then by a run's worker and for the image on screen."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import psutil
import pytest
from serving_setup import Served

import tiny_checkpoints
from countersign.models import catalogue, vocabularies
from countersign.models.folder import licences
from countersign.models.ultralytics.process import MODULE

NAME = "yolo11n-seg"
pytestmark = pytest.mark.slow


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config) -> Path:
    """The models folder with the files of the model, as if they had been fetched; nobody accepted its licence."""
    folder = tmp_path / "models"
    monkeypatch.setenv("COUNTERSIGN_MODELS", str(folder))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    card = catalogue.find(NAME)
    assert card is not None
    tiny_checkpoints.install(card, Path(pytestconfig.cache.mkdir("tiny")), folder)
    (folder / licences.FILE).unlink()
    return folder


def _of_ultralytics(parent: int | None) -> psutil.Process:
    """The process that runs the library below another one."""
    assert parent is not None
    (found,) = (each for each in psutil.Process(parent).children(recursive=True) if MODULE in each.cmdline())
    return found


def test_licence_run_and_image_on_screen(fetched: Path, served: Served) -> None:
    entry = served.get("/catalogue/model", model=NAME)
    assert (entry["licence_due"], entry["licences"]) == (True, ["AGPL-3.0"])
    assert "AGPL-3.0" in entry["licence_notice"]
    body = {"model": NAME, "min_confidence": 0.0, "task": "instance_segmentation"}
    problem = served.post("/images/1/predict", body, 422)
    assert "AGPL-3.0" in problem["detail"]
    assert "--accept-licence" in problem["remedy"]

    done = served.wait(served.post("/catalogue/pull", {"model": NAME, "accept_licence": True}, 202))
    assert done["state"] == "done"
    assert not served.get("/catalogue/model", model=NAME)["licence_due"]

    run = served.post(f"/projects/{served.project}/runs", body | {"field": "auto"}, 201)
    ended = served.until(f"/runs/{run['id']}", lambda found: found["state"] == "in_review" or found["error"], 240)
    assert (ended["state"], ended["error"]) == ("in_review", "")
    assert (ended["progress"]["done"], ended["progress"]["failed"]) == (10, 0)
    found = [label for label in served.get("/images/1/labels")["items"] if label["field"] == "auto"]
    assert found
    assert {label["class_name"] for label in found} <= set(vocabularies.coco())

    first = served.post("/images/1/predict", body)["items"]
    assert first
    _one_message_for_a_death(served, body, first)


def _one_message_for_a_death(served: Served, body: dict[str, object], expected: list[object]) -> None:
    predictor = served.parts.predictor.pid
    process = _of_ultralytics(predictor)
    os.kill(process.pid, signal.SIGSTOP)
    threading.Timer(0.5, os.kill, (process.pid, signal.SIGKILL)).start()
    problem = served.post("/images/1/predict", body, 503)
    assert problem["kind"] == "WorkerLost"
    assert "SIGKILL" in problem["detail"]
    assert served.post("/images/1/predict", body)["items"] == expected
    assert served.parts.predictor.pid == predictor
    assert _of_ultralytics(predictor).pid != process.pid
