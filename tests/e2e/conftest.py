"""A browser, the built interface, a server over an empty workspace, and pictures."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browsing import PATIENCE_MS, Served, Visit, visit
from playwright.sync_api import Browser, expect, sync_playwright

from countersign.server.static import FOLDER
from countersign.workbench import demo_images

ROOT = Path(__file__).parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium; installed where it is missing and may be."""
    with _one_at_a_time():
        return _find() or _install()


def _find() -> str | None:
    given = os.environ.get("COUNTERSIGN_CHROMIUM")
    return given or next((path for name in NAMES if (path := shutil.which(name))), None)


def _install() -> str:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.skip("there is no Chromium on the path (set COUNTERSIGN_CHROMIUM) and it cannot be installed here")
    done = subprocess.run(
        "apt-get update -q && apt-get install -q -y --no-install-recommends chromium",
        shell=True, capture_output=True, text=True,
    )  # fmt: skip
    found = _find()
    if done.returncode or found is None:
        pytest.skip(f"Chromium could not be installed: {done.stderr.strip()[-300:]}")
    return found


@pytest.fixture(scope="session")
def interface() -> None:
    """The built interface, built now if it is not there."""
    with _one_at_a_time():
        if not (FOLDER / "index.html").is_file():
            done = subprocess.run(["make", "web"], cwd=ROOT, capture_output=True, text=True)
            assert done.returncode == 0, f"'make web' failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


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
