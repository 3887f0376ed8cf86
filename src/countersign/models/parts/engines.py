"""What computes a network on the CPU: torch itself, or its exported file in ONNX Runtime or OpenVINO.

All take and return numpy arrays. Which one is used is decided in ``acceleration``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from countersign.models.parts import threads

Array = NDArray[Any]


class Runner(Protocol):
    """Computes. Several threads may call it at once."""

    def __call__(self, batch: Array) -> list[Array]:
        """Take (N, C, H, W) float32, return the network's outputs, each with N rows. Raises ModelError."""
        ...


class TorchRunner:
    """The network itself. It returns a tensor, a sequence of them, or a mapping (whose values count)."""

    def __init__(self, network: Any, device: str) -> None:
        self._network = network
        self._device = device

    def __call__(self, batch: Array) -> list[Array]:
        import torch

        with torch.inference_mode():
            outputs = self._network(torch.from_numpy(batch).to(self._device))
            return [part.float().cpu().numpy() for part in tensors(outputs)]


class OnnxRunner:
    """The exported network in ONNX Runtime."""

    def __init__(self, path: Path) -> None:
        from countersign.models.onnx.session import Session

        self._session = Session(path, "cpu")
        image = self._session.signature.inputs[0]
        self._name, self._one = image.name, image.shape[0] == 1

    def __call__(self, batch: Array) -> list[Array]:
        return _one_by_one(self._compute, batch) if self._one else self._compute(batch)

    def _compute(self, batch: Array) -> list[Array]:
        return self._session.run({self._name: np.ascontiguousarray(batch)})


class OpenVinoRunner:
    """The exported network in OpenVINO; each thread has a request of its own.

    openvino reports its import over the network where ``openvino_telemetry`` is installed: it is kept from finding it.
    """

    def __init__(self, path: Path) -> None:
        import sys
        import threading

        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
        import openvino

        self._core = openvino.Core()
        self._path = path
        self._local = threading.local()
        self._lock = threading.Lock()
        self._compiled: dict[int, Any] = {}
        self._one = bool(self._core.read_model(str(path)).input(0).partial_shape[0].is_static)

    def __call__(self, batch: Array) -> list[Array]:
        return _one_by_one(self._compute, batch) if self._one else self._compute(batch)

    def _compute(self, batch: Array) -> list[Array]:
        share = threads.pool()
        requests = self._local.__dict__.setdefault("requests", {})
        if share not in requests:
            requests[share] = self._model(share).create_infer_request()
        found = requests[share].infer({0: np.ascontiguousarray(batch)}, share_outputs=False)
        return [np.array(found[index]) for index in range(len(found))]

    def _model(self, share: int) -> Any:
        with self._lock:
            if share not in self._compiled:
                lanes = threads.lanes()
                settings = {
                    "NUM_STREAMS": str(lanes),
                    "INFERENCE_NUM_THREADS": str(max(lanes, lanes + share - 1)),
                }
                self._compiled[share] = self._core.compile_model(str(self._path), "CPU", settings)
            return self._compiled[share]


def _one_by_one(compute: Callable[[Array], list[Array]], batch: Array) -> list[Array]:
    rows = [compute(batch[i : i + 1]) for i in range(len(batch))]
    return [np.concatenate(parts) for parts in zip(*rows, strict=True)]


def tensors(outputs: Any) -> tuple[Any, ...]:
    """Return the tensors of what a network returned."""
    if isinstance(outputs, Mapping):
        outputs = tuple(outputs.values())
    return tuple(outputs) if isinstance(outputs, list | tuple) else (outputs,)
