"""Running the server of one model: a port, and an end in good order."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Callable
from urllib.parse import quote

import uvicorn

from countersign.models.contract import Anything
from countersign.runs import catalogue
from countersign.server.model_app import Lane, ModelSettings, make_model_app
from countersign.server.serving import listen
from countersign.server.settings import Settings
from countersign.store import Store


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()


def served_name(reference: str, name: str = "") -> str:
    """Return the name that a model is served under: one that can stand in an address."""
    wanted = name or re.split(r"[/\\]", reference.partition("?")[0].rstrip("/\\"))[-1]
    return re.sub(r"[^\w.-]+", "-", wanted).strip("-.") or "model"


def serve(
    store: Store,
    reference: str,
    settings: ModelSettings,
    *,
    name: str = "",
    device: str | None = None,
    on_ready: Callable[[str, str], None],
    on_loaded: Callable[[], None] = lambda: None,
) -> None:
    """Serve a model until interrupted. ``on_ready`` is told its address and name as soon as requests are answered,
    ``on_loaded`` when the model is there.

    Raises NotFound at once for a reference that names nothing, InvalidInput where the port cannot be had, and
    ModelError when the model turns out not to load: a server without one is of no use.
    """
    catalogue.parse(store, reference)
    listener = listen(Settings(settings.host, settings.port))
    port = listener.getsockname()[1]
    served = served_name(reference, name)

    def load() -> Anything:
        try:
            model = catalogue.open_any(store, reference, device=device)
        except BaseException:
            server.should_exit = True
            raise
        on_loaded()
        return model

    app = make_model_app(served, load, settings)
    host = socket.gethostname() if settings.host in ("0.0.0.0", "::") else settings.host
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}/{quote(served)}"
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, ws="none", proxy_headers=False,
        timeout_graceful_shutdown=30,
    )  # fmt: skip
    server = _Server(config, lambda: on_ready(url, served))
    with contextlib.closing(listener):
        server.run(sockets=[listener])
    lane: Lane = app.state.lane
    if lane.error is not None:
        raise lane.error
