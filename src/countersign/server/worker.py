"""The process that predicts for the image on screen: kept alive, started again when it has died.

It is the only place where torch is imported. The two talk over pipes, one JSON line each way per request; requests
queue here. A process that dies costs the request in flight one message; the next request starts another.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import orjson

from countersign.domain import errors
from countersign.domain.errors import CountersignError, ModelError, WorkerLost
from countersign.domain.geometry import Box
from countersign.domain.image import Image
from countersign.runs.machine import cores
from countersign.runs.processes import log_file, log_tail
from countersign.store import Store
from countersign.store.address import address

MODULE = "countersign.server.predicting"

OnState = Callable[[str, str], None]


class Predictor:
    """Speaks for the process. Any thread may call; ``on_state`` hears ``starting``, ``ready`` and ``lost``."""

    def __init__(self, store: Store, on_state: OnState, *, module: str = MODULE) -> None:
        self._store = store
        self._on_state = on_state
        self._module = module
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()
        self._log = log_file(store, "predictor")
        self._names: dict[str, list[str]] = {}

    @property
    def pid(self) -> int | None:
        """Number of the process, None while there is none."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def predict(
        self,
        model: str,
        image: Image,
        *,
        classes: Sequence[str] = (),
        min_confidence: float = 0.1,
        nms: float | None = None,
        task: str | None = None,
        prompts: Sequence[tuple[str, str]] = (),
        label_map: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return ``predictions`` and the ``model`` that made them, as JSON values.

        Raises NotFound, ModelError, ImageError, and WorkerLost where the process died.
        """
        settings = {} if nms is None else {"nms": nms}
        return self._ask(
            {
                "do": "predict",
                "model": model,
                "path": image.path,
                "classes": list(classes),
                "min_confidence": min_confidence,
                "settings": settings,
                "task": task,
                "prompts": list(prompts),
                "label_map": dict(label_map or {}),
            }
        )

    def ask(
        self, model: str, paths: Sequence[str], question: str, settings: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return ``answers`` (``text``, or None and ``error``, for each path) and the ``model`` that gave them.

        Raises NotFound, ModelError, and WorkerLost where the process died.
        """
        return self._ask(
            {
                "do": "ask",
                "model": model,
                "paths": list(paths),
                "question": question,
                "settings": dict(settings or {}),
            }
        )

    def segment(
        self, model: str, image: Image, points: Sequence[tuple[float, float, bool]] | None, box: Box | None = None
    ) -> dict[str, Any]:
        """Return ``mask`` (None: nothing was found) with its ``confidence``, and the ``model`` that cut it out.

        With ``points`` None the model only looks at the image, so that the next answer is quick. ``looked`` says
        whether it had to. Raises NotFound, ModelError, ImageError, InvalidInput, and WorkerLost.
        """
        return self._ask(
            {
                "do": "segment",
                "model": model,
                "path": image.path,
                "hash": image.content_hash,
                "size": [image.width, image.height],
                "points": None if points is None else list(points),
                "box": None if box is None else list(box.bounds),
            }
        )

    def card(self, model: str) -> dict[str, Any]:
        """Return the card of any model, also of families that need torch to tell. Raises NotFound, ModelError."""
        found: dict[str, Any] = self._ask({"do": "card", "model": model})["card"]
        return found

    def names(self, family: str) -> list[str]:
        """Return the names of the models of a family; asked once. Raises NotFound, ModelError."""
        if family not in self._names:
            self._names[family] = self._ask({"do": "names", "family": family})["names"]
        return self._names[family]

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        _close_pipes(process)

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._turn:
            process = self._alive()
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(orjson.dumps(request) + b"\n")
                process.stdin.flush()
                line = process.stdout.readline()
            except (BrokenPipeError, OSError):
                line = b""
            if not line:
                raise self._lost(process)
        answer: dict[str, Any] = orjson.loads(line)
        if error := answer.get("error"):
            raise _error_of(error)
        return answer

    def _alive(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        _close_pipes(self._process)
        self._on_state("starting", "The process that predicts is starting.")
        self._process = self._start()
        assert self._process.stdout is not None
        if not self._process.stdout.readline():
            raise self._lost(self._process)
        self._on_state("ready", "The process that predicts is ready.")
        return self._process

    def _start(self) -> subprocess.Popen[bytes]:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        threads = str(cores())
        environment = os.environ | {
            "OMP_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        }
        with self._log.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-X", "faulthandler", "-m", self._module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        orders = {"workspace": address(self._store), "blobs": str(self._store.blobs)}
        assert process.stdin is not None
        with suppress(OSError):  # it died at once: reading will tell
            process.stdin.write(orjson.dumps(orders) + b"\n")
            process.stdin.flush()
        return process

    def _lost(self, process: subprocess.Popen[bytes]) -> WorkerLost:
        process.kill()
        code = process.wait()
        said = log_tail(self._log)
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        what = f"The process that predicts {how}" + (f"; it last said: {said}" if said else "")
        self._on_state("lost", f"{what}.")
        return WorkerLost(what, remedy="Try again: another one is started for the next prediction.")


def _close_pipes(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def _error_of(data: dict[str, Any]) -> CountersignError:
    """Make the error again that the process met."""
    kind = getattr(errors, data["kind"], ModelError)
    made: CountersignError = kind.__new__(kind)
    made.__dict__.update(data["state"])
    made.args = (made.what, made.remedy)
    return made
