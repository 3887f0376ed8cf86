"""Reviewing what a run proposed: counts, pages, verdicts, approval."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BeforeValidator
from starlette.responses import Response

from countersign.domain.errors import InvalidInput
from countersign.domain.label import LabelState
from countersign.domain.query import ImageQuery, LabelFilter
from countersign.server import wire
from countersign.server.context import Here, HereDep, query_of
from countersign.server.pictures import region
from countersign.server.routes._common import After, FieldId, Limit, QueryText, RunId, problems
from countersign.server.routes.images import with_labels
from countersign.server.schemas.images import GeometryDetail, ImagePage
from countersign.server.schemas.projects import Change
from countersign.server.schemas.review import (
    Approve,
    Histogram,
    LabelSelection,
    ReviewLabelPage,
    ReviewStats,
    ReviewSummary,
    UndoPromotion,
)
from countersign.server.wire import Json
from countersign.store import browse, editions, fields, images, projects, runs
from countersign.workbench import reviewing

router = APIRouter(tags=["review"])

Low = Annotated[float | None, Query(alias="min", ge=0, le=1, description="Lowest confidence.")]
High = Annotated[float | None, Query(alias="max", ge=0, le=1, description="Highest confidence.")]
Classes = Annotated[list[str], Query(alias="class", max_length=1000, description="Only these classes.")]
StateName = Literal["verified", "proposed", "promoted", "rejected"]
States = Annotated[list[StateName], Query(alias="state", description="Only labels in these states.")]
Ordered = Annotated[
    Literal["id", "-id", "confidence", "-confidence"],
    Query(description="By confidence the lowest comes first (`-`: the highest); what has none comes last."),
]


@router.get("/runs/{run_id}/review", response_model=ReviewSummary, responses=problems(404))
def get_review(run_id: RunId, here: HereDep) -> Response:
    """How far a review is, and what an approval would do."""
    with here.store.read() as c:
        run = runs.get(c, run_id)
        known = next(item for item in browse.field_counts(c, run.project_id) if item.row.id == run.field_id)
        promoted = browse.promoted_counts(c, run.field_id, int(LabelState.PROMOTED))
        unsure = browse.unsure_count(c, run.field_id)
    states = [(state.name.lower(), known.by_state.get(state.name.lower(), 0)) for state in LabelState]
    return Json({"states": wire.counts(states), "promoted": wire.counts(promoted), "without_confidence": unsure})


@dataclass(frozen=True, slots=True)
class Shown:
    """What a filter shows: labels, on images."""

    labels: LabelFilter
    images: ImageQuery | None


async def _shown(
    low: Low = None,
    high: High = None,
    classes: Classes = [],  # noqa: B006
    states: States = [],  # noqa: B006
    query: QueryText = "",
) -> Shown:
    return Shown(_filter(low, high, classes, states), _images(query))


ShownDep = Annotated[Shown, Depends(_shown)]
Bins = Annotated[
    Literal[10, 20, 25, 50, 100],
    BeforeValidator(lambda text: int(text) if str(text).isdecimal() else text),  # an address holds text only
    Query(description="How many equal parts of 0 to 1."),
]
Detail = Annotated[
    GeometryDetail, Query(description="`preview`: light shapes for small pictures; `bounds`: boxes around them.")
]


@router.get("/runs/{run_id}/review/stats", response_model=ReviewStats, responses=problems(404))
def get_review_stats(run_id: RunId, here: HereDep, shown: ShownDep) -> Response:
    """Count labels per class: those that fit the filter, of all that the class has on these images."""
    return _stats(_review(here, run_id), shown)


@router.get("/runs/{run_id}/review/histogram", response_model=Histogram, responses=problems(404))
def get_review_histogram(run_id: RunId, here: HereDep, shown: ShownDep, bins: Bins = 50) -> Response:
    """Count labels per range of confidence; the range of the filter itself plays no part."""
    return _histogram(_review(here, run_id), shown, bins)


@router.get("/runs/{run_id}/review/labels", response_model=ReviewLabelPage, responses=problems(404))
def list_review_labels(
    run_id: RunId, here: HereDep, shown: ShownDep, order: Ordered = "id", after: After = "", limit: Limit = 100
) -> Response:
    """A page of single labels, to decide on one by one: see `/labels/{id}/crop` for their pictures."""
    return _label_page(here, _review(here, run_id), shown, order, after, limit)


@router.get("/runs/{run_id}/review/images", response_model=ImagePage, responses=problems(404))
def list_review_images(
    run_id: RunId,
    here: HereDep,
    shown: ShownDep,
    order: Ordered = "id",
    after: After = "",
    limit: Limit = 50,
    geometry: Detail = "full",
) -> Response:
    """A page of images with a label that fits, with those of their labels that do."""
    return _image_page(here, _review(here, run_id), shown, order, after, limit, geometry)


@router.get("/fields/{field_id}/stats", tags=["fields"], response_model=ReviewStats, responses=problems(404))
def get_field_stats(field_id: FieldId, here: HereDep, shown: ShownDep) -> Response:
    """As `get_review_stats`, for any field."""
    return _stats(_look(here, field_id), shown)


@router.get("/fields/{field_id}/histogram", tags=["fields"], response_model=Histogram, responses=problems(404))
def get_field_histogram(field_id: FieldId, here: HereDep, shown: ShownDep, bins: Bins = 50) -> Response:
    """As `get_review_histogram`, for any field."""
    return _histogram(_look(here, field_id), shown, bins)


@router.get("/fields/{field_id}/labels", tags=["fields"], response_model=ReviewLabelPage, responses=problems(404))
def list_field_labels(
    field_id: FieldId, here: HereDep, shown: ShownDep, order: Ordered = "id", after: After = "", limit: Limit = 100
) -> Response:
    """As `list_review_labels`, for any field."""
    return _label_page(here, _look(here, field_id), shown, order, after, limit)


@router.get("/fields/{field_id}/images", tags=["fields"], response_model=ImagePage, responses=problems(404))
def list_field_images(
    field_id: FieldId,
    here: HereDep,
    shown: ShownDep,
    order: Ordered = "id",
    after: After = "",
    limit: Limit = 50,
    geometry: Detail = "full",
) -> Response:
    """As `list_review_images`, for any field."""
    return _image_page(here, _look(here, field_id), shown, order, after, limit, geometry)


def _stats(review: reviewing.Review, shown: Shown) -> Response:
    found = review.stats(shown.labels, images=shown.images)
    items = [dataclasses.asdict(stat) for stat in found]
    current, total = sum(stat.current for stat in found), sum(stat.total for stat in found)
    return Json({"items": items, "current": current, "total": total})


def _histogram(review: reviewing.Review, shown: Shown, bins: int) -> Response:
    return Json({"bins": review.histogram(shown.labels, images=shown.images, bins=bins)})


def _label_page(here: Here, review: reviewing.Review, shown: Shown, order: str, after: str, limit: int) -> Response:
    page = review.labels(shown.labels, images=shown.images, order=order, after=after or None, limit=limit)
    with here.store.read() as c:
        known = {image.id: image for image in images.by_ids(c, {label.image_id or 0 for label in page.items})}
        versions = editions.versions(c, [label.id or 0 for label in page.items])
    items: list[dict[str, Any]] = []
    for label in page.items:
        image = known[label.image_id or 0]
        bounds = None if label.geometry is None else label.geometry.bounds
        part = region(bounds, image.width, image.height)
        items.append(
            {
                "label": wire.label(label, review.field, versions.get(label.id or 0, 0)),
                "image_name": image.name,
                "image_hash": image.content_hash,
                "region": dict(zip(("x", "y", "width", "height"), part, strict=True)),
            }
        )
    return Json({"items": items, "next": page.next})


def _image_page(
    here: Here, review: reviewing.Review, shown: Shown, order: str, after: str, limit: int, geometry: str
) -> Response:
    page = review.images(shown.labels, images=shown.images, order=order, after=after or None, limit=limit)
    items: list[dict[str, Any]] = []
    if page.items:
        with here.store.read() as c:
            project_id = page.items[0].project_id
            items = with_labels(c, project_id, page.items, [review.field], detail=geometry, only=shown.labels)
    return Json({"items": items, "next": page.next})


@router.post("/runs/{run_id}/review/promote", response_model=Change, status_code=201, responses=problems(404, 409))
def promote_labels(run_id: RunId, body: LabelSelection, here: HereDep) -> Response:
    """Put labels up for approval: these, or all open ones that the filter shows."""
    return _decided(here, _review(here, run_id).promote(**_selection(body)))


@router.post("/runs/{run_id}/review/reject", response_model=Change, status_code=201, responses=problems(404, 409))
def reject_labels(run_id: RunId, body: LabelSelection, here: HereDep) -> Response:
    """Mark labels as wrong: these, or all open ones that the filter shows. They are kept, as negatives."""
    return _decided(here, _review(here, run_id).reject(**_selection(body)))


@router.post("/runs/{run_id}/review/restore", response_model=Change, status_code=201, responses=problems(404, 409))
def restore_labels(run_id: RunId, body: LabelSelection, here: HereDep) -> Response:
    """Make rejected labels proposals again."""
    chosen = _selection(body)
    if chosen.pop("images") is not None and body.label_ids is None:
        raise InvalidInput("Restoring takes no query", remedy="Give label ids, or a filter of labels alone.")
    return _decided(here, _review(here, run_id).restore(**chosen))


@router.post("/runs/{run_id}/review/undo", response_model=Change, status_code=201, responses=problems(404, 409))
def undo_promotions(run_id: RunId, body: UndoPromotion, here: HereDep) -> Response:
    """Take promotions back: all, or those of some classes."""
    return _decided(here, _review(here, run_id).undo(body.classes))


@router.post("/runs/{run_id}/review/approve", response_model=Change, status_code=201, responses=problems(404, 409))
def approve_run(run_id: RunId, body: Approve, here: HereDep) -> Response:
    """Join the promoted labels to a field as verified ones, and close the run."""
    return _decided(here, _review(here, run_id).approve(body.into, empty=body.empty))


def _decided(here: Here, change: Any) -> Response:
    here.parts.hub.nudge()
    return Json(wire.change(change), status_code=201)


def _review(here: Here, run_id: int) -> reviewing.Review:
    with here.store.read() as c:
        run = runs.get(c, run_id)
        project = projects.by_id(c, run.project_id)
    return reviewing.open_review(here.store, project, run, here.user)


def _look(here: Here, field_id: int) -> reviewing.Review:
    """Open any field, to look at it like at one under review."""
    with here.store.read() as c:
        field = fields.by_id(c, field_id)
        project = projects.by_id(c, field.project_id)
    return reviewing.Review(here.store, project, field, None, here.user)


def _filter(low: float | None, high: float | None, classes: list[str], states: list[StateName]) -> LabelFilter:
    return LabelFilter("", tuple(classes), low, high, tuple(wire.state_of(state) for state in states))


def _images(query: str) -> ImageQuery | None:
    found = query_of(query)
    return None if found.empty else found


def _selection(body: LabelSelection) -> dict[str, Any]:
    wanted = _filter(body.min, body.max, body.classes, list(body.states))
    return {"labels": None if wanted.empty else wanted, "images": _images(body.query), "ids": body.label_ids}
