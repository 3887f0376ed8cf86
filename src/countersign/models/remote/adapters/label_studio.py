"""Label Studio's ML backends: ``GET /health``, ``POST /setup``, ``POST /predict``.

Source: HumanSignal/label-studio-ml-backend, ``label_studio_ml/api.py``; results as Label Studio's documentation of
predictions has them: percent of the image for rectangles, polygons and points, brushes as its own run-length encoding
of RGBA pixels (``label_studio_sdk/converter/brush.py``: a 32-bit count, 5 bits of word size, four sizes of 4 bits
of run lengths, then runs and literals). The image is sent as a data URL under the variable of the labelling
configuration.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.errors import ModelError, ServerGone
from countersign.domain.geometry import Ellipse
from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard, Task
from countersign.models.contract import PredictOptions
from countersign.models.remote.adapters import joined
from countersign.models.remote.http import Http, fitting
from countersign.models.remote.pictures import Sent
from countersign.models.remote.reading import Reader, items, number, record, score
from countersign.models.remote.spec import RemoteSpec, card_of

_PROJECT = "countersign.1"
_MOST_RUNS = 1_000_000  # of one brush: what is more would only cost time
_TAGS = {
    Task.CLASSIFICATION: ("Choices", "Choice"),
    Task.DETECTION: ("RectangleLabels", "Label"),
    Task.INSTANCE_SEGMENTATION: ("PolygonLabels", "Label"),
    Task.SEMANTIC_SEGMENTATION: ("BrushLabels", "Label"),
    Task.POSE: ("KeyPointLabels", "Label"),
}


class LabelStudio:
    """Asks one backend. It is set up with the labelling configuration once per process."""

    batch = 8

    def __init__(self, spec: RemoteSpec, http: Http) -> None:
        self._spec, self._http = spec, http
        self._config = spec.label_config or configuration(spec)
        self._ready = False

    def card(self, name: str) -> ModelCard:
        return card_of(self._spec, name)

    def check(self) -> str:
        url = joined(self._spec.url, "health")
        told = self._http.get_json(url)
        with fitting(self._http, url, told):
            status = record(told, "the answer")["status"]
        self._set_up()
        return f"status {self._http.quote(status)}"

    def _set_up(self) -> None:
        if not self._ready:
            url = joined(self._spec.url, "setup")
            body = {"project": _PROJECT, "schema": self._config, "hostname": "", "access_token": "",
                    "extra_params": None}  # fmt: skip
            told = self._http.post_json(url, body)
            if not isinstance(told, dict) or "model_version" not in told:
                raise self._http.misfit(url, "model_version is missing", told)
            self._ready = True

    def predict(self, images: Sequence[Sent], options: PredictOptions) -> list[list[Prediction]]:
        fresh = not self._ready
        self._set_up()
        url = joined(self._spec.url, "predict")
        tasks = [{"id": i + 1, "data": {"image": image.data_url}} for i, image in enumerate(images)]
        body = {"tasks": tasks, "project": _PROJECT, "label_config": self._config, "params": dict(self._spec.settings)}
        try:
            data = self._http.post_json(url, body)
        except ServerGone:
            raise
        except ModelError:
            if fresh:
                raise
            # A backend that was started again has forgotten its set-up, and fails in its own way until it has one.
            self._ready = False
            self._set_up()
            data = self._http.post_json(url, body)
        with fitting(self._http, url, data):
            told = items(record(data, "the answer")["results"], "results")
            if len(told) != len(images):
                raise ValueError(f"{len(told)} results for {len(images)} tasks")
            return [self._read(item, image, options) for item, image in zip(told, images, strict=True)]

    def _read(self, told: Any, image: Sent, options: PredictOptions) -> list[Prediction]:
        reader = Reader(self._spec, image, options)
        # Older backends return one prediction per task, newer ones may return a list of them.
        for prediction in told if isinstance(told, list) else [told]:
            item = record(prediction, "a result")
            overall = score(item.get("score"))
            regions = item["result"]
            points: list[tuple[str, float | None, tuple[float, float]]] = []
            for region in items(regions if isinstance(regions, list) else [regions], "result"):
                self._region(reader, record(region, "a region"), overall, image, points, options)
            self._points(reader, points, options)
        return reader.found

    def _region(
        self,
        reader: Reader,
        region: dict[str, Any],
        overall: float | None,
        image: Sent,
        points: list[tuple[str, float | None, tuple[float, float]]],
        options: PredictOptions,
    ) -> None:
        kind, value = str(region["type"]).lower(), record(region["value"], "value")
        confidence = score(region.get("score", value.get("score")))
        confidence = overall if confidence is None else confidence
        height, width = image.sent
        if kind == "choices":
            for choice in items(value["choices"], "choices"):
                reader.add(choice, confidence, None)
            return
        if kind not in ("rectanglelabels", "polygonlabels", "brushlabels", "keypointlabels", "ellipselabels"):
            options.tally.add(f"region {kind[:30]}")
            return
        labels = items(value[kind], kind)
        for label in labels[:1]:
            if kind == "rectanglelabels":
                self._rectangle(reader, label, confidence, value, (width / 100, height / 100))
            elif kind == "polygonlabels":
                ring = [
                    (number(x) * width / 100, number(y) * height / 100) for x, y in items(value["points"], "points")
                ]
                reader.polygon(label, confidence, [ring])
            elif kind == "brushlabels":
                reader.mask(label, confidence, brush(value["rle"], image.sent))
            elif kind == "ellipselabels":
                x, y = number(value["x"]) * width / 100, number(value["y"]) * height / 100
                rx, ry = number(value["radiusX"]) * width / 100, number(value["radiusY"]) * height / 100
                turned = Ellipse(x, y, rx, ry, number(value.get("rotation", 0))).to_polygon().rings[0]
                reader.polygon(label, confidence, [list(zip(turned[0::2], turned[1::2], strict=True))])
            else:
                points.append(
                    (label, confidence, (number(value["x"]) * width / 100, number(value["y"]) * height / 100))
                )

    @staticmethod
    def _rectangle(
        reader: Reader, label: Any, confidence: float | None, value: dict[str, Any], per_cent: tuple[float, float]
    ) -> None:
        across, down = per_cent
        x, y = number(value["x"]) * across, number(value["y"]) * down
        width, height = number(value["width"]) * across, number(value["height"]) * down
        turn = math.radians(number(value.get("rotation") or 0))
        if not turn:
            reader.box(label, confidence, [x, y, x + width, y + height])
            return
        # A turned rectangle stays what it is, as a polygon: it turns about its top left corner.
        corners = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)]
        cos, sin = math.cos(turn), math.sin(turn)
        reader.polygon(label, confidence, [[(x + a * cos - b * sin, y + a * sin + b * cos) for a, b in corners]])

    def _points(
        self,
        reader: Reader,
        points: list[tuple[str, float | None, tuple[float, float]]],
        options: PredictOptions,
    ) -> None:
        """Points whose labels are declared keypoints make one skeleton; others are counted."""
        told = {label: at for label, _, at in points}
        if not points or not self._spec.keypoints:
            options.tally.add("region keypoint", len(points))
            return
        sure = [confidence for _, confidence, _ in points if confidence is not None]
        names = list(self._spec.class_names().values())
        reader.keypoints(
            names[0] if names else "object",
            float(np.mean(sure)) if sure else None,
            [(*told[name], 2) if name in told else None for name in self._spec.keypoints],
        )


def configuration(spec: RemoteSpec) -> str:
    """Return a labelling configuration for the spec's task and classes."""
    tag, inner = _TAGS.get(spec.tasks[0], ("", "")) if spec.tasks else ("", "")
    if not tag:
        raise ModelError(f"Label Studio has no labels for {spec.tasks[0].value if spec.tasks else 'no task'}",
                         remedy="Give label_config.")  # fmt: skip
    known = spec.classes.values() if isinstance(spec.classes, dict) else spec.classes
    names = spec.keypoints if spec.tasks[0] is Task.POSE and spec.keypoints else known
    labels = "".join(f'<{inner} value="{escape(name, quote=True)}"/>' for name in names)
    return f'<View><Image name="image" value="$image"/><{tag} name="label" toName="image">{labels}</{tag}></View>'


def brush(rle: Any, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Decode a brush: (height, width) of the alpha of its RGBA pixels. Raises ValueError."""
    height, width = size
    values = _unpacked(items_of_bytes(rle), most=height * width * 4)
    if values.size != height * width * 4:
        raise ValueError(f"a brush of {values.size} values does not fill {width} x {height} RGBA pixels")
    painted: NDArray[np.bool_] = values.reshape(height, width, 4)[..., 3] > 0
    return painted


def items_of_bytes(rle: Any) -> bytes:
    """Return the bytes that a list of numbers 0..255 stands for. Raises ValueError."""
    if not isinstance(rle, list):
        raise ValueError("rle should be a list of bytes")
    return bytes(rle)


class _Bits:
    """Numbers of any number of bits, one after another."""

    def __init__(self, data: bytes) -> None:
        self._data, self._place = data, 0

    def _moved(self, bits: int) -> int:
        start = self._place
        self._place += bits
        if self._place > 8 * len(self._data):
            raise ValueError("the brush ends early")
        return start

    def one(self, bits: int) -> int:
        """The next number."""
        start = self._moved(bits)
        part = int.from_bytes(self._data[start >> 3 : (start + bits + 7) >> 3])
        return part >> (-(start + bits) & 7) & ((1 << bits) - 1)

    def many(self, bits: int, count: int) -> NDArray[np.int64]:
        """The next ``count`` numbers."""
        start = self._moved(bits * count)
        part = np.frombuffer(self._data, np.uint8)[start >> 3 : (start + bits * count + 7) >> 3]
        loose = np.unpackbits(part)[start & 7 :][: bits * count].reshape(count, bits)
        found: NDArray[np.int64] = loose.astype(np.int64) @ (1 << np.arange(bits)[::-1])
        return found


def _unpacked(data: bytes, most: int) -> NDArray[np.uint8]:
    bits = _Bits(data)
    total = bits.one(32)
    if total > most:
        raise ValueError(f"a brush of {total} values is larger than the image")
    word = bits.one(5) + 1
    sizes = [bits.one(4) + 1 for _ in range(4)]
    out = np.zeros(total, np.uint8)
    done = runs = 0
    while done < total:
        repeated = bits.one(1)
        count = min(bits.one(sizes[bits.one(2)]) + 1, total - done)
        out[done : done + count] = (bits.one(word) if repeated else bits.many(word, count)) & 0xFF
        done += count
        runs += 1
        if runs > _MOST_RUNS:
            raise ValueError(f"the brush has more than {_MOST_RUNS} runs")
    return out


ADAPTER = LabelStudio
