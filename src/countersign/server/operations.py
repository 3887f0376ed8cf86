"""Long work that the server does itself, in threads: started, followed, cancelled. What it does is the caller's."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from countersign.domain.errors import Cancelled, CountersignError, NotFound, WrongState
from countersign.server.errors import fault, problem_of
from countersign.server.kept import Kept
from countersign.workbench.progress import Progress

AT_ONCE = 2
KEPT = 200
"""Operations that are remembered."""

Work = Callable[["Ticket"], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """A piece of long work as it is now. ``file`` is what an export made, under the name that it is given away with.

    ``project_id`` is None for work on what all projects share; ``about`` is the model that a download is for.
    """

    id: str
    project_id: int | None
    kind: str
    title: str
    created_by: str
    created_at: datetime
    state: str = "queued"
    stage: str = ""
    done: int = 0
    total: int | None = None
    note: str = ""
    finished_at: datetime | None = None
    result: dict[str, Any] | None = None
    problem: dict[str, Any] | None = None
    file: Path | None = None
    about: str = ""

    def to_data(self) -> dict[str, Any]:
        """Return JSON values, as the schema has them."""
        names = (
            "id", "project_id", "kind", "state", "title", "stage", "done", "total", "note", "created_by", "created_at",
            "finished_at", "result", "problem", "about",
        )  # fmt: skip
        there = self.file is not None and (self.finished_at is None or self.file.is_file())
        address = f"/api/v1/operations/{self.id}/file" if there else None
        return {name: getattr(self, name) for name in names} | {"download": address}


@dataclass
class Ticket:
    """What work is given: where to report, and where to say which file it made."""

    id: str
    _operations: Operations
    cancelled: threading.Event = field(default_factory=threading.Event)

    def on_progress(self, progress: Progress) -> None:
        """Report. Raises Cancelled if somebody asked for the end."""
        if self.cancelled.is_set():
            raise Cancelled("the operation was cancelled", remedy="What was done by then stays.")
        self._operations.update(
            self.id, stage=progress.stage, done=progress.done, total=progress.total, note=progress.note
        )

    def made(self, file: Path) -> None:
        """Say which file can be downloaded."""
        self._operations.update(self.id, file=file)


class Operations:
    """The operations of this server and, where there is a ``folder`` for them, of those before it.

    ``on_change`` is called with each that moved, in its thread.
    """

    def __init__(self, on_change: Callable[[Operation], None], folder: Path | None = None) -> None:
        self._on_change = on_change
        self._kept = Kept(folder) if folder else None
        self._known: dict[str, Operation] = self._of_before()
        self._tickets: dict[str, Ticket] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="operation")
        # Downloads last for minutes and wait for others: no import shall stand in their queue.
        self._shared_pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="shared-operation")

    def start(
        self, project_id: int | None, kind: str, title: str, user: str, work: Work, *, about: str = ""
    ) -> Operation:
        """Queue work and return its operation."""
        operation = Operation(uuid.uuid4().hex, project_id, kind, title, user, datetime.now(UTC), about=about)
        ticket = Ticket(operation.id, self)
        with self._lock:
            self._known[operation.id] = operation
            self._tickets[operation.id] = ticket
            self._forget()
            self._keep(operation)
        self._on_change(operation)
        pool = self._shared_pool if project_id is None else self._pool
        pool.submit(self._work, ticket, work)
        return operation

    def get(self, operation_id: str) -> Operation:
        """Return an operation. Raises NotFound."""
        with self._lock:
            if operation_id not in self._known:
                raise NotFound("operation", operation_id, remedy=f"The newest {KEPT} are remembered.")
            return self._known[operation_id]

    def of_project(self, project_id: int | None) -> list[Operation]:
        """Return the operations of a project, or (None) those on what all projects share; the newest first."""
        with self._lock:
            return [item for item in reversed(self._known.values()) if item.project_id == project_id]

    def cancel(self, operation_id: str) -> Operation:
        """Ask an operation to end. Raises NotFound, WrongState."""
        operation = self.get(operation_id)
        if operation.finished_at is not None:
            raise WrongState(f"The operation is {operation.state} already")
        self._tickets[operation_id].cancelled.set()
        return operation

    def update(self, operation_id: str, **values: Any) -> None:
        """Note how an operation moved, and tell."""
        with self._lock:
            operation = self._known[operation_id] = replace(self._known[operation_id], **values)
            if operation.finished_at is not None:
                self._keep(operation)
        self._on_change(operation)

    def close(self) -> None:
        """Ask all operations to end, and begin no other."""
        for ticket in list(self._tickets.values()):
            ticket.cancelled.set()
        for pool in (self._pool, self._shared_pool):
            pool.shutdown(wait=False, cancel_futures=True)

    def _work(self, ticket: Ticket, work: Work) -> None:
        ended: dict[str, Any]
        try:
            ticket.on_progress(Progress("", 0))
            self.update(ticket.id, state="running")
            ended = {"state": "done", "result": work(ticket)}
        except Cancelled:
            ended = {"state": "cancelled"}
        except CountersignError as error:
            ended = {"state": "failed", "problem": problem_of(error)}
        except Exception as error:
            ended = {"state": "failed", "problem": fault(error, f"the operation {self.get(ticket.id).title!r}")}
        self.update(ticket.id, finished_at=datetime.now(UTC), **ended)

    def _forget(self) -> None:
        old = [item.id for item in self._known.values() if item.finished_at is not None][:-KEPT]
        for operation_id in old:
            del self._known[operation_id]
            self._tickets.pop(operation_id, None)
        if self._kept:
            self._kept.forget(old)

    def _of_before(self) -> dict[str, Operation]:
        found = self._kept.load() if self._kept else []
        for operation, cut_off in found:
            if cut_off:
                self._keep(operation)
        return {operation.id: operation for operation, _ in found}

    def _keep(self, operation: Operation) -> None:
        if self._kept:
            self._kept.save(operation)
