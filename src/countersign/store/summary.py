"""How many labels there are, kept as rows that change with the labels: what a review asks for at every move.

Two tables, both by field, state and class:

* ``label_summary``: count and sum of confidences in bins of 0.01 (the last holds 1.0 too; -1: no confidence);
* ``label_block``: count in blocks of 2,048 image ids, so that a page can jump to where there is something.

Sums are kept as whole steps of 2**-32, so that adding and taking away in any order leaves exactly what is there: a mean
is right to 1.2e-10, and exact for nearly all that a model gives as float32. Whoever writes labels puts them into a
``Tally`` and calls ``add`` in the same transaction, last: writers of one field queue there. The states are the stored
ones (a closed field reads them differently), verdicts included. What the numbers are for is said in review.py.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.ext.compiler import compiles

from countersign.store import tables as t
from countersign.store.sets import Lock, lock

BINS = 100
NO_CONFIDENCE = -1
SCALE = 2.0**32
BLOCK = 2048

Cell = tuple[int, int, int, int]
"""field, state, class, and bin or block."""


def bin_of(confidence: float | None) -> int:
    """Return the bin of a confidence: the same arithmetic as ``bin_column``, on the same doubles."""
    return NO_CONFIDENCE if confidence is None else min(BINS - 1, int(confidence * BINS))


def steps_of(confidence: float | None) -> int:
    """Return a confidence as whole steps of 2**-32."""
    return 0 if confidence is None else int(confidence * SCALE + 0.5)


def bin_column(confidence: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """The bin of a confidence, as an expression."""
    scaled = whole_bin_column(confidence)
    return sa.case((confidence.is_(None), NO_CONFIDENCE), (scaled > BINS - 1, BINS - 1), else_=scaled)


def whole_bin_column(confidence: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """The same for what has a confidence, quicker; 1.0 is in a bin of its own, number 100."""
    # Casting to an integer truncates on SQLite and rounds on PostgreSQL; floor is the same on both for what is >= 0.
    return _whole(confidence * _double(BINS))


def steps_column(confidence: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """A confidence as whole steps of 2**-32, as an expression; 0 without one."""
    return sa.func.coalesce(_whole(confidence * _double(int(SCALE)) + 0.5), 0)


def block_column(image_id: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """The block of an image id, as an expression."""
    return image_id.op(">>")(sa.literal_column(str(BLOCK.bit_length() - 1), sa.Integer()))


def floor_of(number: int) -> float:
    """Return the smallest confidence of a bin."""
    edge = number / BINS
    while bin_of(edge) < number:
        edge = math.nextafter(edge, 2.0)
    while edge > 0.0 and bin_of(math.nextafter(edge, -1.0)) >= number:
        edge = math.nextafter(edge, -1.0)
    return edge


class Tally:
    """What a transaction adds to and takes from the summaries."""

    def __init__(self) -> None:
        self.bins: defaultdict[Cell, list[int]] = defaultdict(lambda: [0, 0])
        self.blocks: defaultdict[Cell, int] = defaultdict(int)

    def put(
        self, field_id: int, state: int, class_id: int, confidence: float | None, image_id: int, count: int = 1
    ) -> None:
        """Count one label; ``count=-1`` takes it away."""
        cell = self.bins[field_id, state, class_id, bin_of(confidence)]
        cell[0] += count
        cell[1] += count * steps_of(confidence)
        self.blocks[field_id, state, class_id, image_id // BLOCK] += count

    def put_bin(self, cell: Cell, count: int, steps: int) -> None:
        """Count labels of one bin that were counted elsewhere."""
        kept = self.bins[cell]
        kept[0] += count
        kept[1] += steps

    def move(self, counted: Tally, to: int) -> None:
        """Take what another tally has counted out of its states and put it into the state ``to``."""
        for (field_id, state, class_id, at), (count, steps) in counted.bins.items():
            self.put_bin((field_id, state, class_id, at), -count, -steps)
            self.put_bin((field_id, to, class_id, at), count, steps)
        for (field_id, state, class_id, block), count in counted.blocks.items():
            self.blocks[field_id, state, class_id, block] -= count
            self.blocks[field_id, to, class_id, block] += count

    def copy(self, counted: Tally, field_id: int, to: int) -> None:
        """Put what another tally has counted into the state ``to`` of a field."""
        for (_, _, class_id, at), (count, steps) in counted.bins.items():
            self.put_bin((field_id, to, class_id, at), count, steps)
        for (_, _, class_id, block), count in counted.blocks.items():
            self.blocks[field_id, to, class_id, block] += count


def counted(c: Connection, field_id: int, states: Collection[int] | None = None) -> Tally:
    """Return what the summaries know of a field, or of some states of it."""
    tally = Tally()
    for table in (t.label_summary, t.label_block):
        where = [table.c.field_id == field_id, table.c.count > 0]
        if states is not None:
            where.append(table.c.state.in_(states))
        for row in c.execute(sa.select(table).where(*where)):
            if table is t.label_summary:
                tally.put_bin((row[0], row[1], row[2], row[3]), int(row[4]), int(row[5]))
            else:
                tally.blocks[row[0], row[1], row[2], row[3]] += int(row[4])
    return tally


def add(c: Connection, tally: Tally) -> None:
    """Bring the summaries up to what has been tallied. Call it last: on PostgreSQL it locks the fields until commit."""
    bins = [(*cell, *value) for cell, value in tally.bins.items() if value[0] or value[1]]
    blocks = [(*cell, count) for cell, count in tally.blocks.items() if count]
    for field_id in sorted({row[0] for row in bins} | {row[0] for row in blocks}):
        lock(c, Lock.FIELD, field_id)
    _add_rows(c, t.label_summary, ("field_id", "state", "class_id", "bin"), ("count", "total_confidence"), bins)
    _add_rows(c, t.label_block, ("field_id", "state", "class_id", "block"), ("count",), blocks)


def rebuild(c: Connection, field_id: int) -> None:
    """Count a field anew, from its labels and the verdicts on them."""
    lock(c, Lock.FIELD, field_id)
    clear(c, (field_id,))
    tally = Tally()
    count_selected(c, tally, _labels_of(field_id), field_id=field_id)
    add(c, tally)


def clear(c: Connection, field_ids: Collection[int]) -> None:
    """Forget the counts of fields (whose labels are being deleted as a whole)."""
    for table in (t.label_summary, t.label_block):
        c.execute(table.delete().where(table.c.field_id.in_(field_ids)))


def count_selected(c: Connection, tally: Tally, labels: sa.Subquery, *, field_id: int, sign: int = 1) -> None:
    """Tally what a subquery gives: rows of ``state``, ``class_id``, ``confidence`` and ``image_id``."""
    count_bins(c, tally, labels, field_id=field_id, sign=sign)
    count_blocks(c, tally, labels, field_id=field_id, sign=sign)


def count_bins(c: Connection, tally: Tally, labels: sa.FromClause, *, field_id: int, sign: int = 1) -> None:
    """The part of ``count_selected`` that is by bin."""
    of, number = labels.c, bin_column(labels.c.confidence)
    steps = sa.cast(sa.func.sum(steps_column(of.confidence)), sa.BigInteger)
    counts = sa.select(of.state, of.class_id, number, sa.func.count(), steps)
    for state, class_id, at, count, total in c.execute(counts.group_by(of.state, of.class_id, number)).all():
        tally.put_bin((field_id, state, class_id, at), sign * count, sign * int(total))


def count_blocks(c: Connection, tally: Tally, labels: sa.FromClause, *, field_id: int, sign: int = 1) -> None:
    """The part of ``count_selected`` that is by block."""
    of, block = labels.c, block_column(labels.c.image_id)
    if c.dialect.name == "sqlite":
        # SQLite sorts to group, at 1 us a row; numpy counts one number for each row in a third of that.
        packed = (of.state * _PACK + of.class_id) * _PACK + block
        rows: Any = c.execute(sa.select(packed)).cursor
        keys, counts = np.unique(np.fromiter(itertools.chain.from_iterable(rows), np.int64), return_counts=True)
        for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
            rest, at = divmod(key, _PACK)
            tally.blocks[field_id, rest // _PACK, rest % _PACK, at] += sign * count
        return
    grouped = sa.select(of.state, of.class_id, block, sa.func.count()).group_by(of.state, of.class_id, block)
    for state, class_id, at, count in c.execute(grouped).all():
        tally.blocks[field_id, state, class_id, at] += sign * count


_PACK = 2**30  # more classes or blocks than there ever are


def _labels_of(field_id: int) -> sa.Subquery:
    joined = t.label.outerjoin(
        t.verdict, sa.and_(t.verdict.c.field_id == t.label.c.field_id, t.verdict.c.label_id == t.label.c.id)
    )
    state = sa.func.coalesce(t.verdict.c.state, t.label.c.state).label("state")
    return (
        sa.select(state, t.label.c.class_id, t.label.c.confidence, t.label.c.image_id)
        .select_from(joined)
        .where(t.label.c.field_id == field_id)
        .subquery()
    )


def _whole(value: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    return sa.cast(_Floor(value), sa.BigInteger)


class _Floor(sa.sql.functions.GenericFunction[float]):
    """floor(), which the SQLite of Python may lack; there the cast truncates, which is the same from 0 up."""

    inherit_cache = True
    name = "floor"
    type = sa.Double()


@compiles(_Floor, "sqlite")
def _floor_on_sqlite(element: _Floor, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


def _double(number: int) -> sa.ColumnElement[float]:
    return sa.literal_column(f"{number}.0", sa.Double())


def _add_rows(
    c: Connection, table: sa.Table, key: tuple[str, ...], sums: tuple[str, ...], rows: Iterable[tuple[int, ...]]
) -> None:
    ordered = sorted(rows)
    if not ordered:
        return
    columns = (*key, *sums)
    update = ", ".join(f"{name} = {table.name}.{name} + excluded.{name}" for name in sums)
    head = f"INSERT INTO {table.name} ({', '.join(columns)})"
    tail = f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {update}"
    if c.dialect.name == "sqlite":
        cursor = c.connection.cursor()
        cursor.executemany(f"{head} VALUES ({','.join('?' * len(columns))}) {tail}", ordered)
        cursor.close()
        return
    arrays = ", ".join("%s::bigint[]" for _ in columns)
    given = tuple(list(column) for column in zip(*ordered, strict=True))
    c.exec_driver_sql(f"{head} SELECT * FROM unnest({arrays}) {tail}", given)
