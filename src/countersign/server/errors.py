"""What becomes of an exception: a problem (RFC 9457) with a status. The one place that knows both.

An error on purpose says what happened and what to do; anything else is a fault of the program: it is logged with its
traceback, and the client learns no more than that.
"""

from __future__ import annotations

import logging
import traceback
import uuid
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from countersign.domain.errors import (
    Cancelled,
    Conflict,
    CountersignError,
    ImageError,
    InvalidInput,
    ModelError,
    NotFound,
    Outdated,
    WorkerLost,
    WorkspaceError,
)
from countersign.imaging import MISSING

log = logging.getLogger("countersign.server")

_STATUS: tuple[tuple[type[CountersignError], int], ...] = (
    (NotFound, 404),
    (Conflict, 409),
    (InvalidInput, 422),
    (ImageError, 422),
    (WorkerLost, 503),
    (ModelError, 422),
    (WorkspaceError, 503),
    (Cancelled, 409),
)
_TITLES = {
    400: "Bad request", 401: "Not signed in", 403: "Not allowed", 404: "Not found", 405: "Not possible here",
    409: "Conflict", 413: "Too large", 415: "Not this kind of content", 421: "Wrong host", 422: "Cannot be used",
    500: "A fault of the program", 503: "Not available",
}  # fmt: skip


def status_of(error: CountersignError) -> int:
    """Return the HTTP status of an error."""
    if isinstance(error, ImageError) and error.reason.startswith(MISSING):
        return 404
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def problem_of(error: CountersignError, *, current: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return an error as the JSON values of a problem."""
    found = problem(status_of(error), error.what, remedy=error.remedy, kind=type(error).__name__)
    return found | ({"current": current, "by": error.by} if isinstance(error, Outdated) else {})


def problem(status: int, detail: str, *, remedy: str = "", kind: str = "", **more: Any) -> dict[str, Any]:
    """Return the JSON values of a problem."""
    title = _TITLES.get(status, "Error")
    kind = kind or title.title().replace(" ", "")
    urn = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in kind).lstrip("-")
    detail = detail if detail.endswith((".", "!", "?")) else f"{detail}."
    body = {"type": f"urn:countersign:{urn}", "title": title, "status": status, "detail": detail}
    return body | {"remedy": remedy, "kind": kind} | more


class ProblemResponse(Response):
    """A problem as an answer."""

    media_type = "application/problem+json"

    def __init__(self, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        super().__init__(orjson.dumps(body, default=str), status_code=body["status"], headers=headers)
        self.headers["cache-control"] = "no-store"


def install(app: FastAPI) -> None:
    """Make all errors of an app problems."""
    app.add_exception_handler(CountersignError, _countersign)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(UnicodeEncodeError, _no_text)
    app.add_exception_handler(Exception, _fault)


async def _countersign(_: Request, error: Exception) -> Response:
    assert isinstance(error, CountersignError)
    current = getattr(error, "current", None)
    body = problem_of(error, current=current if isinstance(current, dict) else None)
    if body["status"] >= 500:
        log.warning("%s", error)
    return ProblemResponse(body)


async def _validation(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    wrong = [
        {"where": ".".join(str(part) for part in item["loc"]), "what": str(item["msg"])} for item in error.errors()[:50]
    ]
    first = wrong[0] if wrong else {"where": "request", "what": "it cannot be read"}
    detail = f"{first['where']}: {first['what']}" + (f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else "")
    remedy = "Send what /api/v1/openapi.json describes."
    return ProblemResponse(problem(422, detail, remedy=remedy, kind="InvalidRequest", errors=wrong))


async def _no_text(_: Request, error: Exception) -> Response:
    return ProblemResponse(
        problem(422, "A text in the request is no Unicode (half a surrogate pair)", kind="InvalidInput")
    )


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400:  # a body that is no JSON
        return ProblemResponse(problem(422, f"The request cannot be read: {error.detail}", kind="InvalidRequest"))
    detail = {404: f"There is nothing at {request.url.path}", 405: f"{request.method} is not possible here"}
    text = detail.get(error.status_code, str(error.detail))
    return ProblemResponse(problem(error.status_code, text), dict(error.headers or {}))


async def _fault(request: Request, error: Exception) -> Response:
    return ProblemResponse(fault(error, f"{request.method} {request.url.path}"))


def fault(error: BaseException, where: str) -> dict[str, Any]:
    """Log a fault of the program with a number, and return the problem that names it."""
    number = uuid.uuid4().hex[:8]
    log.error("fault %s at %s\n%s", number, where, "".join(traceback.format_exception(error)))
    detail = f"Something went wrong that should not have ({type(error).__name__}, fault {number})"
    return problem(500, detail, remedy="The server's log has the details under this number.", kind="InternalError")
