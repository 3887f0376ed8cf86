"""The plain contract: POST an image, get numbers.

* classification: a list of logits or probabilities per class (or an object of names and numbers);
* detection: a list of boxes ``{"box": [4 numbers], "label": name or index, "score": number}``, or an object of three
  lists ``boxes``, ``labels``, ``scores``;
* segmentation: a picture (PNG, TIFF) with the class in each pixel: as the body, or in JSON as base64 under ``mask``,
  or as rows of numbers; with a channel per class where a step ``argmax`` is declared. For instances: with 0 as
  background, each other value one object of the first class, where no class is told by ``classes`` in the answer.

The result may stand alone or under ``predictions``, ``result``, ``results``, ``output``, ``outputs`` or ``data``.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.label import Prediction
from countersign.domain.model import Task
from countersign.models.contract import PredictOptions
from countersign.models.parts import results
from countersign.models.remote import texts
from countersign.models.remote.adapters import OneImage
from countersign.models.remote.http import Answer, fitting
from countersign.models.remote.pictures import Sent, unpack
from countersign.models.remote.reading import Reader, enlarged, items, number, record, score
from countersign.models.remote.spec import RemoteSpec
from countersign.models.remote.steps import Sigmoid, Softmax, after

_UNDER = ("predictions", "result", "results", "output", "outputs", "data")


class Plain(OneImage):
    """Asks a server that knows nothing but an image."""

    def check(self) -> str:
        return "the plain contract tells nothing of itself: test it with an image"

    def _one(self, image: Sent, options: PredictOptions) -> list[Prediction]:
        url = self._spec.url
        if self._spec.transfer == "json":
            answer = self._http.send("POST", url, json={**self._spec.settings, "image": image.base64})
        else:
            files = {"image": image.as_file}
            told = {key: str(value) for key, value in self._spec.settings.items()}
            answer = self._http.send("POST", url, files=files, data=told)
        picture = answer.media.startswith("image/") or answer.body[:4] in (b"\x89PNG", b"II*\0", b"MM\0*")
        data = answer.body if picture else self._http.json_of(answer, url)
        task = options.task or self._spec.tasks[0]
        with fitting(self._http, url, data):
            if task in (Task.SEMANTIC_SEGMENTATION, Task.INSTANCE_SEGMENTATION):
                return self._segmented(answer, data, image, options, task)
            found = _inner(data)
            return self._classified(found, options) if task is Task.CLASSIFICATION else self._detected(
                found, image, options
            )  # fmt: skip

    def _classified(self, found: Any, options: PredictOptions) -> list[Prediction]:
        names = self._spec.class_names()
        if isinstance(found, dict):
            told = [texts.class_name(key) for key in found]
            labels = [self._spec.rename.get(key, key) for key in told]
            values = [number(value) for value in found.values()]
        else:
            while isinstance(found, list) and len(found) == 1 and isinstance(found[0], list):
                found = found[0]  # a batch of one
            values = [number(value) for value in items(found, "the list of classes")]
            if names and len(values) != len(names) and (max(names) >= len(values)):
                raise ValueError(f"{len(values)} numbers for {len(names)} classes")
            labels = [names.get(i, "" if names else str(i)) for i in range(len(values))]
        if not values:
            raise ValueError("no numbers")
        chosen = after(np.array(values), self._spec.post, axis=0)
        _check_probabilities(chosen, self._spec)
        return results.whole(chosen, labels, options)

    def _detected(self, found: Any, image: Sent, options: PredictOptions) -> list[Prediction]:
        reader = Reader(self._spec, image, options)
        for box, label, confidence in _rows(found):
            reader.box(label, score(confidence), self._corners(box, image))
        return reader.found

    def _corners(self, box: Any, image: Sent) -> list[float]:
        if isinstance(box, dict):
            box = [box[key] for key in ("x", "y", "width", "height")]
            relative, sized = self._spec.boxes.startswith("relative"), True
        else:
            relative, sized = self._spec.boxes.startswith("relative"), self._spec.boxes.endswith("xywh")
        x0, y0, x1, y1 = (number(value) for value in items(box, "a box"))
        if sized:
            x1, y1 = x0 + x1, y0 + y1
        height, width = image.sent if relative else (1, 1)
        return [x0 * width, y0 * height, x1 * width, y1 * height]

    def _segmented(
        self, answer: Answer, data: Any, image: Sent, options: PredictOptions, task: Task
    ) -> list[Prediction]:
        values = _map(answer.body if isinstance(data, bytes) else data, image.sent)
        scores = None
        if values.ndim == 3:
            values, scores = self._of_channels(values)
        else:
            values = after(values, [step for step in self._spec.post if step.step == "threshold"], axis=0)
        if values.shape != image.sent:
            raise ValueError(f"the map is {values.shape[1]} x {values.shape[0]}, the image {image.sent[1]} x "
                             f"{image.sent[0]}")  # fmt: skip
        indices: NDArray[np.int64] = enlarged(np.rint(values).astype(np.int64), image.size)
        names = self._spec.class_names()
        if task is Task.INSTANCE_SEGMENTATION:
            return self._instances(indices, data, image, options)
        if not names:
            names = {int(index): str(int(index)) for index in np.unique(indices)[:1000] if index > 0}
        full = enlarged(scores, image.size) if scores is not None else None
        return results.class_map(indices, names, options, scores=full)

    def _of_channels(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """Classes and their probabilities of a map with a channel per class, first or last."""
        count = len(self._spec.class_names())
        if values.shape[0] != count and values.shape[2] == count:
            values = values.transpose(2, 0, 1)
        if not any(step.step == "argmax" for step in self._spec.post):
            raise ValueError("a map with several channels needs the step argmax")
        told = [step for step in self._spec.post if isinstance(step, Softmax | Sigmoid)]
        likely = after(values, told, axis=0)
        best = likely.argmax(axis=0)
        return best.astype(np.float64), likely.max(axis=0) if told else None

    def _instances(
        self, values: NDArray[np.int64], data: Any, image: Sent, options: PredictOptions
    ) -> list[Prediction]:
        told = record(data, "the answer").get("classes", {}) if isinstance(data, dict) else {}
        named = {int(key): value for key, value in record(told, "classes").items()}
        same = Sent(image.data, image.media, image.size, image.size)
        reader = Reader(self._spec, same, options)
        objects = [int(index) for index in np.unique(values) if index > 0]
        if len(objects) > 3_000:
            raise ValueError(f"the map holds {len(objects)} objects")
        for index in objects:
            default = next(iter(self._spec.class_names().values()), "object")
            reader.mask(named.get(index, default), None, values == index)
        return reader.found


def _check_probabilities(values: NDArray[np.float64], spec: RemoteSpec) -> None:
    if values.min() < -1e-6 or values.max() > 1 + 1e-6:
        remedy = "declare the step softmax or sigmoid" if not spec.post else "check the steps"
        raise ValueError(f"the numbers are no probabilities ({values.min():g} to {values.max():g}): {remedy}")


def _inner(data: Any) -> Any:
    for key in _UNDER:
        if isinstance(data, dict) and key in data:
            return data[key]
    return data


def _rows(found: Any) -> list[tuple[Any, Any, Any]]:
    if isinstance(found, dict):
        boxes, labels = items(found["boxes"], "boxes"), items(found["labels"], "labels")
        scores = items(found.get("scores") or [None] * len(boxes), "scores")
        return list(zip(boxes, labels, scores, strict=True))
    rows: list[tuple[Any, Any, Any]] = []
    for item in items(found, "the list of boxes"):
        if isinstance(item, list):  # x0, y0, x1, y1, score, class
            rows.append((item[:4], int(number(item[5])), item[4]))
            continue
        told = record(item, "a box")
        label = next((told[key] for key in ("label", "class", "class_name", "name", "class_id") if key in told), None)
        confidence = next((told[key] for key in ("score", "confidence", "probability") if key in told), None)
        rows.append((told["box"] if "box" in told else told["bbox"], label, confidence))
    return rows


def _map(data: Any, size: tuple[int, int]) -> NDArray[np.float64]:
    if isinstance(data, bytes):
        values = unpack(data, size)
    else:
        found = _inner(data)
        found = found.get("mask", found) if isinstance(found, dict) else found
        if isinstance(found, dict):
            found = found["mask"]
        if isinstance(found, str):
            try:
                values = unpack(base64.b64decode(found.rpartition(",")[2], validate=True), size)
            except binascii.Error as error:
                raise ValueError("the mask is no base64") from error
        else:
            values = np.array(items(found, "the mask"), dtype=np.float64)
    if values.ndim not in (2, 3) or 0 in values.shape or not np.isfinite(values).all():
        raise ValueError(f"a mask is rows of finite numbers, not of shape {values.shape}")
    return values.astype(np.float64)


ADAPTER = Plain
