"""What a training will do, decided from labels and settings before it starts: heads, classes, and the view of an image.

All decisions are in the ``Plan``, which goes into the card; every one that the user did not make is told as a notice.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from countersign.domain import mask as masks
from countersign.domain.errors import InvalidInput
from countersign.domain.geometry import Kind, Mask
from countersign.domain.label import Label
from countersign.learn.data import TrainingImage, Vocabulary, box_labels, corners, is_crowd, paint_labels, tag_labels
from countersign.learn.settings import IMAGE_SIZES, TrainingSettings

FINE_SIDE = 18.0
"""Pixels that the typical object of the class with the smallest objects shall have on the network's input (side of a
square of the box's area). Below, boxes get hard to place on cells of 8 pixels; above, more pixels cost steps."""
FINE_PAINT = 12.0
"""The same where nothing but painted regions is learned: their map has cells of 2 pixels."""
TINY_SIDE = 9.0
"""If the median object has fewer pixels than this on the largest input allowed, the image is cut into tiles."""
TILE_SIDE = 32.0
"""Pixels of the median object within a tile."""
MULTIPLE = 32
"""Sides of the network's input are multiples of this."""
ENOUGH = 40
"""From this many images on, one in eight is held out (at most 64) unless the settings say otherwise."""
WORKING_SIZES = (224, 256, *IMAGE_SIZES[1:])
"""Sizes that are tried when the image size may be fitted to the labels."""


@dataclass(frozen=True, slots=True)
class View:
    """How the network sees an image.

    Whole images: their longer side is ``longest`` pixels. Tiles: the image is scaled by ``scale`` (network pixels per
    image pixel) and seen in squares of ``longest`` that overlap by ``overlap`` pixels. ``canvas`` is (height, width)
    in training.
    ``levels``: the range of an image is stretched first (see ``light``). ``reflect``: beyond its border an image goes
    on as its own reflection instead of grey; there is paint then as well, so that no part of a batch is empty.
    """

    longest: int
    canvas: tuple[int, int]
    tiled: bool = False
    scale: float = 1.0
    overlap: int = 0
    levels: bool = True
    reflect: bool = False

    def to_data(self) -> dict[str, Any]:
        return {
            "longest": self.longest,
            "canvas": list(self.canvas),
            "tiled": self.tiled,
            "scale": self.scale,
            "overlap": self.overlap,
            "levels": self.levels,
            "reflect": self.reflect,
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> View:
        height, width = (int(value) for value in data["canvas"])
        return cls(
            int(data["longest"]),
            (height, width),
            bool(data["tiled"]),
            float(data["scale"]),
            int(data["overlap"]),
            bool(data["levels"]),
            bool(data.get("reflect", False)),
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """All decisions. ``train`` and ``held_out`` have sizes filled in; ``multi_tag``: an image may have several tags."""

    train: tuple[TrainingImage, ...]
    held_out: tuple[TrainingImage, ...]
    vocabulary: Vocabulary
    view: View
    multi_tag: bool
    notices: tuple[str, ...]

    @property
    def heads(self) -> tuple[str, ...]:
        found = {
            "detection": self.vocabulary.boxes,
            "segmentation": self.vocabulary.paints,
            "classification": self.vocabulary.tags,
        }
        return tuple(name for name, classes in found.items() if classes)


def make(images: Sequence[TrainingImage], classes: Sequence[str], settings: TrainingSettings) -> Plan:
    """Decide everything. ``classes`` are the names to learn, in order; empty means all that the labels have.

    Raises InvalidInput where there is nothing to learn, with the reason.
    """
    if not images:
        raise InvalidInput("there are no images to learn from", remedy="Choose images that have labels.")
    known = tuple(dict.fromkeys(classes)) or _classes_of(images)
    vocabulary = _vocabulary(images, known, settings)
    if not vocabulary.all:
        raise InvalidInput(_why_nothing(images, known, settings), remedy="Label some objects, or change the heads.")
    useful = [image for image in images if image.complete or _teaches(image, vocabulary)]
    notices = []
    if len(useful) < len(images):
        notices.append(
            f"{len(images) - len(useful)} of {len(images)} images have no label to learn from and are left out"
        )
    if absent := [name for name in known if name not in vocabulary.all]:
        notices.append(f"no label to learn from for: {', '.join(absent)}")
    notices += _missing(vocabulary, settings)
    sized = [_sized(image) for image in useful]
    train, held_out = _split(sized, settings)
    view, told = _view(sized, vocabulary, settings)
    # Boxes are not reflected: where there are any, what lies outside stays grey.
    view = replace(view, reflect=vocabulary.painting)
    multi = any(len({item.class_name for item in tag_labels(image.labels)}) > 1 for image in sized)
    return Plan(tuple(train), tuple(held_out), vocabulary, view, multi, (*notices, *told))


def _missing(vocabulary: Vocabulary, settings: TrainingSettings) -> list[str]:
    """Say which heads were asked for and cannot be: no label teaches them."""
    heads = {
        "detection": (vocabulary.boxes, "no label says where an object is"),
        "segmentation": (vocabulary.paints, "no label is a mask or a polygon"),
        "classification": (vocabulary.tags, "no label is of an image as a whole"),
    }
    return [
        f"there will be no {head}: {why}"
        for head, (found, why) in heads.items()
        if getattr(settings, head) is True and not found
    ]


def _classes_of(images: Sequence[TrainingImage]) -> tuple[str, ...]:
    return tuple(sorted({item.class_name for image in images for item in image.labels}))


def _vocabulary(images: Sequence[TrainingImage], known: Sequence[str], settings: TrainingSettings) -> Vocabulary:
    boxes: set[str] = set()
    paints: set[str] = set()
    tags: set[str] = set()
    for image in images:
        boxes.update(item.class_name for item in box_labels(image.labels) if not is_crowd(item))
        paints.update(item.class_name for item in paint_labels(image.labels))
        tags.update(item.class_name for item in tag_labels(image.labels))
    if settings.detection is None and boxes and not _has_objects(images):
        boxes = set()  # one painted mask a class and image is a region, not an object

    def ordered(found: set[str], wanted: bool | None) -> tuple[str, ...]:
        return () if wanted is False else tuple(name for name in known if name in found)

    return Vocabulary(
        ordered(boxes, settings.detection),
        ordered(paints, settings.segmentation),
        # One class for every image says nothing: there is no other answer to tell it from.
        ordered(tags, settings.classification) if len(tags & set(known)) > 1 or settings.classification else (),
    )


def _has_objects(images: Sequence[TrainingImage]) -> bool:
    """Whether labels mark single objects: any that is no mask, or several masks of one class in one image."""
    for image in images:
        found = box_labels(image.labels)
        if any(item.kind is not Kind.MASK for item in found):
            return True
        if len(found) > len({item.class_name for item in found}):
            return True
    return False


def _teaches(image: TrainingImage, vocabulary: Vocabulary) -> bool:
    wanted = set(vocabulary.all)
    return any(item.class_name in wanted for item in image.labels)


def _why_nothing(images: Sequence[TrainingImage], known: Sequence[str], settings: TrainingSettings) -> str:
    labels = [item for image in images for item in image.labels]
    if not labels:
        return f"none of the {len(images)} images has a label"
    named = [item for item in labels if item.class_name in set(known)]
    if not named:
        return f"no label has one of the classes asked for ({', '.join(known)})"
    kinds = sorted({item.kind.name.lower() for item in named})
    if kinds == ["classification"] and len({item.class_name for item in named}) == 1:
        return f"all images are labelled {named[0].class_name!r}: there is nothing to tell it from"
    off = [name for name in ("detection", "segmentation", "classification") if getattr(settings, name) is False]
    return f"the labels are of the kind {', '.join(kinds)}, which no head learns from" + (
        f" ({', '.join(off)} switched off)" if off else ""
    )


def _sized(image: TrainingImage) -> TrainingImage:
    if image.width and image.height:
        return image
    pixels = image.load()
    return replace(image, width=pixels.shape[1], height=pixels.shape[0])


def _split(images: list[TrainingImage], settings: TrainingSettings) -> tuple[list[TrainingImage], list[TrainingImage]]:
    """Hold images out, drawn by the seed. With few images all train: a score on three would not mean much."""
    wanted = settings.held_out if settings.held_out is not None else len(images) >= ENOUGH
    if not wanted or len(images) < 2:
        return images, []
    order = list(range(len(images)))
    random.Random(settings.seed).shuffle(order)
    chosen = set(order[: min(64, max(1, len(images) // 8))])
    return (
        [image for index, image in enumerate(images) if index not in chosen],
        [image for index, image in enumerate(images) if index in chosen],
    )


def _sides(
    images: Sequence[TrainingImage], vocabulary: Vocabulary
) -> tuple[NDArray[np.float64], dict[str, list[float]]]:
    """Square roots of box areas: all in image pixels, and for each class relative to the image's longer side."""
    wanted = {*vocabulary.boxes, *vocabulary.paints}
    pixels: list[float] = []
    shares: dict[str, list[float]] = {}
    for image in images:
        for item in box_labels(image.labels):
            if item.class_name in wanted and not is_crowd(item):
                sides = _sides_of(item, objects=bool(vocabulary.boxes))
                pixels += sides
                shares.setdefault(item.class_name, []).extend(x / max(image.width, image.height) for x in sides)
    return np.asarray(pixels), shares


def _sides_of(label: Label, *, objects: bool) -> list[float]:
    """Side of a label's box, or of each separate part where a mask paints a region instead of one object."""
    if objects or not isinstance(label.geometry, Mask):
        x0, y0, x1, y1 = corners([label])[0].tolist()
        return [math.sqrt((x1 - x0) * (y1 - y0))]
    painted = masks.decode(label.geometry).astype(np.uint8)
    parts = cv2.connectedComponentsWithStats(painted, connectivity=8)[2][1:]
    areas = parts[:, cv2.CC_STAT_WIDTH] * parts[:, cv2.CC_STAT_HEIGHT].astype(np.float64)
    return [math.sqrt(area) for area in areas.tolist() if area >= 9]  # less is a slip of the brush


def _view(
    images: Sequence[TrainingImage], vocabulary: Vocabulary, settings: TrainingSettings
) -> tuple[View, list[str]]:
    pixels, by_class = _sides(images, vocabulary)
    shares = np.asarray([share for group in by_class.values() for share in group])
    size = settings.image_size
    biggest = max(max(image.width, image.height) for image in images)
    median = float(np.median(shares)) * size if shares.size else math.inf
    tiled = settings.tiling == "on" or (settings.tiling == "auto" and median < TINY_SIDE and biggest > size)
    if tiled:
        scale = _tile_scale(float(np.median(pixels))) if pixels.size else 1.0
        large = float(np.percentile(pixels, 95)) * scale if pixels.size else 0.0
        overlap = int(min(size // 2, max(32, math.ceil(large * 1.5))))
        text = (
            f"images are seen in tiles of {size} pixels at {scale:.2f} of their size: the typical object has "
            f"{median:.0f} pixels when the whole image is seen at {size}"
            if pixels.size
            else f"images are seen in tiles of {size} pixels"
        )
        return View(size, (size, size), True, scale, overlap, not settings.pretrained), [text]
    longest = size
    told: list[str] = []
    if settings.fit_image_size:
        # Nothing is gained by showing an image larger than it is, unless its objects need the room.
        own = max(MULTIPLE, math.ceil(biggest / MULTIPLE) * MULTIPLE)
        small = min((float(np.median(group)) for group in by_class.values()), default=math.inf)
        offered = sorted({own, *WORKING_SIZES} if own < WORKING_SIZES[0] else set(WORKING_SIZES))
        needed = FINE_SIDE if vocabulary.boxes else FINE_PAINT
        longest = next((item for item in offered if item <= size and small * item >= needed), size)
        if not by_class or settings.pretrained:  # a whole scene, or weights that know a size
            longest = min(size, max(own, longest))
        if longest < size:
            why = "that is their own size" if longest == own else _still(small * longest)
            told.append(f"images are seen at {longest} pixels instead of {size}: {why}")
    canvas = canvas_of([(image.height, image.width) for image in images], longest)
    # Pretrained weights know pictures as they are.
    return View(longest, canvas, levels=not settings.pretrained), told


def _tile_scale(median: float) -> float:
    """Shrink large objects to TILE_SIDE; enlarge those below FINE_SIDE, twice at the most."""
    return TILE_SIDE / median if median > TILE_SIDE else max(1.0, min(2.0, FINE_SIDE / median))


def _still(side: float) -> str:
    return f"objects of the smallest class still have {side:.0f} pixels, and more steps fit into the time"


def canvas_of(sizes: Sequence[tuple[int, int]], longest: int) -> tuple[int, int]:
    """Return the (height, width) of a training input: the images' middle shape, in multiples of 32."""
    ratios = sorted(math.log(width / height) for height, width in sizes)
    middle = math.exp(min(math.log(2.0), max(-math.log(2.0), ratios[len(ratios) // 2])))
    height, width = (longest / middle, longest) if middle >= 1 else (longest, longest * middle)
    return _round(height), _round(width)


def canvas_for(height: int, width: int, longest: int) -> tuple[int, int]:
    """Return the (height, width) of the input that holds an image of this size when its longer side is ``longest``."""
    scale = longest / max(height, width)
    return _cover(height * scale), _cover(width * scale)


def _round(value: float) -> int:
    return max(MULTIPLE, round(value / MULTIPLE) * MULTIPLE)


def _cover(value: float) -> int:
    return max(MULTIPLE, math.ceil((value - 1e-6) / MULTIPLE) * MULTIPLE)
