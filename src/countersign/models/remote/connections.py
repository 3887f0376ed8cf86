"""Connections to a model's server: to addresses that were looked at, and until a deadline, whatever the server does.

A limit for each read, which is what HTTP clients have, is none for a server that sends a byte now and then. Here each
wait of a request (for a connection, for a header, for a part of the body) ends with the request's own time.
"""

from __future__ import annotations

import contextlib
import functools
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpcore
import httpx

from countersign.domain.errors import ModelError
from countersign.models.remote.addresses import resolve

Clock = Callable[[], float]
_PART = 1 << 16


@functools.lru_cache(maxsize=8)
def trust(ca_file: str) -> ssl.SSLContext:
    """Return what is trusted: the certificates of a PEM file, or the usual ones. Raises ModelError.

    Reading the usual ones takes a tenth of a second: once per process is enough.
    """
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise ModelError(f"{ca_file}: no certificates can be read ({error})", remedy="Give a PEM file.") from error


class Deadline:
    """When the request of the calling thread must have ended, in seconds of ``clock``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._mine = threading.local()

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Give what happens in the block so much time."""
        self._mine.ends = self._clock() + seconds
        try:
            yield
        finally:
            del self._mine.ends

    def left(self, timeout: float | None) -> float | None:
        """Return how long the next wait may take. Raises httpcore.ReadTimeout where no time is left."""
        ends: float | None = getattr(self._mine, "ends", None)
        if ends is None:  # a connection is closed after its request
            return timeout
        left = ends - self._clock()
        if left <= 0:
            raise httpcore.ReadTimeout("the answer takes too long")
        return left if timeout is None else min(timeout, left)


class _Stream(httpcore.NetworkStream):
    """A connection whose every wait ends with the deadline."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        view = memoryview(buffer)
        for start in range(0, len(view), _PART):  # one limit for each part: a slow reader is noticed between them
            self._inner.write(bytes(view[start : start + _PART]), self._deadline.left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        return _Stream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Network(httpcore.NetworkBackend):
    """Connects to an address that was looked at, so that a name cannot mean another one a moment later."""

    def __init__(self, deadline: Deadline, *, allow_link_local: bool, public_only: bool) -> None:
        self._deadline = deadline
        self._rules = {"allow_link_local": allow_link_local, "public_only": public_only}
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failed: Exception | None = None
        for address in resolve(host, port, **self._rules):
            try:
                left = self._deadline.left(timeout)
                made = self._sockets.connect_tcp(address, port, left, local_address, socket_options)
                return _Stream(made, self._deadline)
            except httpcore.ConnectError as error:
                failed = error
        raise failed or httpcore.ConnectError(f"{host} has no address")


class Transport(httpx.HTTPTransport):
    """What a client sends its requests through."""

    def __init__(
        self, verify: ssl.SSLContext, deadline: Deadline, *, allow_link_local: bool, public_only: bool, most: int
    ) -> None:
        super().__init__(verify=verify, trust_env=False)
        self._pool.close()
        self._pool = httpcore.ConnectionPool(
            ssl_context=verify,
            max_connections=most,
            max_keepalive_connections=most,
            keepalive_expiry=5.0,
            network_backend=_Network(deadline, allow_link_local=allow_link_local, public_only=public_only),
        )
