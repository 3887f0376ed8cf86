"""What a review is asked about, resolved against the database: one field, the labels that fit, on which images.

A scope says its conditions for the two tables that hold states: ``label`` (by its covering indexes) and ``verdict``,
which has copies of what a filter needs. What is then done with the labels is not known here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from countersign.domain.label import LabelState
from countersign.domain.query import ImageQuery, LabelFilter
from countersign.store import fields, states, verdicts
from countersign.store import query as queries
from countersign.store import tables as t
from countersign.store.summary import BINS, bin_of, floor_of

BY_CLASS = "INDEXED BY ix_label_review"
BY_IMAGE = "INDEXED BY ix_label_image"

Conditions = list[sa.ColumnElement[bool]]


@dataclass(frozen=True)
class Scope:
    """Labels of one field. ``classes`` None means all; ``stored`` holds stored states, None means all."""

    field: fields.FieldRow
    classes: tuple[int, ...] | None
    stored: tuple[int, ...] | None
    low: float | None
    high: float | None
    images: sa.Select[int] | None
    ids: sa.Select[int] | None = None  # of labels, where they are named one by one

    @property
    def ranged(self) -> bool:
        """Whether a range of confidence is asked for, so that labels without one do not fit."""
        return self.low is not None or self.high is not None

    @property
    def range(self) -> tuple[float, float]:
        return (0.0 if self.low is None else self.low, 1.0 if self.high is None else self.high)

    def labels(self, label: sa.FromClause = t.label, *, state: sa.ColumnElement[int] | None = None) -> Conditions:
        """The conditions on ``label``. ``state`` is the expression to test the states with (default: with verdicts)."""
        found = [label.c.field_id == self.field.id, *self._common(label)]
        if self.ids is not None:
            found.append(label.c.id.in_(self.ids))
        if self.stored is not None:
            tested = verdicts.state_of(label) if state is None else state
            found.append(tested.in_(self.stored) if self.stored else sa.false())
        return found

    def verdicts(self, *, any_state: bool = False) -> Conditions:
        """The conditions on ``verdict``."""
        found = [t.verdict.c.field_id == self.field.id, *self._common(t.verdict)]
        if self.ids is not None:
            found.append(t.verdict.c.label_id.in_(self.ids))
        if self.stored is not None and not any_state:
            found.append(t.verdict.c.state.in_(self.stored) if self.stored else sa.false())
        return found

    def cells(self, table: sa.Table = t.label_summary) -> Conditions:
        """The conditions on a summary table but for those on the bins."""
        found = [table.c.field_id == self.field.id, table.c.count > 0]
        if self.stored is not None:
            found.append(table.c.state.in_(self.stored) if self.stored else sa.false())
        if self.classes is not None:
            found.append(table.c.class_id.in_(self.classes))
        return found

    def _common(self, table: sa.FromClause) -> Conditions:
        found: Conditions = []
        if self.classes is not None:
            found.append(table.c.class_id.in_(self.classes))
        if self.ranged:
            found.append(table.c.confidence.between(*self.range))
        if self.images is not None:
            found.append(table.c.image_id.in_(self.images))
        return found

    @cached_property
    def bins(self) -> Bins:
        """How the range of confidence falls on the bins of the summary."""
        return Bins.of(*self.range) if self.ranged else Bins(-1, BINS - 1, ())

    def with_states(self, stored: Sequence[int]) -> Scope:
        return replace(self, stored=tuple(sorted(stored)))

    def with_classes(self, classes: Sequence[int]) -> Scope:
        return replace(self, classes=tuple(classes))

    def between(self, low: float, high: float) -> Scope:
        return replace(self, low=low, high=high)


@dataclass(frozen=True, slots=True)
class Bins:
    """A range as whole bins ``first`` to ``last`` (none if last < first) and the parts that stick out, as ranges."""

    first: int
    last: int
    edges: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, low: float, high: float) -> Bins:
        first, last = bin_of(low), bin_of(high)
        whole_first = first if low <= floor_of(first) else first + 1
        whole_last = last if high >= ceiling_of(last) else last - 1
        if whole_last < whole_first and first == last:
            return cls(0, -1, ((low, high),))
        edges = []
        if whole_first > first:
            edges.append((low, ceiling_of(first)))
        if whole_last < last:
            edges.append((floor_of(last), high))
        return cls(whole_first, whole_last, tuple(edges))

    @property
    def touched(self) -> tuple[int, int]:
        """First and last bin that have a part in the range."""
        bins = [self.first, self.last] if self.last >= self.first else []
        bins += [bin_of(value) for edge in self.edges for value in edge]
        return min(bins), max(bins)


def ceiling_of(number: int) -> float:
    """Return the largest confidence of a bin."""
    return 1.0 if number >= BINS - 1 else math.nextafter(floor_of(number + 1), -1.0)


def resolve(c: Connection, field_id: int, filter: LabelFilter | None = None, query: ImageQuery | None = None) -> Scope:
    """Look a filter up. Its ``field`` plays no part. Raises NotFound for a class or field of no such name."""
    filter = filter or LabelFilter()
    field = fields.row(c, field_id)
    classes = tuple(queries.class_ids(c, field.project_id, filter.classes)) if filter.classes else None
    stored = states.stored(filter.states, closed=field.closed) if filter.states else None
    images = None if query is None or query.empty else queries.image_ids(c, field.project_id, query)
    numbers = None if stored is None else tuple(int(state) for state in stored)
    return Scope(field, classes, numbers, filter.min_confidence, filter.max_confidence, images)


def has_verdicts(c: Connection, field_id: int) -> bool:
    """Whether any label of a field has a verdict beside it."""
    return c.execute(sa.select(1).where(t.verdict.c.field_id == field_id).limit(1)).scalar() is not None


def decided_in(c: Connection, field_id: int) -> int:
    """Return about how many labels of a field have a verdict beside them: those promoted or rejected."""
    s, decided = t.label_summary.c, (int(LabelState.PROMOTED), int(LabelState.REJECTED))
    return _number(c, sa.select(sa.func.sum(s.count)).where(s.field_id == field_id, s.state.in_(decided)))


def may_have_undecided(c: Connection, scope: Scope) -> bool:
    """Whether some labels of a scope's states may have no verdict beside them: else the labels need not be read."""
    wide = Scope(scope.field, scope.classes, scope.stored, None, None, None)
    decided = sa.select(sa.func.count(t.verdict.c.label_id)).where(*wide.verdicts())
    return at_most(c, wide) > _number(c, decided)


def classes_of(c: Connection, scope: Scope) -> list[int]:
    """Return the classes that may have labels in a scope, from the summary."""
    s = t.label_summary.c
    low, high = scope.bins.touched if scope.ranged else (-1, BINS - 1)
    rows = c.execute(sa.select(s.class_id).where(*scope.cells(), s.bin.between(low, high)).distinct())
    return sorted(rows.scalars())


def few_images(c: Connection, scope: Scope, limit: int = 2_000) -> bool:
    """Whether a scope asks for so few images that their labels are best looked up one image after the other."""
    if scope.images is None:
        return False
    some = sa.select(sa.func.count()).select_from(scope.images.limit(limit + 1).subquery())
    return _number(c, some) <= limit


def at_most(c: Connection, scope: Scope) -> int:
    """Return how many labels a scope has at most: its images and what is left of its edges are not looked at."""
    s = t.label_summary.c
    low, high = scope.bins.touched if scope.ranged else (-1, BINS - 1)
    return _number(c, sa.select(sa.func.sum(s.count)).where(*scope.cells(), s.bin.between(low, high)))


def _number(c: Connection, statement: sa.Select[Any]) -> int:
    return int(c.execute(statement).scalar() or 0)
