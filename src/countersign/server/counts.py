"""Counts of fields that cost a look at every label, kept until the field changes."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from countersign.store import fields
from countersign.store.browse import FieldCount


@dataclass(frozen=True, slots=True)
class Detail:
    """How many images a field has labels on, and how many labels of each kind."""

    images: int
    kinds: list[tuple[str, int]]
    created_at: datetime | None


class Counts:
    """Remembers counts by what the summaries say of a field. Any thread may call."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, Detail]] = {}
        self._lock = threading.Lock()

    def of(self, c: Any, project_id: int, known: Sequence[FieldCount]) -> list[Detail]:
        """Return the details of these fields, in order."""
        newest = _newest(c, project_id)
        missing = {item.row.id for item in known if self._get(item, newest) is None}
        if missing:
            for summary in fields.list_all(c, project_id):
                if summary.field.id in missing:
                    kinds = sorted((kind.name.lower(), count) for kind, count in summary.by_kind.items())
                    detail = Detail(summary.images, kinds, summary.field.created_at)
                    item = next(found for found in known if found.row.id == summary.field.id)
                    with self._lock:
                        self._known[summary.field.id] = (_mark(item, newest), detail)
        with self._lock:
            return [self._known[item.row.id][1] for item in known]

    def _get(self, item: FieldCount, newest: int) -> Detail | None:
        with self._lock:
            mark, detail = self._known.get(item.row.id, (None, None))
        return detail if mark == _mark(item, newest) else None


def _mark(item: FieldCount, newest: int) -> tuple[object, ...]:
    return (newest, item.labels, tuple(sorted(item.by_state.items())), item.row.name)


def _newest(c: Any, project_id: int) -> int:
    from countersign.store import history

    found = history.list_all(c, project_id, limit=1)
    return found[0].id if found else 0
