"""Which class of a project a class of a model becomes: kept per project and model, suggested by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from countersign.domain import label_map as rules
from countersign.domain.errors import InvalidInput
from countersign.domain.image import Project
from countersign.store import Store, classes, label_maps


@dataclass(frozen=True, slots=True)
class LabelMap:
    """A label map. ``classes``: class of the model -> class of the project, "" leaves it out.

    ``kept`` is False where nobody made one: then ``classes`` is what is suggested by name alone.
    """

    model: str
    classes: Mapping[str, str]
    kept: bool


def get(store: Store, project: Project, model: str, vocabulary: Sequence[str]) -> LabelMap:
    """Return the map that the project keeps for a model, or a suggestion over the model's ``vocabulary``.

    Classes that the model no longer has are left out; where none is left, the map counts as not kept.
    """
    with store.read() as c:
        found = label_maps.get(c, project.id, model)
        known = [item.name for item in classes.list_all(c, project.id)]
    current = fitting(found or {}, vocabulary)
    if found is not None and (current or not found):
        return LabelMap(model, current, True)
    return LabelMap(model, rules.suggest(vocabulary, known), False)


def fitting(kept: Mapping[str, str], vocabulary: Sequence[str]) -> dict[str, str]:
    """Return what a kept map says of classes that the model has (an empty vocabulary has all).

    A model that was trained again under its name, or whose classes were edited, leaves entries behind.
    """
    return {name: own for name, own in kept.items() if not vocabulary or name in vocabulary}


def put(store: Store, project: Project, model: str, given: Mapping[str, str], vocabulary: Sequence[str]) -> LabelMap:
    """Keep a map. Raises InvalidInput for a class that the model does not know (an empty vocabulary knows all)."""
    checked = rules.check(given)
    unknown = [name for name in checked if vocabulary and name not in vocabulary]
    if unknown:
        raise InvalidInput(
            f"The model {model!r} does not know {', '.join(unknown[:5])}", remedy="Its card lists its classes."
        )
    with store.write() as c:
        kept = label_maps.put(c, project.id, model, checked)
    return LabelMap(model, kept, True)


def clear(store: Store, project: Project, model: str) -> bool:
    """Forget the map of a model. Returns whether there was one."""
    with store.write() as c:
        return label_maps.delete(c, project.id, model)
