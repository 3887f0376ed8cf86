"""Run-length encoded masks: make, read and combine them (COCO's encoding, by faster-coco-eval).

Arrays are (height, width); True or non-zero is painted. Nothing here knows classes or labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.errors import GeometryError
from countersign.domain.geometry import Bounds, Box, Ellipse, Geometry, Mask, Polygon


def encode(painted: NDArray[Any]) -> Mask:
    """Encode a (height, width) array; whatever is not 0 is painted. Raises GeometryError for other shapes."""
    from faster_coco_eval.core import mask as coco

    if painted.ndim != 2 or 0 in painted.shape:
        raise GeometryError(f"a mask is a (height, width) array, not one of shape {painted.shape}")
    rle = coco.encode(np.asfortranarray(painted != 0, dtype=np.uint8))
    return Mask(int(rle["size"][0]), int(rle["size"][1]), bytes(rle["counts"]))


def decode(mask: Mask) -> NDArray[np.bool_]:
    """Decode to a (height, width) boolean array. Raises GeometryError for runs that do not fill the image."""
    from faster_coco_eval.core import mask as coco

    try:
        painted: NDArray[np.bool_] = coco.decode(to_coco(mask)).astype(np.bool_)
    except (RuntimeError, ValueError) as error:
        raise GeometryError(f"the runs of a {mask.width}x{mask.height} mask are damaged") from error
    return painted


def area(mask: Mask) -> int:
    """Count the painted pixels."""
    from faster_coco_eval.core import mask as coco

    return int(coco.area(to_coco(mask)))


def bounds(mask: Mask) -> Bounds:
    """Return x, y, width, height around the painted pixels; all 0 for an empty mask."""
    from faster_coco_eval.core import mask as coco

    x, y, width, height = coco.toBbox(to_coco(mask))
    return (float(x), float(y), float(width), float(height))


def merge(masks: Sequence[Mask], *, intersect: bool = False) -> Mask:
    """Unite masks of one size (or intersect them). Raises GeometryError if there are none or sizes differ."""
    from faster_coco_eval.core import mask as coco

    if not masks or len({(mask.height, mask.width) for mask in masks}) != 1:
        raise GeometryError("masks can be merged only if there is one or more and all have the same size")
    rle = coco.merge([to_coco(mask) for mask in masks], intersect=intersect)
    return Mask(int(rle["size"][0]), int(rle["size"][1]), bytes(rle["counts"]))


def iou(first: Sequence[Mask], second: Sequence[Mask]) -> NDArray[np.float64]:
    """Intersection over union of every pair: (N, M) in 0..1. All masks must have one size."""
    from faster_coco_eval.core import mask as coco

    if not first or not second:
        return np.zeros((len(first), len(second)))
    crowd = [0] * len(second)
    found = coco.iou([to_coco(mask) for mask in first], [to_coco(mask) for mask in second], crowd)
    return np.asarray(found, dtype=np.float64).reshape(len(first), len(second))


def from_counts(runs: Sequence[int], height: int, width: int) -> Mask:
    """Make a mask of uncompressed COCO runs (column-major, background first). Runs must fill the image."""
    from faster_coco_eval.core import mask as coco

    if height <= 0 or width <= 0 or any(run < 0 for run in runs) or sum(runs) != height * width:
        raise GeometryError(f"the runs of a {width}x{height} mask must be >= 0 and add up to {width * height}")
    rle = coco.frPyObjects({"size": [height, width], "counts": list(runs)}, height, width)
    return Mask(height, width, bytes(rle["counts"]))


def to_counts(mask: Mask) -> list[int]:
    """Return the uncompressed runs: column-major, background first."""
    flat = decode(mask).ravel(order="F")
    changes = np.flatnonzero(np.diff(flat)) + 1
    edges = np.concatenate([[0], changes, [flat.size]])
    runs: list[int] = np.diff(edges).tolist()
    return [0, *runs] if flat[0] else runs


def sampled(mask: Mask, step: int) -> Mask:
    """Return the mask at ``1 / step`` of its size: the middle pixel of every ``step`` by ``step`` square decides.

    Only what lies in the bounds of the painted pixels is looked at; the whole mask is never decoded.
    """
    if step <= 1:
        return mask
    ends = np.cumsum(_runs(mask.counts))
    middles = [
        np.minimum(np.arange(-(-side // step)) * step + step // 2, side - 1) for side in (mask.width, mask.height)
    ]
    (left, right), (top, bottom) = _reach(ends, mask.height)
    columns, rows = (
        np.flatnonzero((at >= low) & (at < high))
        for at, low, high in zip(middles, (left, top), (right, bottom), strict=True)
    )
    places = middles[0][columns][None, :] * mask.height + middles[1][rows][:, None]
    small = np.zeros((len(middles[1]), len(middles[0])), dtype=bool)
    small[np.ix_(rows, columns)] = np.searchsorted(ends, places, side="right") % 2 == 1
    return encode(small)


def _reach(ends: NDArray[np.int64], height: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Columns and rows, from and to, that the painted runs lie in; all rows if a run goes on in the next column."""
    starts, stops = ends[0::2][: len(ends) // 2], ends[1::2]
    painted = stops > starts
    starts, lasts = starts[painted], stops[painted] - 1
    if not len(starts):
        return (0, 0), (0, 0)
    columns = int(starts[0] // height), int(lasts[-1] // height) + 1
    if (starts // height != lasts // height).any():
        return columns, (0, height)
    return columns, (int((starts % height).min()), int((lasts % height).max()) + 1)


def from_geometry(geometry: Geometry, height: int, width: int) -> Mask:
    """Paint a box, polygon, ellipse or mask onto an image of this size, as COCO tools fill polygons.

    A pixel on the edge is painted when roughly half of it is inside. Raises GeometryError for keypoints, and for a
    mask made for an image of another size.
    """
    if isinstance(geometry, Mask):
        if (geometry.height, geometry.width) != (height, width):
            raise GeometryError(f"this mask is {geometry.width}x{geometry.height}, the image is {width}x{height}")
        return geometry
    if isinstance(geometry, Ellipse):
        geometry = geometry.to_polygon()
    if isinstance(geometry, Box):
        x0, y0, x1, y1 = geometry.corners
        geometry = Polygon(((x0, y0, x1, y0, x1, y1, x0, y1),))
    if not isinstance(geometry, Polygon):
        raise GeometryError("keypoints have no area that could be painted")
    outline = _fill(geometry.rings, height, width)
    if not geometry.holes:
        return outline
    return encode(decode(outline) & ~decode(_fill(geometry.holes, height, width)))


def valid(mask: Mask) -> bool:
    """Say whether the runs are readable and fill the image exactly."""
    try:
        total = sum(_runs(mask.counts))
    except (IndexError, ValueError):
        return False
    return total == mask.height * mask.width


def to_coco(mask: Mask) -> dict[str, Any]:
    """Return the dictionary that COCO tools work on."""
    return {"size": [mask.height, mask.width], "counts": mask.counts}


def _fill(rings: Iterable[Sequence[float]], height: int, width: int) -> Mask:
    from faster_coco_eval.core import mask as coco

    parts = coco.frPyObjects([list(ring) for ring in rings], height, width)
    rle = coco.merge(parts)
    return Mask(height, width, bytes(rle["counts"]))


def _runs(counts: bytes) -> list[int]:
    """Read COCO's compressed string: 5 bits a character from 48 on, bit 6 goes on, from the third run on
    the difference to the run before the last (pycocotools, rleFrString)."""
    runs: list[int] = []
    at = 0
    while at < len(counts):
        value, shift, more = 0, 0, True
        while more:
            char = counts[at] - 48
            if not 0 <= char < 64:
                raise ValueError("not a run-length character")
            value |= (char & 0x1F) << shift
            more = bool(char & 0x20)
            at += 1
            shift += 5
            if not more and char & 0x10:
                value |= -1 << shift
        if len(runs) > 2:
            value += runs[-2]
        if value < 0:
            raise ValueError("a run below 0")
        runs.append(value)
    return runs
