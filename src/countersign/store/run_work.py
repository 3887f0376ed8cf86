"""What the workers of a run do to its rows: take images, give results back, say that they live, leave.

The rules that keep a run right whatever dies when:

* an image belongs to the worker that its row names. Results count only while that is so and the image is pending; the
  check, the labels and the new state are one transaction. So nothing is lost and nothing is written twice;
* a worker that has not been heard of for a while owns nothing: others may take what it had. If it wakes up again, what
  it writes then is left out;
* the last worker that leaves decides what becomes of the run.

Whether a process lives is not known here, only when it last said so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from countersign.domain.label import Label, Provenance, Verb
from countersign.domain.run import ImageProgress, RunState
from countersign.domain.work import ClaimedImage, ImageResult, Request, WorkerInfo
from countersign.store import labels as label_rows
from countersign.store.tables import change, image, run, run_image, worker

STALE_S = 30.0
"""A worker that has said nothing for so long is taken for dead."""

_PENDING = ImageProgress.PENDING.value


def _now() -> datetime:
    return datetime.now(UTC)


def enter(c: Connection, run_id: int, name: str, *, pid: int, host: str) -> None:
    """Say that a worker begins; ``pid`` is 0 while its process is not known."""
    now = _now()
    row = {"run_id": run_id, "name": name, "pid": pid, "host": host, "started_at": now, "beat_at": now}
    c.execute(sa.insert(worker).values(row))


def know(c: Connection, run_id: int, name: str, *, pid: int) -> None:
    """Say which process a worker turned out to be. One that has left already is not brought back."""
    here = (worker.c.run_id == run_id) & (worker.c.name == name)
    c.execute(sa.update(worker).where(here).values(pid=pid, beat_at=_now()))


def note(c: Connection, run_id: int, text: str) -> None:
    """Keep what a worker says of its engine; the last one's word counts."""
    c.execute(sa.update(run).where(run.c.id == run_id).values(note=text))


def heartbeat(c: Connection, run_id: int, name: str) -> Request | None:
    """Say that a worker lives. Returns what is asked of it, or None where it is counted no more and must stop."""
    here = (worker.c.run_id == run_id) & (worker.c.name == name)
    if not c.execute(sa.update(worker).where(here).values(beat_at=_now())).rowcount:
        return None
    row = c.execute(sa.select(run.c.state, run.c.request).where(run.c.id == run_id)).first()
    if row is None or row.state != RunState.GENERATING:
        return None
    return Request(row.request)


def workers(c: Connection, run_id: int) -> list[WorkerInfo]:
    """Return the workers of a run, dead or alive, in the order in which they began."""
    rows = c.execute(sa.select(worker).where(worker.c.run_id == run_id).order_by(worker.c.started_at, worker.c.name))
    return [WorkerInfo(**row._mapping) for row in rows]


def claim(c: Connection, run_id: int, name: str, *, limit: int, stale_s: float = STALE_S) -> list[ClaimedImage]:
    """Take up to ``limit`` pending images that no live worker has. A worker that was dropped gets none."""
    if heartbeat(c, run_id, name) is None:
        return []
    alive = sa.select(worker.c.name).where(
        worker.c.run_id == run_id, worker.c.beat_at >= _now() - timedelta(seconds=stale_s)
    )
    free = (
        sa.select(run_image.c.image_id)
        .where(run_image.c.run_id == run_id, run_image.c.state == _PENDING)
        .where(sa.or_(run_image.c.worker.is_(None), run_image.c.worker.not_in(alive)))
        .order_by(run_image.c.image_id)
        .limit(limit)
        .with_for_update(skip_locked=True)  # PostgreSQL: two workers pass each other; SQLite has one writer anyway
    )
    # Selected first: PostgreSQL may run a locking subquery of an UPDATE more than once.
    ids = list(c.execute(free).scalars())
    if not ids:
        return []
    mine = (run_image.c.run_id == run_id) & run_image.c.image_id.in_(ids)
    c.execute(sa.update(run_image).where(mine).values(worker=name, claimed_at=_now()))
    columns = (image.c.id, image.c.path, image.c.content_hash, image.c.width, image.c.height)
    rows = {row.id: ClaimedImage(*row) for row in c.execute(sa.select(*columns).where(image.c.id.in_(ids)))}
    gone = [
        ImageResult(image_id, None, "the image was removed from the project")
        for image_id in ids
        if image_id not in rows
    ]
    if gone:
        write_batch(c, run_id, name, gone)
    return [rows[image_id] for image_id in ids if image_id in rows]


def pending(c: Connection, run_id: int) -> int:
    """Count the images that are not settled yet, whoever has them."""
    mine = (run_image.c.run_id == run_id) & (run_image.c.state == _PENDING)
    return c.execute(sa.select(sa.func.count()).select_from(run_image).where(mine)).scalar_one()


def write_batch(
    c: Connection,
    run_id: int,
    name: str,
    results: Sequence[ImageResult],
    provenance: Provenance | None = None,
    *,
    tally: Mapping[str, int] | None = None,
) -> int:
    """Store results: labels, image states and counters. Returns how many images counted. ``tally`` adds to the run's.

    Left out are images that this worker does not have (any more) and those that are settled already.
    """
    # The run's row first: it orders the writers of one run, so that none waits for another in a circle (PostgreSQL).
    row = c.execute(sa.select(run.c.field_id, run.c.tally).where(run.c.id == run_id).with_for_update()).first()
    if row is None:
        return 0
    by_id = {result.image_id: result for result in results}
    done = _settle(c, run_id, name, [i for i, r in by_id.items() if r.labels is not None], ImageProgress.DONE)
    failed = 0
    for image_id, result in by_id.items():
        if result.labels is None:
            reason = result.error or "it failed without a reason"
            failed += len(_settle(c, run_id, name, [image_id], ImageProgress.FAILED, reason))
    found: list[tuple[int, Label]] = [(i, label) for i in done for label in by_id[i].labels or ()]
    if found:
        label_rows.add(c, row.field_id, found, change_id=_change_of(c, run_id), provenance=provenance)
    counters: dict[str, Any] = {
        "done": run.c.done + len(done),
        "failed": run.c.failed + failed,
        "labels": run.c.labels + len(found),
    }
    if tally:
        counters["tally"] = dict(Counter(row.tally or {}) + Counter(tally))
    c.execute(sa.update(run).where(run.c.id == run_id).values(counters))
    return len(done) + failed


def _settle(
    c: Connection, run_id: int, name: str, ids: Sequence[int], state: ImageProgress, reason: str = ""
) -> list[int]:
    """Give this worker's pending images among ``ids`` a state. Returns which they were."""
    settled: list[int] = []
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        change_state = (
            sa.update(run_image)
            .where(run_image.c.run_id == run_id, run_image.c.image_id.in_(part))
            .where(run_image.c.state == _PENDING, run_image.c.worker == name)
            .values(state=state.value, reason=reason)
            .returning(run_image.c.image_id)
        )
        settled += c.execute(change_state).scalars()
    return settled


def _change_of(c: Connection, run_id: int) -> int:
    """Return the id of the change that all labels of a run belong to."""
    of_run = sa.select(sa.func.min(change.c.id)).where(change.c.run_id == run_id, change.c.verb == Verb.RUN.value)
    return int(c.execute(of_run).scalar_one())


def leave(c: Connection, run_id: int, name: str, *, error: str = "") -> RunState:
    """Take a worker off a run and give back what it had. Returns the state of the run.

    ``error`` says why, where it did not leave in peace: it becomes the run's own if nobody else goes on with it.
    """
    drop(c, run_id, [name])
    return settle(c, run_id, error=error)


def drop(c: Connection, run_id: int, names: Iterable[str]) -> None:
    """Take workers off a run; the images that they had are free again."""
    names = list(names)
    had = (run_image.c.run_id == run_id) & (run_image.c.state == _PENDING) & run_image.c.worker.in_(names)
    c.execute(sa.select(run.c.id).where(run.c.id == run_id).with_for_update())
    c.execute(sa.update(run_image).where(had).values(worker=None, claimed_at=None))
    c.execute(sa.delete(worker).where(worker.c.run_id == run_id, worker.c.name.in_(names)))


def settle(c: Connection, run_id: int, *, error: str = "") -> RunState:
    """Decide what becomes of a run that nobody works on (any more). One with workers stays as it is."""
    columns = (run.c.state, run.c.request, run.c.done, run.c.failed)
    row = c.execute(sa.select(*columns).where(run.c.id == run_id).with_for_update()).first()
    if row is None:
        return RunState.CANCELLED
    busy = c.execute(sa.select(worker.c.name).where(worker.c.run_id == run_id).limit(1)).first()
    if busy or row.state != RunState.GENERATING:
        return RunState(row.state)
    left = pending(c, run_id)
    fruitless = _why_all_failed(c, run_id, row.failed) if not left and not row.done and row.failed else ""
    state, reason = _verdict(Request(row.request), left, error, fruitless)
    finished = None if state is RunState.PAUSED else _now()
    values = {"state": state.value, "request": "", "error": reason, "finished_at": finished}
    c.execute(sa.update(run).where(run.c.id == run_id).values(values))
    return state


def _why_all_failed(c: Connection, run_id: int, failed: int) -> str:
    """Say why a run that labelled no image at all has nothing to review."""
    mine = (run_image.c.run_id == run_id) & (run_image.c.state == ImageProgress.FAILED.value)
    reason = c.execute(sa.select(run_image.c.reason).where(mine).order_by(run_image.c.image_id).limit(1)).scalar()
    if failed == 1:
        return f"its only image failed: {reason}"
    return f"all {failed} images failed, the first because: {reason}"


def _verdict(request: Request, left: int, error: str, fruitless: str) -> tuple[RunState, str]:
    if request is Request.CANCEL:
        return RunState.CANCELLED, ""
    if request is Request.REVIEW:
        return RunState.IN_REVIEW, ""
    if not left:
        return (RunState.ERROR, fruitless) if fruitless else (RunState.IN_REVIEW, "")
    if request is Request.PAUSE:
        return RunState.PAUSED, ""
    return RunState.ERROR, error or f"its workers ended with {left} images still to do"


def reap(
    c: Connection,
    older_than_s: float = STALE_S,
    *,
    run_id: int | None = None,
    is_dead: Callable[[WorkerInfo], bool] | None = None,
    reason: Callable[[WorkerInfo], str] | None = None,
) -> list[int]:
    """Take dead workers off the runs that generate. Returns the runs that became errors for it.

    Dead is a worker that has been silent for longer than ``older_than_s`` or that ``is_dead`` says is; ``reason`` says
    what is known of its end. A run that began long ago and has no worker at all is settled too.
    """
    limit = _now() - timedelta(seconds=older_than_s)
    generating = sa.select(run.c.id, run.c.started_at).where(run.c.state == RunState.GENERATING.value)
    if run_id is not None:
        generating = generating.where(run.c.id == run_id)
    failed = []
    for found in c.execute(generating).all():
        here = workers(c, found.id)
        dead = [info for info in here if info.beat_at < limit or (is_dead and is_dead(info))]
        orphan = not here and (found.started_at is None or found.started_at < limit)
        if not dead and not orphan:
            continue
        drop(c, found.id, [info.name for info in dead])
        said = reason(dead[-1]) if reason and dead else "its workers died"
        if settle(c, found.id, error=said) is RunState.ERROR:
            failed.append(found.id)
    return failed
