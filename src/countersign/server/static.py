"""The user interface's files, and the page that stands in for them where they were not built.

A path that names no file gets the page itself: the interface knows its own addresses. Files whose names carry their
hash are kept by browsers for good; the others are asked for again, and not sent again where they are the same. What the
build packed lies beside the file (``.gz``) and is sent instead to who takes it. A link with a one-time token becomes a
cookie here, and an address without it.
"""

from __future__ import annotations

import hashlib
import html
import mimetypes
from pathlib import Path
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from starlette.datastructures import URL
from starlette.responses import HTMLResponse, RedirectResponse, Response

from countersign.server.context import Here, Parts
from countersign.server.errors import ProblemResponse, problem
from countersign.server.routes.session import set_cookie

FOLDER = Path(__file__).parent / "static"

_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; "
    "font-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
_PACKED = ".gz"


def install(app: FastAPI, folder: Path = FOLDER) -> None:
    """Serve the interface from a folder, on every path that is not the API's."""

    @app.get("/{path:path}", include_in_schema=False)
    def page(path: str, request: Request) -> Response:
        parts: Parts = request.app.state.parts
        if path == "api" or path.startswith("api/"):
            return ProblemResponse(problem(404, f"There is nothing at /{path}"))
        if (token := request.query_params.get("token")) is not None:
            return _sign_in(request, parts, token)
        return _file(folder, path, request) or _index(folder, request)


def _sign_in(request: Request, parts: Parts, token: str) -> Response:
    """Give the browser a cookie for its token, and an address that does not show it."""
    user = request.query_params.get("user", "")[:100].strip()
    rest = [(name, value) for name, value in request.query_params.multi_items() if name not in ("token", "user")]
    clean = str(URL(scope={**request.scope, "query_string": b""}).replace(query=urlencode(rest)))
    signed_in = getattr(request.state, "user", None) is not None
    if not parts.keys.redeem(token) and not signed_in:
        return _page(
            401,
            "This link was used already",
            "A link opens one session, once. Start <code>countersign serve</code> again for a new one, or give the "
            "token for programs that it prints:"
            '<form method="get"><input name="token" autofocus size="44" aria-label="Token"> '
            "<button>Open</button></form>",
        )
    path = "/" + clean.split("://", 1)[-1].partition("/")[2].lstrip("/\\")
    answer = RedirectResponse(path, status_code=303)
    set_cookie(answer, Here(parts, user or parts.workspace.user), user)
    return answer


def _file(folder: Path, path: str, request: Request) -> Response | None:
    if not path or "\0" in path or path.endswith(_PACKED):
        return None
    found = (folder / path).resolve()
    try:
        if not found.is_relative_to(folder.resolve()) or not found.is_file():
            return None
    except OSError:  # a name too long for a file
        return None
    forever = "assets" in found.relative_to(folder.resolve()).parts[:-1]
    return _sent(found, request, "public, max-age=31536000, immutable" if forever else "no-cache")


def _sent(file: Path, request: Request, control: str) -> Response:
    """Send a file, packed where the browser takes that; no more than its tag where the browser has it already."""
    packed = file.with_name(file.name + _PACKED)
    headers = {"cache-control": control, "content-security-policy": _POLICY}
    given = file
    if packed.is_file():
        headers["vary"] = "Accept-Encoding"
        if _takes_gzip(request.headers.get("accept-encoding", "")):
            given = packed
            headers["content-encoding"] = "gzip"
    data = given.read_bytes()
    headers["etag"] = tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    # A proxy that packs or unpacks on the way makes a tag weak.
    known = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        headers.pop("content-encoding", None)
        return Response(status_code=304, headers=headers)
    return Response(data, media_type=mimetypes.guess_type(file.name)[0] or "application/octet-stream", headers=headers)


def _takes_gzip(accepted: str) -> bool:
    """Whether a header Accept-Encoding allows gzip (RFC 9110, 12.5.3)."""
    weights: dict[str, float] = {}
    for item in accepted.lower().split(","):
        name, _, weight = item.partition(";")
        try:
            weights[name.strip()] = float(weight.partition("=")[2]) if weight.strip() else 1.0
        except ValueError:
            weights[name.strip()] = 0.0
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _index(folder: Path, request: Request) -> Response:
    index = folder / "index.html"
    if not index.is_file():
        return _page(
            503,
            "The user interface is not built",
            "The server works: programs can use it (<a href='/api/v1/openapi.json'>openapi.json</a>, "
            "<code>countersign.connect</code>). To get the pages, install a released package, or build them from the "
            "sources: <code>make web</code>.",
        )
    if "text/html" not in request.headers.get("accept", "text/html") and "*/*" not in request.headers.get("accept", ""):
        return ProblemResponse(problem(404, f"There is nothing at {request.url.path}"))
    return _sent(index, request, "no-cache")


def _page(status: int, title: str, body: str) -> Response:
    text = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Countersign</title>
<meta name="viewport" content="width=device-width"><style>
:root {{ color-scheme: light dark; font: 15px/1.6 system-ui, sans-serif }}
body {{ max-width: 40rem; margin: 15vh auto; padding: 0 1.5rem }} h1 {{ font-size: 1.2rem }}
input, button {{ font: inherit; padding: .4rem .6rem; margin-top: 1rem }}</style>
<h1>{html.escape(title)}</h1><p>{body}</p></html>"""
    headers = {"cache-control": "no-store", "content-security-policy": _POLICY}
    return HTMLResponse(text, status_code=status, headers=headers)
