"""Arbitrary and mutated answers: predictions, or one ModelError that quotes what came. Never anything else."""

from __future__ import annotations

import base64
import copy
import io
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from countersign.domain.errors import CountersignError, ModelError
from countersign.domain.geometry import Box, Mask
from countersign.domain.label import Label, Prediction
from countersign.domain.mask import decode, encode, valid
from countersign.domain.model import ModelCard, Task
from countersign.models.contract import Asker, BoxRefiner, Clicks, Embedder, Model, PredictOptions, PromptSegmenter
from countersign.models.remote import http, spec, wire
from countersign.models.remote.adapters import adapter
from countersign.models.remote.model import make
from countersign.runs.engine import labels_of
from countersign.runs.predicting import BatchSize, predict_all

HEIGHT, WIDTH = 8, 10
IMAGE = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
HOST = "127.0.0.1:9"


class Canned(http.Http):
    """Answers without a network."""

    body = b""
    media = "application/json"

    def send(self, method: str, url: str, **request: Any) -> http.Answer:
        if url.endswith("/setup"):
            return http.Answer(b'{"model_version": "1"}', self.media)
        return http.Answer(self.body, self.media)


def picture(values: np.ndarray[Any, Any], kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(values).save(file, kind)
    return file.getvalue()


def runs_of(value: int, count: int) -> list[int]:
    """Label Studio's brush encoding of one value again and again: runs of 16 at most here."""
    bits = f"{count:032b}" + f"{7:05b}" + f"{3:04b}" * 4
    for start in range(0, count, 16):
        bits += "1" + "00" + f"{min(16, count - start) - 1:04b}" + f"{value:08b}"
    bits += "0" * (-len(bits) % 8)
    return [int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)]


PAINTED = np.zeros((HEIGHT, WIDTH), np.uint8)
PAINTED[2:5, 3:8] = 1
RLE = wire.rle(encode(PAINTED)).model_dump(mode="json")
CROP = base64.b64encode(zlib.compress(picture(PAINTED[2:5, 3:8] * 255))).decode()
BRUSH = runs_of(255, HEIGHT * WIDTH * 4)
REGION = {"from_name": "label", "to_name": "image"}

# One good answer of each contract: what a mutation starts from.
ANSWERS: dict[str, Any] = {
    "plain-classes": {"predictions": {"cat": 0.9, "dog": 0.1}},
    "plain-list": [[0.25, 0.75]],
    "plain-boxes": [{"box": [1, 2, 5, 6], "label": "cat", "score": 0.5}, {"bbox": [0, 0, 3, 3], "class": 0}],
    "plain-columns": {"boxes": [[0.1, 0.2, 0.5, 0.5]], "labels": ["cat"], "scores": [0.5]},
    "plain-map": {"mask": PAINTED.tolist()},
    "plain-picture": {"mask": base64.b64encode(picture(PAINTED)).decode()},
    "plain-channels": {"mask": np.stack([1.0 - PAINTED, PAINTED]).tolist()},
    "plain-objects": {"mask": PAINTED.tolist(), "classes": {"1": "cat"}},
    "cvat": [
        {"confidence": "0.9", "label": "car", "points": [1, 2, 6, 7], "type": "rectangle"},
        {"confidence": 0.8, "label": "car", "points": [0, 0, 5, 0, 5, 5], "type": "polygon"},
        {"label": "car", "points": [], "mask": [1, 0, 1, 1, 2, 3, 3, 4], "type": "mask"},
        {"label": "person", "type": "skeleton", "elements": [{"label": "nose", "type": "points", "points": [3, 4]}]},
    ],
    "x": {"success": True, "data": {"description": "", "shapes": [
        {"label": "a", "shape_type": "rectangle", "points": [[1, 2], [5, 2], [5, 6], [1, 6]], "score": 0.9},
        {"label": "a", "shape_type": "circle", "points": [[4, 4], [5, 5]]},
        {"label": "nose", "shape_type": "point", "points": [[4, 4]], "group_id": 1}]}},
    "supervisely": {"annotation": {"tags": [{"name": "day", "value": 0.5}], "objects": [
        {"classTitle": "a", "geometryType": "rectangle", "points": {"exterior": [[1, 2], [5, 6]], "interior": []},
         "tags": [{"name": "confidence", "value": 0.5}]},
        {"classTitle": "a", "geometryType": "polygon",
         "points": {"exterior": [[1, 2], [5, 6], [1, 6]], "interior": [[[2, 3], [3, 4], [2, 4]]]}},
        {"classTitle": "a", "geometryType": "bitmap", "bitmap": {"data": CROP, "origin": [3, 2]}},
        {"classTitle": "a", "geometryType": "graph", "nodes": {"nose": {"loc": [3, 4]}}}]}},
    "label-studio": {"model_version": "1", "results": [{"score": 0.9, "result": [
        {**REGION, "type": "rectanglelabels", "value": {"x": 10, "y": 20, "width": 30, "height": 40, "rotation": 10,
                                                        "rectanglelabels": ["a"]}},
        {**REGION, "type": "polygonlabels", "value": {"points": [[1, 1], [50, 1], [50, 50]], "polygonlabels": ["a"]}},
        {**REGION, "type": "ellipselabels", "value": {"x": 50, "y": 50, "radiusX": 20, "radiusY": 10,
                                                      "ellipselabels": ["a"]}},
        {**REGION, "type": "keypointlabels", "value": {"x": 50, "y": 50, "width": 1, "keypointlabels": ["nose"]}},
        {**REGION, "type": "choices", "value": {"choices": ["day"]}},
        {**REGION, "type": "brushlabels", "value": {"format": "rle", "rle": BRUSH, "brushlabels": ["a"]}}]}]},
    "countersign": {"version": 1, "model": "m", "results": [{"width": WIDTH, "height": HEIGHT, "counts": {"clipped": 1},
        "predictions": [
            {"class_name": "a", "confidence": 0.5, "box": [1, 2, 3, 4], "attributes": {"k": ["v"]}, "text": "words"},
            {"class_name": "a", "mask": RLE}, {"class_name": "a", "keypoints": [1, 2, 2, 0, 0, 0]},
            {"class_name": "a", "polygon": [[0, 0, 5, 0, 5, 5]], "holes": [[1, 1, 2, 1, 2, 2]]}]}]},
}  # fmt: skip
SAID: dict[str, dict[str, Any]] = {
    "plain-classes": {"contract": "plain", "tasks": ["classification"]},
    "plain-list": {"contract": "plain", "tasks": ["classification"], "classes": ["cat", "dog"],
                   "post": [{"step": "softmax"}]},
    "plain-boxes": {"contract": "plain", "tasks": ["detection"], "classes": ["cat"]},
    "plain-columns": {"contract": "plain", "tasks": ["detection"], "boxes": "relative-xywh"},
    "plain-map": {"contract": "plain", "tasks": ["semantic_segmentation"]},
    "plain-picture": {"contract": "plain", "tasks": ["semantic_segmentation"], "classes": ["", "road"]},
    "plain-channels": {"contract": "plain", "tasks": ["semantic_segmentation"], "classes": ["", "road"],
                       "post": [{"step": "softmax"}, {"step": "argmax"}]},
    "plain-objects": {"contract": "plain", "tasks": ["instance_segmentation"]},
    "cvat": {"contract": "cvat", "tasks": ["detection"], "keypoints": ["nose"]},
    "x": {"contract": "x-anylabeling", "tasks": ["detection"], "model": "m", "keypoints": ["nose"]},
    "supervisely": {"contract": "supervisely", "tasks": ["detection"], "keypoints": ["nose"]},
    "label-studio": {"contract": "label-studio", "tasks": ["detection"], "keypoints": ["nose"]},
    "countersign": {"contract": "countersign", "model": "m"},
}  # fmt: skip


def connect(said: dict[str, Any], body: bytes, tasks: tuple[Task, ...] = (), media: str = "application/json") -> Any:
    """A model whose server answers this to everything."""
    made = spec.from_data({"url": f"http://{HOST}", **said})
    canned = Canned(made)
    canned.body, canned.media = body, media
    card = ModelCard("m", "remote", tasks or made.tasks or (Task.DETECTION,), ())
    return make(made, canned, adapter(made, canned), card)


def checked(found: list[Prediction]) -> None:
    """What a model may return: shapes on the image, names and attributes that can be stored and sent."""
    for item in found:
        orjson.dumps([item.class_name, dict(item.attributes)])
        assert item.class_name
        assert "\0" not in item.class_name
        assert item.confidence is None or 0 <= item.confidence <= 1
        if item.geometry is not None:
            x, y, width, height = item.geometry.bounds
            assert min(x, y) > -1e-6
            assert x + width < WIDTH + 1e-6
            assert y + height < HEIGHT + 1e-6
        if isinstance(item.geometry, Mask):
            assert valid(item.geometry)
    assert all(isinstance(label, Label) for label in labels_of(found, PredictOptions(min_confidence=0.0)))


def one_error(call: Callable[[], Any]) -> Any:
    """Call; return what came, or None after looking at the one error that may come."""
    try:
        return call()
    except ModelError as error:
        text = str(error)
        assert HOST in text  # whose answer it was
        assert len(text) < 1000
        orjson.dumps(text)
    return None


_KEYS = st.sampled_from(sorted({key for answer in ANSWERS.values() for key in json.dumps(answer).split('"')[1::2]}))
_ODD = st.sampled_from(
    ["", "NaN", "1e400", "\ud800", "a\0b", "\u202e", "rectangle", "point", "bitmap", "-1", 10**30, -1, 0, 1e308,
     -1e-320,
     float("nan"), float("inf"), 2**63, True, None, [], {}, [[]], [{}], [[[]]], [None] * 4, [1e9] * 6,
     [-5, -5, 500, 500]]
)  # fmt: skip
_ANYTHING = st.recursive(
    _ODD | st.integers() | st.floats() | st.text(max_size=8) | _KEYS,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(_KEYS | st.text(max_size=3), inner, max_size=6),
    max_leaves=25,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


@dataclass(frozen=True)
class Change:
    """One mutation: put a value in a place, take the place away, or have it twice."""

    where: float
    how: str
    value: Any

    def on(self, answer: Any) -> Any:
        found = list(places(answer))
        path = found[int(self.where * len(found)) % len(found)]
        if not path:
            return copy.deepcopy(self.value) if self.how == "put" else answer
        parent = answer
        for key in path[:-1]:
            parent = parent[key]
        if self.how == "put":
            parent[path[-1]] = copy.deepcopy(self.value)
        elif self.how == "drop":
            del parent[path[-1]]
        elif isinstance(parent, list):
            parent.insert(path[-1], copy.deepcopy(parent[path[-1]]))
        return answer


_CHANGES = st.lists(
    st.builds(Change, st.floats(0, 0.999), st.sampled_from(["put", "put", "drop", "twice"]), _ODD | _ANYTHING),
    min_size=1, max_size=3,
)  # fmt: skip
_FUZZED = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("kind", ANSWERS)
def test_good_answers_are_good(kind: str) -> None:
    """Mutations of an answer that was refused anyway would prove nothing."""
    model = connect(SAID[kind], json.dumps(ANSWERS[kind]).encode())
    found = model.predict([IMAGE], PredictOptions(min_confidence=0.0))[0]
    checked(found)
    assert found


@pytest.mark.parametrize("kind", ANSWERS)
@_FUZZED
@given(value=_ANYTHING)
def test_any_json(kind: str, value: Any) -> None:
    model = connect(SAID[kind], json.dumps(value).encode())
    found = one_error(lambda: model.predict([IMAGE], PredictOptions(min_confidence=0.0)))
    if found is not None:
        checked(found[0])


@pytest.mark.parametrize("kind", ANSWERS)
@_FUZZED
@given(changes=_CHANGES)
def test_good_answers_changed(kind: str, changes: list[Change]) -> None:
    answer = copy.deepcopy(ANSWERS[kind])
    for change in changes:
        answer = change.on(answer)
    model = connect(SAID[kind], json.dumps(answer).encode())
    found = one_error(lambda: model.predict([IMAGE], PredictOptions(min_confidence=0.0)))
    if found is not None:
        checked(found[0])


@pytest.mark.parametrize("kind", ANSWERS)
@_FUZZED
@given(at=st.floats(0, 1), cut=st.integers(0, 40), put=st.binary(max_size=20))
def test_good_answers_with_other_bytes(kind: str, at: float, cut: int, put: bytes) -> None:
    body = json.dumps(ANSWERS[kind]).encode()
    start = int(at * len(body))
    model = connect(SAID[kind], body[:start] + put + body[start + cut :])
    found = one_error(lambda: model.predict([IMAGE], PredictOptions(min_confidence=0.0)))
    if found is not None:
        checked(found[0])


def _tiff() -> bytes:
    import tifffile

    file = io.BytesIO()
    tifffile.imwrite(file, PAINTED, compression="zlib")
    return file.getvalue()


_PICTURES = {"png": picture(PAINTED), "gif": picture(PAINTED, "GIF"), "tiff": _tiff()}


@pytest.mark.parametrize("kind", _PICTURES)
@_FUZZED
@given(at=st.floats(0, 1), cut=st.integers(0, 8), put=st.binary(max_size=8))
def test_pictures_with_other_bytes(kind: str, at: float, cut: int, put: bytes) -> None:
    body = _PICTURES[kind]
    start = int(at * len(body))
    damaged = body[:start] + put + body[start + cut :]
    for said, answer, media in (
        (SAID["plain-picture"], damaged, "image/png"),
        (SAID["plain-picture"], json.dumps({"mask": base64.b64encode(damaged).decode()}).encode(), "application/json"),
    ):
        model = connect(said, answer, media=media)
        found = one_error(lambda: model.predict([IMAGE], PredictOptions(min_confidence=0.0)))  # noqa: B023
        if found is not None:
            checked(found[0])


@pytest.mark.parametrize("kind", ["plain-boxes", "countersign", "cvat"])
@_FUZZED
@given(value=_ANYTHING)
def test_in_a_run_it_is_the_error_of_that_image(kind: str, value: Any) -> None:
    model = connect(SAID[kind], json.dumps(value).encode())
    results = predict_all(lambda images: model.predict(images, PredictOptions()), [IMAGE, IMAGE], BatchSize(2))
    assert len(results) == 2
    assert all(not isinstance(result, str) or HOST in result for result in results)


_OWN = {"contract": "countersign", "model": "m"}
_OBJECTS = {"version": 1, "model": "m", "results": [{"objects": [{"mask": RLE, "confidence": 0.5}]}]}
_VECTORS = {"version": 1, "model": "m", "results": [{"embedding": [0.5, 1.5]}]}
_TEXTS = {"version": 1, "model": "m", "results": [{"text": "a cat"}]}


@_FUZZED
@given(changes=_CHANGES)
def test_other_verbs_of_our_contract(changes: list[Change]) -> None:
    def body(answer: Any) -> bytes:
        answer = copy.deepcopy(answer)
        for change in changes:
            answer = change.on(answer)
        return json.dumps(answer).encode()

    cutting = connect(_OWN, body(_OBJECTS), (Task.PROMPTED_SEGMENTATION,))
    assert isinstance(cutting, PromptSegmenter)
    cut = one_error(lambda: cutting.segment(cutting.encode(IMAGE), [Clicks(box=Box(1, 1, 3, 3))]))
    assert cut is None or [item.mask.shape for item in cut] == [(HEIGHT, WIDTH)]

    refining = connect(_OWN, body(ANSWERS["countersign"]), (Task.PROMPTED_SEGMENTATION,))
    assert isinstance(refining, BoxRefiner)
    given_boxes = [[Prediction("a", Box(1, 1, 3, 3), None)]]
    refined = one_error(lambda: refining.refine([IMAGE], given_boxes, PredictOptions()))
    if refined is not None:
        checked(refined[0])

    embedding = connect(_OWN, body(_VECTORS), (Task.EMBEDDING,))
    assert isinstance(embedding, Embedder)
    vectors = one_error(lambda: embedding.embed([IMAGE]))
    assert vectors is None or np.linalg.norm(vectors) == pytest.approx(1)

    asking = connect(_OWN, body(_TEXTS), (Task.QUESTIONS,))
    assert isinstance(asking, Asker)
    answers = one_error(lambda: asking.ask([IMAGE], "What?"))
    if answers is not None:
        orjson.dumps(answers)
        assert "\0" not in answers[0]


@_FUZZED
@given(changes=_CHANGES)
def test_interactor_of_cvat_and_answers_of_x_anylabeling(changes: list[Change]) -> None:
    answer: Any = {"mask": PAINTED.tolist()}
    words: Any = {"success": True, "data": {"description": "a cat"}}
    for change in changes:
        answer, words = change.on(answer), change.on(words)
    cutting = connect({"contract": "cvat", "tasks": ["prompted_segmentation"]}, json.dumps(answer).encode())
    cut = one_error(lambda: cutting.segment(cutting.encode(IMAGE), [Clicks(box=Box(1, 1, 3, 3))]))
    assert cut is None or [item.mask.shape for item in cut] == [(HEIGHT, WIDTH)]
    asking = connect({"contract": "x-anylabeling", "tasks": ["questions"], "model": "m"}, json.dumps(words).encode())
    said = one_error(lambda: asking.ask([IMAGE], "What?"))
    if said is not None:
        orjson.dumps(said)


_CARD = ModelCard("m", "timm", (Task.DETECTION,), ("a",), published={"parameters": 1.5}, details={"k": "v"}).to_data()


def test_good_cards_are_good() -> None:
    said = spec.from_data({"url": f"http://{HOST}"})
    canned = Canned(said)
    canned.body = json.dumps({"version": 1, "models": [_CARD]}).encode()
    own = adapter(said, canned)
    assert own.check() == "serves m"
    canned.body = json.dumps(_CARD).encode()
    card = own.card("here")
    assert (card.name, card.tasks, card.classes) == ("here", (Task.DETECTION,), ("a",))
    assert card.published == {"parameters": 1.5}


def test_cards_of_the_catalogue_are_good() -> None:
    """All that a server may serve, whatever stands in their cards."""
    from countersign.models import catalogue
    from countersign.models.remote.adapters.own import read_card

    for card in catalogue.cards():
        told = json.dumps(card.to_data())
        assert json.dumps(read_card(json.loads(told)).to_data()) == told


@_FUZZED
@given(changes=_CHANGES, model=st.sampled_from(["", "m"]))
def test_cards(changes: list[Change], model: str) -> None:
    said = spec.from_data({"url": f"http://{HOST}", "model": model})
    canned = Canned(said)
    asked = adapter(said, canned)
    card = copy.deepcopy(_CARD)
    for change in changes:
        card = change.on(card)
    for body in (card, {"version": 1, "models": [card]}):
        canned.body = json.dumps(body).encode()
        found = one_error(lambda: asked.card("here"))
        if found is not None:
            orjson.dumps(found.to_data())
            assert ModelCard.from_data(json.loads(orjson.dumps(found.to_data()))) == found


@pytest.mark.parametrize("contract", ["label-studio", "x-anylabeling", "supervisely"])
@_FUZZED
@given(value=_ANYTHING)
def test_checks(contract: str, value: Any) -> None:
    said = spec.from_data({"url": f"http://{HOST}", "contract": contract, "tasks": ["detection"], "model": "m"})
    canned = Canned(said)
    canned.body = json.dumps(value).encode()
    told = one_error(adapter(said, canned).check)
    assert told is None or orjson.dumps(told)


@pytest.mark.parametrize("body", [b"\xff\xfe\x00", b"[" * 100_000, b'[{"box":[NaN,1,2,3],"label":"a"}]', b"", b"1e999"])
def test_odd_answers_are_errors_that_quote(body: bytes) -> None:
    with pytest.raises(ModelError, match=r"does not answer as contract plain says: .*; it sent"):
        connect(SAID["plain-boxes"], body).predict([IMAGE], PredictOptions())


def test_long_answers_are_quoted_from_their_beginning() -> None:
    body = json.dumps([{"box": "x" * 1_000_000, "label": "a"}] * 5).encode()
    with pytest.raises(ModelError) as caught:
        connect(SAID["plain-boxes"], body).predict([IMAGE], PredictOptions())
    assert """it sent '[{"box": "xxxx""" in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("at", range(150, 260, 7))
def test_secret_is_blotted_out_wherever_a_quote_ends(at: int) -> None:
    secret = "Bearer very-secret-token"
    said = {"contract": "plain", "tasks": ["detection"], "secret": secret}
    for body in (b" " * at + secret.encode(), json.dumps(["x" * at + secret]).encode(), json.dumps(secret).encode(),
                 json.dumps([{"box": ["x" * (at - 140) + secret, 1, 2, 3], "label": "a"}]).encode()):  # fmt: skip
        with pytest.raises(ModelError) as caught:
            connect(said, body).predict([IMAGE], PredictOptions())
        assert "secret" not in str(caught.value)
        assert "Bearer v" not in str(caught.value)


def test_picture_that_swells_is_not_unpacked() -> None:
    """A PNG of 9000 x 9000 pixels in some hundred kB: its header says what it is."""
    import struct

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = zlib.compress(b"\0" * 9_001 * 100, 9)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 9_000, 9_000, 8, 0, 0, 0, 0))
    bomb += chunk(b"IDAT", row) + chunk(b"IEND", b"")
    with pytest.raises(ModelError, match="the picture is 9000 x 9000, the image 8 x 10"):
        connect(SAID["plain-picture"], bomb, media="image/png").predict([IMAGE], PredictOptions())
    packed = base64.b64encode(zlib.compress(bomb)).decode()
    answer = copy.deepcopy(ANSWERS["supervisely"])
    answer["annotation"]["objects"][2]["bitmap"]["data"] = packed
    with pytest.raises(ModelError, match="the picture is 9000 x 9000"):
        connect(SAID["supervisely"], json.dumps(answer).encode()).predict([IMAGE], PredictOptions())


def test_objects_are_what_they_were() -> None:
    """The helper of these tests reads masks as they are meant."""
    model = connect(SAID["countersign"], json.dumps(ANSWERS["countersign"]).encode())
    assert isinstance(model, Model)
    masks = [item.geometry for item in model.predict([IMAGE], PredictOptions(min_confidence=0.0))[0]]
    (mask,) = (item for item in masks if isinstance(item, Mask))
    assert np.array_equal(decode(mask), PAINTED > 0)
    assert issubclass(ModelError, CountersignError)
