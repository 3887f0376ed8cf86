"""Counts per class and histograms of confidence, for any filter.

Whole bins of the range come from the summary, what sticks out at its two ends from the covering index: exact, and the
work does not grow with the field. A query for images cannot be answered by the summary: then the index is read once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from countersign.domain.errors import InvalidInput
from countersign.domain.label import LabelState
from countersign.domain.query import ImageQuery, LabelFilter
from countersign.domain.review import ClassStat
from countersign.store import tables as t
from countersign.store.review_scope import BY_CLASS, BY_IMAGE, Scope, classes_of, has_verdicts, resolve
from countersign.store.summary import BINS, SCALE, bin_column, steps_column

Sums = defaultdict[int, list[int]]
"""By class: labels that fit, those of them with a confidence, and the sum of their confidences in steps."""


def stats(
    c: Connection,
    field_id: int,
    *,
    project_id: int | None = None,
    query: ImageQuery | None = None,
    min_confidence: float | None = None,
    max_confidence: float | None = None,
    states: Sequence[LabelState] = (),
    classes: Sequence[str] = (),
) -> list[ClassStat]:
    """Count labels per class, by name; classes without any label on these images are left out, unless asked for.

    Raises NotFound for a class of no such name.
    """
    filter = LabelFilter("", tuple(classes), min_confidence, max_confidence, tuple(states))
    scope = resolve(c, field_id, filter, query)
    sums: Sums = defaultdict(lambda: [0, 0, 0])
    if scope.images is None:
        totals = _totals(c, scope)
        _add_whole_bins(c, scope, sums)
        for edge in scope.bins.edges:
            _add_range(c, scope.between(*edge), sums)
    else:
        totals = _scan(c, scope, sums)
    names = _class_names(c, scope)
    wanted = set(totals) | set(scope.classes or ())
    found = [_stat(names[class_id], sums[class_id], totals.get(class_id, 0)) for class_id in wanted]
    return sorted(found, key=lambda stat: stat.class_name)


def histogram(
    c: Connection,
    field_id: int,
    *,
    project_id: int | None = None,
    query: ImageQuery | None = None,
    classes: Sequence[str] = (),
    states: Sequence[LabelState] = (),
    bins: int = 50,
) -> list[int]:
    """Count labels per range of confidence: ``bins`` equal parts of 0..1, the last with its upper end.

    Labels without a confidence are not in it. Raises InvalidInput for a number of bins that does not divide 100.
    """
    if bins < 1 or BINS % bins:
        raise InvalidInput(f"A histogram cannot have {bins} bins", remedy="Ask for 1, 2, 4, 5, 10, 20, 25, 50 or 100.")
    scope = resolve(c, field_id, LabelFilter("", tuple(classes), states=tuple(states)), query)
    if scope.images is None:
        s = t.label_summary.c
        rows: Iterable[Any] = c.execute(
            sa.select(s.bin, sa.func.sum(s.count)).where(*scope.cells(), s.bin >= 0).group_by(s.bin)
        )
    else:
        label = _signed(c, scope)
        at = bin_column(label.c.confidence)
        fits = _fits_state(scope, label)
        rows = c.execute(sa.select(at, sa.func.sum(label.c.sign)).where(at >= 0, *fits).group_by(at))
    found = [0] * bins
    for at_bin, count in rows:
        found[at_bin * bins // BINS] += int(count)
    return found


def _stat(name: str, sums: list[int], total: int) -> ClassStat:
    count, confident, steps = sums
    return ClassStat(name, count, total, steps / SCALE / confident if confident else None)


def _class_names(c: Connection, scope: Scope) -> dict[int, str]:
    k = t.label_class.c
    rows = c.execute(sa.select(k.id, k.name).where(k.project_id == scope.field.project_id))
    return {row[0]: row[1] for row in rows}


def _totals(c: Connection, scope: Scope) -> dict[int, int]:
    s = t.label_summary.c
    where = [s.field_id == scope.field.id, s.count > 0]
    if scope.classes is not None:
        where.append(s.class_id.in_(scope.classes))
    return {
        row[0]: int(row[1])
        for row in c.execute(sa.select(s.class_id, sa.func.sum(s.count)).where(*where).group_by(s.class_id))
    }


def _add_whole_bins(c: Connection, scope: Scope, sums: Sums) -> None:
    s, bins = t.label_summary.c, scope.bins
    confident = sa.func.sum(sa.case((s.bin >= 0, s.count), else_=0))
    rows = c.execute(
        sa.select(s.class_id, sa.func.sum(s.count), confident, sa.func.sum(s.total_confidence))
        .where(*scope.cells(), s.bin.between(bins.first, bins.last))
        .group_by(s.class_id)
    )
    _add(sums, rows)


def _add_range(c: Connection, scope: Scope, sums: Sums) -> None:
    """Add what the index has in a narrow range."""
    classes = classes_of(c, scope)
    if not classes:
        return
    label, plain = t.label, None if has_verdicts(c, scope.field.id) else t.label.c.state
    count = sa.func.count()
    rows = c.execute(
        sa.select(label.c.class_id, count, count, sa.func.sum(steps_column(label.c.confidence)))
        .where(*scope.with_classes(classes).labels(state=plain))
        .group_by(label.c.class_id)
        .with_hint(label, BY_CLASS, "sqlite")
    )
    _add(sums, rows)


def _scan(c: Connection, scope: Scope, sums: Sums) -> dict[int, int]:
    """Read all labels on the scope's images once; return the totals per class."""
    label = _signed(c, scope)
    fits = _fits_state(scope, label)
    if scope.ranged:
        fits.append(label.c.confidence.between(*scope.range))
    fit = sa.and_(sa.true(), *fits)

    def summed(condition: sa.ColumnElement[bool], value: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
        return sa.func.sum(sa.case((condition, value), else_=0))

    confident = sa.and_(fit, label.c.confidence.is_not(None))
    rows = c.execute(
        sa.select(
            label.c.class_id,
            summed(fit, label.c.sign),
            summed(confident, label.c.sign),
            summed(confident, label.c.sign * steps_column(label.c.confidence)),
            sa.func.sum(label.c.sign),
        ).group_by(label.c.class_id)
    ).all()
    _add(sums, (row[:4] for row in rows))
    return {row[0]: int(row[4]) for row in rows if row[4]}


def _add(sums: Sums, rows: Iterable[Any]) -> None:
    for class_id, *found in rows:
        for at, value in enumerate(found):
            sums[class_id][at] += int(value)


def _fits_state(scope: Scope, label: sa.FromClause) -> list[sa.ColumnElement[bool]]:
    if scope.stored is None:
        return []
    return [label.c.state.in_(scope.stored) if scope.stored else sa.false()]


def _signed(c: Connection, scope: Scope) -> sa.Subquery:
    """Rows of class, confidence, state and sign: every label as it is stored, and for each verdict beside one the state
    that it has (+1) and the one that it overrules (-1). Cheaper than looking a million verdicts up, and as exact."""
    k, v = t.label.c, t.verdict.c
    wide = Scope(scope.field, scope.classes, None, None, None, scope.images)
    few = scope.classes is not None and len(scope.classes) <= 8
    stored = (
        sa.select(k.class_id, k.confidence, k.state, sa.literal_column("1", sa.Integer()).label("sign"))
        .where(*wide.labels())
        .with_hint(t.label, BY_CLASS if few else BY_IMAGE, "sqlite")
    )
    if scope.stored is None or not has_verdicts(c, scope.field.id):
        return stored.subquery()
    decided = sa.select(v.class_id, v.confidence, v.state, sa.literal_column("1", sa.Integer()).label("sign"))
    overruled = sa.select(v.class_id, v.confidence, v.was, sa.literal_column("-1", sa.Integer()).label("sign"))
    fits = wide.verdicts(any_state=True)
    return sa.union_all(stored, decided.where(*fits), overruled.where(*fits)).subquery()
