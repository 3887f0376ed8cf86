"""Encoders of images and texts into one space: CLIP, SigLIP, SigLIP 2 and their kin from the hub.

They classify by what classes are called (zero-shot), and embed. Probabilities: CLIP's compare the classes with each
other and add up to 1; SigLIP's judge each class for itself. Several prompts of one class count as its best one. What a
negative prompt fits best gets no label.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard, Task
from countersign.models.contract import Pixels, PredictOptions, SplitModel
from countersign.models.families.dual_encoder_cards import CARDS
from countersign.models.parts import batches, hub_loading, results
from countersign.models.parts.batches import Prepared
from countersign.models.parts.hub_family import HubFamily
from countersign.models.parts.prompts import Texts, texts_of
from countersign.models.registry import Reference

_ANYTHING = "a photo."
"""What one class alone is compared with: a model that compares classes with each other would be sure of it always."""


class Towers:
    """An image tower and a text tower, however a library calls them.

    ``images`` turns stacked inputs into (N, D), ``texts`` words into (M, D), both of length 1; the logit of a pair is
    their product times ``scale`` plus ``bias``. ``compares`` is True where a softmax over the classes follows.
    """

    compares: bool
    scale: float
    bias: float
    template: str

    def prepare(self, image: Pixels) -> Prepared:
        raise NotImplementedError

    def images(self, inputs: dict[str, Any]) -> NDArray[np.float32]:
        raise NotImplementedError

    def texts(self, words: Sequence[str]) -> NDArray[np.float32]:
        raise NotImplementedError


class DualEncoder(SplitModel):
    """Two towers as a SplitModel and an Embedder. Prepared: what its processor makes of one image."""

    def __init__(self, towers: Towers, card: ModelCard, device: str, width: int) -> None:
        self._towers = towers
        self._card = card
        self._device = device
        self._width = width
        self._known: tuple[Texts, NDArray[np.float32]] | None = None

    @property
    def card(self) -> ModelCard:
        return self._card

    @property
    def device(self) -> str:
        return self._device

    def prepare(self, image: Pixels) -> Prepared:
        return self._towers.prepare(image)

    def predict_prepared(self, prepared: Sequence[Prepared], options: PredictOptions) -> list[list[Prediction]]:
        if not prepared:
            return []
        texts, vectors = self._texts(texts_of(options, self._towers.template))
        logits = self._encode(prepared) @ vectors.T * self._towers.scale + self._towers.bias
        return [self._choose(row, texts, options) for row in logits]

    def embed(self, images: Sequence[Pixels]) -> NDArray[np.float32]:
        if not images:
            return np.zeros((0, self._width), np.float32)
        return self._encode([self.prepare(image) for image in images])

    def encode_texts(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Return (N, D) float32, each row of length 1: the words as they are, without a template."""
        return self._towers.texts(words).astype(np.float32)

    def _encode(self, prepared: Sequence[Prepared]) -> NDArray[np.float32]:
        rows = batches.run(prepared, self._device, lambda inputs, members: list(self._towers.images(inputs)))
        return np.stack(rows).astype(np.float32)

    def _texts(self, texts: Texts) -> tuple[Texts, NDArray[np.float32]]:
        """Return the texts and their vectors; those of the last call are kept, as a run asks for the same each time."""
        if self._towers.compares and len(set(texts.names)) == 1:
            texts = Texts((*texts.texts, _ANYTHING), (*texts.names, ""))
        if self._known is None or self._known[0] != texts:
            self._known = texts, self._towers.texts(texts.texts)
        return self._known

    def _choose(self, logits: NDArray[np.float32], texts: Texts, options: PredictOptions) -> list[Prediction]:
        best, names = results.best_per_class(logits, texts.names)
        if self._towers.compares:
            scores = np.exp(best - best.max())
            scores /= scores.sum()
        else:
            scores = 1.0 / (1.0 + np.exp(-best))
        return results.whole(scores, names, options)


class _HubTowers(Towers):
    """The towers of a checkpoint that transformers opens."""

    def __init__(self, loaded: hub_loading.Loaded) -> None:
        self._network, self._processor, self._device = loaded.network, loaded.processor, loaded.device
        self.compares = not str(loaded.config.get("model_type", "")).startswith("siglip")
        self.template = "a photo of a {}." if self.compares else "This is a photo of {}."
        self.scale = float(self._network.logit_scale.exp().item())
        self.bias = 0.0 if self.compares else float(self._network.logit_bias.item())
        self._length = int(self._network.config.text_config.max_position_embeddings)

    def prepare(self, image: Pixels) -> Prepared:
        return batches.prepare(self._processor.image_processor, image)

    def images(self, inputs: dict[str, Any]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            return _unit(self._network.get_image_features(**inputs))

    def texts(self, words: Sequence[str]) -> NDArray[np.float32]:
        import torch

        # SigLIP was trained on lower case at full length; CLIP's tokenizer writes lower case itself.
        tokens = self._processor.tokenizer(
            [text.lower() for text in words],
            padding="max_length",
            truncation=True,
            max_length=self._length,
            return_tensors="pt",
        )
        wanted = {"input_ids", "attention_mask"} if self.compares else {"input_ids"}
        inputs = {name: value.to(self._device) for name, value in tokens.items() if name in wanted}
        with torch.inference_mode():
            return _unit(self._network.get_text_features(**inputs))


def _unit(output: Any) -> NDArray[np.float32]:
    """Return (N, D) rows of length 1 of what a tower says."""
    vectors = getattr(output, "pooler_output", output).float()
    rows: NDArray[np.float32] = (vectors / vectors.norm(dim=-1, keepdim=True)).cpu().numpy()
    return rows


class DualEncoderFamily(HubFamily):
    """Encoders of images and texts: CLIP, SigLIP, SigLIP 2."""

    name = "dual_encoder"
    catalogue = CARDS
    architectures = ("CLIPModel", "SiglipModel", "Siglip2Model", "MetaClip2Model")
    setting_names = ("top", "template")

    def describe(self, reference: Reference, folder: Path, config: Mapping[str, Any]) -> ModelCard:
        base = ModelCard("", self.name, (Task.CLASSIFICATION, Task.EMBEDDING), (), zero_shot=True)
        return hub_loading.card_of(reference, base, folder)

    def open(self, folder: Path, card: ModelCard, device: str | None, pickle: bool) -> DualEncoder:
        loaded = hub_loading.load(folder, "AutoModel", device=device, pickle=pickle)
        towers = _HubTowers(loaded)
        card = dataclasses.replace(card, weights_hash=loaded.weights_hash)
        return DualEncoder(towers, card, loaded.device, int(towers.texts(["a"]).shape[1]))


FAMILY = DualEncoderFamily()
