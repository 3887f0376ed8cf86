"""Images: pages, ids, counts, marks; their pictures."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from countersign.domain.errors import QueryError
from countersign.domain.image import Image as DomainImage
from countersign.domain.label import LabelState
from countersign.domain.query import ImageQuery, LabelFilter
from countersign.domain.review import ClassStat
from countersign.server import querytext, wire
from countersign.server.context import Here, HereDep, query_of
from countersign.server.routes._common import (
    After,
    FieldNames,
    ImageId,
    Limit,
    ProjectId,
    QueryText,
    Version,
    binary,
    picture,
    problems,
)
from countersign.server.schemas.common import Count
from countersign.server.schemas.images import (
    Facets,
    GeometryDetail,
    ImageDetail,
    ImageIds,
    ImageList,
    ImageLookup,
    ImageNames,
    ImagePage,
    ImageSearch,
    ImageSelection,
    ImagesUpdate,
    ImageTarget,
    QueryCheck,
    ThumbnailsWanted,
)
from countersign.server.wire import Json
from countersign.store import browse, editions, fields, images, labels, review
from countersign.workbench import looking, selecting

router = APIRouter(tags=["images"])

SortBy = Annotated[
    Literal["id", "-id", "name", "-name", "confidence", "-confidence"],
    Query(
        alias="sort",
        description="Order. By confidence: by the lowest (`-`: highest) label that fits, which needs `field=` in the "
        "query.",
    ),
]
Detail = Annotated[
    GeometryDetail,
    Query(alias="geometry", description="`preview`: light shapes for small pictures; `bounds`: boxes around them."),
]


@router.get("/projects/{project_id}/images", response_model=ImagePage, responses=problems(404))
def list_images(
    project_id: ProjectId,
    here: HereDep,
    query: QueryText = "",
    sort: SortBy = "id",
    after: After = "",
    limit: Limit = 100,
    fields_of: FieldNames = [],  # noqa: B006  (FastAPI copies it)
    geometry: Detail = "full",
) -> Response:
    """A page of the images that fit, with the labels of some fields."""
    wanted = ImageSearch(query=query, sort=sort, after=after, limit=limit, labels=fields_of, geometry=geometry)
    return _page(here, project_id, wanted)


@router.post("/projects/{project_id}/images/search", response_model=ImagePage, responses=problems(404))
def search_images(project_id: ProjectId, body: ImageSearch, here: HereDep) -> Response:
    """As `list_images`, for selections too long for an address."""
    return _page(here, project_id, body)


@router.post("/projects/{project_id}/images/ids", response_model=ImageIds, responses=problems(404))
def search_image_ids(project_id: ProjectId, body: ImageTarget, here: HereDep) -> Response:
    """As `list_image_ids`, for selections too long for an address."""
    here.record(project_id)
    with here.store.read() as c:
        return _ids(browse.ids_text(c, project_id, query_of(body.query, body.ids)))


def _page(here: Here, project_id: int, body: ImageSearch) -> Response:
    here.record(project_id)
    wanted, order = query_of(body.query, body.ids), browse.Sort(body.sort)
    paths = body.paths and here.parts.settings.paths_allowed
    with here.store.read() as c:
        if order.by_confidence:
            found, following = _by_confidence(c, project_id, wanted, body.sort, body.after, body.limit)
        else:
            after = wire.from_cursor(body.after)
            found, key = browse.page(c, project_id, wanted, sort=order, after=after, limit=body.limit)
            following = wire.cursor(key)
        here.parts.pictures.seen(found)
        items = with_labels(c, project_id, found, body.labels, detail=body.geometry, paths=paths)
    return Json({"items": items, "next": following})


def _by_confidence(
    c: Any, project_id: int, wanted: ImageQuery, sort: str, after: str, limit: int
) -> tuple[Sequence[DomainImage], str | None]:
    if not wanted.labels.field:
        raise QueryError("Images by confidence need a field", remedy="Add field=NAME to the query.")
    field_id = fields.get(c, project_id, wanted.labels.field).id
    page = review.page_images(
        c,
        field_id,
        labels=wanted.labels,
        query=querytext.without_labels(wanted),
        order=sort,
        after=after or None,
        limit=limit,
    )
    return page.items, page.next


@router.get("/projects/{project_id}/images/ids", response_model=ImageIds, responses=problems(404))
def list_image_ids(project_id: ProjectId, here: HereDep, query: QueryText = "", sort: SortBy = "id") -> Response:
    """The ids of all images that fit, in order: for a virtual grid, and for the way from one image to the next."""
    here.record(project_id)
    with here.store.read() as c:
        return _ids(browse.ids_text(c, project_id, query_of(query), sort=browse.Sort(sort)))


def _ids(text: str) -> Response:
    return Response(f'{{"ids":[{text}]}}', media_type="application/json")


@router.post("/projects/{project_id}/images/lookup", response_model=ImageList, responses=problems(404))
def lookup_images(project_id: ProjectId, body: ImageLookup, here: HereDep) -> Response:
    """Images by their ids, with the labels of some fields. Ids that are not there are left out."""
    here.record(project_id)
    with here.store.read() as c:
        found = [image for image in images.by_ids(c, body.ids) if image.project_id == project_id]
        paths = body.paths and here.parts.settings.paths_allowed
        here.parts.pictures.seen(found)
        return Json({"items": with_labels(c, project_id, found, body.labels, detail=body.geometry, paths=paths)})


@router.post("/projects/{project_id}/images/select", response_model=ImageSelection, responses=problems(404))
def select_images(project_id: ProjectId, body: ImageNames, here: HereDep) -> Response:
    """The ids of the images that names mean. 422 where none of them fits."""
    here.record(project_id)
    found = selecting.select(here.store, project_id, body.names)
    ids = found.query.ids or ()
    return Json({"ids": ids, "unmatched": found.unmatched, "ambiguous": found.ambiguous})


@router.get("/projects/{project_id}/images/count", response_model=Count, responses=problems(404))
def count_images(project_id: ProjectId, here: HereDep, query: QueryText = "") -> Response:
    """How many images fit."""
    here.record(project_id)
    with here.store.read() as c:
        return Json({"count": images.count(c, project_id, query_of(query))})


def _label_counts(
    c: Any, field_id: int, wanted: ImageQuery, present: Sequence[str]
) -> tuple[list[ClassStat], list[tuple[str, int]]]:
    """Labels per class and per state of a field, each under what else the query asks of labels."""
    chosen, images_only = wanted.labels, querytext.without_labels(wanted)

    def stats(states: Sequence[LabelState], classes: Sequence[str] = ()) -> list[ClassStat]:
        return review.stats(
            c, field_id, query=images_only, states=states, classes=classes,
            min_confidence=chosen.min_confidence, max_confidence=chosen.max_confidence,
        )  # fmt: skip

    found = stats(chosen.states)
    known = {stat.class_name for stat in found}
    classes = tuple(name for name in chosen.classes if name in known)
    if len(present) == 1 and not chosen.states and not classes:  # the same question again
        return found, [(present[0], sum(stat.current for stat in found))]
    states = [(name, sum(stat.current for stat in stats([wire.state_of(name)], classes))) for name in present]
    return found, states


@router.get("/projects/{project_id}/images/facets", response_model=Facets, responses=problems(404))
def get_image_facets(
    project_id: ProjectId,
    here: HereDep,
    query: QueryText = "",
    field: Annotated[str, Query(max_length=64, description="Field whose classes and states to count.")] = "",
) -> Response:
    """What there is to filter by, counted on the images that fit."""
    here.record(project_id)
    wanted = query_of(query)
    with here.store.read() as c:
        known = browse.field_counts(c, project_id)
        found = browse.facets(c, project_id, wanted, fields_of=[item.row.name for item in known])
        stats: list[ClassStat] = []
        states: list[tuple[str, int]] = []
        if field:
            field_id = fields.get(c, project_id, field).id
            present = next(sorted(item.by_state) for item in known if item.row.id == field_id)
            stats, states = _label_counts(c, field_id, wanted, present)
    labels_in = {item.row.name: item.labels for item in known}
    return Json(
        {
            "images": found.images,
            "total": found.total,
            "splits": wire.counts(found.splits),
            "tags": wire.counts(found.tags),
            "file_states": wire.counts(found.states),
            "fields": [
                {"name": name, "labels": labels_in[name], "images_with": count} for name, count in found.with_labels
            ],
            "classes": [
                {"name": stat.class_name, "count": stat.current, "mean_confidence": stat.mean_confidence}
                for stat in stats
            ],
            "states": wire.counts(states),
        }
    )


@router.get("/projects/{project_id}/images/check", response_model=QueryCheck, responses=problems(404))
def check_query(project_id: ProjectId, here: HereDep, query: QueryText = "") -> Response:
    """Whether a query can be read, as it is typed. Never an error."""
    here.record(project_id)
    try:
        wanted = query_of(query)
        with here.store.read() as c:
            images.page(c, project_id, wanted, limit=1)
    except QueryError as error:
        return Json({"valid": False, "problem": str(error), "text": query})
    except Exception as error:
        if not hasattr(error, "what"):
            raise
        return Json({"valid": False, "problem": str(error), "text": query})
    return Json({"valid": True, "problem": "", "text": querytext.to_text(wanted)})


@router.patch("/projects/{project_id}/images", response_model=Count, responses=problems(404))
def update_images(project_id: ProjectId, body: ImagesUpdate, here: HereDep) -> Response:
    """Set the split and tags of many images at once. Answers how many they are."""
    record = here.record(project_id)
    wanted = query_of(body.query, body.ids)
    count = looking.mark(here.store, record, wanted, body.add_tags, body.remove_tags, body.split)
    return Json({"count": count})


@router.get("/images/{image_id}", response_model=ImageDetail, responses=problems(404))
def get_image(image_id: ImageId, here: HereDep, fields_of: FieldNames = []) -> Response:  # noqa: B006
    """One image, with the labels of some fields and where its file is."""
    found = here.image(image_id)
    with here.store.read() as c:
        item = with_labels(c, found.project_id, [found], fields_of)[0]
    path = found.path if here.parts.settings.paths_allowed else found.name
    return Json({"image": item, "path": path})


@router.get(
    "/images/{image_id}/file",
    response_class=Response,
    responses=binary("image/jpeg image/png image/webp", "The picture.") | problems(404),
)
def get_image_file(image_id: ImageId, request: Request, here: HereDep, version: Version = "") -> Response:
    """The whole picture, upright, as a browser shows it: the file itself where that is possible, else a rendition."""
    found = here.image(image_id)
    return picture(request, here.parts.pictures.full(found), version=version, digest=found.content_hash)


@router.get(
    "/images/{image_id}/thumbnail",
    response_class=Response,
    responses=binary("image/jpeg", "The picture.") | problems(404),
)
async def get_image_thumbnail(
    image_id: ImageId,
    request: Request,
    here: HereDep,
    size: Annotated[
        int, Query(ge=16, le=1024, description="Longer side: 128, 256 or 512, the next one is taken.")
    ] = 256,
    version: Version = "",
) -> Response:
    """A small picture, made once."""
    # A grid asks for forty at once: those that are there are sent without a thread and without the database.
    ready = here.parts.pictures.ready(image_id, size, version)
    if ready is not None:
        return picture(request, ready[0], version=version, digest=version, data=ready[1])

    def make() -> Response:
        found = here.image(image_id)
        here.parts.pictures.seen([found])
        return picture(request, here.parts.pictures.thumbnail(found, size), version=version, digest=found.content_hash)

    return await run_in_threadpool(make)


@router.post(
    "/projects/{project_id}/images/thumbnails",
    response_class=Response,
    responses=binary("text/plain", "A line for each picture.") | problems(404),
)
def get_thumbnails(project_id: ProjectId, body: ThumbnailsWanted, here: HereDep) -> Response:
    """Many small pictures at once, as a grid needs them.

    A line for each, as soon as it is there: the image's id, a blank, the JPEG in base64; nothing after the blank where
    it cannot be shown. So a page has its address at once, `data:image/jpeg;base64,...`.
    """
    here.record(project_id)
    with here.store.read() as c:
        found = {image.id: image for image in images.by_ids(c, set(body.ids)) if image.project_id == project_id}
    wanted = [found[number] for number in dict.fromkeys(body.ids) if number in found]  # first what was named first
    return StreamingResponse(
        here.parts.pictures.thumbnails(wanted, body.size), media_type="text/plain",
        headers={"cache-control": "no-store"},
    )  # fmt: skip


def with_labels(
    c: Any,
    project_id: int,
    found: Sequence[DomainImage],
    names: Sequence[str],
    *,
    detail: str = "full",
    only: LabelFilter | None = None,
    paths: bool = False,
) -> list[dict[str, Any]]:
    """Return images as JSON values with their labels in these fields."""
    if not names:
        return [wire.image(image, with_path=paths) for image in found]
    by_image: dict[int, list[dict[str, Any]]] = {image.id: [] for image in found}
    for name in dict.fromkeys(names):
        field_id = fields.get(c, project_id, name).id
        theirs = labels.for_images(c, field_id, list(by_image), filter=only)
        every = [label for label in itertools.chain.from_iterable(theirs.values()) if label.id is not None]
        versions = editions.versions(c, [label.id for label in every if label.id is not None])
        for label in every:
            assert label.id is not None
            assert label.image_id is not None
            by_image[label.image_id].append(wire.label(label, name, versions[label.id], detail=detail))
    return [wire.image(image, by_image[image.id], with_path=paths) for image in found]


def one_with_labels(here: Here, image: DomainImage, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the labels of one image in these fields."""
    with here.store.read() as c:
        found: list[dict[str, Any]] = with_labels(c, image.project_id, [image], names)[0]["labels"] or []
        return found
