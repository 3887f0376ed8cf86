"""CVAT's serverless functions (nuclio), detectors and interactors.

Source: cvat-ai/cvat, ``serverless/``: each function's ``main.py`` and ``model_handler.py``, and ``shared.py``.
A detector gets ``{"image": base64, "threshold": number}`` and returns a list of ``{"label", "confidence", "type",
"points" or "mask"}``: rectangle (x0, y0, x1, y1), polygon, polyline, points, mask (the pixels of a crop, row by row,
then the crop's left, top, right, bottom), tag, skeleton (``elements``). An interactor gets ``pos_points``,
``neg_points`` and ``obj_bbox`` besides, and returns ``{"mask": rows}`` or a polygon; DEXTR's gets ``points``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.errors import ModelError
from countersign.domain.geometry import Polygon
from countersign.domain.label import Prediction
from countersign.domain.mask import decode, from_geometry
from countersign.models.contract import Clicks, PredictOptions, Segment
from countersign.models.remote.adapters import OneImage
from countersign.models.remote.http import fitting
from countersign.models.remote.pictures import Sent
from countersign.models.remote.reading import Reader, enlarged, items, number, pairs, record, score
from countersign.models.remote.spec import RemoteSpec

_NOT_TAKEN = ("polyline", "points", "cuboid")


class Cvat(OneImage):
    """Asks one function at its own address."""

    def check(self) -> str:
        return "a function tells nothing of itself: test it with an image"

    def _one(self, image: Sent, options: PredictOptions) -> list[Prediction]:
        body = {**self._spec.settings, "image": image.base64, "threshold": options.min_confidence}
        data = self._http.post_json(self._spec.url, body)
        reader = Reader(self._spec, image, options)
        with fitting(self._http, self._spec.url, data):
            for item in items(data, "the answer"):
                self._add(reader, record(item, "an object"), image, options)
        return reader.found

    def _add(self, reader: Reader, item: dict[str, Any], image: Sent, options: PredictOptions) -> None:
        kind, label, confidence = item.get("type", "rectangle"), item["label"], score(item.get("confidence"))
        match kind:
            case "rectangle":
                reader.box(label, confidence, items(item["points"], "points"))
            case "polygon":
                reader.polygon(label, confidence, [pairs(item["points"])])
            case "mask":
                reader.mask(label, confidence, _pasted(items(item["mask"], "mask"), image.sent))
            case "tag":
                reader.add(label, confidence, None)
            case "skeleton":
                points = [_point(record(each, "an element")) for each in _ordered(item, self._spec)]
                reader.keypoints(label, confidence, points)
            case _ if kind in _NOT_TAKEN:
                options.tally.add(f"shape {kind}")
            case _:
                raise ValueError(f"type {kind!r} is not known")

    def segment(self, image: Sent, prompts: Sequence[Clicks]) -> list[Segment]:
        return [self._cut(image, prompt) for prompt in prompts]

    def _cut(self, image: Sent, prompt: Clicks) -> Segment:
        across, down = image.scale
        placed = [[x / across, y / down] for x, y in prompt.points]
        positive = [point for point, good in zip(placed, prompt.positive, strict=True) if good]
        negative = [point for point, good in zip(placed, prompt.positive, strict=True) if not good]
        box: list[list[float]] = []
        if prompt.box is not None:
            x0, y0, x1, y1 = prompt.box.corners
            box = [[x0 / across, y0 / down], [x1 / across, y1 / down]]
        body = {**self._spec.settings, "image": image.base64, "pos_points": positive, "neg_points": negative,
                "obj_bbox": box, "points": positive}  # fmt: skip
        data = self._http.post_json(self._spec.url, body)
        with fitting(self._http, self._spec.url, data):
            if isinstance(data, dict) and "blob" in data and "mask" not in data:
                raise ModelError(
                    f"{self._http.name(self._spec.url)} returns features for a decoder in the browser, no mask",
                    remedy="Use an interactor that returns masks or polygons.",
                )
            return Segment(enlarged(_painted(data, image.sent), image.size), None)


def _painted(data: Any, size: tuple[int, int]) -> NDArray[np.bool_]:
    found = data.get("mask", data.get("polygon", data.get("points"))) if isinstance(data, dict) else data
    rows = items(found, "the mask")
    if rows and isinstance(rows[0], list) and (len(rows), len(rows[0])) == size:
        values = np.array(rows, dtype=np.float64)
        if values.shape != size:
            raise ValueError("the rows of the mask differ in length")
        return values > 0
    points = pairs(rows)
    if len(points) < 3:
        return np.zeros(size, bool)
    ring = tuple(value for point in points for value in point)
    return decode(from_geometry(Polygon((ring,)), *size))


def _pasted(values: list[Any], size: tuple[int, int]) -> NDArray[np.bool_]:
    left, top, right, bottom = (int(number(value)) for value in values[-4:])
    height, width = bottom - top + 1, right - left + 1
    if not (0 <= left <= right < size[1] and 0 <= top <= bottom < size[0]) or len(values) - 4 != height * width:
        raise ValueError(f"a mask of {len(values) - 4} pixels does not fill {left}, {top} to {right}, {bottom}")
    painted = np.zeros(size, bool)
    painted[top : bottom + 1, left : right + 1] = np.array(values[:-4], np.float64).reshape(height, width) > 0
    return painted


def _ordered(item: dict[str, Any], spec: RemoteSpec) -> list[Any]:
    """The elements of a skeleton in the order of the declared keypoints; those that are not told are missing."""
    elements = items(item["elements"], "elements")
    if not spec.keypoints:
        return elements
    told = {str(record(each, "an element").get("label")): each for each in elements}
    return [told.get(name, {"outside": True}) for name in spec.keypoints]


def _point(element: dict[str, Any]) -> tuple[float, float, int] | None:
    if element.get("outside") or "points" not in element:
        return None
    ((x, y),) = pairs(element["points"])[:1]
    return x, y, 1 if element.get("occluded") else 2


ADAPTER = Cvat
