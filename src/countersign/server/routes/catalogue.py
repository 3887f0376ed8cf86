"""The catalogue of models, and their weights on the server's computer: fetched, added, checked, removed."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Query, UploadFile
from starlette.responses import Response

from countersign.domain.errors import InvalidInput
from countersign.domain.model import ModelCard
from countersign.models.folder import licences, weights
from countersign.server.context import Here, HereDep, local_path
from countersign.server.operations import Ticket
from countersign.server.routes._common import ModelName, problems
from countersign.server.schemas.catalogue import (
    CatalogueList,
    CatalogueModel,
    CheckCreate,
    DiskUsage,
    ModelAdd,
    ModelNamed,
    PickleAllow,
    PickleAllowed,
    PullCreate,
    Removed,
)
from countersign.server.schemas.operations import Operation
from countersign.server.uploads import add_file
from countersign.server.wire import Json
from countersign.workbench.models import Models
from countersign.workbench.shelf import WORKSPACE, Entry

router = APIRouter(tags=["catalogue"])

_LEFT_OUT = ("classes", "files", "details", "weights_hash")


class ServedModels(Models):
    """The models for one request: done by who asks, and cards read by the process that predicts."""

    def __init__(self, here: Here) -> None:
        super().__init__(here.store)
        self._here = here

    @property
    def _user(self) -> str:
        return self._here.user

    def _read_card(self, reference: str) -> ModelCard:
        return ModelCard.from_data(self._here.parts.predictor.card(reference))


@router.get("/catalogue", response_model=CatalogueList, responses=problems())
def list_catalogue(
    here: HereDep,
    task: Annotated[str, Query(max_length=100, description="Only models that do this.")] = "",
    vocabulary: Annotated[
        str, Query(max_length=200, description="`zero-shot`, `fixed`, or a class that a model must be able to find.")
    ] = "",
    licence: Annotated[
        str, Query(max_length=100, description="`permissive`, `restricted`, or a part of a licence's name.")
    ] = "",
    installed: Annotated[bool | None, Query(description="Only models whose files are here, or are not.")] = None,
) -> Response:
    """All models that can be used: of the workspace, of the catalogue, added ones."""
    found = ServedModels(here).catalogue(task=task, vocabulary=vocabulary, licence=licence, installed=installed)
    return Json({"items": [_entry(entry) for entry in found], "folder": str(weights.folder())})


@router.get("/catalogue/model", response_model=CatalogueModel, responses=problems(404))
def get_catalogue_model(
    here: HereDep,
    model: Annotated[str, Query(min_length=1, max_length=300, description="Its name, or `family:owner/name`.")],
) -> Response:
    """A model with all that is known of it."""
    return Json(_whole(ServedModels(here).entry(model)))


@router.post("/catalogue/pull", response_model=Operation, status_code=202, responses=problems(404))
def pull_model(body: PullCreate, here: HereDep) -> Response:
    """Fetch a model's weights. What was broken off or cancelled goes on when it is asked for again.

    422 where a licence must be accepted that is not.
    """
    shelf = ServedModels(here)
    entry = shelf.entry(body.model)
    if not body.accept_licence:
        licences.require(entry.card)

    def work(ticket: Ticket) -> dict[str, Any]:
        done = shelf.pull(
            body.model, accept_licence=body.accept_licence, allow_pickles=body.allow_pickles, again=body.again,
            on_progress=ticket.on_progress,
        )  # fmt: skip
        return _entry(done)

    return _started(here, "pull", f"Download of {entry.name}", work, about=entry.name)


@router.post("/catalogue/check", response_model=Operation, status_code=202, responses=problems(404))
def check_models(body: CheckCreate, here: HereDep) -> Response:
    """Hash the files of models again: the operation's result has the `files`, each `ok`, `damaged`, `missing` ..."""
    shelf = ServedModels(here)
    for name in body.models:
        shelf.entry(name)

    def work(ticket: Ticket) -> dict[str, Any]:
        found = shelf.check(*body.models, on_progress=ticket.on_progress)
        return {"files": [dataclasses.asdict(item) for item in found]}

    return _started(here, "check", "Check of the models' files", work)


@router.post("/catalogue/licence", response_model=CatalogueModel, responses=problems(404))
def accept_model_licence(body: ModelNamed, here: HereDep) -> Response:
    """Accept a model's licence: recorded with the user's name."""
    return Json(_whole(ServedModels(here).accept_licence(body.model)))


@router.post("/catalogue/add", response_model=CatalogueModel, status_code=201, responses=problems(409))
def add_model(body: ModelAdd, here: HereDep) -> Response:
    """Give a file or folder of the server's computer a name among the models."""
    here.check_path_allowed()
    made = ServedModels(here).add(
        local_path(body.path), name=body.name, classes=body.classes, licence=body.licence,
        description=body.description, reference=body.reference, link=body.link, allow_pickle=body.allow_pickle,
    )  # fmt: skip
    return Json(_whole(made), status_code=201)


@router.post("/catalogue/upload", response_model=CatalogueModel, status_code=201, responses=problems(409))
def upload_own_model(
    here: HereDep,
    files: Annotated[list[UploadFile], File(description="A model's file and what belongs to it, or a folder's files.")],
    paths: Annotated[
        list[str], Form(description="Path of each file below the folder that was dropped; none: their names.")
    ] = [],  # noqa: B006
    name: Annotated[str, Form(max_length=100, description="Empty: of its file.")] = "",
    classes: Annotated[str, Form(max_length=2_000_000, description="A JSON list of the outputs' names.")] = "[]",
    licence: Annotated[str, Form(max_length=200)] = "",
    description: Annotated[str, Form(max_length=2000)] = "",
    reference: Annotated[str, Form(max_length=300, description="The architecture: `timm:resnet18`.")] = "",
    kind: Annotated[
        Literal["file", "folder"], Form(description="Whether the first file is the model, or all.")
    ] = "file",
) -> Response:
    """Add a model from files of yours. Pickles are refused."""
    if paths and len(paths) != len(files):
        raise InvalidInput(
            f"There are {len(files)} files and {len(paths)} paths", remedy="Give one path for each file."
        )
    with tempfile.TemporaryDirectory(prefix="countersign-") as made:
        folder = Path(made)
        kept = [
            add_file(folder, paths[i] if paths else file.filename or f"file-{i}", file.file)
            for i, file in enumerate(files)
        ]
        top = kept[0].relative_to(folder).parts[0]
        path = kept[0] if kind == "file" else folder / top if (folder / top).is_dir() else folder
        entry = ServedModels(here).add(
            path, name=name or ("" if path != folder else "model"), classes=_names(classes), licence=licence,
            description=description, reference=reference,
        )  # fmt: skip
        return Json(_whole(entry), status_code=201)


@router.post("/catalogue/pickle", response_model=PickleAllowed, responses=problems())
def allow_pickle(body: PickleAllow, here: HereDep) -> Response:
    """Allow one pickle of the server's computer, by its content, to be opened from now on."""
    here.check_path_allowed()
    return Json({"sha256": ServedModels(here).allow_pickle(local_path(body.path))})


@router.get("/catalogue/usage", response_model=DiskUsage, responses=problems())
def get_disk_usage(here: HereDep) -> Response:
    """Bytes that each model takes in the models folder."""
    return Json({"folder": str(weights.folder()), "models": ServedModels(here).disk_usage()})


@router.delete("/catalogue/models/{model}", response_model=Removed, responses=problems(404, 409))
def remove_model(model: ModelName, here: HereDep) -> Response:
    """Delete a model's files from the models folder. Files that it only links to stay."""
    return Json({"bytes": ServedModels(here).remove(model)})


def _names(text: str) -> list[str]:
    try:
        found = json.loads(text or "[]")
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise InvalidInput("The classes are no JSON list of names", remedy='Send ["cat", "dog"].')
    return found


def _started(here: Here, kind: str, title: str, work: Callable[[Ticket], dict[str, Any]], about: str = "") -> Response:
    made = here.parts.operations.start(None, kind, title, here.user, work, about=about)
    return Json(made.to_data(), status_code=202)


def _entry(entry: Entry) -> dict[str, Any]:
    data = entry.to_data()
    card = data.pop("card")
    kept = {name: value for name, value in card.items() if name not in (*_LEFT_OUT, "name")}
    needs_boxes = bool(entry.card.details.get("needs_boxes"))
    made = {
        "classes": len(entry.card.classes),
        "needs_boxes": needs_boxes,
        "estimated_bytes": entry.card.estimated_bytes,
    }
    return data | kept | made


def _whole(entry: Entry) -> dict[str, Any]:
    card = entry.card
    recorded = weights.recorded_files(card) if entry.installed and entry.origin != WORKSPACE else ()
    return _entry(entry) | {
        "class_names": list(card.classes),
        "files": [dataclasses.asdict(file) for file in card.files],
        "recorded": [dataclasses.asdict(file) for file in recorded],
        "weights_hash": card.weights_hash,
        "details": dict(card.details),
        "licence_notice": f"{licences.notice(card)}." if licences.to_accept(card) else "",
    }
