"""Classes and fields."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from countersign.domain.errors import CountersignError, NameTaken
from countersign.domain.label import LabelClass as DomainClass
from countersign.domain.run import check_field_name
from countersign.server import wire
from countersign.server.context import Here, HereDep
from countersign.server.routes._common import ClassId, FieldId, ProjectId, problems
from countersign.server.schemas.classes import (
    ClassCreate,
    ClassList,
    ClassUpdate,
    Field,
    FieldCheck,
    FieldCreate,
    FieldList,
    FieldUpdate,
    LabelClass,
)
from countersign.server.wire import Json
from countersign.store import browse, class_edits, classes, fields, projects

router = APIRouter()


@router.get("/projects/{project_id}/classes", tags=["classes"], response_model=ClassList, responses=problems(404))
def list_classes(project_id: ProjectId, here: HereDep) -> Response:
    """All classes of a project, in the order in which they were made."""
    here.record(project_id)
    with here.store.read() as c:
        counts = browse.class_counts(c, project_id)
        found = [wire.label_class(item, counts.get(item.id or 0, 0)) for item in classes.list_all(c, project_id)]
    return Json({"items": found})


@router.post(
    "/projects/{project_id}/classes",
    tags=["classes"],
    response_model=LabelClass,
    status_code=201,
    responses=problems(404, 409),
)
def create_class(project_id: ProjectId, body: ClassCreate, here: HereDep) -> Response:
    """Make a class. 409 where there is one of this name."""
    made = DomainClass(body.name, body.color, tuple(body.keypoint_names), tuple(body.skeleton))
    with here.store.write() as c:
        projects.by_id(c, project_id)
        if any(item.name == body.name for item in classes.list_all(c, project_id)):
            raise NameTaken("class", body.name)
        classes.ensure(c, project_id, [made])
        return Json(wire.label_class(classes.get(c, project_id, body.name), 0), status_code=201)


@router.patch("/classes/{class_id}", tags=["classes"], response_model=LabelClass, responses=problems(404, 409))
def update_class(class_id: ClassId, body: ClassUpdate, here: HereDep) -> Response:
    """Give a class another name, colour or skeleton. All its labels follow."""
    with here.store.write() as c:
        project_id, found = class_edits.by_id(c, class_id)
        new = classes.update(
            c,
            project_id,
            found.name,
            new_name=body.name,
            color=body.color,
            keypoint_names=None if body.keypoint_names is None else tuple(body.keypoint_names),
            skeleton=None if body.skeleton is None else tuple(body.skeleton),
        )
        return Json(wire.label_class(new, browse.class_counts(c, project_id).get(class_id, 0)))


@router.delete("/classes/{class_id}", tags=["classes"], status_code=204, responses=problems(404, 409))
def delete_class(class_id: ClassId, here: HereDep) -> Response:
    """Delete a class that no label has or had."""
    with here.store.write() as c:
        class_edits.delete(c, class_id)
    return Response(status_code=204)


@router.get("/projects/{project_id}/fields", tags=["fields"], response_model=FieldList, responses=problems(404))
def list_fields(project_id: ProjectId, here: HereDep) -> Response:
    """All fields of a project, oldest first, with counts."""
    here.record(project_id)
    return Json({"items": _fields(here, project_id)})


@router.get("/projects/{project_id}/fields/check", tags=["fields"], response_model=FieldCheck, responses=problems(404))
def check_field(
    project_id: ProjectId, here: HereDep, name: Annotated[str, Query(max_length=200, description="The name.")] = ""
) -> Response:
    """Whether a name may be given to a new field, as it is typed."""
    here.record(project_id)
    try:
        check_field_name(name)
        with here.store.read() as c:
            if fields.find(c, project_id, name) is not None:
                raise NameTaken("field", name)
    except CountersignError as error:
        return Json({"free": False, "problem": str(error)})
    return Json({"free": True, "problem": ""})


@router.post(
    "/projects/{project_id}/fields",
    tags=["fields"],
    response_model=Field,
    status_code=201,
    responses=problems(404, 409),
)
def create_field(project_id: ProjectId, body: FieldCreate, here: HereDep) -> Response:
    """Make a field."""
    with here.store.write() as c:
        projects.by_id(c, project_id)
        made = fields.create(c, project_id, body.name)
    return Json(_field(here, project_id, made.id), status_code=201)


@router.patch("/fields/{field_id}", tags=["fields"], response_model=Field, responses=problems(404, 409))
def update_field(field_id: FieldId, body: FieldUpdate, here: HereDep) -> Response:
    """Give a field another name. A run's field keeps its own: 409."""
    with here.store.write() as c:
        found = fields.row(c, field_id)
        if found.run_id is not None and body.name != found.name:
            from countersign.domain.errors import WrongState

            raise WrongState(f"The field {found.name!r} is a run's", remedy="Rename the run; its field keeps its name.")
        fields.rename(c, found.project_id, found.name, body.name)
    return Json(_field(here, found.project_id, field_id))


@router.delete("/fields/{field_id}", tags=["fields"], status_code=204, responses=problems(404, 409))
def delete_field(field_id: FieldId, here: HereDep) -> Response:
    """Delete a field with its labels, for good; a run goes with its field."""
    with here.store.write() as c:
        found = fields.row(c, field_id)
        fields.delete(c, found.project_id, found.name, actor=here.user)
    return Response(status_code=204)


def _field(here: Here, project_id: int, field_id: int) -> dict[str, Any]:
    return next(item for item in _fields(here, project_id) if item["id"] == field_id)


def _fields(here: Here, project_id: int) -> list[dict[str, Any]]:
    with here.store.read() as c:
        known = browse.field_counts(c, project_id)
        details = here.parts.counts.of(c, project_id, known)
    return [
        {
            "id": item.row.id,
            "name": item.row.name,
            "run_id": item.row.run_id,
            "closed": item.row.closed,
            "created_at": detail.created_at,
            "labels": item.labels,
            "images": detail.images,
            "states": wire.counts(sorted(item.by_state.items())),
            "kinds": wire.counts(detail.kinds),
            "has_confidence": item.confident,
        }
        for item, detail in zip(known, details, strict=True)
    ]
