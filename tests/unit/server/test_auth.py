from __future__ import annotations

import time
from pathlib import Path

import pytest

from countersign.server import auth
from countersign.server.auth import Keys, is_ours, same_origin
from countersign.server.settings import Settings


def test_ticket_opens_once(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = Keys(b"k")
    ticket = keys.ticket()
    assert keys.redeem(ticket)
    assert not keys.redeem(ticket)
    assert keys.redeem(keys.token)
    late = keys.ticket()
    now = time.monotonic()
    monkeypatch.setattr(auth.time, "monotonic", lambda: now + auth.TICKET_S + 1)
    assert not keys.redeem(late)


@pytest.mark.parametrize("user", ["", "anna", "J. Doe.2", "ü é"])
def test_cookie(user: str) -> None:
    keys = Keys(b"k")
    cookie = keys.cookie(user)
    assert keys.user_of(cookie) == user
    assert Keys(b"other").user_of(cookie) is None
    assert keys.user_of(cookie[:-1] + ("a" if cookie[-1] != "a" else "b")) is None
    assert keys.user_of(cookie.replace(".", "0.", 1)) is None
    assert keys.user_of("") is None


def test_cookie_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = Keys(b"k")
    cookie = keys.cookie("anna")
    now = time.time()
    monkeypatch.setattr(auth.time, "time", lambda: now + auth.KEPT_S + 1)
    assert keys.user_of(cookie) is None


def test_key_is_kept_for_its_owner(tmp_path: Path) -> None:
    first = Keys.of_folder(tmp_path / "server")
    assert Keys.of_folder(tmp_path / "server").token == first.token
    assert (tmp_path / "server" / "server.key").stat().st_mode & 0o077 == 0
    assert Keys.of_folder(tmp_path / "other").token != first.token


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1:8321", True), ("localhost", True), ("LOCALHOST:1", True), ("[::1]:8321", True), ("127.9.9.9", True),
        ("192.168.0.1", False), ("evil.example", False), ("localhost.evil.example", False),
        ("127.0.0.1@evil.example", False),
        ("", False), ("localhost/x", False), ("0x7f000001", False), ("[::ffff:10.0.0.1]", False),
    ],
)  # fmt: skip
def test_is_ours(host: str, ours: bool) -> None:
    assert is_ours(host, Settings()) is ours


@pytest.mark.parametrize(
    ("headers", "fine"),
    [
        ({}, True),
        ({"origin": "http://localhost:8321"}, True),
        ({"origin": "http://localhost:9"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
    ],
)
def test_same_origin(headers: dict[str, str], fine: bool) -> None:
    assert same_origin("POST", headers, "localhost:8321") is fine


def test_links_from_elsewhere_may_be_followed() -> None:
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert same_origin("GET", headers, "localhost:8321")
    assert not same_origin("POST", headers, "localhost:8321")
