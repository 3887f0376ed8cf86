"""Counts of fields that cost a look at every label, kept until the field changes.

Of a large field the counts of before are given meanwhile, and those of now are made beside: who asked is told when
they are there. While somebody writes into a large field its counts are never right: after each count it rests for
``REST`` times as long as that took.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from countersign.store import Store, fields, history
from countersign.store.browse import FieldCount, field_counts

log = logging.getLogger("countersign.server")

LARGE = 50_000
"""Fields with more labels are not counted while somebody waits, but for the first time."""
REST = 4.0
"""How long a large field is left alone after a count, as a multiple of what the count took."""


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

    def __init__(
        self,
        store: Store,
        changed: Callable[[int], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store, self._changed = store, changed
        self._clock, self._pause = clock, pause
        self._known: dict[int, tuple[Any, Detail]] = {}
        self._rested: dict[int, float] = {}  # when a field may be counted beside again
        self._wanted: dict[int, set[int]] = {}  # fields to be counted, of projects that have a thread
        self._lock = threading.Lock()

    def of(self, c: Any, project_id: int, known: Sequence[FieldCount]) -> list[Detail]:
        """Return the details of these fields, in order."""
        old = self._old(c, project_id, known)
        later = [item for item in old if item.labels > LARGE and item.row.id in self._known]
        self._count(c, project_id, [item for item in old if item not in later])
        if later:
            self._count_beside(project_id, [item.row.id for item in later])
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
        items, other, began = {item.row.id: item for item in wanted}, False, self._clock()
        for summary in fields.list_all(c, project_id, items.keys()) if items else ():
            kinds = sorted((kind.name.lower(), count) for kind, count in summary.by_kind.items())
            detail = Detail(summary.images, kinds, summary.field.created_at)
            number = summary.field.id
            assert number is not None
            mark = _mark(c, project_id, items[number])
            with self._lock:
                other = other or self._known.get(number, (None, None))[1] != detail
                self._known[number] = (mark, detail)
        now = self._clock()
        with self._lock:
            self._rested.update(dict.fromkeys(items, now + REST * (now - began)))
        return other

    def _count_beside(self, project_id: int, wanted: Iterable[int]) -> None:
        with self._lock:
            begun = project_id in self._wanted
            self._wanted.setdefault(project_id, set()).update(wanted)
        if not begun:
            threading.Thread(target=self._recount, args=(project_id,), name="counts", daemon=True).start()

    def _recount(self, project_id: int) -> None:
        try:
            while numbers := self._next(project_id):
                with self._store.read() as c:
                    known = [item for item in field_counts(c, project_id) if item.row.id in numbers]
                    other = self._count(c, project_id, self._old(c, project_id, known))
                if other:
                    self._changed(project_id)
        except Exception:  # a server that ends, a project that is gone: nobody waits for this
            log.debug("counting beside failed", exc_info=True)
            with self._lock:
                self._wanted.pop(project_id, None)

    def _next(self, project_id: int) -> set[int]:
        """Wait for fields that have rested and return them; none, and the project has no thread, if nobody asked.

        Who asks while they are counted asks for the next time: what was written meanwhile may not be in it.
        """
        while True:
            with self._lock:
                wanted, now = self._wanted[project_id], self._clock()
                if not wanted:
                    del self._wanted[project_id]
                    return set()
                rested = {number for number in wanted if self._rested.get(number, now) <= now}
                wanted -= rested
                soonest = min((self._rested[number] for number in wanted), default=now)
            if rested:
                return rested
            self._pause(soonest - now)


def _mark(c: Any, project_id: int, item: FieldCount) -> tuple[object, ...]:
    """Return what is another one after every change of the field."""
    newest = history.list_all(c, project_id, limit=1, field_id=item.row.id)
    return (newest[0].id if newest else 0, item.labels, tuple(sorted(item.by_state.items())), item.row.name)
