"""Another engine is chosen only where it agrees with torch and is faster; the choice is kept and can be overridden."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from countersign.domain.errors import ModelError
from countersign.models import acceleration, registry
from countersign.models.contract import PredictOptions

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
    assert chosen.reason == "1.40 times as fast as torch, difference 2e-07"
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
    with pytest.raises(ModelError, match=r"cannot run on onnx.*engine=torch"):
        acceleration.accelerate(_network("python"), EXAMPLE, weights_hash="a", engine="onnx")


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
