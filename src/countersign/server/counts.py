"""Counts of fields that cost a look at every label, kept until the field changes.

Of a large field the counts of before are given meanwhile, and those of now are made beside: who asked is told when
they are there.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from countersign.store import Store, fields, history
from countersign.store.browse import FieldCount, field_counts

log = logging.getLogger("countersign.server")

LARGE = 50_000
"""Fields with more labels are not counted while somebody waits, but for the first time."""


@dataclass(frozen=True, slots=True)
class Detail:
    """How many images a field has labels on, and how many labels of each kind."""

    images: int
    kinds: list[tuple[str, int]]
    created_at: datetime | None


class Counts:
    """Remembers counts by what the summaries say of a field. Any thread may call.

    ``changed`` is called, by a thread of its own, with the number of a project whose large fields were counted anew.
    """

    def __init__(self, store: Store, changed: Callable[[int], None]) -> None:
        self._store, self._changed = store, changed
        self._known: dict[int, tuple[Any, Detail]] = {}
        self._counting: set[int] = set()
        self._lock = threading.Lock()

    def of(self, c: Any, project_id: int, known: Sequence[FieldCount]) -> list[Detail]:
        """Return the details of these fields, in order."""
        old = self._old(c, project_id, known)
        later = [item for item in old if item.labels > LARGE and item.row.id in self._known]
        self._count(c, project_id, [item for item in old if item not in later])
        if later:
            self._count_beside(project_id)
        with self._lock:
            return [self._known[item.row.id][1] for item in known]

    def _old(self, c: Any, project_id: int, known: Sequence[FieldCount]) -> list[FieldCount]:
        """Return the fields that changed since they were counted, or never were."""
        marks = [_mark(c, project_id, item) for item in known]
        with self._lock:
            before = [self._known.get(item.row.id, (None, None))[0] for item in known]
        return [item for item, mark, old in zip(known, marks, before, strict=True) if mark != old]

    def _count(self, c: Any, project_id: int, wanted: Sequence[FieldCount]) -> bool:
        """Count fields; return whether any has other counts than before."""
        items, other = {item.row.id: item for item in wanted}, False
        for summary in fields.list_all(c, project_id, items.keys()) if items else ():
            kinds = sorted((kind.name.lower(), count) for kind, count in summary.by_kind.items())
            detail = Detail(summary.images, kinds, summary.field.created_at)
            number = summary.field.id
            assert number is not None
            mark = _mark(c, project_id, items[number])
            with self._lock:
                other = other or self._known.get(number, (None, None))[1] != detail
                self._known[number] = (mark, detail)
        return other

    def _count_beside(self, project_id: int) -> None:
        with self._lock:
            if project_id in self._counting:
                return  # who asks when that is done will find what is old by then
            self._counting.add(project_id)
        threading.Thread(target=self._recount, args=(project_id,), name="counts", daemon=True).start()

    def _recount(self, project_id: int) -> None:
        other = False
        try:
            with self._store.read() as c:
                other = self._count(c, project_id, self._old(c, project_id, field_counts(c, project_id)))
        except Exception:  # a server that ends, a project that is gone: nobody waits for this
            log.debug("counting beside failed", exc_info=True)
        finally:
            with self._lock:
                self._counting.discard(project_id)
        if other:
            self._changed(project_id)


def _mark(c: Any, project_id: int, item: FieldCount) -> tuple[object, ...]:
    """Return what is another one after every change of the field."""
    newest = history.list_all(c, project_id, limit=1, field_id=item.row.id)
    return (newest[0].id if newest else 0, item.labels, tuple(sorted(item.by_state.items())), item.row.name)
