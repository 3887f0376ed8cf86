"""Cutting an image into overlapping tiles, and putting what was found in them together. numpy only.

Every tile has a core: the part for which it, and no other tile, answers. Cores cover the image without gap or overlap;
their seams lie in the middle of the tiles' overlaps, so that an object smaller than half an overlap is seen whole by
the tile in whose core its middle lies.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of an image: ``x0 y0 x1 y1`` what is seen, ``core`` (the same four) what it answers for. In pixels."""

    x0: int
    y0: int
    x1: int
    y1: int
    core: tuple[int, int, int, int]


def cut(height: int, width: int, side: int, overlap: int) -> list[Tile]:
    """Cover an image of this size by squares of ``side`` (fewer pixels where the image is smaller)."""
    rows, columns = _starts(height, side, overlap), _starts(width, side, overlap)
    row_cores, column_cores = _cores(rows, height, side), _cores(columns, width, side)
    return [
        Tile(x, y, min(x + side, width), min(y + side, height), (cx0, cy0, cx1, cy1))
        for y, (cy0, cy1) in zip(rows, row_cores, strict=True)
        for x, (cx0, cx1) in zip(columns, column_cores, strict=True)
    ]


def _starts(length: int, side: int, overlap: int) -> list[int]:
    if length <= side:
        return [0]
    step = max(1, side - overlap)
    count = math.ceil((length - side) / step) + 1
    return [round(index * (length - side) / (count - 1)) for index in range(count)]


def _cores(starts: list[int], length: int, side: int) -> list[tuple[int, int]]:
    seams = [(first + side + second) // 2 for first, second in itertools.pairwise(starts)]
    edges = [0, *seams, length]
    return list(itertools.pairwise(edges))


def in_core(boxes: NDArray[np.float32], tile: Tile) -> NDArray[np.bool_]:
    """Say which (n, 4) x0 y0 x1 y1 boxes, clipped to the image, have their middle in the tile's core."""
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    x0, y0, x1, y1 = tile.core
    inside: NDArray[np.bool_] = (x >= x0) & (x < x1) & (y >= y0) & (y < y1)
    return inside


def is_cut(boxes: NDArray[np.float32], tile: Tile, height: int, width: int, margin: float = 2.0) -> NDArray[np.bool_]:
    """Say which boxes touch a side of the tile that is not the image's: they may be a part of something."""
    found = np.zeros(len(boxes), np.bool_)
    if tile.x0 > 0:
        found |= boxes[:, 0] <= tile.x0 + margin
    if tile.y0 > 0:
        found |= boxes[:, 1] <= tile.y0 + margin
    if tile.x1 < width:
        found |= boxes[:, 2] >= tile.x1 - margin
    if tile.y1 < height:
        found |= boxes[:, 3] >= tile.y1 - margin
    return found


def drop_parts(
    boxes: NDArray[np.float32],
    classes: NDArray[np.int64],
    cut_off: NDArray[np.bool_],
    *,
    share: float = 0.7,
) -> NDArray[np.bool_]:
    """Say which boxes to keep: a box cut off by its tile goes if most of it lies in a larger one of its class."""
    keep = np.ones(len(boxes), np.bool_)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    for index in np.flatnonzero(cut_off):
        low = np.maximum(boxes[:, :2], boxes[index, :2])
        high = np.minimum(boxes[:, 2:], boxes[index, 2:])
        inside = (high - low).clip(0).prod(1)
        larger = (classes == classes[index]) & (area > area[index]) & keep
        if bool((inside[larger] > share * area[index]).any()):
            keep[index] = False
    return keep
