"""Encoders of images from the hub: DINOv2, DINOv3 and other backbones without a head. They embed; they label nothing.

The vector is what the network pools: for these transformers their class token after the last normalisation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.model import ModelCard, Task
from countersign.models.contract import Pixels
from countersign.models.families.image_encoder_cards import CARDS
from countersign.models.parts import batches, hub_loading
from countersign.models.parts.hub_family import HubFamily
from countersign.models.parts.hub_model import HubModel
from countersign.models.registry import Reference


class ImageEncoder(HubModel):
    """A backbone as an Embedder."""

    def embed(self, images: Sequence[Pixels]) -> NDArray[np.float32]:
        if not images:
            return np.zeros((0, self._width()), np.float32)
        prepared = [batches.prepare(self._processor, image) for image in images]
        return np.stack(batches.run(prepared, self._device, lambda inputs, members: list(self._encode(inputs))))

    def _encode(self, inputs: dict[str, Any]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            output = self._network(**inputs)
        pooled = getattr(output, "pooler_output", None)
        vectors = (output.last_hidden_state[:, 0] if pooled is None else pooled).float().flatten(1)
        rows: NDArray[np.float32] = (vectors / vectors.norm(dim=-1, keepdim=True)).cpu().numpy()
        return rows

    def _width(self) -> int:
        return int(self.embed([np.zeros((32, 32, 3), np.uint8)]).shape[1])


class ImageEncoderFamily(HubFamily):
    """Encoders of images: DINOv2, DINOv3."""

    name = "image_encoder"
    catalogue = CARDS
    architectures = frozenset(
        {
            "BeitModel",
            "ConvNextModel",
            "ConvNextV2Model",
            "DINOv3ConvNextModel",
            "DINOv3ViTModel",
            "Dinov2Model",
            "Dinov2WithRegistersModel",
            "IJepaModel",
            "ResNetModel",
            "SwinModel",
            "Swinv2Model",
            "ViTModel",
        }
    )

    def describe(self, reference: Reference, folder: Path, config: Mapping[str, Any]) -> ModelCard:
        return hub_loading.card_of(reference, ModelCard("", self.name, (Task.EMBEDDING,), ()), folder)

    def open(self, folder: Path, card: ModelCard, device: str | None, pickle: bool) -> ImageEncoder:
        loaded = hub_loading.load(
            folder, "AutoModel", device=device, pickle=pickle, processor="AutoImageProcessor", may_miss=(r"^pooler\.",)
        )
        return ImageEncoder(loaded, card)


FAMILY = ImageEncoderFamily()
