"""What the tests drive: ``countersign serve`` as a process of its own, and a browser that visits it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, Page

from countersign.domain.geometry import Box

STARTUP = Path(__file__).parent / "startup"
PATIENCE_MS = 15_000


def free_port() -> int:
    """A port that nobody listens on now, so that a server can come back to the same address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class NotThere(AssertionError):
    """The server knows no such thing (yet)."""


@dataclass
class Served:
    """A workspace and the server over it, which can be ended, killed and started again."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None
    token: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Served:
        """Start it and wait until it says where it is."""
        path = os.pathsep.join(filter(None, [str(STARTUP), os.environ.get("PYTHONPATH", "")]))
        environment = os.environ | {"PYTHONPATH": path, "COUNTERSIGN_USER": "anna", "COUNTERSIGN_POLL": "0.1"}
        environment |= {"COUNTERSIGN_MODELS": str(self.folder / "models")} | self.environment
        command = [sys.executable, "-m", "countersign", "serve", "--no-browser", "--json"]
        command += ["--port", str(self.port), "-w", str(self.folder / "workspace")]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert self.process.stdout is not None
        said = ""
        while not said.rstrip().endswith("}"):
            line = self.process.stdout.readline()
            assert line, f"the server ended with {self.process.wait()}: {said}"
            said += line
        self.token = json.loads(said)["token"]
        return self

    def predictor(self) -> int | None:
        """The process that predicts for the image on screen, once there is one. Linux only, by what /proc says."""
        assert self.process is not None
        for status in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                parent = status.read_text().rpartition(")")[2].split()[1]
                if parent == str(self.process.pid) and b"predicting" in (status.parent / "cmdline").read_bytes():
                    return int(status.parent.name)
        return None

    def kill(self) -> None:
        """End it without a warning, as a power cut does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in good order; what it started ends with the test too."""
        if self.process is not None:
            self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None

    def ask(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        """A request to the API, for setting up and for checking; its JSON."""
        headers = {"authorization": f"Bearer {self.token}"}
        address = f"{self.url}/api/v1{path}"
        answer = httpx.request(method, address, json=body, params=params or None, headers=headers, timeout=60)
        if answer.status_code == 404:
            raise NotThere(f"{method} {path}: {answer.text}")
        assert answer.is_success, f"{method} {path}: {answer.text}"
        if answer.headers.get("content-type") == "application/octet-stream":
            return answer.content
        return answer.json() if answer.content else None

    def get(self, path: str, **params: Any) -> Any:
        return self.ask("GET", path, **params)

    def post(self, path: str, body: Any = None) -> Any:
        return self.ask("POST", path, body)

    def until(self, path: str, done: Callable[[Any], bool], timeout_s: float = 60.0) -> Any:
        """Ask until the answer is as it should be."""
        deadline = time.monotonic() + timeout_s
        while not done(found := self.get(path)):
            assert time.monotonic() < deadline, f"{path} still says {found}"
            time.sleep(0.05)
        return found

    def wait_for(self, holds: Callable[[], bool], timeout_s: float = 30.0) -> None:
        """Wait until something holds of what the server says; what is asked for need not be there yet."""
        deadline = time.monotonic() + timeout_s
        while True:
            reason = "it does not come true"
            try:
                if holds():
                    return
            except NotThere as error:
                reason = str(error)
            assert time.monotonic() < deadline, reason
            time.sleep(0.05)

    def project(self, name: str, pictures: Path, **more: Any) -> int:
        """Make a project of a folder of pictures."""
        made: int = self.post("/projects", {"name": name})["id"]
        self.bring(made, pictures, **more)
        return made

    def bring(self, project: int, path: Path, **more: Any) -> None:
        operation = self.post(f"/projects/{project}/import", {"path": str(path), **more})
        ended = self.until(f"/operations/{operation['id']}", lambda each: each["finished_at"] is not None)
        assert ended["state"] == "done", ended

    def forget_models(self) -> None:
        """Delete every model of the workspace."""
        for model in self.get("/models")["items"]:
            self.ask("DELETE", f"/models/{model['name']}")

    def install(self, *models: str) -> None:
        """Put the weights of models of the catalogue where somebody without a network puts them."""
        for name in models:
            folder = self.folder / "models" / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "weights.bin").write_bytes(b"blobs")

    def label(self, image: int, boxes: Iterable[tuple[str, Box]], field_name: str = "ground_truth") -> None:
        """Give an image boxes, each with the name of its class."""
        entries = [{"class_name": name, "geometry": {"type": "box"} | asdict(box)} for name, box in boxes]
        self.post(f"/images/{image}/labels", {"field": field_name, "labels": entries})

    def images(self, project: int, **params: Any) -> dict[str, dict[str, Any]]:
        """Images of a project by name."""
        items = self.get(f"/projects/{project}/images", limit=200, **params)["items"]
        return {each["name"]: each for each in items}

    def labels(self, project: int, field_name: str) -> dict[str, list[dict[str, Any]]]:
        """Labels of a field by the image's name."""
        return {name: each["labels"] for name, each in self.images(project, labels=field_name).items()}

    def run(self, project: int, field_name: str, model: str = "blobs:cells", **more: Any) -> int:
        """Let a model label all images; wait until the run can be reviewed."""
        body = {"model": model, "field": field_name, **more}
        made: int = self.post(f"/projects/{project}/runs", body)["id"]
        self.until(f"/runs/{made}", lambda run: run["state"] == "in_review")
        return made


@contextmanager
def serving_model(model: str, folder: Path) -> Iterator[str]:
    """``countersign serve-model`` as a process of its own; yields the address that it prints."""
    path = os.pathsep.join(filter(None, [str(STARTUP), os.environ.get("PYTHONPATH", "")]))
    order = [sys.executable, "-m", "countersign", "serve-model", model, "--port", "0", "--json"]
    order += ["-w", str(folder / "workspace")]
    process = subprocess.Popen(order, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": path})
    assert process.stdout is not None
    try:
        said = ""
        while not said.rstrip().endswith("}"):
            line = process.stdout.readline()
            assert line, f"it ended with {process.wait()}: {said}"
            said += line
        url: str = json.loads(said)["url"]
        while httpx.get(f"{url.rpartition('/')[0]}/v1/health").json()["status"] == "loading":
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


@dataclass
class Visit:
    """A signed-in browser session. What goes wrong inside its pages is collected."""

    context: BrowserContext
    page: Page
    served: Served
    failures: list[str]

    def go(self, path: str) -> Page:
        """Open an address of the workbench."""
        self.page.goto(f"{self.served.url}{path}")
        return self.page


def visit(browser: Browser, served: Served, user: str = "anna") -> Visit:
    """Open a session of somebody's own."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.goto(f"{served.url}/?token={served.token}&user={user}")
    return Visit(context, page, served, failures)
