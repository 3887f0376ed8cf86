"""A conversation of one question about one image, with any network that has a chat template. Batches of any sizes.

Questions of a batch are padded on the left, so that every answer begins where its own question ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from countersign.domain.errors import ModelError
from countersign.models import generating, hub_loading
from countersign.models.contract import Pixels
from countersign.models.hub_loading import Loaded


class Conversation:
    """Puts one text to each of several images and returns what the network writes."""

    def __init__(self, loaded: Loaded) -> None:
        self._network = loaded.network
        self._processor = loaded.processor
        self._tokenizer = loaded.processor.tokenizer
        self.device = loaded.device
        if not (getattr(self._processor, "chat_template", None) or getattr(self._tokenizer, "chat_template", None)):
            raise ModelError(
                f"{loaded.folder} has no chat template: how a question is put to it is not said",
                remedy="Choose a version of the model that was trained to follow instructions (-Instruct, -it).",
            )
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token

    def answers(self, images: Sequence[Pixels], text: str, most: int) -> list[str]:
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


def open_conversation(folder: Path, device: str | None) -> tuple[Conversation, str]:
    """Load a checkpoint; returns the conversation and the hash of its weights. Raises ModelError."""
    loaded = hub_loading.load(folder, "AutoModelForImageTextToText", device=device, dtype="bfloat16")
    return Conversation(loaded), loaded.weights_hash


def question_of(text: str) -> str:
    """Return a question without blanks around it. Raises ModelError for an empty one."""
    if not text.strip():
        raise ModelError("a question needs some words", remedy="Write what you want to know of the image.")
    return text.strip()
