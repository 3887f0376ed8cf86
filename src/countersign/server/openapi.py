"""The OpenAPI document: what FastAPI makes of the routes, completed.

``python -m countersign.server.openapi`` prints it.

The same routes always give the same bytes, so that the committed copy can be checked.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

TAGS = (
    ("session", "Who works here. Browsers have a cookie, programs send `Authorization: Bearer TOKEN`."),
    ("projects", "Images, classes, fields and runs that belong together; their history."),
    ("images", "Images: pages of them, counts, marks, pictures."),
    ("labels", "Labels: of an image, one by one, in batches; crops."),
    ("classes", "What labels can say."),
    ("fields", "Named sets of labels."),
    ("runs", "Auto-labelling jobs."),
    ("review", "Deciding on what a run proposed."),
    ("trainings", "Teaching models."),
    ("models", "Models, and what they say of the image on screen."),
    ("catalogue", "Models that can be used, and their weights on the computer of the server."),
    ("operations", "Long work of the server itself: imports and exports; uploads."),
    ("events", "What happens, as it happens."),
)
_REFERENCE = "#/components/schemas/{model}"
_ABOUT = """Models label, a person countersigns. Every verb of the workbench over HTTP.

Coordinates are float pixels of the upright image: origin at the top left corner of the top left pixel, x to the right,
y down. Times are UTC (RFC 3339). Pages are `{items, next}`: give `next` back as `after`. Every error is a problem
(`application/problem+json`) that says what happened and what to do.
"""


def describe(app: FastAPI) -> None:
    """Give an app its document, made when it is first asked for."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    from countersign.server.schemas.common import Problem
    from countersign.server.schemas.events import Event

    found = get_openapi(
        title=app.title,
        version=app.version,
        description=_ABOUT,
        routes=app.routes,
        tags=[{"name": name, "description": text} for name, text in TAGS],
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    schemas = found["components"]["schemas"]
    event = TypeAdapter(Event).json_schema(ref_template=_REFERENCE, mode="serialization")
    problem = Problem.model_json_schema(ref_template=_REFERENCE, mode="serialization")
    for name, schema in (event.pop("$defs") | problem.pop("$defs") | {"Problem": problem}).items():
        schemas.setdefault(name, schema)
    schemas["Event"] = {"title": "Event", "description": "One event of the stream."} | event
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    found["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": "countersign-PORT"},
    }
    found["security"] = [{"token": []}, {"session": []}]
    for item in found["paths"].values():
        for operation in item.values():
            _mend(operation)
    return found


def _mend(operation: dict[str, Any]) -> None:
    """Problems are told as problems, not as JSON beside them; a reference beside its own words is one too many."""
    if any(item.get("in") == "query" and item.get("name") == "query" for item in operation.get("parameters", ())):
        # A long query written in percent signs may be more than the HTTP parser takes, before any route is asked.
        text = {"text/plain": {"schema": {"type": "string"}}}
        said = "The address is longer than 64 kB, or otherwise no HTTP."
        operation["responses"].setdefault("400", {"description": said, "content": text})
    for status, answer in operation["responses"].items():
        content = answer.get("content", {})
        if status[:1] in "45" and "application/problem+json" in content:
            content.pop("application/json", None)
        if status[:1] == "3":
            answer.pop("content", None)
        if (
            status == "200"
            and len(content) > 1
            and any(kind.startswith(("image/", "application/octet")) for kind in content)
        ):
            content.pop("application/json", None)
    if operation["operationId"] == "create_session":
        operation["security"] = []


def text(document: dict[str, Any]) -> str:
    """Return the document as text: sorted, indented."""
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> int:
    """Print the document."""
    from countersign.server.app import bare_app

    sys.stdout.write(text(bare_app().openapi()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
