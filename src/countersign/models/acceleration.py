"""Torch networks through ONNX Runtime or OpenVINO on the CPU, where that is faster and says the same.

A network of one image input is exported once; what is exported and what was measured is kept below the models folder,
under a name made of the weights' hash, the input's shape, the processor and the versions of all libraries involved::

    <models folder>/.accelerated/<hash>/model.onnx
    <models folder>/.accelerated/<hash>/choice.json

Engines are compared as a run uses them: one thread in each prediction. One that differs from torch by more than
``TOLERANCES`` is never chosen, not even on request. Who uses the outputs, and for what, is not known here.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import os
import platform
import re
import shutil
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import orjson
from numpy.typing import NDArray

from countersign.domain.errors import ModelError
from countersign.models import records, threads

ENGINES = ("auto", "torch", "onnx", "openvino")
TOLERANCES = {"onnx": 1e-3, "openvino": 1e-2}
"""Greatest difference from torch, as a part of the largest number in the same output.

ONNX Runtime computes in float32. OpenVINO computes in bfloat16 where the processor does (8 bits of a number's digits:
4e-3), as torch does with the networks that are taught here.
"""
GAIN = 1.1
"""Another engine is chosen only where it is faster than torch by this factor: less is within the noise."""

_ROUNDS = 4
_BATCH = 4
_LIBRARIES = ("torch", "onnx", "onnxscript", "onnxruntime", "openvino")
_log = logging.getLogger(__name__)

Array = NDArray[Any]
Difference = Callable[[Sequence[Array], Sequence[Array]], float]
"""How far what an engine returns is from what torch returns, as a part of the largest number."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which engine computes and why. ``rates`` are images per second of one core, ``differences`` as in TOLERANCES."""

    engine: str
    reason: str
    rates: Mapping[str, float] = field(default_factory=dict)
    differences: Mapping[str, float] = field(default_factory=dict)

    def details(self) -> dict[str, Any]:
        """Return what a card shows of it."""
        shown: dict[str, Any] = {"engine": self.engine, "engine_reason": self.reason}
        if self.rates:
            shown["engine_rates"] = {name: round(rate, 2) for name, rate in self.rates.items()}
        return shown


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


def accelerate(
    network: Any,
    example: Array,
    *,
    weights_hash: str,
    device: str = "cpu",
    engine: str = "auto",
    difference: Difference | None = None,
) -> tuple[Runner, Choice]:
    """Return what computes the network fastest, and why it was chosen.

    ``network`` is a torch module in evaluation mode whose ``forward`` takes one float32 tensor (wrap one that takes
    or returns more); ``example`` is one prepared image, (C, H, W), of the size that all have. ``engine`` is one of
    ``ENGINES``: with ``auto`` they are measured, once for each set of weights, shape, processor and versions.
    ``difference`` compares outputs where their order means nothing (default: number by number).
    Raises ModelError where an engine that is asked for by name is not there or does not agree with torch.
    """
    if engine not in ENGINES:
        raise ModelError(f"engine is {engine!r}", remedy=f"It may be {', '.join(ENGINES)}.")
    own = TorchRunner(network, device)
    if engine == "torch":
        return own, Choice("torch", "asked for")
    if device != "cpu":
        return own, Choice("torch", f"the network computes on {device}")
    place = _place(weights_hash, example)
    try:
        known = _read(place, engine)
        if known is None:
            known = _compare(network, own, example, place, engine, difference or differs)
        return _runner(known.engine, own, place), known
    except Exception as error:  # what an exporter or a library raises is theirs
        if engine != "auto":
            what = f"the network cannot run on {engine}: {_line(error)}"
            raise ModelError(what, remedy="Use engine=torch.") from error
        _log.info("torch is used: %s", _line(error))
        choice = Choice("torch", f"it could not be exported: {_line(error)}")
        _write(place, choice)  # so that it is not tried again at every load
        return own, choice


def usual() -> str:
    """Return the engine for references that name none: ``COUNTERSIGN_ENGINE``, else ``auto``."""
    return os.environ.get("COUNTERSIGN_ENGINE", "").strip() or "auto"


def _runner(engine: str, own: Runner, place: Path) -> Runner:
    if engine == "onnx":
        return OnnxRunner(place / "model.onnx")
    return OpenVinoRunner(place / "model.onnx") if engine == "openvino" else own


def _compare(network: Any, own: Runner, example: Array, place: Path, wanted: str, difference: Difference) -> Choice:
    """Export where that was not done yet, measure, choose and remember. Raises where ``wanted`` cannot be had."""
    file = place / "model.onnx"
    if not file.is_file():
        _export(network, example, file)
    runners: dict[str, Runner] = {"torch": own, "onnx": OnnxRunner(file)}
    if wanted == "openvino" or _installed("openvino"):
        runners["openvino"] = OpenVinoRunner(file)
    batch = _batch(example)
    truth = own(batch)
    differences = {name: difference(truth, run(batch)) for name, run in runners.items() if name != "torch"}
    if wanted != "auto":
        if differences[wanted] > TOLERANCES[wanted]:
            raise ModelError(f"it differs from torch by {differences[wanted]:.1e} of the largest output")
        return Choice(wanted, "asked for", {}, differences)
    agreeing = {name: run for name, run in runners.items() if _agrees(name, differences)}
    choice = choose(measure(agreeing, batch), differences)
    _write(place, choice)
    _log.info("engine %s: %s", choice.engine, choice.reason)
    return choice


def choose(rates: Mapping[str, float], differences: Mapping[str, float]) -> Choice:
    """Choose by images per second. Pure: rates of torch and of those engines that agree with it."""
    best = max(rates, key=lambda name: rates[name])
    gain = rates[best] / rates["torch"]
    if best == "torch" or gain < GAIN:
        others = ", ".join(f"{name} {rate / rates['torch']:.2f} x" for name, rate in rates.items() if name != "torch")
        wrong = ", ".join(
            f"{name} differs by {value:.1e}" for name, value in differences.items() if not _agrees(name, differences)
        )
        said = "; ".join(part for part in (others, wrong) if part)
        return Choice("torch", f"no other is faster ({said})", rates, differences)
    reason = f"{gain:.2f} times as fast as torch, difference {differences[best]:.0e}"
    return Choice(best, reason, rates, differences)


def _agrees(name: str, differences: Mapping[str, float]) -> bool:
    return name == "torch" or differences[name] <= TOLERANCES[name]


def measure(runners: Mapping[str, Runner], batch: Array) -> dict[str, float]:
    """Return images per second of processor time of each: its best of some rounds, taken in turn."""
    import torch

    torch_threads, share = torch.get_num_threads(), threads.use(threads.Share(1, 1))
    torch.set_num_threads(1)
    best = dict.fromkeys(runners, float("inf"))
    try:
        for round_ in range(_ROUNDS + 1):
            for name, run in runners.items():
                begin = time.process_time()  # of all threads: whether others use the machine does not count
                run(batch)
                if round_:  # the first is for warming up
                    best[name] = min(best[name], max(1e-9, time.process_time() - begin))
    finally:
        torch.set_num_threads(torch_threads)
        threads.use(share)
    return {name: len(batch) / seconds for name, seconds in best.items()}


def _batch(example: Array) -> Array:
    """The example and variations of it, so that a mistake in one row cannot hide."""
    rng = np.random.default_rng(0)
    rows = [example * (1.0 - 0.2 * i) + rng.normal(0, 0.1, example.shape) for i in range(_BATCH)]
    return np.stack(rows).astype(np.float32)


def differs(truth: Sequence[Array], found: Sequence[Array]) -> float:
    """Greatest difference as a part of the largest number of the same output; infinite where shapes differ."""
    if len(truth) != len(found) or any(a.shape != b.shape for a, b in zip(truth, found, strict=False)):
        return float("inf")
    worst = 0.0
    for expected, other in zip(truth, found, strict=True):
        largest = float(np.abs(expected).max(initial=1e-12))
        off = float(np.abs(expected.astype(np.float64) - other).max(initial=0.0)) / largest
        worst = max(worst, off if np.isfinite(off) else float("inf"))
    return worst


def _export(network: Any, example: Array, file: Path) -> None:
    """Write the network for batches of any size, or where it has a size built in, for single images."""
    import torch

    part = file.parent.with_name(f".{uuid.uuid4().hex}")
    part.mkdir(parents=True)
    try:
        images = torch.from_numpy(_batch(example))
        _write_program(network, images[:2], part / file.name, {0: torch.export.Dim("batch", min=1, max=1024)})
        if _batch_of(part / file.name) is not None:
            _write_program(network, images[:1], part / file.name, None)
        shutil.rmtree(file.parent, ignore_errors=True)
        part.rename(file.parent)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _batch_of(file: Path) -> int | None:
    from countersign.models.onnx.session import read_signature

    first = read_signature(file).inputs[0].shape[0]
    return first if isinstance(first, int) else None


def _write_program(network: Any, images: Any, file: Path, dynamic: Any) -> None:
    import contextlib
    import io
    import warnings

    import torch

    said = io.StringIO()
    with warnings.catch_warnings(), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            (images,),
            dynamo=True,
            verbose=False,
            input_names=["images"],
            dynamic_shapes=(dynamic,) if dynamic else None,
        )
    if program is None:
        raise ModelError("torch exported nothing")
    program.save(str(file))


def _place(weights_hash: str, example: Array) -> Path:
    parts = [weights_hash, str(example.shape), platform.processor() or platform.machine(), _processor()]
    parts += [f"{name} {_installed(name)}" for name in _LIBRARIES]
    return records.models_folder() / ".accelerated" / hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.startswith("model name")), "")


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _read(place: Path, wanted: str) -> Choice | None:
    """Return what was measured before, if it answers ``wanted``."""
    try:
        choice = Choice(**orjson.loads((place / "choice.json").read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    if wanted == "auto":
        return choice if choice.engine == "torch" or (place / "model.onnx").is_file() else None
    if (place / "model.onnx").is_file() and choice.differences.get(wanted, np.inf) <= TOLERANCES[wanted]:
        return Choice(wanted, "asked for", {}, choice.differences)
    return None


def _write(place: Path, choice: Choice) -> None:
    try:
        place.mkdir(parents=True, exist_ok=True)
        part = place / f".{uuid.uuid4().hex}"
        part.write_bytes(orjson.dumps(dataclasses.asdict(choice)))
        part.replace(place / "choice.json")
    except OSError as error:  # then it is measured again next time
        _log.warning("the choice of the engine cannot be kept in %s: %s", place, error.strerror or error)


def _line(error: BaseException) -> str:
    if isinstance(error, ImportError):
        return f"{error.name or error} is not installed"
    text = str(error).strip() or type(error).__name__
    return re.sub(r"\x1b\[[0-9;]*m", "", text.splitlines()[0])[:200]  # without colours
