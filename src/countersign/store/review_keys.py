"""Keys of the labels of a scope in an order, read from the covering indexes as far as somebody asks.

How a way is chosen is said in review_pages.py. Nothing here reads whole labels.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from countersign.store import tables as t
from countersign.store import verdicts
from countersign.store.review_scope import (
    BY_CLASS,
    BY_IMAGE,
    Scope,
    ceiling_of,
    decided_in,
    few_images,
    has_verdicts,
    may_have_undecided,
)
from countersign.store.summary import BINS, BLOCK, bin_of, floor_of

FEW = 2_000
"""So many labels are collected and sorted sooner than an order is walked."""

AROUND = 20_000
"""So many labels are looked at for a few that fit, before the verdicts are read instead."""

SMALL_QUERY = 2_000
"""So many images of a query are looked up one by one."""


Window = tuple[int, float, float]
"""A class, and the lowest and highest confidence of labels of it that are looked at."""

Where = Callable[[sa.FromClause], list[sa.ColumnElement[bool]]]
"""Conditions on a table of labels."""


class Key(NamedTuple):
    """What orders a label."""

    confidence: float | None
    image_id: int
    label_id: int


def by_image(c: Connection, scope: Scope, after: Key | None, *, down: bool, limit: int) -> Iterator[Key]:
    """Yield keys by image id, then label id. ``limit`` says how many will probably be asked for."""
    k = t.label.c
    scope, few = _extent(c, scope)
    if scope.images is None and few:
        found = sorted(_collect(c, scope), key=lambda key: (key.image_id, key.label_id), reverse=down)
        yield from (key for key in found if after is None or _past(key, after, down))
        return
    order = (k.image_id.desc(), k.id.desc()) if down else (k.image_id, k.id)
    where = scope.labels(state=None if has_verdicts(c, scope.field.id) else k.state)
    chosen = _keys().with_hint(t.label, BY_IMAGE, "sqlite").order_by(*order)
    for low, high in _blocks(c, scope, after, down=down):
        here = [*where, k.image_id.between(low, high)]
        at = after if after is not None and low <= after.image_id <= high else None
        while True:
            past = [] if at is None else [_past_image(at, down)]
            rows = [Key(*row) for row in c.execute(chosen.where(*here, *past).limit(limit))]
            yield from rows
            if len(rows) < limit:
                break
            at = rows[-1]


def by_confidence(c: Connection, scope: Scope, after: Key | None, *, down: bool, limit: int) -> Iterator[Key]:
    """Yield keys by confidence, then label id; those without a confidence last. ``limit`` as above."""
    scope, few = _extent(c, scope)
    if few if scope.images is None else few_images(c, scope, SMALL_QUERY):
        found = sorted(_collect(c, scope), key=lambda key: _rank(key, down))
        yield from (key for key in found if after is None or _rank(key, down) > _rank(after, down))
        return
    at = after
    if after is None or after.confidence is not None:
        while True:
            rows = _merge(c, scope, at, down=down, limit=limit)
            yield from rows
            if len(rows) < limit:
                break
            at = rows[-1]
        at = None
    if not scope.ranged:
        yield from _without_confidence(c, scope, at, down=down, limit=limit)


def _extent(c: Connection, scope: Scope) -> tuple[Scope, bool]:
    """Name the classes that can have labels here (the indexes want them named), and say whether the labels are few.

    Where the summary cannot tell, as for a narrow range, the index is asked.
    """
    s, k, bins = t.label_summary.c, t.label.c, scope.bins
    low, high = bins.touched if scope.ranged else (-1, BINS - 1)
    whole = sa.func.sum(sa.case((s.bin.between(bins.first, bins.last), s.count), else_=0))
    counts = sa.select(s.class_id, sa.func.sum(s.count), whole).where(*scope.cells(), s.bin.between(low, high))
    rows = c.execute(counts.group_by(s.class_id)).all()
    scope = scope.with_classes([row[0] for row in rows])
    if sum(int(row[1]) for row in rows) <= FEW:
        return scope, True
    found = sum(int(row[2]) for row in rows)
    for edge in bins.edges:
        if found > FEW:
            break
        here = (k.field_id == scope.field.id, k.class_id.in_(scope.classes or ()), k.confidence.between(*edge))
        some = sa.select(k.id).where(*here).with_hint(t.label, BY_CLASS, "sqlite").limit(FEW + 1)
        found += int(c.execute(sa.select(sa.func.count()).select_from(some.subquery())).scalar_one())
    return scope, found <= FEW


def _keys() -> sa.Select[Any]:
    return sa.select(t.label.c.confidence, t.label.c.image_id, t.label.c.id)


def _collect(c: Connection, scope: Scope) -> list[Key]:
    """Return all keys of a scope with few labels, or on few images."""
    if not scope.classes:
        return []
    if scope.images is not None:
        rows = c.execute(_keys().where(*scope.labels()).with_hint(t.label, BY_IMAGE, "sqlite"))
        return [Key(*row) for row in rows]
    cells, around = _cells(c, scope)
    bare = _by_state(scope)
    if scope.stored is None or around <= AROUND or around <= decided_in(c, scope.field.id):
        plain = not has_verdicts(c, scope.field.id)
        return _in_cells(c, scope, cells, lambda k: bare.labels(k, state=k.c.state if plain else None))
    # Few labels among many of other states: most likely those are the verdicts themselves, which are fewer.
    v = t.verdict.c
    rows = c.execute(sa.select(v.confidence, v.image_id, v.label_id).where(*scope.verdicts()))
    found = [Key(*row) for row in rows]
    if may_have_undecided(c, scope):
        found += _in_cells(c, scope, cells, lambda k: [*bare.labels(k, state=k.c.state), verdicts.undecided(k)])
    return found


def _by_state(scope: Scope) -> Scope:
    """The scope without its classes and its range: for statements that get them from a table of windows."""
    return Scope(scope.field, None, scope.stored, None, None, scope.images)


def _cells(c: Connection, scope: Scope) -> tuple[list[tuple[int, int]], int]:
    """Return class and bin of the cells where something fits, and how many labels of any state are in them."""
    s = t.label_summary.c
    low, high = scope.bins.touched if scope.ranged else (-1, BINS - 1)
    fits = sa.true() if scope.stored is None else s.state.in_(scope.stored)
    fitting = sa.func.sum(sa.case((fits, s.count), else_=0))
    wide = Scope(scope.field, scope.classes, None, None, None, None)
    rows = c.execute(
        sa.select(s.class_id, s.bin, sa.func.sum(s.count))
        .where(*wide.cells(), s.bin.between(low, high))
        .group_by(s.class_id, s.bin)
        .having(fitting > 0)
    ).all()
    return [(row[0], row[1]) for row in rows], sum(int(row[2]) for row in rows)


def _in_cells(c: Connection, scope: Scope, cells: list[tuple[int, int]], where: Where) -> list[Key]:
    """Return the keys of labels in these cells that meet the conditions."""
    k = t.label.c
    found: list[Key] = []
    bare = [class_id for class_id, at in cells if at == -1]
    if bare:
        chosen = _keys().where(*where(t.label), k.class_id.in_(bare), k.confidence.is_(None))
        found += [Key(*row) for row in c.execute(chosen.with_hint(t.label, BY_CLASS, "sqlite"))]
    low, high = scope.range
    window = [(class_id, max(low, floor_of(at)), min(high, ceiling_of(at))) for class_id, at in cells if at >= 0]
    if window:
        found += [Key(*row) for row in c.execute(_in_windows(c, window, where))]
    return found


def _rank(key: Key, down: bool) -> tuple[bool, float, int]:
    if key.confidence is None:
        return (True, 0.0, -key.label_id if down else key.label_id)
    return (False, -key.confidence, -key.label_id) if down else (False, key.confidence, key.label_id)


def _past(key: Key, after: Key, down: bool) -> bool:
    here, there = (key.image_id, key.label_id), (after.image_id, after.label_id)
    return here < there if down else here > there


def _past_image(after: Key, down: bool) -> sa.ColumnElement[bool]:
    k = t.label.c
    if down:
        return sa.or_(k.image_id < after.image_id, sa.and_(k.image_id == after.image_id, k.id < after.label_id))
    return sa.or_(k.image_id > after.image_id, sa.and_(k.image_id == after.image_id, k.id > after.label_id))


def _blocks(c: Connection, scope: Scope, after: Key | None, *, down: bool) -> Iterator[tuple[int, int]]:
    """Yield ranges of image ids, in order, outside of which nothing fits."""
    b = t.label_block.c
    where = scope.cells(t.label_block)
    if after is not None:
        edge = after.image_id // BLOCK
        where.append(b.block <= edge if down else b.block >= edge)
    order = b.block.desc() if down else b.block
    found = c.execute(sa.select(b.block).where(*where).group_by(b.block).order_by(order)).scalars().all()
    step = -1 if down else 1
    for _, run in itertools.groupby(enumerate(found), lambda item: item[1] - step * item[0]):
        blocks = [block for _, block in run]
        low, high = min(blocks) * BLOCK, (max(blocks) + 1) * BLOCK - 1
        if after is not None:
            low, high = (low, min(high, after.image_id)) if down else (max(low, after.image_id), high)
        yield low, high


def _window(c: Connection, scope: Scope, after: Key | None, *, down: bool, limit: int) -> tuple[list[Window], int]:
    """Return class, lowest and highest confidence of what has to be read for the next ``limit`` labels, and about how
    many labels that are.

    Bins are counted from the end of the order until enough labels must be in them. A bin that is only partly in the
    range or partly on pages before, or a query for images, promises nothing: then the window is as wide as the range.
    """
    low, high = scope.range
    begun = None
    if after is not None and after.confidence is not None:
        low, high = (low, after.confidence) if down else (after.confidence, high)
        begun = bin_of(after.confidence)
    s, bins = t.label_summary.c, scope.between(low, high).bins
    first, last = bins.touched
    inside = [*scope.cells(), s.bin.between(first, last)]
    counts = c.execute(sa.select(s.bin, sa.func.sum(s.count)).where(*inside).group_by(s.bin)).all()
    wanted: list[int] = []
    total = seen = 0
    for at, count in sorted((row[0], int(row[1])) for row in counts)[:: -1 if down else 1]:
        wanted.append(at)
        seen += count
        if bins.first <= at <= bins.last and at != begun and scope.images is None:
            total += count
        if total >= limit:
            break
    if not wanted:
        return [], 0
    spans = sa.select(s.class_id, sa.func.min(s.bin), sa.func.max(s.bin)).group_by(s.class_id)
    rows = c.execute(spans.where(*scope.cells(), s.bin.between(min(wanted), max(wanted))))
    window = [(class_id, max(low, floor_of(first)), min(high, ceiling_of(last))) for class_id, first, last in rows]
    return window, seen


def _merge(c: Connection, scope: Scope, after: Key | None, *, down: bool, limit: int) -> list[Key]:
    """Return the next ``limit`` keys with a confidence: the first ones of each class, merged."""
    window, about = _window(c, scope, after, down=down, limit=limit)
    if not window:
        return []
    plain, bare = not has_verdicts(c, scope.field.id), _by_state(scope)

    def where(k: sa.FromClause) -> list[sa.ColumnElement[bool]]:
        found = bare.labels(k, state=k.c.state if plain else None)
        if after is not None and after.confidence is not None:
            ahead = k.c.confidence < after.confidence if down else k.c.confidence > after.confidence
            further = k.c.id < after.label_id if down else k.c.id > after.label_id
            found.append(sa.or_(ahead, sa.and_(k.c.confidence == after.confidence, further)))
        return found

    if (guessed := _guess(c, window, about, where, down=down, limit=limit)) is not None:
        return guessed
    return [Key(*row) for row in c.execute(_in_windows(c, window, where, down=down, limit=limit))]


def _guess(
    c: Connection, window: list[Window], about: int, where: Where, *, down: bool, limit: int
) -> list[Key] | None:
    """Try a slice of the window that has what is wanted, if confidences are spread evenly in it; None if not."""
    low, high = min(each[1] for each in window), max(each[2] for each in window)
    share = 4 * limit / max(about, 1)
    if share >= 0.5:
        return None
    edge = high - share * (high - low) if down else low + share * (high - low)
    k = t.label.c
    inside = (
        k.class_id.in_([each[0] for each in window]),
        k.confidence.between(*((edge, high) if down else (low, edge))),
    )
    most = 12 * limit
    chosen = _keys().where(*where(t.label), *inside).with_hint(t.label, BY_CLASS, "sqlite").limit(most + 1)
    found = [Key(*row) for row in c.execute(chosen)]
    return sorted(found, key=lambda key: _rank(key, down))[:limit] if limit <= len(found) <= most else None


def _in_windows(
    c: Connection, window: list[Window], where: Where, *, down: bool = False, limit: int | None = None
) -> sa.Select[Any]:
    """Select the keys of labels in windows that meet the conditions; with a limit the first ones, by confidence."""
    each, k = _each(c, window), t.label.alias("k")

    def ordered(chosen: sa.Select[Any], of: Any) -> sa.Select[Any]:
        if limit is None:
            return chosen
        order = [of.confidence.desc(), of.id.desc()] if down else [of.confidence, of.id]
        return chosen.order_by(*order).limit(limit)

    inside = (k.c.class_id == each.c.class_id, k.c.confidence.between(each.c.low, each.c.high))
    first = ordered(sa.select(k.c.confidence, k.c.image_id, k.c.id).where(*where(k), *inside), k.c).correlate(each)
    if c.dialect.name == "sqlite":
        # SQLite has no LATERAL; a list of ids that depends on the window does the same.
        ids = first.with_only_columns(k.c.id).with_hint(k, BY_CLASS, "sqlite")
        return ordered(_keys().select_from(each.join(t.label, t.label.c.id.in_(ids))), t.label.c)
    side = first.lateral()
    return ordered(
        sa.select(side.c.confidence, side.c.image_id, side.c.id).select_from(each.join(side, sa.true())), side.c
    )


def _each(c: Connection, window: list[Window]) -> Any:
    """The rows of a window as a table of class_id, low and high."""
    if c.dialect.name == "sqlite":
        row = sa.func.json_each(orjson.dumps(window).decode()).table_valued("value").c.value

        def part(at: int) -> sa.ColumnElement[Any]:
            return sa.func.json_extract(row, f"$[{at}]")

        return sa.select(part(0).label("class_id"), part(1).label("low"), part(2).label("high")).cte("each")
    columns = (sa.column("class_id", sa.BigInteger), sa.column("low", sa.Double), sa.column("high", sa.Double))
    return sa.values(*columns, name="each").data(window)


def _without_confidence(c: Connection, scope: Scope, after: Key | None, *, down: bool, limit: int) -> Iterator[Key]:
    """Yield the keys of labels without a confidence, by id."""
    k, s = t.label.c, t.label_summary.c
    known = c.execute(sa.select(s.class_id).where(*scope.cells(), s.bin == -1).distinct()).scalars().all()
    if not known:
        return
    where = [*scope.with_classes(known).labels(), k.confidence.is_(None)]
    order = k.id.desc() if down else k.id
    chosen = _keys().with_hint(t.label, BY_CLASS, "sqlite").order_by(order).limit(limit)
    at = after
    while True:
        past = [] if at is None else [k.id < at.label_id if down else k.id > at.label_id]
        rows = [Key(*row) for row in c.execute(chosen.where(*where, *past))]
        yield from rows
        if len(rows) < limit:
            return
        at = rows[-1]
