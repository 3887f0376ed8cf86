"""Running the server: a port, a link for the browser, an end in good order."""

from __future__ import annotations

import contextlib
import socket
import threading
import urllib.parse
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from countersign.domain.errors import InvalidInput
from countersign.server.app import make_app
from countersign.server.context import Parts
from countersign.server.settings import DEFAULT_PORT, Settings

if TYPE_CHECKING:
    from countersign.workbench.workspace import Workspace

_TRIED = 20  # ports after the usual one


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is to be found. ``link`` opens one session, ``token`` is for programs."""

    url: str
    link: str
    token: str


class Server(uvicorn.Server):
    """Ends the event streams before it waits for requests in flight."""

    def __init__(self, config: uvicorn.Config, parts: Parts, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._parts = parts
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._parts.hub.close()
        super().handle_exit(sig, frame)


def serve(
    workspace: Workspace, settings: Settings, *, on_ready: Callable[[Address], None], open_browser: bool = False
) -> None:
    """Serve until interrupted. ``on_ready`` is told the address as soon as requests are answered.

    Raises InvalidInput where the port cannot be had.
    """
    listener = listen(settings)
    settings = replace(settings, port=listener.getsockname()[1])
    app = make_app(workspace, settings)
    parts: Parts = app.state.parts
    address = address_of(parts)

    def ready() -> None:
        on_ready(address)
        if open_browser:
            threading.Thread(target=webbrowser.open, args=(address.link,), daemon=True).start()

    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=30,
        ws="none",
        proxy_headers=False,
    )
    with contextlib.closing(listener):
        Server(config, parts, ready).run(sockets=[listener])


def listen(settings: Settings) -> socket.socket:
    """Take the port: the one that was asked for, or the first free one from the usual one on. Raises InvalidInput."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    wanted = range(DEFAULT_PORT, DEFAULT_PORT + _TRIED) if settings.port == DEFAULT_PORT else (settings.port,)
    problem: OSError | None = None
    for port in wanted:
        # With the protocol named: else asyncio leaves Nagle's algorithm on, which costs every answer 40 ms.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, port))
            listener.listen(2048)
        except (OSError, OverflowError) as error:
            listener.close()
            problem = error if isinstance(error, OSError) else OSError(str(error))
        else:
            return listener
    raise InvalidInput(
        f"The server cannot listen on {settings.host} port {settings.port}: "
        f"{(problem.strerror or problem) if problem else 'all are taken'}",
        remedy="Choose another with --port, or end what uses it.",
    )


def address_of(parts: Parts) -> Address:
    """Return where the server is, with a fresh one-time link."""
    host = parts.settings.host
    if host in ("0.0.0.0", "::"):
        host = socket.gethostname()
    url = f"http://{f'[{host}]' if ':' in host else host}:{parts.settings.port}"
    return Address(url, f"{url}/?{urllib.parse.urlencode({'token': parts.keys.ticket()})}", parts.keys.token)
