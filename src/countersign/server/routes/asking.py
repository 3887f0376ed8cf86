"""Questions about images, answered in words by the process that predicts."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from countersign.domain.errors import ModelError
from countersign.domain.label import Origin, Provenance
from countersign.runs import catalogue
from countersign.runs.asking import Said
from countersign.server.context import Here, HereDep, query_of
from countersign.server.operations import Ticket
from countersign.server.pictures import checked
from countersign.server.routes._common import ImageId, ProjectId, problems
from countersign.server.routes.models import check_reference
from countersign.server.schemas.learning import AskCreate, AskRequest, ImageAnswer
from countersign.server.schemas.operations import Operation
from countersign.server.wire import Json
from countersign.workbench import asking

router = APIRouter(tags=["models"])


@router.post("/images/{image_id}/ask", response_model=ImageAnswer, responses=problems(404, 503))
def ask_image(image_id: ImageId, body: AskRequest, here: HereDep) -> Response:
    """What a model answers to a question about an image. Nothing is stored.

    The first time takes long: the process that predicts starts and loads the model. 503 where it died; try again.
    """
    image = here.image(image_id)
    question = asking.check(here.store, here.record(image.project_id), body.question, "")
    _check_model(here, body.model)
    checked(image)
    started = time.monotonic()
    settings = {} if body.max_new_tokens is None else {"max_new_tokens": body.max_new_tokens}
    found = here.parts.predictor.ask(body.model, [image.path], question, settings)
    said = found["answers"][0]
    if said["text"] is None:
        raise ModelError(f"The model gave no answer: {said['error']}")
    return Json({"text": said["text"], "answered_by": found["model"], "seconds": time.monotonic() - started})


@router.post("/projects/{project_id}/ask", response_model=Operation, status_code=202, responses=problems(404, 409))
def ask_images(project_id: ProjectId, body: AskCreate, here: HereDep) -> Response:
    """Ask a model a question about many images. Cancelled, it keeps what it has written."""
    project = here.record(project_id)
    query = query_of(body.query, body.ids)
    question = asking.check(here.store, project, body.question, body.field, body.batch_size)
    _check_model(here, body.model)

    def work(ticket: Ticket) -> dict[str, Any]:
        try:
            found = asking.ask(
                here.store, project, question, model=body.model, field=body.field, query=query,
                batch_size=body.batch_size, actor=here.user, on_progress=ticket.on_progress,
                source=_source(here, body, question),
            )  # fmt: skip
        finally:
            here.parts.hub.nudge()
        return dataclasses.asdict(found) | {"failed": found.failed}

    made = here.parts.operations.start(project.id, "ask", f"Asking {body.model}: {question[:80]}", here.user, work)
    return Json(made.to_data(), status_code=202)


def _check_model(here: Here, model: str) -> None:
    check_reference(here, model)
    catalogue.parse(here.store, model)


def _source(here: Here, body: AskCreate, question: str) -> asking.Source:
    by: dict[str, str] = {}

    def ask(paths: Sequence[str]) -> list[Said]:
        found = here.parts.predictor.ask(body.model, paths, question, body.settings)
        by.update(found["model"])
        return [Said(item["text"], item["error"]) for item in found["answers"]]

    def provenance() -> Provenance:
        return Provenance(
            Origin.MODEL, model=by["model"], model_version=by["version"], weights_hash=by["weights_hash"],
            prompt=question,
        )  # fmt: skip

    return asking.Source(ask, provenance)
