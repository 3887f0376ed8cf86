"""A trained network as a model: images in, predictions in pixels of the image out.

Satisfies ``countersign.models.contract.SplitModel``: ``prepare`` may run ahead in another thread. Always in evaluation
mode: the same image gives the same predictions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from countersign.domain import mask as masks
from countersign.domain.errors import ModelError, SettingsError
from countersign.domain.geometry import Box
from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard
from countersign.learn import device as devices
from countersign.learn import light, tiles
from countersign.learn.augment import GREY
from countersign.learn.data import Vocabulary
from countersign.learn.losses import decode
from countersign.learn.network import Network, Output
from countersign.learn.plan import View, canvas_for
from countersign.models.contract import Pixels, PredictOptions

CANDIDATES = 1000
"""Boxes of one view that are looked at, most confident first."""
MOST = 300
"""Boxes of one view that are kept."""
MOST_TILED = 3000
"""Boxes of one tiled image that are kept."""
AT_ONCE = 16
"""Views that go through the network together."""
_FLIPS = ((2,), (3,), (2, 3))


@dataclass(frozen=True, slots=True)
class Looked:
    """One view of an image: a canvas (height, width, 3) of which the top left ``size`` (h, w) holds ``tile``."""

    canvas: NDArray[np.uint8]
    size: tuple[int, int]
    tile: tiles.Tile


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image ready for the network; ``height`` and ``width`` are the image's own."""

    height: int
    width: int
    views: tuple[Looked, ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What must be known besides the weights: classes, view, whether the input has one size, several tags.

    ``flips``: painted maps are the mean of four predictions, of the picture and its mirror images.
    """

    vocabulary: Vocabulary
    view: View
    fixed: bool = False
    multi_tag: bool = False
    flips: bool = False


class TrainedModel:
    """A network that was trained here. Several threads may predict at once: nothing is kept between two calls."""

    parallel = True

    def __init__(self, network: Network, recipe: Recipe, card: ModelCard, device: str | None = None) -> None:
        self._device = devices.choose(device)
        self._network = network.eval().requires_grad_(False)
        self._network.to(self._device).to(memory_format=torch.channels_last)
        self.recipe = recipe
        self._card = card

    @property
    def card(self) -> ModelCard:
        return self._card

    @property
    def network(self) -> Network:
        return self._network

    @property
    def device(self) -> str:
        return str(self._device)

    def with_card(self, card: ModelCard) -> TrainedModel:
        """Return the same model under another card (a new name, say)."""
        return TrainedModel(self._network, self.recipe, card, self.device)

    def prepare(self, image: Pixels) -> Prepared:
        """Resize one (height, width, 3) uint8 RGB image, or cut it into tiles as the model was trained."""
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or 0 in image.shape:
            raise ModelError(f"an image is (height, width, 3) uint8 RGB, not {image.shape} {image.dtype}")
        return prepare(image, self.recipe.view, fixed=self.recipe.fixed)

    def predict(self, images: Sequence[Pixels], options: PredictOptions | None = None) -> list[list[Prediction]]:
        """Predict a batch of images of any sizes. ``options.settings`` may have ``nms`` (0.01-1) and ``top`` (tags)."""
        return self.predict_prepared([self.prepare(image) for image in images], options)

    def predict_prepared(
        self, prepared: Sequence[Prepared], options: PredictOptions | None = None
    ) -> list[list[Prediction]]:
        """As ``predict``, of what ``prepare`` returned."""
        options = options or PredictOptions(min_confidence=self._card.min_confidence)
        nms = _nms(options.settings, self._card.details)
        outputs = self._run(prepared)
        return [
            self._boxes(item, found, options, nms)
            + self._paint(item, found, options)
            + self._tags(item, found, options)
            for item, found in zip(prepared, outputs, strict=True)
        ]

    def _run(self, prepared: Sequence[Prepared]) -> list[list[Output]]:
        """Put all views through the network, those of one size together; return each image's outputs, view by view."""
        found: list[list[Output | None]] = [[None] * len(item.views) for item in prepared]
        groups: dict[tuple[int, ...], list[tuple[int, int]]] = {}
        for index, item in enumerate(prepared):
            for place, view in enumerate(item.views):
                groups.setdefault(view.canvas.shape, []).append((index, place))
        for members in groups.values():
            for start in range(0, len(members), AT_ONCE):
                part = members[start : start + AT_ONCE]
                out = self._forward([prepared[index].views[place].canvas for index, place in part])
                for row, (index, place) in enumerate(part):
                    found[index][place] = _row(out, row)
        return [[output for output in outputs if output is not None] for outputs in found]

    def _forward(self, canvases: Sequence[NDArray[np.uint8]]) -> Output:
        pixels = torch.from_numpy(np.stack(canvases)).permute(0, 3, 1, 2)
        with torch.inference_mode(), devices.autocast(self._device):
            pixels = pixels.to(self._device, non_blocking=True)
            out: Output = self._network(pixels)
            if out.paint is not None and self.recipe.flips:
                turned = [self._network(pixels.flip(axes)).paint.flip(axes) for axes in _FLIPS]
                out.paint = torch.stack([out.paint, *turned]).mean(0)
            if out.heat is not None and out.sides is not None:
                out.heat, out.sides = out.heat.sigmoid().cpu(), decode(out.sides).cpu()
            if out.paint is not None:
                out.paint = out.paint.cpu()
            if out.tags is not None:
                out.tags = (out.tags.sigmoid() if self.recipe.multi_tag else out.tags.softmax(1)).cpu()
        return out

    def _boxes(self, item: Prepared, outputs: list[Output], options: PredictOptions, nms: float) -> list[Prediction]:
        names = self.recipe.vocabulary.boxes
        wanted = _wanted(names, options.classes)
        if not wanted:
            return []
        parts = [
            _view_boxes(output, view, item, options.min_confidence, wanted)
            for view, output in zip(item.views, outputs, strict=True)
        ]
        boxes, scores, classes, cut_off = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        kept = _suppress(boxes, scores, classes, nms, MOST if len(item.views) == 1 else MOST_TILED)
        boxes, scores, classes, cut_off = boxes[kept], scores[kept], classes[kept], cut_off[kept]
        if cut_off.any():
            whole = tiles.drop_parts(boxes, classes, cut_off)
            boxes, scores, classes = boxes[whole], scores[whole], classes[whole]
        return [
            Prediction(names[kind], Box.from_corners(*corners), min(1.0, score))
            for corners, score, kind in zip(boxes.tolist(), scores.tolist(), classes.tolist(), strict=True)
        ]

    def _paint(self, item: Prepared, outputs: list[Output], options: PredictOptions) -> list[Prediction]:
        names = self.recipe.vocabulary.paints
        if not names:
            return []
        best = np.zeros((item.height, item.width), np.float32)
        kinds = np.zeros((item.height, item.width), np.uint8 if len(names) < 255 else np.uint16)
        for view, output in zip(item.views, outputs, strict=True):
            _paint_core(best, kinds, view, output)
        found = []
        for kind in np.unique(kinds).tolist():
            if kind == 0 or (options.classes and names[kind - 1] not in options.classes):
                continue
            painted = kinds == kind
            confidence = float(best[painted].mean())
            if confidence >= options.min_confidence:
                found.append(Prediction(names[kind - 1], masks.encode(painted), min(1.0, confidence)))
        return found

    def _tags(self, item: Prepared, outputs: list[Output], options: PredictOptions) -> list[Prediction]:
        names = self.recipe.vocabulary.tags
        if not names:
            return []
        tags = [output.tags for output in outputs if output.tags is not None]
        scores = torch.stack(tags).mean(0).tolist()
        allowed = [index for index, name in enumerate(names) if not options.classes or name in options.classes]
        order = sorted(allowed, key=lambda index: -scores[index])
        top = len(order) if self.recipe.multi_tag else int(options.settings.get("top", 1))
        return [
            Prediction(names[index], None, min(1.0, scores[index]))
            for index in order[:top]
            if scores[index] >= options.min_confidence
        ]


def prepare(image: Pixels, view: View, *, fixed: bool = False) -> Prepared:
    """Turn an image into the views that the network sees."""
    height, width = image.shape[:2]
    table = light.levels(image) if view.levels else None
    if not view.tiled:
        canvas = view.canvas if fixed else canvas_for(height, width, view.longest)
        scale = min(view.longest / max(height, width), canvas[0] / height, canvas[1] / width)
        whole = tiles.Tile(0, 0, width, height, (0, 0, width, height))
        return Prepared(height, width, (_look(image, whole, scale, canvas, table, reflect=view.reflect),))
    side, overlap = max(1, round(view.canvas[0] / view.scale)), round(view.overlap / view.scale)
    parts = tiles.cut(height, width, side, overlap)
    looks = (_look(image, tile, view.scale, view.canvas, table, reflect=view.reflect) for tile in parts)
    return Prepared(height, width, tuple(looks))


def _look(
    image: Pixels,
    tile: tiles.Tile,
    scale: float,
    canvas: tuple[int, int],
    table: light.Table | None,
    *,
    reflect: bool,
) -> Looked:
    part = image[tile.y0 : tile.y1, tile.x0 : tile.x1]
    height = min(canvas[0], max(1, round(part.shape[0] * scale)))
    width = min(canvas[1], max(1, round(part.shape[1] * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    seen = np.asarray(cv2.resize(part, (width, height), interpolation=way), np.uint8)
    seen = seen if table is None else light.apply(seen, table)
    beyond = cv2.BORDER_REFLECT if reflect else cv2.BORDER_CONSTANT
    room = (0, canvas[0] - height, 0, canvas[1] - width)
    found = np.asarray(cv2.copyMakeBorder(seen, *room, beyond, value=(GREY, GREY, GREY)), np.uint8)
    return Looked(found, (height, width), tile)


def _row(out: Output, row: int) -> Output:
    def pick(found: Tensor | None) -> Tensor | None:
        return None if found is None else found[row]

    return Output(pick(out.heat), pick(out.sides), pick(out.paint), pick(out.tags))


def _wanted(names: Sequence[str], classes: Sequence[str]) -> list[int]:
    return [index for index, name in enumerate(names) if not classes or name in classes]


def _nms(settings: Mapping[str, Any], details: Mapping[str, Any]) -> float:
    default = details.get("settings", {}).get("nms", 0.4)
    try:
        value = float(settings.get("nms", default))
    except (TypeError, ValueError):
        value = -1.0
    if not 0.01 <= value <= 1:
        raise SettingsError("nms", settings.get("nms"), "a number from 0.01 to 1")
    return value


def _view_boxes(
    output: Output, view: Looked, item: Prepared, least: float, wanted: list[int]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64], NDArray[np.bool_]]:
    """Return boxes (image pixels, clipped), scores, classes, and whether the tile cut them off."""
    assert output.heat is not None
    assert output.sides is not None
    heat = output.heat.flatten(1)[wanted]
    scores, places = heat.flatten().topk(min(CANDIDATES, heat.numel()))
    places = places[scores >= least]
    scores = scores[scores >= least]
    corners = output.sides.reshape(-1, 4)[places % heat.shape[1]].numpy()
    classes = np.asarray(wanted, np.int64)[(places // heat.shape[1]).numpy()]
    tile = view.tile
    stretch = np.array([(tile.x1 - tile.x0) / view.size[1], (tile.y1 - tile.y0) / view.size[0]] * 2, np.float32)
    boxes = corners * stretch + np.array([tile.x0, tile.y0] * 2, np.float32)
    boxes = boxes.clip(0, np.array([item.width, item.height] * 2, np.float32))
    sound = ((boxes[:, 2:] - boxes[:, :2]).min(1) > 0) & tiles.in_core(boxes, tile)
    cut_off = tiles.is_cut(boxes, tile, item.height, item.width)
    return boxes[sound], scores.numpy()[sound], classes[sound], cut_off[sound]


def _suppress(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], classes: NDArray[np.int64], nms: float, most: int
) -> NDArray[np.int64]:
    from torchvision.ops import batched_nms

    kept = batched_nms(torch.from_numpy(boxes), torch.from_numpy(scores), torch.from_numpy(classes), nms)
    found: NDArray[np.int64] = kept[:most].numpy()
    return found


def _paint_core(best: NDArray[np.float32], kinds: NDArray[Any], view: Looked, output: Output) -> None:
    """Write a view's most probable class of every pixel, and how probable it is, where the view answers for it.

    The logits are scaled up and not the probabilities, as in the loss: else small things come out too large.
    """
    assert output.paint is not None
    canvas = view.canvas.shape[:2]
    logits = F.interpolate(output.paint[None], size=canvas, mode="bilinear", align_corners=False)
    shares = logits.softmax(1)[0, :, : view.size[0], : view.size[1]].numpy()
    tile = view.tile
    x0, y0, x1, y1 = tile.core
    core_best, core_kinds = best[y0:y1, x0:x1], kinds[y0:y1, x0:x1]
    for kind in range(len(shares)):
        share = cv2.resize(
            np.ascontiguousarray(shares[kind]), (tile.x1 - tile.x0, tile.y1 - tile.y0), interpolation=cv2.INTER_LINEAR
        )[y0 - tile.y0 : y1 - tile.y0, x0 - tile.x0 : x1 - tile.x0]
        better = share > core_best
        core_best[better], core_kinds[better] = share[better], kind
