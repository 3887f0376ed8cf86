"""Labels that a person draws, added from Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from countersign.domain.errors import InvalidInput, NotFound
from countersign.domain.image import Project
from countersign.domain.label import Change, Label, Origin, Provenance, Verb
from countersign.store import Store, classes, fields, history, labels
from countersign.workbench.matching import ImageNames


def add(
    store: Store, project: Project, given: Mapping[str, Iterable[Label]], *, field: str, note: str, actor: str
) -> Change:
    """Add labels by the names of their images, as one change. Raises NotFound, InvalidInput for an ambiguous name."""
    names = ImageNames(store, project.id)
    rows = [(find(names, name), label) for name, found in given.items() for label in found]
    with store.write() as c:
        field_id = fields.ensure(c, project.id, field).id
        classes.ensure(c, project.id, dict.fromkeys(label.class_name for _, label in rows))
        change = history.begin(c, project.id, Verb.CREATE, actor, field_id=field_id, note=note)
        labels.add(c, field_id, rows, change_id=change, provenance=Provenance(Origin.PERSON, source=actor))
        return history.get(c, change)


def find(names: ImageNames, name: str) -> int:
    """Return the id of the image that a name means. Raises NotFound, InvalidInput for an ambiguous one."""
    match = names.match(name)
    if match.image is None and match.rivals:
        raise InvalidInput(
            f"Several images are named {name!r}",
            remedy=f"Name one: {', '.join(image.path for image in match.rivals[:5])}.",
        )
    if match.image is None:
        raise NotFound("image", name)
    return match.image.id
