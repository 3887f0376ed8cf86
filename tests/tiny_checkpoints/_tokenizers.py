"""Tokenizers that need no file from elsewhere: their words are letters."""

from __future__ import annotations

import string
from typing import Any

_LETTERS = string.ascii_letters + string.digits + string.punctuation


def bert() -> Any:
    """BERT's, with its special tokens at the ids that Grounding DINO takes for granted (101, 102, 1012, 1029)."""
    import transformers

    vocabulary = {f"[unused{i}]": i for i in range(1200)}
    words = list(vocabulary)
    fixed = {0: "[PAD]", 100: "[UNK]", 101: "[CLS]", 102: "[SEP]", 103: "[MASK]", 1012: ".", 1029: "?"}
    letters = [c for c in string.ascii_lowercase + string.digits if c]
    for index, token in fixed.items():
        words[index] = token
    for index, token in enumerate([*letters, *(f"##{c}" for c in letters), "cat", "traffic", "light", "sky"], 200):
        words[index] = token
    return transformers.BertTokenizer(vocab={word: i for i, word in enumerate(words)})


def clip(length: int = 77) -> Any:
    """CLIP's, of single bytes: 512 letters, then its two special tokens (ids 512 and 513)."""
    import transformers

    letters = _byte_letters()
    names = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {name: i for i, name in enumerate(names)}
    return transformers.CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=length)


def _byte_letters() -> list[str]:
    """The 256 printable characters that stand for bytes in byte-pair encodings (GPT-2)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    extra = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(extra)) for byte in range(256)]
