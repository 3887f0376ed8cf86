"""The models that a workspace can use: its own by name, and every family of the registry.

This is where the learning part's way to open saved models meets the registry. It is imported only when it is needed.
"""

from __future__ import annotations

import dataclasses
from importlib import import_module
from pathlib import Path

from countersign.domain.errors import ModelError
from countersign.domain.model import ModelCard
from countersign.models import registry, trained
from countersign.models.contract import Model
from countersign.store import Store
from countersign.store import models as model_rows

_LEARN = "countersign.learn.saving"


def _load_saved(path: Path, device: str | None) -> Model:
    model: Model = import_module(_LEARN).load(path, device=device)
    return model


def _card_of_saved(path: Path) -> ModelCard:
    card: ModelCard = import_module(_LEARN).read_card(path)
    return card


trained.use(_load_saved, _card_of_saved)


def saved(store: Store) -> dict[str, Path]:
    """Return the models of the workspace: names, and where their files are."""
    with store.read() as c:
        return {item.name: store.blobs / item.folder for item in model_rows.list_all(c)}


def load(store: Store, reference: str, *, device: str | None = None) -> Model:
    """Load the model that a reference names (see the registry). Raises NotFound, ModelError."""
    return registry.load(reference, saved=saved(store), device=device)


def card(store: Store, reference: str) -> ModelCard:
    """Return its card; for a model of the workspace under the name that it has there. Raises NotFound, ModelError."""
    known = saved(store)
    found = registry.card(reference, saved=known)
    return dataclasses.replace(found, name=reference) if reference in known else found


def check_classes(card: ModelCard, classes: tuple[str, ...]) -> None:
    """Raise ModelError where a model does not know a class that is asked of it."""
    unknown = [name for name in classes if name not in card.classes]
    if unknown:
        known = ", ".join(card.classes[:12]) + (f" ... ({len(card.classes)} in all)" if len(card.classes) > 12 else "")
        raise ModelError(f"The model {card.name!r} does not know {', '.join(unknown)}", remedy=f"It knows {known}.")
