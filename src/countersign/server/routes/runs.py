"""Runs: begin, steer, follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from countersign.domain.model import ModelCard
from countersign.domain.run import Run as DomainRun
from countersign.domain.run import RunOptions, RunSpec, RunState
from countersign.runs import control
from countersign.server import wire
from countersign.server.context import Here, HereDep, query_of
from countersign.server.routes._common import After, Limit, ProjectId, RunId, problems
from countersign.server.routes.models import check_reference
from countersign.server.schemas.runs import FailurePage, Run, RunAdopt, RunCreate, RunList, RunUpdate
from countersign.server.wire import Json
from countersign.store import Store, runs
from countersign.workbench import beginning, reviewing, running

router = APIRouter(tags=["runs"])


@router.get("/projects/{project_id}/runs", response_model=RunList, responses=problems(404))
def list_runs(project_id: ProjectId, here: HereDep) -> Response:
    """The runs of a project, the newest first."""
    here.record(project_id)
    with here.store.read() as c:
        found = list(runs.list_all(c, project_id))
    return Json({"items": [_data(here.store, item) for item in reversed(found)]})


@router.post("/projects/{project_id}/runs", response_model=Run, status_code=201, responses=problems(404, 409, 503))
def create_run(project_id: ProjectId, body: RunCreate, here: HereDep) -> Response:
    """Begin a run: it goes on in processes of its own, also when the server ends."""
    for reference in filter(None, (body.model, body.refiner)):
        check_reference(here, reference)
    if body.masks:
        here.check_path_allowed()
    options: RunOptions = {
        "task": body.task, "method": body.method, "refiner": body.refiner, "boxes_field": body.boxes_field,
        "prompts": {prompt.text: prompt.class_name for prompt in body.prompts}, "label_map": body.label_map,
        "masks": body.masks,
    }  # fmt: skip

    def card(reference: str) -> ModelCard:
        return ModelCard.from_data(here.parts.predictor.card(reference))

    def known(reference: str) -> ModelCard:
        return beginning.card_of(here.store, reference, card)

    record = here.record(project_id)
    spec = RunSpec(
        body.model, body.field, query_of(body.query, body.ids), tuple(body.classes), body.min_confidence,
        body.name.strip(), body.workers, body.batch_size, body.settings,
        **running.told(here.store, record, body.model, options, known),
    )  # fmt: skip
    made = beginning.begin_run(here.store, record, spec, actor=here.user, card_of=card)
    return _answer(here, made.id, 201)


@router.post("/projects/{project_id}/runs/adopt", response_model=Run, status_code=201, responses=problems(404, 409))
def adopt_field(project_id: ProjectId, body: RunAdopt, here: HereDep) -> Response:
    """Take a field whose labels carry confidences for review, like a run. The field itself stays as it is."""
    made = reviewing.adopt(here.store, here.record(project_id), body.field, here.user)
    return _answer(here, made.id, 201)


@router.get("/runs/{run_id}", response_model=Run, responses=problems(404))
def get_run(run_id: RunId, here: HereDep) -> Response:
    """A run with how far it is."""
    return _answer(here, run_id)


@router.patch("/runs/{run_id}", response_model=Run, responses=problems(404, 409))
def update_run(run_id: RunId, body: RunUpdate, here: HereDep) -> Response:
    """Give a run another name; its field keeps its own."""
    running.rename(here.store, run_id, body.name)
    return _answer(here, run_id)


@router.post("/runs/{run_id}/pause", response_model=Run, responses=problems(404, 409))
def pause_run(run_id: RunId, here: HereDep) -> Response:
    """Pause a run: its workers finish their batch."""
    return _steer(here, run_id, control.pause)


@router.post("/runs/{run_id}/resume", response_model=Run, responses=problems(404, 409))
def resume_run(run_id: RunId, here: HereDep) -> Response:
    """Go on with a paused, cancelled or failed run: what is done is skipped."""
    return _steer(here, run_id, control.resume)


@router.post("/runs/{run_id}/cancel", response_model=Run, responses=problems(404, 409))
def cancel_run(run_id: RunId, here: HereDep) -> Response:
    """Cancel a run; what it has labelled stays, and it may be resumed."""
    return _steer(here, run_id, control.cancel)


@router.post("/runs/{run_id}/skip", response_model=Run, responses=problems(404, 409))
def skip_run(run_id: RunId, here: HereDep) -> Response:
    """Stop a run where it is, and go to review with what there is."""
    return _steer(here, run_id, control.skip_to_review)


@router.post("/runs/{run_id}/retry", response_model=Run, responses=problems(404, 409))
def retry_run(run_id: RunId, here: HereDep) -> Response:
    """Try the images that failed again."""
    return _steer(here, run_id, control.retry_failed)


@router.get("/runs/{run_id}/failures", response_model=FailurePage, responses=problems(404))
def list_failures(run_id: RunId, here: HereDep, after: After = "", limit: Limit = 100) -> Response:
    """Images that a run could not label, with the reason."""
    key = wire.from_cursor(after)
    last = key[0] if key and isinstance(key[0], int) else 0
    with here.store.read() as c:
        runs.get(c, run_id)
        found = runs.failures(c, run_id, after=last, limit=limit + 1)
    items = [{"image_id": image_id, "name": name, "reason": reason} for image_id, name, reason in found[:limit]]
    following = wire.cursor((found[limit - 1][0],)) if len(found) > limit else None
    return Json({"items": items, "next": following})


def _steer(here: Here, run_id: int, verb: Callable[[Store, int], DomainRun]) -> Response:
    verb(here.store, run_id)
    here.parts.hub.nudge()
    return _answer(here, run_id)


def _answer(here: Here, run_id: int, status: int = 200) -> Response:
    return Json(_data(here.store, control.get(here.store, run_id)), status_code=status)


def _data(store: Store, run: DomainRun) -> dict[str, Any]:
    if run.state not in (RunState.QUEUED, RunState.GENERATING):
        return wire.run(run)
    progress = control.progress(store, run.id)  # notices workers that died
    return wire.run(control.get(store, run.id), progress)
