"""A running server for tests: what it serves, and requests that check their answers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from countersign.server.context import Parts
from countersign.server.routes import (
    asking,
    catalogue,
    classes,
    images,
    labels,
    models,
    operations,
    projects,
    remote_models,
    review,
    runs,
    segmenting,
    session,
    trainings,
)
from countersign.server.schemas.common import Problem
from countersign.workbench.workspace import Workspace


@dataclass
class Served:
    """A running server: where it is, what it serves, and a client that is signed in."""

    url: str
    parts: Parts
    http: httpx.Client
    workspace: Workspace
    folder: Path
    project: int = 0

    @property
    def token(self) -> str:
        return self.parts.keys.token

    def get(self, path: str, status: int = 200, **params: Any) -> Any:
        """Get JSON; the status must be this one."""
        return _json(self.http.get(path, params=params), status)

    def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        return _json(self.http.post(path, json=body), status)

    def patch(self, path: str, body: Any, status: int = 200) -> Any:
        return _json(self.http.patch(path, json=body), status)

    def delete(self, path: str, status: int = 204, **params: Any) -> Any:
        return _json(self.http.delete(path, params=params), status)

    def wait(self, operation: dict[str, Any]) -> dict[str, Any]:
        """Wait until an operation has ended; return it."""
        while operation["finished_at"] is None:
            time.sleep(0.02)
            operation = self.get(f"/operations/{operation['id']}")
        return operation

    def until(self, path: str, done: Callable[[Any], bool], timeout_s: float = 60.0) -> Any:
        """Ask again and again until the answer is as it should be."""
        deadline = time.monotonic() + timeout_s
        while not done(found := self.get(path)):
            assert time.monotonic() < deadline, found
            time.sleep(0.05)
        return found

    def import_folder(self, path: Path, **more: Any) -> dict[str, Any]:
        operation = self.wait(self.post(f"/projects/{self.project}/import", {"path": str(path), **more}, 202))
        assert operation["state"] == "done", operation
        return operation


def _routes() -> Iterator[APIRoute]:
    for module in (
        session,
        projects,
        images,
        labels,
        classes,
        runs,
        review,
        trainings,
        models,
        asking,
        segmenting,
        catalogue,
        operations,
        remote_models,
    ):
        yield from (route for route in module.router.routes if isinstance(route, APIRoute))


def _declared(answer: httpx.Response) -> TypeAdapter[Any] | None:
    """What the route says that it answers with this status."""
    method, path = answer.request.method, answer.request.url.path.removeprefix("/api/v1")
    if answer.status_code >= 400:
        return TypeAdapter(Problem)
    for route in _routes():
        if method in route.methods and route.path_regex.match(path):
            assert route.status_code in (None, answer.status_code), f"{method} {path}"
            return TypeAdapter(route.response_model) if route.response_model else None
    raise AssertionError(f"no route for {method} {path}")


def _json(answer: httpx.Response, status: int) -> Any:
    assert answer.status_code == status, f"{answer.request.method} {answer.request.url}: {answer.text}"
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
    if not answer.content:
        return None
    if (declared := _declared(answer)) is not None:
        declared.validate_json(answer.content)  # every answer in every test is what the document says
    return json.loads(answer.content)
