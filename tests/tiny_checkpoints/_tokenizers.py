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


def bart() -> Any:
    """BART's, of single bytes, with the image, the word "cat" and Florence-2's places."""
    import transformers

    fixed = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *_byte_letters()]
    tokenizer = transformers.BartTokenizer(
        vocab={name: i for i, name in enumerate(fixed)}, merges=[], extra_special_tokens={"image_token": "<image>"}
    )
    tokenizer.add_tokens(["cat", *(f"<loc_{i}>" for i in range(1000))])
    return tokenizer


def unigram() -> Any:
    """XLM-RoBERTa's, of single letters, with room for the 64 places of an image after <unk>."""
    import transformers

    fixed = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces = (
        [(name, 0.0) for name in fixed] + [("▁", -3.0)] + [(letter, -4.0) for letter in _LETTERS if letter not in "<>"]
    )
    return transformers.XLMRobertaTokenizer(vocab=[*pieces, ("<mask>", 0.0)])


_CHAT = (
    "{% for message in messages %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}IMAGE{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endfor %}{% if add_generation_prompt %}:{% endif %}"
)


def chat_template(image: str) -> str:
    """A template that puts the image before the question, and a colon after it."""
    return _CHAT.replace("IMAGE", image)


def qwen(*more: str, plain: tuple[str, ...] = ()) -> Any:
    """Qwen's, of single bytes; ``more`` are special tokens, ``plain`` words of its own."""
    import transformers

    letters = _byte_letters()
    tokenizer = transformers.Qwen2Tokenizer(
        vocab={name: i for i, name in enumerate([*letters, "<|endoftext|>"])}, merges=[]
    )
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>", *more]})
    if plain:
        tokenizer.add_tokens(list(plain))
    return tokenizer


def gpt2(*more: str) -> Any:
    """GPT-2's, of single bytes; ``more`` are special tokens."""
    import transformers

    letters = _byte_letters()
    tokenizer = transformers.GPT2Tokenizer(
        vocab={name: i for i, name in enumerate([*letters, "<|endoftext|>"])}, merges=[]
    )
    tokenizer.add_special_tokens({"additional_special_tokens": list(more), "pad_token": "<|endoftext|>"})
    return tokenizer
