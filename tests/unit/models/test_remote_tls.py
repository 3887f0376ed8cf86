"""Models behind HTTPS: whose certificates are believed, and what is said where they are not."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from countersign.domain.errors import ModelError, ServerGone
from countersign.models.contract import Model, PredictOptions
from countersign.models.remote import family, spec
from model_servers import ModelServer, Reply, serving

trustme = pytest.importorskip("trustme", reason="trustme makes the certificates of these tests")
IMAGE = np.zeros((8, 10, 3), np.uint8)
SECRET = "Bearer very-secret-token"


@pytest.fixture(scope="module")
def authority() -> Any:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file with the authority's certificate."""
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def context(authority: Any, *names: str) -> ssl.SSLContext:
    """What a server of these names proves itself with."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(made)
    return made


@pytest.fixture
def server(authority: Any) -> Iterator[ModelServer]:
    with serving(lambda _: Reply(b"[]"), tls=context(authority, "127.0.0.1", "localhost")) as running:
        yield running


def predict(url: str, **said: Any) -> Any:
    data = {"url": url, "contract": "plain", "tasks": ["detection"], "retries": 3, "secret": SECRET, **said}
    model = family.connect(spec.from_data(data), "m")
    assert isinstance(model, Model)
    try:
        return model.predict([IMAGE], PredictOptions())[0]
    finally:
        model.close()


def test_certificate_of_an_unknown_authority_is_refused_at_once(server: ModelServer) -> None:
    with pytest.raises(ServerGone, match=r"does not prove that it is 127\.0\.0\.1: .*certificate.*ca_file"):
        predict(server.url)
    assert server.asked == []  # neither the image nor the secret left


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_authority_that_is_declared_is_believed(server: ModelServer, ca_file: str, host: str) -> None:
    assert predict(server.url.replace("127.0.0.1", host), ca_file=ca_file) == []
    assert server.asked[0].headers["host"].startswith(host)
    assert server.asked[0].headers["authorization"] == SECRET


def test_certificate_for_another_name_is_refused(authority: Any, ca_file: str) -> None:
    with (
        serving(lambda _: Reply(b"[]"), tls=context(authority, "other.example")) as server,
        pytest.raises(ServerGone, match=r"does not prove .*mismatch"),
    ):
        predict(server.url, ca_file=ca_file)


def test_server_without_tls(ca_file: str) -> None:
    with serving(lambda _: Reply(b"[]")) as server, pytest.raises(ServerGone, match=r"does not speak TLS.*http://"):
        predict(server.url.replace("http:", "https:"), ca_file=ca_file)


def test_redirect_from_tls_to_none_is_refused(authority: Any, ca_file: str) -> None:
    with (
        serving(lambda _: Reply(b"[]")) as plain,
        serving(lambda _: Reply(status=307, headers={"location": plain.url}), tls=context(authority, "127.0.0.1")) as s,
        pytest.raises(ModelError, match="redirects from HTTPS to http:"),
    ):
        predict(s.url, ca_file=ca_file)
    assert plain.asked == []


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_file_that_holds_no_certificates(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"ca\.pem: no certificates can be read .*PEM"):
        predict("https://127.0.0.1:9", ca_file=str(path))


def test_nothing_is_logged_of_the_secret(server: ModelServer, ca_file: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        predict(server.url, ca_file=ca_file)
    assert caplog.records  # the HTTP library does log
    assert "very-secret" not in caplog.text
