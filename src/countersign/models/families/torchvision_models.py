"""torchvision's models: classifiers, detectors (boxes, masks, keypoints) and semantic segmenters.

Besides the cards of the catalogue, ``torchvision:<architecture>`` is any of its architectures, with options

* ``weights``: a state dict of one's own (.safetensors, or .pth, which is read for numbers alone). Without it the
  library's own weights are used, if they were fetched before;
* ``classes``: a file with their class names, one a line, without background;
* ``engine``: what computes a classifier on the CPU (see ``acceleration``).

Nothing is downloaded. Images of different sizes never share a batch: the library would pad them, and what it finds
near an edge changes with that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard, Task
from countersign.models.contract import Pixels, PredictOptions, SplitModel
from countersign.models.families.torchvision_cards import CARDS
from countersign.models.families.torchvision_loading import Opened, card_of, open_model
from countersign.models.parts import accelerated, batches, results
from countersign.models.parts.batches import Prepared
from countersign.models.parts.engines import Runner
from countersign.models.registry import Reference

_WIDEST = 4  # a segmenter's input is at most this many times as long as it is wide; longer images are made smaller
_MASK = 0.5  # the probability from which on a pixel belongs to an object (torchvision's own example)


class _Torchvision(SplitModel):
    """What all of them share. Prepared: the network's input for one image."""

    parallel = True

    def __init__(self, opened: Opened) -> None:
        self._network = opened.network
        self._card = opened.card
        self._names = opened.names
        self._device = opened.device
        self._transform = opened.transform

    @property
    def card(self) -> ModelCard:
        return self._card

    @property
    def device(self) -> str:
        return self._device

    def choose_engine(self, engine: str) -> None:
        """Say that torch computes it. Raises ModelError where another engine is asked for."""
        self._card = accelerated.stays(self._card, engine, accelerated.ANY_SIZE)

    def prepare(self, image: Pixels) -> Prepared:
        import torch

        pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)
        return Prepared({"images": self._ready(pixels)[None]}, (image.shape[0], image.shape[1]))

    def _ready(self, pixels: Any) -> Any:
        return self._transform(pixels)

    def predict_prepared(self, prepared: Sequence[Prepared], options: PredictOptions) -> list[list[Prediction]]:
        import torch

        def forward(inputs: dict[str, Any], members: Sequence[Prepared]) -> list[list[Prediction]]:
            with torch.inference_mode():
                return self._forward(inputs["images"], [item.size for item in members], options)

        return batches.run(prepared, self._device, forward)

    def _forward(self, images: Any, sizes: Sequence[results.Size], options: PredictOptions) -> list[list[Prediction]]:
        raise NotImplementedError


class Classifier(_Torchvision):
    """One label of the whole image, or as many as ``settings["top"]`` says."""

    _run: Runner | None = None

    def choose_engine(self, engine: str) -> None:
        """Let another engine compute the network where that can be. Raises ModelError."""
        self._run, self._card = accelerated.runner(
            self._network, self.prepare, self._card, self._device, engine, key="images"
        )

    def _forward(self, images: Any, sizes: Sequence[results.Size], options: PredictOptions) -> list[list[Prediction]]:
        import torch

        logits = self._network(images) if self._run is None else torch.from_numpy(self._run(images.numpy())[0])
        rows = logits.float().softmax(1).cpu().numpy()
        return [results.whole(row, self._names, options) for row in rows]


class Detector(_Torchvision):
    """Boxes, and with them masks or keypoints where the network has them and the task asks for them.

    A keypoint counts as seen from the score ``settings["keypoint_score"]`` on (default 0: a logit of the heat map).
    """

    def _forward(self, images: Any, sizes: Sequence[results.Size], options: PredictOptions) -> list[list[Prediction]]:
        task = options.task or self._card.tasks[0]
        return [
            self._choose(found, size, task, options)
            for found, size in zip(self._network(list(images)), sizes, strict=True)
        ]

    def _choose(self, found: Any, size: results.Size, task: Task, options: PredictOptions) -> list[Prediction]:
        values = {name: value.cpu().numpy() for name, value in found.items()}
        names = [self._names[i] if i < len(self._names) else "" for i in values["labels"].tolist()]
        scores = values["scores"]
        if task is Task.INSTANCE_SEGMENTATION and "masks" in values:
            return results.masks(size, values["masks"][:, 0] >= _MASK, scores, names, options)
        if task is Task.POSE and "keypoints" in values:
            seen = values["keypoints_scores"] >= float(options.settings.get("keypoint_score", 0.0))
            points = values["keypoints"][..., :2]
            return results.keypoints(size, points, seen, scores, names, options, corners=values["boxes"])
        return results.boxes(size, values["boxes"], scores, names, options)


class Segmenter(_Torchvision):
    """One mask per class that is present; its confidence is the mean probability of the class over the mask."""

    def _ready(self, pixels: Any) -> Any:
        import torch

        side = int(self._transform.resize_size[0])
        height, width = pixels.shape[1:]
        scale = min(side / min(height, width), side * _WIDEST / max(height, width))
        size = [max(1, round(height * scale)), max(1, round(width * scale))]
        resized = torch.nn.functional.interpolate(
            pixels[None].float() / 255, size, mode="bilinear", align_corners=False, antialias=True
        )
        mean, std = (torch.tensor(value)[:, None, None] for value in (self._transform.mean, self._transform.std))
        return (resized[0] - mean) / std

    def _forward(self, images: Any, sizes: Sequence[results.Size], options: PredictOptions) -> list[list[Prediction]]:
        logits = self._network(images)["out"].float()
        return [self._choose(logits[i : i + 1], size, options) for i, size in enumerate(sizes)]

    def _choose(self, logits: Any, size: results.Size, options: PredictOptions) -> list[Prediction]:
        import torch

        full = torch.nn.functional.interpolate(logits, list(size), mode="bilinear", align_corners=False)
        scores, classes = full[0].softmax(0).max(0)
        return results.class_map(classes.cpu().numpy(), self._names, options, scores=scores.cpu().numpy())


class TorchvisionFamily:
    """torchvision's classifiers, detectors and segmenters."""

    name = "torchvision"
    option_names = ("weights", "classes", accelerated.OPTION)
    setting_names = ("nms", "nms_across_classes", "max_detections", "keypoint_score", "top")

    def cards(self) -> Sequence[ModelCard]:
        return CARDS

    def names(self) -> Sequence[str]:
        return [str(card.details["architecture"]) for card in CARDS]

    def card(self, reference: Reference) -> ModelCard:
        return card_of(reference)

    def only_torch(self, card: ModelCard) -> str:
        return "" if Task.CLASSIFICATION in card.tasks else accelerated.ANY_SIZE

    def load(self, reference: Reference, *, device: str | None) -> _Torchvision:
        engine = accelerated.asked(reference)
        opened = open_model(reference, device)
        made = {"classification": Classifier, "detection": Detector, "segmentation": Segmenter}[opened.kind]
        model: _Torchvision = made(opened)
        model.choose_engine(engine)
        return model


FAMILY = TorchvisionFamily()
