"""The catalogue over HTTP, and by the client: listed, fetched, added, checked, removed."""

from __future__ import annotations

import json
import pickle
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from serving_setup import Served

import countersign
from countersign.client import Workspace
from countersign.domain.errors import Conflict, InvalidInput, ModelError, NotFound
from countersign.server.settings import Settings
from countersign.workbench.progress import Progress
from shelf_models import WEIGHTS, serving
from weights_server import WeightsServer


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WeightsServer]:
    with serving(tmp_path, monkeypatch) as running:
        yield running


@pytest.fixture
def served(weights: WeightsServer, start: Callable[..., Served], monkeypatch: pytest.MonkeyPatch) -> Served:
    found = start()
    monkeypatch.setattr(found.parts.predictor, "card", _card)
    return found


def _card(reference: str) -> dict[str, object]:
    """The process that predicts knows the real families: here it is asked in this one."""
    from countersign.models import registry

    return registry.card(reference).to_data()


@pytest.fixture
def client(served: Served) -> Iterator[Workspace]:
    with countersign.connect(served.url, served.token, user="bert") as workspace:
        yield workspace


def names(served: Served, **filters: object) -> list[str]:
    return [item["name"] for item in served.get("/catalogue", **filters)["items"]]


def test_list(served: Served) -> None:
    assert names(served) == ["words", "fast"]
    assert names(served, task="detection") == ["words"]
    assert names(served, vocabulary="fixed", licence="restricted") == ["fast"]
    assert names(served, installed=True) == []
    assert served.get("/catalogue", 422, task="dancing")["detail"] == "there is no task 'dancing'."
    found = served.get("/catalogue/model", model="fast")
    assert found["class_names"] == ["cat", "dog"]
    assert found["licence_due"]
    assert "AGPL-3.0" in found["licence_notice"]
    served.get("/catalogue/model", 404, model="nothing")


def test_pull__is_an_operation_with_progress(served: Served) -> None:
    done = served.wait(served.post("/catalogue/pull", {"model": "words"}, 202))

    assert (done["state"], done["kind"], done["project_id"], done["about"]) == ("done", "pull", None, "words")
    assert [each["id"] for each in served.get("/operations")["items"]] == [done["id"]]
    assert done["done"] == done["total"] == len(WEIGHTS) + 2
    assert done["result"]["installed"]["where"] == "models folder"
    assert names(served, installed=True) == ["words"]
    assert served.get("/catalogue/usage")["models"]["words"] > len(WEIGHTS)


def test_pull__a_licence_comes_first(served: Served, weights: WeightsServer) -> None:
    refused = served.post("/catalogue/pull", {"model": "fast"}, 422)
    assert "are under AGPL-3.0" in refused["detail"]
    assert not weights.asked

    assert not served.post("/catalogue/licence", {"model": "fast"})["licence_due"]

    assert served.wait(served.post("/catalogue/pull", {"model": "fast"}, 202))["state"] == "done"


def test_pull__cancelled_and_gone_on_with(served: Served, weights: WeightsServer) -> None:
    known = threading.Event()

    def cancel() -> None:
        known.wait(30)
        served.delete(f"/operations/{started['id']}", 200)

    weights.faults["model.safetensors"] = [-200_000, cancel]
    started = served.post("/catalogue/pull", {"model": "words"}, 202)
    known.set()

    assert served.wait(started)["state"] == "cancelled"
    assert served.wait(served.post("/catalogue/pull", {"model": "words"}, 202))["state"] == "done"
    assert weights.fetched("model.safetensors")[-1].start


def test_pull__fails_with_what_to_do(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    done = served.wait(served.post("/catalogue/pull", {"model": "words"}, 202))

    assert done["state"] == "failed"
    assert "resolve/main/config.json" in done["problem"]["remedy"]


def test_add__by_path_and_by_upload(served: Served, tmp_path: Path) -> None:
    file = tmp_path / "mine.shown"
    file.write_text("weights")
    made = served.post("/catalogue/add", {"path": str(file), "name": "mine", "classes": ["one"], "link": True}, 201)
    assert (made["origin"], made["installed"]["where"], made["class_names"]) == ("own", "linked", ["one"])
    answer = served.http.post(
        "/catalogue/upload",
        files=[("files", ("other.shown", b"weights")), ("files", ("other.json", b"{}"))],
        data={"licence": "MIT", "classes": '["two"]'},
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["class_names"] == ["two"]
    assert {item["name"] for item in answer.json()["recorded"]} == {"other.shown", "other.json"}
    assert names(served, installed=True) == ["mine", "other"]
    assert served.delete("/catalogue/models/mine", 200)["bytes"] > 0
    assert file.exists()
    bad = served.http.post("/catalogue/upload", files={"files": ("o.shown", b"x")}, data={"classes": "no list"})
    assert bad.status_code == 422


def test_add__a_pickle_is_refused(served: Served) -> None:
    answer = served.http.post("/catalogue/upload", files={"files": ("net.pt", pickle.dumps({}))})

    assert answer.status_code == 422
    assert "is a pickle" in answer.json()["detail"]


def test_paths__are_refused_where_they_are_not_allowed(weights: WeightsServer, start: Callable[..., Served]) -> None:
    closed = start(settings=Settings(port=0, poll_s=0.05, allow_paths=False))

    for path, body in (("add", {"path": "/etc/passwd"}), ("pickle", {"path": "/etc/passwd"})):
        assert "does not let you name folders" in closed.post(f"/catalogue/{path}", body, 422)["detail"]


def test_client(client: Workspace, served: Served, tmp_path: Path) -> None:
    models = client.models
    assert [entry.name for entry in models.catalogue(task="detection")] == ["words"]
    seen: list[Progress] = []

    pulled = models.pull("words", on_progress=seen.append)

    assert pulled == served.workspace.models.entry("words")
    assert seen[-1].unit == "bytes"
    with pytest.raises(ModelError, match=r"AGPL-3\.0"):
        models.pull("fast")
    assert models.entry("fast").card == served.workspace.models.entry("fast").card
    assert models.pull("fast", accept_licence=True).installed
    recorded = json.loads((tmp_path / "COUNTERSIGN_MODELS/licences.json").read_text())
    assert recorded["fast"]["by"] == "bert"
    assert not models.accept_licence("fast").licence_due
    assert {item.state for item in models.check()} == {"ok"}
    assert models.check("words") == served.workspace.models.check("words")
    assert models.disk_usage() == served.workspace.models.disk_usage()
    (tmp_path / "mine.shown").write_text("weights")
    assert models.add(tmp_path / "mine.shown", classes=["one"]).card.classes == ("one",)
    assert len(models.allow_pickle(tmp_path / "mine.shown")) == 64
    assert models.remove("mine") > 0
    with pytest.raises(NotFound):
        models.remove("mine")
    with pytest.raises(Conflict):
        models.add(tmp_path / "mine.shown", name="words")


def test_client__of_a_server_that_takes_no_paths(
    weights: WeightsServer, start: Callable[..., Served], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = start(settings=Settings(port=0, poll_s=0.05, allow_paths=False))
    monkeypatch.setattr(closed.parts.predictor, "card", _card)
    folder = tmp_path / "net.shown"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner/a.txt").write_text("a")
    with countersign.connect(closed.url, closed.token) as workspace:
        made = workspace.models.add(folder, name="net", licence="MIT")
        with pytest.raises(InvalidInput, match="neither be linked"):
            workspace.models.add(folder, link=True)

    assert made.installed is not None
    assert (made.installed.folder / "inner/a.txt").read_text() == "a"
