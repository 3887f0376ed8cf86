"""Running the server of one model: a port, and an end in good order."""

from __future__ import annotations

import contextlib
import functools
import re
import socket
from collections.abc import Callable
from urllib.parse import quote

import uvicorn

from countersign.runs import catalogue
from countersign.server.model_app import ModelSettings, make_model_app
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
) -> None:
    """Serve a model until interrupted. ``on_ready`` is told its address and name as soon as requests are answered.

    Raises NotFound at once for a reference that names nothing, InvalidInput where the port cannot be had.
    """
    catalogue.parse(store, reference)
    listener = listen(Settings(settings.host, settings.port))
    port = listener.getsockname()[1]
    served = served_name(reference, name)
    app = make_model_app(served, functools.partial(catalogue.open_any, store, reference, device=device), settings)
    host = socket.gethostname() if settings.host in ("0.0.0.0", "::") else settings.host
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}/{quote(served)}"
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, ws="none", proxy_headers=False,
        timeout_graceful_shutdown=30,
    )  # fmt: skip
    with contextlib.closing(listener):
        _Server(config, lambda: on_ready(url, served)).run(sockets=[listener])
