"""The stream of events."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.responses import Response, StreamingResponse

from countersign.server.context import HereDep
from countersign.server.routes._common import problems

router = APIRouter(tags=["events"])

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events without end. `data` of each is an `Event`, `event` its type.",
        "content": {"text/event-stream": {"schema": {"$ref": "#/components/schemas/Event"}}},
    }
}


@router.get("/events", response_class=StreamingResponse, responses=_STREAM | problems())
async def watch_events(
    here: HereDep,
    project: Annotated[int | None, Query(ge=1, le=2**53 - 1, description="Only events of this project.")] = None,
    last_event_id: Annotated[
        str, Header(max_length=100, description="Id of the last event that was seen: those since come first.")
    ] = "",
) -> Response:
    """What happens, as it happens: changes by anybody, runs, trainings, operations, lists that changed."""
    return StreamingResponse(
        here.parts.hub.stream(project, last_event_id),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )
