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
from countersign.models import vocabularies
from countersign.models.contract import PredictOptions
from countersign.models.families.detector_cards import CARDS
from countersign.models.parts import accelerated, hub_loading, results
from countersign.models.parts.accelerated import AcceleratedFamily
from countersign.models.parts.batches import Prepared
from countersign.models.parts.engines import Runner
from countersign.models.parts.hub_loading import Loaded
from countersign.models.parts.hub_model import HubLabeller
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
            difference=self._differ,
        )

    def _differ(self, truth: Sequence[NDArray[Any]], found: Sequence[NDArray[Any]]) -> float:
        if [part.shape for part in truth] != [part.shape for part in found]:
            return float("inf")
        return differ_as_sets(_decoded(self._processor, truth), _decoded(self._processor, found))

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
_LEAST = 1e-6  # of an area or a probability: below it there is nothing to compare


def _decoded(processor: Any, outputs: Sequence[NDArray[Any]]) -> list[Mapping[str, NDArray[Any]]]:
    """Return the detections of each image, (Q,) scores and labels and (Q, 4) corners as parts of its sides."""
    import torch

    logits, places = (torch.from_numpy(np.ascontiguousarray(part)) for part in outputs)
    found = processor.post_process_object_detection(
        SimpleNamespace(logits=logits, pred_boxes=places), threshold=-1.0, target_sizes=[(1, 1)] * len(logits)
    )
    return [{key: value.numpy() for key, value in each.items()} for each in found]


def differ_as_sets(truth: Sequence[Mapping[str, NDArray[Any]]], found: Sequence[Mapping[str, NDArray[Any]]]) -> float:
    """Return how far the surest detections of each side are from the best of the same class on the other.

    That is the greater of 1 - IoU and the difference of their logits as a part of the largest one: on an image that
    shows nothing all probabilities are small, and would be alike whatever the network says. Order means nothing: such
    a network looks at places in the order of a first score, where the last digit may decide.
    """
    pairs = ((one, other) for pair in zip(truth, found, strict=True) for one, other in (pair, pair[::-1]))
    return max((_farthest(one, other) for one, other in pairs), default=0.0)


def _farthest(one: Mapping[str, NDArray[Any]], other: Mapping[str, NDArray[Any]]) -> float:
    if not all(np.isfinite(side[key]).all() for side in (one, other) for key in ("scores", "boxes")):
        return float("inf")
    surest = np.argsort(-one["scores"])[:_SUREST]
    ours, theirs = _logits(one["scores"][surest]), _logits(other["scores"])
    largest = max(float(np.abs(ours).max(initial=0.0)), 1.0)
    away = np.abs(ours[:, None] - theirs[None]) / largest
    off = np.maximum(away, 1.0 - _overlaps(one["boxes"][surest], other["boxes"]))
    off[one["labels"][surest][:, None] != other["labels"][None]] = np.inf
    return float(off.min(axis=1, initial=np.inf).max(initial=0.0))


def _logits(scores: NDArray[Any]) -> NDArray[np.float64]:
    kept = np.clip(scores.astype(np.float64), _LEAST, 1.0 - _LEAST)
    return np.asarray(np.log(kept / (1.0 - kept)))


def _overlaps(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.float64]:
    """IoU of all pairs, (A, 4) and (B, 4) corners; two of no size at the same place overlap wholly."""
    one, other = one[:, None].astype(np.float64), other[None].astype(np.float64)
    sides = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
    shared = np.clip(sides, 0.0, None).prod(axis=-1)
    areas = (one[..., 2:] - one[..., :2]).prod(axis=-1) + (other[..., 2:] - other[..., :2]).prod(axis=-1)
    apart = np.abs(one - other).max(axis=-1) > _LEAST
    return np.asarray(np.where(apart, shared / np.maximum(areas - shared, _LEAST**2), 1.0))


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


class DetectorFamily(AcceleratedFamily):
    """Detectors with fixed classes that transformers opens: RT-DETR, D-FINE, RF-DETR, DETR, YOLOS."""

    name = "detector"
    catalogue = CARDS
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


def _names(config: Mapping[str, Any]) -> tuple[str, ...]:
    return vocabularies.as_coco(hub_loading.class_names(config))


_UNUSED = (r"denoising_class_embed",)  # for training alone

FAMILY = DetectorFamily()
