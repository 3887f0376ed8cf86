"""The models behind a URL that a server's workspace knows."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from countersign.client import values
from countersign.client.transport import Transport
from countersign.domain.errors import ImageError
from countersign.domain.model import ModelCard
from countersign.workbench.remote_models import RemoteModel, RemoteTest


class RemoteModels:
    """Lists, adds, edits, deletes and tests models behind a URL, which the server must reach."""

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

    def test(
        self,
        name: str,
        image: str | Path | None = None,
        *,
        min_confidence: float = 0.1,
        classes: Sequence[str] = (),
        task: str | None = None,
    ) -> RemoteTest:
        """Have the server ask the model's server and, with an image of this computer, what the model says of it.

        Raises NotFound, ModelError, ImageError.
        """
        asked = {"min_confidence": min_confidence, "classes": list(classes)} | ({"task": str(task)} if task else {})
        if image is None:
            data = self._transport.post(f"{_path(name)}/test", asked)
        else:
            path = values.full(image)
            if not path.is_file():
                raise ImageError(path, "there is no file there", remedy="Check the path.")
            data = self._transport.upload(f"{_path(name)}/test-file", [("file", path)], **asked)
        found = data["predictions"]
        told = None if found is None else tuple(values.prediction(item) for item in found)
        return RemoteTest(data["answer"], data["seconds"], told, data["counts"])


def _path(name: str) -> str:
    return f"/remote-models/{quote(name, safe='')}"


def _model(data: dict[str, Any]) -> RemoteModel:
    made = datetime.fromisoformat(data["created_at"])
    return RemoteModel(data["name"], data["reference"], data["spec"], ModelCard.from_data(data["card"]), made)
