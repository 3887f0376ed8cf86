from __future__ import annotations

import numpy as np
import pytest

from countersign.domain.errors import ModelError
from countersign.models.contract import PredictOptions, Prompt
from countersign.models.parts.prompts import Texts, texts_of
from countersign.models.parts.text_spans import TextSpans
from tiny_checkpoints import _tokenizers


@pytest.fixture(scope="module")
def tokenizer() -> object:
    return _tokenizers.bert()


def test_sentences__as_the_library_writes_them(tokenizer: object) -> None:
    texts = ("a cat", "traffic light")
    (sentence,) = TextSpans(tokenizer, 256).sentences(texts)
    assert list(sentence.ids) == tokenizer("a cat. traffic light.")["input_ids"]  # type: ignore[operator]
    words = [tokenizer.convert_ids_to_tokens(list(sentence.ids[a:b])) for a, b in sentence.spans]  # type: ignore[attr-defined]
    assert words == [["a", "cat"], ["traffic", "light"]]


def test_sentences__a_stop_within_a_prompt_does_not_end_it(tokenizer: object) -> None:
    (sentence,) = TextSpans(tokenizer, 256).sentences(("St. Cat?",))
    assert sentence.ids.count(1012) == 1
    assert 1029 not in sentence.ids
    with pytest.raises(ModelError, match="cannot be read"):
        list(TextSpans(tokenizer, 256).sentences((" . ",)))


def test_sentences__as_many_as_needed(tokenizer: object) -> None:
    texts = tuple(f"cat sky {i}" for i in range(10))
    sentences = list(TextSpans(tokenizer, 16).sentences(texts))
    assert all(len(sentence.ids) <= 16 for sentence in sentences)
    assert [place for sentence in sentences for place in sentence.places] == list(range(10))
    with pytest.raises(ModelError, match="short phrase"):
        list(TextSpans(tokenizer, 16).sentences(("cat " * 14,)))


def test_best__the_prompt_of_the_best_token(tokenizer: object) -> None:
    (sentence,) = TextSpans(tokenizer, 256).sentences(("a cat", "traffic light"))
    scores = np.zeros((2, 256), np.float32)
    scores[0, sentence.spans[1][0]] = 0.5
    scores[1, sentence.spans[0][1] - 1] = 0.25
    scores[1, sentence.spans[0][1]] = 0.9  # the full stop after it belongs to no prompt
    best, which = sentence.best(scores)
    assert best.tolist() == [0.5, 0.25]
    assert which.tolist() == [1, 0]


def test_texts_of() -> None:
    assert texts_of(PredictOptions(classes=("cat",)), "a photo of a {}") == Texts(("a photo of a cat",), ("cat",))
    prompts = (Prompt(" kitten ", "cat"), Prompt("sky", ""), Prompt("dog", "dog"))
    assert texts_of(PredictOptions(prompts=prompts), "a {}") == Texts(("kitten", "sky", "dog"), ("cat", "", "dog"))
    assert texts_of(PredictOptions(prompts=prompts, classes=("cat",))).names == ("cat", "")
    with pytest.raises(ModelError, match="at least one class"):
        texts_of(PredictOptions(prompts=(Prompt("sky", ""),)))
    with pytest.raises(ModelError, match="no place"):
        texts_of(PredictOptions(classes=("cat",), settings={"template": "a photo"}))
