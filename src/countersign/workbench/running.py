"""Beginning a run and steering it. The work itself is done by worker processes (``countersign.runs``)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from countersign.domain.errors import InvalidInput
from countersign.domain.image import Project
from countersign.domain.model import ModelCard
from countersign.domain.query import ImageQuery
from countersign.domain.run import Run, RunOptions, RunSpec, read_options
from countersign.domain.work import RunProgress
from countersign.runs import catalogue, control
from countersign.store import Store, images, runs
from countersign.store import label_maps as kept_maps
from countersign.workbench import label_maps


@dataclass(frozen=True, slots=True)
class Failure:
    """An image that a run could not label, and why."""

    image_id: int
    name: str
    reason: str


def start(
    store: Store,
    project: Project,
    *,
    model: str,
    field: str,
    query: ImageQuery | None = None,
    classes: Sequence[str] = (),
    min_confidence: float = 0.1,
    name: str = "",
    workers: int = 1,
    batch_size: int = 8,
    settings: Mapping[str, Any] | None = None,
    executor: str = "processes",
    options: RunOptions | None = None,
    actor: str,
) -> Run:
    """Store a run and begin it; it goes on in processes of its own.

    Everything that can be wrong is found before anything starts: raises NotFound for a model that there is not,
    ModelError for a class that it does not know, InvalidInput for a query that no image fits, NameTaken for a field
    that exists.
    """
    spec = RunSpec(
        model, field, query or ImageQuery(), tuple(classes), min_confidence, name, workers, batch_size,
        dict(settings or {}), executor,
        **told(store, project, model, options or {}, functools.partial(catalogue.card, store)),
    )  # fmt: skip
    with store.read() as c:
        if not images.count(c, project.id, spec.images):
            raise InvalidInput(
                f"No image of {project.name} fits", remedy="'countersign images' tries a query; the run was not made."
            )
    return control.start(store, control.create(store, project.id, spec, created_by=actor).id)


def told(
    store: Store, project: Project, model: str, options: RunOptions, card_of: Callable[[str], ModelCard]
) -> dict[str, Any]:
    """Return options as ``RunSpec`` takes them, with the project's own label map of the model where none is given.

    Of that map, classes which the model no longer has are left out; a map that is given is checked as it is.
    ``card_of`` is asked only where a map is kept. Raises NotFound, ModelError.
    """
    values = read_options(options)
    if values.get("label_map") is None:
        with store.read() as c:
            kept = kept_maps.get(c, project.id, model) or {}
        card = card_of(model) if kept else None
        known = card.classes if card is not None and not card.zero_shot else ()
        values["label_map"] = label_maps.fitting(kept, known)
    return values


def wait(store: Store, run_id: int, on_progress: Callable[[RunProgress], None] | None = None) -> Run:
    """Wait until nobody works on a run any more, and return it."""
    return control.wait(store, run_id, on_progress)


def failures(store: Store, run_id: int, limit: int) -> list[Failure]:
    """List images that the run could not label, with the reason."""
    with store.read() as c:
        return [Failure(*row) for row in runs.failures(c, run_id, limit=limit)]


def rename(store: Store, run_id: int, name: str) -> Run:
    """Give a run another name. Raises NameTaken."""
    with store.write() as c:
        return runs.rename(c, run_id, name)
