"""What the contract tests of models share: a models folder with tiny checkpoints, and no way to the network."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tiny_checkpoints
from countersign.domain.model import ModelCard


@pytest.fixture(scope="session")
def checkpoint_cache(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where tiny checkpoints are kept from one session to the next."""
    cache = getattr(request.config, "cache", None)
    return Path(cache.mkdir("tiny")) if cache is not None else tmp_path_factory.mktemp("tiny")


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The models folder of this session, set in the environment, with libraries told that there is no network."""
    folder = tmp_path_factory.mktemp("models-folder")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COUNTERSIGN_MODELS", str(folder))
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield folder


@pytest.fixture(scope="session")
def install(checkpoint_cache: Path, models_folder: Path) -> Any:
    """A function that puts the tiny checkpoint for a card into the models folder and returns its place there."""

    def put(card: ModelCard) -> Path:
        return tiny_checkpoints.install(card, checkpoint_cache, models_folder)

    return put


@pytest.fixture
def no_network() -> Iterator[None]:
    """Every attempt to reach another machine fails the test."""

    def refuse(self: socket.socket, address: Any, *rest: Any) -> None:
        if self.family != socket.AF_UNIX:
            raise AssertionError(f"something wants to go to {address}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket.socket, "connect_ex", refuse)
        patch.setattr(socket, "getaddrinfo", lambda host, *_, **__: refuse(socket.socket(), host))
        yield
