"""Segmenters that cut out what is pointed at, from the hub: SAM, SAM-HQ, SAM 2, SAM 2.1, EdgeTAM.

An image is encoded once, which is slow, then each prompt is quick. What was made of the last images is kept, within a
bound of bytes. One click alone is ambiguous (a wheel or the car), so the best of three masks is taken by the network's
own estimate; with a box, more clicks or an old mask it answers with one. As second stage many boxes share one pass.
"""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain import mask as mask_tools
from countersign.domain.errors import ModelError
from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard, Task
from countersign.models.contract import Clicks, Pixels, PredictOptions, Segment
from countersign.models.families.prompt_segmenter_cards import CARDS
from countersign.models.parts import hub_loading
from countersign.models.parts.dense import Frame
from countersign.models.parts.hub_family import HubFamily
from countersign.models.parts.hub_loading import Loaded
from countersign.models.parts.hub_model import HubModel
from countersign.models.parts.refining import boxed
from countersign.models.registry import Reference

_AT_ONCE = 16
"""Prompts that share one pass through the decoder: each needs some 40 MB there."""
_KEPT_BYTES = 512_000_000
"""What is kept of the last images: 30 of SAM 2's, 120 of SAM's."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """What the network needs of an image: its tensors by name, where the image lies in them, pixels to their scale."""

    tensors: Mapping[str, Any]
    frame: Frame
    scale: tuple[float, float]

    @property
    def nbytes(self) -> int:
        lists = (value if isinstance(value, list) else [value] for value in self.tensors.values())
        return sum(int(tensor.nbytes) for tensors in lists for tensor in tensors)


class Recent:
    """The last values by key, not more than ``limit`` bytes of them (but the last one always). For several threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[bytes, Encoded] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: bytes) -> Encoded | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: bytes, value: Encoded) -> None:
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and sum(item.nbytes for item in self._kept.values()) > self._limit:
                self._kept.popitem(last=False)

    def __len__(self) -> int:
        return len(self._kept)


class SamSegmenter(HubModel):
    """A network of the Segment Anything kind as a PromptSegmenter and a BoxRefiner."""

    def __init__(self, loaded: Loaded, card: ModelCard) -> None:
        super().__init__(loaded, card)
        self._recent = Recent(_KEPT_BYTES)

    def encode(self, image: Pixels) -> Encoded:
        digest = hashlib.blake2b(str(image.shape).encode(), digest_size=16)
        digest.update(np.ascontiguousarray(image).data)
        key = digest.digest()
        found = self._recent.get(key)
        if found is None:
            found = self._look(image)
            self._recent.put(key, found)
        return found

    def _look(self, image: Pixels) -> Encoded:
        import torch

        size = (image.shape[0], image.shape[1])
        inputs = self._processor(
            images=np.ascontiguousarray(image), return_tensors="pt", input_data_format="channels_last"
        )
        pixels = inputs["pixel_values"].to(self._device)
        with torch.inference_mode():
            made = self._network.get_image_embeddings(pixels)
        if isinstance(made, tuple):  # SAM-HQ: its decoder reads the first of the inner layers alone
            tensors: dict[str, Any] = {"image_embeddings": made[0], "intermediate_embeddings": list(made[1][:1])}
        else:
            tensors = {"image_embeddings": made}
        seen = (int(pixels.shape[-2]), int(pixels.shape[-1]))
        if "reshaped_input_sizes" not in inputs:  # SAM 2 stretches an image to a square, SAM keeps its proportions
            return Encoded(tensors, Frame(size), (seen[1] / size[1], seen[0] / size[0]))
        rows, columns = (int(edge) for edge in inputs["reshaped_input_sizes"][0])
        return Encoded(tensors, Frame(size, seen, (rows, columns)), (columns / size[1], rows / size[0]))

    def segment(self, encoded: Encoded, prompts: Sequence[Clicks]) -> list[Segment]:
        found: dict[int, Segment] = {}
        for index, logits, score in self._cut(encoded, prompts):
            found[index] = Segment(_painted(encoded, logits), score, logits.float().cpu().numpy())
        return [found[i] for i in range(len(prompts))]

    def refine(
        self, images: Sequence[Pixels], found: Sequence[Sequence[Prediction]], options: PredictOptions
    ) -> list[list[Prediction]]:
        return [self._refine_one(image, items, options) for image, items in zip(images, found, strict=True)]

    def _refine_one(self, image: Pixels, items: Sequence[Prediction], options: PredictOptions) -> list[Prediction]:
        given = boxed(image, items, options.tally)
        if not given:
            return []
        encoded = self._look(image)
        made: dict[int, Prediction] = {}
        for index, logits, _ in self._cut(encoded, [Clicks(box=box) for _, box in given]):
            painted = _painted(encoded, logits)
            if painted.any():
                made[index] = dataclasses.replace(given[index][0], geometry=mask_tools.encode(painted))
        options.tally.add("empty", len(given) - len(made))
        return [made[i] for i in sorted(made)]

    def _cut(self, encoded: Encoded, prompts: Sequence[Clicks]) -> Iterator[tuple[int, Any, float]]:
        """Yield for each prompt its place, the small map of logits (h, w) and the network's estimate of it in 0..1."""
        for members in _alike(prompts):
            asked = [prompts[i] for i in members]
            logits, scores = self._ask(encoded, asked)
            yield from zip(members, logits, scores, strict=True)

    def _ask(self, encoded: Encoded, asked: Sequence[Clicks]) -> tuple[Any, list[float]]:
        import torch

        first = asked[0]
        ambiguous = len(first.points) == 1 and first.box is None and first.logits is None
        with torch.inference_mode():
            output = self._network(**encoded.tensors, **self._inputs(encoded, asked), multimask_output=ambiguous)
        scores = output.iou_scores[0].float()
        best = scores.argmax(dim=-1)
        rows = torch.arange(len(asked), device=best.device)
        kept = [min(1.0, max(0.0, float(score))) for score in scores[rows, best].cpu()]
        return output.pred_masks[0][rows, best], kept

    def _inputs(self, encoded: Encoded, asked: Sequence[Clicks]) -> dict[str, Any]:
        """Return the tensors for prompts with equal numbers of points, all with or all without a box or an old mask."""
        import torch

        made: dict[str, Any] = {}
        across, down = encoded.scale
        if asked[0].points:
            points = np.array([prompt.points for prompt in asked], np.float32) * np.array(encoded.scale, np.float32)
            labels = np.array([prompt.positive for prompt in asked], np.int64)
            made["input_points"], made["input_labels"] = torch.from_numpy(points), torch.from_numpy(labels)
        if asked[0].box is not None:
            corners = np.array([prompt.box.corners for prompt in asked if prompt.box], np.float32)
            made["input_boxes"] = torch.from_numpy(corners * np.array([across, down, across, down], np.float32))
        made = {name: value[None].to(self._device) for name, value in made.items()}
        if asked[0].logits is not None:
            old = torch.from_numpy(np.array(asked[0].logits, np.float32))
            made["input_masks"] = old.reshape(1, 1, *old.shape[-2:]).to(self._device)
        return made


def _alike(prompts: Sequence[Clicks]) -> list[list[int]]:
    """Return the places of prompts that can share a pass: as many points each, with or without a box, no old mask."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, prompt in enumerate(prompts):
        if not prompt.points and prompt.box is None:
            raise ModelError("nothing was pointed at", remedy="Give a point or a box.")
        if len(prompt.points) != len(prompt.positive):
            raise ModelError(
                f"{len(prompt.points)} points came with {len(prompt.positive)} signs",
                remedy="Say of each point whether it belongs to the object.",
            )
        # An old mask is laid under all prompts of a pass, so it goes alone.
        alone = () if prompt.logits is None else (index,)
        groups.setdefault((len(prompt.points), int(prompt.box is not None), *alone), []).append(index)
    return [group[i : i + _AT_ONCE] for group in groups.values() for i in range(0, len(group), _AT_ONCE)]


def _painted(encoded: Encoded, logits: Any) -> NDArray[np.bool_]:
    painted: NDArray[np.bool_] = (encoded.frame.enlarge(logits[None])[0] > 0).cpu().numpy()
    return painted


class PromptSegmenterFamily(HubFamily):
    """Segmenters that cut out what is pointed at: SAM, SAM-HQ, SAM 2, EdgeTAM."""

    name = "prompt_segmenter"
    catalogue = CARDS
    architectures = frozenset(
        {"EdgeTamModel", "EdgeTamVideoModel", "Sam2Model", "Sam2VideoModel", "SamHQModel", "SamModel"}
    )

    def describe(self, reference: Reference, folder: Path, config: Mapping[str, Any]) -> ModelCard:
        return hub_loading.card_of(reference, ModelCard("", self.name, (Task.PROMPTED_SEGMENTATION,), ()), folder)

    def open(self, folder: Path, card: ModelCard, device: str | None, pickle: bool) -> SamSegmenter:
        loaded = hub_loading.load(
            folder, "AutoModelForMaskGeneration", device=device, pickle=pickle, processor="AutoImageProcessor"
        )
        return SamSegmenter(loaded, card)


FAMILY = PromptSegmenterFamily()
