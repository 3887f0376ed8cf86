"""A server of its own for a benchmark, and a Chromium to look at it with. What is measured is not known here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Served:
    """A server at work: its address, the link that signs a browser in once, the token for programs.

    ``started`` is when its process was started, by ``time.perf_counter()``.
    """

    pid: int

    url: str
    link: str
    token: str
    started: float

    def own_s(self) -> float | None:
        """Return the processor time that its process has used until now, in seconds; None where nothing tells."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(workspace: Path) -> Iterator[Served]:
    """Run ``countersign serve`` over a workspace, on a free port, for as long as the block lasts.

    Raises SystemExit, with what the server said on stderr above it, if it does not start.
    """
    command = [sys.executable, "-m", "countersign", "serve", "--no-browser", "--port", "0", "--json"]
    started = time.perf_counter()
    with subprocess.Popen([*command, "-w", str(workspace)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            said = ""
            for line in process.stdout:
                said += line
                if line.rstrip().endswith("}"):
                    break
            if not said.rstrip().endswith("}"):
                raise SystemExit(f"The server of {workspace} did not start")
            told = json.loads(said)
            yield Served(process.pid, told["url"], told["link"], told["token"], started)
        finally:
            process.terminate()


def chromium(playwright: Playwright) -> Browser:
    """Start Chromium without a window, a GPU, or traffic of its own. Raises SystemExit, with how to get it."""
    found = subprocess.run([ROOT / "tools" / "chromium.sh", "--find"], stdout=subprocess.PIPE, text=True, check=False)
    if found.returncode:
        raise SystemExit("There is no Chromium: tools/chromium.sh installs one")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    return playwright.chromium.launch(executable_path=found.stdout.strip(), args=arguments)
