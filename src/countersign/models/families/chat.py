"""Models that talk about images: SmolVLM2, Qwen2.5-VL and Qwen3-VL. They answer questions.

What they say is text, without a confidence. The likeliest word is always taken, so an answer can be repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from countersign.domain.model import ModelCard, Task
from countersign.models.families.chat_cards import CARDS
from countersign.models.parts import chat_engine, hub_loading
from countersign.models.parts.chat_engine import Conversation
from countersign.models.parts.hub_family import HubFamily
from countersign.models.registry import Reference


class ChatFamily(HubFamily):
    """Models that answer questions about an image: SmolVLM2, Qwen2.5-VL, Qwen3-VL."""

    name = "chat"
    catalogue = CARDS
    setting_names = ("max_new_tokens",)
    architectures = frozenset(f"{name}ForConditionalGeneration" for name in ("SmolVLM", "Qwen2_5_VL", "Qwen3VL"))
    """Those that the tests run: how a question and its image are put differs from one to the next."""

    def describe(self, reference: Reference, folder: Path, config: Mapping[str, Any]) -> ModelCard:
        return hub_loading.card_of(reference, ModelCard("", self.name, (Task.QUESTIONS,), ()), folder)

    def open(self, folder: Path, card: ModelCard, device: str | None, pickle: bool) -> Conversation:
        return Conversation(chat_engine.load(folder, device), card)


FAMILY = ChatFamily()
