"""Beginning runs from a process that must not import torch: a server.

Cards of the workspace's models lie beside their weights; those of other families only torch can tell. Who asks for such
a card, and where, is the caller's business.
"""

from __future__ import annotations

from collections.abc import Callable

from countersign.domain.errors import InvalidInput
from countersign.domain.image import Project
from countersign.domain.model import ModelCard
from countersign.domain.run import Run, RunSpec
from countersign.models import registry
from countersign.runs import catalogue, control
from countersign.store import Store, images, runs

CardOf = Callable[[str], ModelCard]


def card_of(store: Store, reference: str, elsewhere: CardOf) -> ModelCard:
    """Return the card of a model: read here where that needs no torch, else asked for ``elsewhere``.

    Raises NotFound, ModelError.
    """
    found = catalogue.parse(store, reference)
    if found.card is not None and not found.options:
        return found.card
    known = found.family == registry.SAVED or found.spec is not None  # what is behind a URL has told its card
    return catalogue.card(store, reference) if known else elsewhere(reference)


def begin_run(store: Store, project: Project, spec: RunSpec, *, actor: str, card_of: CardOf) -> Run:
    """Store a run and begin it, as ``running.start`` does. ``card_of`` is asked for cards that need torch."""
    spec = catalogue.settled(store, spec, lambda reference: _card(store, reference, card_of))
    with store.read() as c:
        if not images.count(c, project.id, spec.images):
            raise InvalidInput(f"No image of {project.name} fits", remedy="Choose other images; the run was not made.")
    with store.write() as c:
        made = runs.create(c, project.id, spec, created_by=actor)
    return control.start(store, made.id)


_card = card_of
