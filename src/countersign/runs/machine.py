"""What this machine offers to workers: cores and their sharing out, and whether a process still lives."""

from __future__ import annotations

import math
import os
import platform
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from countersign.models.parts import threads

HOST = platform.node()
_MOST_LANES = 4  # each lane holds a batch and its activations


def cores() -> int:
    """Return how many cores this process may use: its affinity, and a container's quota if that is less."""
    if sys.version_info >= (3, 13):
        count = os.process_cpu_count() or 1
    elif hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return max(1, min(count, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no Linux, no container, or "max"
        return max(1, count)


@dataclass(frozen=True, slots=True)
class Layout:
    """How one worker uses its cores: threads that predict, library threads in each of them, threads that decode."""

    lanes: int
    threads: int
    decoders: int


def layout(share: int, *, parallel: bool, on_gpu: bool) -> Layout:
    """Lay out ``share`` cores.

    On a CPU, several predictions at once with one library thread each beat one prediction on all cores: threads
    inside one operation wait for each other at its end, all the more when a decoding thread has taken a core. A
    model that cannot predict in several threads gets one lane with all cores; a GPU gets one lane and many decoders.
    """
    if on_gpu:
        return Layout(1, share, max(2, min(16, share)))
    lanes = min(share, _MOST_LANES) if parallel else 1
    return Layout(lanes, max(1, share // lanes), max(2, min(8, share)))


def use_threads(count: int, lanes: int = 1) -> int | None:
    """Say how many threads an operation may use in each of ``lanes`` threads that predict.

    This goes to onnxruntime's sessions, and to torch if it is loaded. Returns how many torch used before, or None.
    """
    threads.use(threads.Share(lanes, count))
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return None
    before = int(torch.get_num_threads())
    torch.set_num_threads(count)
    return before


def restore_threads(before: int | None) -> None:
    """Undo ``use_threads`` in a process that goes on with other work. ``before`` is what that returned."""
    threads.use(None)
    torch: Any = sys.modules.get("torch")
    if torch is not None and before is not None:
        torch.set_num_threads(before)


SILENT_S = 30.0
"""A process that nobody can look at from here is taken for dead after so long a silence."""
HUNG_S = 300.0
"""One that is seen to live is given up only after this: a long transaction of somebody else may keep it waiting."""


def process_lives(host: str, pid: int, heard_at: datetime) -> bool | None:
    """Whether a process that was last heard of at a time still runs; None where that cannot be known from here.

    A process of the same number that began later is another one.
    """
    if host != HOST or pid <= 0:
        return None
    import psutil

    try:
        process = psutil.Process(pid)
        return not (process.status() == psutil.STATUS_ZOMBIE or process.create_time() > heard_at.timestamp() + 2.0)
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return None


def is_lost(host: str, pid: int, heard_at: datetime) -> bool:
    """Whether a process must be given up: it has ended, or been silent for too long."""
    lives = process_lives(host, pid, heard_at)
    if lives is False:
        return True
    return time.time() - heard_at.timestamp() > (HUNG_S if lives else SILENT_S)


def single_threaded_decoding() -> None:
    """Keep OpenCV from starting threads of its own inside each of the threads that decode."""
    cv2: Any = sys.modules.get("cv2")
    if cv2 is not None:
        cv2.setNumThreads(1)
