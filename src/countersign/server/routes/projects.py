"""Projects, their history, and the folders they may be made of."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from countersign.domain.errors import InvalidInput, NotFound
from countersign.imaging import ENDINGS
from countersign.server import wire
from countersign.server.context import Here, HereDep, local_path
from countersign.server.routes._common import After, ChangeId, Limit, ProjectId, problems
from countersign.server.schemas.projects import (
    Change,
    ChangePage,
    Folder,
    Project,
    ProjectCreate,
    ProjectList,
    ProjectUpdate,
)
from countersign.server.wire import Json
from countersign.store import blobs, browse, history, projects, watch
from countersign.workbench.project import TRUTH

router = APIRouter(tags=["projects"])

_LISTED = 2000


@router.get("/projects", response_model=ProjectList, responses=problems())
def list_projects(here: HereDep) -> Response:
    """All projects, by name."""
    with here.store.read() as c:
        return Json({"items": [_summary(c, found) for found in projects.list_all(c)]})


@router.post("/projects", response_model=Project, status_code=201, responses=problems(409))
def create_project(body: ProjectCreate, here: HereDep) -> Response:
    """Make a project."""
    made = here.parts.workspace.create_project(body.name)
    return _one(here, made.id, 201)


@router.get("/projects/{project_id}", response_model=Project, responses=problems(404))
def get_project(project_id: ProjectId, here: HereDep) -> Response:
    """One project with its counts."""
    return _one(here, project_id)


@router.patch("/projects/{project_id}", response_model=Project, responses=problems(404, 409))
def update_project(project_id: ProjectId, body: ProjectUpdate, here: HereDep) -> Response:
    """Give a project another name."""
    with here.store.write() as c:
        projects.by_id(c, project_id)
        projects.rename(c, project_id, body.name)
    return _one(here, project_id)


@router.delete("/projects/{project_id}", status_code=204, responses=problems(404))
def delete_project(project_id: ProjectId, here: HereDep) -> Response:
    """Delete a project with its labels, runs and history. Image files stay, except those that were uploaded here."""
    with here.store.write() as c:
        projects.delete(c, project_id)
    blobs.delete(here.store.blobs / "uploads" / str(project_id))
    return Response(status_code=204)


@router.get("/projects/{project_id}/changes", response_model=ChangePage, responses=problems(404))
def list_changes(project_id: ProjectId, here: HereDep, after: After = "", limit: Limit = 50) -> Response:
    """What was done to the labels of a project, the newest first."""
    here.record(project_id)
    key = wire.from_cursor(after)
    before = key[0] if key and isinstance(key[0], int) else None
    with here.store.read() as c:
        found = history.list_all(c, project_id, limit=limit + 1, before=before)
    last = (found[limit - 1].id,) if len(found) > limit else None
    return Json({"items": [wire.change(item) for item in found[:limit]], "next": wire.cursor(last)})


@router.get("/projects/{project_id}/changes/{change_id}", response_model=Change, responses=problems(404))
def get_change(project_id: ProjectId, change_id: ChangeId, here: HereDep) -> Response:
    """One change."""
    here.record(project_id)
    with here.store.read() as c:
        found = history.list_all(c, project_id, limit=1, before=change_id + 1)
    if not found or found[0].id != change_id:
        raise NotFound("change", change_id)
    return Json(wire.change(found[0]))


@router.post(
    "/projects/{project_id}/changes/{change_id}/undo",
    response_model=Change,
    status_code=201,
    responses=problems(404, 409),
)
def undo_change(project_id: ProjectId, change_id: ChangeId, here: HereDep) -> Response:
    """Take back exactly what one change did. 409 where something later touched the same labels."""
    return Json(wire.change(here.project(project_id).undo(change_id)), status_code=201)


@router.get("/folders", response_model=Folder, responses=problems(404))
def list_folder(
    here: HereDep,
    path: Annotated[str, Query(max_length=4000, description="Folder of the server's computer; empty: the first.")] = "",
) -> Response:
    """Folders and files of the server's computer, to choose one to import. 422 where paths are not allowed."""
    here.check_path_allowed()
    folder = local_path(path) if path else Path.cwd()
    if not folder.is_dir():
        raise NotFound("folder", folder, remedy="Check the path.")
    folder = folder.absolute()
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: (not entry.is_dir(), entry.name.lower()))
    except OSError as error:
        raise InvalidInput(f"{folder} cannot be read: {error.strerror or error}") from error
    shown = [entry for entry in entries if not entry.name.startswith(".")]
    parent = str(folder.parent) if folder.parent != folder else None
    return Json(
        {
            "path": str(folder),
            "parent": parent,
            "items": [_entry(entry) for entry in shown[:_LISTED] if entry.name.isprintable()],
            "truncated": len(shown) > _LISTED,
        }
    )


def _entry(entry: os.DirEntry[str]) -> dict[str, Any]:
    is_folder = entry.is_dir()
    return {
        "name": entry.name,
        "path": entry.path,
        "is_folder": is_folder,
        "images": _images_in(entry) if is_folder else None,
    }


def _images_in(entry: os.DirEntry[str]) -> int:
    count = 0
    try:
        with os.scandir(entry.path) as found:
            for number, item in enumerate(found):
                count += os.path.splitext(item.name)[1].lower() in ENDINGS  # noqa: PTH122  (thousands of names)
                if number >= 1000:
                    break
    except OSError:
        return 0
    return count


def _one(here: Here, project_id: int, status: int = 200) -> Response:
    with here.store.read() as c:
        projects.by_id(c, project_id)
        found = next(item for item in projects.list_all(c) if item.project.id == project_id)
        return Json(_summary(c, found), status_code=status)


def _summary(c: Any, found: projects.ProjectSummary) -> dict[str, Any]:
    return {
        "id": found.project.id,
        "name": found.project.name,
        "created_at": found.project.created_at,
        "images": found.images,
        "labels": found.labels,
        "fields": found.fields,
        "runs": found.runs,
        "active": watch.active(c, found.project.id),
        "labelled": browse.labelled(c, found.project.id, TRUTH),
        "last_change": found.last_change,
        "cover": [{"id": image_id, "hash": digest} for image_id, digest in watch.cover(c, found.project.id)],
    }
