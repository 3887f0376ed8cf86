"""Which class of a project a class of a model becomes."""

from __future__ import annotations

import dataclasses
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from countersign.domain.model import ModelCard
from countersign.server.context import Here, HereDep
from countersign.server.routes._common import ProjectId, problems
from countersign.server.routes.models import check_reference
from countersign.server.schemas.classes import LabelMap, LabelMapUpdate
from countersign.server.wire import Json
from countersign.workbench import beginning, label_maps

router = APIRouter(tags=["classes"])


def _vocabulary(here: Here, model: str) -> tuple[str, ...]:
    check_reference(here, model)

    def elsewhere(reference: str) -> ModelCard:
        return ModelCard.from_data(here.parts.predictor.card(reference))

    return beginning.card_of(here.store, model, elsewhere).classes


@router.get("/projects/{project_id}/label-map", response_model=LabelMap, responses=problems(404, 503))
def get_label_map(
    project_id: ProjectId,
    here: HereDep,
    model: Annotated[str, Query(min_length=1, max_length=500, description="A model's name or reference.")],
) -> Response:
    """The label map of a model in a project: the one that was kept, or what is suggested by name."""
    record = here.record(project_id)
    return Json(dataclasses.asdict(label_maps.get(here.store, record, model, _vocabulary(here, model))))


@router.put("/projects/{project_id}/label-map", response_model=LabelMap, responses=problems(404, 503))
def put_label_map(project_id: ProjectId, body: LabelMapUpdate, here: HereDep) -> Response:
    """Keep a label map in place of the one there was, or forget it (null)."""
    record = here.record(project_id)
    known = _vocabulary(here, body.model)
    if body.classes is None:
        label_maps.clear(here.store, record, body.model)
        return Json(dataclasses.asdict(label_maps.get(here.store, record, body.model, known)))
    return Json(dataclasses.asdict(label_maps.put(here.store, record, body.model, body.classes, known)))
