"""Sessions: a browser's one-time token for a cookie; who works here."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from countersign import __version__
from countersign.runs.machine import cores
from countersign.server.auth import KEPT_S, cookie_name
from countersign.server.context import Here, HereDep
from countersign.server.errors import ProblemResponse, problem
from countersign.server.routes._common import problems
from countersign.server.schemas.projects import Session, SessionCreate
from countersign.server.wire import Json

router = APIRouter(tags=["session"])


@router.get("/session", response_model=Session, responses=problems())
def get_session(request: Request, here: HereDep) -> Response:
    """Who works here, and with what. 401 where nobody is signed in."""
    if getattr(request.state, "user", None) is None:
        remedy = "Open the link that 'countersign serve' printed, or send the token."
        return ProblemResponse(problem(401, "You are not signed in, or the session has ended", remedy=remedy))
    return Json(_session(here, here.user))


@router.post("/session", response_model=Session, responses=problems(401))
def create_session(body: SessionCreate, here: HereDep) -> Response:
    """Sign in: the token opens a session, which is a cookie."""
    if not here.parts.keys.redeem(body.token):
        remedy = "A link works once. Start 'countersign serve' again for a new one, or give the token for programs."
        return ProblemResponse(problem(401, "This token is not valid (any more)", remedy=remedy))
    user = body.user.strip()
    answer = Json(_session(here, user or here.parts.workspace.user))
    set_cookie(answer, here, user)
    return answer


@router.delete("/session", status_code=204, responses=problems())
def delete_session(here: HereDep) -> Response:
    """Sign out."""
    answer = Response(status_code=204)
    answer.delete_cookie(cookie_name(here.parts.settings), path="/")
    return answer


def set_cookie(answer: Response, here: Here, user: str) -> None:
    """Give a browser its cookie."""
    answer.set_cookie(
        cookie_name(here.parts.settings),
        here.parts.keys.cookie(user),
        max_age=KEPT_S,
        path="/",
        httponly=True,
        samesite="strict",
    )


def _session(here: Here, user: str) -> dict[str, object]:
    settings = here.parts.settings
    return {
        "user": user,
        "version": __version__,
        "workspace": here.parts.workspace.location.address if settings.local else here.store.url,
        "local": settings.local,
        "paths_allowed": settings.paths_allowed,
        "home": str(Path.cwd()) if settings.paths_allowed else "",
        "cores": cores(),
    }
