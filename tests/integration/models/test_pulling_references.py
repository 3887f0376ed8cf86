"""What has no card in the catalogue is fetched by its family's own name, and found again by that and by its card's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tiny_checkpoints
from countersign.domain.errors import ModelError, NotFound
from countersign.models import catalogue, registry
from countersign.models.contract import Model, PredictOptions
from countersign.models.folder import weights
from countersign.workbench.shelf import FETCHED, Shelf
from weights_server import Repository, WeightsServer

IMAGE = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.setenv("COUNTERSIGN_USER", "anna")
    return Shelf()


def _put(server: WeightsServer, repository: str, files: dict[str, bytes]) -> None:
    server.repositories[repository] = Repository(files, {name for name in files if name.endswith(".safetensors")})


def _loads(reference: str) -> Model:
    model = registry.load(reference, device="cpu")
    assert model.predict([IMAGE], PredictOptions(min_confidence=0.0))[0]
    return model


@pytest.mark.parametrize("name", ["timm:test_resnet.r160_in1k", "timm:timm/test_resnet.r160_in1k", "timm:test_resnet"])
def test_timm(shelf: Shelf, server: WeightsServer, models_folder: Path, name: str) -> None:
    import timm
    import torch
    from safetensors.torch import save

    torch.manual_seed(0)
    network = timm.create_model("test_resnet").state_dict()
    _put(server, "timm/test_resnet.r160_in1k", {"model.safetensors": save(network), "config.json": b"{}"})
    with pytest.raises(ModelError, match=f"models pull {name}"):
        registry.load(f"{name}?engine=torch")

    entry = shelf.pull(name)

    assert (entry.name, entry.origin) == ("timm-test_resnet.r160_in1k", FETCHED)
    assert entry.installed is not None
    assert entry.installed.folder == models_folder / entry.name
    hashes = {
        _loads(f"{each}?engine=torch").card.weights_hash for each in (name, entry.name, weights.pull_name(entry.card))
    }
    assert len(hashes) == 1
    assert [item.name for item in shelf.catalogue(installed=True)] == [entry.name]
    assert {item.state for item in shelf.check(entry.name)} == {"ok"}
    assert shelf.remove(name) > 0


@pytest.mark.parametrize("known", ["vit-base-patch16-224", "d-fine-s"])
def test_a_repository_of_a_known_family(
    shelf: Shelf, server: WeightsServer, known: str, pytestconfig: pytest.Config
) -> None:
    card = catalogue.find(known)
    assert card is not None
    folder = tiny_checkpoints.checkpoint(card, Path(pytestconfig.cache.mkdir("tiny")))
    _put(server, "Some/Body", {file.name: file.read_bytes() for file in folder.iterdir()})
    reference = f"{card.family}:Some/Body"
    with pytest.raises(ModelError, match=f"models pull {reference}"):
        registry.load(reference)

    entry = shelf.pull(reference)

    assert (entry.name, entry.card.hub_id) == ("some--body", "Some/Body")
    for found in (entry, shelf.entry(reference), shelf.entry("some--body"), shelf.catalogue(installed=True)[0]):
        assert found.card.tasks == card.tasks
        assert found.card.classes
    assert _loads(reference).card.weights_hash == _loads("some--body").card.weights_hash


def test_torchvision__what_has_no_card(shelf: Shelf, models_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files lie at a plain address."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match=r"models pull torchvision:mobilenet_v3_small"):
        registry.load("torchvision:mobilenet_v3_small")
    with pytest.raises(ModelError) as caught:
        shelf.pull("torchvision:mobilenet_v3_small")
    assert f"put them into {models_folder / 'mobilenet-v3-small'}" in caught.value.remedy
    assert "https://download.pytorch.org/models/mobilenet_v3_small-" in caught.value.remedy
    assert shelf.entry("torchvision:resnet18").name == "resnet18"
    assert shelf.entry("torchvision:vit_h_14").licence_due


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("timm:resnt18", r"timm:resnet18"),
        ("torchvision:resnt18", r"torchvision:resnet18"),
        ("timm:resnet18?weights=random", "There is no model"),
        ("nothing:else", "There is no model"),
        ("detector:", "There is no model"),
    ],
)
def test_what_there_is_none_of(shelf: Shelf, name: str, said: str) -> None:
    with pytest.raises((NotFound, ModelError), match=said):
        shelf.pull(name)
