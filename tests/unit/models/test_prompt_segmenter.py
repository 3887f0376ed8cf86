"""Segmenters that take clicks: as the library answers itself, many boxes as one by one, the last images kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tiny_checkpoints
from countersign.domain.errors import ModelError
from countersign.domain.geometry import Box, Mask
from countersign.domain.label import Prediction
from countersign.domain.mask import decode
from countersign.models import catalogue, registry
from countersign.models.contract import Clicks, Pixels, PredictOptions
from countersign.models.families import prompt_segmenter
from countersign.models.families.prompt_segmenter import SamSegmenter

IMAGE: Pixels = np.random.default_rng(0).integers(0, 256, (50, 90, 3), dtype=np.uint8)
POINTS = ((30.0, 20.0), (70.0, 41.0))
BOX = Box(10, 5, 50, 30)


@pytest.fixture(scope="module", params=["sam-vit-base", "sam-hq-vit-base", "sam2.1-tiny", "edgetam"])
def folder(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> Path:
    card = catalogue.find(request.param)
    assert card is not None
    return tiny_checkpoints.checkpoint(card, Path(pytestconfig.cache.mkdir("tiny")))


@pytest.fixture
def model(folder: Path) -> SamSegmenter:
    found = registry.open_any(str(folder), device="cpu")
    assert isinstance(found, SamSegmenter)
    return found


@pytest.mark.parametrize(
    "prompt",
    [
        Clicks(POINTS[:1], (True,)),
        Clicks(POINTS, (True, False)),
        Clicks(box=BOX),
        Clicks(POINTS[:1], (False,), BOX),
    ],
    ids=["one click", "two clicks", "box", "box and click"],
)
def test_segment__as_the_library_answers(model: SamSegmenter, folder: Path, prompt: Clicks) -> None:
    """The same prompt through the library's own processor, forward pass and post-processing."""
    import torch
    import transformers as T

    prepares = T.AutoImageProcessor.from_pretrained(folder, local_files_only=True)
    ours = prepares.__class__.__name__.startswith("Sam2")
    processor = T.Sam2Processor(prepares) if ours else T.SamProcessor(prepares)
    asked = {}
    if prompt.points:
        asked["input_points"] = [[[list(point) for point in prompt.points]]]
        asked["input_labels"] = [[[int(sign) for sign in prompt.positive]]]
    if prompt.box is not None:
        asked["input_boxes"] = [[list(prompt.box.corners)]]
    inputs = processor(images=IMAGE, return_tensors="pt", **asked)
    sizes = [inputs[name] for name in ("original_sizes", "reshaped_input_sizes") if name in inputs]
    inputs = {name: value for name, value in inputs.items() if name not in ("original_sizes", "reshaped_input_sizes")}
    inputs = {name: value.float() if value.dtype == torch.float64 else value for name, value in inputs.items()}
    alone = prompt.box is None and len(prompt.points) == 1
    with torch.inference_mode():
        output = model._network(**inputs, multimask_output=alone)
        painted = processor.post_process_masks(output.pred_masks, *sizes)[0][0]
    best = int(output.iou_scores[0, 0].argmax())
    (segment,) = model.segment(model.encode(IMAGE), [prompt])
    assert segment.mask.any()
    assert not segment.mask.all()
    assert (segment.mask == painted[best].numpy()).mean() > 0.999
    assert segment.logits is not None
    assert np.allclose(segment.logits, output.pred_masks[0, 0, best].numpy(), atol=1e-3)


def test_segment__an_old_mask_counts(model: SamSegmenter) -> None:
    encoded = model.encode(IMAGE)
    (first,) = model.segment(encoded, [Clicks(POINTS[:1], (True,))])
    plain, refined = (
        model.segment(encoded, [Clicks(POINTS, (True, False), logits=logits)])[0] for logits in (None, first.logits)
    )
    assert plain.logits is not None
    assert refined.logits is not None
    assert not np.allclose(plain.logits, refined.logits, atol=1e-3)


def test_segment__many_at_once_as_one_by_one(model: SamSegmenter, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = model.encode(IMAGE)
    prompts = [Clicks(box=Box(3 * i, i, 20 + i, 15)) for i in range(9)]
    prompts[4:4] = [Clicks(POINTS[:1], (True,)), Clicks(POINTS[1:], (True,), BOX)]
    monkeypatch.setattr(prompt_segmenter, "_AT_ONCE", 4)
    for prompt, together in zip(prompts, model.segment(encoded, prompts), strict=True):
        (alone,) = model.segment(encoded, [prompt])
        assert (alone.mask == together.mask).mean() > 0.999
        assert alone.confidence == pytest.approx(together.confidence, abs=1e-3)


def test_segment__what_is_wrong_with_a_prompt(model: SamSegmenter) -> None:
    encoded = model.encode(IMAGE)
    with pytest.raises(ModelError, match="nothing was pointed at"):
        model.segment(encoded, [Clicks()])
    with pytest.raises(ModelError, match="2 points came with 1 signs"):
        model.segment(encoded, [Clicks(POINTS, (True,))])


def test_encode__the_last_images_are_kept_within_a_bound(model: SamSegmenter) -> None:
    first = model.encode(IMAGE)
    assert model.encode(IMAGE.copy()) is first
    assert model.encode(IMAGE[:, ::-1]) is not first
    model._recent = prompt_segmenter.Recent(2 * first.nbytes)
    images = [np.roll(IMAGE, shift, axis=1) for shift in range(4)]
    kept = [model.encode(image) for image in images]
    assert len(model._recent) == 2
    assert model.encode(images[3]) is kept[3]
    assert model.encode(images[0]) is not kept[0]


def test_refine__as_prompts_with_boxes(model: SamSegmenter) -> None:
    options = PredictOptions()
    items = [
        Prediction("cat", BOX, 0.9, {"from": "a detector"}),
        Prediction("cat", Box(200, 200, 5, 5), 0.8),
        Prediction("dog", Box(-10, -10, 60, 40), None),
    ]
    (found,) = model.refine([IMAGE], [items], options)
    assert options.tally.counts()["degenerate"] == 1
    assert len(found) + options.tally.counts().get("empty", 0) == 2
    cat = next(item for item in found if item.class_name == "cat")
    assert (cat.confidence, cat.attributes) == (0.9, {"from": "a detector"})
    (segment,) = model.segment(model.encode(IMAGE), [Clicks(box=BOX)])
    assert isinstance(cat.geometry, Mask)
    assert np.array_equal(decode(cat.geometry), segment.mask)
