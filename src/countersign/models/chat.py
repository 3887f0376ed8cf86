"""Models that talk about images: SmolVLM2, Qwen2.5-VL and Qwen3-VL. They answer questions.

What they say is text, without a confidence. The likeliest word is always taken, so an answer can be repeated.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from countersign.domain.model import ModelCard, Task
from countersign.models import chat_engine, generating, hub_loading
from countersign.models.chat_cards import CARDS
from countersign.models.chat_engine import Conversation
from countersign.models.contract import Pixels
from countersign.models.hub_family import HubFamily
from countersign.models.registry import Reference

MOST = 256
"""How many tokens an answer may have where the setting ``max_new_tokens`` says nothing."""


class Chat:
    """An Asker."""

    def __init__(self, conversation: Conversation, card: ModelCard) -> None:
        self._conversation = conversation
        self._card = card

    @property
    def card(self) -> ModelCard:
        return self._card

    @property
    def device(self) -> str:
        return self._conversation.device

    def ask(self, images: Sequence[Pixels], question: str, *, settings: Mapping[str, Any] | None = None) -> list[str]:
        text = chat_engine.question_of(question)
        return self._conversation.answers(images, text, generating.limit(settings, MOST))


class ChatFamily(HubFamily):
    """Models that answer questions about an image: SmolVLM2, Qwen2.5-VL, Qwen3-VL."""

    name: ClassVar[str] = "chat"
    setting_names: ClassVar[tuple[str, ...]] = ("max_new_tokens",)
    _ARCHITECTURES: ClassVar[frozenset[str]] = frozenset(
        f"{name}ForConditionalGeneration" for name in ("SmolVLM", "Qwen2_5_VL", "Qwen3VL")
    )
    """Those that the tests run: how a question and its image are put differs from one to the next."""

    def cards(self) -> Sequence[ModelCard]:
        return CARDS

    def fits(self, architecture: str) -> bool:
        return architecture in self._ARCHITECTURES

    def describe(self, reference: Reference, folder: Path, config: Mapping[str, Any]) -> ModelCard:
        return hub_loading.card_of(reference, ModelCard("", self.name, (Task.QUESTIONS,), ()), folder)

    def open(self, folder: Path, card: ModelCard, device: str | None, pickle: bool) -> Chat:
        conversation, digest = chat_engine.open_conversation(folder, device)
        return Chat(conversation, dataclasses.replace(card, weights_hash=digest))


FAMILY = ChatFamily()
