"""Torch networks through ONNX Runtime or OpenVINO on the CPU, where that is faster and says the same.

A network of one image input is exported once; what is exported and what was measured is kept below the models folder,
under a name made of the weights' hash, the input's shape, the processor and the versions of all libraries involved::

    <models folder>/.accelerated/<hash>/model.onnx
    <models folder>/.accelerated/<hash>/choice.json

A lock beside the folder lets one process at a time do so; a killed one leaves nothing that counts.
Engines are compared as a run uses them: one thread in each prediction. One that differs from torch by more than
``TOLERANCES`` is never chosen, not even on request. Who uses the outputs, and for what, is not known here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import logging
import os
import platform
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from countersign.domain.errors import CountersignError, ModelError
from countersign.models.folder import records
from countersign.models.parts import exporting, threads
from countersign.models.parts.engines import OnnxRunner, OpenVinoRunner, Runner, TorchRunner
from countersign.models.parts.memory import is_out_of_memory

ENGINES = ("auto", "torch", "onnx", "openvino")
TOLERANCES = {"onnx": 1e-3, "openvino": 1e-2}
"""Greatest difference from torch, as a part of the largest number in the same output.

ONNX Runtime computes in float32. OpenVINO computes in bfloat16 where the processor does (8 bits of a number's digits:
4e-3), as torch does with the networks that are taught here.
"""
GAIN = 1.1
"""Another engine is chosen only where it is faster than torch by this factor: less is within the noise."""

_FORMAT = 2  # of what is kept; a network that could not be exported is tried again when this changes
_ROUNDS = 4
_BATCH = 4
_MADE_BY: Mapping[str, tuple[str, Callable[[Path], Runner]]] = {
    "onnx": ("onnxruntime", OnnxRunner),
    "openvino": ("openvino", OpenVinoRunner),
}
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


_say: ContextVar[Callable[[str], None] | None] = ContextVar("say", default=None)
_may_measure: ContextVar[bool] = ContextVar("may_measure", default=True)


@contextlib.contextmanager
def announced(say: Callable[[str], None]) -> Iterator[None]:
    """While this is open in this thread, ``say`` is told in a sentence before measuring begins: it takes minutes."""
    before = _say.set(say)
    try:
        yield
    finally:
        _say.reset(before)


@contextlib.contextmanager
def without_measuring() -> Iterator[None]:
    """While this is open in this thread, a network that was never measured is computed by torch, at once."""
    before = _may_measure.set(False)
    try:
        yield
    finally:
        _may_measure.reset(before)


def accelerate(
    network: Any,
    example: Array,
    *,
    weights_hash: str,
    device: str = "cpu",
    engine: str = "auto",
    difference: Difference | None = None,
    name: str = "",
) -> tuple[Runner, Choice]:
    """Return what computes the network fastest, and why it was chosen.

    ``network`` is a torch module in evaluation mode whose ``forward`` takes one float32 tensor (wrap one that takes
    or returns more); ``example`` is one prepared image, (C, H, W), of the size that all have. ``engine`` is one of
    ``ENGINES``: with ``auto`` they are measured, once for each set of weights, shape, processor and versions.
    ``difference`` compares outputs where their order means nothing (default: number by number). ``name`` is the
    model's, by which ``told`` finds the choice.
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
    keep = functools.partial(_write, place, name, weights_hash)
    try:
        found = _known(place, own, engine)
        if found is None and engine == "auto" and not _may_measure.get():
            return own, Choice("torch", "not measured yet: a run of many images does that")
        if found is None:
            with _locked(place, name):
                found = _known(place, own, engine)  # by the process that had the lock
                if found is None:
                    _tell(f"Measuring once which engine computes {name or 'the network'} fastest; it may take minutes.")
                    choice = _compare(network, own, example, place, engine, difference or differs)
                    if engine == "auto":
                        keep(choice)
                        _log.info("engine %s: %s", choice.engine, choice.reason)
                    found = _runner(choice.engine, own, place), choice
        return found
    except Exception as error:  # what an exporter or a library raises is theirs
        if engine != "auto":
            what = f"the network cannot run on {engine}: {_line(error)}"
            raise ModelError(what, remedy="Use engine=torch.") from error
        _log.info("torch is used: %s", _line(error))
        if isinstance(error, OSError | CountersignError) or is_out_of_memory(error):  # it may go well another time
            return own, Choice("torch", f"no other could be tried: {_line(error)}")
        choice = Choice("torch", f"it could not be exported: {_line(error)}")
        keep(choice)  # so that it is not tried again at every load
        return own, choice


def usual() -> str:
    """Return the engine for references that name none: ``COUNTERSIGN_ENGINE``, else ``auto``."""
    return os.environ.get("COUNTERSIGN_ENGINE", "").strip() or "auto"


def told(name: str, weights_hash: str = "") -> Choice | None:
    """Return what was chosen on this machine, with these libraries, for the model of this name; None where nothing was.

    ``weights_hash`` tells models of the same name apart where it is known.
    """
    found: list[tuple[float, Choice]] = []
    for file in (records.models_folder() / ".accelerated").glob("*/choice.json"):
        with contextlib.suppress(OSError, ValueError, TypeError):
            data = orjson.loads(file.read_bytes())
            same = not weights_hash or data.get("weights_hash") == weights_hash
            if data.get("model") == name and same and data.get("made_with") == _made_with():
                found.append((file.stat().st_mtime, _choice(data)))
    return max(found, key=lambda item: item[0])[1] if found else None


def _runner(engine: str, own: Runner, place: Path) -> Runner:
    return own if engine == "torch" else _MADE_BY[engine][1](place / "model.onnx")


def _known(place: Path, own: Runner, wanted: str) -> tuple[Runner, Choice] | None:
    """Return what was measured before, if it answers ``wanted`` and its file still opens."""
    choice = _read(place, wanted)
    if choice is None:
        return None
    try:
        return _runner(choice.engine, own, place), choice
    except ModelError as error:  # a damaged file: made anew
        _log.warning("%s is made anew: %s", place, _line(error))
        (place / "model.onnx").unlink(missing_ok=True)
        return None


def _compare(network: Any, own: Runner, example: Array, place: Path, wanted: str, difference: Difference) -> Choice:
    """Export where that was not done yet, measure and choose. Raises where ``wanted`` cannot be had."""
    file = place / "model.onnx"
    batch = _batch(example)
    if not file.is_file():
        exporting.export(network, batch, file)
    truth = own(batch)
    runners: dict[str, Runner] = {"torch": own}
    differences: dict[str, float] = {}
    failed: list[str] = []
    for name, (library, make) in _MADE_BY.items():
        if wanted not in ("auto", name) or not (_installed(library) or wanted == name):
            continue
        try:
            run = make(file)
            differences[name] = difference(truth, run(batch))
            runners[name] = run
        except Exception as error:  # one library that does not load leaves the others as they are
            if wanted == name or is_out_of_memory(error):  # which says nothing of the library
                raise
            failed.append(f"{name} fails: {_line(error)}")
    if wanted != "auto":
        if differences[wanted] > TOLERANCES[wanted]:
            raise ModelError(f"it differs from torch by {differences[wanted]:.1e} of the largest output")
        return Choice(wanted, "asked for", {}, differences)
    agreeing = {name: run for name, run in runners.items() if _agrees(name, differences)}
    choice = choose(measure(agreeing, batch), differences)
    return dataclasses.replace(choice, reason="; ".join([choice.reason, *failed]))


def choose(rates: Mapping[str, float], differences: Mapping[str, float]) -> Choice:
    """Choose by images per second. Pure: rates of torch and of those engines that agree with it."""
    best = max(rates, key=lambda name: rates[name])
    gain = rates[best] / rates["torch"]
    wrong = [f"{name} differs by {value:.1e}" for name, value in differences.items() if not _agrees(name, differences)]
    if best == "torch" or gain < GAIN:
        others = [f"{name} {rate / rates['torch']:.2f} x" for name, rate in rates.items() if name != "torch"]
        said = "; ".join([", ".join(others)] * bool(others) + wrong)
        return Choice("torch", f"no other is faster ({said})", rates, differences)
    reason = f"{gain:.2f} times as fast as torch, difference {differences[best]:.0e}"
    return Choice(best, "; ".join([reason, *wrong]), rates, differences)


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


@contextlib.contextmanager
def _locked(place: Path, name: str) -> Iterator[None]:
    from filelock import FileLock, Timeout

    place.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place.with_name(f"{place.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        _tell(f"Waiting for another process that measures which engine computes {name or 'the network'} fastest.")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _tell(text: str) -> None:
    _log.info(text)
    say = _say.get()
    if say is None:
        return
    try:
        say(text)
    except Exception:  # what cannot be told says nothing of the network
        _log.warning("it cannot be told that %r", text, exc_info=True)


def _place(weights_hash: str, example: Array) -> Path:
    parts = [weights_hash, str(example.shape), _made_with()]
    return records.models_folder() / ".accelerated" / hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


@functools.cache
def _made_with() -> str:
    """The processor and the versions: what was measured with others says nothing here."""
    parts = [f"format {_FORMAT}", platform.processor() or platform.machine(), _processor()]
    return "\n".join(parts + [f"{name} {_installed(name)}" for name in _LIBRARIES])


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
    try:
        choice = _choice(orjson.loads((place / "choice.json").read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    if wanted == "auto":
        return choice if choice.engine == "torch" or (place / "model.onnx").is_file() else None
    if (place / "model.onnx").is_file() and choice.differences.get(wanted, np.inf) <= TOLERANCES[wanted]:
        return Choice(wanted, "asked for", {}, choice.differences)
    return None


def _choice(data: Mapping[str, Any]) -> Choice:
    return Choice(**{part.name: data[part.name] for part in dataclasses.fields(Choice) if part.name in data})


def _write(place: Path, name: str, weights_hash: str, choice: Choice) -> None:
    data = {**dataclasses.asdict(choice), "model": name, "weights_hash": weights_hash, "made_with": _made_with()}
    try:
        place.mkdir(parents=True, exist_ok=True)
        part = place / f".{uuid.uuid4().hex}"
        part.write_bytes(orjson.dumps(data))
        part.replace(place / "choice.json")
    except OSError as error:  # then it is measured again next time
        _log.warning("the choice of the engine cannot be kept in %s: %s", place, error.strerror or error)


def _line(error: BaseException) -> str:
    if isinstance(error, ImportError):
        return f"{error.name or error} is not installed"
    text = str(error).strip() or type(error).__name__
    return re.sub(r"\x1b\[[0-9;]*m", "", text.splitlines()[0])[:200]  # without colours
