"""Molmo2 in small: it points at two places, whatever it is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from countersign.domain.model import ModelCard
from tiny_checkpoints import _seeded, _tokenizers, _told

_SAID = '<points coords="1 1 250 300 2 700 800">thing</points>'
_IMAGE = ("<im_start>", "<im_end>", "<im_patch>", "<im_col>", "<low_res_im_start>", "<|image|>", "<|video|>",
          "<im_low>", "<frame_start>", "<frame_end>")  # fmt: skip


def key(card: ModelCard) -> str:
    return "molmo2"


def build(card: ModelCard, folder: Path) -> None:
    import transformers as T

    tokenizer = _tokenizers.qwen(*_IMAGE, plain=(_SAID,))
    ids = tokenizer.convert_tokens_to_ids
    image = T.Molmo2ImageProcessor(
        size={"height": 28, "width": 28}, patch_size=14, max_crops=2, pooling_size=[2, 2], overlap_margins=[0, 0]
    )
    processor = T.Molmo2Processor(
        image_processor=image, video_processor=T.Molmo2VideoProcessor(), tokenizer=tokenizer,
        chat_template=_tokenizers.chat_template("<|image|>"),
    )  # fmt: skip
    vision = {
        "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
        "num_key_value_heads": 2, "head_dim": 16, "image_size": [28, 28], "patch_size": 14,
    }  # fmt: skip
    adapter = {
        "vision_feature_layer": [0, 1], "hidden_size": 32, "num_attention_heads": 2, "num_key_value_heads": 2,
        "head_dim": 16, "intermediate_size": 32, "text_hidden_size": 64,
    }  # fmt: skip
    text = {
        "hidden_size": 64, "num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 32, "num_hidden_layers": 1,
        "intermediate_size": 32, "vocab_size": len(tokenizer), "additional_vocab_size": 8,
        "max_position_embeddings": 4096, "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
    }  # fmt: skip

    def make() -> Any:
        config = T.Molmo2Config(
            vision_config=vision, adapter_config=adapter, text_config=text, image_start_token_id=ids("<im_start>"),
            low_res_image_start_token_id=ids("<low_res_im_start>"), image_end_token_id=ids("<im_end>"),
            image_patch_id=ids("<im_patch>"), frame_start_token_id=ids("<frame_start>"),
            frame_end_token_id=ids("<frame_end>"),
        )  # fmt: skip
        network = T.Molmo2ForConditionalGeneration(config)
        _told.tell(network, [ids(":"), ids(_SAID), ids("<|endoftext|>")])
        network.generation_config.eos_token_id = ids("<|endoftext|>")
        return network

    _seeded.save(make, folder, processor)
