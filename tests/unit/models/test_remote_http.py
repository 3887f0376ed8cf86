"""Requests to a model's server when it is slow, busy, wrong or not where it should be, and answers that fit nothing."""

from __future__ import annotations

import ipaddress
import json
import socket
import threading
from typing import Any

import numpy as np
import pytest

from countersign.domain.errors import InvalidInput, ModelError
from countersign.models.contract import Model, PredictOptions
from countersign.models.remote import family, spec
from countersign.models.remote.addresses import refused
from model_servers import Asked, Reply, serving

IMAGE = np.zeros((8, 10, 3), np.uint8)
SECRET = "Bearer very-secret-token"


def predict(url: str, **said: Any) -> Any:
    data = {"url": url, "contract": "plain", "tasks": ["detection"], "retries": 0, "timeout_s": 5, **said}
    model = family.connect(spec.from_data(data), "m")
    assert isinstance(model, Model)
    try:
        return model.predict([IMAGE], PredictOptions(min_confidence=0.0))[0]
    finally:
        model.close()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_busy_server_is_asked_again(status: int) -> None:
    replies = [Reply(b"busy", status, headers={"retry-after": "0"}), Reply(b"[]")]
    with serving(lambda _: replies.pop(0)) as server:
        assert predict(server.url, retries=2) == []
        assert len(server.asked) == 2


def test_bad_request_is_not_repeated() -> None:
    with serving(lambda _: Reply(b'{"detail": "no such thing"}', 400)) as server:
        with pytest.raises(ModelError, match="answered 400: 'no such thing'"):
            predict(server.url, retries=3)
        assert len(server.asked) == 1


def test_secret_is_in_no_error_card_or_list() -> None:
    with (
        serving(lambda asked: Reply(asked.headers["authorization"].encode(), 403)) as server,
        pytest.raises(ModelError) as caught,
    ):
        predict(server.url, secret=SECRET)
    said = spec.from_data({"url": server.url, "contract": "plain", "tasks": ["detection"], "secret": SECRET})
    shown = [str(caught.value), repr(said), json.dumps(said.public()), json.dumps(spec.card_of(said, "m").to_data())]
    assert not any("very-secret" in text for text in shown)
    assert said.public()["has_secret"] is True


def test_secret_is_quoted_by_no_check_of_a_spec() -> None:
    with pytest.raises(InvalidInput) as caught:
        spec.from_data({"url": "ftp://x.example", "secret": "line\nbreak-secret"})
    assert "break-secret" not in str(caught.value)


def test_secret_stays_with_its_server() -> None:
    with (
        serving(lambda _: Reply(b"[]")) as other,
        serving(lambda _: Reply(status=307, headers={"location": f"{other.url}/there"})) as server,
    ):
        assert predict(server.url, secret=SECRET) == []
    assert "authorization" in server.asked[0].headers
    assert "authorization" not in other.asked[0].headers
    assert other.asked[0].method == "POST"


@pytest.mark.parametrize(
    "to", ["http://169.254.169.254/latest", "http://[fd00:ec2::254]/", "http://[::ffff:a9fe:a9fe]/"]
)
def test_redirect_to_metadata_is_refused(to: str) -> None:
    with (
        serving(lambda _: Reply(status=302, headers={"location": to})) as server,
        pytest.raises(ModelError, match="is refused"),
    ):
        predict(server.url, retries=2)


def test_name_with_one_bad_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 80)) for ip in ("127.0.0.1", "169.254.169.254")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(ModelError, match=r"169\.254\.169\.254"):
        predict("http://both.example")


@pytest.mark.parametrize(
    ("text", "bad"),
    [("127.0.0.1", False), ("10.0.0.1", False), ("::1", False), ("8.8.8.8", False), ("fe80::1", True),
     ("169.254.1.1", True), ("64:ff9b::a9fe:a9fe", True), ("2002:a9fe:a9fe::1", True), ("100.100.100.200", True),
     ("0.0.0.0", True), ("224.0.0.1", True), ("::ffff:127.0.0.1", False), ("::a9fe:a9fe", True)],
)  # fmt: skip
def test_refused(text: str, bad: bool) -> None:
    assert refused(ipaddress.ip_address(text)) is bad


def test_hanging_server() -> None:
    done = threading.Event()

    def hang(_: Asked) -> Reply:
        done.wait(20)
        return Reply(b"[]")

    with serving(hang) as server:
        try:
            with pytest.raises(ModelError, match=r"not answered within 0\.2 s"):
                predict(server.url, timeout_s=0.2)
        finally:
            done.set()


def test_truncated_answer() -> None:
    with (
        serving(lambda _: Reply(b'[{"box"', headers={"content-length": "5000"})) as server,
        pytest.raises(ModelError, match="does not answer to the end"),
    ):
        predict(server.url)


def test_huge_answer() -> None:
    with (
        serving(lambda _: Reply(b"[" + b"0," * 600_000 + b"0]")) as server,
        pytest.raises(ModelError, match=r"more than 1 MB"),
    ):
        predict(server.url, max_response_mb=1)


def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(ModelError, match=r"cannot be reached .* after 2 tries"):
            predict(f"http://127.0.0.1:{taken.getsockname()[1]}", retries=1)
