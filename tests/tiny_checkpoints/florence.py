"""Florence-2 in small: it says "cat" and eight places, for whatever it is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from countersign.domain.model import ModelCard
from tiny_checkpoints import _seeded, _tokenizers, _told

_PLACES = (100, 110, 600, 640, 300, 320, 900, 950)
_READING = ("ocr", "phrase_grounding", "pure_text", "description_with_bboxes", "description_with_polygons", "polygons",
            "bboxes", "description_with_bboxes_or_polygons")  # fmt: skip


def key(card: ModelCard) -> str:
    return "florence"


def build(card: ModelCard, folder: Path) -> None:
    import transformers as T

    tokenizer = _tokenizers.bart()
    image = T.CLIPImageProcessor(size={"height": 64, "width": 64}, do_center_crop=False)
    image.image_seq_length = 5  # 4 places of the smallest map, and their mean
    processor = T.Florence2Processor(
        image_processor=image, tokenizer=tokenizer, post_processor_config={name: {} for name in _READING}
    )
    vision = {
        "depths": [1, 1, 1, 1], "embed_dim": [8, 16, 32, 64], "num_heads": [1, 2, 2, 4], "num_groups": [1, 2, 2, 4],
        "window_size": 4, "projection_dim": 64,
    }  # fmt: skip
    text = {
        "model_type": "bart", "vocab_size": len(tokenizer), "d_model": 64, "encoder_layers": 1, "decoder_layers": 1,
        "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32,
        "bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2, "forced_bos_token_id": 0,
        "forced_eos_token_id": 2, "tie_word_embeddings": False,
    }  # fmt: skip

    def make() -> Any:
        config = T.Florence2Config(
            vision_config=vision, text_config=text, image_token_id=tokenizer.image_token_id, tie_word_embeddings=False
        )
        network = T.Florence2ForConditionalGeneration(config)
        places = [tokenizer.convert_tokens_to_ids(f"<loc_{place}>") for place in _PLACES]
        _told.tell(
            network,
            [2, tokenizer.convert_tokens_to_ids("cat"), *places, 2],
            inner=network.model.language_model.decoder.embed_tokens,
        )
        return network

    _seeded.save(make, folder, processor)
