from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from countersign.domain.errors import InvalidInput, NotFound, WrongState
from countersign.server.operations import Operation, Operations, Ticket
from countersign.workbench.progress import Progress


class Seen:
    """What was told, and when an operation has ended."""

    def __init__(self) -> None:
        self.states: list[str] = []
        self.ended = threading.Event()

    def __call__(self, operation: Operation) -> None:
        self.states.append(operation.state)
        if operation.finished_at is not None:
            self.ended.set()


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def operations(seen: Seen) -> Iterator[Operations]:
    made = Operations(seen)
    yield made
    made.close()


def test_work_is_told_from_beginning_to_end(operations: Operations, seen: Seen) -> None:
    def work(ticket: Ticket) -> dict[str, int]:
        ticket.on_progress(Progress("images", 3, 7, "so far"))
        return {"found": 7}

    begun = operations.start(1, "import", "Import", "anna", work)
    assert seen.ended.wait(10)
    done = operations.get(begun.id)
    assert (done.state, done.stage, done.done, done.total, done.result) == ("done", "images", 3, 7, {"found": 7})
    assert seen.states[0] == "queued"
    assert operations.of_project(1) == [done]
    assert operations.of_project(2) == []
    with pytest.raises(WrongState):
        operations.cancel(begun.id)
    with pytest.raises(NotFound):
        operations.get("other")


def test_work_that_is_cancelled(operations: Operations, seen: Seen) -> None:
    begun, going = threading.Event(), threading.Event()

    def work(ticket: Ticket) -> dict[str, int]:
        begun.set()
        going.wait(10)
        ticket.on_progress(Progress("images", 1))
        return {}

    made = operations.start(1, "import", "Import", "anna", work)
    assert begun.wait(10)
    operations.cancel(made.id)
    going.set()
    assert seen.ended.wait(10)
    assert operations.get(made.id).state == "cancelled"


@pytest.mark.parametrize(("error", "status"), [(InvalidInput("no", remedy="yes"), 422), (KeyError("a fault"), 500)])
def test_work_that_fails(operations: Operations, seen: Seen, error: Exception, status: int) -> None:
    def work(_: Ticket) -> dict[str, int]:
        raise error

    made = operations.start(1, "import", "Import", "anna", work)
    assert seen.ended.wait(10)
    failed = operations.get(made.id)
    assert failed.state == "failed"
    assert failed.problem is not None
    assert failed.problem["status"] == status
    assert "Traceback" not in str(failed.problem)
