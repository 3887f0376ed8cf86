"""The two kinds of networks whose answers change with padding: a mixed batch is as one by one, and would not be else.

With random weights boxes mean nothing, but they are the same numbers each time. That the library's own way, a batch
padded to its largest image, gives other numbers shows that these tests could fail.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_checkpoints
from countersign.domain.geometry import Mask
from countersign.domain.label import Prediction
from countersign.domain.mask import decode
from countersign.models import catalogue, registry
from countersign.models.contract import Pixels, PredictOptions

SIZES = ((48, 64), (90, 40), (48, 64), (33, 120), (64, 48))
FEW = ["grounding-dino-tiny", "mm-grounding-dino-tiny", "mask2former-tiny-coco-instance"]


@pytest.fixture
def pictures() -> list[Pixels]:
    rng = np.random.default_rng(3)
    return [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in SIZES]


def _open(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> Any:
    monkeypatch.setenv("COUNTERSIGN_MODELS", str(folder))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    card = catalogue.find(name)
    assert card is not None
    tiny_checkpoints.install(card, cache, folder)
    return registry.open_any(name, device="cpu")


def _same(ours: Prediction, theirs: Prediction) -> bool:
    assert ours.confidence is not None
    assert theirs.confidence is not None
    assert ours.geometry is not None
    assert theirs.geometry is not None
    if ours.class_name != theirs.class_name or abs(ours.confidence - theirs.confidence) > 1e-5:
        return False
    if not np.allclose(ours.geometry.bounds, theirs.geometry.bounds, atol=0.01):
        return False
    if isinstance(ours.geometry, Mask) and isinstance(theirs.geometry, Mask):
        return bool((decode(ours.geometry) != decode(theirs.geometry)).mean() < 1e-3)
    return True


@pytest.mark.parametrize("name", FEW)
def test_mixed_sizes__are_as_one_by_one(
    name: str, pictures: list[Pixels], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    model = _open(name, tmp_path, monkeypatch, Path(pytestconfig.cache.mkdir("tiny")))
    options = PredictOptions(("cat", "traffic light") if model.card.zero_shot else (), 0.0)
    for image, found in zip(pictures, model.predict(pictures, options), strict=True):
        alone = model.predict([image], options)[0]
        assert alone
        assert len(alone) == len(found)
        for item in found:
            match = next((other for other in alone if _same(item, other)), None)
            assert match is not None, item
            alone.remove(match)


@pytest.mark.parametrize("name", FEW)
def test_padding__would_change_what_is_said(
    name: str, pictures: list[Pixels], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    import torch

    model = _open(name, tmp_path, monkeypatch, Path(pytestconfig.cache.mkdir("tiny")))
    words = {"padding": True} if model.card.zero_shot else {}

    def said(images: list[Pixels]) -> Any:
        texts = {"text": ["cat. traffic light."] * len(images)} if model.card.zero_shot else {}
        inputs = model._processor(images=images, return_tensors="pt", **texts, **words)
        with torch.inference_mode():
            outputs = model._network(**inputs)
        return outputs.pred_boxes[-1] if model.card.zero_shot else outputs.class_queries_logits[-1]

    narrow, wide = pictures[1], pictures[3]
    assert float((said([narrow]) - said([narrow])).abs().max()) == 0.0
    assert float((said([wide, narrow]) - said([narrow])).abs().max()) > 1e-3
