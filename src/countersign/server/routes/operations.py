"""Long work of the server itself: imports, exports, measurements; uploads for them; label formats."""

from __future__ import annotations

import dataclasses
import os
import shutil
import uuid
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, UploadFile
from starlette.responses import FileResponse, Response

from countersign import formats
from countersign.domain.errors import InvalidInput, NotFound
from countersign.domain.query import ImageQuery, LabelFilter
from countersign.server import wire
from countersign.server.context import Here, HereDep, local_path, query_of
from countersign.server.operations import Operation as Work
from countersign.server.operations import Ticket
from countersign.server.routes._common import OperationId, ProjectId, UploadId, binary, problems
from countersign.server.schemas.operations import (
    CompareCreate,
    EvaluateCreate,
    ExportCreate,
    FormatList,
    ImportCreate,
    Operation,
    OperationList,
    Upload,
    UploadImport,
)
from countersign.server.uploads import add_file, folder_of, size_of
from countersign.server.wire import Json
from countersign.store import blobs, fields, images
from countersign.workbench import comparing
from countersign.workbench.evaluation import Found
from countersign.workbench.project import Project

router = APIRouter(tags=["operations"])


@router.get("/formats", response_model=FormatList, responses=problems())
def list_formats(here: HereDep) -> Response:
    """All label formats, with their settings."""
    found = [
        {
            "name": made.name,
            "title": made.title,
            "reads": made.reader is not None,
            "writes": made.writer is not None,
            "out": made.out,
            "suffix": made.suffix,
            "read_settings": dict(made.read_settings),
            "write_settings": dict(made.write_settings),
        }
        for made in formats.formats()
    ]
    return Json({"items": found})


@router.post("/projects/{project_id}/import", response_model=Operation, status_code=202, responses=problems(404))
def import_path(project_id: ProjectId, body: ImportCreate, here: HereDep) -> Response:
    """Import a folder of images, a label file or folder, or both at once, from the server's computer.

    Images stay where they are. 422 where the server does not allow paths: upload the files instead.
    """
    here.check_path_allowed()
    local_path(body.images or ".")
    if not local_path(body.path).exists():
        raise InvalidInput(f"There is no file or folder {body.path}", remedy="Check the path.")
    _check_format(body.format)
    project = here.project(project_id)

    def work(ticket: Ticket) -> dict[str, Any]:
        return _import(project, local_path(body.path), body, body.images, ticket)

    return _started(here, project, "import", f"Import of {Path(body.path).name or body.path}", work)


@router.post("/projects/{project_id}/uploads", response_model=Upload, status_code=201, responses=problems(404))
def create_upload(project_id: ProjectId, here: HereDep) -> Response:
    """Begin an upload: add files to it, then import them all at once."""
    here.record(project_id)
    upload_id = uuid.uuid4().hex
    folder_of(here.store, upload_id, project_id=project_id).mkdir(parents=True)
    return Json({"id": upload_id, "project_id": project_id, "files": 0, "bytes": 0}, status_code=201)


@router.post("/uploads/{upload_id}/files", response_model=Upload, responses=problems(404, 409))
def add_upload_files(
    upload_id: UploadId,
    here: HereDep,
    files: Annotated[list[UploadFile], File(description="Up to 1000 image files or label files.")],
    paths: Annotated[
        list[str],
        Form(description="Path of each file below the folder that was dropped, with slashes; none: their names."),
    ] = [],  # noqa: B006
) -> Response:
    """Add files to an upload. Send many in several requests."""
    folder = folder_of(here.store, upload_id)
    if paths and len(paths) != len(files):
        raise InvalidInput(
            f"There are {len(files)} files and {len(paths)} paths", remedy="Give one path for each file."
        )
    for number, file in enumerate(files):
        add_file(folder, paths[number] if paths else file.filename or f"file-{number}", file.file)
    return Json(_upload(folder, upload_id))


@router.post("/uploads/{upload_id}/import", response_model=Operation, status_code=202, responses=problems(404))
def import_upload(upload_id: UploadId, body: UploadImport, here: HereDep) -> Response:
    """Import the files of an upload. Image files stay in the workspace from now on."""
    folder = folder_of(here.store, upload_id)
    if not any(path.is_file() for path in folder.rglob("*")):
        raise InvalidInput("Nothing was uploaded", remedy="Add files first.")
    _check_format(body.format)
    project = here.project(int(folder.parent.name))

    def work(ticket: Ticket) -> dict[str, Any]:
        files = [path for path in folder.rglob("*") if path.is_file()]
        done = _import(project, files[0] if len(files) == 1 else folder, body, None, ticket)
        pictures, of_labels = done.get("images", done), done.get("labels")
        added_by_labels = of_labels.get("images_added", 0) if isinstance(of_labels, dict) else 0
        if (
            not (isinstance(pictures, dict) and (pictures.get("added") or pictures.get("moved")))
            and not added_by_labels
        ):
            blobs.delete(folder)  # no image refers to it
        return done

    return _started(here, project, "import", "Import of uploaded files", work)


@router.delete("/uploads/{upload_id}", status_code=204, responses=problems(404))
def delete_upload(upload_id: UploadId, here: HereDep) -> Response:
    """Give an upload up that was not imported. Files of images of the project stay."""
    folder = folder_of(here.store, upload_id)
    if not _is_used(here, folder):
        blobs.delete(folder)
    return Response(status_code=204)


@router.post("/projects/{project_id}/export", response_model=Operation, status_code=202, responses=problems(404))
def export_labels(project_id: ProjectId, body: ExportCreate, here: HereDep) -> Response:
    """Write the labels of a field in a format: to a file to download, or to a path of the server's computer."""
    project = here.project(project_id)
    made = formats.get(body.format)
    if body.out is not None:
        here.check_path_allowed()
    with here.store.read() as c:
        fields.get(c, project_id, body.field)
    wanted = LabelFilter(
        "", tuple(body.classes), body.min_confidence, body.max_confidence, tuple(map(wire.state_of, body.states))
    )
    query = query_of(body.query, body.ids)
    target = local_path(body.out) if body.out else None

    def work(ticket: Ticket) -> dict[str, Any]:
        out = target or _export_place(here, ticket.id, project.name, body.field, made)
        report = project.export(
            out, field=body.field, format=made.name, images=query, labels=wanted, settings=body.settings,
            on_progress=ticket.on_progress,
        )  # fmt: skip
        if target is None:
            ticket.made(_packed(out) if out.is_dir() else out)
        return report.to_data() | ({"out": str(out)} if target else {})

    return _started(here, project, "export", f"Export of {body.field} as {made.title}", work)


@router.post("/projects/{project_id}/evaluate", response_model=Operation, status_code=202, responses=problems(404))
def evaluate_field(project_id: ProjectId, body: EvaluateCreate, here: HereDep) -> Response:
    """Measure a field against another: the operation's result has the numbers."""
    project, query = _measured(here, project_id, body)

    def work(ticket: Ticket) -> dict[str, Any]:
        found = comparing.evaluate(
            here.store, here.record(project_id), body.field, body.against, query=query, classes=body.classes,
            min_confidence=body.min_confidence, on_progress=ticket.on_progress,
        )  # fmt: skip
        return dataclasses.asdict(found)

    return _started(here, project, "evaluate", f"Measuring {body.field} against {body.against}", work)


@router.post("/projects/{project_id}/compare", response_model=Operation, status_code=202, responses=problems(404))
def compare_fields(project_id: ProjectId, body: CompareCreate, here: HereDep) -> Response:
    """List where two fields differ: the operation's result has `counts` by kind and the `differences`."""
    project, query = _measured(here, project_id, body)

    def work(ticket: Ticket) -> dict[str, Any]:
        found = comparing.compare(
            here.store, here.record(project_id), body.field, body.against, query=query, classes=body.classes,
            min_confidence=body.min_confidence, only=body.only, match_iou=body.match_iou, same_iou=body.same_iou,
        )  # fmt: skip
        counts = Counter(item.difference.what.value for item in found)
        listed = [_difference(item, body.field, body.against) for item in found[: body.most]]
        return {"counts": dict(sorted(counts.items())), "differences": listed}

    return _started(here, project, "compare", f"Comparing {body.field} with {body.against}", work)


@router.get("/projects/{project_id}/operations", response_model=OperationList, responses=problems(404))
def list_operations(project_id: ProjectId, here: HereDep) -> Response:
    """The operations of a project, the newest first. What a server was at when it ended has failed."""
    here.record(project_id)
    return Json({"items": [item.to_data() for item in here.parts.operations.of_project(project_id)]})


@router.get("/operations", response_model=OperationList, responses=problems())
def list_shared_operations(here: HereDep) -> Response:
    """The operations on what all projects share (downloads and checks of models), the newest first."""
    return Json({"items": [item.to_data() for item in here.parts.operations.of_project(None)]})


@router.get("/operations/{operation_id}", response_model=Operation, responses=problems(404))
def get_operation(operation_id: OperationId, here: HereDep) -> Response:
    """An operation with how far it is."""
    return Json(here.parts.operations.get(operation_id).to_data())


@router.delete("/operations/{operation_id}", response_model=Operation, responses=problems(404, 409))
def cancel_operation(operation_id: OperationId, here: HereDep) -> Response:
    """Ask an operation to end. What an import has brought in by then stays."""
    return Json(here.parts.operations.cancel(operation_id).to_data())


@router.get(
    "/operations/{operation_id}/file",
    response_class=Response,
    responses=binary("application/octet-stream", "The file.") | problems(404),
)
def get_operation_file(operation_id: OperationId, here: HereDep) -> Response:
    """The file that an export made. A folder comes as a ZIP archive."""
    found = here.parts.operations.get(operation_id)
    if found.file is None or not found.file.is_file():
        raise NotFound("file of the operation", operation_id, remedy="Export again.")
    return FileResponse(found.file, media_type="application/octet-stream", filename=found.file.name)


def _started(here: Here, project: Project, kind: str, title: str, work: Callable[[Ticket], dict[str, Any]]) -> Response:
    def then_tell(ticket: Ticket) -> dict[str, Any]:
        try:
            return work(ticket)
        finally:
            here.parts.hub.nudge()

    made: Work = here.parts.operations.start(project.id, kind, title, here.user, then_tell)
    return Json(made.to_data(), status_code=202)


def _measured(here: Here, project_id: int, body: EvaluateCreate) -> tuple[Project, ImageQuery | None]:
    project = here.project(project_id)
    with here.store.read() as c:
        for name in (body.field, body.against):
            fields.get(c, project_id, name)
    query = query_of(body.query, body.ids)
    return project, None if query.empty else query


def _difference(item: Found, field: str, against: str) -> dict[str, Any]:
    found, truth = item.difference.found, item.difference.truth
    return {
        "image": wire.image(item.image),
        "what": item.difference.what.value,
        "iou": item.difference.iou,
        "found": found and wire.label(found, field, 0),
        "truth": truth and wire.label(truth, against, 0),
    }


def _import(
    project: Project, path: Path, body: ImportCreate | UploadImport, pictures: str | None, ticket: Ticket
) -> dict[str, Any]:
    """Bring in what is asked for; return the report."""
    if body.what == "images":
        found = project.import_images(path, split=body.split, tags=body.tags, on_progress=ticket.on_progress)
        return found.to_data()
    if body.what == "labels":
        read = project.import_labels(
            path, format=body.format, field=body.field, images=pictures, settings=body.settings,
            on_progress=ticket.on_progress,
        )  # fmt: skip
        return read.to_data()
    done = project.import_path(
        path, format=body.format, field=body.field, images=pictures, split=body.split, tags=body.tags,
        settings=body.settings, on_progress=ticket.on_progress,
    )  # fmt: skip
    return done.to_data()


def _check_format(name: str) -> None:
    if name not in ("auto", "none"):
        formats.get(name)


def _is_used(here: Here, folder: Path) -> bool:
    """Whether an image of the project is one of the files of an upload."""
    with here.store.read() as c:
        known = images.known_files(c, int(folder.parent.name))
    return any(path.startswith(f"{folder}{os.sep}") for path in known)


def _upload(folder: Path, upload_id: str) -> dict[str, Any]:
    files, size = size_of(folder)
    return {"id": upload_id, "project_id": int(folder.parent.name), "files": files, "bytes": size}


def _export_place(here: Here, operation_id: str, project: str, field: str, made: formats.Format) -> Path:
    words = "".join(
        letter if letter.isalnum() or letter in "-_." else "-" for letter in f"{project}-{field}-{made.name}"
    )
    folder = here.store.blobs / "exports" / operation_id
    folder.mkdir(parents=True)
    return folder / (words.lstrip(".") + (made.suffix if made.out == "file" else ""))


def _packed(folder: Path) -> Path:
    """Pack a folder into an archive beside it, and remove the folder."""
    archive = folder.with_name(f"{folder.name}.zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                packed.write(path, path.relative_to(folder))
    shutil.rmtree(folder)
    return archive
