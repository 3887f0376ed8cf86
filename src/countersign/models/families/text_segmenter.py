"""Semantic segmentation by words: GroupViT, which was taught by captions alone.

Every pixel goes to the prompt that fits it best, so the background needs words as well: negative prompts. A class that
is asked for alone is compared with "a photo.": with nothing beside it, it would fill the image. Several prompts of one
class count as its best one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard, Task, WeightFile
from countersign.models.contract import PredictOptions
from countersign.models.parts import dense, hub_loading, results
from countersign.models.parts.batches import Prepared
from countersign.models.parts.hub_family import HubFamily
from countersign.models.parts.hub_loading import Loaded
from countersign.models.parts.hub_model import HubLabeller
from countersign.models.parts.prompts import Texts, texts_of
from countersign.models.registry import Reference

_TEMPLATE = "a photo of a {}."
_ANYTHING = "a photo."


class TextSegmenter(HubLabeller):
    """GroupViT."""

    def __init__(self, loaded: Loaded, card: ModelCard) -> None:
        super().__init__(loaded, card)
        self._length = int(loaded.network.config.text_config.max_position_embeddings)

    def _label(
        self, inputs: dict[str, Any], members: Sequence[Prepared], options: PredictOptions
    ) -> list[list[Prediction]]:
        texts = texts_of(options, _TEMPLATE)
        if len(set(texts.names)) == 1:
            texts = Texts((*texts.texts, _ANYTHING), (*texts.names, ""))
        maps = self._network(**inputs, **self._words(texts), output_segmentation=True).segmentation_logits
        return [_choose(each, texts, item.size, options) for each, item in zip(maps, members, strict=True)]

    def _words(self, texts: Texts) -> dict[str, Any]:
        tokens = self._processor.tokenizer(
            list(texts.texts), padding=True, truncation=True, max_length=self._length, return_tensors="pt"
        )
        return {name: tokens[name].to(self._device) for name in ("input_ids", "attention_mask")}


def _choose(maps: Any, texts: Texts, size: results.Size, options: PredictOptions) -> list[Prediction]:
    import torch

    names = list(dict.fromkeys(texts.names))
    members = [[i for i, name in enumerate(texts.names) if name == wanted] for wanted in names]
    best = torch.stack([maps[places].amax(dim=0) for places in members])
    classes, shares = dense.winners(best, dense.Frame(size), logits=True)
    return results.class_map(classes, names, options, scores=shares)


def _card(data: str, hub_id: str, score: float) -> ModelCard:
    files = ("config.json", "preprocessor_config.json", "tokenizer_config.json", "special_tokens_map.json",
             "vocab.json", "merges.txt", "pytorch_model.bin")  # fmt: skip
    return ModelCard(
        f"groupvit-gcc-{data}",
        "text_segmenter",
        (Task.SEMANTIC_SEGMENTATION,),
        (),
        zero_shot=True,
        size=data,
        description="Groups the pixels of an image into regions and names each by the words that it is given.",
        author="NVIDIA (Jiarui Xu and others)",
        source=f"https://huggingface.co/{hub_id}",
        hub_id=hub_id,
        licence="LicenseRef-NVIDIA-GroupViT",
        code_licence="Apache-2.0",
        files=tuple(WeightFile(file) for file in files),
        min_confidence=0.3,
        published={"parameters": 55.7, "voc_miou": score},
        published_source="https://github.com/NVlabs/GroupViT (README, zero-shot segmentation); parameters counted",
    )


CARDS: tuple[ModelCard, ...] = (
    _card("yfcc", "nvidia/groupvit-gcc-yfcc", 52.3),
    _card("redcaps", "nvidia/groupvit-gcc-redcaps", 50.8),
)


class TextSegmenterFamily(HubFamily):
    """Semantic segmentation by words: GroupViT."""

    name = "text_segmenter"
    catalogue = CARDS
    architectures = ("GroupViTModel",)
    setting_names = ("template",)

    def describe(self, reference: Reference, folder: Path, config: Mapping[str, Any]) -> ModelCard:
        base = ModelCard("", self.name, (Task.SEMANTIC_SEGMENTATION,), (), zero_shot=True)
        return hub_loading.card_of(reference, base, folder)

    def open(self, folder: Path, card: ModelCard, device: str | None, pickle: bool) -> TextSegmenter:
        loaded = hub_loading.load(folder, "GroupViTModel", device=device, pickle=pickle)
        return TextSegmenter(loaded, card)


FAMILY = TextSegmenterFamily()
