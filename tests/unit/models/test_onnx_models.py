"""ONNX models of our own making, from file to prediction."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import tiny_onnx
from countersign.domain.errors import ModelError
from countersign.domain.geometry import Box, Keypoints, Mask
from countersign.domain.label import Prediction
from countersign.domain.model import Task
from countersign.models import registry
from countersign.models.contract import BoxRefiner, Embedder, Model, PredictOptions, SplitModel
from countersign.models.parts import threads

COLOURS = """
input: {divide: 255, resize: stretch}
output: {decoder: classes, scores: probabilities}
classes: [red, green, blue]
"""
ALL = PredictOptions(min_confidence=0.0, settings={"top": 3})


def _plain(colour: tuple[int, int, int], height: int = 20, width: int = 30) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def _scores(model: Model, image: np.ndarray) -> dict[str, float]:
    return {item.class_name: round(item.confidence or 0, 3) for item in model.predict([image], ALL)[0]}


@pytest.fixture
def colours(tmp_path: Path) -> Path:
    path = tiny_onnx.colour_means(tmp_path / "colours.onnx")
    tiny_onnx.describe(path, COLOURS)
    return path


def test_load__described_by_a_file_beside_it(colours: Path) -> None:
    model = registry.load(str(colours))
    assert isinstance(model, SplitModel)
    assert model.card.classes == ("red", "green", "blue")
    assert model.card.tasks == (Task.CLASSIFICATION,)
    assert len(model.card.weights_hash) == 64
    assert registry.card(str(colours)) == model.card
    assert _scores(model, _plain((255, 0, 51))) == {"red": 1.0, "blue": 0.2, "green": 0.0}


def test_load__folder_with_one_file(colours: Path) -> None:
    assert registry.load(str(colours.parent)).card.classes == ("red", "green", "blue")
    assert registry.load(f"onnx:{colours}").card.classes == ("red", "green", "blue")


def test_load__a_description_elsewhere(tmp_path: Path) -> None:
    path = tiny_onnx.colour_means(tmp_path / "colours.onnx")
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "names.txt").write_text("r\ng\nb\n")
    (other / "how.yaml").write_text(COLOURS.replace("[red, green, blue]", "names.txt"))
    assert registry.load(f"{path}?description={other / 'how.yaml'}").card.classes == ("r", "g", "b")


def test_load__metadata(tmp_path: Path) -> None:
    description = {
        "input": {"divide": 255},
        "output": {"decoder": "classes", "scores": "logits"},
        "classes": ["a", "b", "c"],
        "licence": "MIT",
    }
    path = tiny_onnx.colour_means(tmp_path / "m.onnx", metadata={"countersign": json.dumps(description)})
    card = registry.load(str(path)).card
    assert (card.classes, card.licence, card.details["described_by"]) == (("a", "b", "c"), "MIT", "metadata")


def test_batches__mixed_and_one_by_one_are_the_same(colours: Path) -> None:
    model = registry.load(str(colours))
    images = [_plain((10 * i, 200 - 10 * i, i), 5 + i, 40 - i) for i in range(7)]
    assert model.predict(images, ALL) == [model.predict([image], ALL)[0] for image in images]
    assert model.predict([], ALL) == []


@pytest.mark.parametrize("batch", [1, 4, "batch"])
def test_batches__whatever_the_model_takes(tmp_path: Path, batch: int | str) -> None:
    path = tiny_onnx.colour_means(tmp_path / "m.onnx", batch=batch)
    tiny_onnx.describe(path, COLOURS)
    model = registry.load(str(path))
    found = model.predict([_plain((51 * i, 0, 0)) for i in range(6)], PredictOptions(min_confidence=0.0))
    assert [items[0].confidence for items in found] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0], abs=1e-6)


def test_size__dynamic(tmp_path: Path) -> None:
    path = tiny_onnx.colour_means(tmp_path / "m.onnx", size=("height", "width"))
    tiny_onnx.describe(path, COLOURS.replace("{divide: 255,", "{divide: 255, size: dynamic, longest: 64,"))
    model = registry.load(str(path))
    assert isinstance(model, SplitModel)
    assert model.prepare(_plain((0, 0, 0), 100, 200)).pixels.shape == (3, 32, 64)
    images = [_plain((255, 0, 0)), _plain((0, 255, 0), 90, 30), _plain((0, 0, 255))]
    assert [items[0].class_name for items in model.predict(images, ALL)] == ["red", "green", "blue"]


def test_input__bytes_channels_last_bgr(tmp_path: Path) -> None:
    path = tiny_onnx.colour_means(tmp_path / "m.onnx", layout="NHWC", dtype="uint8", batch=1)
    tiny_onnx.describe(
        path, "input: {colour: BGR}\noutput: {decoder: classes, scores: probabilities, scale: 0.00392156862745098}\n"
        "classes: [blue, green, red]\n",
    )  # fmt: skip
    assert _scores(registry.load(str(path)), _plain((255, 0, 51))) == {"red": 1.0, "blue": 0.2, "green": 0.0}


def test_input__mean_and_std_follow_the_channels(tmp_path: Path) -> None:
    path = tiny_onnx.colour_means(tmp_path / "m.onnx", dtype="float16")
    tiny_onnx.describe(path, COLOURS.replace("divide: 255", "divide: 255, mean: [0.5, 0, 0], std: [0.5, 1, 2]"))
    model = registry.load(str(path))
    prepared = model.prepare(_plain((255, 51, 255))).pixels  # type: ignore[attr-defined]
    assert prepared.dtype == np.float16
    assert prepared[:, 0, 0].tolist() == pytest.approx([1.0, 0.2, 0.5], abs=1e-3)


def test_threads__several_at_once_and_other_counts(colours: Path) -> None:
    model = registry.load(str(colours))
    images = [_plain((9 * i, 0, 0)) for i in range(4)]
    expected = model.predict(images, ALL)
    try:
        for share in (threads.Share(2, 1), threads.Share(1, 2), None):
            threads.use(share)
            with ThreadPoolExecutor(4) as pool:
                assert all(found == expected for found in pool.map(lambda _: model.predict(images, ALL), range(8)))
    finally:
        threads.use(None)


def test_pool__callers_and_helpers_are_the_cores() -> None:
    try:
        threads.use(threads.Share(4, 2))
        assert threads.pool() + 4 - 1 == 8
        threads.use(threads.Share(2, 1))
        assert threads.pool() == 1
    finally:
        threads.use(None)
    assert threads.pool() == threads.available()


@pytest.mark.parametrize("length", [0, 10, -40])
def test_corrupt_file(colours: Path, length: int) -> None:
    colours.write_bytes(colours.read_bytes()[:length])
    with pytest.raises(ModelError, match=r"colours\.onnx cannot be opened as an ONNX model"):
        registry.load(str(colours))
    with pytest.raises(ModelError, match=r"colours\.onnx cannot be opened as an ONNX model"):
        registry.card(str(colours))


def test_missing_output(colours: Path) -> None:
    tiny_onnx.describe(colours, COLOURS.replace("decoder: classes,", "decoder: classes, outputs: [logits],"))
    with pytest.raises(ModelError, match=r"no output logits.*may name scores"):
        registry.load(str(colours))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("input: {divide: 255, name: image}\noutput: {decoder: embedding}", "there is no input 'image'"),
        ("output: {decoder: embedding}", "input.divide is missing"),
        ("input: {divide: 1, size: [8, 8]}\noutput: {decoder: embedding}", r"input.size is \[8, 8\]"),
        ("input: {divide: 1, size: dynamic}\noutput: {decoder: embedding}", "input.size is dynamic"),
        ("input: {divide: 1, layout: NHWC}\noutput: {decoder: embedding}", "RGB makes 3 channels"),
        ("input: {divide: 1, colour: GREY, layout: NCHW}\noutput: {decoder: embedding}", "GREY makes 1 channels"),
        ("input: {divide: 1, dtype: uint8}\noutput: {decoder: embedding}", "input.dtype is uint8"),
        ("input: {divide: 1, extra: {scale: image_wh}}\noutput: {decoder: embedding}", "input.extra names scale"),
        ("input: {divide: 1}\noutput: {decoder: embedding}\nskeleton: [[0, 1]]", "skeleton speaks of keypoint 1"),
        ("input: {divide: 1}\noutput: {decoder: embedding}\nclasses: ../names.txt", "is outside"),
        ("input: {divide: 1}\noutput: {decoder: embedding}\nclasses: names.txt", "cannot be read"),
    ],
)
def test_description_that_does_not_fit(colours: Path, wrong: str, said: str) -> None:
    tiny_onnx.describe(colours, wrong)
    with pytest.raises(ModelError, match=said):
        registry.open_any(str(colours))


def test_names__another_number_than_the_model_has(colours: Path) -> None:
    tiny_onnx.describe(colours, COLOURS.replace(", blue", ""))
    model = registry.load(str(colours))
    with pytest.raises(ModelError, match="2 class names are declared for 3 classes"):
        model.predict([_plain((0, 0, 0))], ALL)


def test_names__none_declared_are_numbered(colours: Path) -> None:
    tiny_onnx.describe(colours, COLOURS.replace("classes: [red, green, blue]", ""))
    assert registry.load(str(colours)).card.classes == ("class 0", "class 1", "class 2")


def test_undescribed__says_what_must_be_declared_and_where(tmp_path: Path) -> None:
    path = tiny_onnx.colour_means(tmp_path / "own.onnx")
    with pytest.raises(ModelError) as caught:
        registry.load(str(path))
    text = str(caught.value)
    for part in ("own.countersign.yaml", "images float32 [batch, 3, 16, 16]", "yolov8", "classes:", "divide: 255"):
        assert part in text
    # The example in the message is one that works, once it names the right decoder.
    example = text[text.index("input:") : text.index("The guide")]
    tiny_onnx.describe(path, example.replace("decoder: yolov8", "decoder: classes\n  scores: logits"))
    tiny_onnx.describe(path, path.with_suffix(".countersign.yaml").read_text().replace("[cat, dog]", "[a, b, c]"))
    assert registry.load(str(path)).card.classes == ("a", "b", "c")


def test_embedding(colours: Path) -> None:
    tiny_onnx.describe(colours, "input: {divide: 255}\noutput: {decoder: embedding}\n")
    model = registry.open_any(str(colours))
    assert isinstance(model, Embedder)
    assert not isinstance(model, Model)
    vectors = model.embed([_plain((255, 0, 0)), _plain((0, 30, 40), 9, 9)])
    assert vectors.dtype == np.float32
    assert vectors == pytest.approx(np.array([[1, 0, 0], [0, 0.6, 0.8]]), abs=1e-6)
    with pytest.raises(ModelError, match="does not label images by itself"):
        registry.load(str(colours))


def _yolo(classes: int, tail: int = 0) -> np.ndarray:
    """Two boxes of the last class that are doubles, one of the first."""
    rows = np.zeros((3, 4 + classes + tail), np.float32)
    rows[:, :4] = [[32, 32, 20, 20], [33, 32, 20, 20], [10, 24, 8, 8]]
    last = 3 + classes
    rows[0, last], rows[1, last], rows[2, 4] = 0.9, 0.8, 0.7
    return rows


def test_ultralytics_metadata__detector(tmp_path: Path) -> None:
    metadata = {"names": "{0: 'cat', 1: 'dog'}", "task": "detect", "stride": "32", "imgsz": "[64, 64]",
                "license": "AGPL-3.0 License (https://ultralytics.com/license)"}  # fmt: skip
    path = tiny_onnx.constant_outputs(tmp_path / "yolo.onnx", {"output0": _yolo(2).T[None]}, metadata=metadata)
    model = registry.load(str(path))
    assert model.card.classes == ("cat", "dog")
    assert model.card.licence == "AGPL-3.0"
    found = model.predict([np.zeros((64, 128, 3), np.uint8)], PredictOptions())[0]
    assert [(item.class_name, item.confidence) for item in found] == [
        ("dog", pytest.approx(0.9)), ("cat", pytest.approx(0.7)),
    ]  # fmt: skip
    # 128 x 64 lies in the middle of 64 x 64 at half its size: 16 rows are left free above.
    assert found[0].geometry == Box(44, 12, 40, 40)


def test_ultralytics_metadata__pose(tmp_path: Path) -> None:
    rows = np.array([[32, 32, 20, 20, 0.9, 20, 20, 0.9, 30, 30, 0.1]])
    metadata = {"names": "{0: 'thing'}", "task": "pose", "stride": "32", "imgsz": "[64, 64]", "kpt_shape": "[2, 3]"}
    path = tiny_onnx.constant_outputs(tmp_path / "pose.onnx", {"output0": rows.T[None]}, metadata=metadata)
    model = registry.load(str(path))
    assert model.card.tasks == (Task.POSE, Task.DETECTION)
    found = model.predict([np.zeros((64, 64, 3), np.uint8)], PredictOptions())[0]
    assert isinstance(found[0].geometry, Keypoints)
    assert found[0].geometry.points == pytest.approx((20, 20, 2, 0, 0, 0))
    boxes = model.predict([np.zeros((64, 64, 3), np.uint8)], PredictOptions(task=Task.DETECTION))[0]
    assert isinstance(boxes[0].geometry, Box)
    with pytest.raises(ModelError, match="does not do classification"):
        model.predict([np.zeros((64, 64, 3), np.uint8)], PredictOptions(task=Task.CLASSIFICATION))


def test_ultralytics_metadata__segmenter(tmp_path: Path) -> None:
    rows = _yolo(2, tail=4)
    rows[:, 6] = 1.0
    prototypes = np.full((1, 4, 16, 16), -1, np.float32)
    prototypes[0, 0, :, :8] = 1  # the left half of the input
    metadata = {"names": "{0: 'cat', 1: 'dog'}", "task": "segment", "stride": "32", "imgsz": "[64, 64]"}
    values = {"output0": rows.T[None], "output1": prototypes}
    model = registry.load(str(tiny_onnx.constant_outputs(tmp_path / "seg.onnx", values, metadata=metadata)))
    found = model.predict([np.zeros((64, 64, 3), np.uint8)], PredictOptions())[0]
    assert isinstance(found[0].geometry, Mask)
    assert found[0].geometry.bounds == (22, 22, 10, 20)  # its box, as far as the left half goes


def test_ultralytics_metadata__unknown_task(tmp_path: Path) -> None:
    metadata = {"names": "{0: 'cat'}", "task": "obb", "stride": "32"}
    path = tiny_onnx.constant_outputs(tmp_path / "obb.onnx", {"output0": _yolo(1).T[None]}, metadata=metadata)
    with pytest.raises(ModelError, match="task 'obb' has no decoder"):
        registry.load(str(path))


def test_pose__refines_boxes_of_another_model(tmp_path: Path) -> None:
    points = np.array([[[[0.5, 0.25, 0.9], [0.5, 0.5, 0.1]]]])  # y, x, score
    path = tiny_onnx.constant_outputs(tmp_path / "pose.onnx", {"points": points})
    tiny_onnx.describe(path, "input: {divide: 1}\noutput: {decoder: keypoints}\nkeypoints: [nose, tail]\n")
    model = registry.open_any(str(path))
    assert isinstance(model, BoxRefiner)
    assert model.card.details["keypoint_names"] == ["nose", "tail"]
    item = Prediction("dog", Box(40, 40, 16, 16), 0.8, {"a": 1})
    found = model.refine([np.zeros((100, 100, 3), np.uint8)], [[item]], PredictOptions())[0]
    assert isinstance(found[0].geometry, Keypoints)
    assert found[0].geometry.points == pytest.approx((43, 48, 2, 0, 0, 0))  # 38 + a quarter of 20, 38 + half of it
    assert found[0].geometry.box == item.geometry
    assert (found[0].class_name, found[0].confidence, found[0].attributes["a"]) == ("dog", 0.8, 1)


def test_predict__numbers_that_are_none_raise_no_warning(tmp_path: Path) -> None:
    rows = np.full((1, 20, 7), np.inf, np.float32)
    rows[0, 0] = (32, 32, 20, 10, 1, 0.9, 0.1)
    rows[0, 1:5] = np.nan
    rows[0, 5:9] = 3e38
    path = tiny_onnx.constant_outputs(tmp_path / "wild.onnx", {"boxes": rows})
    tiny_onnx.describe(path, "input: {divide: 255}\noutput: {decoder: yolov5}\nclasses: [cat, dog]\nnms: 0.5")
    options = PredictOptions(min_confidence=0.1)

    (found,) = registry.load(str(path)).predict([_plain((9, 9, 9), 64, 64)], options)

    assert [(item.class_name, item.geometry) for item in found] == [("cat", Box(22, 27, 20, 10))]
    assert options.tally.counts()["degenerate"] > 0
