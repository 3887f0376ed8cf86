"""Objects cut out of images by pointing at them. An image is looked at once; then each click costs the decoder alone.

Points refine each other: the mask of the points before goes into the one of the next, as the model's own low-resolution
logits, where the model gives any. The answer to some points is therefore the same whether they came one by one or all
at once, and taking a point back brings back the mask before it.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign import imaging
from countersign.domain import mask as masks
from countersign.domain.errors import InvalidInput, ModelError
from countersign.domain.geometry import Box, Mask, clip_box
from countersign.models.contract import Clicks, Pixels, PromptSegmenter, ReadsFiles

MOST_POINTS = 200
_KEPT_IMAGES = 6
_KEPT_ANSWERS = 64


def as_segmenter(found: object, reference: str) -> PromptSegmenter:
    """Return a model that was loaded, as one that takes clicks. Raises ModelError where it does not."""
    if isinstance(found, PromptSegmenter):
        return found
    raise ModelError(
        f"The model {reference!r} cuts out nothing that is pointed at",
        remedy="'countersign models list --task prompted_segmentation' names those that do.",
    )


def read(model: PromptSegmenter, path: str) -> Any:
    """Return what ``encode`` takes of an image file. Raises ImageError."""
    return model.read(path) if isinstance(model, ReadsFiles) else imaging.read_rgb(path)


def clicks(points: Sequence[tuple[float, float, bool]], box: Box | None, width: int, height: int) -> Clicks:
    """Return what somebody points at on an image of this size. Raises InvalidInput for what is not on it."""
    if not points and box is None:
        raise InvalidInput("Nothing was pointed at", remedy="Give a point or a box.")
    if len(points) > MOST_POINTS:
        raise InvalidInput(f"{len(points)} points are too many", remedy=f"Give {MOST_POINTS} at most.")
    for x, y, _ in points:
        if not (0 <= x <= width and 0 <= y <= height):
            raise InvalidInput(f"The point {x:g}, {y:g} is not on the image ({width}x{height})")
    clipped = None if box is None else clip_box(box, width, height)
    if box is not None and clipped is None:
        raise InvalidInput(f"The box is not on the image ({width}x{height})")
    return Clicks(tuple((float(x), float(y)) for x, y, _ in points), tuple(bool(sign) for *_, sign in points), clipped)


@dataclass(frozen=True, slots=True)
class Cut:
    """An object cut out. ``mask`` is None where nothing was found; ``confidence`` is the model's own estimate of it.

    ``looked`` says whether the image had to be looked at for this answer (which is slow).
    """

    mask: Mask | None
    confidence: float | None
    logits: NDArray[np.float32] | None = None
    looked: bool = False


@dataclass(slots=True)
class _Seen:
    encoded: Any
    answers: OrderedDict[Clicks, Cut] = field(default_factory=OrderedDict)


class Cutter:
    """Answers clicks with one model, and keeps what it has seen of the last images. For one thread."""

    def __init__(self, model: PromptSegmenter) -> None:
        self.model = model
        self._seen: OrderedDict[Hashable, _Seen] = OrderedDict()
        self._refines: bool | None = None  # whether the model gives logits; None: not known yet

    def look(self, key: Hashable, image: Callable[[], Pixels]) -> bool:
        """Look at an image, unless that was done; say whether it had to be. Raises ModelError, ImageError."""
        if key in self._seen:
            self._seen.move_to_end(key)
            return False
        self._seen[key] = _Seen(self.model.encode(image()))
        while len(self._seen) > _KEPT_IMAGES:
            self._seen.popitem(last=False)
        return True

    def cut(self, key: Hashable, image: Callable[[], Pixels], asked: Clicks) -> Cut:
        """Cut out what is pointed at; ``key`` stands for the image. Raises ModelError, ImageError."""
        looked = self.look(key, image)
        seen = self._seen[key]
        logits = None
        for step in _steps(asked):
            if step is not asked and self._refines is False:
                continue
            found = seen.answers.get(step) or self._ask(seen, step, logits)
            seen.answers.move_to_end(step)
            logits = found.logits
        while len(seen.answers) > _KEPT_ANSWERS:
            seen.answers.popitem(last=False)
        return dataclasses.replace(seen.answers[asked], looked=looked)

    def _ask(self, seen: _Seen, asked: Clicks, logits: NDArray[np.float32] | None) -> Cut:
        answers = self.model.segment(seen.encoded, [dataclasses.replace(asked, logits=logits)])
        if len(answers) != 1:
            raise ModelError(
                f"The model {self.model.card.name!r} has no answer to this", remedy="Try a box, or another model."
            )
        made = answers[0]
        self._refines = made.logits is not None
        mask = masks.encode(made.mask) if made.mask.any() else None
        seen.answers[asked] = Cut(mask, made.confidence, made.logits)
        return seen.answers[asked]


def _steps(asked: Clicks) -> Iterator[Clicks]:
    """Yield what was pointed at first, then with each further point; the last is all of it."""
    first = 0 if asked.box is not None else 1
    for count in range(first, len(asked.points)):
        yield Clicks(asked.points[:count], asked.positive[:count], asked.box)
    yield asked
