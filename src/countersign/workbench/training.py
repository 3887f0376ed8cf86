"""Teaching a model by the labels of a field. The fit itself runs in a process of its own (``countersign.runs``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from countersign.domain.errors import NotFound
from countersign.domain.image import Project
from countersign.domain.model import StoredModel
from countersign.domain.query import ImageQuery
from countersign.domain.work import Training, TrainingSpec
from countersign.learn.events import OnEvent
from countersign.runs import training
from countersign.store import Store, models, trainings


def train(
    store: Store,
    project: Project,
    field: str,
    *,
    query: ImageQuery,
    name: str = "",
    settings: Mapping[str, Any],
    actor: str,
    on_event: OnEvent | None = None,
    should_cancel: Callable[[], bool] | None = None,
    inline: bool = False,
) -> StoredModel:
    """Train from beginning to end and return the model. ``inline`` trains in this process.

    Raises SettingsError, NotFound, NameTaken and InvalidInput before anything starts; Cancelled where it was cancelled
    before anything was learned; ModelError where the training failed.
    """
    spec = TrainingSpec(name or next_name(store, project.name), field, query, dict(settings))
    return training.run(
        store, project.id, spec, created_by=actor, on_event=on_event, should_cancel=should_cancel, inline=inline
    )


def find(store: Store, project: Project, name: str | int) -> Training:
    """Return the latest training of this name (or the one with this id). Raises NotFound."""
    known = list_all(store, project)
    for item in reversed(known):
        if name in (item.name, item.id) or (isinstance(name, str) and name == str(item.id)):
            return item
    raise NotFound("training", name, known=tuple(item.name for item in known))


def cancel(store: Store, project: Project, name: str | int) -> Training:
    """Ask a training to stop; the best so far becomes its model. Raises NotFound, WrongState where it is over."""
    return training.cancel(store, find(store, project, name).id)


def list_all(store: Store, project: Project) -> list[Training]:
    """The trainings of a project, oldest first; one whose process died is an error by now."""
    training.reap(store)
    with store.read() as c:
        return list(trainings.list_all(c, project.id))


def next_name(store: Store, project: str) -> str:
    """Return ``PROJECT-1``, or the first such name with a number that no model has."""
    base = re.sub(r"[^\w. -]", "-", project).strip("_. -")[:80] or "model"
    with store.read() as c:
        taken = {item.name for item in models.list_all(c)}
    number = 1
    while f"{base}-{number}" in taken:
        number += 1
    return f"{base}-{number}"
