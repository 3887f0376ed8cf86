"""Tiny ONNX models made in a moment: a mean of each colour, brought to any shape; constants for outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

TYPES = {"float32": TensorProto.FLOAT, "uint8": TensorProto.UINT8, "float16": TensorProto.FLOAT16}


def save(
    path: Path,
    nodes: Sequence[Any],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    constants: Mapping[str, np.ndarray],
    metadata: Mapping[str, str] | None = None,
) -> Path:
    weights = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(list(nodes), "tiny", list(inputs), list(outputs), initializer=weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, dict(metadata or {}))
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def colour_means(
    path: Path,
    *,
    batch: int | str = "batch",
    size: tuple[int | str, int | str] = (16, 16),
    layout: str = "NCHW",
    dtype: str = "float32",
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """A "classifier" of three classes: the mean of each channel, (batch, 3)."""
    shape = [batch, 3, *size] if layout == "NCHW" else [batch, *size, 3]
    axes = np.array([2, 3] if layout == "NCHW" else [1, 2], np.int64)
    nodes = [
        helper.make_node("Cast", ["images"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels"], ["scores"], axes=axes.tolist(), keepdims=0),
    ]
    inputs = [helper.make_tensor_value_info("images", TYPES[dtype], shape)]
    outputs = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [batch, 3])]
    return save(path, nodes, inputs, outputs, {}, metadata)


def constant_outputs(
    path: Path,
    values: Mapping[str, np.ndarray],
    *,
    size: tuple[int, int] = (64, 64),
    metadata: Mapping[str, str] | None = None,
    dtype: str = "float32",
) -> Path:
    """A model that says the same of every image, one by one; the image counts for nothing."""
    nodes, outputs = [], []
    if dtype != "float32":
        nodes.append(helper.make_node("Cast", ["images"], ["pixels"], to=TensorProto.FLOAT))
    image = "pixels" if nodes else "images"
    nodes += [
        helper.make_node("ReduceMean", [image], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "nothing"], ["zero"]),
    ]
    for name, value in values.items():
        nodes.append(helper.make_node("Add", [f"{name}_value", "zero"], [name]))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, list(value.shape)))
    shape = [1, 3, *size] if dtype == "float32" else [1, *size, 3]
    inputs = [helper.make_tensor_value_info("images", TYPES[dtype], shape)]
    constants = {f"{name}_value": np.asarray(value, np.float32) for name, value in values.items()}
    constants["nothing"] = np.array(0, np.float32)
    return save(path, nodes, inputs, outputs, constants, metadata)


def describe(model: Path, text: str) -> Path:
    """Write the description beside a model."""
    file = model.with_suffix(".countersign.yaml")
    file.write_text(text, encoding="utf-8")
    return file
