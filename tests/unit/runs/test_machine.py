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


def test_process_is_dead() -> None:
    now = datetime.now(UTC)
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert not machine.process_is_dead(machine.HOST, process.pid, datetime.now(UTC))
    assert machine.process_is_dead(machine.HOST, process.pid, now - timedelta(hours=1)), "a later one of that number"
    process.kill()
    assert process.stdin is not None
    process.stdin.close()
    process.wait()
    assert machine.process_is_dead(machine.HOST, process.pid, datetime.now(UTC))
    assert not machine.process_is_dead("elsewhere", process.pid, now), "nobody can know from here"
    assert not machine.process_is_dead(machine.HOST, os.getpid(), now)
