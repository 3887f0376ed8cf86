"""Models behind a URL: known, changed, tested."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, UploadFile
from starlette.responses import Response

from countersign.server import wire
from countersign.server.context import Here, HereDep
from countersign.server.pictures import checked
from countersign.server.routes._common import ModelName, problems
from countersign.server.schemas.learning import Task
from countersign.server.schemas.remote_models import (
    RemoteModel,
    RemoteModelCreate,
    RemoteModelList,
    RemoteModelTest,
    RemoteModelTested,
    RemoteModelUpdate,
)
from countersign.server.uploads import add_file
from countersign.server.wire import Json
from countersign.workbench import remote_models as verbs
from countersign.workbench.remote_models import RemoteModels

router = APIRouter(tags=["models"])

_OF_THIS_COMPUTER = ("secret_env", "ca_file", "allow_link_local")


@router.get("/remote-models", response_model=RemoteModelList, responses=problems())
def list_remote_models(here: HereDep) -> Response:
    """All models behind a URL, oldest first."""
    return Json({"items": [_wire(item) for item in RemoteModels(here.store).list()]})


@router.post("/remote-models", response_model=RemoteModel, status_code=201, responses=problems(409))
def create_remote_model(body: RemoteModelCreate, here: HereDep) -> Response:
    """Know a model behind a URL. One of our own contract is asked for its card."""
    _check(here, body.spec)
    said = {key: value for key, value in body.spec.items() if key != "card"}
    made = RemoteModels(here.store).add(body.name, str(said.pop("url", "")), **said)
    return Json(_wire(made), status_code=201)


@router.get("/remote-models/{model}", response_model=RemoteModel, responses=problems(404))
def get_remote_model(model: ModelName, here: HereDep) -> Response:
    """A model behind a URL."""
    return Json(_wire(RemoteModels(here.store).get(model)))


@router.patch("/remote-models/{model}", response_model=RemoteModel, responses=problems(404, 409))
def update_remote_model(model: ModelName, body: RemoteModelUpdate, here: HereDep) -> Response:
    """Change what is said of a model behind a URL."""
    known = RemoteModels(here.store)
    old = known.get(model).spec
    said = {key: value for key, value in body.spec.items() if key not in ("card", "has_secret")}
    _check(here, {key: value for key, value in said.items() if old.get(key) != value})
    return Json(_wire(known.edit(model, new_name=body.name, **said)))


@router.delete("/remote-models/{model}", status_code=204, responses=problems(404))
def delete_remote_model(model: ModelName, here: HereDep) -> Response:
    """Forget a model behind a URL."""
    RemoteModels(here.store).delete(model)
    return Response(status_code=204)


@router.post("/remote-models/{model}/test", response_model=RemoteModelTested, responses=problems(404))
def test_remote_model(model: ModelName, body: RemoteModelTest, here: HereDep) -> Response:
    """Ask whether a model's server is there and, with an image, what the model says of it. Nothing is stored."""
    path = None
    if body.image_id is not None:
        image = here.image(body.image_id)
        checked(image)
        path = image.path
    return _tested(here, model, path, body.min_confidence, body.classes, body.task)


@router.post("/remote-models/{model}/test-file", response_model=RemoteModelTested, responses=problems(404))
def try_remote_model(
    model: ModelName,
    here: HereDep,
    file: Annotated[UploadFile, File(description="An image of yours. It is not kept.")],
    min_confidence: Annotated[float, Form(ge=0, le=1)] = 0.1,
    classes: Annotated[list[str], Form(max_length=10_000)] = [],  # noqa: B006
    task: Annotated[Task | None, Form(description="None: the first that the model does.")] = None,
) -> Response:
    """Ask what a model behind a URL says of a file of yours, of any format that is read here. Nothing is stored."""
    with tempfile.TemporaryDirectory(prefix="countersign-") as folder:
        path = add_file(Path(folder), file.filename or "image", file.file)
        return _tested(here, model, path, min_confidence, classes, task)


def _tested(
    here: Here, model: str, path: str | Path | None, min_confidence: float, classes: list[str], task: str | None
) -> Response:
    found = RemoteModels(here.store).test(model, path, min_confidence=min_confidence, classes=classes, task=task)
    predictions = None if found.predictions is None else [wire.prediction(item) for item in found.predictions]
    return Json(
        {"answer": found.answer, "seconds": found.seconds, "predictions": predictions, "counts": dict(found.counts)}
    )


def _check(here: Here, said: dict[str, Any]) -> None:
    """Raise InvalidInput where somebody may not name what belongs to the server's computer, and does."""
    if any(said.get(key) for key in _OF_THIS_COMPUTER):
        here.check_path_allowed()


def _wire(item: verbs.RemoteModel) -> dict[str, Any]:
    return {
        "name": item.name,
        "reference": item.reference,
        "spec": dict(item.spec),
        "card": item.card.to_data(),
        "created_at": item.created_at,
    }
