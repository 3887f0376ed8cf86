"""The interface's files: packed, tagged, kept."""

from __future__ import annotations

import gzip
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI

from countersign.server import static

SCRIPT = b"export const answer = 42;\n" * 200


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>here</title>")
    (tmp_path / "theme.js").write_bytes(SCRIPT)
    (tmp_path / "assets" / "app-1a2b.js").write_bytes(SCRIPT)
    (tmp_path / "assets" / "app-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT))
    return tmp_path


async def get(folder: Path, path: str, **headers: str) -> httpx.Response:
    app = FastAPI()
    app.state.parts = SimpleNamespace()
    static.install(app, folder)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
        # What httpx asks for by itself is not what is asked for here.
        return await client.get(path, headers={"accept-encoding": "", **named})


def ask(folder: Path, path: str, **headers: str) -> httpx.Response:
    import asyncio

    return asyncio.run(get(folder, path, **headers))


@pytest.mark.parametrize("accepted", ["gzip", "br;q=1.0, gzip;q=0.8, *;q=0.1", "*", "GZIP"])
def test_packed_for_who_takes_it(folder: Path, accepted: str) -> None:
    answer = ask(folder, "/assets/app-1a2b.js", accept_encoding=accepted)
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < len(SCRIPT) / 10
    assert answer.content == SCRIPT
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "gzip;q=0.0, *", "identity, *;q=0", "gzip;q=much"])
def test_plain_for_who_does_not(folder: Path, accepted: str) -> None:
    answer = ask(folder, "/assets/app-1a2b.js", accept_encoding=accepted)
    assert "content-encoding" not in answer.headers
    assert int(answer.headers["content-length"]) == len(SCRIPT)
    assert answer.headers["vary"] == "Accept-Encoding"


def test_what_was_not_packed(folder: Path) -> None:
    answer = ask(folder, "/theme.js", accept_encoding="gzip")
    assert "content-encoding" not in answer.headers
    assert "vary" not in answer.headers
    assert answer.headers["cache-control"] == "no-cache"


def test_packed_file_is_no_page_of_its_own(folder: Path) -> None:
    assert "<title>here" in ask(folder, "/assets/app-1a2b.js.gz").text


@pytest.mark.parametrize("path", ["/", "/p/1/images", "/theme.js", "/assets/app-1a2b.js"])
def test_not_sent_again(folder: Path, path: str) -> None:
    first = ask(folder, path, accept_encoding="gzip")
    for known in (first.headers["etag"], f'"other", W/{first.headers["etag"]}', "*"):
        again = ask(folder, path, accept_encoding="gzip", if_none_match=known)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
    assert ask(folder, path, accept_encoding="gzip", if_none_match='"other"').status_code == 200


def test_tag_tells_packed_from_plain(folder: Path) -> None:
    plain, packed = (ask(folder, "/assets/app-1a2b.js", accept_encoding=each) for each in ("", "gzip"))
    assert plain.headers["etag"] != packed.headers["etag"]


def test_tag_follows_the_file(folder: Path) -> None:
    before = ask(folder, "/theme.js").headers["etag"]
    (folder / "theme.js").write_bytes(b"// another")
    assert ask(folder, "/theme.js", if_none_match=before).status_code == 200
