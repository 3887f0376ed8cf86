"""A models folder of its own, and a server that stands for the hub and for other addresses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from countersign.models.folder import download
from weights_server import WeightsServer


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WeightsServer]:
    with WeightsServer().running() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


@pytest.fixture(autouse=True)
def models_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The models folder and all caches are empty, and no variable of the user counts."""
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HUGGINGFACE_HUB_CACHE", "HF_HOME"):
        monkeypatch.delenv(name, raising=False)
    # The library reads the variable once, and another test may have been there before.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("COUNTERSIGN_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(download, "_PAUSE", 0.0)
    return tmp_path / "models"
