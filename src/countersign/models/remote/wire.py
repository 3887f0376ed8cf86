"""Domain values as our HTTP contract has them, and back. Both ends use it: serving a model, and asking one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from countersign.domain import mask as mask_tools
from countersign.domain.errors import GeometryError
from countersign.domain.geometry import Box, Ellipse, Geometry, Keypoints, Mask, Polygon, clip_box, clip_polygon
from countersign.domain.label import Prediction
from countersign.models.contract import PredictOptions, Segment
from countersign.models.remote import texts
from countersign.models.remote.contract import Cut, Found, Rle

_SLACK = 0.5  # pixels beyond the image that are rounding, not worth a count


def rle(mask: Mask) -> Rle:
    """Return a mask for the wire."""
    return Rle(size=(mask.height, mask.width), counts=mask.counts.decode("ascii"))


def mask_of(value: Rle, size: tuple[int, int]) -> Mask:
    """Return a mask of the wire. Raises GeometryError where its runs do not fill an image of this (height, width)."""
    if value.size != size:
        raise GeometryError(f"a mask is {value.size[1]}x{value.size[0]}, the image {size[1]}x{size[0]}")
    try:
        made = Mask(*value.size, value.counts.encode("ascii"))
    except UnicodeEncodeError as error:
        raise GeometryError("the runs of a mask are no ASCII") from error
    if not mask_tools.valid(made):
        raise GeometryError("the runs of a mask do not fill the image")
    return made


def found(item: Prediction) -> Found:
    """Return a prediction for the wire."""
    shape = item.geometry
    made = Found(class_name=item.class_name, confidence=item.confidence, attributes=dict(item.attributes))
    text = item.attributes.get("text")
    made.text = text if isinstance(text, str) else None
    match shape:
        case Box():
            made.box = list(shape.bounds)
        case Mask():
            made.mask = rle(shape)
        case Keypoints():
            made.keypoints = list(shape.points)
            made.box = list(shape.box.bounds) if shape.box else None
        case Polygon() | Ellipse():
            outline = shape if isinstance(shape, Polygon) else shape.to_polygon()
            made.polygon = [list(ring) for ring in outline.rings]
            made.holes = [list(ring) for ring in outline.holes]
    return made


def prediction(item: Found, size: tuple[int, int], options: PredictOptions) -> Prediction | None:
    """Return a prediction of the wire for an image of (height, width); None where nothing of it lies on the image.

    Raises GeometryError for a shape that is none, ValueError for a name or attributes that cannot be stored.
    """
    name, attributes = texts.class_name(item.class_name), dict(item.attributes)
    if item.text is not None:
        attributes.setdefault("text", item.text)
    shape = _shape(item, size, options)
    if shape is None and (item.box or item.polygon or item.mask or item.keypoints):
        return None
    return Prediction(name, shape, item.confidence, texts.values(attributes))


def _shape(item: Found, size: tuple[int, int], options: PredictOptions) -> Geometry | None:
    box = clipped(item.box, size, options) if item.box is not None else None
    if item.keypoints is not None:
        return skeleton(item.keypoints, size, options, box)
    if item.mask is not None:
        mask = mask_of(item.mask, size)
        if mask_tools.area(mask) == 0:
            options.tally.add("empty")
            return None
        return mask
    if item.polygon is not None:
        return polygon(item.polygon, item.holes, size, options)
    return box


def clipped(values: list[float], size: tuple[int, int], options: PredictOptions) -> Box | None:
    """Return a box (x, y, width, height) on the image, None where nothing is left; both are counted."""
    x, y, width, height = values
    if not (width > 0 and height > 0):
        options.tally.add("degenerate")
        return None
    box = clip_box(Box(x, y, width, height), size[1], size[0])
    if box is None or min(box.width, box.height) < 1e-3:
        options.tally.add("degenerate")
        return None
    if _beyond((x, y, width, height), size):
        options.tally.add("clipped")
    return box


def polygon(
    rings: Sequence[Sequence[float]], holes: Sequence[Sequence[float]], size: tuple[int, int], options: PredictOptions
) -> Polygon | None:
    """Return a polygon of flat rings on the image, None where nothing of it has an area there; both are counted.

    Raises GeometryError for a ring that is none.
    """
    told = Polygon(tuple(map(tuple, rings)), tuple(map(tuple, holes)))
    found = clip_polygon(told, size[1], size[0])
    if found is None:
        options.tally.add("degenerate")
    elif _beyond(told.bounds, size):
        options.tally.add("clipped")
    return found


def skeleton(
    flat: Sequence[float], size: tuple[int, int], options: PredictOptions, box: Box | None = None
) -> Keypoints | None:
    """Return keypoints of x, y, v; one outside the image is moved to its edge. None, and counted, where no point is
    there. Raises GeometryError."""
    if len(flat) % 3 or any(v not in (0, 1, 2) for v in flat[2::3]):
        raise GeometryError("keypoints are x, y, v with v being 0, 1 or 2")
    if not any(flat[2::3]):
        options.tally.add("empty")
        return None
    placed: list[float] = []
    for x, y, v in zip(flat[0::3], flat[1::3], flat[2::3], strict=True):
        placed += [min(max(x, 0.0), float(size[1])), min(max(y, 0.0), float(size[0])), v] if v else [0.0, 0.0, 0.0]
    return Keypoints(tuple(placed), box)


def _beyond(bounds: Sequence[float], size: tuple[int, int]) -> bool:
    x, y, width, height = bounds
    return x < -_SLACK or y < -_SLACK or x + width > size[1] + _SLACK or y + height > size[0] + _SLACK


def cut(item: Segment) -> Cut:
    """Return a segment for the wire. The logits stay where they are."""
    return Cut(mask=rle(mask_tools.encode(np.asarray(item.mask))), confidence=item.confidence)


def segment(item: Cut, size: tuple[int, int]) -> Segment:
    """Return a segment of the wire. Raises GeometryError."""
    return Segment(mask_tools.decode(mask_of(item.mask, size)), item.confidence)
