"""Progress of long work, as values. Who shows them, and how, is not known here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a piece of work is. ``total`` is None where it is not known; ``note`` is a short phrase.

    ``unit`` is ``bytes`` where bytes are counted, else empty.
    """

    stage: str
    done: int
    total: int | None = None
    note: str = ""
    unit: str = ""


OnProgress: TypeAlias = Callable[[Progress], None]


class Ticker:
    """Calls ``on_progress`` at most every ``every`` seconds, and always at the start and the end of a stage."""

    def __init__(
        self, on_progress: OnProgress | None, stage: str, total: int | None = None, every: float = 0.1
    ) -> None:
        self._call = on_progress
        self._stage, self._total, self._every = stage, total, every
        self._last = 0.0
        self._lock = threading.Lock()
        self.done = 0
        self._say("")

    def step(self, count: int = 1, note: str = "") -> None:
        """Count some more as done."""
        with self._lock:
            self.done += count
        if time.monotonic() - self._last >= self._every:
            self._say(note)

    def finish(self, note: str = "") -> None:
        """Say how it ended; where nobody knew the total, it is what was done."""
        if self._total is None:
            self._total = self.done
        self._say(note)

    def _say(self, note: str) -> None:
        self._last = time.monotonic()
        if self._call is not None:
            self._call(Progress(self._stage, self.done, self._total, note))
