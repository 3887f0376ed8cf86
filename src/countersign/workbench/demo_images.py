"""A seeded generator of microscopy-like pictures with exact truth, for the demo and for tests.

Cells of three classes lie on an unevenly lit field: ``disc`` (round, pale in the middle), ``lobed`` (large, with
a dark nucleus of several lobes) and ``rod`` (small, elongated, at any angle). They overlap, vary in stain and focus,
are cut by the border, and lie among specks of dirt that are none of them. Nothing is downloaded; the same seed gives
the same pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from countersign.domain.geometry import Box
from countersign.domain.label import Label

CLASSES = ("disc", "lobed", "rod")
WIDTH, HEIGHT = 480, 360

_MIN_VISIBLE = 0.35  # a cell of which less is left inside the picture or uncovered is not asked for, nor drawn

_PATCH = 128  # pixels across the square that a cell is drawn on; the largest cell is about 100 wide

Canvas = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DemoImage:
    """One generated picture: ``pixels`` is (height, width, 3) uint8 RGB, ``labels`` its exact boxes."""

    name: str
    pixels: NDArray[np.uint8]
    labels: tuple[Label, ...]


def generate(count: int, *, seed: int = 0, width: int = WIDTH, height: int = HEIGHT) -> Iterator[DemoImage]:
    """Yield ``count`` pictures of ``width`` x ``height`` pixels; picture i depends on the seed and i alone."""
    for index in range(count):
        pixels, labels = _picture(np.random.default_rng([seed, index]), width, height)
        yield DemoImage(f"smear_{index:04d}.jpg", pixels, labels)


def write(folder: Path, count: int, *, seed: int = 0) -> dict[str, tuple[Label, ...]]:
    """Write ``count`` pictures into a folder as JPEG; return the truth by file name."""
    folder.mkdir(parents=True, exist_ok=True)
    truth: dict[str, tuple[Label, ...]] = {}
    for image in generate(count, seed=seed):
        done, data = cv2.imencode(".jpg", image.pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
        if not done:
            raise OSError(f"{image.name} could not be encoded")
        (folder / image.name).write_bytes(data.tobytes())
        truth[image.name] = image.labels
    return truth


def _picture(rng: np.random.Generator, width: int, height: int) -> tuple[NDArray[np.uint8], tuple[Label, ...]]:
    canvas = _background(rng, width, height)
    for _ in range(rng.integers(4, 12)):
        _draw(canvas, _dirt(rng), _anywhere(rng, width, height))
    kinds = rng.permutation(
        ["disc"] * rng.integers(4, 13) + ["lobed"] * rng.integers(0, 4) + ["rod"] * rng.integers(1, 8)
    )
    owner = np.zeros((height, width), np.int16)  # which cell is on top of each pixel, 0 for none
    drawn: list[tuple[str, tuple[slice, slice], NDArray[np.bool_]]] = []
    for kind in kinds:
        patch, center = _CELLS[str(kind)](rng), _anywhere(rng, width, height)
        place, window = _overlap(center, width, height)
        solid = patch.alpha[window] > 0.5
        free = (owner[place][solid] == 0).sum()  # cells overlap, but none buries another
        if solid.sum() < _MIN_VISIBLE * (patch.alpha > 0.5).sum() or free < 0.6 * solid.sum():
            continue
        _draw(canvas, patch, center)
        drawn.append((str(kind), place, solid))
        owner[place][solid] = len(drawn)
    labels = tuple(
        Label(kind, _box(place, solid))
        for number, (kind, place, solid) in enumerate(drawn, start=1)
        if (owner == number).sum() >= _MIN_VISIBLE * solid.sum()
    )
    return _expose(canvas, rng), labels


@dataclass(frozen=True, slots=True)
class _Patch:
    """A thing to draw: ``color`` (P, P, 3) in 0..255 and how much it covers, ``alpha`` (P, P) in 0..1."""

    color: Canvas
    alpha: Canvas


def _overlap(center: tuple[int, int], width: int, height: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where on the canvas a patch around ``center`` falls, and which part of the patch that is."""
    left, top = center[0] - _PATCH // 2, center[1] - _PATCH // 2
    x0, y0, x1, y1 = max(0, left), max(0, top), min(width, left + _PATCH), min(height, top + _PATCH)
    return (slice(y0, y1), slice(x0, x1)), (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))


def _draw(canvas: Canvas, patch: _Patch, center: tuple[int, int]) -> None:
    place, window = _overlap(center, canvas.shape[1], canvas.shape[0])
    canvas[place] += patch.alpha[window][..., None] * (patch.color[window] - canvas[place])


def _background(rng: np.random.Generator, width: int, height: int) -> Canvas:
    """A pale field with a lamp out of the middle and slow stains."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    lamp_x, lamp_y = rng.uniform(0.2, 0.8) * width, rng.uniform(0.2, 0.8) * height
    falloff = 1 - rng.uniform(0.15, 0.4) * ((x - lamp_x) ** 2 + (y - lamp_y) ** 2) / (width**2 + height**2) * 2
    stains = cv2.resize(rng.normal(0, 1, (5, 6)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    tint = np.array([226, 216, 208], np.float32) + rng.normal(0, 8, 3).astype(np.float32)
    return np.asarray(tint * (falloff + 0.02 * stains)[..., None], np.float32)


def _polar(rng: np.random.Generator) -> tuple[Canvas, Canvas]:
    """Pixel coordinates around the middle of a patch, turned by a random angle."""
    y, x = np.mgrid[0:_PATCH, 0:_PATCH].astype(np.float32) + np.float32(0.5 - _PATCH / 2)
    angle = rng.uniform(0, 2 * math.pi)
    cos, sin = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    return x * cos + y * sin, y * cos - x * sin


def _soft(distance: NDArray[Any], softness: float) -> Canvas:
    """1 inside (distance < 0), 0 outside, with an edge about ``softness`` pixels wide."""
    return (1 / (1 + np.exp(np.clip(distance / (softness / 4), -30, 30)))).astype(np.float32)


def _anywhere(rng: np.random.Generator, width: int, height: int) -> tuple[int, int]:
    return int(rng.integers(0, width)), int(rng.integers(0, height))


def _stain(rng: np.random.Generator, red: float, green: float, blue: float, spread: float) -> Canvas:
    return (np.array([red, green, blue]) + rng.normal(0, spread, 3)).astype(np.float32)


def _disc(rng: np.random.Generator) -> _Patch:
    radius, squeeze = rng.uniform(20, 29), rng.uniform(0.85, 1.0)
    u, v = _polar(rng)
    r = np.hypot(u, v / squeeze)
    pale = 0.55 * np.exp(-((r / (radius * rng.uniform(0.35, 0.5))) ** 2))
    stain = _stain(rng, 196, 120, 124, 9)
    color = stain + pale[..., None] * (np.array([228, 205, 200]) - stain)
    return _Patch(color.astype(np.float32), _soft(r - radius, rng.uniform(2, 5)) * np.float32(rng.uniform(0.75, 0.95)))


def _lobed(rng: np.random.Generator) -> _Patch:
    radius = rng.uniform(34, 46)
    u, v = _polar(rng)
    edge = radius * (1 + 0.05 * np.sin(3 * np.arctan2(v, u) + rng.uniform(0, 6)))
    nucleus = np.zeros_like(u)
    lobes = int(rng.integers(2, 5))
    for lobe in range(lobes):
        turn = 2 * math.pi * lobe / lobes + rng.uniform(-0.4, 0.4)
        away, size = radius * rng.uniform(0.3, 0.42), radius * rng.uniform(0.3, 0.42)
        nucleus = np.maximum(nucleus, _soft(np.hypot(u - away * math.cos(turn), v - away * math.sin(turn)) - size, 4))
    plasma, dark = _stain(rng, 205, 188, 214, 6), _stain(rng, 98, 62, 138, 10)
    grain = cv2.GaussianBlur(rng.normal(0, 14, u.shape).astype(np.float32), (0, 0), 1.5)
    color = plasma + grain[..., None] + nucleus[..., None] * (dark - plasma)
    return _Patch(color.astype(np.float32), _soft(np.hypot(u, v) - edge, rng.uniform(2, 5)) * np.float32(0.95))


def _rod(rng: np.random.Generator) -> _Patch:
    length, radius = rng.uniform(8, 17), rng.uniform(4.5, 6.5)
    u, v = _polar(rng)
    distance = np.hypot(np.maximum(np.abs(u) - length, 0), v) - radius
    color = np.broadcast_to(_stain(rng, 92, 70, 150, 12), (*u.shape, 3))
    return _Patch(color, _soft(distance, 3) * np.float32(rng.uniform(0.8, 0.95)))


_CELLS: Mapping[str, Callable[[np.random.Generator], _Patch]] = {"disc": _disc, "lobed": _lobed, "rod": _rod}


def _dirt(rng: np.random.Generator) -> _Patch:
    """A small grey speck or a pale ring, labelled as nothing."""
    u, v = _polar(rng)
    distance = np.hypot(u, v * rng.uniform(0.6, 1)) - rng.uniform(1.5, 4)
    if rng.random() < 0.3:
        distance = np.abs(distance - 6) - 1.2
    color = np.full((*u.shape, 3), rng.uniform(110, 190), np.float32)
    return _Patch(color, _soft(distance, 3) * np.float32(rng.uniform(0.25, 0.6)))


def _box(place: tuple[slice, slice], solid: NDArray[np.bool_]) -> Box:
    """The pixels of a cell that are more cell than background, as a box on the picture."""
    rows, columns = (
        np.flatnonzero(solid.any(axis=1)) + place[0].start,
        np.flatnonzero(solid.any(axis=0)) + place[1].start,
    )
    return Box.from_corners(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))


def _expose(canvas: Canvas, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Defocus a little, then shot noise and read-out noise."""
    focused = cv2.GaussianBlur(canvas, (0, 0), float(rng.uniform(0.5, 1.3)))
    gain = rng.uniform(0.85, 1.08)
    noisy = focused * gain + rng.normal(0, 1, canvas.shape) * np.sqrt(np.clip(focused, 1, None)) * 0.45
    exposed: NDArray[np.uint8] = np.clip(noisy + rng.normal(0, 2, canvas.shape), 0, 255).astype(np.uint8)
    return exposed
