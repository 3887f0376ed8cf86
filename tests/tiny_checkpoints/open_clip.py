"""An OpenCLIP network under the names of the catalogue's, with one layer in place of twelve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from countersign.domain.model import ModelCard

_SMALL = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 1},
}


def key(card: ModelCard) -> str:
    return "vit"


def narrow(patch: pytest.MonkeyPatch) -> None:
    """Let the library know small configurations under the names of large ones."""
    from open_clip import factory

    for name in ("ViT-B-32", "ViT-B-16"):
        patch.setitem(factory._MODEL_CONFIGS, name, _SMALL)


def build(card: ModelCard, folder: Path) -> None:
    import open_clip
    import torch
    from safetensors.torch import save_file

    with pytest.MonkeyPatch.context() as patch:
        narrow(patch)
        torch.manual_seed(0)
        network: Any = open_clip.create_model("ViT-B-32", pretrained=None)
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, folder / card.files[0].name)
