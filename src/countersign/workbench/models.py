"""The models of a workspace: those trained here and those imported."""

from __future__ import annotations

from pathlib import Path

from countersign.domain.model import ModelCard, StoredModel
from countersign.runs import catalogue
from countersign.store import Store
from countersign.store import models as records


class Models:
    """Lists, shows, renames, deletes, exports and imports models."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self) -> list[StoredModel]:
        """All models of the workspace.

        >>> workspace.models.list()
        []
        """
        with self._store.read() as c:
            return list(records.list_all(c))

    def get(self, name: str) -> StoredModel:
        """Return a model by its name. Raises NotFound."""
        with self._store.read() as c:
            return records.get(c, name)

    def card(self, reference: str) -> ModelCard:
        """Return the card of any model that a run could take: of the workspace, a path, or a family's. Raises NotFound.

        >>> workspace.models.card("timm:resnet18?weights=random").family
        'timm'
        """
        return catalogue.card(self._store, reference)

    def rename(self, name: str, new_name: str) -> StoredModel:
        """Give a model another name. Raises NotFound, NameTaken."""
        with self._store.write() as c:
            return records.rename(c, name, new_name)
