"""Requests to a server: JSON, files, long work; problems become the exceptions that they were."""

from __future__ import annotations

import ipaddress
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from countersign.domain import errors
from countersign.domain.errors import Cancelled, CountersignError, InvalidInput, WorkspaceError
from countersign.workbench.progress import OnProgress, Progress

POLL_S = 0.25
TIMEOUT_S = 300.0
_AT_ONCE = (100, 64 << 20)  # files and bytes of one request of an upload

Data = dict[str, Any]


class Transport:
    """A connection to one server. Any thread may use it."""

    def __init__(self, url: str, token: str, user: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidInput(f"{url!r} is no address of a server", remedy="Give http://HOST:PORT.")
        headers = {"authorization": f"Bearer {token}"} | ({"x-countersign-user": quote(user)} if user else {})
        self.url = f"{parts.scheme}://{parts.netloc}"
        self._http = httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=TIMEOUT_S)
        self.same_computer = _is_loopback(parts.hostname)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def get(self, path: str, **params: Any) -> Any:
        """Return what is at a path. Parameters that are None are left out."""
        given = {name: value for name, value in params.items() if value is not None}
        return self._send("GET", path, params=given)

    def post(self, path: str, body: Any = None) -> Any:
        """Send a body; return the answer."""
        return self._send("POST", path, json=body)

    def patch(self, path: str, body: Any) -> Any:
        """Send what shall change; return the answer."""
        return self._send("PATCH", path, json=body)

    def put(self, path: str, body: Any) -> Any:
        """Send what shall be there; return the answer."""
        return self._send("PUT", path, json=body)

    def delete(self, path: str, **params: Any) -> None:
        """Delete what is at a path."""
        self._send("DELETE", path, params=params)

    def send(self, method: str, path: str) -> Any:
        """Make a request without a body; return the answer."""
        return self._send(method, path)

    def pages(self, path: str, *, after: str = "after", **params: Any) -> Iterator[Data]:
        """Yield the items of all pages."""
        following: str | None = ""
        while following is not None:
            page = self.get(path, **params, **{after: following or None})
            yield from page["items"]
            following = page["next"]

    def work(self, path: str, body: Any, on_progress: OnProgress | None = None) -> Data:
        """Start long work, follow it to its end, and return its operation. Raises what it failed with.

        Ctrl-C, or ``on_progress`` raising, cancels it.
        """
        operation: Data = self.post(path, body)
        try:
            while operation["finished_at"] is None:
                time.sleep(POLL_S if operation["done"] else 0.03)
                operation = self.get(f"/operations/{operation['id']}")
                if on_progress is not None and operation["stage"]:
                    step = (operation["stage"], operation["done"], operation["total"], operation["note"])
                    unit = "bytes" if operation["kind"] in ("pull", "check") else ""
                    on_progress(Progress(*step, unit))
        except BaseException:
            with suppress(CountersignError):
                self.delete(f"/operations/{operation['id']}")
            raise
        if operation["state"] == "cancelled":
            raise Cancelled("the operation was cancelled")
        if operation["problem"] is not None:
            raise error_of(operation["problem"])
        return operation

    def download(self, path: str, to: Path) -> Path:
        """Write the file at an address of the API to a path."""
        with _explained(self.url), self._http.stream("GET", path.removeprefix("/api/v1")) as answer:
            if answer.is_error:
                answer.read()
                _raise(answer)
            with to.open("wb") as file:
                for chunk in answer.iter_bytes():
                    file.write(chunk)
        return to

    def upload(self, path: str, files: Sequence[tuple[str, Path]], **fields: Any) -> Any:
        """Send one file as a form."""
        name, file = files[0]
        with file.open("rb") as opened:
            return self._send("POST", path, files={name: (file.name, opened)}, data=fields)

    def upload_all(self, path: str, base: Path, files: Sequence[Path], **fields: str) -> Any:
        """Send several files as one form, each with its path below ``base``."""
        opened = [file.open("rb") for file in files]
        try:
            parts = [("files", (file.name, content)) for file, content in zip(files, opened, strict=True)]
            names = [file.relative_to(base).as_posix() for file in files]
            return self._send("POST", path, files=parts, data={"paths": names, **fields})
        finally:
            for content in opened:
                content.close()

    def upload_folder(self, project_id: int, root: Path) -> str:
        """Upload a file, or the files below a folder; return the id of the upload, ready to be imported."""
        files = [root] if root.is_file() else [path for path in sorted(root.rglob("*")) if _is_meant(path, root)]
        if not files:
            raise InvalidInput(f"There are no files in {root}", remedy="Check the path.")
        upload = str(self.post(f"/projects/{project_id}/uploads")["id"])
        base = root.parent if root.is_file() else root
        batch: list[Path] = []
        size = 0
        for file in [*files, None]:
            if batch and (file is None or len(batch) >= _AT_ONCE[0] or size >= _AT_ONCE[1]):
                self.upload_all(f"/uploads/{upload}/files", base, batch)
                batch, size = [], 0
            if file is not None:
                batch.append(file)
                size += file.stat().st_size
        return upload

    def _send(self, method: str, path: str, **request: Any) -> Any:
        with _explained(self.url):
            answer = self._http.request(method, path, **request)
        if answer.is_error:
            _raise(answer)
        return json.loads(answer.content) if answer.content else None


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """Turn a server that cannot be reached into a WorkspaceError."""
    try:
        yield
    except httpx.TransportError as error:
        raise WorkspaceError(
            f"The server {url} cannot be reached ({type(error).__name__}: {error})",
            remedy="Check the address, and that 'countersign serve' runs there.",
        ) from error


def _raise(answer: httpx.Response) -> None:
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    if not isinstance(problem, dict) or "detail" not in problem:
        problem = {"kind": "", "detail": f"The server answered {answer.status_code}", "remedy": ""}
    raise error_of(problem)


def error_of(problem: Data) -> CountersignError:
    """Make the exception again that a problem was."""
    kind = getattr(errors, str(problem.get("kind", "")), None)
    if not (isinstance(kind, type) and issubclass(kind, CountersignError)):
        kind = InvalidInput if 400 <= int(problem.get("status", 500)) < 500 else WorkspaceError
    made: CountersignError = kind.__new__(kind)
    made.__dict__.update(what=problem["detail"], remedy=problem.get("remedy", ""), current=problem.get("current"))
    made.args = (made.what, made.remedy)
    return made


def _is_meant(path: Path, root: Path) -> bool:
    return path.is_file() and not any(part.startswith(".") for part in path.relative_to(root).parts)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
