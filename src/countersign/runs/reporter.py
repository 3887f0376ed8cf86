"""What a training reports, gathered for its row. How it gets there, and how often, is known to ``training``."""

from __future__ import annotations

import threading
from typing import Any

from countersign.learn import events
from countersign.learn.events import Event

_NOTICES = 50  # kept in the progress at most
_CURVE = 300  # points


class Reporter:
    """Keeps what a training reports in its row: the newest of each kind, and all notices up to a limit.

    Reports come several times a second; ``take`` hands on what is new. Any thread may call.
    """

    def __init__(self) -> None:
        self._new: dict[str, Any] = {}
        self._notices: list[dict[str, Any]] = []
        self._curve: list[dict[str, Any]] = []
        self._every = 1
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        data = events.to_data(event)
        kind = data.pop("event")
        with self._lock:
            if kind == "progress":
                self._note(data)
            if kind != "notice":
                self._new[kind] = data
            elif len(self._notices) < _NOTICES:
                self._notices.append(data)
                self._new["notices"] = list(self._notices)

    def _note(self, data: dict[str, Any]) -> None:
        """Add a point to the curve, which keeps its shape and a bounded number of points."""
        if self._curve and data["step"] < self._curve[-1]["step"] + self._every:
            return
        self._curve.append({name: data.get(name) for name in ("step", "epoch", "losses", "score")})
        if len(self._curve) > _CURVE:
            self._curve = self._curve[::2]
            self._every = max(1, self._curve[-1]["step"] // len(self._curve))
        self._new["curve"] = list(self._curve)

    def take(self) -> dict[str, Any]:
        """Return what is new since the last call, by the names of the progress."""
        with self._lock:
            new, self._new = self._new, {}
        return new
