"""A conversation of one question about one image, with any network that has a chat template. Batches of any sizes.

Questions of a batch are padded on the left, so that every answer begins where its own question ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from countersign.domain.errors import ModelError
from countersign.domain.model import ModelCard
from countersign.models.contract import Pixels
from countersign.models.parts import generating, hub_loading
from countersign.models.parts.hub_loading import Loaded
from countersign.models.parts.hub_model import HubModel

MOST = 256
"""How many tokens an answer may have where the setting ``max_new_tokens`` says nothing."""


class Conversation(HubModel):
    """An Asker: puts one text to each of several images and returns what the network writes."""

    def __init__(self, loaded: Loaded, card: ModelCard) -> None:
        super().__init__(loaded, card)
        self._tokenizer = loaded.processor.tokenizer
        if not (getattr(self._processor, "chat_template", None) or getattr(self._tokenizer, "chat_template", None)):
            raise ModelError(
                f"{loaded.folder} has no chat template: how a question is put to it is not said",
                remedy="Choose a version of the model that was trained to follow instructions (-Instruct, -it).",
            )
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token

    def ask(self, images: Sequence[Pixels], question: str, *, settings: Mapping[str, Any] | None = None) -> list[str]:
        return self._answers(images, question_of(question), generating.limit(settings, MOST))

    def _answers(self, images: Sequence[Pixels], text: str, most: int) -> list[str]:
        """Return one answer per image, of ``most`` tokens at most. Raises ModelError."""
        if not images:
            return []
        turn = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": text}]}
        prompt = self._processor.apply_chat_template([turn], add_generation_prompt=True, tokenize=False)
        inputs = self._processor(
            text=[prompt] * len(images),
            images=[[picture] for picture in generating.pictures(images)],
            padding=True,
            padding_side="left",
            return_tensors="pt",
        )
        written = generating.generate(self._network, inputs, most)[:, inputs["input_ids"].shape[1] :]
        said = self._tokenizer.batch_decode(written, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return [answer.strip() for answer in said]


def load(folder: Path, device: str | None) -> Loaded:
    """Load a checkpoint that writes text about images. Raises ModelError."""
    return hub_loading.load(folder, "AutoModelForImageTextToText", device=device, dtype="bfloat16")


def question_of(text: str) -> str:
    """Return a question without blanks around it. Raises ModelError for an empty one."""
    if not text.strip():
        raise ModelError("a question needs some words", remedy="Write what you want to know of the image.")
    return text.strip()
