"""Runs: one auto-labelling job as rows, from its making to the review. How images become labels is not known here.

What its workers do to the same rows is in ``run_work``; its functions can be called from here too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from countersign.domain.errors import InvalidInput, NameTaken, NotFound, WrongState
from countersign.domain.geometry import Kind
from countersign.domain.label import Verb
from countersign.domain.model import Prompt, Task
from countersign.domain.query import ImageQuery
from countersign.domain.run import ImageProgress, Method, Run, RunSpec, RunState, check_move
from countersign.domain.work import Request
from countersign.store import fields, history, images
from countersign.store.run_work import (
    STALE_S,
    claim,
    drop,
    enter,
    heartbeat,
    know,
    leave,
    note,
    pending,
    reap,
    settle,
    workers,
    write_batch,
)
from countersign.store.tables import image, run, run_image

__all__ = [
    "STALE_S",
    "claim",
    "create",
    "drop",
    "enter",
    "failures",
    "find",
    "get",
    "heartbeat",
    "know",
    "leave",
    "list_all",
    "move",
    "note",
    "pending",
    "reap",
    "rename",
    "request",
    "requested",
    "retry_failed",
    "settle",
    "start",
    "workers",
    "write_batch",
]


def spec_to_data(spec: RunSpec) -> dict[str, Any]:
    """Return JSON values from which ``spec_from_data`` makes an equal spec."""
    data = {item.name: getattr(spec, item.name) for item in dataclasses.fields(spec)}
    return data | {
        "images": spec.images.to_data(),
        "classes": list(spec.classes),
        "settings": dict(spec.settings),
        "task": spec.task.value if spec.task else None,
        "method": spec.method.value,
        "prompts": [[prompt.text, prompt.class_name] for prompt in spec.prompts],
        "label_map": dict(spec.label_map),
    }


def spec_from_data(data: Mapping[str, Any]) -> RunSpec:
    """Make a spec of what ``spec_to_data`` returned."""
    values = dict(data)
    values["images"] = ImageQuery.from_data(values.get("images", {}))
    values["classes"] = tuple(values.get("classes", ()))
    values["task"] = Task(values["task"]) if values.get("task") else None
    values["method"] = Method(values.get("method", Method.ONE_STAGE))
    values["prompts"] = tuple(Prompt(*prompt) for prompt in values.get("prompts", ()))
    return RunSpec(**values)


def _run(row: Row[Any]) -> Run:
    values = {item.name: row._mapping[item.name] for item in dataclasses.fields(Run) if item.name != "spec"}
    return Run(**values | {"state": RunState(row.state), "spec": spec_from_data(row.spec)})


def create(c: Connection, project_id: int, spec: RunSpec, *, created_by: str) -> Run:
    """Make a run with its field and a pending row for every image that its query finds.

    Raises NameTaken for a field or a run that exists, NotFound for a field of boxes that does not, and InvalidInput
    where there is no image to label, or no shape in the field of boxes.
    """
    ids = images.ids(c, project_id, spec.images)
    if not ids:
        raise InvalidInput("The run has no images", remedy="Import images first, or choose others.")
    if spec.boxes_field:
        _check_boxes(c, project_id, spec.boxes_field)
    name = _free_name(c, project_id, spec)
    field = fields.create(c, project_id, spec.field)
    values = {
        "project_id": project_id,
        "field_id": field.id,
        "name": name,
        "state": RunState.QUEUED.value,
        "spec": spec_to_data(spec),
        "created_by": created_by,
        "created_at": datetime.now(UTC),
        "total": len(ids),
    }
    run_id = int(c.execute(sa.insert(run).values(values).returning(run.c.id)).scalar_one())
    fields.set_run(c, field.id, run_id)
    rows = [{"run_id": run_id, "image_id": image_id, "state": ImageProgress.PENDING.value} for image_id in ids]
    for start in range(0, len(rows), 10_000):
        c.execute(sa.insert(run_image), rows[start : start + 10_000])
    history.begin(c, project_id, Verb.RUN, created_by, field_id=field.id, note=name, run_id=run_id)
    return get(c, run_id)


def _check_boxes(c: Connection, project_id: int, name: str) -> None:
    (found,) = fields.list_all(c, project_id, [fields.get(c, project_id, name).id])
    if not any(count for kind, count in found.by_kind.items() if kind is not Kind.CLASSIFICATION):
        raise InvalidInput(
            f"The field {name!r} has no boxes to begin with", remedy="Name one with boxes or other shapes."
        )


def _free_name(c: Connection, project_id: int, spec: RunSpec) -> str:
    """Return the name that was asked for (NameTaken if it is taken) or one made of the field's."""
    name = spec.name.strip() or spec.field
    taken = set(c.execute(sa.select(run.c.name).where(run.c.project_id == project_id)).scalars())
    if name not in taken:
        return name
    if spec.name.strip():
        raise NameTaken("run", name)
    number = 2
    while f"{name} {number}" in taken:
        number += 1
    return f"{name} {number}"


def get(c: Connection, run_id: int) -> Run:
    """Return a run. Raises NotFound."""
    row = c.execute(sa.select(run).where(run.c.id == run_id)).first()
    if row is None:
        raise NotFound("run", run_id)
    return _run(row)


def find(c: Connection, project_id: int | None, name: str | int) -> Run:
    """Return a run by its name, the name of its field, or its id. Raises NotFound that lists what there is.

    ``project_id`` None looks in all projects; a name that several of them have is refused.
    """
    here = sa.true() if project_id is None else run.c.project_id == project_id
    rows = c.execute(sa.select(run).where(here, run.c.name == str(name)).limit(2)).all()
    if not rows:
        rows = [row for row in c.execute(sa.select(run).where(here)) if row.spec["field"] == str(name)][:2]
    if not rows and str(name).isascii() and str(name).isdigit():
        rows = c.execute(sa.select(run).where(here, run.c.id == int(name))).all()
    if len(rows) > 1:
        raise InvalidInput(
            f"Several projects have a run {name!r}", remedy="Name the project, or give the run's number."
        )
    if not rows:
        known = c.execute(sa.select(run.c.name).where(here).order_by(run.c.id.desc()).limit(12)).scalars()
        raise NotFound("run", name, known=tuple(known))
    return _run(rows[0])


def list_all(c: Connection, project_id: int | None = None) -> list[Run]:
    """Return the runs of a project (or of all), oldest first."""
    here = sa.true() if project_id is None else run.c.project_id == project_id
    return [_run(row) for row in c.execute(sa.select(run).where(here).order_by(run.c.id))]


def _locked(c: Connection, run_id: int) -> Row[Any]:
    row = c.execute(sa.select(run).where(run.c.id == run_id).with_for_update()).first()
    if row is None:
        raise NotFound("run", run_id)
    return row


def move(c: Connection, run_id: int, to: RunState, *, error: str = "") -> Run:
    """Bring a run into another state. Raises WrongState for a move that there is not."""
    row = _locked(c, run_id)
    check_move(row.name, RunState(row.state), to)
    now = datetime.now(UTC)
    values: dict[str, Any] = {"state": to.value, "error": error}
    if to is RunState.GENERATING:
        values |= {"started_at": now, "finished_at": None, "request": ""}
    elif to in (RunState.QUEUED, RunState.PAUSED):
        values |= {"finished_at": None, "request": ""}
    elif row.finished_at is None:
        values |= {"finished_at": now, "request": ""}
    c.execute(sa.update(run).where(run.c.id == run_id).values(values))
    return get(c, run_id)


def start(c: Connection, run_id: int) -> Run:
    """Bring a run to work (again): what failed is pending again, workers of before count no more.

    Raises WrongState where it is at work already, in review with nothing to retry, or approved.
    """
    row = _locked(c, run_id)
    state = RunState(row.state)
    if state is RunState.IN_REVIEW:
        if not row.failed:
            raise WrongState(f"The run {row.name!r} is in review and no image of it failed", remedy="Review it.")
        move(c, run_id, RunState.QUEUED)
    elif state is RunState.GENERATING:
        raise WrongState(f"The run {row.name!r} is at work already", remedy="Wait for it, or pause or cancel it.")
    drop(c, run_id, [info.name for info in workers(c, run_id)])
    retry_failed(c, run_id)
    return move(c, run_id, RunState.GENERATING)


def rename(c: Connection, run_id: int, name: str) -> Run:
    """Give a run another name. Raises NameTaken, InvalidInput."""
    row = _locked(c, run_id)
    name = name.strip()
    if not name:
        raise InvalidInput("a run needs a name")
    same = (run.c.project_id == row.project_id) & (run.c.name == name) & (run.c.id != run_id)
    if c.execute(sa.select(run.c.id).where(same)).first():
        raise NameTaken("run", name)
    c.execute(sa.update(run).where(run.c.id == run_id).values(name=name))
    return get(c, run_id)


def request(c: Connection, run_id: int, what: Request | str) -> None:
    """Ask something of the workers of a run. Raises WrongState where none can be at work."""
    wish = Request(what)
    row = _locked(c, run_id)
    if row.state != RunState.GENERATING:
        raise WrongState(f"The run {row.name!r} is {row.state}, not at work", remedy="Only a run at work can be asked.")
    c.execute(sa.update(run).where(run.c.id == run_id).values(request=wish.value))


def requested(c: Connection, run_id: int) -> Request:
    """Return what is asked of the workers of a run."""
    found = c.execute(sa.select(run.c.request).where(run.c.id == run_id)).scalar_one_or_none()
    return Request(found or "")


def retry_failed(c: Connection, run_id: int) -> int:
    """Make the images of a run that failed pending again. Returns how many."""
    _locked(c, run_id)
    mine = (run_image.c.run_id == run_id) & (run_image.c.state == ImageProgress.FAILED.value)
    again = {"state": ImageProgress.PENDING.value, "worker": None, "claimed_at": None, "reason": ""}
    count = c.execute(sa.update(run_image).where(mine).values(again)).rowcount
    if count:
        c.execute(sa.update(run).where(run.c.id == run_id).values(failed=0))
    return count


def failures(c: Connection, run_id: int, *, after: int = 0, limit: int = 100) -> Sequence[tuple[int, str, str]]:
    """Return (image id, image name, reason) of images that failed, by id, beyond the id ``after``."""
    rows = c.execute(
        sa.select(run_image.c.image_id, sa.func.coalesce(image.c.name, ""), run_image.c.reason)
        .select_from(run_image.outerjoin(image, image.c.id == run_image.c.image_id))
        .where(run_image.c.run_id == run_id, run_image.c.state == ImageProgress.FAILED.value)
        .where(run_image.c.image_id > after)
        .order_by(run_image.c.image_id)
        .limit(limit)
    )
    return [(int(image_id), str(name), str(reason)) for image_id, name, reason in rows]
