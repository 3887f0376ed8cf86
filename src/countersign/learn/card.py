"""What a trained network says of itself: what it knows, what it learned from and how, what it was made with."""

from __future__ import annotations

import platform
from importlib import metadata

import torch

from countersign.domain.model import ModelCard, Task
from countersign.learn import device as devices
from countersign.learn import saved
from countersign.learn.backbone import RANDOM, BackboneInfo
from countersign.learn.network import NetworkSpec
from countersign.learn.plan import Plan
from countersign.learn.predict import Recipe
from countersign.learn.settings import TrainingSettings


def describe(
    name: str,
    plan: Plan,
    settings: TrainingSettings,
    info: BackboneInfo,
    spec: NetworkSpec,
    recipe: Recipe,
    device: torch.device,
) -> ModelCard:
    """Return the card of a network before it has learned; scores and outcome are filled in at the end."""
    tasks = {
        "detection": Task.DETECTION,
        "segmentation": Task.SEMANTIC_SEGMENTATION,
        "classification": Task.CLASSIFICATION,
    }
    return ModelCard(
        name=name,
        family="trained",
        tasks=tuple(tasks[head] for head in plan.heads),
        classes=plan.vocabulary.all,
        description=f"{settings.backbone} from {_origin(info)}, taught by {len(plan.train)} images",
        source="trained by Countersign",
        min_confidence=settings.confidence,
        details={
            **saved.details(spec, recipe),
            "settings": settings.to_data(),
            "start": info.pretrained,
            "data": {
                "trained_on": [{"name": x.name, "sha256": x.content_hash} for x in plan.train],
                "held_out": [{"name": x.name, "sha256": x.content_hash} for x in plan.held_out],
                "labels": sum(len(x.labels) for x in plan.train),
            },
            "device": devices.describe(device),
            "versions": versions(),
        },
    )


def _origin(info: BackboneInfo) -> str:
    return info.pretrained if info.pretrained == RANDOM else f"pretrained weights ({info.pretrained})"


def versions() -> dict[str, str]:
    """Return the versions of what a training depends on."""
    found = {"python": platform.python_version()}
    for package in ("countersign", "torch", "timm", "opencv-python-headless", "numpy"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "unknown"
    return found
