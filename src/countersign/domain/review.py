"""What a review shows: counts per class, a histogram, and pages that go on where the last one ended. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ClassStat:
    """One class of a field under a filter.

    ``current`` labels fit the filter, of ``total`` that the class has on the same images, whatever their confidence and
    state. ``mean_confidence`` (0..1) is that of the current ones; None where none of them has a confidence.
    """

    class_name: str
    current: int
    total: int
    mean_confidence: float | None


class Order(StrEnum):
    """How pages are ordered.

    By id: images by theirs; labels by their image's, then by their own. By confidence: images by their lowest (or, from
    the high end, their highest) label that fits; what has no confidence comes last, at either end.
    """

    ID = "id"
    ID_DOWN = "-id"
    CONFIDENCE = "confidence"
    CONFIDENCE_DOWN = "-confidence"

    @property
    def down(self) -> bool:
        return self.value.startswith("-")

    @property
    def by_confidence(self) -> bool:
        return self in (Order.CONFIDENCE, Order.CONFIDENCE_DOWN)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items in order. ``next`` is what to give as ``after`` for those that follow; None at the end."""

    items: tuple[T, ...]
    next: str | None
