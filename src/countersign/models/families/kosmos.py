"""Kosmos-2: writes text in which phrases are tied to boxes. It gives no confidence.

The mode (the option ``?mode=`` of a reference, or the setting ``mode`` of a run) says what is asked for: ``words`` (the
default) looks for each class or prompt, one question for each; ``regions`` describes the image and returns each thing
that the description names as a box of the class ``region``, with the phrase in the attribute ``text``. As an Asker it
describes an image, and answers short questions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from countersign.domain.errors import ModelError
from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard, Task
from countersign.models.contract import Pixels, PredictOptions
from countersign.models.parts import chat_engine, generating, hub_loading
from countersign.models.parts.found_boxes import Found, choose
from countersign.models.parts.hub_family import HubFamily
from countersign.models.parts.hub_model import HubModel
from countersign.models.parts.prompts import texts_of
from countersign.models.registry import Reference

WORDS, REGIONS = MODES = ("words", "regions")
_DESCRIBE = re.compile(r"\b(caption|describe|description)\b", re.IGNORECASE)


class Kosmos(HubModel):
    """A Model and an Asker."""

    def ask(self, images: Sequence[Pixels], question: str, *, settings: Mapping[str, Any] | None = None) -> list[str]:
        asked = chat_engine.question_of(question)
        lead = _lead(asked)
        said = self._write(images, f"<grounding>{lead}", settings or {}, 128)
        texts = [self._processor.post_process_generation(text)[0] for text in said]
        keeps = lead.startswith("Question")
        return [text.rpartition("Answer:")[2].strip() if keeps else text.strip() for text in texts]

    def predict(self, images: Sequence[Pixels], options: PredictOptions) -> list[list[Prediction]]:
        mode = str(options.settings.get("mode", self._card.details.get("mode", WORDS)))
        if mode not in MODES:
            raise ModelError(f"Kosmos-2 has no mode {mode!r}", remedy=f"Its modes: {', '.join(MODES)}.")
        found = [Found(image.shape[0], image.shape[1]) for image in images]
        if images and mode == REGIONS:
            self._find_regions(images, found, options)
        elif images:
            self._find_words(images, found, options)
        return [choose(each, options) for each in found]

    def _find_words(self, images: Sequence[Pixels], found: list[Found], options: PredictOptions) -> None:
        texts = texts_of(options, "a {}")
        for text, name in zip(texts.texts, texts.names, strict=True):
            said = self._write(images, f"<grounding><phrase>{text}</phrase>", options.settings, 64)
            for each, written in zip(found, said, strict=True):
                for _, boxes in self._entities(written, each):
                    each.add_all(boxes, [name] * len(boxes))

    def _find_regions(self, images: Sequence[Pixels], found: list[Found], options: PredictOptions) -> None:
        said = self._write(images, "<grounding>Describe this image in detail:", options.settings, 256)
        for each, written in zip(found, said, strict=True):
            for phrase, boxes in self._entities(written, each):
                each.add_all(boxes, ["region"] * len(boxes), [{"text": phrase} for _ in boxes])

    def _entities(self, said: str, image: Found) -> list[tuple[str, list[list[float]]]]:
        """Return phrases with their boxes in pixels: corners x0, y0, x1, y1."""
        _, entities = self._processor.post_process_generation(said)
        scale = (image.width, image.height, image.width, image.height)
        return [
            (phrase, [[value * by for value, by in zip(box, scale, strict=True)] for box in boxes])
            for phrase, _, boxes in entities
        ]

    def _write(self, images: Sequence[Pixels], prompt: str, settings: Mapping[str, Any], most: int) -> list[str]:
        if not images:
            return []
        inputs = self._processor(
            images=generating.pictures(images), text=[prompt] * len(images), return_tensors="pt", padding=True
        )
        written = generating.generate(self._network, inputs, generating.limit(settings, most))
        said: list[str] = self._processor.batch_decode(written, skip_special_tokens=True)
        return said


def _lead(question: str) -> str:
    """Return the beginning that the network is to carry on: of a description, or of an answer."""
    if not _DESCRIBE.search(question):
        return f"Question: {question} Answer:"
    return "Describe this image in detail:" if "detail" in question.lower() else "An image of"


_TASKS = (Task.DETECTION, Task.QUESTIONS)


def _details(mode: str) -> dict[str, Any]:
    return {"mode": mode, "wordless": {"mode": [REGIONS]}}


CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        "kosmos-2",
        "kosmos",
        _TASKS,
        (),
        version="2",
        zero_shot=True,
        description="Describes an image in words that are tied to boxes, and finds what a phrase names.",
        author="Microsoft (Zhiliang Peng and others)",
        source="https://huggingface.co/microsoft/kosmos-2-patch14-224",
        hub_id="microsoft/kosmos-2-patch14-224",
        licence="MIT",
        code_licence="Apache-2.0",
        gpu=True,
        published={"parameters": 1664.5},
        published_source="counted",
        details=_details(WORDS),
    ),
)


class KosmosFamily(HubFamily):
    """Kosmos-2: text in which phrases are tied to boxes."""

    name = "kosmos"
    catalogue = CARDS
    architectures = ("Kosmos2ForConditionalGeneration",)
    option_names = ("mode",)
    setting_names = (
        "mode", "max_new_tokens", "nms", "nms_across_classes", "max_detections", "template",
    )  # fmt: skip

    def describe(self, reference: Reference, folder: Path, config: Mapping[str, Any]) -> ModelCard:
        mode = reference.option("mode", MODES, WORDS)
        classes = ("region",) if mode == REGIONS else ()
        base = ModelCard("", self.name, _TASKS, ())
        return hub_loading.card_of(
            reference, base, folder, zero_shot=mode == WORDS, classes=classes, details=_details(mode)
        )

    def open(self, folder: Path, card: ModelCard, device: str | None, pickle: bool) -> Kosmos:
        loaded = hub_loading.load(folder, "Kosmos2ForConditionalGeneration", device=device, dtype="bfloat16")
        return Kosmos(loaded, card)


FAMILY = KosmosFamily()
