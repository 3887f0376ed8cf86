"""One model over HTTP, by our own contract (``docs/reference/model-http.md``). What ``countersign serve-model`` runs.

The model loads in a thread of its own after the server has begun to answer, and predicts in that thread alone: requests
queue before it. torch is in this process; the workbench's server never imports this module.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from countersign.domain.errors import CountersignError, InvalidInput, ModelError, NotFound
from countersign.models.contract import Anything
from countersign.models.remote.contract import (
    MOST_IMAGES,
    VERSION,
    ImageData,
    Parameters,
    PredictAnswer,
    PredictBody,
)
from countersign.server import errors
from countersign.server.model_work import Job, answer
from countersign.server.settings import LOCAL, is_loopback
from countersign.server.wire import Json

_GUARDED = "/v1/models"


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """How a model is served. ``waiting``: requests that may queue before others are told to come again."""

    host: str = LOCAL
    port: int = 8400
    token: str = ""
    max_body_mb: float = 64.0
    waiting: int = 32
    allow_local_urls: bool = False
    """Fetch images from addresses of private networks and of this computer, too."""


class Lane:
    """The thread that loads the model and predicts. ``state`` is loading, ready or failed."""

    def __init__(self, load: Callable[[], Anything], waiting: int) -> None:
        self._pool = ThreadPoolExecutor(1, "model")
        self._load, self._most = load, waiting
        self._model: Anything | None = None
        self.error: CountersignError | None = None
        self.queued = 0

    @property
    def state(self) -> str:
        if self.error is not None:
            return "failed"
        return "loading" if self._model is None else "ready"

    @property
    def model(self) -> Anything:
        """The model. Raises ModelError where it could not be loaded, and _Later while it loads."""
        if self.error is not None:
            raise self.error
        if self._model is None:
            raise _Later("The model is being loaded", 2)
        return self._model

    def begin(self) -> None:
        """Begin to load."""
        self._pool.submit(self._begin)

    def _begin(self) -> None:
        try:
            self._model = self._load()
        except CountersignError as error:
            self.error = error
        except Exception as error:
            errors.fault(error, "loading the model")
            self.error = ModelError(f"The model cannot be loaded ({type(error).__name__}: {error})")

    async def do(self, job: Job) -> PredictAnswer:
        """Wait for the lane, predict. Raises _Later where too many wait."""
        model = self.model
        if self.queued >= self._most:
            raise _Later(f"{self.queued} requests are waiting", 1)
        self.queued += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, answer, model, job)
        finally:
            self.queued -= 1

    def close(self) -> None:
        """Let what is being predicted end; drop what waits."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class _Later(Exception):
    def __init__(self, what: str, seconds: int) -> None:
        super().__init__(what)
        self.seconds = seconds


def make_model_app(name: str, load: Callable[[], Anything], settings: ModelSettings) -> FastAPI:
    """Make the app that serves the model which ``load`` loads, under ``name``."""
    lane = Lane(load, settings.waiting)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        lane.begin()
        yield
        await asyncio.to_thread(lane.close)

    app = FastAPI(title="Countersign model", openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.lane = lane
    errors.install(app)
    app.add_exception_handler(_Later, _later)
    app.add_middleware(_Door, settings=settings)

    def check(asked: str) -> None:
        if asked != name:
            raise NotFound("model", asked, known=(name,))

    def card() -> dict[str, Any]:
        return lane.model.card.to_data() | {"name": name}

    @app.get("/v1/health")
    async def health() -> Response:
        state = lane.state
        body = {"version": VERSION, "status": state, "model": name, "waiting": lane.queued}
        if lane.error is not None:
            body["error"] = str(lane.error)
        made = Json(body)
        made.status_code = 200 if state == "ready" else 503
        return made

    @app.get("/v1/models")
    async def models() -> Response:
        return Json({"version": VERSION, "models": [card()]})

    @app.get("/v1/models/{asked}")
    async def model(asked: str) -> Response:
        check(asked)
        return Json(card())

    @app.post("/v1/models/{asked}/predict")
    async def predict(asked: str, request: Request) -> Response:
        check(asked)
        _ = lane.model  # still loading, or failed: told before the body is read
        job = await _job(request, name, settings)
        return Json((await lane.do(job)).model_dump(mode="json", exclude_none=True))

    return app


async def _later(_: Request, error: Exception) -> Response:
    assert isinstance(error, _Later)
    body = errors.problem(503, str(error), remedy="Try again.", kind="Busy")
    return errors.ProblemResponse(body, {"retry-after": str(error.seconds)})


async def _job(request: Request, name: str, settings: ModelSettings) -> Job:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == "multipart/form-data":
            return await _form(request, name, settings)
        body = PredictBody.model_validate_json(await request.body())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise InvalidInput(f"{where}: {first['msg']}", remedy="Send what the contract says.") from error
    return Job(name, tuple(body.images), body.parameters, allow_local_urls=settings.allow_local_urls)


async def _form(request: Request, name: str, settings: ModelSettings) -> Job:
    async with request.form(max_files=MOST_IMAGES, max_fields=MOST_IMAGES, max_part_size=16 << 20) as form:
        text = form.get("parameters", "{}")
        if not isinstance(text, str):
            text = (await text.read()).decode("utf-8", "replace")
        parameters = Parameters.model_validate_json(text)
        images: list[bytes | ImageData] = []
        for key, value in form.multi_items():
            if key == "image" and isinstance(value, UploadFile):
                images.append(await value.read())
            elif key == "url" and isinstance(value, str):
                images.append(ImageData(url=value))
            elif key != "parameters":
                raise InvalidInput(f"{key!r} is no field of this form", remedy="It has image, url and parameters.")
    if not images:
        raise InvalidInput("The form holds no image", remedy="Send a file in the field 'image'.")
    return Job(name, tuple(images), parameters, allow_local_urls=settings.allow_local_urls)


class _Door:
    """Asks for the token, refuses other sites' pages, and stops bodies that are too large."""

    def __init__(self, app: ASGIApp, settings: ModelSettings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        most = int(self._settings.max_body_mb * 2**20)
        refusal = self._refusal(scope["path"], headers, most)
        if refusal is not None:
            await errors.ProblemResponse(refusal)(scope, receive, send)
            return
        size = 0

        async def receiving() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > most:
                raise InvalidInput(f"The request is larger than {self._settings.max_body_mb:g} MB")
            return message

        await self._app(scope, receiving, send)

    def _refusal(self, path: str, headers: dict[str, str], most: int) -> dict[str, Any] | None:
        token, given = self._settings.token, headers.get("authorization", "").partition(" ")[2].strip()
        if path.startswith(_GUARDED) and token and not hmac.compare_digest(given.encode(), token.encode()):
            return errors.problem(401, "The token is missing or wrong", remedy="Send 'Authorization: Bearer TOKEN'.")
        if headers.get("origin") or headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return errors.problem(403, "Pages of a browser may not ask this server")
        host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
        if is_loopback(self._settings.host) and not is_loopback(host):
            return errors.problem(421, f"This server is not {host[:100]!r}", remedy="Ask for 127.0.0.1.")
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > most:
            return errors.problem(413, f"The request is larger than {self._settings.max_body_mb:g} MB")
        return None


def schema_text() -> str:
    """Return the contract's JSON schema as the text of its file."""
    from countersign.models.remote.contract import schema

    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(schema_text(), end="")
