"""Labels to rows and back, in bulk. ``labels.py`` says when; nothing here decides what may be written."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from countersign.domain.errors import InvalidInput, NotFound
from countersign.domain.geometry import Box, Kind
from countersign.domain.label import Check, Label, LabelState, Origin, Provenance
from countersign.domain.query import LabelFilter
from countersign.store import classes, fields, provenance, query, states, verdicts
from countersign.store import tables as t
from countersign.store.geometry_codec import decode, encode
from countersign.store.sets import among, insert_many, reserve_ids
from countersign.store.summary import BLOCK, SCALE, Tally

COLUMNS = (
    "id", "field_id", "image_id", "class_id", "kind", "state", "confidence", "x", "y", "width", "height", "geometry",
    "provenance_id", "verified_by", "verified_how", "attributes", "created_change",
)  # fmt: skip
CHUNK = 20_000

_BOX = int(Kind.BOX)
Row = tuple[Any, ...]


def dump_attributes(attributes: Mapping[str, Any]) -> str | None:
    """Return attributes as the text that is stored. Raises InvalidInput for values that JSON does not know."""
    if not attributes:
        return None
    try:
        return orjson.dumps(dict(attributes), option=orjson.OPT_SERIALIZE_NUMPY).decode()
    except TypeError as error:
        raise InvalidInput(f"the attributes of a label cannot be stored as JSON: {error}") from error


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep the garbage collector from walking the many new values again and again: a third of the time of an import."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class Writer:
    """Turns labels into rows of one field, for one change; keeps what a row needs to know in memory."""

    def __init__(
        self, c: Connection, field: fields.FieldRow, change_id: int, actor: str, origin: Provenance | None
    ) -> None:
        self._c = c
        self._field = field
        self._change_id = change_id
        self._origin = origin or Provenance(Origin.PERSON, source=actor)
        self._classes = {found.name: found.id for found in classes.list_all(c, field.project_id)}
        self._provenances: dict[Provenance | None, int] = {}
        self._images: set[int] = set()
        self._bins: dict[tuple[int, int, int], list[int]] = {}
        self._blocks: dict[tuple[int, int, int], int] = {}
        self.first: int | None = None
        self.last: int | None = None
        self.count = 0

    def write(self, items: Iterable[tuple[int, Label]]) -> None:
        """Insert labels with their image's id, in chunks."""
        stream: Iterator[tuple[int, Label]] = iter(items)
        with _collector_paused():
            while chunk := list(islice(stream, CHUNK)):
                self._check_images({image_id for image_id, _ in chunk})
                first = reserve_ids(self._c, t.label, len(chunk))
                insert_many(self._c, t.label, COLUMNS, self._rows(first, chunk))
                self.first = first if self.first is None else self.first
                self.last = first + len(chunk) - 1
                self.count += len(chunk)

    def tally(self) -> Tally:
        """Return what was written, for the summaries."""
        found, field_id = Tally(), self._field.id
        for (state, class_id, at), (count, steps) in self._bins.items():
            found.put_bin((field_id, state, class_id, at), count, steps)
        for (state, class_id, block), count in self._blocks.items():
            found.blocks[field_id, state, class_id, block] += count
        return found

    def _rows(self, first: int, chunk: Sequence[tuple[int, Label]]) -> list[Row]:
        # Every statement here runs a million times in a large import: no calls that a box does not need, and the
        # counts of ``summary.Tally.put`` are written out.
        field_id, change_id, known, rows = self._field.id, self._change_id, self._classes, []
        bins, blocks, provenances = self._bins, self._blocks, self._provenances
        for label_id, (image_id, label) in enumerate(chunk, first):
            class_id = known.get(label.class_name)
            if class_id is None:
                class_id = self._new_class(label.class_name)
            geometry, confidence, state = label.geometry, label.confidence, int(label.state)
            if type(geometry) is Box:
                shape: Row = (_BOX, geometry.x, geometry.y, geometry.width, geometry.height, None)
            else:
                shape = encode(geometry)
            origin = provenances.get(label.provenance)
            if origin is None:
                origin = self._new_provenance(label.provenance)
            kind, x, y, width, height, data = shape
            attributes = dump_attributes(label.attributes) if label.attributes else None
            rows.append((
                label_id, field_id, image_id, class_id, kind, state, confidence, x, y, width, height, data, origin,
                label.verified_by, label.verified_how, attributes, change_id,
            ))  # fmt: skip
            if confidence is None:
                at, steps = -1, 0
            else:
                at, steps = int(confidence * 100), int(confidence * SCALE + 0.5)
                if at > 99:
                    at = 99
            cell = bins.get((state, class_id, at))
            if cell is None:
                bins[state, class_id, at] = [1, steps]
            else:
                cell[0] += 1
                cell[1] += steps
            block = (state, class_id, image_id // BLOCK)
            blocks[block] = blocks.get(block, 0) + 1
        return rows

    def _new_class(self, name: str) -> int:
        self._classes |= classes.ensure(self._c, self._field.project_id, [name])
        found = self._classes[name]
        assert found is not None
        return found

    def _new_provenance(self, given: Provenance | None) -> int:
        self._provenances[given] = provenance.ensure(self._c, given or self._origin)
        return self._provenances[given]

    def _check_images(self, ids: set[int]) -> None:
        new = ids - self._images
        if new:
            mine = sa.select(t.image.c.id).where(
                t.image.c.project_id == self._field.project_id, among(self._c, t.image.c.id, new)
            )
            found = {row[0] for row in self._c.execute(mine)}
            if new - found:
                raise NotFound("image of the project with the id", min(new - found))
            self._images |= found


class Reader:
    """Turns rows of one field into labels."""

    def __init__(self, c: Connection, field: fields.FieldRow) -> None:
        self._c = c
        self.field = field
        self._classes = {found.id: found.name for found in classes.list_all(c, field.project_id)}
        self._states = {int(state): states.shown(state, closed=field.closed) for state in LabelState}
        self._provenances: dict[int | None, Provenance | None] = {None: None}

    def select(self, filter: LabelFilter | None = None) -> sa.Select[Any]:
        """Return a select of the field's labels that fit, with their states as decided, for ``labels``."""
        decided = sa.exists().where(t.verdict.c.field_id == self.field.id)
        chosen = sa.select(*_COLUMNS)
        if self._c.execute(sa.select(decided)).scalar():
            chosen = sa.select(
                *(verdicts.state_of().label("state") if item is t.label.c.state else item for item in _COLUMNS)
            )
        fits = query.label_conditions(self._c, self.field.project_id, filter, closed=self.field.closed)
        return chosen.where(t.label.c.field_id == self.field.id, *fits)

    def labels(self, rows: Iterable[Sequence[Any]]) -> list[Label]:
        """Make labels of rows that a ``select`` gave."""
        with _collector_paused():
            # All at once: a call of the driver for each row costs more than the row.
            rows = rows.all() if isinstance(rows, sa.Result) else list(rows)
            self._load({row[12] for row in rows} - self._provenances.keys())
            return self._made_of(rows)

    def _made_of(self, rows: Sequence[Sequence[Any]]) -> list[Label]:
        known, shown, origins = self._classes, self._states, self._provenances
        return [
            Label(
                known[class_id],
                Box(x, y, width, height) if kind == _BOX else decode(kind, x, y, width, height, data),
                confidence,
                shown[state],
                _NO_ATTRIBUTES if attributes is None else orjson.loads(attributes),
                origins[origin],
                verified_by,
                None if verified_how is None else Check(verified_how),
                label_id,
                image_id,
            )
            for (
                label_id, _, image_id, class_id, kind, state, confidence, x, y, width, height, data, origin,
                verified_by, verified_how, attributes, _,
            ) in rows
        ]  # fmt: skip

    def _load(self, ids: Collection[int | None]) -> None:
        for origin, found in provenance.load(self._c, ids).items():
            self._provenances[origin] = found


_NO_ATTRIBUTES: Mapping[str, Any] = {}


def _columns_of(table: sa.Table) -> tuple[sa.ColumnElement[Any], ...]:
    # Attributes as the text that is stored: made values of where they are there, in one place.
    return tuple(sa.type_coerce(table.c[n], sa.Text) if n == "attributes" else table.c[n] for n in COLUMNS)


_COLUMNS = _columns_of(t.label)


def raw(c: Connection, label_ids: Collection[int], table: sa.Table = t.label) -> dict[int, dict[str, Any]]:
    """Return the columns of labels (or of some in ``label_removed``) as they are stored, by id, in the order of ids.

    Those that are not there are left out.
    """
    chosen = sa.select(*_columns_of(table)).where(among(c, table.c.id, label_ids)).order_by(table.c.id)
    return {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in c.execute(chosen)}
