"""Who may come in: tokens, cookies, hosts, origins; which files are given away."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from serving_setup import Served

from countersign.server.settings import Settings


@pytest.fixture
def stranger(served: Served) -> Iterator[httpx.Client]:
    """A browser that is not signed in."""
    with httpx.Client(base_url=served.url, timeout=30) as client:
        yield client


def test_nothing_without_a_session(served: Served, stranger: httpx.Client) -> None:
    for path in ("/api/v1/projects", "/api/v1/images/1/file", "/api/v1/events", "/api/v1/session", "/api/v1/nowhere"):
        answer = stranger.get(path)
        assert answer.status_code == 401, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert "countersign serve" in answer.json()["remedy"]
    assert stranger.get("/api/v1/projects", headers={"authorization": "Bearer wrong"}).status_code == 401
    assert stranger.get("/api/v1/openapi.json").status_code == 200


def test_link_works_once(served: Served, stranger: httpx.Client) -> None:
    ticket = served.parts.keys.ticket()
    answer = stranger.get("/p/1/images", params={"token": ticket, "q": "split=train"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/p/1/images?q=split%3Dtrain"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert stranger.get("/api/v1/session").json()["user"] == "anna"
    other = httpx.get(served.url, params={"token": ticket})
    assert other.status_code == 401
    assert "used already" in other.text
    # Opened again where one is signed in, the same link still leads in.
    assert stranger.get("/", params={"token": ticket}).status_code == 303


def test_sign_in_by_token(served: Served, stranger: httpx.Client) -> None:
    assert stranger.post("/api/v1/session", json={"token": "wrong"}).status_code == 401
    assert stranger.post("/api/v1/session", json={"token": served.token, "user": "bert"}).json()["user"] == "bert"
    made = stranger.post("/api/v1/images/7/labels", json={"labels": [{"class_name": "cell"}]})
    assert made.status_code == 201
    assert served.get(f"/projects/{served.project}/changes")["items"][0]["actor"] == "bert"
    assert stranger.delete("/api/v1/session").status_code == 204
    assert stranger.get("/api/v1/session").status_code == 401


def test_session_outlives_the_server(start: Callable[..., Served]) -> None:
    first = start()
    cookie = first.parts.keys.cookie("anna")
    token = first.token
    second = start(settings=Settings(port=0))
    assert second.token == token
    assert second.parts.keys.user_of(cookie) == "anna"
    key = second.workspace.store.blobs / "server" / "server.key"
    assert key.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8321", "", "127.0.0.1.evil.example", "10.0.0.1", "a@b"])
def test_foreign_host_is_refused(served: Served, host: str) -> None:
    answer = served.http.get("/projects", headers={"host": host})
    assert answer.status_code in (400, 421)  # without any host the protocol itself is broken


@pytest.mark.parametrize("host", ["localhost:5173", "127.0.0.1", "[::1]:80"])
def test_own_names_are_fine(served: Served, host: str) -> None:
    assert served.http.get("/projects", headers={"host": host}).status_code == 200


def test_foreign_origin_is_refused(served: Served) -> None:
    ours = served.url.removeprefix("http://")
    for origin in ("http://evil.example", "null", f"http://{ours.replace('127', '128')}", "http://127.0.0.1:1"):
        answer = served.http.post("/projects", json={"name": "x"}, headers={"origin": origin})
        assert answer.status_code == 403, origin
    assert served.http.get("/projects", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert served.http.get("/projects", headers={"sec-fetch-site": "same-site"}).status_code == 403
    assert served.http.post("/projects", json={"name": "x"}, headers={"origin": served.url}).status_code == 201


def test_answers_are_not_sniffed_or_framed(served: Served) -> None:
    headers = served.http.get("/images/1/file").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers


def test_only_files_of_images_are_served(served: Served) -> None:
    for path in ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/assets/..%2f..%2fapp.py", "/app.py"):
        answer = httpx.get(f"{served.url}{path}")
        assert answer.status_code in (200, 503), path  # the page of the interface, or that it is not built
        assert answer.text.lstrip().lower().startswith("<!doctype html"), path


def test_image_whose_file_was_replaced(served: Served) -> None:
    path = Path(served.get("/images/1")["path"])
    path.write_bytes(b"something else entirely")
    assert "has changed" in served.get("/images/1/file", 422)["detail"]
    path.unlink()
    problem = served.get("/images/1/thumbnail", 404)
    assert problem["kind"] == "ImageError"
    assert problem["remedy"]


def test_paths_are_for_the_local_user(start: Callable[..., Served], tmp_path: Path) -> None:
    served = start(settings=Settings(host="127.0.0.1", port=0, allow_paths=False))
    project = served.post("/projects", {"name": "p"}, 201)["id"]
    for path, body in (
        (f"/projects/{project}/import", {"path": str(tmp_path)}),
        ("/models/import", {"path": str(tmp_path)}),
        (f"/projects/{project}/export", {"out": str(tmp_path / "x.json")}),
    ):
        assert "--allow-paths" in served.post(path, body, 422)["remedy"]
    served.get("/folders", 422)
    assert served.get("/session")["paths_allowed"] is False
    assert served.get("/models/card", 422, model="/etc/passwd")


def test_bound_to_the_network() -> None:
    settings = Settings(host="0.0.0.0", hosts=("label.example",))
    assert not settings.local
    assert not settings.paths_allowed
    from countersign.server.auth import is_ours

    assert is_ours("192.168.1.7:8321", settings)
    assert is_ours("LABEL.example:8321", settings)
    assert not is_ours("evil.example:8321", settings)


def test_page_where_the_interface_is_not_built(served: Served, tmp_path: Path) -> None:
    from countersign.server.static import FOLDER

    answer = httpx.get(f"{served.url}/p/1/images")
    if (FOLDER / "index.html").is_file():
        assert answer.status_code == 200
    else:
        assert answer.status_code == 503
        assert "not built" in answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]


def test_many_thumbnails_at_once(served: Served) -> None:
    ids = [image["id"] for image in served.get(f"/projects/{served.project}/images")["items"]]
    path = Path(served.get(f"/images/{ids[0]}")["path"])
    path.unlink()
    answer = served.http.post(
        f"/projects/{served.project}/images/thumbnails", json={"ids": [*ids, 987654], "size": 128}
    )
    assert answer.status_code == 200
    pictures = dict(line.split(" ") for line in answer.text.splitlines())
    assert {int(number) for number in pictures} == set(ids)
    assert pictures.pop(str(ids[0])) == ""
    assert pictures
    assert all(base64.b64decode(picture).startswith(b"\xff\xd8") for picture in pictures.values())
    served.post("/projects/987654/images/thumbnails", {"ids": [1]}, 404)
