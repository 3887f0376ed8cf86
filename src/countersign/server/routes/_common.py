"""What the routes share: parameters, and answers as they are declared in the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query, Request
from starlette.responses import Response

from countersign.server.pictures import Picture

MOST = 2**53 - 1

ProjectId = Annotated[int, Path(ge=1, le=MOST, description="Number of the project.")]
ImageId = Annotated[int, Path(ge=1, le=MOST, description="Number of the image.")]
LabelId = Annotated[int, Path(ge=1, le=MOST, description="Number of the label.")]
ClassId = Annotated[int, Path(ge=1, le=MOST, description="Number of the class.")]
FieldId = Annotated[int, Path(ge=1, le=MOST, description="Number of the field.")]
RunId = Annotated[int, Path(ge=1, le=MOST, description="Number of the run.")]
TrainingId = Annotated[int, Path(ge=1, le=MOST, description="Number of the training.")]
ChangeId = Annotated[int, Path(ge=1, le=MOST, description="Number of the change.")]
ModelName = Annotated[str, Path(min_length=1, max_length=100, description="Name of the model.")]
OperationId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="Id of the operation.")]
UploadId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="Id of the upload.")]

QueryText = Annotated[
    str,
    Query(
        alias="query",
        max_length=20_000,
        description="Which images, in words: `text~PART name= id= split= tag= -tag= field= class= confidence=LOW..HIGH "
        "state= has= -has= file=`, separated by blanks; empty: all. Or in JSON, as runs tell their `images`.",
        examples=["split=train has=ground_truth"],
    ),
]
After = Annotated[str, Query(max_length=2000, description="The `next` of the page before; empty: the first page.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="Items of a page, at most.")]
FieldNames = Annotated[
    list[str], Query(alias="labels", max_length=20, description="Fields whose labels to return with the images.")
]
Version = Annotated[
    str,
    Query(alias="v", max_length=100, description="The image's `hash`. With it, browsers keep the picture for good."),
]

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_WORDS = {
    401: "You are not signed in.", 403: "Not allowed.", 404: "There is no such thing.",
    409: "It clashes with what is there.", 422: "What was sent cannot be used.",
    500: "A fault of the program.", 503: "A part that does the work is not there right now.",
}  # fmt: skip


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Declare problems as answers: these, and those that every route may give."""
    return {
        # A reference, no ``model``: FastAPI would build one for every status of every route as the server starts.
        status: {"description": _WORDS[status], "content": _PROBLEM}
        for status in sorted({401, 422, *statuses})
    }


def binary(media: str, what: str) -> dict[int | str, dict[str, Any]]:
    """Declare bytes as the answer."""
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in media.split(" ")}
    return {200: {"description": what, "content": content}, 304: {"description": "You have it already."}}


def picture(request: Request, found: Picture, *, version: str, digest: str, data: bytes | None = None) -> Response:
    """Send a picture, or say that the browser has it. With the right version it may be kept for good.

    ``data`` is what lies at its path, where that was read already.
    """
    etag = f'"{found.etag}"'
    forever = version and digest.startswith(version)
    control = "private, max-age=31536000, immutable" if forever else "private, no-cache"
    headers = {"etag": etag, "cache-control": control}
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(found.path.read_bytes() if data is None else data, media_type=found.media_type, headers=headers)
