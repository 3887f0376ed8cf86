"""Trainings: one fit of a model as a row, with what it last reported. How a model learns is not known here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from countersign.domain.errors import NotFound, WrongState
from countersign.domain.query import ImageQuery
from countersign.domain.work import Request, Training, TrainingSpec, TrainingState
from countersign.store.run_work import STALE_S
from countersign.store.tables import project, training

_REQUEST = "request"  # in the progress: what is asked of the process
_ACTIVE = (TrainingState.QUEUED.value, TrainingState.TRAINING.value)


def _spec_to_data(spec: TrainingSpec) -> dict[str, Any]:
    data = {item.name: getattr(spec, item.name) for item in dataclasses.fields(spec)}
    return data | {"images": spec.images.to_data(), "settings": dict(spec.settings)}


def _spec_from_data(data: Mapping[str, Any]) -> TrainingSpec:
    return TrainingSpec(**{**data, "images": ImageQuery.from_data(data.get("images", {}))})


def _training(row: Row[Any]) -> Training:
    progress = {name: value for name, value in (row.progress or {}).items() if name != _REQUEST}
    return Training(
        id=row.id,
        project_id=row.project_id,
        name=row.name,
        state=TrainingState(row.state),
        spec=_spec_from_data(row.settings),
        created_by=row.created_by,
        created_at=row.created_at,
        progress=progress,
        finished_at=row.finished_at,
        model_id=row.model_id,
        error=row.error,
        pid=row.pid,
        beat_at=row.beat_at,
    )


def create(c: Connection, project_id: int, spec: TrainingSpec, *, created_by: str) -> Training:
    """Make a training that has not begun."""
    values = {
        "project_id": project_id,
        "name": spec.name or spec.model,
        "state": TrainingState.QUEUED.value,
        "settings": _spec_to_data(spec),
        "progress": {},
        "created_by": created_by,
        "created_at": datetime.now(UTC),
    }
    return get(c, int(c.execute(sa.insert(training).values(values).returning(training.c.id)).scalar_one()))


def get(c: Connection, training_id: int) -> Training:
    """Return a training. Raises NotFound."""
    return _training(_row(c, training_id))


def _row(c: Connection, training_id: int, *, lock: bool = False) -> Row[Any]:
    wanted = sa.select(training).where(training.c.id == training_id)
    row = c.execute(wanted.with_for_update() if lock else wanted).first()
    if row is None:
        raise NotFound("training", training_id)
    return row


def list_all(c: Connection, project_id: int | None = None) -> list[Training]:
    """Return the trainings of a project (or of all), oldest first."""
    here = sa.true() if project_id is None else training.c.project_id == project_id
    return [_training(row) for row in c.execute(sa.select(training).where(here).order_by(training.c.id))]


def of_models(c: Connection) -> dict[int, tuple[int, str, str]]:
    """Return where the models of the workspace were trained: by model id, the project's id and name, and by whom."""
    k = training.c
    found = sa.select(k.model_id, project.c.id, project.c.name, k.created_by).join(
        project, project.c.id == k.project_id
    )
    return {row[0]: (row[1], row[2], row[3]) for row in c.execute(found.where(k.model_id.is_not(None)))}


def begin(c: Connection, training_id: int, *, pid: int, host: str) -> Training:
    """Say that a process has begun with a training. Raises WrongState where it has been begun or is over."""
    row = _row(c, training_id, lock=True)
    if row.state != TrainingState.QUEUED:
        raise WrongState(f"The training {row.name!r} is {row.state}, not waiting to begin")
    progress = (row.progress or {}) | {"host": host}
    values = {"state": TrainingState.TRAINING.value, "pid": pid, "beat_at": datetime.now(UTC), "progress": progress}
    c.execute(sa.update(training).where(training.c.id == training_id).values(values))
    return get(c, training_id)


def update(c: Connection, training_id: int, progress: Mapping[str, Any] | None = None) -> Request | None:
    """Say that the process lives and, with ``progress``, what to merge into what it has reported.

    Returns what is asked of it, or None where the training is not its business any more.
    """
    row = _row(c, training_id, lock=True)
    if row.state not in _ACTIVE:
        return None
    values: dict[str, Any] = {"beat_at": datetime.now(UTC)}
    if progress:
        values["progress"] = (row.progress or {}) | dict(progress)
    c.execute(sa.update(training).where(training.c.id == training_id).values(values))
    return Request((row.progress or {}).get(_REQUEST, ""))


def cancel(c: Connection, training_id: int) -> Training:
    """Ask a training to stop: it keeps the best so far. One that has not begun is cancelled at once.

    Raises WrongState where it is over.
    """
    row = _row(c, training_id, lock=True)
    if row.state not in _ACTIVE:
        raise WrongState(f"The training {row.name!r} is {row.state} already")
    values: dict[str, Any] = {"progress": (row.progress or {}) | {_REQUEST: Request.CANCEL.value}}
    if row.state == TrainingState.QUEUED:
        values |= {"state": TrainingState.CANCELLED.value, "finished_at": datetime.now(UTC)}
    c.execute(sa.update(training).where(training.c.id == training_id).values(values))
    return get(c, training_id)


def finish(
    c: Connection,
    training_id: int,
    state: TrainingState,
    *,
    model_id: int | None = None,
    error: str = "",
    progress: Mapping[str, Any] | None = None,
) -> Training:
    """Say how a training ended. One that has ended already stays as it is."""
    row = _row(c, training_id, lock=True)
    if row.state in _ACTIVE:
        merged = (row.progress or {}) | dict(progress or {})
        merged.pop(_REQUEST, None)
        values = {"state": state.value, "model_id": model_id, "error": error, "progress": merged}
        values["finished_at"] = datetime.now(UTC)
        c.execute(sa.update(training).where(training.c.id == training_id).values(values))
    return get(c, training_id)


def reap(
    c: Connection,
    older_than_s: float = STALE_S,
    *,
    is_dead: Callable[[Training], bool] | None = None,
    reason: Callable[[Training], str] | None = None,
) -> list[int]:
    """Turn trainings whose process has been silent for so long (or that ``is_dead`` says is) into errors: their ids."""
    limit = datetime.now(UTC) - timedelta(seconds=older_than_s)
    failed = []
    for row in c.execute(sa.select(training).where(training.c.state.in_(_ACTIVE))).all():
        found = _training(row)
        silent = found.beat_at is not None and found.beat_at < limit
        if not silent and not (is_dead and is_dead(found)):
            continue
        said = reason(found) if reason else "its process died"
        finish(c, found.id, TrainingState.ERROR, error=said)
        failed.append(found.id)
    return failed
