from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from countersign.domain.errors import SettingsError
from countersign.learn.settings import TrainingSettings


def test_defaults() -> None:
    found = TrainingSettings()
    assert (found.epochs, found.batch_size, found.learning_rate, found.image_size) == (50, 8, 0.002, 416)
    assert (found.confidence, found.nms, found.backbone, found.pretrained) == (0.30, 0.40, "resnet18", False)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("epochs", 1, 500),
        ("batch_size", 1, 64),
        ("learning_rate", 1e-5, 0.1),
        ("confidence", 0.01, 1.0),
        ("nms", 0.01, 1.0),
    ],
)
def test_ranges(name: str, low: float, high: float) -> None:
    for value in (low, high):
        changes: dict[str, Any] = {name: value}
        assert getattr(TrainingSettings(**changes), name) == value
    for value in (low * 0.9 - 0.5 if isinstance(low, float) else low - 1, high * 2, float("nan"), "many", None, True):
        with pytest.raises(SettingsError) as caught:
            TrainingSettings.from_data({name: value})
        assert caught.value.setting == name


@pytest.mark.parametrize(
    "changes",
    [
        {"image_size": 300},
        {"image_size": "416"},
        {"tiling": "maybe"},
        {"unpainted": "foreground"},
        {"detection": "on"},
        {"pretrained": None},
        {"pretrained": 1},
        {"budget": 0},
        {"budget": float("inf")},
        {"epochs": 2.5},
        {"seed": -1},
        {"backbone": " "},
        {"weights": 3},
        {"detection": False, "segmentation": False, "classification": False},
        {"learning_rates": 0.1},
    ],
)
def test_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        TrainingSettings.from_data(changes)


def test_data_and_back() -> None:
    found = TrainingSettings(budget=60, detection=True, tiling="on", learning_rate=0.01)
    assert TrainingSettings.from_data(found.to_data()) == found


def test_settings_do_not_import_torch() -> None:
    code = "import sys, countersign.learn.settings, countersign.learn.events; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
