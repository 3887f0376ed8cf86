"""Trainings, runs and predictions over HTTP; a process that is killed; and that torch stays out of the server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from serving_setup import Served

from countersign.server.settings import Settings

TIMM = "timm:resnet18?weights=random"

CHECK = """
import json, sys, threading
from countersign.workbench.workspace import open_workspace
from countersign.server.serving import Server, listen, make_app
from countersign.server.settings import Settings
import httpx, uvicorn
workspace = open_workspace(sys.argv[1])
app = make_app(workspace, Settings(port=0))
listener = listen(Settings(port=0))
ready = threading.Event()
server = Server(uvicorn.Config(app, log_level="warning"), app.state.parts, ready.set)
threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True).start()
ready.wait()
token = app.state.parts.keys.token
client = httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1",
                      headers={"authorization": f"Bearer {token}"}, timeout=120)
seen = []
for method, path, body in json.loads(sys.argv[2]):
    seen.append(client.request(method, path, json=body).status_code)
print(json.dumps([seen, [name for name in ("torch", "timm", "alembic", "scipy") if name in sys.modules]]))
sys.stdout.flush()
import os; os._exit(0)
"""


def test_torch_stays_out(served: Served) -> None:
    project = served.project
    requests = [
        ["GET", "/projects", None],
        ["GET", f"/projects/{project}/images?labels=ground_truth", None],
        ["GET", "/images/1/thumbnail", None],
        ["GET", "/labels/1/crop", None],
        ["GET", f"/projects/{project}/trainings/defaults", None],
        ["POST", f"/projects/{project}/runs", {"model": "nowhere", "field": "auto"}],
        ["POST", f"/projects/{project}/trainings", {"field": "nowhere"}],
        ["GET", "/models", None],
        ["GET", "/formats", None],
    ]
    command = [sys.executable, "-c", CHECK, str(served.workspace.store.folder), json.dumps(requests)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    statuses, loaded = json.loads(done.stdout)
    assert statuses == [200, 200, 200, 200, 200, 404, 404, 200, 200]
    assert loaded == []


@pytest.mark.slow
def test_predictions_and_a_process_that_dies(served: Served) -> None:
    body = {"model": TIMM, "min_confidence": 0.0}
    found = served.post("/images/1/predict", body)
    assert len(found["items"]) == 1
    assert found["predicted_by"]["weights_hash"]
    first = served.parts.predictor.pid
    assert first is not None
    assert served.post("/images/1/predict", {"model": "nothing"}, 404)["kind"] == "NotFound"
    assert served.post("/images/1/predict", body | {"classes": ["no such"]}, 422)["kind"] == "ModelError"
    assert served.parts.predictor.pid == first

    # Killed while nobody waits for it: nobody notices.
    os.kill(first, signal.SIGKILL)
    _gone(first)
    assert served.post("/images/1/predict", body)["items"] == found["items"]

    # Killed at work: one clear message, and the next request is answered.
    second = served.parts.predictor.pid
    assert second not in (None, first)
    os.kill(second, signal.SIGSTOP)
    threading.Timer(0.3, os.kill, (second, signal.SIGKILL)).start()
    problem = served.post("/images/1/predict", body, 503)
    assert problem["kind"] == "WorkerLost"
    assert "SIGKILL" in problem["detail"]
    assert "again" in problem["remedy"]
    assert served.get("/session")["user"] == "anna"
    assert served.post("/images/1/predict", body)["items"] == found["items"]


def _gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if os.waitpid(pid, os.WNOHANG)[0]:
                return
        except ChildProcessError:
            return
        time.sleep(0.05)


@pytest.mark.slow
def test_training_then_run_then_approval(served: Served) -> None:
    project = served.project
    defaults = served.get(f"/projects/{project}/trainings/defaults")
    assert defaults["name"] == "shapes-1"
    assert next(item for item in defaults["settings"] if item["name"] == "epochs")["high"] == 500
    refused = served.post(f"/projects/{project}/trainings", {"query": "text~9", "settings": {"epochs": 1}}, 422)
    assert "labels" in refused["detail"]
    assert served.post(f"/projects/{project}/trainings", {"settings": {"epochs": 0}}, 422)["kind"] == "SettingsError"
    made = served.post(f"/projects/{project}/trainings", {"settings": {"epochs": 1, "image_size": 224}}, 201)
    done = served.until(
        f"/trainings/{made['id']}", lambda found: found["state"] not in ("queued", "training"), timeout_s=120
    )
    assert (done["state"], done["model"]) == ("done", "shapes-1"), done
    assert served.get(f"/trainings/{made['id']}/curve")["points"]
    card = served.get("/models/card", model="shapes-1")
    assert sorted(card["classes"]) == ["bar", "square"]

    run = served.post(f"/projects/{project}/runs", {"model": "shapes-1", "field": "auto", "min_confidence": 0.01}, 201)
    assert served.post(f"/projects/{project}/runs", {"model": "shapes-1", "field": "auto"}, 409)["kind"] == "NameTaken"
    run = served.until(f"/runs/{run['id']}", lambda found: found["state"] == "in_review", timeout_s=120)
    assert run["progress"]["done"] == 10
    assert run["actions"] == ["review", "approve"]
    summary = served.get(f"/runs/{run['id']}/review")
    total = sum(state["count"] for state in summary["states"])
    assert total == run["progress"]["labels"]
    assert served.post(f"/runs/{run['id']}/review/approve", {}, 409)["kind"] == "WrongState"
    if total:
        page = served.get(f"/runs/{run['id']}/review/labels", order="-confidence", limit=1)
        crop = served.http.get(f"/labels/{page['items'][0]['label']['id']}/crop")
        assert crop.status_code == 200
        promoted = served.post(f"/runs/{run['id']}/review/promote", {}, 201)
        assert promoted["count"] == total
        # What a person deletes of a run is rejected, not forgotten.
        label_id = page["items"][0]["label"]["id"]
        served.delete(f"/labels/{label_id}")
        assert served.get(f"/labels/{label_id}")["label"]["state"] == "rejected"
        assert served.patch(f"/labels/{label_id}", {"state": "promoted"})["state"] == "promoted"
    served.post(f"/runs/{run['id']}/review/approve", {"empty": True}, 201)
    assert served.get(f"/runs/{run['id']}")["target_field"] == "ground_truth"


@pytest.mark.slow
def test_models_of_a_family_are_found_by_their_names(served: Served) -> None:
    found = served.get("/families/timm/models", text="resnet 18", limit=5)
    assert found["items"][0] == "resnet18"
    assert len(found["items"]) == 5 < found["count"]
    assert served.get("/families/timm/models", text="no such network") == {"items": [], "count": 0}
    assert served.get("/families/nobody/models", 404)["kind"] == "NotFound"


@pytest.mark.slow
def test_model_goes_out_and_comes_in(served: Served, tmp_path: Path) -> None:
    made = served.post(f"/projects/{served.project}/trainings", {"settings": {"epochs": 1, "image_size": 224}}, 201)
    served.until(f"/trainings/{made['id']}", lambda found: found["state"] == "done", timeout_s=120)
    answer = served.http.get("/models/shapes-1/file")
    assert answer.status_code == 200
    files = {"file": ("m.countersign-model", answer.content)}
    copy = served.http.post("/models/upload", files=files, data={"name": "copy"})
    assert copy.status_code == 201, copy.text
    assert copy.json()["trained"] is None
    assert served.get("/models/shapes-1")["trained"]["project_id"] == served.project
    assert served.patch("/models/copy", {"name": "again"})["card"]["name"] == "again"
    served.delete("/models/again")
    assert [item["name"] for item in served.get("/models")["items"]] == ["shapes-1"]
    bad = served.http.post("/models/upload", files={"file": ("x", b"nonsense")})
    assert bad.status_code == 422


@pytest.mark.slow
def test_serve_from_the_command_line(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "countersign",
        "serve",
        "--no-browser",
        "--port",
        "0",
        "--json",
        "-w",
        str(tmp_path),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        text = ""
        while not text.rstrip().endswith("}"):
            line = process.stdout.readline()
            assert line
            text += line
        said = json.loads(text)
        with httpx.Client(timeout=30) as browser:
            assert browser.get(said["link"]).status_code == 303
            with browser.stream("GET", f"{said['url']}/api/v1/events") as events:
                assert events.status_code == 200
                process.send_signal(signal.SIGINT)
                assert process.wait(20) == 130 or process.returncode == 0
        process.stdout.read()


def test_port_that_is_taken(served: Served) -> None:
    from countersign.domain.errors import InvalidInput
    from countersign.server.serving import listen

    port = int(served.url.rpartition(":")[2])
    with pytest.raises(InvalidInput, match=f"port {port}"):
        listen(Settings(port=port))
