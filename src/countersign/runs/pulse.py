"""The heartbeat of a worker: a thread that says "I live" and hears what is asked. What for is not known here."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from countersign.domain.work import Request

BEAT_S = 1.0


class Pulse:
    """Calls ``beat`` every ``every_s`` seconds while it is open.

    ``beat`` returns what is asked, or None where the worker is counted no more. ``asked`` remembers the first answer
    that says to stop, ``dropped`` that it was the latter; then what ``stopping`` was given is called.
    A beat that raises is tried again until ``patience_s`` have passed: then the worker counts as dropped.
    """

    def __init__(
        self, beat: Callable[[], Request | None], *, every_s: float = BEAT_S, patience_s: float = 20.0
    ) -> None:
        self._beat = beat
        self._every_s, self._patience_s = every_s, patience_s
        self._over = threading.Event()
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self.asked = Request.NONE
        self.dropped = False

    @property
    def stopped(self) -> bool:
        """Whether the worker shall stop."""
        return self._stopped.is_set()

    @contextlib.contextmanager
    def stopping(self, call: Callable[[], None]) -> Iterator[None]:
        """Call something when the worker shall stop while this is open; at once if that is so already."""
        with self._lock:
            self._listeners.append(call)
        if self.stopped:
            call()
        try:
            yield
        finally:
            with self._lock:
                self._listeners.remove(call)

    def wait(self, seconds: float) -> bool:
        """Wait; return True as soon as the worker shall stop."""
        return self._stopped.wait(seconds)

    def stop(self, asked: Request = Request.NONE, *, dropped: bool = False) -> None:
        """Tell the worker to stop, as if it had been asked."""
        with self._lock:
            if self._stopped.is_set():
                return
            self.asked, self.dropped = asked, dropped
            self._stopped.set()
            listeners = list(self._listeners)
        for call in listeners:
            call()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        heard = time.monotonic()
        while not self._over.is_set():
            with contextlib.suppress(Exception):  # a database that restarts: the next beat may come through
                asked = self._beat()
                heard = time.monotonic()
                if asked is None:
                    self.stop(dropped=True)
                elif asked:
                    self.stop(asked)
            if time.monotonic() - heard > self._patience_s:
                self.stop(dropped=True)
            self._over.wait(self._every_s)
