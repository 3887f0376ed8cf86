"""Objects cut out of the image on screen by pointing at them, by the process that predicts."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from countersign.domain.geometry import Box, Mask
from countersign.domain.image import Image
from countersign.runs import catalogue, segmenting
from countersign.server.context import Here, HereDep
from countersign.server.pictures import checked
from countersign.server.routes._common import ImageId, problems
from countersign.server.routes.models import check_reference
from countersign.server.schemas.segmenting import Looked, LookRequest, Segmented, SegmentRequest
from countersign.server.wire import Json
from countersign.workbench.as_json import geometry, to_geometry
from countersign.workbench.segmenting import outline_of

router = APIRouter(tags=["models"])


@router.post("/images/{image_id}/segment", response_model=Segmented, responses=problems(404, 503))
def segment_image(image_id: ImageId, body: SegmentRequest, here: HereDep) -> Response:
    """What a model cuts out where somebody points. Nothing is stored.

    The model looks at an image once, which takes seconds without a graphics card; the clicks after that are quick.
    503 where the process that does it died; try again.
    """
    image = _image(here, image_id, body.model)
    given = body.box
    box = Box(given.x, given.y, given.width, given.height) if given else None
    points = [(point.x, point.y, point.include) for point in body.points]
    segmenting.clicks(points, box, image.width, image.height)  # what is wrong is said before anything is loaded
    started = time.monotonic()
    found = here.parts.predictor.segment(body.model, image, points, box)
    outline = _outline(found["mask"], body.tolerance) if body.outline else None
    return Json({
        "mask": found["mask"], "outline": outline, "confidence": found["confidence"], "looked": found["looked"],
        "segmented_by": found["model"], "seconds": time.monotonic() - started,
    })  # fmt: skip


@router.post("/images/{image_id}/segment/look", response_model=Looked, responses=problems(404, 503))
def look_at_image(image_id: ImageId, body: LookRequest, here: HereDep) -> Response:
    """Let a model look at an image before anybody clicks: the first click is as quick as the next ones then."""
    image = _image(here, image_id, body.model)
    started = time.monotonic()
    found = here.parts.predictor.segment(body.model, image, None)
    return Json({
        "looked": found["looked"], "segmented_by": found["model"], "seconds": time.monotonic() - started
    })  # fmt: skip


def _image(here: Here, image_id: int, model: str) -> Image:
    check_reference(here, model)
    image = here.image(image_id)
    checked(image)
    catalogue.parse(here.store, model)
    return image


def _outline(mask: dict[str, Any] | None, tolerance: float) -> dict[str, Any] | None:
    shape = to_geometry(mask)
    return geometry(outline_of(shape, tolerance)) if isinstance(shape, Mask) else None
