"""Trainings: begin, follow, cancel."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from countersign.domain.errors import InvalidInput
from countersign.domain.work import Training as DomainTraining
from countersign.domain.work import TrainingSpec
from countersign.learn import settings as learning
from countersign.runs import training as work
from countersign.server import wire
from countersign.server.context import Here, HereDep, query_of
from countersign.server.events import model_name
from countersign.server.routes._common import ProjectId, TrainingId, problems
from countersign.server.schemas.learning import (
    Training,
    TrainingCreate,
    TrainingCurve,
    TrainingDefaults,
    TrainingList,
)
from countersign.server.wire import Json
from countersign.store import images
from countersign.workbench import training

router = APIRouter(tags=["trainings"])

BACKBONES = (
    "resnet18", "resnet34", "resnet50", "mobilenetv3_small_100", "mobilenetv3_large_100", "efficientnet_b0",
    "convnext_tiny", "convnext_small", "vit_small_patch14_dinov2",
)  # fmt: skip


@router.get("/projects/{project_id}/trainings", response_model=TrainingList, responses=problems(404))
def list_trainings(project_id: ProjectId, here: HereDep) -> Response:
    """The trainings of a project, the newest first."""
    found = training.list_all(here.store, here.record(project_id))
    return Json({"items": [_data(here, item) for item in reversed(found)]})


@router.get("/projects/{project_id}/trainings/defaults", response_model=TrainingDefaults, responses=problems(404))
def get_training_defaults(project_id: ProjectId, here: HereDep) -> Response:
    """What a training can be told: settings with their defaults and ranges."""
    name = training.next_name(here.store, here.record(project_id).name)
    return Json({"settings": learning.describe(), "backbones": BACKBONES, "name": name})


@router.post("/projects/{project_id}/trainings", response_model=Training, status_code=201, responses=problems(404, 409))
def create_training(project_id: ProjectId, body: TrainingCreate, here: HereDep) -> Response:
    """Begin a training, in a process of its own. 422 where no image that is chosen has labels."""
    record = here.record(project_id)
    wanted = query_of(body.query, body.ids)
    with here.store.read() as c:
        if not images.count(c, project_id, wanted):
            raise InvalidInput("No image fits", remedy="Choose at least one image that has labels.")
    settings = body.settings.model_dump(exclude_unset=True)
    spec = TrainingSpec(body.name.strip() or training.next_name(here.store, record.name), body.field, wanted, settings)
    made = work.create(here.store, project_id, spec, created_by=here.user)
    started = work.start(here.store, made.id)
    here.parts.hub.nudge()
    return Json(_data(here, started), status_code=201)


@router.get("/trainings/{training_id}", response_model=Training, responses=problems(404))
def get_training(training_id: TrainingId, here: HereDep) -> Response:
    """A training with what it last reported."""
    return Json(_data(here, work.get(here.store, training_id)))


@router.get("/trainings/{training_id}/curve", response_model=TrainingCurve, responses=problems(404))
def get_training_curve(training_id: TrainingId, here: HereDep) -> Response:
    """How the losses and the score went, from the beginning."""
    return Json({"points": work.get(here.store, training_id).progress.get("curve", [])})


@router.post("/trainings/{training_id}/cancel", response_model=Training, responses=problems(404, 409))
def cancel_training(training_id: TrainingId, here: HereDep) -> Response:
    """Ask a training to stop; what it has learned by then becomes the model."""
    work.get(here.store, training_id)
    cancelled = work.cancel(here.store, training_id)
    here.parts.hub.nudge()
    return Json(_data(here, cancelled))


def _data(here: Here, found: DomainTraining) -> dict[str, Any]:
    return wire.training(found, model_name(here.store, found.model_id))
