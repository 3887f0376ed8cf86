"""Pages of a review: single labels, or images with labels that fit, by id or by confidence, from either end.

Three ways, chosen from the summaries before a label is read:

* few labels can fit: collect them all and sort;
* by id: walk the index by image, jumping over the blocks of images where nothing can fit;
* by confidence: walk the index of each class from the first bin where something can fit, and merge.

A page goes on after a cursor: the order, and the key of the last item. Keys are strict, so that no item is shown twice
or left out while nothing changes. Labels without a confidence come last, by id.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from countersign.domain.errors import InvalidInput
from countersign.domain.image import Image
from countersign.domain.label import Label
from countersign.domain.query import ImageQuery, LabelFilter
from countersign.domain.review import Order, Page
from countersign.store import images as image_rows
from countersign.store import labels as label_rows
from countersign.store import tables as t
from countersign.store.review_keys import Key, by_confidence, by_image
from countersign.store.review_scope import Scope, resolve
from countersign.store.sets import rows_of


def page_labels(
    c: Connection,
    field_id: int,
    *,
    labels: LabelFilter | None = None,
    query: ImageQuery | None = None,
    order: str = Order.ID,
    after: str | None = None,
    limit: int = 50,
) -> Page[Label]:
    """Return the labels that fit, one by one. ``after`` is the ``next`` of the page before.

    Raises InvalidInput for an order or cursor that is none, NotFound for a class or field of no such name.
    """
    cursor = Cursor.read(order, after, limit)
    scope = resolve(c, field_id, labels, query)
    keys = list(itertools.islice(_keys(c, scope, cursor, limit + 1), limit + 1))
    found = {label.id: label for label in label_rows.by_ids(c, field_id, [key.label_id for key in keys[:limit]])}
    items = tuple(found[key.label_id] for key in keys[:limit])
    return Page(items, cursor.write(keys[limit - 1]) if len(keys) > limit else None)


def page_images(
    c: Connection,
    field_id: int,
    *,
    labels: LabelFilter | None = None,
    query: ImageQuery | None = None,
    order: str = Order.ID,
    after: str | None = None,
    limit: int = 50,
) -> Page[Image]:
    """Return the images with a label that fits, each once: by id, or by its lowest (highest) such label.

    Raises as ``page_labels`` does.
    """
    cursor = Cursor.read(order, after, limit)
    scope = resolve(c, field_id, labels, query)
    keys = _first_of_each_image(c, scope, cursor, limit + 1)
    found = {image.id: image for image in image_rows.by_ids(c, [key.image_id for key in keys[:limit]])}
    items = tuple(found[key.image_id] for key in keys[:limit] if key.image_id in found)
    return Page(items, cursor.write(keys[limit - 1]) if len(keys) > limit else None)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: after the label with this key (None: at the start)."""

    order: Order
    after: Key | None

    @classmethod
    def read(cls, order: str, after: str | None, limit: int) -> Cursor:
        try:
            wanted = Order(order)
        except ValueError:
            known = ", ".join(Order)
            raise InvalidInput(f"{order!r} is no order", remedy=f"Orders are {known}.") from None
        if limit < 1:
            raise InvalidInput(f"A page of {limit} items is none", remedy="Ask for 1 or more.")
        if after is None:
            return cls(wanted, None)
        try:
            made_for, confidence, image_id, label_id = after.split("|")
            key = Key(float(confidence) if confidence else None, int(image_id), int(label_id))
        except (ValueError, AttributeError):
            raise InvalidInput(
                f"{after!r} is no cursor of a page", remedy="Give the 'next' of the page before."
            ) from None
        if made_for != wanted:
            raise InvalidInput(
                f"The cursor {after!r} is of pages by {made_for}, not by {wanted}", remedy="Begin at the first page."
            )
        return cls(wanted, key)

    def write(self, key: Key) -> str:
        confidence = "" if key.confidence is None else repr(key.confidence)
        return f"{self.order}|{confidence}|{key.image_id}|{key.label_id}"


def _keys(c: Connection, scope: Scope, cursor: Cursor, limit: int) -> Iterator[Key]:
    walk = by_confidence if cursor.order.by_confidence else by_image
    return walk(c, scope, cursor.after, down=cursor.order.down, limit=limit)


def _first_of_each_image(c: Connection, scope: Scope, cursor: Cursor, limit: int) -> list[Key]:
    """Return the keys of the first ``limit`` images, each that of its first label in this order."""
    found: dict[int, Key] = {}
    if not cursor.order.by_confidence:
        # All labels of an image stand together: the cursor is that of its last one.
        at = cursor.after
        after = None if at is None else Key(None, at.image_id, 0 if cursor.order.down else 2**62)
        for key in by_image(c, scope, after, down=cursor.order.down, limit=4 * limit):
            found.setdefault(key.image_id, key)
            if len(found) == limit:
                break
        return list(found.values())
    keys = _keys(c, scope, cursor, 2 * limit)
    shown: set[int] = set()
    while len(found) < limit and (chunk := list(itertools.islice(keys, 2 * limit))):
        new = [key for key in chunk if key.image_id not in found and key.image_id not in shown]
        if cursor.after is not None:
            shown |= _on_earlier_pages(c, scope, cursor, {key.image_id for key in new})
        for key in new:
            if key.image_id not in shown:
                found.setdefault(key.image_id, key)
    return list(found.values())[:limit]


def _on_earlier_pages(c: Connection, scope: Scope, cursor: Cursor, image_ids: set[int]) -> set[int]:
    """Return which of the images have a label up to the cursor, and so were on a page before."""
    k, after, down = t.label.c, cursor.after, cursor.order.down
    assert after is not None
    if after.confidence is None:
        earlier: sa.ColumnElement[Any] = sa.or_(
            k.confidence.is_not(None), k.id >= after.label_id if down else k.id <= after.label_id
        )
    else:
        ahead = k.confidence > after.confidence if down else k.confidence < after.confidence
        same = sa.and_(k.confidence == after.confidence, k.id >= after.label_id if down else k.id <= after.label_id)
        earlier = sa.or_(ahead, same)
    here = Scope(scope.field, scope.classes, scope.stored, scope.low, scope.high, rows_of(c, sorted(image_ids)))
    return set(c.execute(sa.select(k.image_id).where(*here.labels(), earlier).distinct()).scalars())
