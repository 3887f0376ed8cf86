"""Classifiers of images with fixed classes from the hub: ViT, Swin, ConvNeXt, ResNet ... whatever transformers opens.

A checkpoint that has no head for its classes is refused: the library would make one of random numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard, Task, WeightFile
from countersign.models import vocabularies
from countersign.models.contract import PredictOptions
from countersign.models.parts import accelerated, hub_loading, results
from countersign.models.parts.accelerated import AcceleratedFamily
from countersign.models.parts.batches import Prepared
from countersign.models.parts.engines import Runner
from countersign.models.parts.hub_loading import Loaded
from countersign.models.parts.hub_model import HubLabeller
from countersign.models.registry import Reference


class ImageClassifier(HubLabeller):
    """A classifier: one label of the whole image, or as many as ``settings["top"]`` says.

    Where its configuration says that classes do not exclude each other, each has a probability of its own.
    """

    parallel = True

    def __init__(self, loaded: Loaded, card: ModelCard) -> None:
        super().__init__(loaded, card)
        self._run: Runner | None = None
        self._several = loaded.config.get("problem_type") == "multi_label_classification"

    def choose_engine(self, engine: str) -> None:
        """Let another engine compute the network where that can be. Raises ModelError."""
        self._run, self._card = accelerated.runner(
            self._network, self.prepare, self._card, self._device, engine, key=_INPUT, wrap=_logits_alone
        )

    def _label(
        self, inputs: dict[str, Any], members: Sequence[Prepared], options: PredictOptions
    ) -> list[list[Prediction]]:
        return [results.whole(row, self._card.classes, options) for row in self._scores(inputs)]

    def _scores(self, inputs: dict[str, Any]) -> NDArray[np.float32]:
        import torch

        if self._run is not None:
            logits = torch.from_numpy(self._run(inputs[_INPUT].float().numpy())[0]).float()
        else:
            logits = self._network(**inputs).logits.float()
        scores: NDArray[np.float32] = (logits.sigmoid() if self._several else logits.softmax(-1)).cpu().numpy()
        return scores


_INPUT = "pixel_values"


def _logits_alone(network: Any) -> Any:
    import torch

    class Logits(torch.nn.Module):
        """The network as it is exported: one tensor in, one out."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, images: Any) -> Any:
            return self.network(pixel_values=images).logits

    return Logits().eval()


CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        "vit-base-patch16-224",
        "image_classifier",
        (Task.CLASSIFICATION,),
        vocabularies.imagenet_lemmas(),
        size="base",
        description="Vision transformer, trained on ImageNet-21k and then on ImageNet's 1,000 classes.",
        author="Google Research (Alexey Dosovitskiy and others)",
        source="https://huggingface.co/google/vit-base-patch16-224",
        hub_id="google/vit-base-patch16-224",
        licence="Apache-2.0",
        code_licence="Apache-2.0",
        files=tuple(WeightFile(name) for name in ("config.json", "preprocessor_config.json", "model.safetensors")),
        min_confidence=0.1,
        published={"parameters": 86.6},
        published_source="counted",
    ),
)


class ImageClassifierFamily(AcceleratedFamily):
    """Classifiers of images that transformers opens: ViT, Swin, ConvNeXt and others."""

    name = "image_classifier"
    catalogue = CARDS
    setting_names = ("top",)

    def fits(self, architecture: str) -> bool:
        return architecture.endswith(("ForImageClassification", "ForImageClassificationWithTeacher"))

    def describe(self, reference: Reference, folder: Path, config: Mapping[str, Any]) -> ModelCard:
        base = ModelCard("", self.name, (Task.CLASSIFICATION,), (), min_confidence=0.1)
        return hub_loading.card_of(reference, base, folder, classes=self._names(config))

    def open(self, folder: Path, card: ModelCard, device: str | None, pickle: bool) -> ImageClassifier:
        loaded = hub_loading.load(
            folder, "AutoModelForImageClassification", device=device, pickle=pickle, processor="AutoImageProcessor"
        )
        return ImageClassifier(loaded, card)

    @staticmethod
    def _names(config: Mapping[str, Any]) -> tuple[str, ...]:
        """Return every class, the nameless ones by their number: the most probable one may be one of them."""
        names = hub_loading.class_names(config)
        return tuple(name or f"class {i}" for i, name in enumerate(names))


FAMILY = ImageClassifierFamily()
