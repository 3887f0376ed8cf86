"""What a network should have said of a batch: arrays for the losses, made from samples.

Boxes follow TTFNet (Liu et al. 2019, Training-Time-Friendly Network): an elliptic Gaussian of the object's own shape
marks its middle, and every cell under it learns the box, weighted by the Gaussian. Many cells learn from one object,
which is what makes the most of a few images in little time: on blood cells, 20 images and a minute it is 0.7 of AP50
where one cell for each object is 0.3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from countersign.learn.augment import Sample
from countersign.learn.data import IGNORE

SPREAD = 0.8
"""Share of the box that the Gaussian spans (TTFNet's alpha; 0.54 there, on cells of 4 pixels)."""
NARROWEST = 0.55
"""Cells that the Gaussian of the smallest object deviates."""
FLOOR = 0.05
"""Below this a Gaussian counts as background."""


@dataclass(slots=True)
class Targets:
    """For a batch of (height, width) pixels and cells of ``stride`` pixels.

    ``heat`` (b, h, w, classes) 0..1. ``boxes`` (b, h, w, 4) x0 y0 x1 y1 in pixels, ``weights`` (b, h, w) how much a
    cell learns its box. ``care`` (b, h, w) 0 where background does not count. ``paint`` (b, height, width) int64.
    ``tags`` (b, classes), NaN where nobody said.
    """

    heat: Tensor | None = None
    boxes: Tensor | None = None
    weights: Tensor | None = None
    care: Tensor | None = None
    paint: Tensor | None = None
    tags: Tensor | None = None


def make(
    samples: Sequence[Sample], canvas: tuple[int, int], stride: int, *, boxes: int, paints: int, tags: int
) -> Targets:
    """Make the targets of a batch; ``boxes``, ``paints`` and ``tags`` count the classes of the heads."""
    found = Targets()
    if boxes:
        _boxes(found, samples, canvas, stride, boxes)
    if paints:
        nothing = np.full(canvas, IGNORE, np.uint8)
        stack = np.stack([nothing if sample.paint is None else sample.paint for sample in samples])
        found.paint = torch.from_numpy(stack.astype(np.int64))
    if tags:
        unknown = np.full(tags, np.nan, np.float32)
        found.tags = torch.from_numpy(np.stack([unknown if s.tags is None else s.tags for s in samples]))
    return found


def _boxes(found: Targets, samples: Sequence[Sample], canvas: tuple[int, int], stride: int, classes: int) -> None:
    height, width = math.ceil(canvas[0] / stride), math.ceil(canvas[1] / stride)
    heat = np.zeros((len(samples), height, width, classes), np.float32)
    boxes = np.zeros((len(samples), height, width, 4), np.float32)
    weights = np.zeros((len(samples), height, width), np.float32)
    care = np.ones((len(samples), height, width), np.float32)
    for index, sample in enumerate(samples):
        for x0, y0, x1, y1 in sample.crowds / stride:
            care[index, int(y0) : math.ceil(y1), int(x0) : math.ceil(x1)] = 0
        area = (sample.boxes[:, 2:] - sample.boxes[:, :2]).prod(1)
        for item in np.argsort(-area):  # the smallest last: where objects overlap it is in front
            kind = int(sample.box_classes[item])
            _object(heat[index, :, :, kind], boxes[index], weights[index], sample.boxes[item], stride)
    found.heat, found.boxes = torch.from_numpy(heat), torch.from_numpy(boxes)
    found.weights, found.care = torch.from_numpy(weights), torch.from_numpy(care)


def _object(
    heat: NDArray[np.float32],
    boxes: NDArray[np.float32],
    weights: NDArray[np.float32],
    box: NDArray[np.float32],
    stride: int,
) -> None:
    height, width = weights.shape
    x0, y0, x1, y1 = (float(value) / stride for value in box)
    column, row = min(int((x0 + x1) / 2), width - 1), min(int((y0 + y1) / 2), height - 1)
    xs, across = _bell(column, x1 - x0, width)
    ys, down = _bell(row, y1 - y0, height)
    bell = np.outer(down, across).astype(np.float32)
    bell[bell < FLOOR] = 0
    region = heat[ys, xs]
    np.maximum(region, bell, out=region)
    under = bell > 0
    boxes[ys, xs][under] = box
    # A large object has many cells: its weight grows with the logarithm of its area only (TTFNet, eq. 6).
    share = math.log(max((x1 - x0) * (y1 - y0), 1.0) + 1.7)
    weights[ys, xs][under] = (bell / bell.sum() * share)[under]


def _bell(middle: int, side: float, limit: int) -> tuple[slice, NDArray[np.float64]]:
    sigma = max(SPREAD * side / 6, NARROWEST)
    reach = int(3 * sigma + 1)
    part = slice(max(middle - reach, 0), min(middle + reach + 1, limit))
    return part, np.exp(-((np.arange(part.start, part.stop) - middle) ** 2) / (2 * sigma * sigma))
