"""What adapters share: from boxes, rings, points and numbers of a foreign answer to predictions.

Answers are foreign: a number may be a string, NaN, or missing. Whatever is not what a contract says raises ValueError
(or another plain exception), which ``http.fitting`` turns into the error of that image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.geometry import Geometry, Mask
from countersign.domain.label import Prediction
from countersign.domain.mask import encode
from countersign.models.contract import PredictOptions
from countersign.models.remote import texts
from countersign.models.remote.pictures import Sent
from countersign.models.remote.spec import RemoteSpec
from countersign.models.remote.wire import clipped, polygon, skeleton

_LIMIT = 1e9
MOST_FOUND = 100_000  # predictions of one image that are believed


def number(value: Any) -> float:
    """Return a finite number; strings of digits count (CVAT functions send those). Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"a number was expected, not a {type(value).__name__}")
    found = float(value)
    if not -_LIMIT < found < _LIMIT:  # NaN fails this as well
        raise ValueError(f"{found} is no number that can be used")
    return found


def score(value: Any) -> float | None:
    """Return a confidence 0..1, None where there is none. Raises ValueError."""
    if value is None or value == "":
        return None
    found = number(value)
    if not -1e-3 <= found <= 1.001:
        raise ValueError(f"a confidence lies between 0 and 1, not {found}")
    return min(1.0, max(0.0, found))


def items(value: Any, what: str) -> list[Any]:
    """Return a list. Raises ValueError for anything else, and for one that is endless."""
    if not isinstance(value, list):
        raise ValueError(f"{what} should be a list, not a {type(value).__name__}")
    if len(value) > MOST_FOUND:
        raise ValueError(f"{what} holds {len(value)} items")
    return value


def record(value: Any, what: str) -> dict[str, Any]:
    """Return an object. Raises ValueError."""
    if not isinstance(value, dict):
        raise ValueError(f"{what} should be an object, not a {type(value).__name__}")
    return value


class Reader:
    """Makes the predictions of one image: names mapped, geometries scaled and clipped, what is not asked for left
    out."""

    def __init__(self, spec: RemoteSpec, sent: Sent, options: PredictOptions) -> None:
        self._spec, self._sent, self._options = spec, sent, options
        self._across, self._down = sent.scale
        self._names = spec.class_names()
        self.found: list[Prediction] = []

    def name(self, label: Any) -> str:
        """Return the class that a server means by a name or an index; empty: leave it out. Raises ValueError."""
        if isinstance(label, int) and not isinstance(label, bool):
            if label not in self._names and self._names:
                raise ValueError(f"class {label} has no name")
            return str(self._names.get(label, str(label)[:200]))
        name = texts.class_name(label)
        return str(self._spec.rename.get(name, name))

    def add(
        self, label: Any, confidence: float | None, shape: Geometry | None, attributes: Mapping[str, Any] | None = None
    ) -> None:
        """Keep a prediction if it was asked for."""
        name = self.name(label)
        asked = not self._options.classes or name in self._options.classes
        if name and asked and (confidence is None or confidence >= self._options.min_confidence):
            self.found.append(Prediction(name, shape, confidence, dict(attributes or {})))

    def box(self, label: Any, confidence: float | None, corners: Sequence[Any]) -> None:
        """Add a box of x0, y0, x1, y1 in pixels of what was sent. Raises ValueError."""
        if len(corners) != 4:
            raise ValueError(f"a box has four numbers, not {len(corners)}")
        x0, y0, x1, y1 = map(number, corners)
        low, high = self._at(min(x0, x1), min(y0, y1)), self._at(max(x0, x1), max(y0, y1))
        values = [*low, high[0] - low[0], high[1] - low[1]]
        shape = clipped(values, self._sent.size, self._options)
        if shape is not None:
            self.add(label, confidence, shape)

    def polygon(
        self,
        label: Any,
        confidence: float | None,
        rings: Sequence[Sequence[tuple[float, float]]],
        holes: Sequence[Sequence[tuple[float, float]]] = (),
    ) -> None:
        """Add a polygon of points in pixels of what was sent; one of less than three points is counted."""
        outer = [self._ring(ring) for ring in rings if len(ring) >= 3]
        if not outer:
            self._options.tally.add("degenerate")
            return
        inner = [self._ring(ring) for ring in holes if len(ring) >= 3]
        shape = polygon(outer, inner, self._sent.size, self._options)
        if shape is not None:
            self.add(label, confidence, shape)

    def mask(self, label: Any, confidence: float | None, painted: NDArray[Any]) -> None:
        """Add a mask of the size of what was sent. Raises ValueError for another size."""
        if painted.shape != self._sent.sent:
            raise ValueError(f"a mask is {_by(painted.shape)}, the image {_by(self._sent.sent)}")
        if not painted.any():
            self._options.tally.add("empty")
            return
        self.add(label, confidence, self._full(painted))

    def keypoints(
        self, label: Any, confidence: float | None, points: Sequence[tuple[float, float, int] | None]
    ) -> None:
        """Add a skeleton of x, y in pixels of what was sent and v (0, 1, 2); None is a point that is not there."""
        flat: list[float] = []
        for point in points:
            flat += (*self._at(point[0], point[1]), float(point[2])) if point is not None else (0.0, 0.0, 0.0)
        shape = skeleton(flat, self._sent.size, self._options)
        if shape is not None:
            self.add(label, confidence, shape)

    def _ring(self, ring: Sequence[tuple[float, float]]) -> tuple[float, ...]:
        return tuple(value for x, y in ring for value in self._at(number(x), number(y)))

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return x * self._across, y * self._down

    def _full(self, painted: NDArray[Any]) -> Mask:
        return encode(enlarged(painted != 0, self._sent.size))


def enlarged(values: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Bring a map (height, width) to another size by the nearest pixel: classes cannot be averaged."""
    if values.shape == size:
        return values
    rows = ((np.arange(size[0]) + 0.5) * values.shape[0] / size[0]).astype(int)
    columns = ((np.arange(size[1]) + 0.5) * values.shape[1] / size[1]).astype(int)
    found: NDArray[Any] = values[rows[:, None], columns[None, :]]
    return found


def pairs(flat: Any) -> list[tuple[float, float]]:
    """Return points of ``[x0, y0, x1, y1 ...]`` or ``[[x, y] ...]``. Raises ValueError."""
    values = items(flat, "points")
    if values and isinstance(values[0], list):
        return [(number(x), number(y)) for x, y in values]
    if len(values) % 2:
        raise ValueError("points need x and y")
    return [(number(x), number(y)) for x, y in zip(values[0::2], values[1::2], strict=True)]


def _by(shape: Sequence[int]) -> str:
    return " x ".join(str(side) for side in shape[::-1])
