"""Geometries as columns: kind, bounds, and bytes for what the bounds do not say.

The bytes begin with one that names the layout. Coordinates come back exactly as they went in: as hundredths of a pixel
in 16 or 32 bits where that says all there is, else as 64-bit floats. Little-endian throughout.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from countersign.domain.errors import GeometryError
from countersign.domain.geometry import Box, Ellipse, Geometry, Keypoints, Kind, Mask, Polygon

Columns: TypeAlias = tuple[int, float | None, float | None, float | None, float | None, bytes | None]
"""kind, x, y, width, height, geometry"""

_NOTHING: Columns = (int(Kind.CLASSIFICATION), None, None, None, None, None)
_BOX = int(Kind.BOX)


def encode(geometry: Geometry | None) -> Columns:
    """Return the columns of a geometry (None: a classification). Raises GeometryError for a mask that is damaged."""
    if geometry is None:
        return _NOTHING
    if type(geometry) is Box:
        return (_BOX, geometry.x, geometry.y, geometry.width, geometry.height, None)
    kind = geometry.kind
    try:
        bounds = geometry.bounds
    except ValueError as error:
        raise GeometryError(f"the runs of a mask do not fit its size ({error})") from error
    return (int(kind), *bounds, _ENCODERS[kind](geometry))


def decode(kind: int, x: float, y: float, width: float, height: float, data: bytes | None) -> Geometry | None:
    """Make the geometry of its columns. Raises GeometryError for bytes that this version cannot read."""
    if kind == _BOX:
        return Box(x, y, width, height)
    if kind == Kind.CLASSIFICATION:
        return None
    try:
        if not data or data[:1] not in _LEADS[Kind(kind)]:
            raise ValueError("it begins with what no version wrote")
        return _DECODERS[Kind(kind)](data, (x, y, width, height))
    except (KeyError, IndexError, ValueError, struct.error) as error:
        raise GeometryError(f"a stored geometry of kind {kind} cannot be read ({error})") from error


def _polygon_bytes(polygon: Polygon) -> bytes:
    lines = (*polygon.rings, *polygon.holes)
    head = struct.pack(f"<HH{len(lines)}I", len(polygon.rings), len(polygon.holes), *map(len, lines))
    return b"P" + head + _pack([value for line in lines for value in line])


def _polygon(data: bytes, _bounds: tuple[float, ...]) -> Polygon:
    rings, holes = struct.unpack_from("<HH", data, 1)
    lengths = struct.unpack_from(f"<{rings + holes}I", data, 5)
    values = _unpack(data[5 + 4 * len(lengths) :])
    lines, at = [], 0
    for length in lengths:
        lines.append(tuple(values[at : at + length]))
        at += length
    return Polygon(tuple(lines[:rings]), tuple(lines[rings:]))


def _mask_bytes(mask: Mask) -> bytes:
    return b"M" + struct.pack("<II", mask.height, mask.width) + mask.counts


def _mask(data: bytes, _bounds: tuple[float, ...]) -> Mask:
    height, width = struct.unpack_from("<II", data, 1)
    return Mask(height, width, data[9:])


def _keypoints_bytes(keypoints: Keypoints) -> bytes:
    return (b"k" if keypoints.box is None else b"K") + _pack(keypoints.points)


def _keypoints(data: bytes, bounds: tuple[float, ...]) -> Keypoints:
    box = Box(*bounds) if data[:1] == b"K" else None
    return Keypoints(tuple(_unpack(data[1:])), box)


def _ellipse_bytes(ellipse: Ellipse) -> bytes:
    return b"E" + struct.pack("<5d", ellipse.cx, ellipse.cy, ellipse.rx, ellipse.ry, ellipse.angle)


def _ellipse(data: bytes, _bounds: tuple[float, ...]) -> Ellipse:
    return Ellipse(*struct.unpack("<5d", data[1:]))


_ENCODERS: dict[Kind, Callable[[Any], bytes]] = {
    Kind.POLYGON: _polygon_bytes,
    Kind.MASK: _mask_bytes,
    Kind.KEYPOINTS: _keypoints_bytes,
    Kind.ELLIPSE: _ellipse_bytes,
}
_DECODERS: dict[Kind, Callable[[bytes, tuple[float, ...]], Geometry]] = {
    Kind.POLYGON: _polygon,
    Kind.MASK: _mask,
    Kind.KEYPOINTS: _keypoints,
    Kind.ELLIPSE: _ellipse,
}
_LEADS = {Kind.POLYGON: (b"P",), Kind.MASK: (b"M",), Kind.KEYPOINTS: (b"k", b"K"), Kind.ELLIPSE: (b"E",)}
_LAYOUTS = {b"h": "<i2", b"i": "<i4", b"d": "<f8"}


def _pack(values: Sequence[float]) -> bytes:
    exact = np.asarray(values, dtype=np.float64)
    hundredths = np.rint(exact * 100.0)
    # -0.0 would come back as 0.0: equal, so nothing is lost that anybody could ask for.
    if np.array_equal(hundredths / 100.0, exact):
        largest = np.abs(hundredths).max(initial=0.0)
        for layout, limit in ((b"h", 2**15), (b"i", 2**31)):
            if largest < limit:
                return layout + hundredths.astype(_LAYOUTS[layout]).tobytes()
    return b"d" + exact.astype("<f8").tobytes()


def _unpack(data: bytes) -> list[float]:
    layout = data[:1]
    values = np.frombuffer(data, dtype=_LAYOUTS[layout], offset=1)
    found: list[float] = (values if layout == b"d" else values / 100.0).tolist()
    return found
