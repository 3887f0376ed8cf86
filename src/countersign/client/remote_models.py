"""The models behind a URL that a server's workspace knows."""

from __future__ import annotations

import builtins
from datetime import datetime
from typing import Any
from urllib.parse import quote

from countersign.client.transport import Transport
from countersign.domain.model import ModelCard
from countersign.workbench.remote_models import RemoteModel


class RemoteModels:
    """Lists, adds, edits and deletes models behind a URL; a test with an image of a project is the server's route."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> builtins.list[RemoteModel]:
        """All models behind a URL, oldest first."""
        return [_model(item) for item in self._transport.get("/remote-models")["items"]]

    def get(self, name: str) -> RemoteModel:
        """Return one by its name. Raises NotFound."""
        return _model(self._transport.get(_path(name)))

    def add(self, name: str, url: str, **said: Any) -> RemoteModel:
        """Keep a model behind a URL, which the server must reach. Raises InvalidInput, NameTaken, ModelError."""
        return _model(self._transport.post("/remote-models", {"name": name, "spec": {**said, "url": url}}))

    def edit(self, name: str, *, new_name: str = "", **said: Any) -> RemoteModel:
        """Change what is said of a model. Raises NotFound, InvalidInput, NameTaken, ModelError."""
        return _model(self._transport.patch(_path(name), {"name": new_name, "spec": said}))

    def delete(self, name: str) -> RemoteModel:
        """Forget a model. Raises NotFound."""
        found = self.get(name)
        self._transport.delete(_path(name))
        return found


def _path(name: str) -> str:
    return f"/remote-models/{quote(name, safe='')}"


def _model(data: dict[str, Any]) -> RemoteModel:
    made = datetime.fromisoformat(data["created_at"])
    return RemoteModel(data["name"], data["reference"], data["spec"], ModelCard.from_data(data["card"]), made)
