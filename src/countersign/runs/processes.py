"""Starting a worker as a fresh Python process that needs nobody, and finding out how it ended.

The process gets its orders on its standard input (a database's URL may hold a password, which a command line would
show to everybody) and writes to a log file in the workspace. What it does is not known here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from countersign.store import Store
from countersign.store.address import address

LOGS = "logs"


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker process is told: which store, and what to do in it."""

    store: Store
    values: Mapping[str, Any]


def log_file(store: Store, *parts: str) -> Path:
    """Return the log file of a worker, in the workspace."""
    return store.blobs / LOGS / ("_".join(parts) + ".log")


def spawn(module: str, store: Store, order: Mapping[str, Any], *, log: Path, threads: int) -> int:
    """Start ``python -m module`` in a session of its own. Returns its process id. Raises OSError."""
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {
        # Libraries size their thread pools as they load: each worker shall take its share, not all.
        "OMP_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    orders = {"workspace": address(store), "blobs": str(store.blobs), **order}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-m", module],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    assert process.stdin is not None
    with process.stdin as pipe:
        pipe.write(json.dumps(orders).encode())
    # Somebody must ask how it ended, or it stays behind as a zombie for as long as this process lives.
    threading.Thread(target=process.wait, name=f"wait-{process.pid}", daemon=True).start()
    return process.pid


def receive() -> Order:
    """Read the orders of this process from its standard input and open the store that they name."""
    values = json.loads(sys.stdin.buffer.read())
    blobs = values.pop("blobs")
    return Order(Store.open(values.pop("workspace"), blobs=Path(blobs), create=False), values)


def log_tail(log: Path, lines: int = 3, most: int = 400) -> str:
    """Return the last lines of a log as one line, empty if there are none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 8192))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    said = [line.strip() for line in text.splitlines() if line.strip()]
    # After "Fatal Python error" faulthandler lists every thread and extension: what counts stands before.
    fatal = next((index for index, line in enumerate(said) if line.startswith("Fatal Python error")), len(said) - 1)
    return " | ".join(said[: fatal + 1][-lines:])[-most:]
