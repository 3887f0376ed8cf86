"""What a training is given, and how an image with its labels becomes arrays that the network's input is made from.

How files are read is not known here: every image brings a callable that returns its pixels.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from countersign.domain import mask as masks
from countersign.domain.errors import CountersignError, GeometryError
from countersign.domain.geometry import Ellipse, Geometry, Kind, Mask, Polygon
from countersign.domain.label import Label
from countersign.learn import light

IGNORE = 255
"""Value of a painted map where nobody says what there is."""
CACHE_BYTES = 1_500_000_000
"""What prepared images may take in memory; beyond it they are read again when it is their turn."""

_BOX_KINDS = (Kind.BOX, Kind.ELLIPSE, Kind.POLYGON, Kind.MASK)
_PAINT_KINDS = (Kind.POLYGON, Kind.MASK)


class Load(Protocol):
    """Returns the upright image, (height, width, 3) uint8 RGB; at most ``max_size`` long where that is cheap."""

    def __call__(self, *, max_size: int | None = None) -> NDArray[np.uint8]: ...


@dataclass(frozen=True, slots=True)
class TrainingImage:
    """One image to learn from. Label coordinates are pixels of the upright image of ``width`` x ``height``.

    ``width`` and ``height`` 0 mean not known: then the image is read to find out. ``complete`` says that its labels are
    all there is: a complete image without labels teaches what is not there, an incomplete one without labels nothing.
    """

    name: str
    content_hash: str
    load: Load
    labels: Sequence[Label] = ()
    complete: bool = True
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Which classes each head knows, by name, in the order of its outputs."""

    boxes: tuple[str, ...] = ()
    paints: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def painting(self) -> bool:
        """Whether there is nothing to learn but painted regions."""
        return bool(self.paints) and not self.boxes and not self.tags

    @property
    def all(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.boxes, *self.paints, *self.tags)))


@dataclass(slots=True)
class Example:
    """An image prepared for learning. Coordinates are pixels of ``pixels``, which is ``scale`` times the image's size.

    ``pixels``: (h, w, 3) uint8. ``boxes``: (n, 4) float32 x0 y0 x1 y1. ``box_classes``: (n,) int64. ``crowds``: (m, 4)
    boxes in which nothing counts as background. ``paint``: (h, w) uint8, 0 background, 1.. classes, 255 ignored, or
    None. ``tags``: (classes,) float32 of 0 and 1, or None where nobody said.
    ``half``: the pixels at half the size, averaged.
    """

    pixels: NDArray[np.uint8]
    scale: float
    boxes: NDArray[np.float32]
    box_classes: NDArray[np.int64]
    crowds: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    paint: NDArray[np.uint8] | None = None
    tags: NDArray[np.float32] | None = None
    half: NDArray[np.uint8] | None = None

    @property
    def bytes(self) -> int:
        return sum(item.nbytes for item in (self.pixels, self.paint, self.half) if item is not None)


def box_labels(labels: Sequence[Label]) -> list[Label]:
    """Return the labels that say where an object is (box, ellipse, polygon, mask) and have an extent."""
    return [item for item in labels if item.kind in _BOX_KINDS and min(_bounds(item)[2:]) > 0]


def paint_labels(labels: Sequence[Label]) -> list[Label]:
    """Return the labels that paint pixels: masks and polygons."""
    return [item for item in labels if item.kind in _PAINT_KINDS]


def tag_labels(labels: Sequence[Label]) -> list[Label]:
    """Return the labels of the image as a whole."""
    return [item for item in labels if item.geometry is None]


def is_crowd(label: Label) -> bool:
    """Say whether a label marks many objects as one (COCO's iscrowd): no example of one."""
    return bool(label.attributes.get("iscrowd"))


def _bounds(label: Label) -> tuple[float, float, float, float]:
    assert label.geometry is not None
    return label.geometry.bounds


def corners(labels: Sequence[Label]) -> NDArray[np.float32]:
    """Return (n, 4) x0 y0 x1 y1 around the labels' geometries, in image pixels."""
    found = np.asarray([_bounds(item) for item in labels], np.float32).reshape(-1, 4)
    found[:, 2:] += found[:, :2]
    return found


def prepare(
    image: TrainingImage,
    vocabulary: Vocabulary,
    longest: int | None,
    *,
    unpainted: str = "background",
    levels: bool = True,
) -> Example:
    """Read an image and turn its labels into arrays.

    ``longest`` is the longer side to keep in pixels, None for the full size; ``levels`` stretches its range. Raises
    what ``image.load`` raises.
    """
    pixels = _read(image, longest)
    full_width, full_height = image.width or pixels.shape[1], image.height or pixels.shape[0]
    if longest is not None and max(pixels.shape[:2]) > longest:
        shrink = longest / max(pixels.shape[:2])
        size = (max(1, round(pixels.shape[1] * shrink)), max(1, round(pixels.shape[0] * shrink)))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    if levels:
        pixels = light.apply(pixels, light.levels(pixels))
    height, width = pixels.shape[:2]
    stretch = np.array([width / full_width, height / full_height], np.float32)
    known = {name: index for index, name in enumerate(vocabulary.boxes)}
    boxed = [item for item in box_labels(image.labels) if item.class_name in known] if known else []
    single = [item for item in boxed if not is_crowd(item)]
    return Example(
        np.ascontiguousarray(pixels),
        float(stretch[0]),
        corners(single) * np.tile(stretch, 2),
        np.asarray([known[item.class_name] for item in single], np.int64),
        corners([item for item in boxed if is_crowd(item)]) * np.tile(stretch, 2),
        _paint(image, vocabulary, (height, width), (full_height, full_width), unpainted),
        _tags(image, vocabulary),
        _half(pixels),
    )


def _half(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    size = (max(1, pixels.shape[1] // 2), max(1, pixels.shape[0] // 2))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _read(image: TrainingImage, longest: int | None) -> NDArray[np.uint8]:
    pixels = np.asarray(image.load(max_size=longest if image.width else None))
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or 0 in pixels.shape:
        raise GeometryError(f"{image.name}: pixels are (height, width, 3) uint8, not {pixels.shape} {pixels.dtype}")
    return pixels


def _tags(image: TrainingImage, vocabulary: Vocabulary) -> NDArray[np.float32] | None:
    names = {item.class_name for item in tag_labels(image.labels)}
    if not vocabulary.tags or not names & set(vocabulary.tags):
        return None
    return np.asarray([name in names for name in vocabulary.tags], np.float32)


def _paint(
    image: TrainingImage, vocabulary: Vocabulary, size: tuple[int, int], full: tuple[int, int], unpainted: str
) -> NDArray[np.uint8] | None:
    if not vocabulary.paints:
        return None
    known = {name: index + 1 for index, name in enumerate(vocabulary.paints)}
    painted = [item for item in paint_labels(image.labels) if item.class_name in known]
    if not painted and not image.complete:
        return None
    ground = IGNORE if unpainted == "ignore" and painted else 0
    paint = np.full(size, ground, np.uint8)
    # The largest first, so that what lies on top of something else stays visible.
    for item in sorted(painted, key=lambda item: -_bounds(item)[2] * _bounds(item)[3]):
        assert item.geometry is not None
        _draw(paint, item.geometry, known[item.class_name], full)
    return paint


def _draw(paint: NDArray[np.uint8], geometry: Geometry, value: int, full: tuple[int, int]) -> None:
    height, width = paint.shape
    if isinstance(geometry, Mask):
        found = masks.decode(geometry)
        if found.shape != (height, width):
            # Area averaging, then a half: thin parts keep their place better than with the nearest pixel.
            shrunk = cv2.resize(found.astype(np.uint8) * 255, (width, height), interpolation=cv2.INTER_AREA)
            found = np.asarray(shrunk) > 127
        paint[found] = value
        return
    polygon = geometry.to_polygon() if isinstance(geometry, Ellipse) else geometry
    assert isinstance(polygon, Polygon)
    cut = np.zeros_like(paint) if polygon.holes else paint
    scale = np.array([width / full[1], height / full[0]]) * 16
    # Pixel (c, r) covers [c, c+1): OpenCV's integer coordinates are pixel centres, hence the half.
    rings = [np.round(np.asarray(ring).reshape(-1, 2) * scale - 8).astype(np.int32) for ring in polygon.rings]
    for ring in rings:
        cv2.fillPoly(cut, [ring], value, shift=4)
    if polygon.holes:
        holes = [np.round(np.asarray(ring).reshape(-1, 2) * scale - 8).astype(np.int32) for ring in polygon.holes]
        for ring in holes:
            cv2.fillPoly(cut, [ring], 0, shift=4)
        paint[cut > 0] = value


class ExampleStore:
    """Prepared examples, read on first use and kept while there is room. Safe for several threads.

    An image that cannot be read is left out from then on; ``failed`` has its name and the reason.
    """

    def __init__(
        self,
        images: Sequence[TrainingImage],
        vocabulary: Vocabulary,
        longest: Sequence[int | None],
        unpainted: str,
        levels: bool,
    ) -> None:
        self._images = list(images)
        self._vocabulary = vocabulary
        self._longest = list(longest)
        self._unpainted = unpainted
        self._levels = levels
        self._kept: OrderedDict[int, Example] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self.failed: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._images)

    def get(self, index: int) -> Example | None:
        """Return an example, or None if its image cannot be read."""
        image = self._images[index]
        with self._lock:
            if index in self._kept:
                self._kept.move_to_end(index)
                return self._kept[index]
            if image.name in self.failed:
                return None
        try:
            example = prepare(
                image, self._vocabulary, self._longest[index], unpainted=self._unpainted, levels=self._levels
            )
        except (CountersignError, OSError) as error:
            with self._lock:
                self.failed[image.name] = str(error)
            return None
        with self._lock:
            self._kept[index] = example
            self._bytes += example.bytes
            while self._bytes > CACHE_BYTES and len(self._kept) > 1:
                self._bytes -= self._kept.popitem(last=False)[1].bytes
        return example
