"""Cutting an object out of the image on screen."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from countersign.runs.segmenting import MOST_POINTS
from countersign.server.schemas.common import Wire
from countersign.server.schemas.labels import Box, Mask, Number, Polygon, PredictedBy


class Click(Wire):
    """A point that somebody clicked."""

    x: Number
    y: Number
    include: bool = True
    """False: this does not belong to the object."""


class SegmentRequest(Wire):
    """An object that somebody points at: by points, a box, or both. Nothing is stored."""

    model: str = Field(min_length=1, max_length=500)
    """One that does the task `prompted_segmentation`."""
    points: list[Click] = Field(default_factory=list, max_length=MOST_POINTS)
    """In the order in which they were clicked: each refines the mask of those before it."""
    box: Box | None = None
    outline: bool = False
    """Return the outline, too."""
    tolerance: Annotated[float, Field(ge=0, le=100)] = 1.0
    """How many pixels the outline may lie beside the mask's edge; 0: exactly on it. Specks are left out."""


class LookRequest(Wire):
    """A model that shall look at an image, so that what is clicked next is answered quickly."""

    model: str = Field(min_length=1, max_length=500)


class Looked(Wire):
    """The model knows the image now."""

    looked: bool
    """False if it did before."""
    segmented_by: PredictedBy
    seconds: float


class Segmented(Wire):
    """An object cut out."""

    mask: Mask | None
    """Null where nothing was found."""
    outline: Polygon | None
    """Null unless it was asked for."""
    confidence: float | None
    """The model's own estimate of the mask, 0 to 1; null where it makes none."""
    looked: bool
    """Whether the model had to look at the image first, which is slow."""
    segmented_by: PredictedBy
    """Give it as `made_with` with a label that is made of the mask."""
    seconds: float
