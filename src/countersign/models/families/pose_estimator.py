"""Poses of persons in given boxes, from the hub: ViTPose and ViTPose+. A second stage; it finds no persons itself.

Each point has its own score. One above the threshold is marked visible (2), another not labelled (0, at 0, 0): the
network does not tell a hidden point from an absent one. The confidence of the label stays that of its box; the points'
scores are in the attribute ``keypoint_confidence``. What is in a box is taken for a person, so choose the classes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.errors import ModelError
from countersign.domain.geometry import Box
from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard, Task
from countersign.models import vocabularies
from countersign.models.contract import Pixels, PredictOptions
from countersign.models.families.pose_estimator_cards import CARDS, details
from countersign.models.parts import hub_loading, results
from countersign.models.parts.hub_family import HubFamily
from countersign.models.parts.hub_loading import Loaded
from countersign.models.parts.hub_model import HubModel
from countersign.models.parts.refining import boxed
from countersign.models.registry import Reference

THRESHOLD = 0.3
"""Points with a lower score are not shown, unless the setting ``keypoint_threshold`` says otherwise."""
_AT_ONCE = 32
_COCO = 0
"""ViTPose+ has an expert for each data set that it was trained on; the first is COCO's."""


class PoseEstimator(HubModel):
    """A top-down pose network as a BoxRefiner."""

    parallel = True

    def __init__(self, loaded: Loaded, card: ModelCard) -> None:
        super().__init__(loaded, card)
        self._experts = int(getattr(loaded.network.config.backbone_config, "num_experts", 1))

    def refine(
        self, images: Sequence[Pixels], found: Sequence[Sequence[Prediction]], options: PredictOptions
    ) -> list[list[Prediction]]:
        """Turn boxes into poses; boxes of several images share a pass."""
        wanted: list[tuple[int, Prediction, Box]] = []
        for index, (image, items) in enumerate(zip(images, found, strict=True)):
            wanted += [(index, item, box) for item, box in boxed(image, items, options.tally)]
        made: list[list[Prediction]] = [[] for _ in images]
        for first in range(0, len(wanted), _AT_ONCE):
            part = wanted[first : first + _AT_ONCE]
            points, scores = self._points(images, part)
            for (index, item, box), where, sure in zip(part, points, scores, strict=True):
                made[index] += _pose(images[index], item, box, where, sure, options)
        return made

    def _points(
        self, images: Sequence[Pixels], part: Sequence[tuple[int, Prediction, Box]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return points (N, K, 2) in pixels of the images, and their scores (N, K)."""
        import torch

        crops = [
            self._processor(
                images=np.ascontiguousarray(images[index]),
                boxes=[[box.bounds]],
                return_tensors="pt",
                input_data_format="channels_last",
            )["pixel_values"]
            for index, _, box in part
        ]
        more: dict[str, Any] = {}
        if self._experts > 1:
            more["dataset_index"] = torch.full((len(part),), _COCO, dtype=torch.long, device=self._device)
        with torch.inference_mode():
            heatmaps = self._network(torch.cat(crops).to(self._device), **more).heatmaps.float().cpu()
        poses = self._processor.post_process_pose_estimation(
            SimpleNamespace(heatmaps=heatmaps), boxes=[[np.array(box.bounds)] for _, _, box in part]
        )
        points = np.stack([pose[0]["keypoints"].numpy() for pose in poses]).astype(np.float64)
        scores = np.stack([np.atleast_1d(pose[0]["scores"].numpy()) for pose in poses]).astype(np.float64)
        return points, scores


def _pose(
    image: Pixels,
    item: Prediction,
    box: Box,
    points: NDArray[np.float64],
    scores: NDArray[np.float64],
    options: PredictOptions,
) -> list[Prediction]:
    """Return the pose within one box, or nothing where no point is sure enough."""
    seen = scores >= float(options.settings.get("keypoint_threshold", THRESHOLD))
    found = results.keypoints(
        (image.shape[0], image.shape[1]),
        points[None],
        seen[None],
        None,
        [item.class_name],
        PredictOptions(tally=options.tally),
        corners=[box.corners],
        point_scores=scores[None],
    )
    return [
        dataclasses.replace(item, geometry=pose.geometry, attributes={**item.attributes, **pose.attributes})
        for pose in found
    ]


class PoseEstimatorFamily(HubFamily):
    """Poses of persons in given boxes: ViTPose, ViTPose+."""

    name = "pose_estimator"
    catalogue = CARDS
    architectures = ("VitPoseForPoseEstimation",)
    setting_names = ("keypoint_threshold",)

    def describe(self, reference: Reference, folder: Path, config: Mapping[str, Any]) -> ModelCard:
        names = hub_loading.class_names(config)
        known = details(_words(names) or vocabularies.coco_keypoints())
        base = ModelCard("", self.name, (Task.POSE,), ("person",), details=known)
        return hub_loading.card_of(reference, base, folder)

    def open(self, folder: Path, card: ModelCard, device: str | None, pickle: bool) -> PoseEstimator:
        loaded = hub_loading.load(
            folder, "AutoModelForPoseEstimation", device=device, pickle=pickle, processor="AutoImageProcessor"
        )
        points = len(card.details["keypoint_names"])
        if loaded.network.config.num_labels != points:
            raise ModelError(
                f"{folder} finds {loaded.network.config.num_labels} points, its card names {points}",
                remedy="Give the points their names in id2label of its config.json.",
            )
        return PoseEstimator(loaded, card)


def _words(names: Sequence[str]) -> tuple[str, ...]:
    """Return names of points as COCO writes them (L_Shoulder becomes left_shoulder)."""
    sides = {"l": "left", "r": "right"}
    made = []
    for name in names:
        head, _, rest = name.strip().lower().replace(" ", "_").partition("_")
        made.append(f"{sides[head]}_{rest}" if head in sides and rest else name.strip().lower().replace(" ", "_"))
    return tuple(made)


FAMILY = PoseEstimatorFamily()
