"""Requests to a model's server: checked addresses, time and size limits, repeated where that can help.

What a server answers is shortened before it is quoted, and a secret in it is blotted out. Contracts are not known here.
"""

from __future__ import annotations

import contextlib
import functools
import json
import random
import ssl
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from countersign.domain.errors import ModelError
from countersign.models.remote.addresses import resolve
from countersign.models.remote.spec import RemoteSpec

_QUOTED = 200  # characters of an answer that an error tells
_HOPS = 3
_WORTH_REPEATING = frozenset({429, 500, 502, 503, 504})
_LONGEST_PAUSE_S = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: its body, its content type."""

    body: bytes
    media: str


@functools.lru_cache(maxsize=8)
def _trust(ca_file: str) -> ssl.SSLContext:
    """What is trusted. Reading the usual certificates takes a tenth of a second: once per process is enough."""
    return ssl.create_default_context(cafile=ca_file or None)


class _Checked(httpx.HTTPTransport):
    """Connects to an address that was looked at, so that a name cannot mean another one a moment later."""

    def __init__(self, *, allow_link_local: bool, public_only: bool, **more: Any) -> None:
        super().__init__(**more)
        self._rules = {"allow_link_local": allow_link_local, "public_only": public_only}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        failed: Exception | None = None
        for address in resolve(host, port, **self._rules):
            request.url = request.url.copy_with(host=address)
            request.extensions = {**request.extensions, "sni_hostname": host}
            try:
                return super().handle_request(request)
            except httpx.ConnectError as error:
                failed = error
        raise failed or httpx.ConnectError(f"{host} has no address")


class Http:
    """Asks one model's server. Any thread may call; ``concurrency`` requests run at once."""

    def __init__(self, spec: RemoteSpec, *, public_only: bool = False) -> None:
        self._spec = spec
        self._headers = spec.headers()
        self._free = threading.BoundedSemaphore(spec.concurrency)
        try:
            verify = _trust(spec.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ModelError(
                f"{spec.ca_file}: no certificates can be read ({error})", remedy="Give a PEM file."
            ) from error
        transport = _Checked(allow_link_local=spec.allow_link_local, public_only=public_only, verify=verify)
        # No proxy of the environment: it would look names up itself, and the check would mean nothing.
        self._client = httpx.Client(transport=transport, trust_env=False, timeout=spec.timeout_s)
        # Models are dropped without a word, as local ones are: their connections end with them.
        weakref.finalize(self, self._client.close)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get_json(self, url: str) -> Any:
        """Return the JSON at an address. Raises ModelError."""
        return self.json_of(self.send("GET", url), url)

    def post_json(self, url: str, body: Any) -> Any:
        """Send JSON, return the JSON that comes. Raises ModelError."""
        return self.json_of(self.send("POST", url, json=body), url)

    def json_of(self, answer: Answer, url: str) -> Any:
        """Read an answer as JSON. Raises ModelError that quotes it."""
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError) as error:
            raise self.misfit(url, "it is no JSON", answer.body) from error

    def misfit(self, url: str, why: str, came: Any) -> ModelError:
        """Return the error for an answer that does not fit the contract; it quotes what came, shortened."""
        contract = self._spec.contract
        what = f"{self.name(url)} does not answer as contract {contract} says: {why}; it sent {self.quote(came)}"
        return ModelError(what, remedy="Check the contract, the task and the address of this model.")

    def quote(self, came: Any) -> str:
        """Return the beginning of what came, on one line, without the secret."""
        if isinstance(came, bytes):
            # Four bytes make a character at most; what is cut off is not looked at.
            text = came[: 4 * _QUOTED].decode("utf-8", "replace")
        elif isinstance(came, str):
            text = came
        else:
            try:
                text = json.dumps(came, ensure_ascii=False)
            except (TypeError, ValueError, RecursionError):
                text = f"a {type(came).__name__}"
        text = self._blotted(text)
        text = " ".join("".join(c if c.isprintable() or c.isspace() else "\ufffd" for c in text[: 4 * _QUOTED]).split())
        return repr(text if len(text) <= _QUOTED else f"{text[:_QUOTED]} ...") if text else "nothing"

    def _blotted(self, text: str) -> str:
        for secret in self._headers.values():
            for part in {secret, secret.rpartition(" ")[2]}:
                if len(part) >= 4:
                    text = text.replace(part, "***")
        return text

    @staticmethod
    def name(url: str) -> str:
        """Return an address without its query, which may hold keys."""
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}{parts.path}"

    def send(self, method: str, url: str, **request: Any) -> Answer:
        """Send a request; repeat it where the server is busy, fails or is away. Raises ModelError.

        The server may see a request several times: predicting changes nothing, so that is harmless. ``Retry-After`` is
        respected up to half a minute. ``timeout_s`` is for one try, from its first byte to its last.
        """
        for tried in range(self._spec.retries + 1):
            last = tried == self._spec.retries
            try:
                with self._free:
                    answer, status, pause = self._once(method, url, request)
            except httpx.TransportError as error:
                if last or isinstance(error, httpx.UnsupportedProtocol):
                    raise self._unreachable(url, error) from error
                answer, status, pause = Answer(b"", ""), 0, None
            if status == 200 or 200 < status < 300:
                return answer
            if status and (status not in _WORTH_REPEATING or last):
                raise self._refusal(url, status, answer)
            backoff = 0.25 * 2**tried * (0.5 + random.random() / 2)
            time.sleep(min(_LONGEST_PAUSE_S, backoff if pause is None else max(pause, 0.0)))
        raise AssertionError("the last try returns or raises")

    def _once(self, method: str, url: str, request: Mapping[str, Any]) -> tuple[Answer, int, float | None]:
        ends = time.monotonic() + self._spec.timeout_s
        at, headers = url, dict(self._headers)
        for _ in range(_HOPS + 1):
            with self._client.stream(method, at, headers=headers, **request) as response:
                if response.status_code in (301, 302, 307, 308) and "location" in response.headers:
                    to = str(httpx.URL(at).join(response.headers["location"]))
                    if _origin(to) != _origin(at):
                        headers = {}  # a secret is for the server that it was given for
                    if urlsplit(at).scheme == "https" and urlsplit(to).scheme != "https":
                        raise ModelError(f"{self.name(url)} redirects from HTTPS to {self.name(to)}")
                    at = to
                    continue
                body = self._read(response, url, ends)
                return Answer(body, response.headers.get("content-type", "")), response.status_code, _pause(response)
        raise ModelError(f"{self.name(url)} redirects more than {_HOPS} times", remedy="Give the final address.")

    def _read(self, response: httpx.Response, url: str, ends: float) -> bytes:
        most = int(self._spec.max_response_mb * 2**20)
        parts, size = [], 0
        # Decoded here bit by bit: a small compressed answer that swells is stopped too.
        for part in response.iter_bytes(65536):
            size += len(part)
            if size > most:
                raise ModelError(
                    f"{self.name(url)} sends more than {self._spec.max_response_mb:g} MB",
                    remedy="Raise max_response_mb if this is right.",
                )
            if time.monotonic() > ends:
                raise httpx.ReadTimeout("the answer takes too long")
            parts.append(part)
        return b"".join(parts)

    def _unreachable(self, url: str, error: httpx.TransportError) -> ModelError:
        slow = isinstance(error, httpx.TimeoutException)
        why = f"has not answered within {self._spec.timeout_s:g} s" if slow else f"cannot be reached ({error})"
        times = f" after {self._spec.retries + 1} tries" if self._spec.retries else ""
        return ModelError(
            self._blotted(f"{self.name(url)} {why}{times}"), remedy="Check that it runs; the run can be resumed."
        )

    def _refusal(self, url: str, status: int, answer: Answer) -> ModelError:
        said: Any = answer.body
        with contextlib.suppress(ValueError, RecursionError):
            data = json.loads(answer.body)
            if isinstance(data, dict) and isinstance(data.get("detail"), str):
                said = f"{data['detail']} {data.get('remedy') or ''}".strip()
        return ModelError(
            f"{self.name(url)} answered {status}: {self.quote(said)}",
            remedy="Check the secret and its header." if status in (401, 403) else "",
        )


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _pause(response: httpx.Response) -> float | None:
    """Return the seconds that ``Retry-After`` asks for: a number, or a date."""
    text = response.headers.get("retry-after", "")
    with contextlib.suppress(ValueError):
        return min(float(text), _LONGEST_PAUSE_S)
    with contextlib.suppress(TypeError, ValueError):
        return min((parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds(), _LONGEST_PAUSE_S)
    return None


@contextlib.contextmanager
def fitting(http: Http, url: str, came: Any) -> Iterator[None]:
    """Turn whatever goes wrong while an answer is read into the error that quotes it."""
    try:
        yield
    except ModelError:
        raise
    except (
        AttributeError, KeyError, IndexError, TypeError, ValueError, OverflowError, RecursionError, ArithmeticError,
        OSError,
    ) as error:  # fmt: skip
        why = " ".join(str(error).split())[:150] or type(error).__name__
        raise http.misfit(url, why, came) from error
    except Exception as error:
        # GeometryError, and whatever decoders of pictures raise: the answer is to blame.
        raise http.misfit(url, f"{type(error).__name__}: {' '.join(str(error).split())[:150]}", came) from error
