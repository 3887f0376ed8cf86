"""The display rendition: how pixels of any type become (height, width, 3) uint8 RGB.

* 8-bit gray and colour are shown as they are.
* 16-bit and wider gray, floats, and every band that is no colour of a photograph: from the 0.5th to the 99.5th
  percentile of the valid pixels, to 0..255, each band on its own. Where those two are equal (a few bright specks on
  a black field), from the least to the greatest value.
* Integer RGB of 16 bits: the full range to 0..255, as PNG and TIFF define it; only if its 99.5th percentile is
  below a quarter of the range (a 12-bit camera) by percentiles, all three alike so that colours stay.
* Not finite and no-data pixels do not count, and are black.
* Transparency is laid over white, as a page would show it.

Files, and which of their bands are colours, are not known here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

PERCENTILES = (0.5, 99.5)
# Percentiles of wide types are taken from at most about this many pixels, evenly spread: exact enough for a display.
_SAMPLE = 1 << 20


def to_rgb(
    pixels: NDArray[Any],
    *,
    color: bool,
    alpha: NDArray[Any] | None = None,
    premultiplied: bool = False,
    valid: NDArray[np.bool_] | None = None,
) -> NDArray[np.uint8]:
    """Return (height, width, 3) of (height, width, bands): colour if 3 bands are RGB, else the first band(s).

    Bands that are no colour: three or more show the first three as red, green, blue; fewer show the first as gray.
    """
    shown = pixels[:, :, :3] if pixels.shape[2] >= 3 else pixels[:, :, :1]
    if np.iscomplexobj(shown):
        shown = np.abs(shown)
    valid = _with_finite(shown, valid)
    eight = _eight(shown, color, valid)
    if valid is not None:
        eight = eight * valid[:, :, None]
    if alpha is not None:
        eight = _on_white(eight, to_byte(alpha), premultiplied)
    return np.ascontiguousarray(eight) if eight.shape[2] == 3 else np.repeat(eight, 3, axis=2)


def _with_finite(pixels: NDArray[Any], valid: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
    if pixels.dtype.kind != "f":
        return valid
    finite: NDArray[np.bool_] = np.isfinite(pixels).all(axis=2)
    if finite.all():
        return valid
    return finite if valid is None else finite & valid


def _eight(pixels: NDArray[Any], color: bool, valid: NDArray[np.bool_] | None) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * np.uint8(255)
    if color and pixels.shape[2] == 3:
        low, high = _color_range(pixels, valid)
        return _scale(pixels, low, high)
    return np.concatenate(
        [_scale(pixels[:, :, i : i + 1], *value_range(pixels[:, :, i : i + 1], valid)) for i in range(pixels.shape[2])],
        axis=2,
    )


def _color_range(pixels: NDArray[Any], valid: NDArray[np.bool_] | None) -> tuple[float, float]:
    low, high = value_range(pixels, valid)
    if pixels.dtype.kind == "u":
        full = float(np.iinfo(pixels.dtype).max)
        if high >= full / 4:
            return 0.0, full
    return low, high


def value_range(pixels: NDArray[Any], valid: NDArray[np.bool_] | None = None) -> tuple[float, float]:
    """Return the two values that become 0 and 255: see the module. Equal ones if all valid pixels are alike."""
    step = max(1, int((pixels.shape[0] * pixels.shape[1] / _SAMPLE) ** 0.5))
    sample = pixels[::step, ::step]
    values = sample[valid[::step, ::step]] if valid is not None else sample
    if not values.size:
        return 0.0, 0.0
    if values.dtype.itemsize <= 2 and values.dtype.kind in "ui":
        low, high = _counted_percentiles(values)
    else:
        low, high = (float(value) for value in np.percentile(values.astype(np.float64, copy=False), PERCENTILES))
    if low == high:
        low, high = float(pixels.min()), float(pixels.max())
        if valid is not None and valid.any():
            kept = pixels[valid]
            low, high = float(kept.min()), float(kept.max())
    return low, high


def _counted_percentiles(values: NDArray[Any]) -> tuple[float, float]:
    """Percentiles of 8- and 16-bit integers by counting, many times quicker than by sorting."""
    least = int(values.min())
    sums = np.cumsum(np.bincount((values.astype(np.int32) - least).ravel()))
    low, high = (int(np.searchsorted(sums, sums[-1] * share / 100.0)) for share in PERCENTILES)
    return float(least + low), float(least + high)


def _scale(pixels: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Map low..high to 0..255, clipped. Alike pixels (low == high) become black, or mid gray unless they are 0."""
    if not high > low:
        return np.full(pixels.shape, 0 if low == 0 else 128, np.uint8)
    table, least = None, 0
    if pixels.dtype.itemsize <= 2 and pixels.dtype.kind in "ui":
        info = np.iinfo(pixels.dtype)
        least = int(info.min)
        table = _ramp(np.arange(info.min, info.max + 1, dtype=np.float64), low, high)
    shown = np.empty(pixels.shape, np.uint8)
    # In slices: what lies between (indices, floats) takes four to eight times the memory of the pixels.
    rows = max(1, _SAMPLE // max(1, pixels[0].size))
    for top in range(0, len(pixels), rows):
        part = pixels[top : top + rows]
        shown[top : top + rows] = _ramp(part, low, high) if table is None else table[part.astype(np.intp) - least]
    return shown


def _ramp(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    # Half of each: the difference of two huge floats would be infinite.
    wide = np.float64 if values.dtype.itemsize > 4 else np.float32
    with np.errstate(all="ignore"):
        scaled: NDArray[np.floating[Any]] = values.astype(wide)
        scaled *= wide(0.5)
        scaled -= wide(low * 0.5)
        scaled *= wide(255.0) / wide(high * 0.5 - low * 0.5)
        np.nan_to_num(scaled, copy=False, nan=0.0, posinf=255.0, neginf=0.0)
        np.clip(scaled, 0.0, 255.0, out=scaled)
        scaled += wide(0.5)
    return scaled.astype(np.uint8)


def to_byte(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Return shares as 0..255: floats are shares of 1, integers of the greatest value of their type."""
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind == "f":
        full, shares = 1.0, np.nan_to_num(values)
    else:
        full, shares = (1.0 if values.dtype == np.bool_ else float(np.iinfo(values.dtype).max)), values
    found: NDArray[np.uint8] = (np.clip(shares.astype(np.float64) / full, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
    return found


def _on_white(pixels: NDArray[np.uint8], opacity: NDArray[np.uint8], premultiplied: bool) -> NDArray[np.uint8]:
    if opacity.min(initial=255) == 255:
        return pixels
    wide = opacity[:, :, None].astype(np.uint16)
    white = np.uint16(255) - wide
    if premultiplied:
        laid = np.minimum(pixels + white, np.uint16(255))
    else:  # a rounded division by 255 that stays within 16 bits: 255 * 255 + 127 < 65,536
        laid = (pixels * wide + white * np.uint16(255) + np.uint16(127)) // np.uint16(255)
    found: NDArray[np.uint8] = laid.astype(np.uint8)
    return found
