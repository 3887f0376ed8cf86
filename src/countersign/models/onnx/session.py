"""One ONNX file in onnxruntime: opened once, run from several threads, its errors in words.

Knows tensors by name and shape; what they mean is known to the description.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.errors import ModelError
from countersign.models.onnx import parts
from countersign.models.parts import threads

Array = NDArray[Any]
Dimension = int | str | None
"""A number, the name of one that is open, or None for an open one without a name."""

_TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
}
_TOO_NEW = re.compile(r"Opset \d+ is under development|Unsupported model IR version: \d+")
_CODE = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : |/onnxruntime_src/\S+ ")
_FATAL = 4  # onnxruntime then prints nothing: what goes wrong is raised, too


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output as the file declares it. ``dtype`` is numpy's name, or onnxruntime's for a strange one."""

    name: str
    shape: tuple[Dimension, ...]
    dtype: str

    def __str__(self) -> str:
        sizes = ", ".join(str(size) if size is not None else "?" for size in self.shape)
        return f"{self.name} {self.dtype} [{sizes}]"


@dataclass(frozen=True, slots=True)
class Signature:
    """What a file says of itself: inputs, outputs, metadata (text by key)."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    metadata: Mapping[str, str]

    def __str__(self) -> str:
        return f"inputs: {'; '.join(map(str, self.inputs))}; outputs: {'; '.join(map(str, self.outputs))}"


def read_signature(path: Path) -> Signature:
    """Read what the file declares, without preparing it to compute. Raises ModelError."""
    return _signature(_open(path, ["CPUExecutionProvider"], 1, quick=True))


def weights_hash(path: Path) -> str:
    """SHA-256 in hex of the file, and of the weights beside it where they are a file of their own."""
    digest = hashlib.sha256()
    beside = [path.parent / name for name in parts.weights_apart(path)]
    try:
        for part in (path, *(file for file in beside if file.is_file())):
            with part.open("rb") as stream:
                while chunk := stream.read(1 << 20):
                    digest.update(chunk)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}", remedy="Check the file.") from error
    return digest.hexdigest()


class Session:
    """An opened file. Several threads may ``run`` it at once.

    It computes with the threads that ``models.threads`` allows at the time; where that has changed since, it is
    opened again.
    """

    def __init__(self, path: Path, device: str | None = None) -> None:
        self.path = path
        self.device, self._providers = _device(device)
        self._lock = threading.Lock()
        self._threads = threads.pool()
        self._session = _open(path, self._providers, self._threads)
        self.signature = _signature(self._session)

    def run(self, feeds: Mapping[str, Array], outputs: Sequence[str] | None = None) -> list[Array]:
        """Compute the outputs (all, or those named). Raises ModelError; MemoryError where there is too little."""
        try:
            return [np.asarray(value) for value in self._ready().run(outputs, dict(feeds))]
        except Exception as error:  # onnxruntime's own kinds share no base but Exception
            text = _first_line(error)
            if "allocate" in text.lower() or "out of memory" in text.lower():
                raise MemoryError(f"{self.path.name}: out of memory: {text}") from error
            given = "; ".join(f"{name} {value.dtype} {list(value.shape)}" for name, value in feeds.items())
            raise ModelError(
                f"{self.path} could not compute on {given}: {text}", remedy=f"It has {self.signature}."
            ) from error

    def _ready(self) -> Any:
        wanted = threads.pool()
        if wanted != self._threads:
            with self._lock:
                if wanted != self._threads:
                    self._session = _open(self.path, self._providers, wanted)
                    self._threads = wanted
        return self._session


def _open(path: Path, providers: list[str], count: int, *, quick: bool = False) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = _FATAL
    options.intra_op_num_threads = count
    options.inter_op_num_threads = 1
    # A helper that waits in a loop takes the core from a thread that decodes.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if quick:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    if not path.is_file():
        raise ModelError(f"there is no file {path}", remedy="Check the path.")
    try:
        return onnxruntime.InferenceSession(str(path), sess_options=options, providers=providers)
    except Exception as error:  # see above
        raise _unopened(path, error) from error


def _unopened(path: Path, error: Exception) -> ModelError:
    absent = [name for name in parts.weights_apart(path) if not (path.parent / name).is_file()]
    if absent:
        return ModelError(
            f"{path} keeps its weights in {', '.join(absent)}, which is not there",
            remedy=f"Put it into {path.parent}, under this name.",
        )
    text = " ".join(str(error).split())
    if newest := _TOO_NEW.search(text):
        return ModelError(
            f"{path} is too new for the onnxruntime that is installed ({newest[0]})",
            remedy="Update onnxruntime, or export the model again for an older opset.",
        )
    return ModelError(
        f"{path} cannot be opened as an ONNX model: {_CODE.sub('', text)[:300]}",
        remedy="The file may be damaged or cut short: fetch or export it again.",
    )


def _device(wanted: str | None) -> tuple[str, list[str]]:
    import onnxruntime

    cuda = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    if wanted is not None and wanted.startswith("cuda") and not cuda:
        raise ModelError(
            "onnxruntime here computes on the CPU alone", remedy="Choose the device cpu, or install onnxruntime-gpu."
        )
    if cuda and (wanted is None or wanted.startswith("cuda")):
        return "cuda", ["CUDAExecutionProvider", "CPUExecutionProvider"]
    return "cpu", ["CPUExecutionProvider"]


def _signature(session: Any) -> Signature:
    def tensors(nodes: Any) -> tuple[Tensor, ...]:
        return tuple(Tensor(n.name, _shape(n.shape), _TYPES.get(n.type, str(n.type))) for n in nodes)

    metadata = {str(key): str(value) for key, value in session.get_modelmeta().custom_metadata_map.items()}
    return Signature(tensors(session.get_inputs()), tensors(session.get_outputs()), metadata)


def _shape(sizes: Any) -> tuple[Dimension, ...]:
    return tuple(size if isinstance(size, int | str) and size != "" else None for size in sizes or ())


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300]
