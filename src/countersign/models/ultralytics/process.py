"""Speaks for the process that runs Ultralytics: starts it, asks it, ends it, and starts another where it has died."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from numpy.typing import NDArray

from countersign.domain.errors import ModelError, WorkerLost
from countersign.models.parts import threads
from countersign.models.ultralytics import pipes

MODULE = "countersign.models.ultralytics.worker"
_TAIL = 2000


def require_extra() -> None:
    """Raise ModelError where the library is not installed. It is looked for, not imported."""
    if importlib.util.find_spec("ultralytics") is None:
        raise ModelError(
            "the Ultralytics library is not installed: it is an extra of its own, under AGPL-3.0",
            remedy="Read docs/guide/models/ultralytics.md, then: pip install 'countersign[ultralytics]'",
        )


class Process:
    """One checkpoint in a process of its own. Any thread may ask; one is answered at a time.

    ``card`` is what the worker says of the checkpoint. ``generation`` counts the processes that there were: what was
    told to an earlier one is forgotten.
    """

    def __init__(self, path: Path, device: str | None) -> None:
        require_extra()
        self._path = path
        self._device = device
        self._turn = threading.RLock()
        self._running: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._end: Any = lambda: None
        self.generation = 0
        self.card: dict[str, Any] = {}
        with self._turn:
            self._alive()

    @property
    def pid(self) -> int | None:
        """Number of the process, None while there is none."""
        running = self._running
        return running.pid if running is not None and running.poll() is None else None

    def ask(self, header: dict[str, Any], arrays: Sequence[NDArray[Any]] = ()) -> pipes.Message:
        """Return the answer. Raises ModelError with what the library said, WorkerLost where the process died."""
        with self._turn:
            return self._ask(self._alive(), header, arrays)

    def ready(self) -> int:
        """Make sure that there is a process; return its generation."""
        with self._turn:
            self._alive()
            return self.generation

    def close(self) -> None:
        """End the process."""
        self._end()

    def _ask(
        self, running: subprocess.Popen[bytes], header: dict[str, Any], arrays: Sequence[NDArray[Any]]
    ) -> pipes.Message:
        assert running.stdin is not None
        assert running.stdout is not None
        try:
            pipes.write(cast(BinaryIO, running.stdin), header, arrays)
            message = pipes.read(cast(BinaryIO, running.stdout))
        except (OSError, ValueError):
            message = None
        if message is None:
            raise self._lost(running)
        if "error" in message[0]:
            raise _explained(self._path, message[0]["error"], header["do"])
        return message

    def _alive(self) -> subprocess.Popen[bytes]:
        if self._running is not None and self._running.poll() is None:
            return self._running
        self.close()
        running = self._running = self._start()
        self.generation += 1
        try:
            self.card, _ = self._ask(running, {"do": "load", "path": str(self._path), "device": self._device}, ())
        except ModelError:
            self.close()
            raise
        return running

    def _start(self) -> subprocess.Popen[bytes]:
        log = self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        environment = os.environ | {
            "OMP_NUM_THREADS": str(threads.available()),
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        }
        running = subprocess.Popen(
            # -P: a folder called "ultralytics" where somebody happens to work must not be taken for the library.
            [sys.executable, "-P", "-X", "faulthandler", "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment,
            start_new_session=True,
        )
        self._end = weakref.finalize(self, _end, running, log)
        return running

    def _lost(self, running: subprocess.Popen[bytes]) -> WorkerLost:
        running.kill()
        code = running.wait()
        said = _tail(self._log)
        self.close()
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        return WorkerLost(
            f"the process that runs {self._path.name} {how}" + (f"; it last said: {said}" if said else ""),
            remedy="Another one is started for the next image.",
        )


def _tail(log: IO[bytes] | None) -> str:
    """Return the last line that a process wrote."""
    if log is None or log.closed:
        return ""
    with suppress(OSError):
        log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL))
        lines = log.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:300] if lines else ""
    return ""


def _end(running: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    """End a process that nobody needs: it leaves by itself when its input is closed, and tidies up."""
    for pipe in (running.stdin, running.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    try:
        running.wait(2)
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait()
    log.close()


def _explained(path: Path, said: str, doing: str) -> ModelError:
    if doing == "predict":
        return ModelError(f"{path.name} cannot predict this: {said[:600]}")
    if "outside the supported" in said or "UnpicklingError" in said or "Unsupported global" in said:
        return ModelError(
            f"{path} holds more than the numbers and layers of Ultralytics, so it is not opened: {said[:300]}",
            remedy="Export it to ONNX where it was trained, or get it from its author anew.",
        )
    return ModelError(f"{path} cannot be loaded: {said[:600]}", remedy="Check the file (countersign models check).")
