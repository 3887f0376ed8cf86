"""CLIP, SigLIP and SigLIP 2 in small."""

from __future__ import annotations

import io
import string
from pathlib import Path
from typing import Any

from countersign.domain.model import ModelCard
from tiny_checkpoints import _seeded, _tokenizers

_VISION = {
    "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 32,
    "patch_size": 16,
}  # fmt: skip
_TEXT = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}


def key(card: ModelCard) -> str:
    return next(kind for kind in ("clip", "siglip2", "siglip") if card.name.startswith(kind))


def build(card: ModelCard, folder: Path) -> None:
    import transformers as T

    size = {"height": 32, "width": 32}
    kind = key(card)
    if kind == "clip":
        text = _TEXT | {"vocab_size": 514, "bos_token_id": 512, "eos_token_id": 513, "pad_token_id": 513}
        clip = T.CLIPConfig(text_config=text, vision_config=_VISION, projection_dim=24)
        processor = T.CLIPProcessor(
            T.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=size), _tokenizers.clip()
        )
        _seeded.save(lambda: T.CLIPModel(clip), folder, processor, spread=0.2)
        return
    tokenizer: Any = _sentencepiece(folder) if kind == "siglip" else _gemma()
    text = _TEXT | {"vocab_size": len(tokenizer), "max_position_embeddings": 16, "projection_size": 32}
    config = T.SiglipConfig(text_config=text, vision_config=_VISION)
    processor = T.SiglipProcessor(T.SiglipImageProcessor(size=size), tokenizer)
    _seeded.save(lambda: T.SiglipModel(config), folder, processor, spread=0.2)


def _sentencepiece(folder: Path) -> Any:
    """A sentencepiece tokenizer of letters, as SigLIP has one."""
    import sentencepiece
    import transformers

    words = io.StringIO("\n".join([*string.ascii_lowercase, "a photo of a cat", "traffic light", "this is the sky"]))
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(words), model_writer=trained, vocab_size=48, hard_vocab_limit=False,
        pad_id=1, eos_id=2, unk_id=0, bos_id=-1, minloglevel=2, character_coverage=1.0,
    )  # fmt: skip
    file = folder / "spiece.model"
    file.write_bytes(trained.getvalue())
    return transformers.SiglipTokenizer(vocab_file=str(file), model_max_length=16)


def _gemma() -> Any:
    """A Gemma tokenizer of letters, as SigLIP 2 has one."""
    import transformers

    words = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "▁", *string.ascii_lowercase, *string.punctuation]
    return transformers.GemmaTokenizer(vocab={word: i for i, word in enumerate(words)}, merges=[])
