"""Random variants of an example: flips, quarter turns, scale, shift and light, in one warp.

Works on arrays with OpenCV, which lets go of the interpreter, so that a thread can do it beside the training.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from countersign.learn import light
from countersign.learn.data import IGNORE, Example

GREY = 114
"""What lies outside the image."""
AVERAGED_BELOW = 0.6
"""When an image is shrunk more than this, the copy at half the size is used: a warp alone would skip pixels, and the
network would learn from pictures that are rougher than those it will see."""


@dataclass(frozen=True, slots=True)
class Variation:
    """How far variants may go: ``zoom`` factors, ``shift`` as a share of the side, ``light`` as one of contrast.

    ``negative``: share of pictures in which bright and dark change places. ``reflect``: beyond its border an image goes
    on as its own reflection, paint as well, instead of grey that nothing can be learned from.
    """

    zoom: tuple[float, float] = (0.7, 1.4)
    shift: float = 0.2
    light: float = 0.25
    turns: bool = True
    mirror: bool = True
    negative: float = 0.0
    reflect: bool = False


@dataclass(slots=True)
class Sample:
    """One variant of an example on the canvas. As ``Example``, in canvas pixels."""

    pixels: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    box_classes: NDArray[np.int64]
    crowds: NDArray[np.float32]
    paint: NDArray[np.uint8] | None
    tags: NDArray[np.float32] | None


def vary(
    example: Example,
    canvas: tuple[int, int],
    scale: float,
    variation: Variation,
    rng: np.random.Generator,
    *,
    centre: tuple[float, float] | None = None,
) -> Sample:
    """Return a random variant.

    ``scale`` is canvas pixels per example pixel before zooming. ``centre`` is the point of the example (x, y) that
    comes to the middle of the canvas; None means near the middle of the image.
    """
    height, width = example.pixels.shape[:2]
    zoom = scale * math.exp(rng.uniform(math.log(variation.zoom[0]), math.log(variation.zoom[1])))
    if centre is None:
        shift = rng.uniform(-variation.shift, variation.shift, 2)
        centre = (width * (0.5 + shift[0]), height * (0.5 + shift[1]))
    turn = int(rng.integers(4)) if variation.turns else 0
    mirror = variation.mirror and bool(rng.random() < 0.5)
    matrix = _matrix(zoom, turn, mirror, centre, canvas)
    negative = bool(rng.random() < variation.negative)
    middle = float(example.pixels[::8, ::8].mean())
    table = light.varied(variation.light, middle, rng, negative=negative)
    return _warp(example, matrix, canvas, table, reflect=variation.reflect)


def plain(example: Example, canvas: tuple[int, int], scale: float) -> Sample:
    """Return the example as it is, scaled, its middle on the canvas's."""
    height, width = example.pixels.shape[:2]
    return _warp(example, _matrix(scale, 0, False, (width / 2, height / 2), canvas), canvas, None)


def _matrix(
    zoom: float, turn: int, mirror: bool, centre: tuple[float, float], canvas: tuple[int, int]
) -> NDArray[np.float64]:
    cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[turn]
    linear = np.array([[cos, -sin], [sin, cos]], np.float64) * zoom
    if mirror:
        linear = linear @ np.diag([-1.0, 1.0])
    middle = np.array([canvas[1] / 2, canvas[0] / 2])
    return np.concatenate([linear, (middle - linear @ np.asarray(centre))[:, None]], axis=1)


def _warp(
    example: Example,
    matrix: NDArray[np.float64],
    canvas: tuple[int, int],
    table: light.Table | None,
    *,
    reflect: bool = False,
) -> Sample:
    height, width = canvas
    source, to_canvas = example.pixels, matrix
    if example.half is not None and np.linalg.norm(matrix[:, 0]) < AVERAGED_BELOW:
        source = example.half
        to_canvas = matrix.copy()
        to_canvas[:, 0] *= example.pixels.shape[1] / source.shape[1]
        to_canvas[:, 1] *= example.pixels.shape[0] / source.shape[0]
    grey = (GREY, GREY, GREY)
    beyond = cv2.BORDER_REFLECT if reflect else cv2.BORDER_CONSTANT
    pixels = cv2.warpAffine(
        source, _centred(to_canvas), (width, height), flags=cv2.INTER_LINEAR, borderMode=beyond, borderValue=grey
    )
    if table is not None:
        pixels = light.apply(np.asarray(pixels, np.uint8), table)
    paint = None
    if example.paint is not None:
        paint = np.asarray(
            cv2.warpAffine(
                example.paint,
                _centred(matrix),
                (width, height),
                flags=cv2.INTER_NEAREST,
                borderMode=beyond,
                borderValue=(IGNORE, 0, 0),
            ),
            np.uint8,
        )
    boxes, kept = _move(example.boxes, matrix, canvas, share=0.25)
    crowds, _ = _move(example.crowds, matrix, canvas, share=0.0)
    return Sample(np.asarray(pixels, np.uint8), boxes, example.box_classes[kept], crowds, paint, example.tags)


def _centred(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """OpenCV's integer coordinates are pixel centres, ours are corners: shift by half a pixel before and after."""
    found = matrix.copy()
    found[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5
    return found


def _move(
    boxes: NDArray[np.float32], matrix: NDArray[np.float64], canvas: tuple[int, int], share: float
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Move boxes along and clip them; those of which less than ``share`` stays on the canvas are dropped."""
    if not len(boxes):
        return boxes, np.zeros(0, np.bool_)
    points = boxes[:, [0, 1, 2, 3]].reshape(-1, 2, 2).astype(np.float64) @ matrix[:, :2].T + matrix[:, 2]
    low, high = points.min(1), points.max(1)
    area = (high - low).prod(1)
    limit = np.array([canvas[1], canvas[0]], np.float64)
    low, high = low.clip(0, limit), high.clip(0, limit)
    sides = high - low
    kept = (sides.prod(1) > share * area) & (sides.min(1) > 1.5)
    return np.concatenate([low, high], 1)[kept].astype(np.float32), kept
