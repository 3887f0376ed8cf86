"""A family whose models stand in the catalogue, and a server that has their files: for tests of fetching models."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

import shapes
from countersign.domain.model import ModelCard, Task, WeightFile
from countersign.models import catalogue, registry
from countersign.models.folder import download
from countersign.models.registry import Reference
from weights_server import Repository, WeightsServer

WEIGHTS = os.urandom(300_000)


class Shown:
    """A family with cards: a zero-shot detector on the hub, and a restricted one at a plain address."""

    name = "shown"
    option_names = ("classes",)

    def __init__(self, url: str) -> None:
        self.url = url

    def cards(self) -> list[ModelCard]:
        digest = hashlib.sha256(WEIGHTS).hexdigest()
        return [
            ModelCard(
                "words", "shown", (Task.DETECTION,), (), zero_shot=True, hub_id="someone/words", licence="Apache-2.0",
                code_licence="Apache-2.0", published={"parameters": 10.0, "coco_map": 40.0}, published_source="a page",
                description="Finds what it is told.", download_bytes=300_000,
            ),
            ModelCard(
                "fast", "shown", (Task.CLASSIFICATION,), ("cat", "dog"), licence="AGPL-3.0", code_licence="AGPL-3.0",
                files=(WeightFile("fast.bin", digest[:8], f"{self.url}/files/fast.bin", len(WEIGHTS)),),
            ),
        ]  # fmt: skip

    def opens(self, path: Path) -> bool:
        return path.suffix in (".shown", ".pt")

    def card(self, reference: Reference) -> ModelCard:
        return ModelCard(reference.name, "shown", (Task.DETECTION,), ("a",))

    def load(self, reference: Reference, *, device: str | None) -> shapes.BrightModel:
        return shapes.BrightModel()

    def names(self) -> Sequence[str]:
        return ()


@contextmanager
def serving(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WeightsServer]:
    """Run the server. The catalogue holds ``words`` and ``fast`` alone; weights and caches are below ``folder``."""
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    # The library reads the variable once, and another test may have been there before.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    for name in ("HF_HUB_CACHE", "TORCH_HOME", "COUNTERSIGN_MODELS"):
        monkeypatch.setenv(name, str(folder / name))
    monkeypatch.setattr(download, "_PAUSE", 0.0)
    with WeightsServer().running() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.setattr(registry, "_families", {"shown": lambda: Shown(running.url)})
        catalogue._built_in.cache_clear()
        running.files["fast.bin"] = WEIGHTS
        running.repositories["someone/words"] = Repository({"config.json": b"{}", "model.safetensors": WEIGHTS})
        yield running
    catalogue._built_in.cache_clear()
