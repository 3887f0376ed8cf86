"""Make labels fit: an image's edges on the way in, what a format can hold on the way out. Both report what they change.

Readers call ``to_image`` for each geometry. Writers need not call anything: ``formats.write`` calls ``to_format`` for
each label before a writer sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from countersign.domain import mask as masks
from countersign.domain.errors import GeometryError
from countersign.domain.geometry import (
    Box,
    Ellipse,
    Geometry,
    Keypoints,
    Kind,
    Mask,
    Polygon,
    clip_box,
    clip_polygon,
    ring_area,
)
from countersign.domain.image import Image
from countersign.domain.label import Label
from countersign.formats import bridge
from countersign.formats.base import Holds
from countersign.formats.outline import outline
from countersign.formats.report import ExportReport, Report

TOLERANCE = 0.01
"""Pixels by which a geometry may lie outside before it is reported: what rounding to two decimals does."""

OUTSIDE = "outside the image"
CLIPPED = "partly outside the image, clipped"
WRONG_SIZE = "the mask's size is not the image's"
EMPTY = "nothing is painted in the mask"


def to_image(
    geometry: Geometry, width: int | None, height: int | None, report: Report, *, file: object, where: object
) -> Geometry | None:
    """Return the geometry clipped to an image of this size (unknown: as it is), or None if nothing is on it.

    Reports what is skipped and what is changed by more than ``TOLERANCE`` pixels. Keypoints and ellipses are not
    clipped, for they would be others then; they are noted where they reach outside.
    """
    if width is None or height is None:
        return geometry
    if isinstance(geometry, Box):
        # The quick path of a million boxes: everything inside.
        if (
            geometry.x >= 0
            and geometry.y >= 0
            and geometry.x + geometry.width <= width
            and geometry.y + geometry.height <= height
        ):
            return geometry
        return _reported(geometry, clip_box(geometry, width, height), width, height, report, file, where)
    if isinstance(geometry, Mask):
        if (geometry.width, geometry.height) != (width, height):
            detail = f"{geometry.width}x{geometry.height}, the image is {width}x{height}"
            report.skipped(WRONG_SIZE, file=file, where=where, detail=detail)
            return None
        return geometry
    if _overshoot(geometry, width, height) <= 0:
        return geometry
    if isinstance(geometry, Polygon):
        return _reported(geometry, clip_polygon(geometry, width, height), width, height, report, file, where)
    x, y, across, down = geometry.bounds
    if x >= width or y >= height or x + across <= 0 or y + down <= 0:
        report.skipped(OUTSIDE, file=file, where=where)
        return None
    if _overshoot(geometry, width, height) > TOLERANCE:
        report.note(f"{geometry.kind.name.lower()} reaching outside the image, kept", file=file, where=where)
    return geometry


def _reported(
    before: Geometry, after: Geometry | None, width: int, height: int, report: Report, file: object, where: object
) -> Geometry | None:
    detail = "x={:g} y={:g} width={:g} height={:g}".format(*before.bounds) + f" on {width}x{height}"
    if after is None:
        report.skipped(OUTSIDE, file=file, where=where, detail=detail)
    elif _overshoot(before, width, height) > TOLERANCE:
        report.changed(CLIPPED, file=file, where=where, detail=detail)
    return after


def _overshoot(geometry: Geometry, width: int, height: int) -> float:
    x, y, across, down = geometry.bounds
    return max(-x, -y, x + across - width, y + down - height)


def to_format(label: Label, image: Image, holds: Holds, report: ExportReport) -> Label | None:
    """Return the label as the format can hold it, or None if it cannot; report what is lost.

    A geometry that the format lacks becomes the closest that it has: polygon, mask, then box. Nothing becomes a
    classification: that would claim another thing.
    """
    geometry = label.geometry
    scored = holds.unscored if label.confidence is None else holds.confidence
    plain = not isinstance(geometry, Polygon | Keypoints) and (not label.attributes or holds.attributes is True)
    if scored and plain and label.kind in holds.kinds:
        return label  # the quick path of most labels
    where = f"{image.name}" if label.id is None else f"{image.name}, label {label.id}"
    if label.confidence is None and not holds.unscored:
        report.skipped("labels without a confidence do not fit the format", where=where)
        return None
    if label.kind not in holds.kinds:
        geometry = _nearest(label.geometry, image, holds)
        name = label.kind.name.lower()
        if geometry is None:
            report.skipped(f"{name} labels do not fit the format", where=where)
            return None
        report.changed(f"{name} labels were written as {geometry.kind.name.lower()}", where=where)
    if isinstance(geometry, Polygon):
        geometry = _polygon(geometry, image, holds, report, where)
    elif isinstance(geometry, Keypoints) and geometry.box is not None and not holds.keypoint_box:
        report.changed("the boxes of keypoints do not fit the format", where=where)
        geometry = Keypoints(geometry.points)
    if label.confidence is not None and not holds.confidence:
        report.changed("confidences do not fit the format", where=where)
        label = replace(label, confidence=None)
    if label.attributes and holds.attributes is not True:
        label = _attributes(label, holds, report, where)
    return label if geometry is label.geometry else replace(label, geometry=geometry)


def _nearest(geometry: Geometry | None, image: Image, holds: Holds) -> Geometry | None:
    if geometry is None:
        return None
    ways: Sequence[tuple[Kind, Callable[[], Geometry | None]]] = (
        (Kind.POLYGON, lambda: _as_polygon(geometry)),
        (Kind.MASK, lambda: _as_mask(geometry, image)),
        (Kind.BOX, lambda: _as_box(geometry)),
    )
    for kind, make in ways:
        if kind in holds.kinds and (made := make()) is not None:
            return made
    return None


def _as_polygon(geometry: Geometry) -> Polygon | None:
    if isinstance(geometry, Ellipse):
        return geometry.to_polygon()
    if isinstance(geometry, Box):
        x0, y0, x1, y1 = geometry.corners
        return Polygon(((x0, y0, x1, y0, x1, y1, x0, y1),))
    if isinstance(geometry, Mask):
        return outline(geometry)
    return None


def _as_mask(geometry: Geometry, image: Image) -> Mask | None:
    try:
        made = masks.from_geometry(geometry, image.height, image.width)
    except GeometryError:
        return None
    return made if masks.area(made) else None


def _as_box(geometry: Geometry) -> Box | None:
    x, y, width, height = geometry.bounds
    return Box(x, y, width, height) if width > 0 and height > 0 else None


def _polygon(polygon: Polygon, image: Image, holds: Holds, report: ExportReport, where: str) -> Geometry:
    """Give a polygon with holes or several rings the best form that the format has."""
    lacks_holes = bool(polygon.holes) and not holds.holes
    lacks_parts = len(polygon.rings) > 1 and not holds.parts
    if not (lacks_holes or lacks_parts):
        return polygon
    if Kind.MASK in holds.kinds and (painted := _as_mask(polygon, image)) is not None:
        report.changed("polygons with holes or several parts were written as mask", where=where)
        return painted
    if holds.bridges:
        report.changed("polygons with holes or several parts were written as one ring with bridges", where=where)
        return bridge.one_ring(polygon)
    if lacks_holes:
        report.changed("the holes of polygons do not fit the format", where=where)
    if lacks_parts:
        report.changed("of polygons with several parts only the largest was written", where=where)
    rings = (max(polygon.rings, key=ring_area),) if lacks_parts else polygon.rings
    return Polygon(rings, () if lacks_holes else polygon.holes)


def _attributes(label: Label, holds: Holds, report: ExportReport, where: str) -> Label:
    known = holds.attributes if isinstance(holds.attributes, frozenset) else frozenset[str]()
    kept = {name: value for name, value in label.attributes.items() if name in known}
    lost = sorted(set(label.attributes) - set(kept))
    if not lost:
        return label
    report.changed("attributes do not fit the format", where=where, detail=", ".join(lost))
    return replace(label, attributes=kept)
