"""timm's networks with weights that were fetched before: nothing is downloaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from countersign.domain.errors import ModelError
from countersign.models import registry


def test_pretrained__from_the_models_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import timm
    import torch
    from safetensors.torch import save_file

    monkeypatch.setenv("COUNTERSIGN_MODELS", str(tmp_path))
    card = registry.card("timm:test_resnet.r160_in1k")
    assert card.hub_id == "timm/test_resnet.r160_in1k"
    place = tmp_path / card.name
    place.mkdir()
    torch.manual_seed(0)
    save_file(timm.create_model("test_resnet").state_dict(), place / "model.safetensors")
    (place / "config.json").write_text("{}")
    first = registry.load("timm:test_resnet.r160_in1k", device="cpu")
    assert first.card.name == card.name
    assert (
        first.card.weights_hash
        == registry.load(
            f"timm:test_resnet.r160_in1k?weights={place / 'model.safetensors'}", device="cpu"
        ).card.weights_hash
    )


def test_pretrained__under_a_licence_that_must_be_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import timm

    monkeypatch.setenv("COUNTERSIGN_MODELS", str(tmp_path))
    config = timm.get_pretrained_cfg("test_resnet.r160_in1k")
    monkeypatch.setattr(config, "license", "cc-by-nc-4.0")
    monkeypatch.setattr(timm, "get_pretrained_cfg", lambda *_, **__: config)
    with pytest.raises(ModelError, match="cc-by-nc-4") as caught:
        registry.load("timm:test_resnet.r160_in1k", device="cpu")
    assert "pull timm:timm/test_resnet.r160_in1k --accept-licence" in caught.value.remedy
