"""The models that a server's computer can use whatever the workspace: the catalogue, and the weights that are there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from countersign.client import values
from countersign.client.transport import Transport
from countersign.domain.errors import InvalidInput
from countersign.domain.model import ModelCard
from countersign.models.folder import own
from countersign.models.folder.weights import Checked, Installed
from countersign.workbench.progress import OnProgress
from countersign.workbench.shelf import Entry

_NOT_OF_THE_CARD = ("origin", "installed", "licences", "licence_due", "licence_notice", "class_names", "recorded")


class Shelf:
    """The catalogue of a server, and what of it is on its computer. Nothing is fetched but by ``pull``."""

    def __init__(self, transport: Transport, *, paths: bool) -> None:
        self._transport = transport
        self._paths = paths

    def catalogue(
        self, *, task: str = "", vocabulary: str = "", licence: str = "", installed: bool | None = None
    ) -> list[Entry]:
        """All models that the server can use, or some. The cards of a list have no classes: ask ``entry``."""
        found = self._transport.get(
            "/catalogue", task=task, vocabulary=vocabulary, licence=licence, installed=installed
        )
        return [_entry(item) for item in found["items"]]

    def entry(self, name: str) -> Entry:
        """One model with all that is known of it. Raises NotFound."""
        return _entry(self._transport.get("/catalogue/model", model=name))

    def pull(
        self,
        name: str,
        *,
        accept_licence: bool = False,
        allow_pickles: Sequence[str] = (),
        again: bool = False,
        on_progress: OnProgress | None = None,
    ) -> Entry:
        """Have the server fetch a model's weights. Raises NotFound, ModelError."""
        body = {
            "model": name,
            "accept_licence": accept_licence,
            "allow_pickles": list(allow_pickles),
            "again": again,
        }
        self._transport.work("/catalogue/pull", body, on_progress)
        return self.entry(name)

    def add(
        self,
        path: str | Path,
        *,
        name: str = "",
        classes: Sequence[str] = (),
        licence: str = "",
        description: str = "",
        reference: str = "",
        link: bool = False,
        allow_pickle: bool = False,
    ) -> Entry:
        """Give a file or folder a name among the server's models; it is uploaded where the server takes no paths.

        Raises ModelError, NameTaken, InvalidInput.
        """
        full = values.full(path)
        said = {"name": name, "licence": licence, "description": description, "reference": reference}
        if self._paths:
            more = {"path": str(full), "classes": list(classes), "link": link, "allow_pickle": allow_pickle}
            return _entry(self._transport.post("/catalogue/add", said | more))
        if link or allow_pickle:
            raise InvalidInput(
                "Files of another computer can neither be linked nor, where they are pickles, be allowed",
                remedy="Add it on the server's computer, with 'countersign models add'.",
            )
        if not full.exists():
            raise InvalidInput(f"There is nothing at {path}", remedy="Check the path.")
        base = full.parent
        kind = "folder" if full.is_dir() else "file"
        sent = said | {"classes": json.dumps(list(classes)), "kind": kind}
        return _entry(self._transport.upload_all("/catalogue/upload", base, own.files_of(full), **sent))

    def remove(self, name: str) -> int:
        """Delete a model's files from the server's models folder. Raises NotFound, Conflict."""
        return int(self._transport.send("DELETE", f"/catalogue/models/{quote(name, safe='')}")["bytes"])

    def check(self, *names: str, on_progress: OnProgress | None = None) -> list[Checked]:
        """Have the server hash the files of models again, and say which are damaged. Raises NotFound."""
        done = self._transport.work("/catalogue/check", {"models": list(names)}, on_progress)
        return [Checked(**item) for item in done["result"]["files"]]

    def disk_usage(self) -> dict[str, int]:
        """Bytes that each model takes in the server's models folder."""
        return dict(self._transport.get("/catalogue/usage")["models"])

    def allow_pickle(self, file: str | Path) -> str:
        """Allow one pickle of this computer to be opened by a server on it. Raises InvalidInput for another's."""
        return str(self._transport.post("/catalogue/pickle", {"path": str(values.full(file))})["sha256"])

    def accept_licence(self, name: str) -> Entry:
        """Record that you accept a model's licence. Raises NotFound."""
        return _entry(self._transport.post("/catalogue/licence", {"model": name}))


def _entry(data: Mapping[str, Any]) -> Entry:
    card = {key: value for key, value in data.items() if key not in _NOT_OF_THE_CARD}
    card["classes"] = data.get("class_names", ())
    found = data["installed"]
    installed = found and Installed(Path(found["folder"]), found["where"], found["bytes"], found["files"])
    return Entry(ModelCard.from_data(card), data["origin"], installed, data["licence_due"])
