"""X-AnyLabeling-Server: ``GET /health``, ``GET /v1/models``, ``POST /v1/predict``.

Source: CVHub520/X-AnyLabeling-Server, ``docs/router.md`` and ``app/schemas/shape.py``. Errors come with status 200 and
``success: false``. Shapes are rectangle (two or four corners), polygon, rotation (a turned box: kept as a polygon),
circle (centre and a point on it), point (those of one ``group_id`` make a skeleton where keypoints are declared).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from countersign.domain.errors import ModelError
from countersign.domain.geometry import Ellipse
from countersign.domain.label import Prediction
from countersign.models.contract import PredictOptions
from countersign.models.remote import texts
from countersign.models.remote.adapters import OneImage, joined
from countersign.models.remote.http import fitting
from countersign.models.remote.pictures import Sent
from countersign.models.remote.reading import Reader, items, pairs, record, score


class XAnyLabeling(OneImage):
    """Asks one model of a server; ``url`` is the server's, ``model`` the model's id there."""

    def check(self) -> str:
        url = joined(self._spec.url, "v1", "models")
        data = self._http.get_json(url)
        with fitting(self._http, url, data):
            known = list(record(record(data, "the answer")["data"], "data"))
        if self._spec.model not in known:
            raise ModelError(f"{self._http.name(url)} has no model {self._spec.model!r}",
                             remedy=f"It has {', '.join(map(str, known[:20]))}.")  # fmt: skip
        return f"has {self._spec.model}"

    def _one(self, image: Sent, options: PredictOptions) -> list[Prediction]:
        words = [prompt.text for prompt in options.prompt_list() if prompt.class_name] if self._spec.zero_shot else []
        told = {"text_prompt": ".".join(words)} if words else {}
        url, inner = self._ask(image, {"conf_threshold": options.min_confidence, **told})
        reader = Reader(self._spec, image, options)
        with fitting(self._http, url, inner):
            loose: dict[Any, list[dict[str, Any]]] = {}
            for item in items(inner.get("shapes") or [], "shapes"):
                shape = record(item, "a shape")
                if shape["shape_type"] == "point" and self._spec.keypoints:
                    loose.setdefault(shape.get("group_id"), []).append(shape)
                else:
                    self._add(reader, shape, options)
            for group in loose.values():
                self._skeleton(reader, group)
        return reader.found

    def ask(self, images: Sequence[Sent], question: str, settings: Mapping[str, Any]) -> list[str]:
        answers = []
        for image in images:
            url, inner = self._ask(image, {"text_prompt": question, **settings})
            with fitting(self._http, url, inner):
                answers.append(texts.answer(inner.get("description")))
        return answers

    def _ask(self, image: Sent, params: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        url = joined(self._spec.url, "v1", "predict")
        body = {"model": self._spec.model, "image": image.data_url, "params": {**params, **self._spec.settings}}
        data = self._http.post_json(url, body)
        with fitting(self._http, url, data):
            answer = record(data, "the answer")
            if not answer.get("success"):
                error = answer.get("error")
                said = error.get("message") if isinstance(error, dict) else error
                raise ModelError(f"{self._http.name(url)} refuses: {self._http.quote(said)}")
            return url, record(answer["data"], "data")

    def _add(self, reader: Reader, shape: dict[str, Any], options: PredictOptions) -> None:
        label, confidence, points = shape["label"], score(shape.get("score")), pairs(shape["points"])
        kind = shape["shape_type"]
        if kind == "rectangle":
            xs, ys = [x for x, _ in points], [y for _, y in points]
            reader.box(label, confidence, [min(xs), min(ys), max(xs), max(ys)])
        elif kind in ("polygon", "rotation"):
            reader.polygon(label, confidence, [points])
        elif kind == "circle":
            (cx, cy), (x, y) = points[:2]
            ring = Ellipse(cx, cy, *[math.hypot(x - cx, y - cy)] * 2).to_polygon().rings[0]
            reader.polygon(label, confidence, [list(zip(ring[0::2], ring[1::2], strict=True))])
        elif kind in ("point", "line", "linestrip"):
            options.tally.add(f"shape {kind}")
        else:
            raise ValueError(f"shape {kind!r} is not known")

    def _skeleton(self, reader: Reader, group: list[dict[str, Any]]) -> None:
        told = {str(shape["label"]): pairs(shape["points"])[0] for shape in group}
        points = [(*told[name], 2) if name in told else None for name in self._spec.keypoints]
        names = list(self._spec.class_names().values())
        reader.keypoints(names[0] if names else "object", None, points)


ADAPTER = XAnyLabeling
