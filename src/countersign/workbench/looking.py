"""Lists of images and labels, and marks on images."""

from __future__ import annotations

from collections.abc import Sequence

from countersign.domain.image import Image, Project
from countersign.domain.label import Label
from countersign.domain.query import ImageQuery
from countersign.store import Store, fields, labels
from countersign.store import images as records

_PAGE = 1000


def images(store: Store, project: Project, query: ImageQuery, limit: int | None) -> list[Image]:
    """Return the images of a query by id; all of them if there is no limit."""
    found: list[Image] = []
    with store.read() as c:
        while limit is None or len(found) < limit:
            room = _PAGE if limit is None else min(_PAGE, limit - len(found))
            page = records.page(c, project.id, query, after=found[-1].id if found else 0, limit=room)
            found.extend(page)
            if len(page) < room:
                break
    return found


def labels_of(store: Store, project: Project, field: str, query: ImageQuery) -> dict[str, list[Label]]:
    """Return the labels of a field by the names of their images; images without one are left out."""
    found: dict[str, list[Label]] = {}
    with store.read() as c:
        field_id = fields.get(c, project.id, field).id
        for image, theirs in labels.stream(c, field_id, query):
            if theirs:
                found.setdefault(image.name, []).extend(theirs)
    return found


def mark(
    store: Store, project: Project, query: ImageQuery, add: Sequence[str], remove: Sequence[str], split: str | None
) -> int:
    """Set tags and split on the images of a query; return how many they are."""
    with store.write() as c:
        ids = records.ids(c, project.id, query)
        if add:
            records.add_tags(c, ids, add)
        if remove:
            records.remove_tags(c, ids, remove)
        if split is not None:
            records.set_split(c, ids, split)
    return len(ids)
