"""How many threads a library other than torch may use for one prediction, in this process.

Who lays out the cores says so with ``use``; a session that computes asks ``pool`` when it runs. torch has its own
setting. Nothing of runs or workers is known here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """``lanes`` threads predict at once, each on about ``each`` cores."""

    lanes: int
    each: int


_share: Share | None = None


def use(share: Share | None) -> Share | None:
    """Say how the cores are shared out (None: nobody has said). Returns what it was before."""
    global _share  # one process has one set of cores
    before, _share = _share, share
    return before


def pool() -> int:
    """Return the size of a pool of threads that all lanes share, each lane's own thread counted once.

    A caller works beside the pool, so ``lanes`` callers and ``pool - 1`` helpers make ``lanes * each`` busy threads.
    """
    if _share is None:
        return available()
    return max(1, _share.lanes * (_share.each - 1) + 1)


def lanes() -> int:
    """Return how many threads predict at once."""
    return _share.lanes if _share else 1


def available() -> int:
    """Return how many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
