"""Reviewing what a run proposed: look at it, promote what is right, approve.

``Review`` is one field under review; every question takes the same two filters: of labels (class, confidence, state)
and of images (any query). How the store answers within milliseconds is its own affair.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from countersign.domain.errors import WrongState
from countersign.domain.geometry import Geometry
from countersign.domain.image import Project
from countersign.domain.label import Change, Field, Label
from countersign.domain.query import LabelFilter
from countersign.domain.run import Run
from countersign.store import Store, fields, runs
from countersign.store import review as records
from countersign.workbench.selecting import Images, query_of

if TYPE_CHECKING:
    from countersign.domain.image import Image
    from countersign.domain.review import ClassStat, Page


def open_review(store: Store, project: Project, what: Run | str | int, actor: str) -> Review:
    """Open the review of a run (by its name or id), or of a field by its name. Raises NotFound."""
    if isinstance(what, Run):
        return _of_run(store, project, what, actor)
    with store.read() as c:
        known = {item.field.name: item.field for item in fields.list_all(c, project.id)}
        if isinstance(what, str) and what in known and known[what].run_id is None:
            return Review(store, project, known[what], None, actor)
        run = runs.find(c, project.id, what)
    return _of_run(store, project, run, actor)


def adopt(store: Store, project: Project, field: str, actor: str) -> Run:
    """Make a field whose labels carry confidences reviewable like a run. Raises NotFound, WrongState."""
    with store.write() as c:
        return records.adopt(c, project.id, fields.get(c, project.id, field).id, actor)


def _of_run(store: Store, project: Project, run: Run, actor: str) -> Review:
    with store.read() as c:
        return Review(store, project, fields.get(c, project.id, run.spec.field), run, actor)


class Review:
    """The review of one field. Filters are the same for every question; none means all labels on all images."""

    def __init__(self, store: Store, project: Project, field: Field, run: Run | None, actor: str) -> None:
        self._store, self._project, self._field, self._run, self._actor = store, project, field, run, actor

    def __repr__(self) -> str:
        return f"Review({self.name!r})"

    @property
    def name(self) -> str:
        """Name of the run, or of the field where it is none's."""
        return self._run.name if self._run else self._field.name

    @property
    def field(self) -> str:
        """Name of the field under review."""
        return self._field.name

    @property
    def run(self) -> Run | None:
        """The run under review as it is now; None for a field that is no run's."""
        if self._run is None:
            return None
        with self._store.read() as c:
            return runs.get(c, self._run.id)

    def stats(self, labels: LabelFilter | None = None, *, images: Images = None) -> list[ClassStat]:
        """Count labels per class: ``current`` fit the filter, of ``total`` on these images; with the mean confidence.

        >>> [(item.class_name, item.current, item.total) for item in review.stats(LabelFilter(min_confidence=0.7))]
        [('bar', 0, 3), ('square', 3, 3)]
        """
        wanted = labels or LabelFilter()
        with self._store.read() as c:
            return records.stats(
                c, self._field.id, project_id=self._project.id, query=self._query(images),
                min_confidence=wanted.min_confidence, max_confidence=wanted.max_confidence, states=wanted.states,
                classes=wanted.classes,
            )  # fmt: skip

    def histogram(self, labels: LabelFilter | None = None, *, images: Images = None, bins: int = 50) -> list[int]:
        """Count labels per range of confidence, from 0 to 1 in ``bins`` equal parts.

        >>> sum(review.histogram())
        6
        """
        wanted = labels or LabelFilter()
        with self._store.read() as c:
            return records.histogram(
                c,
                self._field.id,
                project_id=self._project.id,
                query=self._query(images),
                classes=wanted.classes,
                states=wanted.states,
                bins=bins,
            )

    def labels(
        self,
        labels: LabelFilter | None = None,
        *,
        images: Images = None,
        order: str = "id",
        after: Any = None,
        limit: int = 50,
    ) -> Page[Label]:
        """Return a page of single labels, by ``id``, ``confidence`` (lowest first) or ``-confidence``.

        ``after`` is the ``next`` of the page before.

        >>> review.labels(order="confidence", limit=1).items[0].class_name
        'bar'
        """
        with self._store.read() as c:
            return records.page_labels(
                c, self._field.id, labels=labels or LabelFilter(), query=self._query(images), order=order, after=after,
                limit=limit,
            )  # fmt: skip

    def images(
        self,
        labels: LabelFilter | None = None,
        *,
        images: Images = None,
        order: str = "id",
        after: Any = None,
        limit: int = 50,
    ) -> Page[Image]:
        """Return a page of images with a label that fits, by ``id`` or by their worst or best such label.

        >>> len(review.images().items)
        6
        """
        with self._store.read() as c:
            return records.page_images(
                c, self._field.id, labels=labels or LabelFilter(), query=self._query(images), order=order, after=after,
                limit=limit,
            )  # fmt: skip

    def promote(
        self, labels: LabelFilter | None = None, *, images: Images = None, ids: Sequence[int] | None = None
    ) -> Change:
        """Mark what the filter shows, or the labels with these ids, as right. Raises WrongState unless in review.

        >>> review.promote(LabelFilter(min_confidence=0.7)).count
        3
        """
        with self._store.write() as c:
            return records.promote(
                c, self._field.id, filter=labels, query=self._query(images), ids=ids, actor=self._actor
            )

    def reject(
        self, labels: LabelFilter | None = None, *, images: Images = None, ids: Sequence[int] | None = None
    ) -> Change:
        """Mark what the filter shows, or the labels with these ids, as wrong. They are kept: as negatives.

        >>> review.reject(ids=[review.labels().items[0].id]).count
        1
        """
        with self._store.write() as c:
            return records.reject(
                c, self._field.id, filter=labels, query=self._query(images), ids=ids, actor=self._actor
            )

    def undo(self, classes: Sequence[str] = ()) -> Change:
        """Take promotions back: all, or those of some classes.

        >>> _ = review.promote()
        >>> review.undo(["square"]).count
        3
        """
        with self._store.write() as c:
            return records.undo_promotion(c, self._field.id, classes=tuple(classes), actor=self._actor)

    def restore(self, labels: LabelFilter | None = None, *, ids: Sequence[int] | None = None) -> Change:
        """Make rejected labels proposals again: those that the filter shows, or with these ids.

        >>> _ = review.reject(LabelFilter(classes=("bar",)))
        >>> review.restore().count
        3
        """
        with self._store.write() as c:
            return records.restore(c, self._field.id, filter=labels, ids=ids, actor=self._actor)

    def edit(self, label_id: int, *, class_name: str | None = None, geometry: Geometry | None = None) -> Label:
        """Correct one label: its class, its geometry. It counts as promoted then. Raises NotFound, WrongState.

        >>> review.edit(review.labels().items[0].id, class_name="disc").class_name
        'disc'
        """
        with self._store.write() as c:
            return records.edit(
                c, self._field.id, label_id, class_name=class_name, geometry=geometry, actor=self._actor
            )

    def approve(self, into: str = "ground_truth", *, empty: bool = False) -> Change:
        """Join the promoted labels to a field of verified ones; the rest stays in the run as rejected.

        Where nothing is promoted it raises WrongState, unless ``empty`` says that all labels are to be rejected.

        >>> _ = review.promote()
        >>> review.approve().count
        6
        """
        if self._run is None:
            raise WrongState(
                f"The field {self.field!r} is no run's, so there is nothing to approve",
                remedy=f"'countersign review {self._project.name} {self.field}' makes it reviewable like a run.",
            )
        with self._store.write() as c:
            return records.approve(c, self._run.id, target_field=into, empty=empty, actor=self._actor)

    def _query(self, images: Images) -> Any:
        return None if images is None else query_of(self._store, self._project.id, images)
