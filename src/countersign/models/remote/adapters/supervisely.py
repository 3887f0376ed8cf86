"""Supervisely's serving apps: ``/inference_image`` with a form of ``files`` and ``settings``.

Source: supervisely/supervisely, ``supervisely/nn/inference/session.py`` (SessionJSON: ``get_session_info``,
``inference_image`` and their answers) and ``supervisely/geometry`` for the JSON of figures: rectangle and polygon with
``points.exterior`` and ``points.interior``, bitmap with ``bitmap.data`` (base64 of zlib of a PNG) and
``bitmap.origin``, graph (keypoints) with ``nodes``. An object's confidence is its tag ``confidence``. Interactive
apps, whose state lives in their platform, are not spoken to.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.label import Prediction
from countersign.models.contract import PredictOptions
from countersign.models.remote.adapters import OneImage, joined
from countersign.models.remote.http import fitting
from countersign.models.remote.pictures import Sent, unpack
from countersign.models.remote.reading import Reader, items, number, pairs, record, score

_MOST = 256 << 20  # bytes that a packed bitmap may swell to


class Supervisely(OneImage):
    """Asks one serving app; ``url`` is its session's."""

    def check(self) -> str:
        url = joined(self._spec.url, "get_session_info")
        told = self._http.post_json(url, {})
        with fitting(self._http, url, told):
            return self._http.quote(str(record(told, "the answer").get("app_name", "an app")))

    def _one(self, image: Sent, options: PredictOptions) -> list[Prediction]:
        url = joined(self._spec.url, "inference_image")
        settings = json.dumps({"settings": self._spec.settings})
        files = [("files", image.as_file), ("settings", (None, settings, "text/plain"))]
        data = self._http.json_of(self._http.send("POST", url, files=files), url)
        reader = Reader(self._spec, image, options)
        with fitting(self._http, url, data):
            for item in items(_annotation(data)["objects"], "objects"):
                self._add(reader, record(item, "an object"), image, options)
            for tag in items(_annotation(data).get("tags") or [], "tags"):
                told = record(tag, "a tag")
                value = told.get("value")
                reader.add(told["name"], score(value) if isinstance(value, int | float) else None, None)
        return reader.found

    def _add(self, reader: Reader, item: dict[str, Any], image: Sent, options: PredictOptions) -> None:
        label, kind, confidence = item["classTitle"], item["geometryType"], _confidence(item)
        if kind == "bitmap":
            reader.mask(label, confidence, _pasted(record(item["bitmap"], "bitmap"), image.sent))
        elif kind == "graph":
            nodes = record(item["nodes"], "nodes")
            order = self._spec.keypoints or list(nodes)
            reader.keypoints(label, confidence, [_node(nodes.get(name)) for name in order])
        elif kind in ("rectangle", "polygon"):
            points = record(item["points"], "points")
            outer = pairs(points["exterior"])
            if kind == "polygon":
                holes = [pairs(hole) for hole in items(points.get("interior") or [], "interior")]
                reader.polygon(label, confidence, [outer], holes)
            else:
                (x0, y0), (x1, y1) = outer
                # Their corners name pixels, both inside of the box.
                reader.box(label, confidence, [min(x0, x1), min(y0, y1), max(x0, x1) + 1, max(y0, y1) + 1])
        elif kind in ("point", "line", "cuboid", "any"):
            options.tally.add(f"shape {kind}")
        else:
            raise ValueError(f"geometryType {kind!r} is not known")


def _annotation(data: Any) -> dict[str, Any]:
    found = record(data[0] if isinstance(data, list) and data else data, "the answer")
    return record(found.get("annotation", found), "annotation")


def _confidence(item: dict[str, Any]) -> float | None:
    tags = [record(tag, "a tag") for tag in items(item.get("tags") or [], "tags")]
    return next((score(tag.get("value")) for tag in tags if tag.get("name") in ("confidence", "conf")), None)


def _node(node: Any) -> tuple[float, float, int] | None:
    if node is None:
        return None
    told = record(node, "a node")
    x, y = (number(value) for value in items(told["loc"], "loc"))
    return x, y, 1 if told.get("disabled") else 2


def _pasted(bitmap: dict[str, Any], size: tuple[int, int]) -> NDArray[np.bool_]:
    swelling = zlib.decompressobj()
    data = swelling.decompress(base64.b64decode(str(bitmap["data"]), validate=True), _MOST)
    if swelling.unconsumed_tail:
        raise ValueError("the bitmap is too large")
    pixels = unpack(data, size, within=True)
    painted = (pixels[..., -1] if pixels.ndim == 3 else pixels) > 0
    left, top = (int(number(value)) for value in items(bitmap["origin"], "origin"))
    height, width = painted.shape
    if left < 0 or top < 0 or left + width > size[1] or top + height > size[0]:
        raise ValueError("the bitmap does not lie on the image")
    whole = np.zeros(size, bool)
    whole[top : top + height, left : left + width] = painted
    return whole


ADAPTER = Supervisely
