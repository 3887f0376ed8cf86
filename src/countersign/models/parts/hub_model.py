"""What models of the hub have in common: a network, what prepares its inputs, a card. What they predict stands in each.

A model that labels images in one forward pass is a ``HubLabeller`` with one method, ``_label``. One that does something
else with its network (embeds, answers, refines boxes) is a ``HubModel``.
"""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard
from countersign.models.contract import Pixels, PredictOptions, SplitModel
from countersign.models.parts import batches
from countersign.models.parts.batches import Prepared
from countersign.models.parts.hub_loading import Loaded


class HubModel:
    """A loaded checkpoint and its card, which says which weights these are."""

    def __init__(self, loaded: Loaded, card: ModelCard) -> None:
        self._network = loaded.network
        self._processor = loaded.processor
        self._device = loaded.device
        self._card = dataclasses.replace(card, weights_hash=loaded.weights_hash)

    @property
    def card(self) -> ModelCard:
        return self._card

    @property
    def device(self) -> str:
        return self._device


class HubLabeller(HubModel, SplitModel):
    """A SplitModel of one forward pass. Prepared: what its processor makes of one image."""

    def prepare(self, image: Pixels) -> Prepared:
        # A processor of texts and images holds one of images.
        return batches.prepare(getattr(self._processor, "image_processor", self._processor), image)

    def predict_prepared(self, prepared: Sequence[Prepared], options: PredictOptions) -> list[list[Prediction]]:
        import torch

        def label(inputs: dict[str, Any], members: Sequence[Prepared]) -> list[list[Prediction]]:
            with torch.inference_mode():
                return self._label(inputs, members, options)

        return batches.run(prepared, self._device, label)

    @abstractmethod
    def _label(
        self, inputs: dict[str, Any], members: Sequence[Prepared], options: PredictOptions
    ) -> list[list[Prediction]]:
        """Return the predictions for each of ``members``: images whose tensors are of equal shape.

        ``inputs`` are these tensors, stacked and on the device. Called with gradients switched off. Raises ModelError.
        """
