"""Another engine is chosen only where it agrees with torch and is faster; the choice is kept and can be overridden."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from countersign.domain.errors import ModelError, WorkspaceError
from countersign.models import registry
from countersign.models.contract import PredictOptions
from countersign.models.parts import acceleration, exporting

EXAMPLE = np.linspace(0.1, 1, 3 * 16 * 16, dtype=np.float32).reshape(3, 16, 16)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COUNTERSIGN_MODELS", str(tmp_path))
    return tmp_path / ".accelerated"


def _network(kind: str = "plain"):  # type: ignore[no-untyped-def]
    import torch

    class Built(torch.nn.Module):
        def forward(self, images):  # type: ignore[no-untyped-def]
            if kind == "fixed":  # a batch of any other size has another shape here
                return images.reshape(images.shape[0], -1)[:, :5], images.mean(dim=(1, 2, 3))
            if kind == "python":
                return torch.from_numpy(np.sort(images.numpy().reshape(len(images), -1)))
            return images.mean(dim=(2, 3))

    return Built().eval()


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Stands in for measuring: images per second of each engine."""
    told = {"torch": 10.0, "onnx": 20.0, "openvino": 5.0}
    monkeypatch.setattr(acceleration, "measure", lambda runners, batch: {name: told[name] for name in runners})
    return told


def test_choose__faster_by_more_than_the_noise() -> None:
    assert acceleration.choose({"torch": 10, "onnx": 10.5}, {"onnx": 0}).engine == "torch"
    assert (
        acceleration.choose({"torch": 10, "onnx": 14, "openvino": 15}, {"onnx": 0, "openvino": 0}).engine == "openvino"
    )
    chosen = acceleration.choose({"torch": 10, "onnx": 14}, {"onnx": 2e-7, "openvino": 0.2})
    assert chosen.reason == "1.40 times as fast as torch, difference 2e-07; openvino differs by 2.0e-01"
    refused = acceleration.choose({"torch": 10}, {"onnx": 0.2})
    assert "onnx differs by 2.0e-01" in refused.reason


def test_measure__gives_images_per_second_of_each() -> None:
    own = acceleration.TorchRunner(_network(), "cpu")
    found = acceleration.measure({"torch": own, "again": own}, np.stack([EXAMPLE] * 2))
    assert set(found) == {"torch", "again"}
    assert min(found.values()) > 0


def test_auto__exported_once_and_remembered(
    folder: Path, rates: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, choice = acceleration.accelerate(_network(), EXAMPLE, weights_hash="a")
    assert choice.engine == "onnx"
    assert isinstance(run, acceleration.OnnxRunner)
    assert len(list(folder.glob("*/model.onnx"))) == 1
    monkeypatch.setattr(acceleration, "_compare", lambda *_: pytest.fail("it was measured before"))
    _, again = acceleration.accelerate(_network(), EXAMPLE, weights_hash="a")
    assert again == choice
    monkeypatch.undo()


def test_every_engine__batches_of_any_size_from_several_threads(rates: dict[str, float]) -> None:
    pytest.importorskip("openvino")
    batches = [np.stack([EXAMPLE * (i + 1)] * count) for i, count in enumerate((1, 3, 8))]
    for kind in ("plain", "fixed"):
        truth = [acceleration.TorchRunner(_network(kind), "cpu")(batch) for batch in batches]
        for engine in ("onnx", "openvino"):
            run, choice = acceleration.accelerate(_network(kind), EXAMPLE, weights_hash=kind, engine=engine)
            assert choice.engine == engine
            with ThreadPoolExecutor(2) as pool:
                for expected, found in zip(truth, pool.map(run, batches), strict=True):
                    for one, other in zip(expected, found, strict=True):
                        allowed = float(acceleration.TOLERANCES[engine] * np.abs(one).max())
                        assert other == pytest.approx(one, abs=allowed)


def test_openvino__its_telemetry_is_not_loaded(rates: dict[str, float]) -> None:
    pytest.importorskip("openvino")
    acceleration.accelerate(_network(), EXAMPLE, weights_hash="a", engine="openvino")
    assert not hasattr(sys.modules.get("openvino_telemetry"), "Telemetry")


def test_an_engine_that_disagrees_is_never_used(rates: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acceleration.OnnxRunner, "_compute", lambda _, batch: [batch.mean(axis=(2, 3)) + 1])
    run, choice = acceleration.accelerate(_network(), EXAMPLE, weights_hash="a")
    assert choice.engine == "torch"
    assert isinstance(run, acceleration.TorchRunner)
    with pytest.raises(ModelError, match="differs from torch"):
        acceleration.accelerate(_network(), EXAMPLE, weights_hash="b", engine="onnx")


def test_a_network_that_cannot_be_exported_stays_with_torch(folder: Path, rates: dict[str, float]) -> None:
    run, choice = acceleration.accelerate(_network("python"), EXAMPLE, weights_hash="a")
    assert choice.engine == "torch"
    assert choice.reason.startswith("it could not be exported")
    assert isinstance(run, acceleration.TorchRunner)
    assert len(list(folder.glob("*/choice.json"))) == 1
    assert [path for path in folder.iterdir() if path.name.startswith(".")] == []
    with pytest.raises(ModelError, match=r"cannot run on onnx.*engine=torch"):
        acceleration.accelerate(_network("python"), EXAMPLE, weights_hash="a", engine="onnx")


def test_a_network_that_counts_its_images__is_exported_for_single_ones(rates: dict[str, float]) -> None:
    import torch

    class Counting(torch.nn.Module):
        def forward(self, images):  # type: ignore[no-untyped-def]
            return images.flatten(1)[:, :4] * torch.ones(len(images), 1)

    run, choice = acceleration.accelerate(Counting().eval(), EXAMPLE, weights_hash="a")
    assert choice.engine == "onnx"
    batch = np.stack([EXAMPLE, EXAMPLE * 2, EXAMPLE * 3])
    assert run(batch)[0] == pytest.approx(batch.reshape(3, -1)[:, :4])


def test_killed_in_the_middle__done_again_and_nothing_is_left(folder: Path, rates: dict[str, float]) -> None:
    script = """
        import os, signal, sys
        sys.path.insert(0, sys.argv[1])
        from countersign.models.parts import acceleration, exporting
        from test_acceleration import EXAMPLE, _network

        def half(network, images, file):
            file.write_bytes(b"half of it")
            os.kill(os.getpid(), signal.SIGKILL)

        exporting._write = half
        acceleration.accelerate(_network(), EXAMPLE, weights_hash="a")
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(Path(__file__).parent)]
    killed = subprocess.run(command, env={**os.environ}, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list(folder.glob(".*.part/model.onnx"))) == 1
    assert list(folder.glob("[!.]*/*")) == []
    _, choice = acceleration.accelerate(_network(), EXAMPLE, weights_hash="a")
    assert choice.engine == "onnx"
    assert list(folder.glob(".*.part")) == []


def test_two_at_once__one_measures_and_the_other_waits(
    rates: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    exported: list[Path] = []
    export, said = exporting.export, []

    def slowly(network, images, file):  # type: ignore[no-untyped-def]
        exported.append(file)
        time.sleep(0.5)
        export(network, images, file)

    def one(_: int) -> acceleration.Choice:
        with acceleration.announced(said.append):
            return acceleration.accelerate(_network(), EXAMPLE, weights_hash="a", name="mine")[1]

    monkeypatch.setattr(exporting, "export", slowly)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(one, range(2))
    assert first == second
    assert len(exported) == 1
    assert sorted(text.split()[0] for text in said) == ["Measuring", "Waiting"]
    assert all("mine" in text for text in said)


def test_a_damaged_file_is_made_anew(folder: Path, rates: dict[str, float]) -> None:
    acceleration.accelerate(_network(), EXAMPLE, weights_hash="a")
    next(folder.glob("*/model.onnx")).write_bytes(b"no network")
    run, choice = acceleration.accelerate(_network(), EXAMPLE, weights_hash="a")
    assert choice.engine == "onnx"
    assert run(EXAMPLE[None])[0] == pytest.approx(EXAMPLE.mean(axis=(1, 2))[None])


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
        WorkspaceError("The database is locked"),
    ],
)
def test_what_may_go_well_another_time_is_not_remembered(
    rates: dict[str, float], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(exporting, "export", fail)
        _, choice = acceleration.accelerate(_network(), EXAMPLE, weights_hash="a")
    assert choice.engine == "torch"
    assert choice.reason == f"no other could be tried: {error}"
    assert acceleration.accelerate(_network(), EXAMPLE, weights_hash="a")[1].engine == "onnx"


def test_a_library_without_memory_is_tried_again(rates: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path) -> None:
        raise RuntimeError("Failed to allocate memory for requested buffer of size 9")

    with monkeypatch.context() as patch:
        patch.setitem(acceleration._MADE_BY, "onnx", ("onnx", full))  # type: ignore[arg-type]
        assert acceleration.accelerate(_network(), EXAMPLE, weights_hash="a")[1].engine == "torch"
    assert acceleration.accelerate(_network(), EXAMPLE, weights_hash="a")[1].engine == "onnx"


def test_a_record_that_cannot_be_told_is_no_reason_for_torch(rates: dict[str, float]) -> None:
    def say(_: str) -> None:
        raise RuntimeError("database is locked")

    with acceleration.announced(say):
        assert acceleration.accelerate(_network(), EXAMPLE, weights_hash="a")[1].engine == "onnx"


def test_a_library_that_does_not_load_leaves_the_others(
    rates: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_: Path) -> None:
        raise OSError("libtbb.so.12: no such file")

    monkeypatch.setitem(acceleration._MADE_BY, "openvino", ("onnx", missing))  # type: ignore[index]
    _, choice = acceleration.accelerate(_network(), EXAMPLE, weights_hash="a")
    assert choice.engine == "onnx"
    assert choice.reason.endswith("openvino fails: libtbb.so.12: no such file")


def test_where_nobody_waits_for_measuring__torch_at_once(folder: Path, rates: dict[str, float]) -> None:
    with acceleration.without_measuring():
        _, choice = acceleration.accelerate(_network(), EXAMPLE, weights_hash="a")
    assert (choice.engine, choice.reason) == ("torch", "not measured yet: a run of many images does that")
    assert not folder.exists()
    acceleration.accelerate(_network(), EXAMPLE, weights_hash="a")
    with acceleration.without_measuring():
        assert acceleration.accelerate(_network(), EXAMPLE, weights_hash="a")[1].engine == "onnx"


def test_told__by_the_name_of_the_model(rates: dict[str, float]) -> None:
    assert acceleration.told("mine") is None
    _, choice = acceleration.accelerate(_network(), EXAMPLE, weights_hash="a", name="mine")
    assert acceleration.told("mine") == acceleration.told("mine", "a") == choice
    assert acceleration.told("mine", "b") is None
    assert acceleration.told("other") is None


def test_asked_for__torch_and_unknown(folder: Path) -> None:
    run, choice = acceleration.accelerate(_network(), EXAMPLE, weights_hash="a", engine="torch")
    assert (choice.engine, choice.reason) == ("torch", "asked for")
    assert isinstance(run, acceleration.TorchRunner)
    assert not folder.exists()
    with pytest.raises(ModelError, match="It may be auto, torch, onnx, openvino"):
        acceleration.accelerate(_network(), EXAMPLE, weights_hash="a", engine="tensorrt")


@pytest.mark.slow
def test_timm__the_option_and_the_card() -> None:
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    options = PredictOptions(min_confidence=0.0, settings={"top": 5})
    own = registry.load("timm:resnet18?weights=random", device="cpu")
    assert own.card.details["engine"] == "torch"
    other = registry.load("timm:resnet18?weights=random&engine=onnx", device="cpu")
    assert other.card.details["engine"] == "onnx"
    first, second = (model.predict([image], options)[0] for model in (own, other))
    assert [item.class_name for item in first] == [item.class_name for item in second]
    assert [item.confidence for item in first] == pytest.approx([item.confidence for item in second], abs=1e-4)
    with pytest.raises(ModelError, match="engine is 'fast'"):
        registry.load("timm:resnet18?weights=random&engine=fast", device="cpu")
