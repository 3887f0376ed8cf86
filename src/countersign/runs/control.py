"""Steering runs: make, start, pause, resume, cancel, take to review, wait, and how far they are.

There is no supervisor process. Whoever looks at a run also notices that its workers have died; whoever asks a run to
stop and finds nobody at work settles it himself.
"""

from __future__ import annotations

import functools
import threading
import time
from collections import deque
from collections.abc import Callable

from countersign.domain.errors import WrongState
from countersign.domain.run import MOVES, Run, RunSpec, RunState
from countersign.domain.work import Request, RunProgress, WorkerInfo
from countersign.runs import machine, processes
from countersign.runs.executors import Executor, executor
from countersign.store import Store, runs

OnProgress = Callable[[RunProgress], None]

POLL_S = 0.25
_WINDOW_S = 20.0  # the rate is that of the last so many seconds


def create(store: Store, project_id: int, spec: RunSpec, *, created_by: str) -> Run:
    """Make a run and start nothing. Raises NotFound (model), ModelError (unknown class), NameTaken, InvalidInput."""
    from countersign.runs import catalogue

    executor(spec.executor)
    spec = catalogue.settled(store, spec, functools.partial(catalogue.card, store))
    with store.write() as c:
        return runs.create(c, project_id, spec, created_by=created_by)


def start(store: Store, run_id: int, *, with_executor: Executor | None = None) -> Run:
    """Bring a run to work; returns when its workers are started (``inline``: when it has stopped).

    One that was stopped goes on: what is done is skipped, what failed is tried again. Raises WrongState where it is
    at work already, approved, or in review with nothing to try again.
    """
    reap(store, run_id)
    with store.write() as c:
        run = runs.start(c, run_id)
    try:
        (with_executor or executor(run.spec.executor)).start(store, run)
    except BaseException as error:
        with store.write() as c:
            runs.settle(c, run_id, error=f"it could not be started: {error}")
        raise
    return get(store, run_id)


def resume(store: Store, run_id: int, *, with_executor: Executor | None = None) -> Run:
    """Let a run go on that was paused or cancelled, or that an error stopped. Raises WrongState as ``start``."""
    return start(store, run_id, with_executor=with_executor)


def retry_failed(store: Store, run_id: int, *, with_executor: Executor | None = None) -> Run:
    """Try the images that failed again, and those that are pending. Raises WrongState as ``start``."""
    return start(store, run_id, with_executor=with_executor)


def pause(store: Store, run_id: int) -> Run:
    """Ask a run's workers to stop after the batches in flight. Raises WrongState where it is not at work."""
    return _ask(store, run_id, Request.PAUSE)


def cancel(store: Store, run_id: int) -> Run:
    """Stop a run for good (it may be resumed all the same). What is done is kept. Raises WrongState."""
    return _ask(store, run_id, Request.CANCEL, RunState.CANCELLED)


def skip_to_review(store: Store, run_id: int) -> Run:
    """Stop a run where it is and take what there is to review. Raises WrongState."""
    return _ask(store, run_id, Request.REVIEW, RunState.IN_REVIEW)


def _ask(store: Store, run_id: int, request: Request, at_rest: RunState | None = None) -> Run:
    """Ask the workers, or move the run directly where there are none."""
    reap(store, run_id)
    with store.write() as c:
        run = runs.get(c, run_id)
        if run.state is RunState.GENERATING:
            runs.request(c, run_id, request)
        elif at_rest is None:
            raise WrongState(
                f"The run {run.name!r} is {run.state}, not at work", remedy="Only a run at work can pause."
            )
        elif run.state is RunState.PAUSED and at_rest is RunState.IN_REVIEW:
            runs.move(c, run_id, RunState.CANCELLED)
            runs.move(c, run_id, RunState.IN_REVIEW)
        elif at_rest not in MOVES[run.state]:
            raise WrongState(_why_not(run, at_rest), remedy=_INSTEAD[run.state])
        else:
            runs.move(c, run_id, at_rest)
        return runs.get(c, run_id)


_INSTEAD = {
    RunState.QUEUED: "Wait until it has begun.",
    RunState.CANCELLED: "Resume it, or take it to review.",
    RunState.ERROR: "Resume it, or take it to review.",
    RunState.IN_REVIEW: "Review it and approve what is right.",
    RunState.APPROVED: "It is closed: its labels are in the field that it was approved into.",
}


def _why_not(run: Run, wanted: RunState) -> str:
    """Say in plain words why a run cannot be stopped, or taken to review."""
    if wanted is RunState.IN_REVIEW:
        states = {RunState.QUEUED: "has not begun yet", RunState.IN_REVIEW: "is in review already"}
        return f"The run {run.name!r} " + states.get(run.state, f"is {run.state.value} already")
    states = {
        RunState.CANCELLED: "is cancelled already",
        RunState.ERROR: "was stopped by an error: there is nothing to cancel",
        RunState.IN_REVIEW: "has finished and is in review: there is nothing to cancel",
        RunState.APPROVED: "is approved and closed: there is nothing to cancel",
    }
    return f"The run {run.name!r} {states.get(run.state, f'is {run.state.value}')}"


def get(store: Store, run_id: int) -> Run:
    """Return a run as it is now. Raises NotFound."""
    with store.read() as c:
        return runs.get(c, run_id)


def reap(store: Store, run_id: int | None = None) -> list[int]:
    """Notice dead workers (of one run, or of all). Returns the runs that became errors for it."""
    with store.read() as c:
        at_work = [run for run in ([runs.get(c, run_id)] if run_id else runs.list_all(c)) if _at_work(run)]
        suspects = any(_is_lost(info) for run in at_work for info in runs.workers(c, run.id))
        orphans = any(not runs.workers(c, run.id) for run in at_work)
    if not (suspects or orphans):
        return []  # reading blocks nobody; only a death is worth a place in the queue of writers
    with store.write() as c:
        return runs.reap(
            c, machine.HUNG_S, run_id=run_id, is_dead=_is_lost, reason=lambda info: _last_words(store, info)
        )


def _at_work(run: Run) -> bool:
    return run.state is RunState.GENERATING


def _is_lost(info: WorkerInfo) -> bool:
    return machine.is_lost(info.host, info.pid, info.beat_at)


def _last_words(store: Store, info: WorkerInfo) -> str:
    said = processes.log_tail(processes.log_file(store, f"run-{info.run_id}", info.name))
    ended = machine.process_lives(info.host, info.pid, info.beat_at) is False
    how = "has ended" if ended else "has not been heard of for a while"
    return f"the worker process {info.pid or info.name} on {info.host} {how}" + (
        f"; it last said: {said}" if said else ""
    )


class _Rates:
    """Images settled lately, for each run that this process looks at."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, int], deque[tuple[float, int]]] = {}
        self._lock = threading.Lock()

    def rate(self, key: tuple[str, int], settled: int) -> float:
        """Note a count and return images per second over the last while, 0 while that is not known."""
        now = time.monotonic()
        with self._lock:
            seen = self._seen.setdefault(key, deque())
            if seen and (settled < seen[-1][1] or settled == seen[0][1]):
                # Failed images are tried again: it counts from lower down. Or nothing has moved yet (a model is
                # being loaded): that time says nothing of the speed.
                seen.clear()
            seen.append((now, settled))
            while now - seen[0][0] > _WINDOW_S:
                seen.popleft()
            (first, before), (last, after) = seen[0], seen[-1]
        return (after - before) / (last - first) if last - first > 0.5 else 0.0

    def forget(self, key: tuple[str, int]) -> None:
        with self._lock:
            self._seen.pop(key, None)


_rates = _Rates()


def progress(store: Store, run_id: int) -> RunProgress:
    """Return how far a run is. Notices dead workers, so that nobody waits for them. Raises NotFound."""
    reap(store, run_id)
    with store.read() as c:
        run = runs.get(c, run_id)
        workers = len(runs.workers(c, run_id)) if _at_work(run) else 0
    key = (store.url, run_id)
    rate = 0.0
    if _at_work(run):
        rate = _rates.rate(key, run.done + run.failed)
    else:
        _rates.forget(key)
    eta = run.pending / rate if rate > 0 else None
    counts = (run.total, run.done, run.failed, run.labels)
    return RunProgress(
        run_id, run.state, *counts, rate=rate, eta_s=eta, workers=workers, error=run.error, note=run.note
    )


def wait(
    store: Store,
    run_id: int,
    on_progress: OnProgress | None = None,
    *,
    timeout_s: float | None = None,
    on_interrupt: Request = Request.PAUSE,
) -> Run:
    """Wait until a run has stopped, reporting now and then; returns it whatever it became.

    Ctrl-C asks its workers to pause (or what ``on_interrupt`` says; NONE leaves them at work), waits for them and goes
    on up. Raises TimeoutError after ``timeout_s`` seconds.
    """
    try:
        return _wait(store, run_id, on_progress, timeout_s)
    except KeyboardInterrupt:
        if on_interrupt and get(store, run_id).state is RunState.GENERATING:
            with store.write() as c:
                runs.request(c, run_id, on_interrupt)
            _wait(store, run_id, on_progress, 60.0)
        raise


def _wait(store: Store, run_id: int, on_progress: OnProgress | None, timeout_s: float | None) -> Run:
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    while True:
        now = progress(store, run_id)
        if on_progress:
            on_progress(now)
        if not now.active:
            return get(store, run_id)
        if deadline is not None and time.monotonic() > deadline:
            raise TimeoutError(f"the run {run_id} is still {now.state}")
        time.sleep(POLL_S)
