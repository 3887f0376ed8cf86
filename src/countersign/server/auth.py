"""Who may come in.

* Browsers open a link with a one-time token and get a cookie for it. The cookie is signed with a key that
  lies in the workspace (readable by its owner alone), so it outlives the server.
* Programs send ``Authorization: Bearer TOKEN``; the token is made of the same key and stays the same.
* Every request must be addressed to an IP address or to a name that is known to be ours. A page elsewhere that lets its
  own name point here (DNS rebinding) is thus refused: its requests carry its name.
* A request that a page of another origin sends is refused, whatever cookie comes with it.

What is asked for is not known here.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import os
import secrets
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from countersign.server.errors import ProblemResponse, problem
from countersign.server.settings import Settings

KEPT_S = 30 * 24 * 3600
"""How long a session of a browser lasts."""
TICKET_S = 24 * 3600
_PUBLIC = frozenset({"/api/v1/session", "/api/v1/openapi.json"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Keys:
    """Makes and checks tokens and cookies. Any thread may call."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._tickets: dict[str, float] = {}
        self._lock = threading.Lock()

    @classmethod
    def of_folder(cls, folder: Path) -> Keys:
        """Use the key in a folder, making it on first use, readable by its owner alone."""
        path = folder / "server.key"
        try:
            return cls(bytes.fromhex(path.read_text(encoding="ascii").strip()))
        except (FileNotFoundError, ValueError):
            pass
        folder.mkdir(parents=True, exist_ok=True)
        made = secrets.token_hex(32)
        part = folder / f".server.key.{secrets.token_hex(4)}"
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(made)
        part.replace(path)
        return cls(bytes.fromhex(made))

    @property
    def token(self) -> str:
        """The token for programs."""
        return self._sign("token")[:40]

    def ticket(self) -> str:
        """Make a token that opens one session, within a day."""
        made = secrets.token_urlsafe(24)
        with self._lock:
            self._tickets[made] = time.monotonic() + TICKET_S
        return made

    def redeem(self, token: str) -> bool:
        """Whether a token opens a session. A one-time token does so once."""
        with self._lock:
            until = self._tickets.pop(token, None)
        if until is not None:
            return time.monotonic() < until
        return self.is_token(token)

    def is_token(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self.token.encode())

    def cookie(self, user: str) -> str:
        """Return the value of a cookie for somebody."""
        said = f"{int(time.time()) + KEPT_S}.{quote(user, safe='')}"
        return f"{said}.{self._sign(f'cookie.{said}')}"

    def user_of(self, cookie: str) -> str | None:
        """Return whose cookie it is ("" for the server's own user); None if it is not valid."""
        said, _, signature = cookie.rpartition(".")
        until, _, user = said.partition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(f"cookie.{said}").encode()):
            return None
        return unquote(user) if until.isdigit() and int(until) > time.time() else None

    def _sign(self, text: str) -> str:
        made = hmac.new(self._key, text.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(made).decode().rstrip("=").replace("-", "x").replace("_", "y")


def cookie_name(settings: Settings) -> str:
    """Name of the cookie. Cookies do not know ports: servers on two ports must not share a name."""
    return f"countersign-{settings.port}"


class Guard:
    """Middleware around the whole app: host, origin, session; and the headers that every answer gets."""

    def __init__(self, app: ASGIApp, settings: Settings, keys: Keys, user: str) -> None:
        self._app, self._settings, self._keys, self._user = app, settings, keys, user
        self._cookie = cookie_name(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refused = self._refusal(scope, headers)
        send = _with_headers(send)
        if refused is not None:
            await refused(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> ProblemResponse | None:
        host = headers.get("host", "")
        if not is_ours(host, self._settings):
            return _refuse(
                421, f"This server does not answer for {host[:100]!r}",
                "Use the address that 'countersign serve' printed, or start it with --allow-host.",
            )  # fmt: skip
        if not same_origin(scope["method"], headers, host):
            return _refuse(403, "The request came from a page of another site", "Open the workbench itself.")
        path = scope["path"]
        user = self._who(scope, headers)
        if user is None and path.startswith("/api/") and path not in _PUBLIC:
            detail = "You are not signed in, or the session has ended"
            return _refuse(401, detail, "Open the link that 'countersign serve' printed, or send the token.")
        scope.setdefault("state", {})["user"] = user
        return None

    def _who(self, scope: Scope, headers: Headers) -> str | None:
        """Return who asks, None for somebody unknown."""
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            named = unquote(headers.get("x-countersign-user", ""))[:100].strip()
            return (named or self._user) if self._keys.is_token(token.strip()) else None
        cookie = Request(scope).cookies.get(self._cookie, "")
        user = self._keys.user_of(cookie) if cookie else None
        return None if user is None else user or self._user


def is_ours(host: str, settings: Settings) -> bool:
    """Whether a Host header names this server: by an IP address, or by a name that is ours."""
    name = urlsplit(f"//{host}").hostname if host and not set(host) & set("/\\@?# ") else None
    if not name:
        return False
    if name in settings.names:
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or not settings.local


def same_origin(method: str, headers: Mapping[str, str], host: str) -> bool:
    """Whether no page of another origin sent the request. Following a link to a page of ours is allowed."""
    origin = headers.get("origin")
    if origin is not None:
        return origin != "null" and urlsplit(origin).netloc.lower() == host.lower()
    site = headers.get("sec-fetch-site", "none")
    if site in ("none", "same-origin"):
        return True
    return method in _SAFE and headers.get("sec-fetch-mode") == "navigate"


def _refuse(status: int, detail: str, remedy: str) -> ProblemResponse:
    headers = {"www-authenticate": 'Bearer realm="countersign"'} if status == 401 else None
    return ProblemResponse(problem(status, detail, remedy=remedy), headers)


_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
