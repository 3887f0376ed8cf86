"""Decoders: known numbers give known results, and no numbers at all can break them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from countersign.domain import mask
from countersign.domain.errors import ModelError
from countersign.domain.geometry import Box, Keypoints, Mask
from countersign.domain.model import Task
from countersign.models.contract import PredictOptions
from countersign.models.onnx import decoders
from countersign.models.onnx.decoders.base import Labels, Output
from countersign.models.onnx.frame import Frame
from countersign.models.onnx.inputs import Fit, Input

WHOLE = Frame((64, 64), (64, 64), 1.0, 1.0)
HALF = Frame((100, 200), (64, 64), 0.32, 0.32, 0.0, 16.0)
"""An image of 200 x 100 in the middle of an input of 64 x 64."""
LABELS = Labels(("cat", "dog"), (), nms=0.5)


def _made(**values: Any) -> Output:
    found: Output = TypeAdapter(decoders.Decoder).validate_python(values)
    return found


def _run(output: Output, arrays: list[Any], frame: Frame = WHOLE, labels: Labels = LABELS, **options: Any) -> Any:
    raw = [np.asarray(array, np.float32) for array in arrays]
    return output.decode(raw, frame, labels, PredictOptions(min_confidence=options.pop("least", 0.1), **options))


def test_frame__there_and_back() -> None:
    assert HALF.points(np.array([[0, 16], [64, 48]])) == pytest.approx(np.array([[0, 0], [200, 100]]))
    picture = np.zeros((100, 200, 3), np.uint8)
    for resize in ("stretch", "letterbox", "letterbox_centred"):
        frame = Fit("x", (64, 64), "NCHW", "uint8", Input(resize=resize)).prepare(picture).frame
        end = (frame.left + 200 * frame.scale_x, frame.top + 100 * frame.scale_y)
        corners = frame.corners(np.array([[frame.left, frame.top, *end]]))
        assert corners == pytest.approx(np.array([[0, 0, 200, 100]]))
    crop = Fit("x", (64, 64), "NCHW", "uint8", Input(resize="centre_crop")).prepare(picture)
    assert crop.frame.corners(np.array([[0, 0, 64, 64]])) == pytest.approx(np.array([[50, 0, 150, 100]]))


def test_yolov5__objectness_times_class() -> None:
    found = _run(_made(decoder="yolov5"), [[[[32, 32, 20, 10, 0.5, 0.4, 0.8]]]])
    assert (found[0].class_name, found[0].confidence) == ("dog", pytest.approx(0.4))
    assert found[0].geometry == Box(22, 27, 20, 10)


def test_yolo10__finished_boxes() -> None:
    found = _run(_made(decoder="yolov10"), [[[[0, 16, 32, 32, 0.9, 1], [0, 0, 0, 0, 0, 0]]]], HALF)
    assert [(item.class_name, item.geometry.bounds) for item in found] == [("dog", (0, 0, 100, 50))]


def test_yolox__cells_and_strides() -> None:
    rows = np.zeros((1, 84, 7))  # 8 x 8 + 4 x 4 + 2 x 2 cells
    rows[0, 9] = [0.5, 0.5, np.log(2), np.log(1), 0.5, 0.1, 0.9]  # column 1, row 1 at stride 8
    found = _run(_made(decoder="yolox"), [rows])
    assert found[0].confidence == pytest.approx(0.45)
    assert found[0].geometry.bounds == pytest.approx((4, 8, 16, 8))
    with pytest.raises(ModelError, match="has 84 cells at strides 8, 16, 32"):
        _run(_made(decoder="yolox"), [rows[:, :80]])


def test_fastestdet() -> None:
    table = np.zeros((1, 7, 4, 4))
    table[0, :, 1, 2] = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5]
    found = _run(_made(decoder="fastestdet"), [table])
    assert found[0].confidence == pytest.approx(0.5**0.4)
    assert found[0].geometry.bounds == pytest.approx((16, 0, 32, 32))


def test_boxes__detr_with_softmax_and_a_last_background() -> None:
    output = _made(decoder="boxes", coordinates="cxcywh", units="fraction", scores="softmax", background=-1)
    logits = [[[0, 5, 0], [0, 0, 9]]]
    found = _run(output, [[[[0.5, 0.5, 0.5, 0.25], [0.5, 0.5, 1, 1]]], logits], least=0.5)
    assert [(item.class_name, item.geometry.bounds) for item in found] == [("dog", (16, 24, 32, 16))]


def test_boxes__tensorflow_labels_from_1() -> None:
    output = _made(decoder="boxes", coordinates="yxyx", units="fraction", label_offset=1)
    found = _run(output, [[[[0, 0.5, 0.5, 1]]], [[0.8]], [[2]]])
    assert [(item.class_name, item.geometry.bounds) for item in found] == [("dog", (32, 0, 32, 32))]
    with pytest.raises(ModelError, match="speaks of class 2, but 2 names"):
        _run(output, [[[[0, 0.5, 0.5, 1]]], [[0.8]], [[3]]])


def test_boxes__pixels_of_the_image_stay() -> None:
    output = _made(decoder="boxes", coordinates="xywh", units="image")
    found = _run(output, [[[10, 20, 30, 40]], [0.8], [0]], HALF)
    assert found[0].geometry.bounds == pytest.approx((10, 20, 30, 40), abs=1e-4)


def test_priors__a_face_where_the_prior_is() -> None:
    output = _made(decoder="priors", min_sizes=((16,),), strides=(32,))
    offsets = np.zeros((4, 6))
    scores = np.zeros((4, 2))
    scores[3, 1] = 0.9
    labels = Labels(("face",), ("nose",), 0.3)
    found = _run(output, [offsets, scores], WHOLE, labels)
    assert found[0].geometry.bounds == pytest.approx((40, 40, 16, 16))
    pose = _run(output, [offsets, scores], WHOLE, labels, task=Task.POSE)
    assert isinstance(pose[0].geometry, Keypoints)
    assert pose[0].geometry.points == pytest.approx((48, 48, 2))


@pytest.mark.parametrize(("scores", "first"), [("logits", 0.982), ("sigmoid", 0.982), ("probabilities", 1.0)])
def test_classes(scores: str, first: float) -> None:
    found = _run(_made(decoder="classes", scores=scores), [[[4, 0]]])
    assert (found[0].class_name, found[0].confidence) == ("cat", pytest.approx(first, abs=1e-3))


def test_classes__background_is_never_said() -> None:
    labels = Labels(("background", "cat"))
    assert _run(_made(decoder="classes", scores="probabilities", background=0), [[[0.8, 0.15]]], WHOLE, labels)[
        0
    ].confidence == pytest.approx(0.15)


def test_semantic__only_where_the_image_is() -> None:
    table = np.zeros((1, 2, 64, 64))
    table[0, 1, :, 32:] = 9
    table[0, 1, :16] = 9  # above the image: the letterbox
    found = _run(_made(decoder="semantic", scores="logits"), [table], HALF, Labels(("", "dog")))
    assert len(found) == 1
    painted = mask.decode(found[0].geometry)
    assert painted.shape == (100, 200)
    assert painted[:, 102:].all()
    assert not painted[3:, :98].any()  # within a cell of the edge the letterbox shows through


def test_semantic__class_map_and_one_class_alone() -> None:
    numbers = np.zeros((1, 64, 64, 1))
    numbers[0, :32] = 1
    found = _run(_made(decoder="semantic", scores="map"), [numbers], WHOLE, Labels(("", "dog")))
    assert (found[0].confidence, found[0].geometry.bounds) == (None, (0, 0, 64, 32))
    alone = _run(
        _made(decoder="semantic", scores="sigmoid"), [numbers[:, None, :, :, 0] * 8 - 4], WHOLE, Labels(("dog",))
    )
    assert alone[0].geometry.bounds == (0, 0, 64, 32)
    assert alone[0].confidence == pytest.approx(0.982, abs=1e-3)


def test_heatmaps__highest_place_leans_to_its_neighbour() -> None:
    maps = np.zeros((1, 1, 16, 16))
    maps[0, 0, 5, 8], maps[0, 0, 5, 9] = 0.9, 0.5
    found = _run(_made(decoder="heatmaps"), [maps], WHOLE, Labels(("person",)))
    assert found[0].geometry.points == pytest.approx((8.75 * 4, 5.5 * 4, 2))
    assert found[0].confidence == pytest.approx(0.9)


def test_quantised_outputs() -> None:
    output = _made(decoder="classes", scores="probabilities", scale=1 / 128, zero_point=64)
    assert _run(output, [[[64, 128]]])[0].confidence == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("declared", "arrays"),
    [
        ({"decoder": "yolov8"}, [np.zeros((1, 9, 5))]),
        ({"decoder": "yolov8"}, [np.zeros((2, 6, 5))]),
        ({"decoder": "yolov8", "masks": True}, [np.zeros((1, 6, 5))]),
        ({"decoder": "yolov10"}, [np.zeros((1, 5, 7))]),
        ({"decoder": "fastestdet"}, [np.zeros((1, 6, 4, 4))]),
        ({"decoder": "boxes", "coordinates": "xyxy", "units": "input"}, [np.zeros((3, 5)), np.zeros((3, 2))]),
        ({"decoder": "boxes", "coordinates": "xyxy", "units": "input"}, [np.zeros((3, 4)), np.zeros((2, 2))]),
        ({"decoder": "boxes", "coordinates": "xyxy", "units": "input"}, [np.zeros((3, 4)), np.zeros(3), np.zeros(2)]),
        ({"decoder": "classes", "scores": "logits"}, [np.zeros((1, 3))]),
        ({"decoder": "semantic", "scores": "logits"}, [np.zeros((1, 3, 4, 4))]),
        ({"decoder": "keypoints"}, [np.zeros((1, 17, 5))]),
        ({"decoder": "priors"}, [np.zeros((7, 4)), np.zeros((7, 2))]),
        ({"decoder": "embedding"}, [np.full((1, 3), np.nan)]),
    ],
)
def test_other_shapes_are_model_errors(declared: dict[str, Any], arrays: list[Any]) -> None:
    with pytest.raises(ModelError):
        _run(_made(**declared), arrays)


SHAPES: list[tuple[dict[str, Any], list[tuple[int, ...]]]] = [
    ({"decoder": "yolov5"}, [(1, 20, 7)]),
    ({"decoder": "yolov8"}, [(1, 6, 20)]),
    ({"decoder": "yolov8", "masks": True}, [(1, 10, 12), (1, 4, 16, 16)]),
    ({"decoder": "yolo11", "keypoints": 3}, [(1, 15, 12)]),
    ({"decoder": "yolov10"}, [(1, 20, 6)]),
    ({"decoder": "yolox"}, [(1, 84, 7)]),
    ({"decoder": "fastestdet"}, [(1, 7, 4, 4)]),
    ({"decoder": "boxes", "coordinates": "xyxy", "units": "input", "scores": "sigmoid"}, [(1, 9, 4), (1, 9, 2)]),
    ({"decoder": "boxes", "coordinates": "cxcywh", "units": "fraction"}, [(9, 4), (9, 2)]),
    ({"decoder": "priors", "min_sizes": ((16, 20),), "strides": (16,)}, [(32, 8), (32, 2), (32, 1)]),
    ({"decoder": "classes", "scores": "logits"}, [(1, 2)]),
    ({"decoder": "semantic", "scores": "logits"}, [(1, 2, 8, 8)]),
    ({"decoder": "semantic", "scores": "probabilities", "channels": "last"}, [(1, 8, 8, 2)]),
    ({"decoder": "semantic", "scores": "map"}, [(1, 8, 8)]),
    ({"decoder": "keypoints"}, [(1, 1, 5, 3)]),
    ({"decoder": "heatmaps", "scores": "sigmoid"}, [(1, 5, 8, 6)]),
]


@given(
    st.sampled_from(SHAPES),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.01, 1.0, 60.0, 1e6, 1e30]),
    st.sampled_from([0.0, 0.1, 0.5]),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.sampled_from([WHOLE, HALF, Frame((1, 1), (64, 64), 64.0, 64.0)]),
)
@settings(max_examples=250)
def test_any_numbers__results_inside_the_image_or_none(
    kind: tuple[dict[str, Any], list[tuple[int, ...]]], seed: int, size: float, holes: float, sign: float, frame: Frame
) -> None:
    declared, shapes = kind
    rng = np.random.default_rng(seed)
    output = _made(**declared)
    arrays = []
    for shape in shapes:
        values = rng.uniform(-sign, 1, shape) * size
        bad = rng.uniform(size=shape) < holes * 0.3
        values[bad] = rng.choice([np.nan, np.inf, -np.inf], int(bad.sum()))
        arrays.append(values.astype(np.float32))
    if declared["decoder"] == "yolov10":
        arrays[0][..., 5] = rng.integers(0, 2, arrays[0][..., 5].shape)
    for task in output.tasks():
        with np.errstate(all="ignore"):
            options = PredictOptions(min_confidence=0.0, task=task)
            found = output.decode(arrays, frame, LABELS, options)
        for item in found:
            assert item.class_name in LABELS.names
            assert item.confidence is None or 0 <= item.confidence <= 1
            if isinstance(item.geometry, Mask):
                assert (item.geometry.height, item.geometry.width) == frame.image
            elif item.geometry is not None:
                x, y, width, height = item.geometry.bounds
                assert min(x, y) >= 0
                assert x + width <= frame.image[1] + 1e-6
                assert y + height <= frame.image[0] + 1e-6


def test_every_decoder_is_fuzzed() -> None:
    fuzzed = {type(_made(**declared)) for declared, _ in SHAPES}
    assert set(decoders.KINDS) - fuzzed == {decoders.Embedding}  # no predictions: see test_onnx_models
