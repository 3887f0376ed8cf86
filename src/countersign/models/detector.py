"""Detectors of objects with fixed classes from the hub: RT-DETR, D-FINE, RF-DETR, DETR, YOLOS and their kin.

All networks that transformers opens as ``AutoModelForObjectDetection`` are used in one way. They suppress duplicates
themselves; more can be asked for with the setting ``nms``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard, Task
from countersign.models import accelerated, hub_loading, results, vocabularies
from countersign.models.acceleration import Runner
from countersign.models.batches import Prepared
from countersign.models.contract import Anything, PredictOptions
from countersign.models.detector_cards import CARDS
from countersign.models.hub_family import HubFamily
from countersign.models.hub_loading import Loaded
from countersign.models.hub_model import HubLabeller
from countersign.models.registry import Reference

_TEXT_DRIVEN = ("GroundingDino", "OmDet", "OwlViT", "Owlv2", "OWLv2", "MMGrounding")


class Detector(HubLabeller):
    """A closed-set detector."""

    parallel = True

    def __init__(self, loaded: Loaded, card: ModelCard) -> None:
        super().__init__(loaded, card)
        self._names = _names(loaded.config)
        self._run: Runner | None = None

    def choose_engine(self, engine: str) -> None:
        """Let another engine compute the network where that can be. Raises ModelError."""
        self._run, self._card = accelerated.runner(
            self._network,
            self.prepare,
            self._card,
            self._device,
            engine,
            key=_INPUT,
            wrap=_answers_alone,
            difference=differ_as_sets,
        )

    def _label(
        self, inputs: dict[str, Any], members: Sequence[Prepared], options: PredictOptions
    ) -> list[list[Prediction]]:
        found = self._processor.post_process_object_detection(
            self._outputs(inputs),
            threshold=options.min_confidence - 1e-6,  # the library keeps what is above it, not what equals it
            target_sizes=[item.size for item in members],
        )
        return [self._choose(item.size, each, options) for item, each in zip(members, found, strict=True)]

    def _outputs(self, inputs: dict[str, Any]) -> Any:
        import torch

        if self._run is None:
            return self._network(**inputs)
        logits, places = self._run(inputs[_INPUT].float().numpy())
        return SimpleNamespace(logits=torch.from_numpy(logits), pred_boxes=torch.from_numpy(places))

    def _choose(self, size: results.Size, found: Mapping[str, Any], options: PredictOptions) -> list[Prediction]:
        names = [self._names[i] if i < len(self._names) else "" for i in found["labels"].tolist()]
        return results.boxes(size, found["boxes"].cpu().numpy(), found["scores"].cpu().numpy(), names, options)


_INPUT = "pixel_values"


_SUREST = 50


def differ_as_sets(truth: Sequence[NDArray[Any]], found: Sequence[NDArray[Any]]) -> float:
    """Return how far the surest answers of each side are from the nearest of the other: (N, Q, C) logits, (N, Q, 4).

    Which places such a network looks at it chooses by a first score, and in their order. Where scores are nearly equal
    the last digit decides, so answers of the same number may be of different objects; what counts is the set.
    """
    logits, places = truth
    others, elsewhere = found
    if logits.shape != others.shape or places.shape != elsewhere.shape:
        return float("inf")
    largest = [max(float(np.abs(part).max(initial=0.0)), 1e-12) for part in truth]
    worst = 0.0
    for i in range(len(logits)):
        one = np.concatenate([logits[i] / largest[0], places[i] / largest[1]], axis=1)
        other = np.concatenate([others[i] / largest[0], elsewhere[i] / largest[1]], axis=1)
        off = np.abs(one[:, None].astype(np.float32) - other[None].astype(np.float32)).max(axis=2)
        ours, theirs = (np.argsort(-part.max(axis=1))[:_SUREST] for part in (logits[i], others[i]))
        nearest = np.concatenate([off.min(axis=1)[ours], off.min(axis=0)[theirs]])
        worst = max(worst, float(nearest.max()) if np.isfinite(nearest).all() else float("inf"))
    return worst


def _answers_alone(network: Any) -> Any:
    import torch

    class Answers(torch.nn.Module):
        """The network as it is exported: one tensor in, logits and boxes out."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, images: Any) -> Any:
            outputs = self.network(pixel_values=images)
            return outputs.logits, outputs.pred_boxes

    return Answers().eval()


class DetectorFamily(HubFamily):
    """Detectors with fixed classes that transformers opens: RT-DETR, D-FINE, RF-DETR, DETR, YOLOS."""

    name = "detector"
    catalogue = CARDS
    option_names = (accelerated.OPTION,)
    setting_names = ("nms", "nms_across_classes", "max_detections")

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
        return Detector(loaded, card)

    def load(self, reference: Reference, *, device: str | None) -> Anything:
        engine = accelerated.asked(reference)
        model = super().load(reference, device=device)
        assert isinstance(model, Detector)
        model.choose_engine(engine)
        return model


def _names(config: Mapping[str, Any]) -> tuple[str, ...]:
    return vocabularies.as_coco(hub_loading.class_names(config))


_UNUSED = (r"denoising_class_embed",)  # for training alone

FAMILY = DetectorFamily()
