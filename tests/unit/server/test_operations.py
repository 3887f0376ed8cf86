from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

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


def test_operations_outlive_the_server(tmp_path: Path) -> None:
    """Another server over the same folder knows what ended, and says of what was cut off that it failed."""
    folder, seen, held = tmp_path / "operations", Seen(), threading.Event()
    before = Operations(seen, folder)
    file = tmp_path / "labels.json"
    file.write_text("[]")

    def export(ticket: Ticket) -> dict[str, int]:
        ticket.made(file)
        return {"labels": 3}

    done = before.start(1, "export", "Export", "anna", export)
    assert seen.ended.wait(10)
    cut_off = before.start(1, "import", "Import", "anna", lambda _: {"waited": held.wait(10)})

    after = Operations(Seen(), folder)
    known = after.get(done.id)
    assert (known.state, known.result, known.created_at) == ("done", {"labels": 3}, done.created_at)
    assert known.to_data()["download"] == f"/api/v1/operations/{done.id}/file"
    lost = after.get(cut_off.id)
    assert lost.state == "failed"
    assert lost.problem is not None
    assert "server ended" in lost.problem["detail"]
    with pytest.raises(WrongState):
        after.cancel(cut_off.id)
    assert [item.id for item in after.of_project(1)] == [cut_off.id, done.id]
    file.unlink()
    assert after.get(done.id).to_data()["download"] is None
    held.set()
    before.close()
    after.close()


def test_operations__what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "damaged.json").write_text('{"id": ')
    (tmp_path / "foreign.json").write_text('{"id": "x"}')
    made = Operations(Seen(), tmp_path)
    assert made.of_project(1) == []
    made.close()
