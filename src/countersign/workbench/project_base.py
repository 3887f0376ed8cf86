"""What the parts of ``Project`` share: the store, the record, who works. The verbs are in the modules beside."""

from __future__ import annotations

from countersign.domain.image import Project as Record
from countersign.domain.query import ImageQuery
from countersign.domain.run import TRUTH
from countersign.store import Store, runs
from countersign.workbench import selecting
from countersign.workbench.selecting import Images

__all__ = ["TRUTH", "ProjectBase"]


class ProjectBase:
    """One project of an open workspace."""

    def __init__(self, store: Store, record: Record, user: str) -> None:
        self._store = store
        self._record = record
        self._user = user

    def __repr__(self) -> str:
        return f"Project({self.name!r})"

    @property
    def id(self) -> int:
        """Number of the project in its workspace."""
        return self._record.id

    @property
    def name(self) -> str:
        """Name of the project."""
        return self._record.name

    def _query(self, images: Images) -> ImageQuery:
        return selecting.query_of(self._store, self.id, images)

    def _id(self, run: str | int) -> int:
        if isinstance(run, int):
            return run
        with self._store.read() as c:
            return runs.find(c, self.id, run).id
