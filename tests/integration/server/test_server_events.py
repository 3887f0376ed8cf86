"""The stream of events: what this server does, what others do to the same database, and coming back."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pytest
from serving_setup import Served

from countersign.domain.geometry import Box
from countersign.domain.label import Label
from countersign.server.settings import Settings
from countersign.workbench.workspace import open_workspace


class Stream:
    """Events as they come, with the id of each."""

    def __init__(self) -> None:
        self.events: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self.last_id = ""

    def next(self, kind: str, where: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        """Wait for an event of this kind; others are passed over."""
        while True:
            self.last_id, event = self.events.get(timeout=30)
            if event["type"] == kind and where(event):
                return event


@contextmanager
def listening(served: Served, last_id: str = "", **params: Any) -> Iterator[Stream]:
    stream, ready = Stream(), threading.Event()

    def read(answer: httpx.Response) -> None:
        number = ""
        for line in answer.iter_lines():
            if line.startswith("id: "):
                number = line[4:]
            elif line.startswith("data: "):
                stream.events.put((number, json.loads(line[6:])))
            elif line.startswith(":"):
                ready.set()

    headers = {"last-event-id": last_id} if last_id else {}
    with httpx.Client(base_url=served.http.base_url, headers=dict(served.http.headers), timeout=None) as client:
        with client.stream("GET", "/events", params=params, headers=headers) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")

            def run() -> None:
                with suppress(httpx.HTTPError, httpx.StreamError):
                    read(answer)

            thread = threading.Thread(target=run, daemon=True)
            thread.start()
            assert ready.wait(20)
            yield stream
            answer.close()
        thread.join(5)


def test_own_changes(served: Served) -> None:
    with listening(served) as stream:
        served.post("/images/7/labels", {"labels": [{"class_name": "cell"}]}, 201)
        event = stream.next("change")
        assert event["project_id"] == served.project
        assert event["change"]["verb"] == "create"
        assert event["image_ids"] == [7]
        assert stream.next("classes")["project_id"] == served.project
        served.patch(f"/projects/{served.project}/images", {"ids": [1], "add_tags": ["night"]})
        assert stream.next("images")["count"] == 10
        served.post("/projects", {"name": "another"}, 201)
        assert stream.next("projects")["project_id"] is None


def test_changes_of_another_process(served: Served) -> None:
    with listening(served) as stream, open_workspace(served.workspace.store.folder, user="bert") as other:
        other.project("shapes").add_labels({"images/train/8.png": [Label("cell", Box(1, 1, 5, 5))]})
        event = stream.next("change")
        assert event["change"]["actor"] == "bert"
        assert event["image_ids"] == [9]


def test_tags_and_splits_of_another_process(served: Served) -> None:
    """As `countersign tag` in a terminal does, while somebody looks at the grid."""
    opened = "import sys; from countersign.workbench.workspace import open_workspace as open; w = open(sys.argv[1])"
    folder = str(served.workspace.store.folder)
    with listening(served) as stream:
        for given in ("add_tags=['night']", "remove_tags=['night']", "split='val'"):
            code = f"{opened}; w.project('shapes').mark('id=1,2', {given}); w.close()"
            subprocess.run([sys.executable, "-c", code, folder], check=True, timeout=60)
            event = stream.next("images")
            assert (event["project_id"], event["count"]) == (served.project, 10)


def test_large_fields_are_counted_beside(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def counts() -> tuple[int, int]:
        found = served.get(f"/projects/{served.project}/fields")["items"][0]
        return found["labels"], found["images"]

    assert counts() == (6, 6)
    monkeypatch.setattr("countersign.server.counts.LARGE", 0)
    with listening(served) as stream:
        served.post("/images/7/labels", {"labels": [{"class_name": "square"}]}, 201)
        first = counts()
        assert first in ((7, 6), (7, 7))  # never old in what the summaries know
        stream.next("fields")
        assert counts() == (7, 7)


def test_progress_of_operations(served: Served) -> None:
    with listening(served) as stream:
        operation = served.post(f"/projects/{served.project}/export", {}, 202)
        done = stream.next("operation", lambda event: event["operation"]["state"] == "done")
        assert done["operation"]["id"] == operation["id"]
        assert done["operation"]["result"]["labels"] == 6


def test_only_one_project(served: Served) -> None:
    other = served.post("/projects", {"name": "other"}, 201)["id"]
    with listening(served, project=other) as stream:
        served.post("/images/7/labels", {"labels": [{"class_name": "cell"}]}, 201)
        served.post(f"/projects/{other}/classes", {"name": "cat"}, 201)
        assert stream.next("classes")["project_id"] == other
        assert stream.events.empty()


def test_what_was_missed_is_told(served: Served) -> None:
    with listening(served) as stream:
        served.post("/images/7/labels", {"labels": [{"class_name": "square"}]}, 201)
        stream.next("change")
        last = stream.last_id
    served.post("/images/8/labels", {"labels": [{"class_name": "square"}]}, 201)
    with listening(served, last_id=last) as stream:
        assert stream.next("change")["image_ids"] == [8]
    with listening(served, last_id="deadbeef-7") as stream:
        stream.next("reset")


def test_stream_ends_with_the_server(start: Callable[..., Served]) -> None:
    served = start(settings=Settings(port=0))
    with listening(served):
        served.parts.hub.close()


@pytest.mark.parametrize("last_id", ["x", "-1", "a-b", "9" * 90])
def test_nonsense_as_last_id(served: Served, last_id: str) -> None:
    with listening(served, last_id=last_id) as stream:
        stream.next("reset")
