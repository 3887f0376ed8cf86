"""The app: its routes, its parts, its OpenAPI document."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from countersign import __version__
from countersign.server import auth, errors, static
from countersign.server.context import Parts
from countersign.server.counts import Counts
from countersign.server.events import Hub
from countersign.server.openapi import describe
from countersign.server.operations import Operations
from countersign.server.pictures import Pictures
from countersign.server.routes import (
    asking,
    catalogue,
    classes,
    events,
    images,
    label_maps,
    labels,
    models,
    operations,
    projects,
    remote_models,
    review,
    runs,
    segmenting,
    session,
    trainings,
)
from countersign.server.settings import Settings
from countersign.server.wire import Json
from countersign.server.worker import Predictor
from countersign.store import Store

if TYPE_CHECKING:
    from countersign.workbench.workspace import Workspace

API = "/api/v1"
_EXPORTS_KEPT_S = 24 * 3600


def make_app(workspace: Workspace, settings: Settings | None = None) -> FastAPI:
    """Make the app over an open workspace, which is left open when the app ends."""
    settings = settings or Settings()
    parts = _parts(workspace, settings)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        looking = asyncio.create_task(parts.hub.run())
        try:
            yield
        finally:
            looking.cancel()
            parts.hub.close()
            parts.operations.close()
            parts.pictures.close()
            await asyncio.to_thread(parts.predictor.close)

    app = bare_app(lifespan=lifespan)
    app.state.parts = parts
    app.add_middleware(_Nudge, hub=parts.hub)
    app.add_middleware(auth.Guard, settings=settings, keys=parts.keys, user=workspace.user)
    return app


def bare_app(lifespan: Any = None) -> FastAPI:
    """Make the app with its routes and without what they work on: enough for its OpenAPI document."""
    app = FastAPI(
        title="Countersign",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    api = APIRouter(prefix=API, generate_unique_id_function=_operation_id)
    nouns = (
        session,
        projects,
        images,
        labels,
        classes,
        label_maps,
        runs,
        review,
        trainings,
        models,
        asking,
        segmenting,
        catalogue,
        remote_models,
        operations,
        events,
    )
    for noun in nouns:
        api.include_router(noun.router)
    app.include_router(api)
    describe(app)

    @app.get(f"{API}/openapi.json", include_in_schema=False)
    def openapi() -> Json:
        return Json(app.openapi())

    errors.install(app)
    static.install(app)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


def _parts(workspace: Workspace, settings: Settings) -> Parts:
    store = workspace.store
    hub = Hub(store, settings.poll_s)

    def on_worker(state: str, message: str) -> None:
        hub.publish({"type": "worker", "project_id": None, "state": state, "message": message})

    def on_counts(project_id: int) -> None:
        hub.publish({"type": "fields", "project_id": project_id})

    _remove_old_exports(store)
    return Parts(
        workspace,
        settings,
        auth.Keys.of_folder(store.blobs / "server"),
        hub,
        Operations(hub.operation, store.blobs / "operations"),
        Pictures(store),
        Predictor(store, on_worker),
        Counts(store, on_counts),
    )


def _remove_old_exports(store: Store) -> None:
    folder = store.blobs / "exports"
    for old in folder.iterdir() if folder.is_dir() else ():
        if time.time() - old.stat().st_mtime > _EXPORTS_KEPT_S:
            shutil.rmtree(old, ignore_errors=True)


class _Nudge:
    """Looks for news as soon as a request may have made some."""

    def __init__(self, app: ASGIApp, hub: Hub) -> None:
        self._app, self._hub = app, hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._hub.nudge()
            await send(message)

        await self._app(scope, receive, sending)
