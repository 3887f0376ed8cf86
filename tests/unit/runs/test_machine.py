from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from countersign.runs import machine


def test_cores_are_at_least_one() -> None:
    assert 1 <= machine.cores() <= (os.cpu_count() or 1)


@pytest.mark.parametrize(
    ("share", "parallel", "on_gpu", "expected"),
    [
        (2, True, False, machine.Layout(2, 1, 2)),
        (2, False, False, machine.Layout(1, 2, 2)),
        (1, True, False, machine.Layout(1, 1, 2)),
        (16, True, False, machine.Layout(4, 4, 8)),
        (16, True, True, machine.Layout(1, 16, 16)),
    ],
)
def test_layout(share: int, parallel: bool, on_gpu: bool, expected: machine.Layout) -> None:
    assert machine.layout(share, parallel=parallel, on_gpu=on_gpu) == expected


def test_process_lives() -> None:
    now = datetime.now(UTC)
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert machine.process_lives(machine.HOST, process.pid, datetime.now(UTC))
    assert machine.process_lives(machine.HOST, process.pid, now - timedelta(hours=1)) is False, "a later one"
    process.kill()
    assert process.stdin is not None
    process.stdin.close()
    process.wait()
    assert machine.process_lives(machine.HOST, process.pid, datetime.now(UTC)) is False
    assert machine.process_lives("elsewhere", process.pid, now) is None, "nobody can know from here"
    assert machine.process_lives(machine.HOST, 0, now) is None
    assert machine.process_lives(machine.HOST, os.getpid(), now)


@pytest.mark.parametrize(
    ("lives", "silent_s", "lost"),
    [
        (False, 0, True),
        (None, machine.SILENT_S - 5, False),
        (None, machine.SILENT_S + 5, True),
        (True, machine.SILENT_S + 5, False),
        (True, machine.HUNG_S + 5, True),
    ],
)
def test_is_lost(monkeypatch: pytest.MonkeyPatch, lives: bool | None, silent_s: float, lost: bool) -> None:
    monkeypatch.setattr(machine, "process_lives", lambda *_: lives)
    assert machine.is_lost("h", 1, datetime.now(UTC) - timedelta(seconds=silent_s)) is lost
