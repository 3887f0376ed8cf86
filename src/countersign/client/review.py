"""A review behind a server, with the verbs of ``workbench.reviewing.Review``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from countersign.client import values
from countersign.client.transport import Transport
from countersign.domain.errors import InvalidInput, NotFound, WrongState
from countersign.domain.geometry import Geometry
from countersign.domain.image import Image
from countersign.domain.label import Change, Label
from countersign.domain.query import ImageQuery, LabelFilter
from countersign.domain.review import ClassStat, Page
from countersign.domain.run import Run
from countersign.workbench.as_json import geometry as to_json
from countersign.workbench.selecting import Images

_LONGEST = 20_000


class Review:
    """The review of one field. Filters are the same for every question; none means all labels on all images."""

    def __init__(
        self, transport: Transport, field_id: int, field: str, run: Run | None, query_of: Callable[[Images], ImageQuery]
    ) -> None:
        self._transport, self._field_id, self._field, self._run = transport, field_id, field, run
        self._query_of = query_of

    def __repr__(self) -> str:
        return f"Review({self.name!r})"

    @property
    def name(self) -> str:
        """Name of the run, or of the field where it is none's."""
        return self._run.name if self._run else self._field

    @property
    def field(self) -> str:
        """Name of the field under review."""
        return self._field

    @property
    def run(self) -> Run | None:
        """The run under review as it is now; None for a field that is no run's."""
        return None if self._run is None else values.run(self._transport.get(f"/runs/{self._run.id}"))

    def stats(self, labels: LabelFilter | None = None, *, images: Images = None) -> list[ClassStat]:
        """Count labels per class: ``current`` fit the filter, of ``total`` on these images; with mean confidence."""
        found = self._transport.get(f"{self._path}/stats", **self._params(labels, images))
        return [ClassStat(**item) for item in found["items"]]

    def histogram(self, labels: LabelFilter | None = None, *, images: Images = None, bins: int = 50) -> list[int]:
        """Count labels per range of confidence, from 0 to 1 in ``bins`` equal parts."""
        bars: list[int] = self._transport.get(f"{self._path}/histogram", bins=bins, **self._params(labels, images))[
            "bins"
        ]
        return bars

    def labels(
        self,
        labels: LabelFilter | None = None,
        *,
        images: Images = None,
        order: str = "id",
        after: Any = None,
        limit: int = 50,
    ) -> Page[Label]:
        """Return a page of single labels; ``after`` is the ``next`` of the page before."""
        rest = {"order": order, "after": after, "limit": limit}
        page = self._transport.get(f"{self._path}/labels", **rest, **self._params(labels, images))
        return Page(tuple(values.label(item["label"]) for item in page["items"]), page["next"])

    def images(
        self,
        labels: LabelFilter | None = None,
        *,
        images: Images = None,
        order: str = "id",
        after: Any = None,
        limit: int = 50,
    ) -> Page[Image]:
        """Return a page of images with a label that fits, by ``id`` or by their worst or best such label."""
        rest = {"order": order, "after": after, "limit": limit, "geometry": "bounds"}
        page = self._transport.get(f"{self._path}/images", **rest, **self._params(labels, images))
        return Page(tuple(values.image(item) for item in page["items"]), page["next"])

    def promote(
        self, labels: LabelFilter | None = None, *, images: Images = None, ids: Sequence[int] | None = None
    ) -> Change:
        """Mark what the filter shows, or the labels with these ids, as right. Raises WrongState unless in review."""
        return self._decide("promote", labels, images, ids)

    def reject(
        self, labels: LabelFilter | None = None, *, images: Images = None, ids: Sequence[int] | None = None
    ) -> Change:
        """Mark what the filter shows, or the labels with these ids, as wrong. They are kept: as negatives."""
        return self._decide("reject", labels, images, ids)

    def undo(self, classes: Sequence[str] = ()) -> Change:
        """Take promotions back: all, or those of some classes."""
        return values.change(self._transport.post(f"{self._verdicts}/undo", {"classes": list(classes)}))

    def restore(self, labels: LabelFilter | None = None, *, ids: Sequence[int] | None = None) -> Change:
        """Make rejected labels proposals again: those that the filter shows, or with these ids."""
        return self._decide("restore", labels, None, ids)

    def edit(self, label_id: int, *, class_name: str | None = None, geometry: Geometry | None = None) -> Label:
        """Correct one label: its class, its geometry. It counts as promoted then. Raises NotFound, WrongState."""
        assert self._verdicts
        if self._transport.get(f"/labels/{label_id}")["label"]["field"] != self.field:
            raise NotFound("label", label_id, remedy=f"The run {self.name!r} has no such label.")
        changed: dict[str, Any] = {} if class_name is None else {"class_name": class_name}
        if geometry is not None:
            changed["geometry"] = to_json(geometry)
        return values.label(self._transport.patch(f"/labels/{label_id}", changed))

    def approve(self, into: str = "ground_truth", *, empty: bool = False) -> Change:
        """Join the promoted labels to a field of verified ones; the rest stays in the run as rejected.

        Raises WrongState where nothing is promoted, unless ``empty`` says that this is meant.
        """
        return values.change(self._transport.post(f"{self._verdicts}/approve", {"into": into, "empty": empty}))

    @property
    def _path(self) -> str:
        return f"/fields/{self._field_id}"

    @property
    def _verdicts(self) -> str:
        if self._run is None:
            raise WrongState(
                f"The field {self.field!r} is no run's, so there is nothing to decide on",
                remedy="Adopt it for review first.",
            )
        return f"/runs/{self._run.id}/review"

    def _params(self, labels: LabelFilter | None, images: Images) -> dict[str, Any]:
        wanted = labels or LabelFilter()
        query = values.query_text(self._query_of(images))
        if len(query) > _LONGEST:
            raise InvalidInput("These images are too many to be named", remedy="Tag them and give a query for the tag.")
        return {
            "min": wanted.min_confidence,
            "max": wanted.max_confidence,
            "class": list(wanted.classes) or None,
            "state": [state.name.lower() for state in wanted.states] or None,
            "query": query or None,
        }

    def _decide(self, verb: str, labels: LabelFilter | None, images: Images, ids: Sequence[int] | None) -> Change:
        wanted = labels or LabelFilter()
        body = {
            "min": wanted.min_confidence,
            "max": wanted.max_confidence,
            "classes": list(wanted.classes),
            "states": [state.name.lower() for state in wanted.states],
            "query": values.query_text(self._query_of(images)),
            "label_ids": None if ids is None else list(ids),
        }
        return values.change(self._transport.post(f"{self._verdicts}/{verb}", body))
