"""Semantic segmentation with fixed classes from the hub: SegFormer, and other networks with one logit map per class.

Each class that an image shows becomes one mask; the confidence is the mean probability of the class within it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard, Task
from countersign.models import batches, dense, hub_loading, results
from countersign.models.batches import Prepared
from countersign.models.contract import Pixels, PredictOptions
from countersign.models.hub_family import HubFamily
from countersign.models.hub_loading import Loaded
from countersign.models.registry import Reference
from countersign.models.semantic_segmenter_cards import CARDS


class SemanticSegmenter:
    """A network with one map of logits per class as a SplitModel. Prepared: what its processor makes of one image."""

    parallel = True

    def __init__(self, loaded: Loaded, card: ModelCard, names: tuple[str, ...]) -> None:
        self._network = loaded.network
        self._processor = loaded.processor
        self._card = card
        self._names = names
        self._device = loaded.device

    @property
    def card(self) -> ModelCard:
        return self._card

    @property
    def device(self) -> str:
        return self._device

    def prepare(self, image: Pixels) -> Prepared:
        return batches.prepare(self._processor, image)

    def predict(self, images: Sequence[Pixels], options: PredictOptions) -> list[list[Prediction]]:
        return self.predict_prepared([self.prepare(image) for image in images], options)

    def predict_prepared(self, prepared: Sequence[Prepared], options: PredictOptions) -> list[list[Prediction]]:
        def forward(inputs: dict[str, Any], members: Sequence[Prepared]) -> list[list[Prediction]]:
            import torch

            with torch.inference_mode():
                logits = self._network(pixel_values=inputs["pixel_values"]).logits
                return [self._choose(each, item.size, options) for each, item in zip(logits, members, strict=True)]

        return batches.run(prepared, self._device, forward)

    def _choose(self, logits: Any, size: results.Size, options: PredictOptions) -> list[Prediction]:
        classes, shares = dense.winners(logits, dense.Frame(size), logits=True)
        return results.class_map(classes, self._names, options, scores=shares)


class SemanticSegmenterFamily(HubFamily):
    """Semantic segmentation with fixed classes: SegFormer and its kin."""

    name: ClassVar[str] = "semantic_segmenter"
    setting_names: ClassVar[tuple[str, ...]] = ()

    def cards(self) -> Sequence[ModelCard]:
        return CARDS

    def fits(self, architecture: str) -> bool:
        return architecture.endswith("ForSemanticSegmentation")

    def describe(self, reference: Reference, folder: Path, config: Mapping[str, Any]) -> ModelCard:
        classes = tuple(name for name in hub_loading.class_names(config) if name)
        base = ModelCard("", self.name, (Task.SEMANTIC_SEGMENTATION,), classes, min_confidence=0.25)
        return hub_loading.card_of(reference, base, folder, classes=classes)

    def open(self, folder: Path, card: ModelCard, device: str | None, pickle: bool) -> SemanticSegmenter:
        loaded = hub_loading.load(
            folder,
            "AutoModelForSemanticSegmentation",
            device=device,
            pickle=pickle,
            processor="AutoImageProcessor",
            may_miss=(r"^auxiliary_head\.",),
        )
        card = dataclasses.replace(card, weights_hash=loaded.weights_hash)
        return SemanticSegmenter(loaded, card, hub_loading.class_names(loaded.config))


FAMILY = SemanticSegmenterFamily()
