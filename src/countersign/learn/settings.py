"""What a training can be told, with ranges and defaults. Does not import torch: the command line checks with it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from countersign.domain.errors import SettingsError

IMAGE_SIZES = (224, 320, 416, 512, 640)
"""Sizes that a user may ask for: the longer side of an image as the network sees it, in pixels."""

Unpainted: TypeAlias = Literal["background", "ignore"]
Tiling: TypeAlias = Literal["auto", "on", "off"]
Turning: TypeAlias = Literal["auto", "any", "upright"]

_RANGES: Mapping[str, tuple[float, float]] = {
    "epochs": (1, 500),
    "batch_size": (1, 64),
    "learning_rate": (1e-5, 0.1),
    "confidence": (0.01, 1.0),
    "nms": (0.01, 1.0),
    "budget": (1.0, 7 * 24 * 3600.0),
    "seed": (0, 2**31 - 1),
}
_WHOLE = ("epochs", "batch_size", "seed")
_CHOICES: Mapping[str, tuple[object, ...]] = {
    "image_size": IMAGE_SIZES,
    "unpainted": ("background", "ignore"),
    "tiling": ("auto", "on", "off"),
    "turning": ("auto", "any", "upright"),
    "detection": (None, True, False),
    "segmentation": (None, True, False),
    "classification": (None, True, False),
    "pretrained": (True, False),
    "fit_image_size": (True, False),
    "held_out": (None, True, False),
}


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """Settings of one training, checked when they are made. Raises SettingsError for a value out of its range.

    ``epochs``: how often every image is seen. ``budget``: seconds from the start of the fit to its end; where it is
    given it decides and ``epochs`` does not. ``learning_rate``: the highest of its schedule.

    ``image_size``: the longer side of an image as the network sees it, in pixels. With ``fit_image_size`` it is the
    most: a smaller one is taken where even the small objects of the labels stay well visible (see ``plan``).

    ``detection``, ``segmentation``, ``classification``: a head on (True), off (False), or as the labels allow (None).
    ``unpainted``: what pixels without paint mean in an image with painted labels.
    ``tiling``: learn from crops and predict in overlapping tiles; "auto" does so where objects are small.
    ``turning``: whether pictures may be turned by quarters and upside down while learning; "auto" says any
    for random weights and upright for pretrained ones.

    ``backbone``: a timm name. ``pretrained``: start from the hub's weights, or from ``weights`` (a safetensors file,
    or a folder with one). ``held_out``: keep a few images back to score with; None means where there are enough.
    ``confidence`` and ``nms`` are what predictions of the model are filtered with unless a run says otherwise.
    """

    epochs: int = 50
    budget: float | None = None
    batch_size: int = 8
    learning_rate: float = 0.002
    image_size: int = 416
    fit_image_size: bool = True
    detection: bool | None = None
    segmentation: bool | None = None
    classification: bool | None = None
    unpainted: Unpainted = "background"
    tiling: Tiling = "auto"
    turning: Turning = "auto"
    backbone: str = "resnet18"
    pretrained: bool = False
    weights: str | None = None
    held_out: bool | None = None
    confidence: float = 0.30
    nms: float = 0.40
    seed: int = 0

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            _check_range(name, getattr(self, name), low, high)
        for name, allowed in _CHOICES.items():
            _check_choice(name, getattr(self, name), allowed)
        if not isinstance(self.backbone, str) or not self.backbone.strip():
            raise SettingsError("backbone", self.backbone, "the name of a timm model, such as resnet18")
        if self.weights is not None and not isinstance(self.weights, str):
            raise SettingsError("weights", self.weights, "the path of a safetensors file or of a folder with one")
        if self.detection is False and self.segmentation is False and self.classification is False:
            raise SettingsError("detection", False, "at least one of detection, segmentation, classification not off")

    def to_data(self) -> dict[str, Any]:
        """Return JSON values from which ``from_data`` makes equal settings."""
        return dataclasses.asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> TrainingSettings:
        """Make settings of names and values. Raises SettingsError for an unknown name or a value out of range."""
        known = {item.name for item in dataclasses.fields(cls)}
        for name, value in data.items():
            if name not in known:
                raise SettingsError(name, value, f"one of {', '.join(sorted(known))}")
        return cls(**data)


def describe() -> list[dict[str, Any]]:
    """Return every setting as JSON values: its default, and the range or the choices that are allowed."""
    found: list[dict[str, Any]] = []
    for item in dataclasses.fields(TrainingSettings):
        said: dict[str, Any] = {"name": item.name, "default": item.default}
        if item.name in _RANGES:
            low, high = _RANGES[item.name]
            said |= {"low": low, "high": high, "whole": item.name in _WHOLE}
        if item.name in _CHOICES:
            said["choices"] = list(_CHOICES[item.name])
        found.append(said)
    return found


def _check_range(name: str, value: object, low: float, high: float) -> None:
    if value is None and name == "budget":
        return
    whole = name in _WHOLE
    allowed = f"{'a whole number' if whole else 'a number'} from {low:g} to {high:g}"
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        raise SettingsError(name, value, allowed)
    if not math.isfinite(value) or not low <= value <= high:
        raise SettingsError(name, value, allowed)


def _check_choice(name: str, value: object, allowed: tuple[object, ...]) -> None:
    # `in` alone would take 1 for True and 416.0 for 416.
    if not any(value == item and type(value) is type(item) for item in allowed):
        words = {None: "auto", True: "on", False: "off"}
        shown = [words.get(item, str(item)) if isinstance(item, bool | None) else str(item) for item in allowed]
        raise SettingsError(name, value, ", ".join(shown))
