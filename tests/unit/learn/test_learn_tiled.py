from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from learn_toys import discs, settings, training_image

from countersign.domain.geometry import Box, box_iou
from countersign.learn.predict import prepare
from countersign.learn.trainer import fit
from countersign.models.contract import PredictOptions


def found_and_wrong(model: Any, seed: int, **how: Any) -> tuple[float, int]:
    """Share of the objects of a new image that are found, and how many boxes fit none."""
    pixels, labels, _ = discs(seed, **how)
    said = model.predict([pixels], PredictOptions(min_confidence=0.3))[0]
    boxes = np.array([item.geometry.bounds for item in said if isinstance(item.geometry, Box)]).reshape(-1, 4)
    truth = np.array([item.geometry.bounds for item in labels if isinstance(item.geometry, Box)])
    overlap = box_iou(boxes, truth)
    return float((overlap.max(0, initial=0) > 0.5).mean()), int((overlap.max(1, initial=0) < 0.3).sum())


@pytest.mark.slow
def test_small_objects_in_a_large_image() -> None:
    how: dict[str, Any] = {"side": 700, "count": 24, "radius": 9, "colours": ("red",)}
    images = []
    for seed in range(3):
        pixels, labels, _ = discs(seed, **how)
        images.append(training_image(pixels, labels, f"{seed}"))
    model = fit(images, (), settings(epochs=8))
    assert model.recipe.view.tiled
    found, wrong = found_and_wrong(model, 50, **how)
    assert found >= 0.9
    assert wrong <= 2


@pytest.mark.slow
def test_twelve_megapixels() -> None:
    def photo(seed: int) -> tuple[np.ndarray[Any, np.dtype[np.uint8]], list[Any]]:
        """Discs of 30 pixels all over 4000 x 3000."""
        rng = np.random.default_rng(seed)
        pixels = np.full((3000, 4000, 3), 120, np.uint8)
        labels: list[Any] = []
        for row in range(5):
            for column in range(8):
                part, found, _ = discs(int(rng.integers(1 << 30)), side=300, count=1, radius=15, colours=("red",))
                y, x = row * 600, column * 500
                pixels[y : y + 300, x : x + 300] = part
                labels += [type(item)("red", Box(item.geometry.x + x, item.geometry.y + y, 31, 31)) for item in found]
        return pixels, labels

    pixels, labels = photo(0)
    model = fit([training_image(pixels, labels)], (), settings(epochs=25))
    assert model.recipe.view.tiled
    pixels, labels = photo(1)
    said = model.predict([pixels])[0]
    boxes = np.array([item.geometry.bounds for item in said if isinstance(item.geometry, Box)]).reshape(-1, 4)
    overlap = box_iou(boxes, np.array([item.geometry.bounds for item in labels]))
    assert (overlap.max(0, initial=0) > 0.5).mean() >= 0.85
    assert len(boxes) <= 1.3 * len(labels)


def test_tiles_are_the_whole_image() -> None:
    images = [training_image(discs(0, side=300, count=4, radius=5)[0], discs(0, side=300, count=4, radius=5)[1])]
    model = fit(images, (), settings(epochs=1, tiling="on"))
    prepared = prepare(images[0].load(), model.recipe.view)
    assert len(prepared.views) >= 4
    assert {view.canvas.shape for view in prepared.views} == {(224, 224, 3)}
    off = fit(images, (), settings(epochs=1, tiling="off"))
    assert len(off.prepare(images[0].load()).views) == 1
