"""What a server may take of this computer's time and memory, and where it may send us. No test waits for a clock."""

from __future__ import annotations

import gzip
import itertools
import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from email.utils import format_datetime
from typing import Any

import pytest

from countersign.domain.errors import ModelError, ServerGone
from countersign.models.remote import http, spec
from model_servers import Asked, Reply, raw, read_request, serving

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


class Clock:
    """A clock that moves a second with each look at it."""

    def __init__(self) -> None:
        self._ticks = itertools.count()
        self.paused: list[float] = []

    def __call__(self) -> float:
        return float(next(self._ticks))

    def pause(self, seconds: float) -> None:
        self.paused.append(seconds)


def client(url: str, clock: Clock | None = None, **said: Any) -> http.Http:
    data = {"url": url, "contract": "plain", "tasks": ["detection"], "retries": 0, "timeout_s": 20, **said}
    made = spec.from_data(data)
    return http.Http(made, clock=clock, pause=clock.pause) if clock else http.Http(made)


def ask(url: str, clock: Clock | None = None, **said: Any) -> bytes:
    asking = client(url, clock, **said)
    try:
        return asking.send("POST", url, json={}).body
    finally:
        asking.close()


def dripping(before: bytes, drop: bytes) -> Callable[[socket.socket], None]:
    """A server that sends drop after drop for ever, so slowly that they do not come in one."""

    def talk(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        read_request(connection)
        connection.sendall(before)
        while drop:
            connection.sendall(drop)
            time.sleep(0.001)
        connection.recv(1)  # until the client has gone

    return talk


@pytest.mark.parametrize(
    ("before", "drop"),
    [
        pytest.param(OK + b"content-length: 9999999\r\n\r\n", b" ", id="body"),
        pytest.param(OK + b"x: ", b"a", id="header that never ends"),
        pytest.param(OK, b"", id="silence"),
        pytest.param(b"", b"HTTP/1.1 102 Processing\r\n\r\n", id="interim answers"),
        pytest.param(OK + b"transfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n", id="chunks"),
        pytest.param(
            OK + b"content-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n"
            + b"a\r\n" + gzip.compress(b"")[:10] + b"\r\n",
            b"5\r\n\x00\x00\x00\xff\xff\r\n", id="gzip of nothing",
        ),
    ],
)  # fmt: skip
def test_slow_drip_ends_with_the_time_of_the_request(before: bytes, drop: bytes) -> None:
    """Each wait is short, all together would last for ever: the request has one time for all of them."""

    with raw(dripping(before, drop)) as url, pytest.raises(ModelError, match="has not answered within"):
        ask(url, Clock(), timeout_s=20 if drop else 5)


def test_server_that_takes_the_image_slowly() -> None:
    """It reads nothing at all: writing ends with the request's time, too."""
    done = threading.Event()

    def talk(connection: socket.socket) -> None:
        done.wait(60)

    with raw(talk) as url:
        asking = client(url, timeout_s=0.3)
        try:
            with pytest.raises(ModelError, match=r"has not answered within 0\.3 s"):
                asking.send("POST", url, content=b"x" * (32 << 20))
        finally:
            done.set()
            asking.close()


@pytest.mark.parametrize(
    "headers",
    [b"content-length: 2147483648\r\n\r\n", b"transfer-encoding: chunked\r\n\r\n", b"connection: close\r\n\r\n"],
)
def test_two_gigabytes_are_not_taken(headers: bytes) -> None:
    part = b"8000\r\n" + b"1" * 0x8000 + b"\r\n" if b"chunked" in headers else b"1" * 0x8000
    sent = itertools.count()

    def talk(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(OK + headers)
        while next(sent) < (2 << 30) // 0x8000:
            connection.sendall(part)

    tracemalloc.start()
    try:
        with raw(talk) as url, pytest.raises(ModelError, match="sends more than 2 MB"):
            ask(url, max_response_mb=2)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert next(sent) * 0x8000 < 64 << 20  # the rest was never sent


def test_gzip_bomb_is_stopped_while_it_swells() -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(b"0" * (1 << 20)) for _ in range(256)) + packer.flush()
    assert len(bomb) < 1 << 20
    with serving(lambda _: Reply(bomb, headers={"content-encoding": "gzip"})) as server:
        tracemalloc.start()
        try:
            with pytest.raises(ModelError, match="sends more than 4 MB"):
                ask(server.url, max_response_mb=4)
            assert tracemalloc.get_traced_memory()[1] < 24 << 20
        finally:
            tracemalloc.stop()


def test_gzip_as_it_should_be() -> None:
    body = gzip.compress(b"[" + b"1," * 100_000 + b"1]")
    with serving(lambda _: Reply(body, headers={"content-encoding": "gzip"})) as server:
        assert len(ask(server.url)) == 200_003
    assert server.asked[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("packing", "body", "why"),
    [("br", b"x", "packed as 'br'"), ("gzip, gzip", b"x", "packed as"), ("gzip", b"no gzip", "damaged"),
     ("gzip", gzip.compress(b"[1]")[:-9], "ends early")],
)  # fmt: skip
def test_packing_that_is_wrong(packing: str, body: bytes, why: str) -> None:
    with serving(lambda _: Reply(body, headers={"content-encoding": packing})) as server:
        with pytest.raises(ModelError, match=why):
            ask(server.url)
        assert len(server.asked) == 1


_REFUSED = r"is refused|There is no computer|is no address|redirects to no address"


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "169.254.169.254.", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.16689662",
     "①⑥⑨.②⑤④.①⑥⑨.②⑤④", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[::ffff:0:a9fe:a9fe]",
     "[64:ff9b::169.254.169.254]", "[64:ff9b:1::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "[::169.254.169.254]",
     "[fe80::1]", "[fe80::5efe:a9fe:a9fe]", "[fd00:ec2::254]", "100.100.100.200", "0.0.0.0", "[::]"],
)  # fmt: skip
@pytest.mark.parametrize("redirected", [False, True])
def test_metadata_addresses_in_any_writing(host: str, redirected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: Any, **__: Any) -> Any:
        raise AssertionError("a connection to a metadata service was tried")

    if not redirected:
        monkeypatch.setattr(socket, "create_connection", connect)
        with pytest.raises(ModelError, match=_REFUSED):
            ask(f"http://{host}/latest/meta-data/")
        return
    there = f"http://{host.encode().decode('latin-1')}/latest"
    with serving(lambda _: Reply(status=302, headers={"location": there})) as server:
        real = socket.create_connection

        def only_server(address: Any, *more: Any, **named: Any) -> Any:
            return real(address, *more, **named) if address[0] == "127.0.0.1" else connect()

        monkeypatch.setattr(socket, "create_connection", only_server)
        with pytest.raises(ModelError, match=_REFUSED):
            ask(server.url)


def test_name_is_looked_up_once_and_what_was_found_is_what_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name whose second answer is a metadata service: there is no second question."""
    with serving(lambda _: Reply(b"[]")) as server:
        port = int(server.url.rpartition(":")[2])
        answers: Iterator[str] = iter(["127.0.0.1", "169.254.169.254"])

        def lookup(host: str, *_: Any, **__: Any) -> Any:
            at = next(answers) if host == "rebinding.example" else host
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (at, port))]

        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        assert ask(f"http://rebinding.example:{port}/") == b"[]"
    assert server.asked[0].headers["host"] == f"rebinding.example:{port}"


def test_name_that_is_not_found_for_a_moment_is_looked_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, looked = Clock(), itertools.count(1)
    with serving(lambda _: Reply(b"[]")) as server:
        port = int(server.url.rpartition(":")[2])

        def lookup(host: str, *_: Any, **__: Any) -> Any:
            if host == "shaky.example" and next(looked) <= 2:
                raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        assert ask(f"http://shaky.example:{port}/", clock, retries=2, timeout_s=3600) == b"[]"
    assert len(clock.paused) == 2


def test_name_that_is_never_found_is_a_server_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    def lookup(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    with pytest.raises(ServerGone, match=r"There is no computer 'nowhere\.example' .*after 3 tries"):
        ask("http://nowhere.example/", Clock(), retries=2, timeout_s=3600)


@pytest.mark.parametrize(
    "location", ["http://[::1", "ftp://127.0.0.1/a", "file:///etc/passwd", "http://", "http://a:b:c/", "\x7f://",
     "http://127.0.0.1:99999/"]
)  # fmt: skip
def test_redirect_to_what_is_no_address(location: str) -> None:
    with (
        serving(lambda _: Reply(status=302, headers={"location": location})) as server,
        pytest.raises(ModelError, match=r"redirects to no address|There is no computer|redirects more than"),
    ):
        ask(server.url)


def test_redirect_without_end() -> None:
    with (
        serving(lambda asked: Reply(status=302, headers={"location": asked.path + "x"})) as server,
        pytest.raises(ModelError, match="redirects more than 3 times"),
    ):
        ask(server.url, retries=5)
    assert len(server.asked) == 4


def test_pauses_grow_and_are_not_all_the_same() -> None:
    clock = Clock()
    with serving(lambda _: Reply(b"busy", 503)) as server, pytest.raises(ModelError, match="answered 503: 'busy'"):
        ask(server.url, clock, retries=5, timeout_s=3600)
    assert len(server.asked) == 6
    assert len(clock.paused) == 5
    for tried, pause in enumerate(clock.paused):
        assert 0.125 * 2**tried <= pause <= 0.25 * 2**tried
    assert len({pause / 2**tried for tried, pause in enumerate(clock.paused)}) > 1


@pytest.mark.parametrize(
    ("asked_for", "least", "most"),
    [("7", 7, 7), ("0", 0, 0), ("86400", 30, 30), ("-5", 0, 0.25), ("nan", 0, 0.25), ("soon", 0, 0.25),
     ("9" * 500, 30, 30),
     ("Fri, 31 Dec 9999 23:59:59 GMT", 30, 30), ("Wed, 01 Jan 2020 00:00:00 GMT", 0, 0),
     ("Wed, 01 Jan 2020 00:00:00", 0, 0.25), ("Wed, 99 Jan 99999999 00:00:00 +9999999", 0, 0.25)],
)  # fmt: skip
def test_retry_after(asked_for: str, least: float, most: float) -> None:
    clock = Clock()
    replies = [Reply(b"busy", 503, headers={"retry-after": asked_for}), Reply(b"[]")]
    with serving(lambda _: replies.pop(0)) as server:
        assert ask(server.url, clock, retries=1, timeout_s=3600) == b"[]"
    (pause,) = clock.paused
    assert least <= pause <= most


def test_retry_after_a_date(monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import UTC, datetime, timedelta

    now = datetime(2030, 1, 1, tzinfo=UTC)

    class Fixed(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return now

    monkeypatch.setattr(http, "datetime", Fixed)
    clock = Clock()
    later = format_datetime(now + timedelta(seconds=11), usegmt=True)
    replies = [Reply(b"busy", 429, headers={"retry-after": later}), Reply(b"[]")]
    with serving(lambda _: replies.pop(0)) as server:
        assert ask(server.url, clock, retries=1, timeout_s=3600) == b"[]"
    assert clock.paused == [11.0]


def test_server_that_is_away_is_tried_again_and_then_gone() -> None:
    clock = Clock()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # taken, and nobody listens
        with pytest.raises(ServerGone, match=r"cannot be reached .* after 4 tries.*can be resumed"):
            ask(f"http://127.0.0.1:{taken.getsockname()[1]}", clock, retries=3, timeout_s=3600)
    assert len(clock.paused) == 3


@pytest.mark.parametrize("status", [401, 403])
def test_server_that_lets_nobody_in_is_asked_once(status: int) -> None:
    clock = Clock()
    with serving(lambda _: Reply(b"no", status)) as server, pytest.raises(ServerGone, match="Check the secret"):
        ask(server.url, clock, retries=3, timeout_s=3600)
    assert len(server.asked) == 1
    assert clock.paused == []


@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_requests_at_once_than_allowed(limit: int) -> None:
    """The server answers nobody until as many are there as may be; one more would be seen by the others."""
    here, most = 0, 0
    lock, full = threading.Lock(), threading.Barrier(limit)

    def answer(_: Asked) -> Reply:
        nonlocal here, most
        with lock:
            here += 1
            most = max(most, here)
        full.wait(60)
        with lock:
            here -= 1
        return Reply(b"[]")

    with serving(answer) as server:
        asking = client(server.url, concurrency=limit)
        threads = [threading.Thread(target=asking.send, args=("GET", server.url)) for _ in range(limit * 4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        asking.close()
    assert most == limit
    assert len(server.asked) == limit * 4


def test_pause_does_not_hold_the_place_of_others() -> None:
    """While one request waits for its next try, another one of a concurrency of one is served."""
    replies = [Reply(b"busy", 503), Reply(b"[1]"), Reply(b"[2]")]
    with serving(lambda _: replies.pop(0)) as server:
        made = spec.from_data({"url": server.url, "contract": "plain", "tasks": ["detection"], "concurrency": 1})
        between: list[bytes] = []
        asking = http.Http(made, pause=lambda _: between.append(asking.send("GET", server.url).body))
        assert asking.send("GET", server.url).body == b"[2]"
        asking.close()
    assert between == [b"[1]"]
