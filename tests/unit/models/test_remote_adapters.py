"""Adapters against servers that speak their contracts."""

from __future__ import annotations

import base64
import io
import json
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from countersign.domain.errors import ModelError
from countersign.domain.geometry import Box, Keypoints, Mask, Polygon
from countersign.domain.label import Prediction
from countersign.domain.mask import decode
from countersign.models.contract import BoxRefiner, Clicks, Model, PredictOptions, PromptSegmenter
from countersign.models.remote import family, spec
from countersign.models.remote.adapters.label_studio import brush
from model_servers import Asked, ModelServer, Reply, serving

IMAGE = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
ALL = PredictOptions(min_confidence=0.0)


def png(values: np.ndarray[Any, Any]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    return file.getvalue()


def ask(
    answer: Callable[[Asked], Any] | Any, options: PredictOptions = ALL, path: str = "/predict", **said: Any
) -> tuple[list[Prediction], ModelServer]:
    """Ask a server that answers so for its predictions of IMAGE."""

    def reply(asked: Asked) -> Reply:
        found = answer(asked) if callable(answer) else answer
        return found if isinstance(found, Reply) else Reply(json.dumps(found).encode())

    with serving(reply) as server:
        model = family.connect(spec.from_data({"url": server.url + path, "retries": 0, **said}), "m")
        assert isinstance(model, Model)
        try:
            return model.predict([IMAGE], options)[0], server
        finally:
            model.close()


def plain(task: str, answer: Any, **said: Any) -> list[Prediction]:
    return ask(answer, contract="plain", tasks=[task], **said)[0]


def test_plain_classification__logits_with_softmax() -> None:
    found = plain("classification", [[0.0, 3.0]], classes=["cat", "dog"], post=[{"step": "softmax"}])
    assert [(item.class_name, round(item.confidence or 0, 3)) for item in found] == [("dog", 0.953)]


def test_plain_classification__logits_without_a_step_are_refused() -> None:
    with pytest.raises(ModelError, match=r"declare the step softmax.*\[0\.0, 3\.0\]"):
        plain("classification", [0.0, 3.0], classes=["cat", "dog"])


def test_plain_classification__by_name_with_a_label_map() -> None:
    found = plain("classification", {"predictions": {"n01": 0.9, "n02": 0.1}}, rename={"n01": "fish"})
    assert [item.class_name for item in found] == ["fish"]


@pytest.mark.parametrize(
    "answer",
    [
        [{"box": [10, 5, 30, 25], "label": "cat", "score": 0.75}],
        {"boxes": [[10, 5, 30, 25]], "labels": [0], "scores": [0.75]},
        {"result": [[10, 5, 30, 25, 0.75, 0]]},
        [{"bbox": {"x": 10, "y": 5, "width": 20, "height": 20}, "class": 0, "confidence": "0.75"}],
    ],
)
def test_plain_detection(answer: Any) -> None:
    assert plain("detection", answer, classes=["cat"]) == [Prediction("cat", Box(10, 5, 20, 20), 0.75)]


def test_plain_detection__of_a_resized_image_is_scaled_back_and_clipped() -> None:
    options = PredictOptions(min_confidence=0.0)
    found, _ = ask(
        [{"box": [-3, 0, 15, 10], "label": "cat"}, {"box": [5, 5, 5, 9], "label": "cat"}],
        options, contract="plain", tasks=["detection"], pre=[{"step": "resize", "width": 30, "height": 20}],
    )  # fmt: skip
    assert found == [Prediction("cat", Box(0, 0, 30, 20), None)]
    assert options.tally.counts() == {"clipped": 1, "degenerate": 1}


def test_plain_segmentation__a_picture_with_the_class_in_each_pixel() -> None:
    classes = np.zeros((40, 60), np.uint8)
    classes[5:20, 10:30] = 2
    body = png(classes)
    found = plain("semantic_segmentation", lambda _: Reply(body, media="image/png"), classes={1: "sky", 2: "road"})
    assert [item.class_name for item in found] == ["road"]
    assert isinstance(found[0].geometry, Mask)
    assert np.array_equal(decode(found[0].geometry), classes == 2)


def test_plain_segmentation__channels_as_tiff_with_softmax_and_argmax() -> None:
    scores = np.zeros((2, 40, 60), np.float32)
    scores[1, :, 30:] = 4
    file = io.BytesIO()
    tifffile.imwrite(file, scores, photometric="minisblack")
    mask = base64.b64encode(png(np.zeros((40, 60), np.uint8))).decode()
    assert plain("semantic_segmentation", {"mask": mask}, classes=["", "road"]) == []
    answer = {"mask": scores.tolist()}
    found = plain("semantic_segmentation", answer, classes=["", "road"], post=[{"step": "softmax"}, {"step": "argmax"}])
    assert found[0].confidence == pytest.approx(1 / (1 + np.exp(-4)))
    assert found[0].geometry is not None
    assert found[0].geometry.bounds == (30, 0, 30, 40)


@pytest.mark.parametrize("transfer", ["json", "multipart"])
def test_plain__what_is_sent(transfer: str) -> None:
    _, server = ask([], contract="plain", tasks=["detection"], transfer=transfer, secret="Bearer s3cr3t")
    sent = server.asked[0]
    assert sent.headers["authorization"] == "Bearer s3cr3t"
    if transfer == "json":
        data = base64.b64decode(json.loads(sent.body)["image"])
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), IMAGE)
    else:
        assert b'name="image"' in sent.body
        assert b"\x89PNG" in sent.body


def test_plain__geotiff_travels_with_all_bands_and_its_place(tmp_path: Any) -> None:
    from countersign.models.contract import ReadsFiles

    bands = np.random.default_rng(1).integers(0, 4000, (40, 60, 5), dtype=np.uint16)
    tags = [(33550, 12, 3, (10.0, 10.0, 0.0), True), (33922, 12, 6, (0.0, 0.0, 0.0, 5e5, 4e6, 0.0), True)]
    tifffile.imwrite(tmp_path / "a.tif", bands, photometric="minisblack", planarconfig="contig", extratags=tags)
    for pre in ([], [{"step": "bands", "select": [4, 0]}, {"step": "normalise", "scale": 0.001}]):
        with serving(lambda _: Reply(b"[]")) as server:
            said = {"url": server.url, "contract": "plain", "tasks": ["detection"], "encoding": "tiff", "pre": pre}
            model = family.connect(spec.from_data(said), "m")
            assert isinstance(model, Model)
            assert isinstance(model, ReadsFiles)
            model.predict([model.read(tmp_path / "a.tif")], ALL)
            model.close()
        sent = io.BytesIO(base64.b64decode(json.loads(server.asked[0].body)["image"]))
        with tifffile.TiffFile(sent) as opened:
            expected = bands if not pre else bands[..., [4, 0]].astype(np.float32) * np.float32(0.001)
            assert np.allclose(opened.asarray(), expected)
            assert opened.pages[0].tags[33922].value == (0.0, 0.0, 0.0, 5e5, 4e6, 0.0)  # type: ignore[union-attr]


def test_cvat_detector__rectangle_polygon_mask_tag_skeleton() -> None:
    crop = [1, 0, 1, 1, 2, 3, 3, 4]  # 2 x 2 pixels, then left, top, right, bottom
    answer = [
        {"confidence": "0.9", "label": "car", "points": [1, 2, 11, 12], "type": "rectangle"},
        {"confidence": 0.8, "label": "car", "points": [0, 0, 10, 0, 10, 10], "type": "polygon"},
        {"confidence": 0.7, "label": "car", "points": [], "mask": crop, "type": "mask"},
        {"label": "day", "type": "tag"},
        {"label": "person", "type": "skeleton", "elements": [
            {"label": "nose", "type": "points", "points": [3, 4], "outside": 0},
            {"label": "tail", "type": "points", "points": [0, 0], "outside": 1}]},
        {"label": "lane", "type": "polyline", "points": [0, 0, 1, 1]},
    ]  # fmt: skip
    options = PredictOptions(min_confidence=0.25)
    found, server = ask(answer, options, contract="cvat", tasks=["detection"], keypoints=["nose", "tail"])
    assert json.loads(server.asked[0].body)["threshold"] == 0.25
    kinds = [type(item.geometry) for item in found]
    assert kinds == [Box, Polygon, Mask, type(None), Keypoints]
    assert isinstance(found[2].geometry, Mask)
    assert np.argwhere(decode(found[2].geometry)).tolist() == [[3, 2], [4, 2], [4, 3]]
    assert found[4].geometry == Keypoints((3, 4, 2, 0, 0, 0))
    assert options.tally.counts() == {"shape polyline": 1}


def test_cvat_interactor() -> None:
    painted = np.zeros((40, 60), int)
    painted[4:9, 5:8] = 1
    with serving(lambda _: Reply(json.dumps({"mask": painted.tolist()}).encode())) as server:
        said = {"url": server.url, "contract": "cvat", "tasks": ["prompted_segmentation"]}
        model = family.connect(spec.from_data(said), "m")
        assert isinstance(model, PromptSegmenter)
        assert not isinstance(model, Model)
        clicks = Clicks(((6.0, 5.0), (1.0, 1.0)), (True, False), Box(4, 3, 6, 8))
        (segment,) = model.segment(model.encode(IMAGE), [clicks])
        model.close()
    assert np.array_equal(segment.mask, painted > 0)
    sent = json.loads(server.asked[0].body)
    assert (sent["pos_points"], sent["neg_points"], sent["obj_bbox"]) == ([[6, 5]], [[1, 1]], [[4, 3], [10, 11]])


def test_x_anylabeling() -> None:
    shapes = [
        {"label": "person", "shape_type": "rectangle", "points": [[1, 2], [11, 2], [11, 12], [1, 12]], "score": 0.95},
        {"label": "person", "shape_type": "polygon", "points": [[0, 0], [9, 0], [9, 9]]},
    ]
    found, server = ask({"success": True, "data": {"shapes": shapes, "description": ""}}, path="",
                        contract="x-anylabeling", tasks=["detection"], model="yolo", header="Token",
                        secret="abc12345")  # fmt: skip
    assert found[0] == Prediction("person", Box(1, 2, 10, 10), 0.95)
    assert isinstance(found[1].geometry, Polygon)
    assert server.asked[0].path == "/v1/predict"
    assert server.asked[0].headers["token"] == "abc12345"


def test_x_anylabeling__refusal_with_status_200() -> None:
    answer = {"success": False, "error": {"code": "INFERENCE_ERROR", "message": "CUDA out of something"}}
    with pytest.raises(ModelError, match="CUDA out of something"):
        ask(answer, contract="x-anylabeling", tasks=["detection"], model="yolo")


def test_supervisely() -> None:
    mask = np.zeros((3, 4), np.uint8)
    mask[1] = 255
    bitmap = base64.b64encode(zlib.compress(png(mask))).decode()
    objects = [
        {"classTitle": "cat", "geometryType": "rectangle", "points": {"exterior": [[1, 2], [10, 11]], "interior": []},
         "tags": [{"name": "confidence", "value": 0.5}]},
        {"classTitle": "cat", "geometryType": "bitmap", "bitmap": {"data": bitmap, "origin": [5, 6]}, "tags": []},
    ]  # fmt: skip
    found, server = ask({"annotation": {"objects": objects, "tags": []}}, path="", contract="supervisely",
                        tasks=["detection"])  # fmt: skip
    assert server.asked[0].path == "/inference_image"
    assert found[0] == Prediction("cat", Box(1, 2, 10, 10), 0.5)
    assert found[1].geometry is not None
    assert found[1].geometry.bounds == (5, 7, 4, 1)


def region(kind: str, value: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"from_name": "label", "to_name": "image", "type": kind, "value": {**value, kind: ["cat"]}, **more}


def packed(values: list[int]) -> list[int]:
    """Pack bytes as one literal run after another, as Label Studio's brush encoding allows."""
    bits = f"{len(values):032b}" + f"{7:05b}" + f"{0:04b}{1:04b}{2:04b}{15:04b}"
    for start in range(0, len(values), 65536):
        part = values[start : start + 65536]
        bits += "0" + "11" + f"{len(part) - 1:016b}" + "".join(f"{value:08b}" for value in part)
    bits += "0" * (-len(bits) % 8)
    return [int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)]


def test_label_studio() -> None:
    painted = np.zeros((40, 60, 4), np.uint8)
    painted[10:12, 20:25] = 255
    regions = [
        region("rectanglelabels", {"x": 10, "y": 25, "width": 50, "height": 50}, score=0.6),
        region("polygonlabels", {"points": [[0, 0], [50, 0], [50, 50]]}),
        region("brushlabels", {"format": "rle", "rle": packed(painted.ravel().tolist())}),
    ]

    def answer(asked: Asked) -> Any:
        if asked.path == "/setup":
            return {"model_version": "v1"}
        return {"results": [{"result": regions, "score": 0.9}], "model_version": "v1"}

    found, server = ask(answer, path="", contract="label-studio", tasks=["detection"], classes=["cat", "dog & co"])
    assert [asked.path for asked in server.asked] == ["/setup", "/predict"]
    assert "dog &amp; co" in json.loads(server.asked[0].body)["schema"]
    assert found[0] == Prediction("cat", Box(6, 10, 30, 20), 0.6)
    assert isinstance(found[1].geometry, Polygon)
    assert found[1].confidence == 0.9
    assert isinstance(found[2].geometry, Mask)
    assert found[2].geometry.bounds == (20, 10, 5, 2)


def test_label_studio__a_backend_that_has_forgotten_its_set_up() -> None:
    """As one that was started again: it fails until it is set up."""
    ready = False

    def answer(asked: Asked) -> Reply:
        nonlocal ready
        if asked.path == "/setup":
            ready = True
            return Reply(b'{"model_version": "v1"}')
        return Reply(b'{"results": [{"result": []}]}' if ready else b"Model is not loaded", 200 if ready else 500)

    with serving(answer) as server:
        data = {"url": server.url, "contract": "label-studio", "tasks": ["detection"], "classes": ["a"], "retries": 0}
        model = family.connect(spec.from_data(data), "m")
        assert isinstance(model, Model)
        model.predict([IMAGE], ALL)
        ready = False
        assert model.predict([IMAGE], ALL) == [[]]
        model.close()
    assert [asked.path for asked in server.asked] == ["/setup", "/predict", "/predict", "/setup", "/predict"]


def test_brush__a_repeated_run() -> None:
    bits = f"{16:032b}{7:05b}{3:04b}{7:04b}{7:04b}{7:04b}" + "1" + "00" + f"{15:04b}" + f"{200:08b}"
    bits += "0" * (-len(bits) % 8)
    assert brush([int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)], (2, 2)).all()


def test_brush__one_that_ends_early() -> None:
    with pytest.raises(ValueError, match="ends early"):
        brush([0, 0, 0, 16, 56], (2, 2))


def test_questions_need_a_contract_that_has_them() -> None:
    with pytest.raises(ModelError, match="no way to ask"):
        family.connect(spec.from_data({"url": "http://127.0.0.1:9", "contract": "plain", "tasks": ["questions"]}), "m")


def test_plain_model_is_no_refiner() -> None:
    said = {"url": "http://127.0.0.1:9", "contract": "plain", "tasks": ["detection"]}
    assert not isinstance(family.connect(spec.from_data(said), "m"), BoxRefiner)
