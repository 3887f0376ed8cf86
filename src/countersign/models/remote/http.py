"""Requests to a model's server: checked addresses, time and size limits, repeated where that can help.

What a server answers is shortened before it is quoted, and a secret in it is blotted out. Contracts are not known here.
"""

from __future__ import annotations

import contextlib
import json
import random
import ssl
import threading
import time
import weakref
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from countersign.domain.errors import ModelError, ServerGone
from countersign.models.remote.connections import Clock, Deadline, Transport, trust
from countersign.models.remote.spec import RemoteSpec

_QUOTED = 200  # characters of an answer that an error tells
_HOPS = 3
_WORTH_REPEATING = frozenset({429, 500, 502, 503, 504})
_LONGEST_PAUSE_S = 30.0
_PART = 1 << 16


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: its body, its content type."""

    body: bytes
    media: str


class Http:
    """Asks one model's server. Any thread may call; ``concurrency`` requests run at once."""

    def __init__(
        self,
        spec: RemoteSpec,
        *,
        public_only: bool = False,
        clock: Clock = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._spec = spec
        self._headers = spec.headers()
        self._free = threading.BoundedSemaphore(spec.concurrency)
        self._pause = pause
        self._deadline = Deadline(clock)
        self._transport = Transport(
            trust(spec.ca_file), self._deadline, allow_link_local=spec.allow_link_local, public_only=public_only,
            most=spec.concurrency,
        )  # fmt: skip
        # No proxy of the environment: it would look names up itself, and the check would mean nothing. gzip alone: what
        # it swells to can be stopped half way.
        self._client = httpx.Client(
            transport=self._transport, trust_env=False, timeout=spec.timeout_s, headers={"accept-encoding": "gzip"}
        )
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
        reason = _one_line(self._blotted(why))[:_QUOTED]
        what = f"{self.name(url)} does not answer as contract {contract} says: {reason}; it sent {self.quote(came)}"
        return ModelError(what, remedy="Check the contract, the task and the address of this model.")

    def quote(self, came: Any) -> str:
        """Return the beginning of what came, on one line, without the secret."""
        most = 4 * _QUOTED + max(map(len, self._secrets()), default=0)  # a secret is blotted out whole
        if isinstance(came, bytes):
            text = came[: 4 * most].decode("utf-8", "replace")[:most]
        elif isinstance(came, str):
            text = came[:most]
        else:
            text = _begun(came, most)
        text = _one_line(self._blotted(text)[: 4 * _QUOTED])
        return repr(text if len(text) <= _QUOTED else f"{text[:_QUOTED]} ...") if text else "nothing"

    def _secrets(self) -> set[str]:
        """The secret as a whole and without its scheme, also as JSON writes them."""
        plain = {part for secret in self._headers.values() for part in (secret, secret.rpartition(" ")[2])}
        return {form for part in plain if len(part) >= 4 for form in (part, json.dumps(part)[1:-1])}

    def _blotted(self, text: str) -> str:
        for secret in sorted(self._secrets(), key=len, reverse=True):
            text = text.replace(secret, "***")
        return text

    @staticmethod
    def name(url: str) -> str:
        """Return an address without its query and user, which may hold keys."""
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    def send(self, method: str, url: str, **request: Any) -> Answer:
        """Send a request; repeat it where the server is busy, fails or is away.

        The server may see a request several times: predicting changes nothing, so that is harmless. ``Retry-After`` is
        respected up to half a minute. ``timeout_s`` is for one try, from its first byte to its last. Raises ModelError;
        ServerGone where no connection can be made, or the secret is refused.
        """
        for tried in range(self._spec.retries + 1):
            last = tried == self._spec.retries
            try:
                with self._free, self._deadline.within(self._spec.timeout_s):
                    answer, status, pause = self._once(method, url, request)
            except httpx.TransportError as error:
                if last or not _passing(error):
                    raise self._unreachable(url, error, tried + 1) from error
                answer, status, pause = Answer(b"", ""), 0, None
            if 200 <= status < 300:
                return answer
            if status and (status not in _WORTH_REPEATING or last):
                raise self._refusal(url, status, answer)
            backoff = 0.25 * 2**tried * (0.5 + random.random() / 2)
            self._pause(min(_LONGEST_PAUSE_S, backoff if pause is None else pause))
        raise AssertionError("the last try returns or raises")

    def _once(self, method: str, url: str, request: Mapping[str, Any]) -> tuple[Answer, int, float | None]:
        at, headers = url, dict(self._headers)
        for _ in range(_HOPS + 1):
            # Asked without the client's own redirects and log, which would tell whole addresses with their keys.
            try:
                built = self._client.build_request(method, at, headers=headers, **request)
            except (httpx.InvalidURL, ValueError) as error:
                raise ServerGone(f"{self.name(at)!r} is no address: {self._blotted(str(error))}") from error
            with contextlib.closing(self._transport.handle_request(built)) as response:
                if response.status_code in (301, 302, 307, 308) and "location" in response.headers:
                    to = self._next(at, response.headers["location"])
                    if _origin(to) != _origin(at):
                        headers = {}  # a secret is for the server that it was given for
                    at = to
                    continue
                body = b"".join(self._read(response, url))
                return Answer(body, response.headers.get("content-type", "")), response.status_code, _asked(response)
        raise ModelError(f"{self.name(url)} redirects more than {_HOPS} times", remedy="Give the final address.")

    def _next(self, at: str, location: str) -> str:
        """Return where a redirect leads. Raises ModelError for no address, and for one without TLS after one with."""
        try:
            to = str(httpx.URL(at).join(location))
            scheme, host, _ = _origin(to)
        except (httpx.InvalidURL, ValueError) as error:
            raise ModelError(f"{self.name(at)} redirects to no address: {self.quote(location)}") from error
        if scheme not in ("http", "https") or not host:
            raise ModelError(f"{self.name(at)} redirects to no address: {self.quote(location)}")
        if urlsplit(at).scheme == "https" and scheme != "https":
            raise ModelError(f"{self.name(at)} redirects from HTTPS to {self.name(to)}")
        return to

    def _read(self, response: httpx.Response, url: str) -> Iterator[bytes]:
        """Yield the body, unpacked; a small one that swells is stopped too. Raises ModelError."""
        most = int(self._spec.max_response_mb * 2**20)
        large = ModelError(
            f"{self.name(url)} sends more than {self._spec.max_response_mb:g} MB",
            remedy="Raise max_response_mb if this is right.",
        )
        told = response.headers.get("content-length", "")
        if told.isdecimal() and int(told[:20]) > most:
            raise large
        packing = response.headers.get("content-encoding", "").strip().lower()
        if packing not in ("", "identity", "gzip"):
            raise self.misfit(url, f"it is packed as {packing[:50]!r}, only gzip was asked for", None)
        unpack = zlib.decompressobj(16 + zlib.MAX_WBITS) if packing == "gzip" else None
        came = size = 0
        for part in response.iter_raw():
            came += len(part)
            while part:
                try:
                    made = unpack.decompress(part, _PART) if unpack else part
                except zlib.error as error:
                    raise self.misfit(url, f"its gzip is damaged ({error})", part) from error
                part = unpack.unconsumed_tail if unpack else b""
                size += len(made)
                if max(came, size) > most:
                    raise large
                yield made
        if unpack and came and not unpack.eof:
            raise self.misfit(url, "its gzip ends early", None)

    def _unreachable(self, url: str, error: httpx.TransportError, tries: int) -> ModelError:
        refused = _tls_error(error)
        if refused is not None:
            return self._untrusted(url, refused)
        away = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
        if isinstance(error, httpx.TimeoutException):
            why = f"has not answered within {self._spec.timeout_s:g} s"
        else:
            why = f"{'cannot be reached' if away else 'does not answer to the end'} ({error})"
        times = f" after {tries} tries" if tries > 1 else ""
        return (ServerGone if away else ModelError)(
            self._blotted(f"{self.name(url)} {why}{times}"), remedy="Check that it runs; the run can be resumed."
        )

    def _untrusted(self, url: str, error: ssl.SSLError) -> ModelError:
        if isinstance(error, ssl.SSLCertVerificationError):
            what = f"{self.name(url)} does not prove that it is {urlsplit(url).hostname}: {error.verify_message}"
            own = "a certificate of your own authority needs that authority's (PEM) as ca_file."
            return ServerGone(what, remedy=f"Check the address; {own}")
        return ServerGone(
            f"{self.name(url)} does not speak TLS as it should ({error.reason or error})",
            remedy="Check the address: without TLS it begins with http://.",
        )

    def _refusal(self, url: str, status: int, answer: Answer) -> ModelError:
        said: Any = answer.body
        with contextlib.suppress(ValueError, RecursionError):
            data = json.loads(answer.body)
            if isinstance(data, dict) and isinstance(data.get("detail"), str):
                said = f"{data['detail']} {data.get('remedy') or ''}".strip()
        shut = status in (401, 403)
        return (ServerGone if shut else ModelError)(
            f"{self.name(url)} answered {status}: {self.quote(said)}",
            remedy="Check the secret and its header." if shut else "",
        )


def _one_line(text: str) -> str:
    """Return a text without line ends, and without what cannot be shown or stored."""
    return " ".join("".join(c if c.isprintable() or c.isspace() else "\ufffd" for c in text).split())


def _begun(came: Any, most: int) -> str:
    """Return the beginning of a JSON text, written no further than that."""
    parts: list[str] = []
    size = 0
    try:
        for part in json.JSONEncoder(ensure_ascii=False).iterencode(came):
            parts.append(part[: most - size])
            size += len(part)
            if size >= most:
                break
    except (TypeError, ValueError, RecursionError):
        return f"a {type(came).__name__}"
    return "".join(parts)


def _passing(error: httpx.TransportError) -> bool:
    """Whether another try may find another answer."""
    return not isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError) and _tls_error(error) is None


def _tls_error(error: BaseException) -> ssl.SSLError | None:
    """Return the error of TLS that made a connection fail, None where it was another."""
    found: BaseException | None = error if isinstance(error, httpx.ConnectError) else None
    while found is not None and not isinstance(found, ssl.SSLError):
        found = found.__cause__ or found.__context__
    return found


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _asked(response: httpx.Response) -> float | None:
    """Return the seconds that ``Retry-After`` asks for: a number, or a date."""
    text = response.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return min(float(text[:10]), _LONGEST_PAUSE_S)
    with contextlib.suppress(TypeError, ValueError, OverflowError, IndexError):
        left = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        return min(max(left, 0.0), _LONGEST_PAUSE_S)
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
        raise http.misfit(url, str(error) or type(error).__name__, came) from error
    except Exception as error:
        # GeometryError, and whatever decoders of pictures raise: the answer is to blame.
        raise http.misfit(url, f"{type(error).__name__}: {error}", came) from error
