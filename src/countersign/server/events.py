"""What happens, told to everybody who watches: server-sent events.

Somebody looks at the database a few times a second while anybody watches, so that what other processes do is told as
well (a command line, another server, a run's workers). What this process does is looked for at once. Each event has a
number; who was away for a while is told what he missed, or, if that is too long ago, to fetch everything again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import threading
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import orjson

from countersign.domain.errors import CountersignError, NotFound
from countersign.runs import control, training
from countersign.server import wire
from countersign.server.operations import Operation
from countersign.store import Store, images, models, watch
from countersign.store import runs as run_rows

log = logging.getLogger("countersign.server")

REMEMBERED = 1000
"""Events that are told again to who comes back."""
QUEUED = 2000
"""Events that wait for one slow reader at most; then it is told to fetch everything again."""
PING_S = 15.0
_WINDOW = 100  # newest changes that are looked at


@dataclass(frozen=True, slots=True)
class Event:
    """One event, ready to be sent. ``project_id`` None concerns everybody."""

    number: int
    project_id: int | None
    text: bytes


class Watcher:
    """Compares what the database looks like with how it looked before. Used by one thread at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changes: dict[int, tuple[int, int | None]] | None = None
        self._runs: dict[int, tuple[Any, ...]] = {}
        self._trainings: dict[int, tuple[Any, ...]] = {}
        self._lists: dict[str, tuple[Any, ...]] = {}
        self._told: dict[int, dict[str, Any]] = {}

    def news(self) -> list[dict[str, Any]]:
        """Return what is new since the last call, as JSON values of events. The first call finds nothing."""
        with self._store.read() as c:
            lists, (runs, trainings) = watch.lists(c), watch.works(c)
            marks = watch.change_marks(c, newest=_WINDOW)
            first = self._changes is None
            found = [] if first else [*self._news_of_changes(c, marks), *self._news_of_lists(c, lists)]
        moved_runs = [run_id for run_id, now in runs.items() if self._runs.get(run_id) != now or _at_work(now)]
        moved_trainings = [k for k, now in trainings.items() if self._trainings.get(k) != now or _at_work(now)]
        self._lists = lists
        self._changes = {change_id: (count, undone) for change_id, count, undone in marks}
        if not first:
            found += [event for run_id in moved_runs if (event := self._run(run_id, runs[run_id]))]
            found += [event for k in moved_trainings if (event := self._training(k, trainings[k]))]
        self._runs, self._trainings = runs, trainings
        return found

    def _news_of_changes(self, c: Any, marks: list[tuple[int, int, int | None]]) -> list[dict[str, Any]]:
        known = self._changes or {}
        new = [change_id for change_id, count, undone in marks if known.get(change_id) != (count, undone)]
        if len(new) >= _WINDOW:
            return [{"type": "reset", "project_id": None}]
        found: list[dict[str, Any]] = []
        for row in (watch.change(c, change_id) for change_id in new):
            if row is not None:
                touched = watch.images_of(c, row)
                event = {"type": "change", "project_id": row.project_id, "change": wire.change(row.change)}
                found.append(event | {"image_ids": touched})
        return found

    def _news_of_lists(self, c: Any, lists: dict[str, tuple[Any, ...]]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for key in sorted(lists.keys() | self._lists.keys()):
            if lists.get(key) == self._lists.get(key):
                continue
            kind, _, number = key.partition(":")
            project_id = int(number) if number else None
            if kind != "images":
                found.append({"type": kind, "project_id": project_id})
            elif key in lists and project_id is not None:
                found.append({"type": "images", "project_id": project_id, "count": images.count(c, project_id)})
        return found

    def _run(self, run_id: int, before: tuple[Any, ...]) -> dict[str, Any] | None:
        try:
            progress = control.progress(self._store, run_id) if _at_work(before) else None
            with self._store.read() as c:
                run = run_rows.get(c, run_id)
        except CountersignError:
            return None
        data = wire.run(run, progress)
        if self._told.get(run_id) == data:
            return None
        self._told[run_id] = data
        return {"type": "run", "project_id": run.project_id, "run": data}

    def _training(self, training_id: int, before: tuple[Any, ...]) -> dict[str, Any] | None:
        try:
            found = training.get(self._store, training_id)
        except CountersignError:
            return None
        if _at_work(before) and self._trainings.get(training_id) == before and found.active:
            return None  # nothing was reported since
        data = wire.training(found, model_name(self._store, found.model_id))
        return {"type": "training", "project_id": found.project_id, "training": data}


def _at_work(row: tuple[Any, ...]) -> bool:
    return row[2] in ("queued", "generating", "training")


def model_name(store: Store, model_id: int | None) -> str | None:
    """Return the name of a model, None if there is none of this number."""
    if model_id is None:
        return None
    try:
        with store.read() as c:
            return models.get(c, model_id).name
    except NotFound:
        return None


class Hub:
    """Tells events to all who watch. ``publish`` and ``nudge`` may be called by any thread."""

    def __init__(self, store: Store, poll_s: float) -> None:
        self._watcher = Watcher(store)
        self._poll_s = poll_s
        self._boot = secrets.token_hex(4)
        self._sent: deque[Event] = deque(maxlen=REMEMBERED)
        self._number = 0
        self._readers: dict[asyncio.Queue[Event | None], int | None] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._nudged = asyncio.Event()
        self._closed = False
        self._lock = threading.Lock()

    async def run(self) -> None:
        """Look for news until cancelled."""
        self._loop = asyncio.get_running_loop()
        while True:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._nudged.wait(), self._poll_s)
            self._nudged.clear()
            if self._readers:
                await self._look()

    async def _look(self) -> None:
        try:
            for event in await asyncio.to_thread(self._news):
                self._tell(event)
        except Exception:  # a database that restarts: the next look may come through
            log.warning("looking for news failed", exc_info=True)

    def _news(self) -> list[dict[str, Any]]:
        with self._lock:
            return self._watcher.news()

    def publish(self, event: dict[str, Any]) -> None:
        """Tell an event that the database does not know."""
        if self._loop is not None and not self._closed:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._tell, event)

    def operation(self, operation: Operation) -> None:
        """Tell how an operation moved."""
        self.publish({"type": "operation", "project_id": operation.project_id, "operation": operation.to_data()})

    def nudge(self) -> None:
        """Look for news at once."""
        if self._loop is not None and not self._closed:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._nudged.set)

    def close(self) -> None:
        """End all streams. Call it in the loop's thread, or when the loop has ended."""
        self._closed = True
        for reader in self._readers:
            with contextlib.suppress(asyncio.QueueFull):
                reader.put_nowait(None)

    def _tell(self, data: dict[str, Any]) -> None:
        self._number += 1
        number = f"{self._boot}-{self._number}".encode()
        text = b"id: %s\nevent: %s\ndata: %s\n\n" % (number, data["type"].encode(), orjson.dumps(data))
        event = Event(self._number, data["project_id"], text)
        self._sent.append(event)
        for reader, project_id in self._readers.items():
            if project_id is None or event.project_id in (None, project_id):
                if reader.full():
                    while not reader.empty():
                        reader.get_nowait()
                    reader.put_nowait(self._reset())
                else:
                    reader.put_nowait(event)

    def _reset(self) -> Event:
        data = orjson.dumps({"type": "reset", "project_id": None})
        number = f"{self._boot}-{self._number}".encode()
        return Event(self._number, None, b"id: %s\nevent: reset\ndata: %s\n\n" % (number, data))

    async def stream(self, project_id: int | None, last_id: str) -> AsyncIterator[bytes]:
        """Yield events as they are sent, first those missed since ``last_id``, until the server ends."""
        reader: asyncio.Queue[Event | None] = asyncio.Queue(QUEUED)
        if not self._readers and self._watcher_is_new():
            await asyncio.to_thread(self._news)  # from now on is news what differs from this
        missed = self._missed(project_id, last_id)
        self._readers[reader] = project_id
        try:
            yield b"retry: 1000\n: %s\n\n" % self._boot.encode()
            for event in missed:
                yield event.text
            while not self._closed:
                try:
                    next_event = await asyncio.wait_for(reader.get(), PING_S)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                if next_event is None:
                    return
                yield next_event.text
        finally:
            del self._readers[reader]

    def _watcher_is_new(self) -> bool:
        return self._watcher._changes is None

    def _missed(self, project_id: int | None, last_id: str) -> list[Event]:
        if not last_id:
            return []
        boot, _, text = last_id.partition("-")
        if boot != self._boot or not text.isdigit() or int(text) > self._number:
            return [self._reset()]
        number = int(text)
        if self._sent and self._sent[0].number > number + 1:
            return [self._reset()]
        return [
            event
            for event in self._sent
            if event.number > number and (project_id is None or event.project_id in (None, project_id))
        ]
