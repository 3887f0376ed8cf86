"""Models, and what they say of the image on screen."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi import Path as ApiPath
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from countersign.domain.errors import NotFound
from countersign.domain.model import ModelCard as DomainCard
from countersign.domain.model import StoredModel
from countersign.models import catalogue as model_cards
from countersign.models import registry
from countersign.runs import catalogue as run_models
from countersign.server import wire
from countersign.server.context import Here, HereDep, local_path
from countersign.server.pictures import checked
from countersign.server.routes._common import ImageId, ModelName, binary, problems
from countersign.server.schemas.learning import (
    FamilyModels,
    Model,
    ModelCard,
    ModelImport,
    ModelList,
    ModelUpdate,
    PredictionList,
    PredictRequest,
)
from countersign.server.wire import Json
from countersign.store import trainings
from countersign.workbench import beginning
from countersign.workbench.models import Models

router = APIRouter(tags=["models"])


@router.get("/models", response_model=ModelList, responses=problems())
def list_models(here: HereDep) -> Response:
    """All models of the workspace, oldest first."""
    with here.store.read() as c:
        where = trainings.of_models(c)
    found = [wire.model(item, where.get(item.id)) for item in Models(here.store).list()]
    families = [name for name in registry.families() if name != registry.SAVED]
    return Json({"items": found, "families": families})


@router.get("/models/card", response_model=ModelCard, responses=problems(404, 503))
def get_model_card(
    here: HereDep,
    model: Annotated[
        str, Query(min_length=1, max_length=500, description="A model's name, or a family's: `timm:resnet18`.")
    ],
) -> Response:
    """The card of any model that a run can take. One of a family is asked of the process that predicts."""
    check_reference(here, model)

    def elsewhere(reference: str) -> DomainCard:
        return DomainCard.from_data(here.parts.predictor.card(reference))

    return Json(beginning.card_of(here.store, model, elsewhere).to_data())


@router.get("/families/{family}/models", response_model=FamilyModels, responses=problems(404, 503))
def list_family_models(
    here: HereDep,
    family: Annotated[str, ApiPath(min_length=1, max_length=100, description="A family of models, as `timm`.")],
    text: Annotated[str, Query(max_length=100, description="Only names with all these words in them.")] = "",
    limit: Annotated[int, Query(ge=1, le=1000, description="At most so many.")] = 100,
) -> Response:
    """Names that a reference to a family can have (`timm:resnet18` has `resnet18`), the shortest first.

    The first time takes seconds: it is asked of the process that predicts.
    """
    if family not in registry.families() or family == registry.SAVED:
        raise NotFound("family of models", family)
    words = text.lower().split()
    found = [name for name in here.parts.predictor.names(family) if all(word in name.lower() for word in words)]
    found.sort(key=lambda name: (not name.lower().startswith(text.lower().strip()), len(name), name))
    return Json({"items": found[:limit], "count": len(found)})


@router.post("/models/upload", response_model=Model, status_code=201, responses=problems(409))
def upload_model(
    here: HereDep,
    file: Annotated[UploadFile, File(description="A file that an export made.")],
    name: Annotated[str, Form(max_length=100, description="Name to give it; empty: its own.")] = "",
) -> Response:
    """Bring a model into the workspace from a file of yours."""
    with tempfile.TemporaryDirectory(prefix="countersign-") as folder:
        path = Path(folder) / "model.countersign-model"
        with path.open("wb") as copy:
            shutil.copyfileobj(file.file, copy)
        made = Models(here.store).import_file(path, name=name)
    return _answer(here, made, 201)


@router.post("/models/import", response_model=Model, status_code=201, responses=problems(409))
def import_model(body: ModelImport, here: HereDep) -> Response:
    """Bring a model into the workspace from a file or folder of the server's computer."""
    here.check_path_allowed()
    return _answer(here, Models(here.store).import_file(local_path(body.path), name=body.name), 201)


@router.get("/models/{model}", response_model=Model, responses=problems(404))
def get_model(model: ModelName, here: HereDep) -> Response:
    """A model of the workspace."""
    return _answer(here, Models(here.store).get(model))


@router.patch("/models/{model}", response_model=Model, responses=problems(404, 409))
def update_model(model: ModelName, body: ModelUpdate, here: HereDep) -> Response:
    """Give a model another name."""
    return _answer(here, Models(here.store).rename(model, body.name))


@router.delete("/models/{model}", status_code=204, responses=problems(404))
def delete_model(model: ModelName, here: HereDep) -> Response:
    """Delete a model and its weights. Labels that it made keep saying where they came from."""
    Models(here.store).delete(model)
    return Response(status_code=204)


@router.get(
    "/models/{model}/file",
    response_class=Response,
    responses=binary("application/octet-stream", "The model's file.") | problems(404),
)
def get_model_file(model: ModelName, here: HereDep) -> Response:
    """A model as one file, to take elsewhere."""
    folder = Path(tempfile.mkdtemp(prefix="countersign-"))
    try:
        path = Models(here.store).export(model, folder / "model.countersign-model")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    done = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    return FileResponse(
        path, media_type="application/octet-stream", filename=f"{model}.countersign-model", background=done
    )


@router.post("/images/{image_id}/predict", response_model=PredictionList, responses=problems(404, 503))
def predict_image(image_id: ImageId, body: PredictRequest, here: HereDep) -> Response:
    """What a model says of an image. Nothing is stored.

    The first time takes seconds: the process that predicts starts and loads the model. 503 where it died; try again.
    """
    check_reference(here, body.model)
    image = here.image(image_id)
    checked(image)
    run_models.parse(here.store, body.model)
    started = time.monotonic()
    found = here.parts.predictor.predict(
        body.model,
        image,
        classes=body.classes,
        min_confidence=body.min_confidence,
        nms=body.nms,
        task=body.task,
        prompts=[(prompt.text, prompt.class_name) for prompt in body.prompts],
        label_map=body.label_map,
    )
    seconds = time.monotonic() - started
    return Json({"items": found["predictions"], "predicted_by": found["model"], "seconds": seconds})


def _answer(here: Here, found: StoredModel, status: int = 200) -> Response:
    with here.store.read() as c:
        where = trainings.of_models(c).get(found.id)
    return Json(wire.model(found, where), status_code=status)


def _saved(here: Here) -> dict[str, Any]:
    return run_models.saved(here.store)


def check_reference(here: Here, text: str) -> None:
    """Raise InvalidInput for the path of a model where clients may not name files of this computer."""
    local_path(text)
    if text in _saved(here):
        return
    looks_like_path = "/" in text or "\\" in text or text.startswith((".", "~"))  # options of a family may name files
    if looks_like_path or (":" not in text and not model_cards.find(text.partition("?")[0])):
        here.check_path_allowed()
