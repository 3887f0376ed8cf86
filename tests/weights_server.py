"""A small server that speaks enough of the Hugging Face hub for its own client, and serves plain files with ranges.

It can be told to misbehave: to break off, to answer with an error, to change a file, to ignore ranges.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

Fault = int | str | bytes | Callable[[], object]
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Repository:
    """``large`` names the files that are kept as LFS objects, whose SHA-256 the hub tells."""

    files: dict[str, bytes]
    large: set[str] = field(default_factory=set)
    gated: bool = False
    commit: str = COMMIT
    told_sha256: dict[str, str] = field(default_factory=dict)


@dataclass
class Asked:
    """One request as it came. ``start`` is where its range begins, None without one."""

    method: str
    path: str
    start: int | None
    authorization: str


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that goes away in the middle is what some tests are about."""


class WeightsServer:
    """Repositories by id, plain files by name below ``/files/``, faults by file name (one per request, in order).

    A fault is an integer below 0: break off after so many bytes; a status: answer it; ``"whole"``: ignore the range;
    bytes: send these instead; or a function that is called before anything is sent.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.asked: list[Asked] = []
        self.token = "hf_token_of_anna"
        self.pace = 0  # bytes of a file in a second; 0: as fast as it goes
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @contextmanager
    def running(self) -> Iterator[WeightsServer]:
        self._thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    def fetched(self, name: str) -> list[Asked]:
        """The requests for the content of a file."""
        return [item for item in self.asked if item.method == "GET" and item.path.endswith(f"/{name}")]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: Any) -> None:
                pass

            def do_GET(self) -> None:
                server._answer(self)

            do_HEAD = do_GET  # noqa: N815

        return Handler

    def _answer(self, ask: BaseHTTPRequestHandler) -> None:
        path = unquote(urlsplit(ask.path).path)
        start = ask.headers.get("range", "").removeprefix("bytes=").partition("-")[0]
        authorization = ask.headers.get("authorization", "")
        self.asked.append(Asked(ask.command, path, int(start) if start else None, authorization))
        if path.startswith("/api/models/"):
            self._describe(ask, path)
            return
        name = path.rpartition("/")[2]
        if path.startswith("/files/"):
            self._send_file(ask, name, self.files.get(name))
            return
        if path.startswith("/cdn/"):
            owner, repository, *rest = path.removeprefix("/cdn/").split("/")
            self._send_file(ask, name, self.repositories[f"{owner}/{repository}"].files["/".join(rest)])
            return
        owner, repository, _, _, *rest = path.removeprefix("/").split("/")
        found = self.repositories[f"{owner}/{repository}"]
        if not self._may(found, authorization):
            self._say(ask, 403, headers={"X-Error-Code": "GatedRepo"})
        elif "/".join(rest) in found.large:
            self._say(ask, 302, headers={"Location": f"/cdn/{owner}/{repository}/{'/'.join(rest)}"})
        else:
            self._send_file(ask, name, found.files.get("/".join(rest)))

    def _may(self, repository: Repository, authorization: str) -> bool:
        return not repository.gated or authorization == f"Bearer {self.token}"

    def _describe(self, ask: BaseHTTPRequestHandler, path: str) -> None:
        for fault in self.faults.get("api", []):
            self._say(ask, fault)
            return
        name = path.removeprefix("/api/models/").partition("/revision/")[0]
        found = self.repositories.get(name)
        if found is None:
            self._say(ask, 404, headers={"X-Error-Code": "RepoNotFound"})
            return
        if not self._may(found, ask.headers.get("authorization", "")):
            self._say(ask, 403, headers={"X-Error-Code": "GatedRepo"})
            return
        siblings = []
        for file, content in found.files.items():
            item: dict[str, Any] = {"rfilename": file, "size": len(content)}
            item["blobId"] = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            if file in found.large:
                digest = found.told_sha256.get(file) or hashlib.sha256(content).hexdigest()
                item["lfs"] = {"sha256": digest, "size": len(content), "pointerSize": 130}
            siblings.append(item)
        data = {"_id": "1", "id": name, "modelId": name, "sha": found.commit, "siblings": siblings, "tags": [],
                "private": False, "gated": found.gated, "downloads": 0, "likes": 0}  # fmt: skip
        self._say(ask, 200, json.dumps(data).encode(), {"Content-Type": "application/json"})

    def _say(
        self, ask: BaseHTTPRequestHandler, status: int, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> None:
        ask.send_response(status)
        for key, value in (headers or {}).items():
            ask.send_header(key, value)
        ask.send_header("Content-Length", str(len(body)))
        ask.end_headers()
        if ask.command != "HEAD":
            ask.wfile.write(body)

    def _send_file(self, ask: BaseHTTPRequestHandler, name: str, content: bytes | None) -> None:
        faults = self.faults.get(name, [])
        fault = faults.pop(0) if faults else None
        if callable(fault):
            fault()
            fault = None
        if isinstance(fault, bytes):
            content = fault
        if content is None or (isinstance(fault, int) and fault > 0):
            self._say(ask, fault if content is not None else 404)
            return
        etag = f'"{hashlib.md5(content).hexdigest()}"'
        start = ask.headers.get("range", "").removeprefix("bytes=").partition("-")[0]
        fits = ask.headers.get("if-range", etag) == etag
        begin = int(start) if start and fits and fault != "whole" else 0
        if begin >= len(content) > 0:
            self._say(ask, 416, headers={"Content-Range": f"bytes */{len(content)}"})
            return
        body = content[begin:]
        ask.send_response(206 if begin else 200)
        ask.send_header("ETag", etag)
        ask.send_header("Content-Length", str(len(body)))
        if begin:
            ask.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        ask.end_headers()
        if ask.command == "HEAD":
            return
        if isinstance(fault, int):
            ask.wfile.write(body[:-fault])
            ask.wfile.flush()
            ask.close_connection = True
            ask.connection.close()
        else:
            self._pour(ask, body)

    def _pour(self, ask: BaseHTTPRequestHandler, body: bytes) -> None:
        """Send a file's content, a twentieth of a second's worth at a time where there is a pace."""
        while (pace := self.pace) and body:
            part = max(1, pace // 20)
            ask.wfile.write(body[:part])
            body = body[part:]
            time.sleep(0.05)
        ask.wfile.write(body)
