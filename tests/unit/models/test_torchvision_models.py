"""Own weights, and the cards against the installed library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from countersign.domain.errors import ModelError
from countersign.domain.model import ModelCard
from countersign.models import registry
from countersign.models.contract import PredictOptions
from countersign.models.families.torchvision_cards import CARDS, DOWNLOADS
from countersign.models.families.torchvision_models import TorchvisionFamily
from countersign.models.folder import pickles


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_card__as_the_library_says(card: ModelCard) -> None:
    import torchvision

    weights = torchvision.models.get_model_weights(card.details["architecture"])[card.details["weights"]]
    (file,) = card.files
    assert weights.url == DOWNLOADS + file.name == file.url
    assert file.name.endswith(f"-{file.sha256}.pth")
    assert card.download_bytes == pytest.approx(weights.meta["_file_size"] * 2**20, rel=1e-4)
    assert card.published["parameters"] == pytest.approx(weights.meta["num_params"] / 1e6, abs=0.05)
    assert card.published["gflops"] == pytest.approx(weights.meta["_ops"], abs=0.001)
    (measure,) = set(card.published) - {"parameters", "gflops"}
    published = {name: value for scores in weights.meta["_metrics"].values() for name, value in scores.items()}
    theirs = {
        "imagenet_top1": "acc@1", "coco_map": "box_map", "coco_mask_map": "mask_map", "coco_keypoint_map": "kp_map",
        "coco_voc_miou": "miou",
    }  # fmt: skip
    assert card.published[measure] == published[theirs[measure]]
    names = [name for name in weights.meta["categories"] if name not in ("__background__", "N/A", "no person")]
    assert list(card.classes) == names


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with weights of a network for two classes, and their names."""
    import torch
    import torchvision
    from safetensors.torch import save_file

    folder = tmp_path_factory.mktemp("own")
    torch.manual_seed(0)
    network = torchvision.models.get_model("mobilenet_v3_small", weights=None, num_classes=2)
    torch.save({"model": network.state_dict()}, folder / "net.pth")
    save_file(network.state_dict(), folder / "net.safetensors")
    (folder / "classes.txt").write_text("cat\n\ndog\n")
    (folder / "three.txt").write_text("cat\ndog\nbird\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COUNTERSIGN_MODELS", str(folder / "models"))
        pickles.allow(folder / "net.pth", "the tests")
        yield folder


@pytest.mark.parametrize("file", ["net.pth", "net.safetensors"])
def test_own_weights(own: Path, file: str) -> None:
    reference = f"torchvision:mobilenet_v3_small?weights={own / file}&classes={own / 'classes.txt'}"
    model = registry.load(reference, device="cpu")
    assert model.card.classes == ("cat", "dog")
    assert registry.card(reference).classes == ("cat", "dog")
    assert len(model.card.weights_hash) == 64
    image = np.zeros((40, 60, 3), np.uint8)
    (found,) = model.predict([image], PredictOptions(min_confidence=0.0, settings={"top": 2}))
    assert sum(item.confidence or 0 for item in found) == pytest.approx(1, abs=1e-5)


def test_own_weights__classes_that_do_not_fit(own: Path) -> None:
    reference = f"torchvision:mobilenet_v3_small?weights={own / 'net.pth'}&classes={own / 'three.txt'}"
    with pytest.raises(ModelError, match=r"net\.pth cannot be loaded"):
        registry.load(reference, device="cpu")


def test_own_weights__a_pickle_that_holds_more_than_numbers(own: Path, tmp_path: Path) -> None:
    import torch

    torch.save({"model": Path("x")}, tmp_path / "bad.pth")
    reference = f"torchvision:mobilenet_v3_small?weights={tmp_path / 'bad.pth'}&classes={own / 'classes.txt'}"
    with pytest.raises(ModelError, match="is a pickle"):
        registry.load(reference, device="cpu")
    pickles.allow(tmp_path / "bad.pth", "the tests")
    with pytest.raises(ModelError, match="cannot be loaded"):
        registry.load(reference, device="cpu")


@pytest.mark.slow
@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_full_size__weights_of_the_library_fit(
    card: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Networks of full size with random weights: names and shapes are those of the published files."""
    import torch
    import torchvision

    monkeypatch.setenv("COUNTERSIGN_MODELS", str(tmp_path))
    more = {} if "imagenet_top1" in card.published else {"weights_backbone": None}
    if "coco_voc_miou" in card.published:
        more |= {"num_classes": 21, "aux_loss": True}
    network = torchvision.models.get_model(card.details["architecture"], weights=None, **more)
    place = tmp_path / card.name
    place.mkdir()
    file = place / card.files[0].name
    torch.save(network.state_dict(), file)
    monkeypatch.setattr("countersign.models.folder.weights.locate", lambda _: place)
    model = TorchvisionFamily().load(registry.parse(card.name), device="cpu")
    (found,) = model.predict([np.full((64, 96, 3), 90, np.uint8)], PredictOptions(min_confidence=0.0))
    assert all(item.class_name in card.classes for item in found)
    file.unlink()
