"""The models of a workspace: those trained here, those imported, and the shelf that all workspaces share."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from pathlib import Path

from countersign.domain.errors import Conflict
from countersign.domain.model import ModelCard, StoredModel
from countersign.runs import catalogue
from countersign.store import Store
from countersign.store import models as records
from countersign.workbench.remote_models import RemoteModels
from countersign.workbench.shelf import Entry, Shelf, folder_entry


class Models(Shelf):
    """Lists, shows, renames, deletes, exports and imports models; fetches those of the catalogue."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def remote(self) -> RemoteModels:
        """The models behind a URL.

        >>> workspace.models.remote.list()
        []
        """
        return RemoteModels(self._store)

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

    def entry(self, name: str) -> Entry:
        """One model: of the workspace, of the catalogue, or ``family:owner/name`` (of the hub). Raises NotFound.

        >>> workspace.models.entry("no-such-model")
        Traceback (most recent call last):
        countersign.domain.errors.NotFound: There is no model 'no-such-model'...
        """
        found = next((entry for entry in self._of_workspace() if entry.name == name), None)
        return found or super().entry(name)

    def _entries(self) -> Iterator[Entry]:
        yield from self._of_workspace()
        yield from super()._entries()

    def _of_workspace(self) -> Iterator[Entry]:
        for model in self.list():
            yield folder_entry(model.card, self._store.blobs / model.folder)
