"""A small member of every family that is promised, with a tiny input."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from countersign.domain.errors import ModelError, SettingsError
from countersign.learn.backbone import RANDOM, create
from countersign.learn.network import NetworkSpec, build

FAMILIES = (
    "resnet10t",
    "mobilenetv3_small_050",
    "efficientnet_lite0",
    "vit_tiny_patch16_224",
    "swin_tiny_patch4_window7_224",
    "convnext_atto",
    "regnetx_002",
    "densenet121",
    "maxvit_rmlp_pico_rw_256",
)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_feeds_every_head(name: str) -> None:
    network, info = build(NetworkSpec(name, (64, 96), boxes=2, paints=1, tags=3))
    network.eval()
    with torch.no_grad():
        out = network(torch.zeros(1, 3, 64, 96, dtype=torch.uint8))
    assert out.heat is not None
    assert out.sides is not None
    assert out.paint is not None
    assert out.tags is not None
    assert out.heat.shape == (1, 2, 8, 12)
    assert out.sides.shape == (1, 4, 8, 12)
    assert out.paint.shape == (1, 2, 16, 24)
    assert out.tags.shape == (1, 3)
    assert (out.sides > 0).all()
    assert info.pretrained == RANDOM


@pytest.mark.parametrize("name", ["resnet10t", "mobilenetv3_small_050", "vit_tiny_patch16_224"])
def test_detail_halves_the_cells_of_the_painted_map(name: str) -> None:
    network, _ = build(NetworkSpec(name, (64, 96), boxes=0, paints=2, tags=0, detail=True))
    with torch.no_grad():
        out = network.eval()(torch.zeros(1, 3, 64, 96, dtype=torch.uint8))
    assert out.paint is not None
    assert out.paint.shape == (1, 3, 32, 48)


def test_untrained_backbone_leaves_the_deepest_stage_out() -> None:
    shallow, deep = create("resnet10t", (64, 64))[1], create("resnet10t", (64, 64), all_stages=True)[1]
    assert shallow.strides == (4, 8, 16)
    assert deep.strides == (4, 8, 16, 32)


def test_weights_from_a_folder_or_a_file(tmp_path: Path) -> None:
    import timm
    from safetensors.torch import save_file

    teacher = timm.create_model("resnet10t", pretrained=False)
    save_file(teacher.state_dict(), str(tmp_path / "model.safetensors"))
    for weights in (tmp_path, tmp_path / "model.safetensors"):
        backbone, info = create("resnet10t", (64, 64), pretrained=True, weights=str(weights))
        assert info.pretrained == str(weights)
        assert info.notices == ()
        assert info.strides == (4, 8, 16, 32)
        state = backbone.body.state_dict()
        torch.testing.assert_close(state["layer1.0.conv1.weight"], teacher.state_dict()["layer1.0.conv1.weight"])


def test_weights_out_of_reach_are_a_notice(tmp_path: Path) -> None:
    _, info = create("resnet10t", (64, 64), pretrained=True, weights=str(tmp_path / "missing.safetensors"))
    assert info.pretrained == RANDOM
    assert "random weights" in info.notices[0]


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "weights.pt").write_bytes(b"x")
    with pytest.raises(ModelError, match="safetensors"):
        create("resnet10t", (64, 64), pretrained=True, weights=str(tmp_path / "weights.pt"))


def test_unknown_name() -> None:
    with pytest.raises(SettingsError, match="backbone"):
        create("no_such_net", (64, 64))
