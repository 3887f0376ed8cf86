"""An object of an image cut out by pointing at it. Nothing is stored: who likes the mask makes a label of it.

Such a label is a person's, made with the help of a model: its provenance says both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from countersign.domain.errors import InvalidInput, NotFound
from countersign.domain.geometry import Box, Mask, Polygon
from countersign.domain.image import Image, Project
from countersign.domain.label import Origin, Provenance
from countersign.domain.model import ModelCard
from countersign.formats.outline import outline, simplified, without_specks
from countersign.runs import catalogue, segmenting
from countersign.runs.segmenting import Cutter
from countersign.store import Store, images
from countersign.workbench.labelling import find
from countersign.workbench.matching import ImageNames

Point: TypeAlias = tuple[float, float] | tuple[float, float, bool]
"""x, y in pixels of the upright image, and False where it does not belong to the object."""

TOLERANCE = 1.0
"""How far an outline may lie from the edge of its mask, in pixels."""


@dataclass(frozen=True, slots=True)
class Segmented:
    """An object cut out of an image.

    ``mask`` is None where nothing was found. ``outline`` is there where it was asked for, ``confidence`` (0..1) where
    the model says how good its mask is. ``provenance`` is that of a label made of it.
    """

    image_id: int
    mask: Mask | None
    outline: Polygon | None
    confidence: float | None
    provenance: Provenance


class Cutters:
    """The model that was asked last, kept loaded."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: tuple[Any, Cutter] | None = None

    def of(self, model: str) -> Cutter:
        """Return a model as one that takes clicks. Raises NotFound, ModelError."""
        key = catalogue.parse(self._store, model)
        if self._last is None or self._last[0] != key:
            found = catalogue.open_any(self._store, model)
            self._last = key, Cutter(segmenting.as_segmenter(found, model))
        return self._last[1]


def segment(
    store: Store, project: Project, image: str | int, *, model: str, points: Sequence[Point], box: Box | None,
    polygon: bool, actor: str, cutters: Cutters,
) -> Segmented:  # fmt: skip
    """Cut an object out with a model in this process. Raises NotFound, InvalidInput, ModelError, ImageError."""
    found = one_image(store, project, image)
    asked = segmenting.clicks(signed(points), box, found.width, found.height)
    cutter = cutters.of(model)
    cut = cutter.cut((found.path, found.content_hash), lambda: segmenting.read(cutter.model, found.path), asked)
    made = provenance(model, cutter.model.card, actor)
    return Segmented(found.id, cut.mask, outline_of(cut.mask) if polygon else None, cut.confidence, made)


def provenance(model: str, card: ModelCard, actor: str) -> Provenance:
    """Return where a label comes from that a person made with the help of a model."""
    return Provenance(
        Origin.PERSON, source=actor, model=model, model_version=card.version, weights_hash=card.weights_hash
    )


def outline_of(mask: Mask | None, tolerance: float = TOLERANCE) -> Polygon | None:
    """Return the outline of a mask with as few corners as ``tolerance`` pixels allow; None of nothing.

    Parts and holes that are smaller than a square of four times ``tolerance`` are left out.
    """
    exact = outline(without_specks(mask, (4 * tolerance) ** 2)) if mask is not None else None
    return simplified(exact, tolerance) if exact is not None else None


def signed(points: Sequence[Point]) -> list[tuple[float, float, bool]]:
    """Return points with their sign. Raises InvalidInput for what is no point."""
    if any(len(point) not in (2, 3) for point in points):
        raise InvalidInput("A point is x, y, and False where it does not belong to the object")
    return [(point[0], point[1], bool(point[2]) if len(point) == 3 else True) for point in points]


def one_image(store: Store, project: Project, image: str | int) -> Image:
    """Return the image of a project that a name or an id means. Raises NotFound, InvalidInput for an ambiguous name."""
    image_id = image if isinstance(image, int) else find(ImageNames(store, project.id), image)
    with store.read() as c:
        found = images.get(c, image_id)
    if found.project_id != project.id:
        raise NotFound("image", image)
    return found
