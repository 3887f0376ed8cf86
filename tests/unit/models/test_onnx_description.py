"""Descriptions of ONNX models: what they may say, and what is said about those that are wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from countersign.domain.errors import ModelError
from countersign.domain.model import Task
from countersign.models.onnx import decoders, description, guess, ultralytics
from countersign.models.onnx.inputs import Input
from countersign.models.onnx.session import Signature, Tensor

GUIDE = Path(__file__).parents[3] / "docs" / "guide" / "own-models.md"
GOOD: dict[str, Any] = {"input": {"divide": 255}, "output": {"decoder": "yolov8"}, "classes": ["a"]}


def test_yaml_and_json_are_the_same() -> None:
    one = description.from_text(yaml.safe_dump(GOOD), "file")
    assert one == description.from_text(json.dumps(GOOD), "file")
    assert one.tasks() == (Task.DETECTION,)
    assert description.from_text(description.EXAMPLE, "example").classes == ["cat", "dog"]


def test_task__the_usual_one_comes_first() -> None:
    data = GOOD | {"output": {"decoder": "yolo11", "masks": True}, "task": "detection"}
    assert description.from_data(data, "file").tasks() == (Task.DETECTION, Task.INSTANCE_SEGMENTATION)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"output": {}}, "output.decoder is missing: it is one of yolov5"),
        ({"output": {"decoder": "yolo99"}}, "output.decoder is 'yolo99', which is none of yolov5"),
        ({"output": None}, "output"),
        ({"input": {"color": "RGB"}}, "there is no key input.color. Did you mean colour?"),
        ({"input": {"colour": "rgb"}}, "input.colour is 'rgb', which is not 'RGB', 'BGR' or 'GREY'"),
        ({"input": {"divide": 0}}, "input.divide is 0: input should be greater than 0"),
        ({"input": {"size": [0, 5]}}, "input.size.0 is 0"),
        ({"input": {"fill": 300}}, "input.fill is 300"),
        ({"output": {"decoder": "boxes", "units": "fraction"}}, "output.coordinates is missing"),
        ({"output": {"decoder": "boxes", "units": "fraction", "coordinates": "xy"}}, "output.coordinates is 'xy'"),
        ({"output": {"decoder": "yolov8", "decoded": True}}, "there is no key output.decoded"),
        ({"nms": 3}, "nms is 3"),
        ({"task": "pose"}, "task is pose, but decoder yolov8 gives detection"),
        ({"task": "questions"}, "cannot be described"),
        ({"licenze": "MIT"}, "there is no key licenze. Did you mean licence?"),
        ({"skeleton": [[1]]}, "skeleton.0"),
    ],
)
def test_wrong__says_which_key_and_what_is_allowed(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=re.escape(said)) as caught:
        description.from_data(GOOD | change, "own.countersign.yaml")
    assert "own.countersign.yaml" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "[1, 2]", "a: [", "a: !!python/object/apply:os.system ['true']", "a: &x [1]\nb: *x", "\x00", "x: \ud800"],
)
def test_text__that_is_no_description(text: str) -> None:
    with pytest.raises(ModelError, match=r"own\.yaml"):
        description.from_text(text, "own.yaml")


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_keys = st.sampled_from([*description.Description.model_fields, *Input.model_fields, "decoder", "x"])
_trees = st.dictionaries(_keys, _values | st.dictionaries(_keys | st.just("outputs"), _values, max_size=4), max_size=6)


@given(_trees, st.sampled_from([*decoders.names(), "?"]))
def test_any_data__is_a_description_or_a_model_error(data: dict[str, Any], decoder: str) -> None:
    if isinstance(data.get("output"), dict):
        data["output"]["decoder"] = decoder
    try:
        found = description.from_data(data, "file")
    except ModelError as error:
        assert "file" in str(error)  # noqa: PT017
    else:
        assert found.tasks()


@given(st.text(max_size=60) | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")))
@settings(max_examples=60)
def test_any_text__is_a_description_or_a_model_error(text: str) -> None:
    try:
        description.from_text(text, "file")
    except ModelError as error:
        assert "file" in str(error)  # noqa: PT017


_metadata = st.dictionaries(
    st.sampled_from(["names", "stride", "task", "imgsz", "kpt_shape", "args", "end2end", "license", "version"]),
    st.sampled_from(["{0: 'a', 1: 'b'}", "['a']", "[64, 64]", "64", "detect", "pose", "segment", "classify", "[17, 3]",
                     "[1]", "True", "{'nms': True}", "(((", ""]) | st.text(max_size=10),
)  # fmt: skip


@given(_metadata, st.lists(st.integers(1, 40), max_size=4))
def test_any_metadata_of_ultralytics__is_described_or_a_model_error(meta: dict[str, str], shape: list[int]) -> None:
    images = Tensor("images", (1, 3, 64, 64), "float32")
    signature = Signature(
        (images,), (Tensor("output0", tuple(shape), "float32"),), {"names": "?", "stride": "32"} | meta
    )
    try:
        assert ultralytics.describe(signature, Path("m.onnx")).tasks()
    except ModelError as error:
        assert "m.onnx" in str(error)  # noqa: PT017


def test_guess__only_what_is_certain() -> None:
    whole = Tensor("input", (1, 192, 192, 3), "int32")
    movenet = guess.describe(Signature((whole,), (Tensor("out", (1, 1, 17, 3), "float32"),), {}))
    assert movenet is not None
    assert movenet.output.decoder == "movenet"
    unclear = Signature((Tensor("x", (1, 3, 224, 224), "float32"),), (Tensor("y", (1, 1000), "float32"),), {})
    assert guess.describe(unclear) is None


# -- the guide --------------------------------------------------------------------------------------------------------


def test_guide__its_examples_are_descriptions() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 6
    for block in blocks:
        assert description.from_text(block, "guide").tasks()


def test_guide__speaks_of_every_key_and_decoder() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    keys = {*description.Description.model_fields, *Input.model_fields, *decoders.names()}
    keys |= {key for kind in decoders.KINDS for key in kind.model_fields}
    assert [key for key in sorted(keys) if f"`{key}`" not in text] == []


def test_schema__the_exported_one_is_fresh() -> None:
    file = GUIDE.parents[1] / "reference" / "onnx-description.schema.json"
    assert json.loads(file.read_text(encoding="utf-8")) == description.schema(), "make it anew: see the guide"


def test_schema__names_every_decoder() -> None:
    text = json.dumps(description.schema())
    assert all(f'"{name}"' in text for name in decoders.names())
    assert len(decoders.KINDS) == len({get_args(kind.model_fields["decoder"].annotation)[0] for kind in decoders.KINDS})
