"""How a run comes to its labels: one model, a detector and a second stage, or given boxes and a second stage.

Whatever the method, the engine sees one ``Model`` (or a ``GivenBoxes``, which needs the boxes of each image as well).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from countersign.domain.errors import InvalidInput, ModelError
from countersign.domain.label import Prediction
from countersign.domain.mask import encode
from countersign.domain.model import LABELLING, ModelCard, Task
from countersign.domain.run import Method, RunSpec
from countersign.models.contract import (
    Anything,
    BoxRefiner,
    Clicks,
    Model,
    Pixels,
    PredictOptions,
    PromptSegmenter,
    SplitModel,
    device_of,
    is_parallel,
)
from countersign.models.parts.refining import boxed

Open = Callable[[str], Anything]


def assemble(spec: RunSpec, open_model: Open) -> Model | GivenBoxes:
    """Load what a run needs and put it together. ``open_model`` loads by reference. Raises ModelError, NotFound."""
    first = open_model(spec.model)
    if spec.method is Method.EXISTING:
        return GivenBoxes(refiner_of(spec.model, first))
    if not isinstance(first, Model):
        raise ModelError(f"{spec.model!r} does not label whole images", remedy=_only_second(first.card))
    if spec.method is Method.TWO_STAGE:
        return TwoStages(first, refiner_of(spec.refiner, open_model(spec.refiner)))
    return first


def refiner_of(reference: str, model: Anything) -> BoxRefiner:
    """Return what turns boxes into masks or poses, made of a model. Raises ModelError where it cannot do that."""
    if isinstance(model, BoxRefiner):
        return model
    if isinstance(model, PromptSegmenter):
        return PromptedMasks(model)
    raise ModelError(
        f"{reference!r} cannot turn boxes into masks or poses", remedy="Choose a prompted segmenter or a pose model."
    )


def _only_second(card: ModelCard) -> str:
    able = {Task.PROMPTED_SEGMENTATION, Task.POSE}.intersection(card.tasks)
    return "Use it as second stage, or on existing boxes." if able else "Choose another model."


def check_method(spec: RunSpec) -> None:
    """Raise InvalidInput for a second model or a field of boxes that the method would ignore."""
    if spec.refiner and spec.method is not Method.TWO_STAGE:
        raise InvalidInput(
            f"a second model ({spec.refiner}) is named, but the run is not in two stages",
            remedy="Choose the method two-stage, or leave the second model out.",
        )
    if spec.boxes_field and spec.method is not Method.EXISTING:
        raise InvalidInput(
            f"a field of boxes ({spec.boxes_field}) is named, but the run does not begin with existing boxes",
            remedy="Choose the method existing, or leave the field out.",
        )


def check_task(spec: RunSpec, card: ModelCard, refiner: ModelCard | None) -> None:
    """Raise ModelError where the models of a run cannot do its task by its method."""
    wanted = spec.task
    if spec.method is Method.ONE_STAGE:
        if not set(card.tasks).intersection(LABELLING) or card.details.get("needs_boxes"):
            raise ModelError(f"{spec.model!r} does not label whole images", remedy=_only_second(card))
        if wanted is not None and wanted not in card.tasks:
            raise ModelError(f"{spec.model!r} does not do {_words(wanted)}", remedy=f"It does {_tasks(card)}.")
        return
    if spec.method is Method.TWO_STAGE and Task.DETECTION not in card.tasks:
        raise ModelError(f"{spec.model!r} does not detect", remedy="The first of two stages needs a detector.")
    second = refiner if spec.method is Method.TWO_STAGE else card
    assert second is not None
    gives = Task.POSE if wanted is Task.POSE else Task.PROMPTED_SEGMENTATION
    if wanted not in (None, Task.INSTANCE_SEGMENTATION, Task.POSE) or gives not in second.tasks:
        name = spec.refiner if spec.method is Method.TWO_STAGE else spec.model
        what = _words(wanted or Task.INSTANCE_SEGMENTATION)
        raise ModelError(f"{name!r} cannot do {what} from boxes", remedy=f"It does {_tasks(second)}.")


def _words(task: Task) -> str:
    return task.value.replace("_", " ")


def _tasks(card: ModelCard) -> str:
    return ", ".join(_words(task) for task in card.tasks)


class TwoStages(SplitModel):
    """A detector whose boxes a second model turns into masks or poses.

    Prepared: the image as it is, and what the detector makes of it.
    """

    def __init__(self, detector: Model, refiner: BoxRefiner) -> None:
        self._detector = detector
        self._refiner = refiner
        self.parallel = is_parallel(detector) and is_parallel(refiner)

    @property
    def card(self) -> ModelCard:
        return joined(self._detector.card, self._refiner.card)

    @property
    def device(self) -> str:
        return device_of(self._refiner)

    def prepare(self, image: Pixels) -> tuple[Pixels, Any]:
        return image, self._detector.prepare(image) if isinstance(self._detector, SplitModel) else None

    def predict_prepared(self, prepared: Sequence[Any], options: PredictOptions) -> list[list[Prediction]]:
        images = [image for image, _ in prepared]
        finding = dataclasses.replace(options, task=Task.DETECTION)
        if isinstance(self._detector, SplitModel):
            found = self._detector.predict_prepared([ready for _, ready in prepared], finding)
        else:
            found = self._detector.predict(images, finding)
        return self._refiner.refine(images, [_boxes(items, options) for items in found], options)


class GivenBoxes:
    """A second stage over boxes that are there already: those of a field."""

    def __init__(self, refiner: BoxRefiner) -> None:
        self._refiner = refiner
        self.parallel = is_parallel(refiner)

    @property
    def card(self) -> ModelCard:
        return self._refiner.card

    @property
    def device(self) -> str:
        return device_of(self._refiner)

    def predict_given(
        self, images: Sequence[Pixels], given: Sequence[Sequence[Prediction]], options: PredictOptions
    ) -> list[list[Prediction]]:
        """Turn the boxes of each image into masks or poses; images without a box cost nothing."""
        return self._refiner.refine(images, [_boxes(items, options) for items in given], options)


class PromptedMasks:
    """Any prompted segmenter as a second stage: each box is its prompt."""

    def __init__(self, segmenter: PromptSegmenter) -> None:
        self._segmenter = segmenter
        self.parallel = is_parallel(segmenter)

    @property
    def card(self) -> ModelCard:
        return self._segmenter.card

    @property
    def device(self) -> str:
        return device_of(self._segmenter)

    def refine(
        self, images: Sequence[Pixels], found: Sequence[Sequence[Prediction]], options: PredictOptions
    ) -> list[list[Prediction]]:
        return [self._one(image, items, options) for image, items in zip(images, found, strict=True)]

    def _one(self, image: Pixels, items: Sequence[Prediction], options: PredictOptions) -> list[Prediction]:
        given = boxed(image, items, options.tally)
        if not given:
            return []
        cut = self._segmenter.segment(self._segmenter.encode(image), [Clicks(box=box) for _, box in given])
        masked = [
            dataclasses.replace(item, geometry=encode(segment.mask))
            for (item, _), segment in zip(given, cut, strict=True)
            if segment.mask.any()
        ]
        options.tally.add("empty", len(given) - len(masked))
        return masked


def _boxes(found: Sequence[Prediction], options: PredictOptions) -> list[Prediction]:
    """Return the boxes that are asked for: a second stage costs time for each."""
    return [item for item in wanted(found, options) if item.geometry is not None]


def wanted(found: Sequence[Prediction], options: PredictOptions) -> list[Prediction]:
    """Return the predictions that were asked for: of these classes, and sure enough."""
    classes = set(options.classes)
    return [
        item
        for item in found
        if (not classes or item.class_name in classes)
        and (item.confidence is None or item.confidence >= options.min_confidence)
    ]


def joined(first: ModelCard, second: ModelCard) -> ModelCard:
    """Return the card of two models in a row."""
    pose = Task.POSE in second.tasks
    return dataclasses.replace(
        first,
        name=f"{first.name} + {second.name}",
        tasks=(Task.POSE if pose else Task.INSTANCE_SEGMENTATION,),
        version=f"{first.version} + {second.version}",
        weights_hash="+".join(filter(None, (first.weights_hash, second.weights_hash))),
        details=dict(second.details) | dict(first.details),
    )
