"""Kosmos-2 in small: it says one box after a phrase, and a phrase with a box after anything that ends with a colon."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

from countersign.domain.model import ModelCard
from tiny_checkpoints import _seeded, _tokenizers, _told

_CELLS = ("<patch_index_0040>", "<patch_index_0500>")


def build(card: ModelCard, folder: Path) -> None:
    import transformers as T

    image = T.CLIPImageProcessor(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28})
    processor = T.Kosmos2Processor(image, _tokenizers.unigram())
    tokenizer = processor.tokenizer
    text = {
        "vocab_size": len(tokenizer) + 64, "embed_dim": 64, "layers": 1, "ffn_dim": 32, "attention_heads": 2,
        "max_position_embeddings": 256, "tie_word_embeddings": False,
    }  # fmt: skip
    vision = {
        "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 28,
        "patch_size": 14,
    }  # fmt: skip

    def make() -> Any:
        config = T.Kosmos2Config(text_config=text, vision_config=vision, tie_word_embeddings=False)
        network = T.Kosmos2ForConditionalGeneration(config)
        ids = tokenizer.convert_tokens_to_ids
        told = [ids(name) for name in ("</phrase>", "<object>", *_CELLS, "</object>", "</s>")]
        lead = [ids(name) for name in (":", "<phrase>", "x", "</phrase>")]
        _told.tell(network, told, also=list(pairwise(lead)))
        return network

    _seeded.save(make, folder, processor)
