"""A browser, the built interface, a server over an empty workspace, and pictures."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browsing import PATIENCE_MS, Served, Visit, visit
from playwright.sync_api import Browser, expect, sync_playwright

from countersign.workbench import demo_images

ROOT = Path(__file__).parents[2]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]

TAUGHT = {"epochs": 12, "batch_size": 2, "learning_rate": 0.005, "image_size": 224, "backbone": "test_resnet"}

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium. Where there is none these tests are skipped, on a CI machine they fail; both say why."""
    said = subprocess.run([ROOT / "tools" / "chromium.sh", "--find"], capture_output=True, text=True)
    if said.returncode:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(said.stderr)
    return said.stdout.strip()


@pytest.fixture(scope="session")
def interface() -> None:
    """The interface as its sources are now: built unless that is what lies there."""
    with _one_at_a_time():
        command = [sys.executable, str(ROOT / "hatch_build.py"), "build"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"the interface is not fresh and cannot be built; try make web:\n{done.stderr[-3000:]}"


class _one_at_a_time:  # noqa: N801 - used as a statement
    """Test processes beside each other share one machine and one checkout."""

    def __enter__(self) -> None:
        self._file = (Path(tempfile.gettempdir()) / f"countersign-e2e-{os.getuid()}.lock").open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self._file.close()


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of twelve generated pictures, smear_0000.jpg to smear_0011.jpg."""
    folder = tmp_path_factory.mktemp("demo") / "pictures"
    demo_images.write(folder, 12, seed=3)
    return folder


@pytest.fixture(scope="session")
def model_file(interface: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a model that was taught for some seconds; test processes beside each other share it."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    path = folder / "teacher.countersign-model"
    with _one_at_a_time():
        if not path.is_file():
            _teach(tmp_path_factory.mktemp("taught"), path)
    return path


def _teach(folder: Path, out: Path) -> None:
    truth = demo_images.write(folder / "pictures", 6, seed=3)
    server = Served(folder).start()
    try:
        project = server.project("taught", folder / "pictures")
        for name, image in server.images(project).items():
            server.label(image["id"], [(each.class_name, each.geometry) for each in truth[name]])
        body = {"name": "teacher", "settings": TAUGHT}
        training = server.post(f"/projects/{project}/trainings", body)["id"]
        server.until(f"/trainings/{training}", lambda now: now["state"] == "done", 180)
        out.write_bytes(server.get("/models/teacher/file"))
    finally:
        server.stop()


@pytest.fixture(scope="module")
def served(interface: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server for the tests of one file; each makes projects of its own."""
    server = Served(tmp_path_factory.mktemp("served")).start()
    yield server
    server.stop()


@pytest.fixture
def visits(browser: Browser, served: Served) -> Iterator[Callable[..., Visit]]:
    """A function that opens sessions; no page of them may have thrown anything."""
    opened: list[Visit] = []

    def opening(user: str = "anna") -> Visit:
        opened.append(visit(browser, served, user))
        return opened[-1]

    yield opening
    failures = [failure for each in opened for failure in each.failures]
    for each in opened:
        each.context.close()
    assert not failures


@pytest.fixture
def anna(visits: Callable[..., Visit]) -> Visit:
    """Anna's browser, on the page of projects."""
    return visits()


@pytest.fixture
def smears(served: Served, pictures: Path, request: pytest.FixtureRequest) -> int:
    """A project of twelve pictures without labels, named after the test."""
    return served.project(request.node.name, pictures)
