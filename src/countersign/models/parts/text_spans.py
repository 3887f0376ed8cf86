"""Which tokens of a sentence belong to which prompt, for detectors that score tokens (Grounding DINO).

The sentence is ``prompt . prompt . prompt .``: a full stop ends a prompt, and what stands between two of them cannot
see the rest. So a stop (or a question mark, which the network takes for one) within a prompt becomes a blank.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.errors import ModelError

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Sentence:
    """Token ids of one sentence, and for each of its prompts where its tokens are (from, up to)."""

    ids: tuple[int, ...]
    spans: tuple[Span, ...]
    places: tuple[int, ...]
    """The prompts' places among all that were asked for."""

    def inputs(self, count: int, device: Any) -> dict[str, Any]:
        """Return the network's text inputs for ``count`` images."""
        import torch

        ids = torch.tensor([self.ids] * count, dtype=torch.long, device=device)
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "token_type_ids": torch.zeros_like(ids)}

    def best(self, scores: NDArray[np.floating[Any]]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """From scores of tokens (boxes, tokens) return each box's best prompt: its score, its index in ``spans``."""
        by_prompt = np.stack([scores[:, first:last].max(axis=1) for first, last in self.spans], axis=1)
        return by_prompt.max(axis=1).astype(np.float64), by_prompt.argmax(axis=1)


class TextSpans:
    """Writes sentences of at most ``length`` tokens with a BERT tokenizer."""

    def __init__(self, tokenizer: Any, length: int) -> None:
        self._tokenizer = tokenizer
        self._length = length
        self._stop = int(tokenizer.convert_tokens_to_ids("."))

    def sentences(self, texts: Sequence[str]) -> Iterator[Sentence]:
        """Yield as many sentences as the texts need. Raises ModelError for a text of no words, or of too many."""
        first, last = int(self._tokenizer.cls_token_id), int(self._tokenizer.sep_token_id)
        ids, spans, places = [first], list[Span](), list[int]()
        for place, text in enumerate(texts):
            tokens = self._tokens(text)
            if len(ids) + len(tokens) + 2 > self._length:
                yield Sentence((*ids, last), tuple(spans), tuple(places))
                ids, spans, places = [first], [], []
            spans.append((len(ids), len(ids) + len(tokens)))
            places.append(place)
            ids += [*tokens, self._stop]
        yield Sentence((*ids, last), tuple(spans), tuple(places))

    def _tokens(self, text: str) -> list[int]:
        words = re.sub(r"[.?\s]+", " ", text).strip().lower()
        tokens: list[int] = self._tokenizer(words, add_special_tokens=False)["input_ids"]
        if not 0 < len(tokens) <= self._length - 3:
            raise ModelError(f"the prompt {text!r} cannot be read", remedy="Write a word or a short phrase.")
        return tokens
