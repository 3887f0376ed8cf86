"""Families whose networks another engine may compute: what is chosen, what is said, and that answers stay the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tiny_checkpoints
from countersign.domain.errors import ModelError
from countersign.models import catalogue, registry
from countersign.models.contract import PredictOptions
from countersign.models.families.detector import differ_as_sets
from countersign.models.parts import accelerated, acceleration

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


@pytest.mark.slow
@pytest.mark.parametrize("name", ["d-fine-s", "rt-detr-v2-r18"])
def test_detectors__the_same_detections(install, name: str, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """A faster engine is taken (which is faster is told), agrees with torch, and finds the same."""
    monkeypatch.setattr(acceleration, "measure", lambda runners, _: {key: 1.0 + (key == "onnx") for key in runners})
    install(name)
    own, other = (registry.load(f"{name}?engine={engine}", device="cpu") for engine in ("torch", "auto"))
    assert (own.card.details["engine"], other.card.details["engine"]) == ("torch", "onnx"), other.card.details
    for first, second in zip(own.predict(IMAGES, OPTIONS), other.predict(IMAGES, OPTIONS), strict=True):
        assert len(first) > 5
        found = [(item.class_name, item.confidence, item.geometry.bounds) for item in second]
        for item in first:
            best = min(
                max(abs(item.confidence - score), *np.abs(np.subtract(item.geometry.bounds, bounds)))
                for class_name, score, bounds in found
                if class_name == item.class_name
            )
            assert best < 0.01


def test_shown__what_is_known_before_a_model_is_loaded(install, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    def said(name: str) -> str:
        card = catalogue.find(name)
        assert card is not None
        return accelerated.shown(card)

    assert said("d-fine-s") == "torch (COUNTERSIGN_ENGINE says so)"
    monkeypatch.delenv("COUNTERSIGN_ENGINE")
    assert "its first run" in said("resnet18")
    assert said("faster-rcnn-r50-fpn") == "torch (the network takes images of any size)"
    assert said("grounding-dino-tiny") == ""
    monkeypatch.setattr(acceleration, "measure", lambda runners, _: {key: 1.0 + (key == "onnx") for key in runners})
    install("resnet18")
    registry.load("resnet18", device="cpu")
    assert said("resnet18").startswith("onnx (2.00 times as fast as torch")
    assert "images/s of one core: torch 1, onnx 2" in said("resnet18")


def _answers(count: int = 80) -> dict[str, np.ndarray]:
    corners = RNG.uniform(0, 0.7, (count, 2))
    sides = RNG.uniform(0.1, 0.3, (count, 2))
    return {
        "scores": RNG.uniform(0.05, 0.95, count),
        "labels": RNG.integers(0, 5, count),
        "boxes": np.concatenate([corners, corners + sides], axis=1),
    }


def _changed(truth: dict[str, np.ndarray], key: str, index: int, value: object) -> dict[str, np.ndarray]:
    other = {name: part.copy() for name, part in truth.items()}
    other[key][index] = value
    return other


def test_differ_as_sets__order_means_nothing() -> None:
    truth = _answers()
    order = RNG.permutation(80)
    assert differ_as_sets([truth], [{key: part[order] for key, part in truth.items()}]) < 1e-6


def test_differ_as_sets__a_sure_one_of_another_class_place_or_probability() -> None:
    truth = _answers()
    surest = int(np.argmax(truth["scores"]))
    moved = truth["boxes"][surest] + [0.0, 0.0, 0.05, 0.0]
    for key, value, least in (("labels", 9, np.inf), ("boxes", moved, 0.1), ("scores", 0.3, 0.1)):
        other = _changed(truth, key, surest, value)
        assert differ_as_sets([truth], [other]) >= least
        assert differ_as_sets([other], [truth]) >= least


def test_differ_as_sets__small_probabilities_are_compared_by_their_logits() -> None:
    truth = {**_answers(), "scores": np.full(80, 1e-4)}
    assert differ_as_sets([truth], [{**truth, "scores": np.full(80, 2e-4)}]) > 0.05


def test_differ_as_sets__of_the_least_sure_one_may_be_another() -> None:
    truth = _answers()
    truth["scores"][:3] = 0.01
    assert differ_as_sets([truth], [_changed(truth, "labels", 1, 9)]) < 1e-6


def test_differ_as_sets__not_numbers() -> None:
    truth = _answers()
    assert differ_as_sets([truth], [_changed(truth, "scores", 1, np.nan)]) == float("inf")
    assert differ_as_sets([_changed(truth, "boxes", 1, np.nan)], [truth]) == float("inf")
