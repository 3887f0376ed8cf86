"""Reviewing what a run proposed."""

from __future__ import annotations

from pydantic import Field

from countersign.server.schemas.common import Id, LabelState, NamedCount, Wire
from countersign.server.schemas.labels import Label


class ClassStat(Wire):
    """One class under a filter."""

    class_name: str
    current: int
    """Labels that fit the filter ..."""
    total: int
    """... of all that the class has on the same images, whatever their confidence and state."""
    mean_confidence: float | None


class ReviewStats(Wire):
    """Counts per class under a filter, by name."""

    items: list[ClassStat]
    current: int
    total: int


class Histogram(Wire):
    """Labels per range of confidence, 0 to 1 in equal parts; those without a confidence are not in it."""

    bins: list[int]


class ReviewSummary(Wire):
    """How far a review is."""

    states: list[NamedCount]
    """Labels by state."""
    promoted: list[NamedCount]
    """Promoted labels by class: what an approval would join to the target."""
    without_confidence: int
    """Labels that no confidence filter shows."""


class Region(Wire):
    """A part of an image, in pixels."""

    x: float
    y: float
    width: float
    height: float


class ReviewLabel(Wire):
    """A label to decide on."""

    label: Label
    image_name: str
    image_hash: str
    region: Region
    """What the picture at `/labels/{id}/crop` shows of the image, to draw the label over it."""


class ReviewLabelPage(Wire):
    """Some labels in order."""

    items: list[ReviewLabel]
    next: str | None


class LabelSelection(Wire):
    """Which labels: those with these ids, or all that the filter shows (given nothing: all that are open)."""

    label_ids: list[Id] | None = Field(default=None, max_length=1_000_000)
    min: float | None = Field(default=None, ge=0, le=1)
    """Lowest confidence."""
    max: float | None = Field(default=None, ge=0, le=1)
    """Highest confidence."""
    classes: list[str] = Field(default_factory=list, max_length=10_000)
    states: list[LabelState] = Field(default_factory=list)
    query: str = Field(default="", max_length=20_000)
    """Only on these images."""


class UndoPromotion(Wire):
    """Which promotions to take back: those of these classes; none given: all."""

    classes: list[str] = Field(default_factory=list, max_length=10_000)


class Approve(Wire):
    """Where to."""

    into: str = Field(default="ground_truth", min_length=1, max_length=64)
    empty: bool = False
    """Whether it is meant that nothing is promoted: then all labels are rejected, and the run is closed."""
