"""Detectors of objects with fixed classes from the hub: RT-DETR, D-FINE, RF-DETR, DETR, YOLOS and their kin.

All networks that transformers opens as ``AutoModelForObjectDetection`` are used in one way. They suppress duplicates
themselves; more can be asked for with the setting ``nms``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard, Task
from countersign.models import batches, hub_loading, results, vocabularies
from countersign.models.batches import Prepared
from countersign.models.contract import Pixels, PredictOptions
from countersign.models.detector_cards import CARDS
from countersign.models.hub_family import HubFamily
from countersign.models.hub_loading import Loaded
from countersign.models.registry import Reference

_TEXT_DRIVEN = ("GroundingDino", "OmDet", "OwlViT", "Owlv2", "OWLv2", "MMGrounding")


class Detector:
    """A closed-set detector as a SplitModel. Prepared: what its processor makes of one image."""

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
                outputs = self._network(**inputs)
            found = self._processor.post_process_object_detection(
                outputs,
                threshold=options.min_confidence - 1e-6,  # the library keeps what is above it, not what equals it
                target_sizes=[item.size for item in members],
            )
            return [self._choose(item.size, each, options) for item, each in zip(members, found, strict=True)]

        return batches.run(prepared, self._device, forward)

    def _choose(self, size: results.Size, found: Mapping[str, Any], options: PredictOptions) -> list[Prediction]:
        names = [self._names[i] if i < len(self._names) else "" for i in found["labels"].tolist()]
        return results.boxes(size, found["boxes"].cpu().numpy(), found["scores"].cpu().numpy(), names, options)


class DetectorFamily(HubFamily):
    """Detectors with fixed classes that transformers opens: RT-DETR, D-FINE, RF-DETR, DETR, YOLOS."""

    name: ClassVar[str] = "detector"
    setting_names: ClassVar[tuple[str, ...]] = ("nms", "nms_across_classes", "max_detections")

    def cards(self) -> Sequence[ModelCard]:
        return CARDS

    def fits(self, architecture: str) -> bool:
        return architecture.endswith("ForObjectDetection") and not architecture.startswith(_TEXT_DRIVEN)

    def describe(self, reference: Reference, folder: Path, config: Mapping[str, Any]) -> ModelCard:
        classes = tuple(name for name in _names(config) if name)
        base = ModelCard("", self.name, (Task.DETECTION,), classes)
        return hub_loading.card_of(reference, base, folder, classes=classes)

    def open(self, folder: Path, card: ModelCard, device: str | None, pickle: bool) -> Detector:
        loaded = hub_loading.load(
            folder,
            "AutoModelForObjectDetection",
            device=device,
            pickle=pickle,
            processor="AutoImageProcessor",
            may_miss=_UNUSED,
        )
        card = dataclasses.replace(card, weights_hash=loaded.weights_hash)
        return Detector(loaded, card, _names(loaded.config))


def _names(config: Mapping[str, Any]) -> tuple[str, ...]:
    return vocabularies.as_coco(hub_loading.class_names(config))


_UNUSED = (r"denoising_class_embed",)  # for training alone

FAMILY = DetectorFamily()
