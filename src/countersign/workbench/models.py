"""The models of a workspace: those trained here and those imported."""

from __future__ import annotations

import builtins
from pathlib import Path

from countersign.domain.errors import Conflict
from countersign.domain.model import ModelCard, StoredModel
from countersign.runs import catalogue
from countersign.store import Store
from countersign.store import models as records


class Models:
    """Lists, shows, renames, deletes, exports and imports models."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self) -> builtins.list[StoredModel]:
        """All models of the workspace, oldest first.

        >>> workspace.models.list()
        []
        """
        with self._store.read() as c:
            return records.list_all(c)

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

    def delete(self, name: str) -> StoredModel:
        """Delete a model and its weights. Labels that it made keep saying where they came from. Raises NotFound."""
        return catalogue.delete(self._store, name)

    def export(self, name: str, file: str | Path) -> Path:
        """Write a model to one file, which ``import_file`` takes elsewhere. Raises NotFound, Conflict."""
        path = Path(file).expanduser()
        if path.exists():
            raise Conflict(f"There is something at {file} already", remedy="Choose another place.")
        return catalogue.export(self._store, name, path)

    def import_file(self, file: str | Path, *, name: str = "") -> StoredModel:
        """Bring a saved model into the workspace. Raises ModelError for a damaged or foreign file, NameTaken."""
        return catalogue.import_file(self._store, Path(file), name=name)
