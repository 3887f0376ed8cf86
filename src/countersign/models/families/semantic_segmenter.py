"""Semantic segmentation with fixed classes from the hub: SegFormer, and other networks with one logit map per class.

Each class that an image shows becomes one mask; the confidence is the mean probability of the class within it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard, Task
from countersign.models.contract import PredictOptions
from countersign.models.families.semantic_segmenter_cards import CARDS
from countersign.models.parts import dense, hub_loading, results
from countersign.models.parts.batches import Prepared
from countersign.models.parts.hub_family import HubFamily
from countersign.models.parts.hub_loading import Loaded
from countersign.models.parts.hub_model import HubLabeller
from countersign.models.registry import Reference


class SemanticSegmenter(HubLabeller):
    """A network with one map of logits per class."""

    parallel = True

    def __init__(self, loaded: Loaded, card: ModelCard) -> None:
        super().__init__(loaded, card)
        self._names = hub_loading.class_names(loaded.config)

    def _label(
        self, inputs: dict[str, Any], members: Sequence[Prepared], options: PredictOptions
    ) -> list[list[Prediction]]:
        logits = self._network(pixel_values=inputs["pixel_values"]).logits
        return [self._choose(each, item.size, options) for each, item in zip(logits, members, strict=True)]

    def _choose(self, logits: Any, size: results.Size, options: PredictOptions) -> list[Prediction]:
        classes, shares = dense.winners(logits, dense.Frame(size), logits=True)
        return results.class_map(classes, self._names, options, scores=shares)


class SemanticSegmenterFamily(HubFamily):
    """Semantic segmentation with fixed classes: SegFormer and its kin."""

    name = "semantic_segmenter"
    catalogue = CARDS

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
        return SemanticSegmenter(loaded, card)


FAMILY = SemanticSegmenterFamily()
