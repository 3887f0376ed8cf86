"""Labels: of an image, one by one, in batches; crops of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from countersign.domain.errors import NotFound, Outdated
from countersign.domain.image import Project as Record
from countersign.domain.label import Check, Label, Origin, Provenance
from countersign.server import wire
from countersign.server.context import Here, HereDep
from countersign.server.errors import problem_of
from countersign.server.routes._common import (
    FieldNames,
    ImageId,
    LabelId,
    ProjectId,
    Version,
    binary,
    picture,
    problems,
)
from countersign.server.routes.images import one_with_labels
from countersign.server.schemas.labels import (
    BatchResult,
    CreateOperation,
    DeleteOperation,
    LabelBatch,
    LabelDetail,
    LabelList,
    LabelOperation,
    LabelsCreate,
    LabelUpdate,
    NewLabel,
    PredictedBy,
)
from countersign.server.schemas.labels import Label as LabelSchema
from countersign.server.wire import Json
from countersign.store import editions, fields, history, images, labels, projects
from countersign.workbench import editing, outcomes
from countersign.workbench.as_json import to_geometry

router = APIRouter(tags=["labels"])

Expected = Annotated[int | None, Query(ge=1, le=2**53 - 1, description="The version that was seen; 409 if outdated.")]


@router.get("/images/{image_id}/labels", response_model=LabelList, responses=problems(404))
def list_labels(image_id: ImageId, here: HereDep, fields_of: FieldNames = []) -> Response:  # noqa: B006
    """The labels of one image in some fields; in all, if none are given."""
    image = here.image(image_id)
    names = fields_of
    if not names:
        with here.store.read() as c:
            names = [item.row.name for item in _fields(c, image.project_id)]
    return Json({"items": one_with_labels(here, image, names)})


@router.post("/images/{image_id}/labels", response_model=LabelList, status_code=201, responses=problems(404, 409))
def create_labels(image_id: ImageId, body: LabelsCreate, here: HereDep) -> Response:
    """Add labels to one image, as one change: all of them or none."""
    image = here.image(image_id)
    record = here.record(image.project_id)
    operations = [editing.Create(image_id, body.field, _new(item, here.user)) for item in body.labels]
    done = editing.edit(here.store, record, operations, actor=here.user)
    for outcome in done.outcomes:
        if outcome.error is not None:
            raise outcome.error
    ids = [outcome.label_id for outcome in done.outcomes if outcome.label_id is not None]
    now = _now(here, ids)
    return Json({"items": [now[label_id] for label_id in ids]}, status_code=201)


@router.post("/projects/{project_id}/labels/batch", response_model=BatchResult, responses=problems(404, 409))
def edit_labels(project_id: ProjectId, body: LabelBatch, here: HereDep) -> Response:
    """Make, change and delete labels in order, in one transaction, and once: see `LabelBatch`.

    The answer is 200 even where single operations could not be done: their results say so.
    """
    record = here.record(project_id)
    operations = [_operation(item, here.user) for item in body.operations]
    request = editing.digest_of(body.model_dump(mode="json", exclude_unset=True, exclude={"key"}))
    done = editing.edit(here.store, record, operations, actor=here.user, key=body.key, request=request, note=body.note)
    here.parts.hub.nudge()
    now = _now(here, [outcome.label_id for outcome in done.outcomes if outcome.label_id is not None])
    results = [_result(outcome, now) for outcome in done.outcomes]
    return Json({"key": body.key, "replayed": done.replayed, "change_ids": done.changes, "results": results})


@router.get("/labels/{label_id}", response_model=LabelDetail, responses=problems(404))
def get_label(label_id: LabelId, here: HereDep) -> Response:
    """A label with its past."""
    with here.store.read() as c:
        found, name = _label(c, label_id)
        version = editions.versions(c, [label_id])[label_id]
        past = [
            {
                "change": wire.change(item.change),
                "before": item.before and wire.label(item.before, name, item.change.id),
                "after": item.after and wire.label(item.after, name, item.change.id),
            }
            for item in history.of_label(c, label_id)
        ]
    return Json(
        {"label": wire.label(found, name, version), "provenance": wire.provenance(found.provenance), "history": past}
    )


@router.patch("/labels/{label_id}", response_model=LabelSchema, responses=problems(404, 409))
def update_label(label_id: LabelId, body: LabelUpdate, here: HereDep) -> Response:
    """Change a label. A label of a run in review counts as promoted then."""
    _do(here, label_id, editing.Update(_values(body), label_id, expected=body.expected_version))
    return Json(_now(here, [label_id])[label_id])


@router.delete("/labels/{label_id}", status_code=204, responses=problems(404, 409))
def delete_label(label_id: LabelId, here: HereDep, expected_version: Expected = None) -> Response:
    """Delete a label. A proposal of a run is rejected instead: nothing that a model said is lost."""
    _do(here, label_id, editing.Delete(label_id, expected=expected_version))
    return Response(status_code=204)


@router.get(
    "/labels/{label_id}/crop", response_class=Response, responses=binary("image/jpeg", "The crop.") | problems(404)
)
def get_label_crop(
    label_id: LabelId,
    request: Request,
    here: HereDep,
    size: Annotated[int, Query(ge=16, le=640, description="Longer side: 96, 160 or 320, the next one is taken.")] = 160,
    version: Version = "",
) -> Response:
    """The part of the image around a label, made once. `v` is the label's `version`: with it it is kept for good."""
    with here.store.read() as c:
        found = labels.get(c, label_id)
        now = str(editions.versions(c, [label_id])[label_id])
        assert found.image_id is not None
        image = images.get(c, found.image_id)
    bounds = (
        found.geometry.bounds if found.geometry is not None else (0.0, 0.0, float(image.width), float(image.height))
    )
    made = here.parts.pictures.crop(image, bounds, size)
    return picture(request, made, version=version if version == now else "", digest=now)


def _do(here: Here, label_id: int, operation: editing.Operation) -> None:
    """Do one operation on a label, or raise what speaks against it."""
    outcome = editing.edit(here.store, _project_of(here, label_id), [operation], actor=here.user).outcomes[0]
    here.parts.hub.nudge()
    if isinstance(outcome.error, Outdated):
        outcome.error.current = _now(here, [label_id]).get(label_id)
    if outcome.error is not None:
        raise outcome.error


def _project_of(here: Here, label_id: int) -> Record:
    with here.store.read() as c:
        place = editions.place(c, label_id)
        if place is None and editions.was_deleted(c, label_id):
            by = editions.last_actor(c, label_id)
            raise Outdated(f"The label {label_id} was deleted", remedy="Draw it again if it is needed.", by=by)
        if place is None:
            raise NotFound("label", label_id)
        return projects.by_id(c, fields.row(c, place[0]).project_id)


def _operation(item: LabelOperation, user: str) -> editing.Operation:
    if isinstance(item, CreateOperation):
        return editing.Create(item.image_id, item.field, _new(item.label, user), item.client_id)
    if isinstance(item, DeleteOperation):
        return editing.Delete(item.label_id, item.client_id or "", item.expected_version)
    change = item.change
    return editing.Update(_values(change), item.label_id, item.client_id or "", change.expected_version)


def _values(body: LabelUpdate) -> dict[str, Any]:
    """Return what is given, as domain values. ``geometry: null`` counts as given."""
    given = body.model_fields_set
    values: dict[str, Any] = {}
    if body.class_name is not None:
        values["class_name"] = body.class_name
    if "geometry" in given:
        values["geometry"] = to_geometry(body.geometry.model_dump() if body.geometry else None)
    if body.attributes is not None:
        values["attributes"] = body.attributes
    if body.state is not None:
        values["state"] = wire.state_of(body.state)
    if "made_with" in given:
        values["made_with"] = _provenance(Origin.PERSON, body.made_with) if body.made_with else None
    return values


def _new(item: NewLabel, user: str) -> Label:
    geometry = to_geometry(item.geometry.model_dump() if item.geometry else None)
    made = Label(item.class_name, geometry, item.confidence, attributes=item.attributes)
    if item.predicted_by is not None:
        origin = _provenance(Origin.MODEL, item.predicted_by)
        return dataclasses.replace(made, provenance=origin, verified_by=user, verified_how=Check.SINGLE)
    if item.made_with is not None:
        return dataclasses.replace(made, provenance=_provenance(Origin.PERSON, item.made_with, user))
    return made


def _provenance(origin: Origin, by: PredictedBy, source: str = "") -> Provenance:
    return Provenance(
        origin, source=source, model=by.model, model_version=by.version, weights_hash=by.weights_hash,
        min_confidence=by.min_confidence,
    )  # fmt: skip


def _result(outcome: outcomes.Outcome, now: dict[int, dict[str, Any]]) -> dict[str, Any]:
    error = outcome.error
    status = "done" if error is None else "conflict" if isinstance(error, Outdated) else "refused"
    label = now.get(outcome.label_id or 0)
    return {
        "status": status,
        "label_id": outcome.label_id,
        "client_id": outcome.client_id or None,
        "label": label,
        "problem": None if error is None else problem_of(error, current=label),
    }


def _label(c: Any, label_id: int) -> tuple[Label, str]:
    found = labels.get(c, label_id)
    return found, fields.by_id(c, labels.field_of(c, label_id)).name


def _now(here: Here, label_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return the labels with these ids as they are now; those that are gone are left out."""
    found: dict[int, dict[str, Any]] = {}
    with here.store.read() as c:
        versions = editions.versions(c, set(label_ids))
        by_field: dict[int, list[int]] = {}
        for label_id, field_id in editions.fields_of(c, set(label_ids)).items():
            by_field.setdefault(field_id, []).append(label_id)
        for field_id, ids in by_field.items():
            name = fields.by_id(c, field_id).name
            for label in labels.by_ids(c, field_id, ids):
                assert label.id is not None
                found[label.id] = wire.label(label, name, versions[label.id])
    return found


def _fields(c: Any, project_id: int) -> list[Any]:
    from countersign.store import browse

    return list(browse.field_counts(c, project_id))
