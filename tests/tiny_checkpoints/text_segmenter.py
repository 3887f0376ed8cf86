"""GroupViT in small."""

from __future__ import annotations

from pathlib import Path

from countersign.domain.model import ModelCard
from tiny_checkpoints import _seeded, _tokenizers


def key(card: ModelCard) -> str:
    return "groupvit"


def build(card: ModelCard, folder: Path) -> None:
    import transformers as T

    text = {
        "vocab_size": 514, "bos_token_id": 512, "eos_token_id": 513, "pad_token_id": 513, "hidden_size": 32,
        "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
    }  # fmt: skip
    vision = {
        "hidden_size": 32, "intermediate_size": 32, "depths": [1, 1, 1], "num_attention_heads": 2, "image_size": 32,
        "patch_size": 4, "num_group_tokens": [8, 4, 0], "num_output_groups": [8, 4, 0],
    }  # fmt: skip
    config = T.GroupViTConfig(text_config=text, vision_config=vision, projection_dim=16, projection_intermediate_dim=32)
    size = {"height": 32, "width": 32}
    processor = T.CLIPProcessor(T.CLIPImageProcessor(size=size, do_center_crop=False), _tokenizers.clip())
    _seeded.save(lambda: T.GroupViTModel(config), folder, processor, spread=0.3)
