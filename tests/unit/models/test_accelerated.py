"""Families whose networks another engine may compute: what is chosen, what is said, and that answers stay the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tiny_checkpoints
from countersign.domain.errors import ModelError
from countersign.models import catalogue, registry
from countersign.models.contract import PredictOptions
from countersign.models.detector import differ_as_sets

RNG = np.random.default_rng(0)
IMAGES = [RNG.integers(0, 256, size, dtype=np.uint8) for size in ((60, 80, 3), (90, 40, 3))]
OPTIONS = PredictOptions(min_confidence=0.0, settings={"top": 3})


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("COUNTERSIGN_MODELS", str(tmp_path))

    def put(name: str) -> None:
        card = catalogue.find(name)
        assert card is not None
        tiny_checkpoints.install(card, Path(pytestconfig.cache.mkdir("tiny")), tmp_path)
        tiny_checkpoints.narrow(card, monkeypatch)

    return put


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vit-base-patch16-224", "resnet18"])
def test_classifiers__the_same_answers(install, name: str) -> None:  # type: ignore[no-untyped-def]
    install(name)
    own, other = (registry.load(f"{name}?engine={engine}", device="cpu") for engine in ("torch", "onnx"))
    assert (own.card.details["engine"], other.card.details["engine"]) == ("torch", "onnx")
    for first, second in zip(own.predict(IMAGES, OPTIONS), other.predict(IMAGES, OPTIONS), strict=True):
        assert [item.class_name for item in first] == [item.class_name for item in second]
        assert [item.confidence for item in first] == pytest.approx([item.confidence for item in second], abs=1e-4)


def test_the_usual_engine_is_that_of_the_environment(install, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    install("d-fine-s")
    monkeypatch.setenv("COUNTERSIGN_ENGINE", "torch")
    card = registry.load("d-fine-s", device="cpu").card
    assert (card.details["engine"], card.details["engine_reason"]) == ("torch", "asked for")


def test_torchvision__other_networks_stay_with_torch(install) -> None:  # type: ignore[no-untyped-def]
    install("deeplabv3-r50")
    with pytest.raises(ModelError, match="engine=torch"):
        registry.load("deeplabv3-r50?engine=onnx", device="cpu")
    with pytest.raises(ModelError, match="engine is 'fast'"):
        registry.load("deeplabv3-r50?engine=fast", device="cpu")


def _answers() -> list[np.ndarray]:
    return [RNG.normal(size=(2, 80, 5)), RNG.uniform(0, 1, (2, 80, 4))]


def test_differ_as_sets__order_means_nothing() -> None:
    truth = _answers()
    order = RNG.permutation(80)
    assert differ_as_sets(truth, [part[:, order] for part in truth]) < 1e-6


def test_differ_as_sets__a_surest_answer_that_the_other_lacks() -> None:
    truth = _answers()
    truth[0][0, 7, 2] = 9.0
    other = [part.copy() for part in truth]
    other[0][0, 7, 2] = -9.0
    assert differ_as_sets(truth, other) > 0.3
    assert differ_as_sets(other, truth) > 0.3


def test_differ_as_sets__of_the_least_sure_one_may_be_another() -> None:
    truth = _answers()
    truth[0][:, 0] = -20.0
    other = [part.copy() for part in truth]
    other[1][:, 0] = 0.5 - other[1][:, 0]
    assert differ_as_sets(truth, other) < 1e-6


def test_differ_as_sets__not_numbers_and_other_shapes() -> None:
    truth = _answers()
    assert differ_as_sets(truth, [part[:, :40] for part in truth]) == float("inf")
    assert differ_as_sets(truth, [np.full_like(part, np.nan) for part in truth]) == float("inf")
