"""Each way in which weights come: fetched from a stand-in of the place where they lie, then used without any network.

The stand-in has what the libraries themselves saved (tiny checkpoints), under the names that the cards say.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import re
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

import tiny_checkpoints
from countersign.domain.errors import ModelError
from countersign.domain.model import LABELLING, ModelCard, Task
from countersign.models import catalogue, registry
from countersign.models.contract import Asker, BoxRefiner, Clicks, Embedder, Model, PredictOptions, PromptSegmenter
from countersign.models.folder import pickles, weights
from countersign.models.parts.hub_family import HubFamily
from countersign.workbench.shelf import Shelf
from weights_server import Repository, WeightsServer

IMAGE = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
PICKLED = "pytorch_model.bin"
_SLOW = ("chat", "florence", "molmo", "text_detector")
EMPTY = {"special_tokens_map.json": b"{}", "vocab.txt": b"", "merges.txt": b"#version: 0.2\n"}
"""Files of the hub that today's library no longer saves, as ``tokenizer.json`` says it all."""


def _one_of_each_family() -> list[Any]:
    first: dict[str, ModelCard] = {}
    for card in catalogue.cards():
        if card.hub_id and isinstance(registry.family(card.family), HubFamily):
            first.setdefault(card.family, card)
    return [
        pytest.param(card, id=card.family, marks=[pytest.mark.slow] if card.family in _SLOW else [])
        for card in first.values()
    ]


@pytest.fixture
def tiny(pytestconfig: pytest.Config) -> Callable[[ModelCard], dict[str, bytes]]:
    """A function that returns the files of a card's tiny checkpoint, by the names that the card says."""
    cache = Path(pytestconfig.cache.mkdir("tiny"))

    def made(card: ModelCard) -> dict[str, bytes]:
        renamed = getattr(tiny_checkpoints.builder(card.family), "files", lambda card: {})(card)
        folder = tiny_checkpoints.checkpoint(card, cache)
        found = {renamed.get(file.name, file.name): file.read_bytes() for file in folder.iterdir()}
        if "preprocessor_config.json" not in found and "processor_config.json" in found:
            found["preprocessor_config.json"] = _as_on_the_hub(found["processor_config.json"])
        if any(file.name == PICKLED for file in card.files):
            found[PICKLED] = _pickled(found.pop("model.safetensors"))
        if "vocab.json" not in found and "tokenizer.json" in found:
            found["vocab.json"] = json.dumps(json.loads(found["tokenizer.json"])["model"]["vocab"]).encode()
        return {file.name: EMPTY[file.name] for file in card.files if file.name in EMPTY} | found

    return made


def _pickled(weights: bytes) -> bytes:
    """The same numbers as torch alone writes them: so lie CLIP's and GroupViT's on the hub."""
    import torch
    from safetensors.torch import load

    torch.save(load(weights), file := io.BytesIO())
    return file.getvalue()


def _as_on_the_hub(said: bytes) -> bytes:
    """What today's library writes for a processor, as the one wrote it that made the hub's repositories."""
    told = json.loads(said)
    return json.dumps(told["image_processor"] | {"processor_class": told["processor_class"]}).encode()


@pytest.fixture
def elsewhere(server: WeightsServer, monkeypatch: pytest.MonkeyPatch) -> WeightsServer:
    """Plain addresses on other machines lead to the stand-in, each to a file of its last part."""
    stream = httpx.Client.stream

    def led(self: httpx.Client, method: str, url: str, **rest: Any) -> Any:
        if not url.startswith(server.url):
            url = f"{server.url}/files/{url.rpartition('/')[2]}"
        return stream(self, method, url, **rest)

    monkeypatch.setattr(httpx.Client, "stream", led)
    return server


@contextmanager
def _no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(self: socket.socket, address: Any, *_: Any) -> None:
        if self.family != socket.AF_UNIX:
            raise AssertionError(f"something wants to go to {address}")

    with monkeypatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "getaddrinfo", lambda host, *_, **__: refuse(socket.socket(), host))
        yield


def _works(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Load a model by its name without a network, and let it do each of the things that its card says."""
    with _no_network(monkeypatch):
        opened: Any = registry.open_any(name, device="cpu")
        for task in opened.card.tasks:
            if task in LABELLING and isinstance(opened, Model):
                words = ("cat", "dog") if opened.card.zero_shot else ()
                options = PredictOptions(words, 0.0, task=task)
                assert len(opened.predict([IMAGE], options)) == 1
            elif task in LABELLING:
                assert isinstance(opened, BoxRefiner)
                assert opened.refine([IMAGE], [[]], PredictOptions()) == [[]]
            elif task is Task.EMBEDDING:
                assert isinstance(opened, Embedder)
                assert opened.embed([IMAGE]).shape[0] == 1
            elif task is Task.PROMPTED_SEGMENTATION:
                assert isinstance(opened, PromptSegmenter)
                clicks = [Clicks(points=((9.0, 9.0),), positive=(True,))]
                assert opened.segment(opened.encode(IMAGE), clicks)[0].mask.shape == IMAGE.shape[:2]
            else:
                assert isinstance(opened, Asker)
                assert len(opened.ask([IMAGE], "Describe the text.", settings={"max_new_tokens": 4})) == 1
        process = getattr(opened, "process", None)
        if process is not None:
            assert process.ask({"do": "network"})[0]["refused"] == []
            process.close()


@pytest.mark.parametrize("card", _one_of_each_family())
def test_hub__a_folder_of_transformers(
    card: ModelCard,
    server: WeightsServer,
    tiny: Callable[[ModelCard], dict[str, bytes]],
    monkeypatch: pytest.MonkeyPatch,
    models_folder: Path,
) -> None:
    files = tiny(card)
    server.repositories[card.hub_id] = Repository(files, {name for name in files if name.endswith(".safetensors")})
    with pytest.raises(ModelError, match=f"models pull {re.escape(card.name)}"):
        weights.locate(dataclasses.replace(card, licence="MIT"))

    Shelf().pull(card.name, accept_licence=True)

    assert server.fetched("config.json")
    assert weights.locate(card) == models_folder / card.name
    server.repositories.clear()
    _works(card.name, monkeypatch)
    place = models_folder / card.name
    shutil.move(place, models_folder.parent / "elsewhere")  # the same folder, used by its path
    assert registry.family_of(models_folder.parent / "elsewhere") == card.family
    for pickle in (models_folder.parent / "elsewhere").glob("*.bin"):
        pickles.allow(pickle, "anna")
    _works(str(models_folder.parent / "elsewhere"), monkeypatch)


def test_hub__open_clip(
    server: WeightsServer, tiny: Callable[[ModelCard], dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    card = _card("openclip-vit-b32-laion2b")
    tiny_checkpoints.narrow(card, monkeypatch)
    files = tiny(card)
    server.repositories[card.hub_id] = Repository(files, set(files))
    Shelf().pull(card.name)
    _works(card.name, monkeypatch)


@pytest.mark.parametrize("name", ["resnet18", "faster-rcnn-r50-fpn", "deeplabv3-r50"])
def test_address__torchvision(
    elsewhere: WeightsServer,
    tiny: Callable[[ModelCard], dict[str, bytes]],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    """Its names say the first digits of each file's hash: what is not that file is refused."""
    card = _card(name)
    tiny_checkpoints.narrow(card, monkeypatch)
    ((file, content),) = tiny(card).items()
    assert card.files[0].url == f"https://download.pytorch.org/models/{file}"
    elsewhere.files[file] = content
    with pytest.raises(ModelError, match=card.files[0].sha256):
        Shelf().pull(card.name)
    ours = dataclasses.replace(card.files[0], sha256=hashlib.sha256(content).hexdigest())
    _put(monkeypatch, dataclasses.replace(card, files=(ours,)))

    Shelf().pull(card.name)

    _works(card.name, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["yolo11n-seg", "yoloe-11s-seg"])
def test_address__ultralytics(
    elsewhere: WeightsServer,
    tiny: Callable[[ModelCard], dict[str, bytes]],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    models_folder: Path,
) -> None:
    """YOLOE comes with its text encoder and its vocabulary; with nothing else it reads words."""
    card = _card(name)
    _serve(elsewhere, tiny(card))
    with pytest.raises(ModelError, match=r"AGPL-3\.0"):
        Shelf().pull(card.name)
    assert not elsewhere.asked

    Shelf().pull(card.name, accept_licence=True)

    assert {item.path.rpartition("/")[2] for item in elsewhere.asked} == {file.name for file in card.files}
    assert [path.name for path in models_folder.iterdir() if path.is_dir() and path.name[0] != "."] == [card.name]
    _works(card.name, monkeypatch)


@pytest.mark.slow
def test_address__a_text_encoder_comes_once(
    elsewhere: WeightsServer, tiny: Callable[[ModelCard], dict[str, bytes]], models_folder: Path
) -> None:
    first, second = _card("yoloe-11s-seg"), _card("yoloe-11m-seg")
    _serve(elsewhere, tiny(first) | tiny(second))
    Shelf().pull(first.name, accept_licence=True)
    elsewhere.asked.clear()

    Shelf().pull(second.name, accept_licence=True)

    assert [item.path.rpartition("/")[2] for item in elsewhere.asked] == ["yoloe-11m-seg.pt"]
    assert (models_folder / first.name / "mobileclip_blt.ts").samefile(
        models_folder / second.name / "mobileclip_blt.ts"
    )
    assert {item.state for item in Shelf().check(first.name, second.name)} == {"ok"}


@pytest.mark.slow
def test_address__yolo_world_comes_with_clip(
    elsewhere: WeightsServer, tiny: Callable[[ModelCard], dict[str, bytes]], models_folder: Path
) -> None:
    world, clip = _card("yolov8s-worldv2"), _card("clip-vit-b32")
    elsewhere.files |= tiny(world)
    elsewhere.repositories[clip.hub_id] = Repository(tiny(clip), {"model.safetensors"})

    Shelf().pull(world.name, accept_licence=True)

    assert weights.find(world) == models_folder / world.name
    assert weights.find(clip) == models_folder / clip.name


def _serve(server: WeightsServer, files: dict[str, bytes]) -> None:
    """Files at plain addresses; the vocabulary is in CLIP's repository on the hub."""
    words = {name: files.pop(name) for name in ("vocab.json", "merges.txt") if name in files}
    server.files |= files
    server.repositories["openai/clip-vit-base-patch32"] = Repository(words)


def _card(name: str) -> ModelCard:
    card = catalogue.find(name)
    assert card is not None
    return card


def _put(monkeypatch: pytest.MonkeyPatch, card: ModelCard) -> None:
    """Let the catalogue have this card in place of its own of that name."""
    cards = {known.name: known for known in catalogue.built_in()} | {card.name: card}
    monkeypatch.setattr(catalogue, "_built_in", lambda families: cards)
