"""A real server on loopback, in a thread, over a workspace of its own with one project of small pictures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from serving_setup import Served

import shapes
from countersign.server import predicting as predicting_process
from countersign.server import worker
from countersign.server.app import make_app
from countersign.server.serving import Server, listen
from countersign.server.settings import Settings
from countersign.workbench.workspace import open_workspace


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Start a server over a workspace; all are stopped at the end."""
    stops: list[Callable[[], None]] = []

    def starting(location: str | Path | None = None, settings: Settings | None = None) -> Served:
        workspace = open_workspace(location or tmp_path / "workspace", blobs=tmp_path / "blobs", user="anna")
        wanted = settings or Settings(port=0, poll_s=0.05)
        listener = listen(wanted)
        wanted = replace(wanted, port=listener.getsockname()[1])
        app = make_app(workspace, wanted)
        ready = threading.Event()
        config = uvicorn.Config(app, log_level="warning", ws="none", timeout_graceful_shutdown=1)
        server = Server(config, app.state.parts, ready.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        assert ready.wait(20)
        url = f"http://127.0.0.1:{wanted.port}"
        headers = {"authorization": f"Bearer {app.state.parts.keys.token}"}
        http = httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=60)

        def stop() -> None:
            http.close()
            server.should_exit = True
            app.state.parts.hub.close()
            thread.join(20)
            listener.close()
            workspace.close()
            assert not thread.is_alive()

        stops.append(stop)
        return Served(url, app.state.parts, http, workspace, tmp_path)

    yield starting
    for stop in stops:
        stop()


@pytest.fixture
def empty(start: Callable[..., Served]) -> Served:
    """A server over an empty workspace."""
    shapes.register()
    return start()


@pytest.fixture
def served(empty: Served) -> Served:
    """A server with the project ``shapes``: ten pictures, the first six with a label."""
    shapes.write_yolo(empty.folder / "pictures", 10, labelled=6)
    empty.project = empty.post("/projects", {"name": "shapes"}, 201)["id"]
    empty.import_folder(empty.folder / "pictures")
    return empty


@pytest.fixture
def predicting(served: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    """A server whose models are those of the tests: the process that predicts knows the real families, and this one
    does its part."""
    shapes.register()
    process = predicting_process.Server(served.workspace.store)

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        found = process.answer(request)
        if "error" in found:
            raise worker._error_of(found["error"])
        return found

    monkeypatch.setattr(served.parts.predictor, "_ask", answer)
    return served
