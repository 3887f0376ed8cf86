"""Detectors that look for what a text says: Grounding DINO, MM Grounding DINO, OmDet-Turbo, OWL-ViT, OWLv2.

One forward pass answers all prompts of an image. Images of different processed shapes never share a batch: Grounding
DINO finds other boxes in an image that is padded. Where a negative prompt fits an object better than the others, the
object is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard, Task
from countersign.models.contract import PredictOptions
from countersign.models.families.text_detector_cards import CARDS
from countersign.models.parts import found_boxes, hub_loading, results
from countersign.models.parts.batches import Prepared
from countersign.models.parts.hub_family import HubFamily
from countersign.models.parts.hub_loading import Loaded
from countersign.models.parts.hub_model import HubLabeller
from countersign.models.parts.prompts import SAME_OBJECT, Texts, texts_of
from countersign.models.parts.text_spans import TextSpans
from countersign.models.registry import Reference

Boxes = tuple[NDArray[np.float64], NDArray[np.float64], list[str]]
"""Corners (N, 4) in pixels, scores (N,), class names ("" for a negative prompt)."""


class _Reading(Protocol):
    """How one architecture is asked: its text inputs, and what its outputs say. Gradients are switched off."""

    template: str

    def ask(self, inputs: dict[str, Any], sizes: Sequence[results.Size], texts: Texts, least: float) -> list[Boxes]: ...


class TextDetector(HubLabeller):
    """A zero-shot detector."""

    def __init__(self, loaded: Loaded, card: ModelCard) -> None:
        super().__init__(loaded, card)
        self._reading = _reading(loaded)

    def _label(
        self, inputs: dict[str, Any], members: Sequence[Prepared], options: PredictOptions
    ) -> list[list[Prediction]]:
        texts = texts_of(options, self._reading.template)
        least = options.min_confidence - 1e-6  # the libraries keep what is above a threshold, not what equals it
        sizes = [item.size for item in members]
        found = self._reading.ask(inputs, sizes, texts, least)
        return [_choose(size, each, options) for size, each in zip(sizes, found, strict=True)]


def _choose(size: results.Size, found: Boxes, options: PredictOptions) -> list[Prediction]:
    corners, scores, names = found
    kept = found_boxes.best(corners, scores, names)
    return results.boxes(size, corners[kept], scores[kept], [names[i] for i in kept], options)


def _boxes_of(found: Mapping[str, Any], names: Sequence[str]) -> Boxes:
    """Return what a library's post-processing says, with class names for its indices."""
    corners = found["boxes"].double().cpu().numpy().reshape(-1, 4)
    return corners, found["scores"].double().cpu().numpy(), [names[i] for i in found["labels"].tolist()]


class _Owl:
    """OWL-ViT and OWLv2: one query per text; each place of the image says which query fits it best."""

    template = "a photo of a {}"

    def __init__(self, loaded: Loaded) -> None:
        self._network, self._processor = loaded.network, loaded.processor
        self._length = int(loaded.network.config.text_config.max_position_embeddings)

    def ask(self, inputs: dict[str, Any], sizes: Sequence[results.Size], texts: Texts, least: float) -> list[Boxes]:
        words = self._processor.tokenizer(
            list(texts.texts), padding="max_length", truncation=True, max_length=self._length, return_tensors="pt"
        )
        device = inputs["pixel_values"].device
        count = len(sizes)
        outputs = self._network(
            **inputs,
            input_ids=words["input_ids"].repeat(count, 1).to(device),
            attention_mask=words["attention_mask"].repeat(count, 1).to(device),
        )
        found = self._processor.image_processor.post_process_object_detection(
            outputs, threshold=least, target_sizes=list(sizes)
        )
        return [_boxes_of(each, texts.names) for each in found]


class _OmDet:
    """OmDet-Turbo: classes, and a task that names them, each encoded by themselves; every box scores every class."""

    template = "{}"

    def __init__(self, loaded: Loaded) -> None:
        self._network, self._processor = loaded.network, loaded.processor

    def ask(self, inputs: dict[str, Any], sizes: Sequence[results.Size], texts: Texts, least: float) -> list[Boxes]:
        count, device = len(sizes), inputs["pixel_values"].device
        words = self._words(texts, count)
        outputs = self._network(**inputs, **{name: value.to(device) for name, value in words.items()})
        kept = self._processor.post_process_grounded_object_detection(
            outputs, threshold=least, nms_threshold=SAME_OBJECT, target_sizes=list(sizes)
        )
        return [_boxes_of(each, texts.names) for each in kept]

    def _words(self, texts: Texts, count: int) -> dict[str, Any]:
        import torch

        tokenizer = self._processor.tokenizer
        told: dict[str, Any] = {"padding": "max_length", "truncation": True, "max_length": 77, "return_tensors": "pt"}
        classes = tokenizer(list(texts.texts) * count, **told)
        task = tokenizer([f"Detect {', '.join(texts.texts)}."] * count, **told)
        return {
            "classes_input_ids": classes["input_ids"],
            "classes_attention_mask": classes["attention_mask"],
            "tasks_input_ids": task["input_ids"],
            "tasks_attention_mask": task["attention_mask"],
            "classes_structure": torch.full((count,), len(texts.texts), dtype=torch.long),
        }


class _Grounding:
    """Grounding DINO and MM Grounding DINO: all prompts in one sentence; each box scores each of its tokens.

    The score of a prompt is that of its best token, as in the authors' demonstration; a box gets the prompt with the
    highest one. More prompts than a sentence holds are asked in several.
    """

    template = "{}"

    def __init__(self, loaded: Loaded) -> None:
        self._network = loaded.network
        self._spans = TextSpans(loaded.processor.tokenizer, int(loaded.network.config.max_text_len))

    def ask(self, inputs: dict[str, Any], sizes: Sequence[results.Size], texts: Texts, least: float) -> list[Boxes]:
        device, count = inputs["pixel_values"].device, len(sizes)
        parts: list[list[Boxes]] = []
        for sentence in self._spans.sentences(texts.texts):
            outputs = self._network(**inputs, **sentence.inputs(count, device))
            scores = outputs.logits.float().sigmoid()
            corners = outputs.pred_boxes.double().cpu().numpy()
            best = [sentence.best(each) for each in scores.cpu().numpy()]
            parts.append(
                [
                    _scaled(corners[i], sizes[i], *best[i], [texts.names[j] for j in sentence.places], least)
                    for i in range(count)
                ]
            )
        return [_together([part[i] for part in parts]) for i in range(count)]


def _scaled(
    centred: NDArray[np.float64],
    size: results.Size,
    scores: NDArray[np.float64],
    which: NDArray[np.int64],
    names: list[str],
    least: float,
) -> Boxes:
    """Turn boxes (centre, size, relative) into corners in pixels, those above ``least``."""
    kept = np.flatnonzero(scores > least)
    height, width = size
    middle, half = centred[kept, :2], centred[kept, 2:] / 2
    corners = np.concatenate([middle - half, middle + half], axis=1) * np.array([width, height, width, height])
    return corners, scores[kept], [names[i] for i in which[kept]]


def _together(parts: list[Boxes]) -> Boxes:
    """Join what several sentences found: an object found by two of them belongs to the one that is surer."""
    if len(parts) == 1:
        return parts[0]
    corners = np.concatenate([part[0] for part in parts])
    scores = np.concatenate([part[1] for part in parts])
    names = [name for part in parts for name in part[2]]
    kept = results.suppress(corners, scores, SAME_OBJECT)
    return corners[kept], scores[kept], [names[i] for i in kept]


_READINGS: Mapping[str, type[_Owl] | type[_OmDet] | type[_Grounding]] = {
    "owlvit": _Owl,
    "owlv2": _Owl,
    "omdet-turbo": _OmDet,
    "grounding-dino": _Grounding,
    "mm-grounding-dino": _Grounding,
}


def _reading(loaded: Loaded) -> _Reading:
    return _READINGS[str(loaded.config.get("model_type"))](loaded)


class TextDetectorFamily(HubFamily):
    """Detectors that look for what a text says: Grounding DINO, OmDet-Turbo, OWL-ViT."""

    name = "text_detector"
    catalogue = CARDS
    setting_names = ("nms", "nms_across_classes", "max_detections", "template")
    architectures = frozenset(
        {
            "GroundingDinoForObjectDetection",
            "MMGroundingDinoForObjectDetection",
            "OmDetTurboForObjectDetection",
            "OwlViTForObjectDetection",
            "Owlv2ForObjectDetection",
        }
    )

    def describe(self, reference: Reference, folder: Path, config: Mapping[str, Any]) -> ModelCard:
        base = ModelCard("", self.name, (Task.DETECTION,), (), zero_shot=True)
        return hub_loading.card_of(reference, base, folder)

    def open(self, folder: Path, card: ModelCard, device: str | None, pickle: bool) -> TextDetector:
        loaded = hub_loading.load(folder, "AutoModelForZeroShotObjectDetection", device=device, pickle=pickle)
        return TextDetector(loaded, card)


FAMILY = TextDetectorFamily()
