"""A workspace behind a server: its projects and its models, with the verbs of the workspace in this process."""

from __future__ import annotations

import builtins
import os
from pathlib import Path
from urllib.parse import quote

from countersign.client import values
from countersign.client.project import Project
from countersign.client.remote_models import RemoteModels
from countersign.client.shelf import Shelf
from countersign.client.transport import Transport
from countersign.domain.errors import Conflict, InvalidInput, NotFound
from countersign.domain.image import Project as Record
from countersign.domain.model import ModelCard, StoredModel
from countersign.domain.run import Run
from countersign.store.projects import ProjectSummary
from countersign.workbench.workspace import WorkspaceInfo


def connect(url: str, token: str | None = None, *, user: str = "") -> Workspace:
    """Connect to a server. ``token`` is the one for programs that ``countersign serve`` prints.

    Without it: ``COUNTERSIGN_TOKEN``. ``user`` is who the history names, if not the server's own user. Raises
    WorkspaceError where the server cannot be reached, InvalidInput for a wrong token or address.

    >>> with countersign.connect(server.url, server.token) as workspace:
    ...     [summary.project.name for summary in workspace.projects()]
    ['shapes']
    """
    transport = Transport(url, token or os.environ.get("COUNTERSIGN_TOKEN", ""), user)
    try:
        session = transport.get("/session")
    except BaseException:
        transport.close()
        raise
    return Workspace(transport, session["user"], paths=transport.same_computer and session["paths_allowed"])


class Workspace:
    """Projects and models of a server. Close it when done, or use it with ``with``."""

    def __init__(self, transport: Transport, user: str, *, paths: bool) -> None:
        self._transport = transport
        self._paths = paths
        self.user = user

    def __repr__(self) -> str:
        return f"Workspace({self._transport.url!r})"

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    @property
    def models(self) -> Models:
        """The models that were trained there or imported."""
        return Models(self._transport, paths=self._paths)

    def projects(self) -> list[ProjectSummary]:
        """All projects with their counts, by name."""
        return [values.project_summary(item) for item in self._transport.get("/projects")["items"]]

    def project(self, name: str, *, create: bool = False) -> Project:
        """Return a project; with ``create`` one that is not there is made. Raises NotFound."""
        known = {item["name"]: item for item in self._transport.get("/projects")["items"]}
        if name in known:
            return self._project(values.project(known[name]))
        if create:
            return self.create_project(name)
        raise NotFound("project", name, known=tuple(known))

    def create_project(self, name: str) -> Project:
        """Make a project. Raises NameTaken."""
        return self._project(values.project(self._transport.post("/projects", {"name": name})))

    def rename_project(self, name: str, new_name: str) -> Project:
        """Give a project another name. Raises NotFound, NameTaken."""
        renamed = self._transport.patch(f"/projects/{self.project(name).id}", {"name": new_name})
        return self._project(values.project(renamed))

    def delete_project(self, name: str) -> None:
        """Delete a project with its labels, runs and history; image files stay. Raises NotFound."""
        self._transport.delete(f"/projects/{self.project(name).id}")

    def find_run(self, name: str | int, *, project: str | None = None) -> tuple[Project, Run]:
        """Find a run by its name, its id, or the field that it writes, in one project or in all.

        Raises NotFound, and InvalidInput where several projects have such a run.
        """
        found: builtins.list[tuple[Project, Run]] = []
        for summary in self.projects():
            if project in (None, summary.project.name):
                here = self._project(summary.project)
                found += [(here, run) for run in here.runs() if name in (run.name, run.id, run.spec.field)]
        if not found:
            raise NotFound("run", name)
        if len({here.id for here, _ in found}) > 1:
            raise InvalidInput(f"Several projects have a run {name!r}", remedy="Name the project.")
        return found[0]

    def info(self) -> WorkspaceInfo:
        """Say where the workspace is and what it holds."""
        session, known = self._transport.get("/session"), self.projects()
        return WorkspaceInfo(
            session["workspace"], self._transport.url, "", "the server's", session["user"], session["version"],
            len(known), sum(item.images for item in known), sum(item.labels for item in known), len(self.models.list()),
        )  # fmt: skip

    def _project(self, record: Record) -> Project:
        return Project(self._transport, record, self.user, paths=self._paths)


class Models(Shelf):
    """Lists, shows, renames, deletes, exports and imports models of a server; has it fetch those of the catalogue."""

    def __init__(self, transport: Transport, *, paths: bool) -> None:
        super().__init__(transport, paths=paths)

    @property
    def remote(self) -> RemoteModels:
        """The models behind a URL."""
        return RemoteModels(self._transport)

    def list(self) -> builtins.list[StoredModel]:
        """All models of the workspace, oldest first."""
        return [values.model(item) for item in self._transport.get("/models")["items"]]

    def get(self, name: str) -> StoredModel:
        """Return a model by its name. Raises NotFound."""
        return values.model(self._transport.get(f"/models/{quote(name, safe='')}"))

    def card(self, reference: str) -> ModelCard:
        """Return the card of any model that a run could take. Raises NotFound."""
        return ModelCard.from_data(self._transport.get("/models/card", model=reference))

    def rename(self, name: str, new_name: str) -> StoredModel:
        """Give a model another name. Raises NotFound, NameTaken."""
        return values.model(self._transport.patch(f"/models/{quote(name, safe='')}", {"name": new_name}))

    def delete(self, name: str) -> StoredModel:
        """Delete a model and its weights. Raises NotFound."""
        found = self.get(name)
        self._transport.delete(f"/models/{quote(name, safe='')}")
        return found

    def export(self, name: str, file: str | Path) -> Path:
        """Download a model as one file. Raises NotFound; Conflict if something is there."""
        path = values.full(file)
        if path.exists():
            raise Conflict(f"There is something at {file} already", remedy="Choose another place.")
        self.get(name)
        return self._transport.download(f"/models/{quote(name, safe='')}/file", path)

    def import_file(self, file: str | Path, *, name: str = "") -> StoredModel:
        """Upload a saved model. Raises ModelError for a damaged or foreign file, NameTaken."""
        path = values.full(file)
        if not path.exists():
            raise InvalidInput(f"There is no file {file}", remedy="Check the path.")
        if self._paths:
            return values.model(self._transport.post("/models/import", {"path": str(path), "name": name}))
        return values.model(self._transport.upload("/models/upload", [("file", path)], name=name))
