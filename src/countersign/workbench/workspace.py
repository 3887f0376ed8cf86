"""A workspace opened in this process: its projects, its models, where it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from countersign.domain.errors import NotFound, WorkspaceError
from countersign.domain.run import Run
from countersign.store import Store, projects, runs
from countersign.workbench.location import Location, actor, locate
from countersign.workbench.models import Models
from countersign.workbench.project import Project

if TYPE_CHECKING:
    from countersign.store.projects import ProjectSummary


@dataclass(frozen=True, slots=True)
class WorkspaceInfo:
    """Where a workspace is and what it holds. ``chosen`` says why it is this one."""

    workspace: str
    database: str
    blobs: str
    chosen: str
    user: str
    version: str
    projects: int
    images: int
    labels: int
    models: int


def open_workspace(
    location: str | Path | None = None, *, blobs: str | Path | None = None, create: bool = True, user: str | None = None
) -> Workspace:
    """Open a workspace: a folder, or a ``postgresql://`` URL with a folder ``blobs`` for weights and masks.

    Without a location: ``COUNTERSIGN_WORKSPACE``, else the nearest folder upwards that is a workspace, else the
    user's data folder. ``user`` is who the history names: ``COUNTERSIGN_USER`` or the computer's user if not
    given. Raises WorkspaceError where it cannot be used, or is not there and ``create`` is False.

    >>> with countersign.open_workspace("my-workspace") as workspace:
    ...     [summary.project.name for summary in workspace.projects()]
    []
    """
    place = locate(location, blobs=blobs)
    if not create and not place.exists:
        raise WorkspaceError(
            f"There is no workspace in {place.address} ({place.why})",
            remedy="'countersign import PROJECT PATH' makes one, or name another with --workspace.",
        )
    store = Store.open(place.address, blobs=place.blobs, create=create)
    return Workspace(store, place, user or actor())


class Workspace:
    """Projects and models. Close it when done, or use it with ``with``."""

    def __init__(self, store: Store, location: Location, user: str) -> None:
        self.store = store
        self.location = location
        self.user = user

    def __repr__(self) -> str:
        return f"Workspace({self.location.address!r})"

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the database back."""
        self.store.close()

    @property
    def models(self) -> Models:
        """The models that were trained here or imported.

        >>> workspace.models.list()
        []
        """
        return Models(self.store)

    def projects(self) -> list[ProjectSummary]:
        """All projects with their counts, by name.

        >>> [(item.project.name, item.images) for item in workspace.projects()]
        [('shapes', 6)]
        """
        with self.store.read() as c:
            return projects.list_all(c)

    def project(self, name: str, *, create: bool = False) -> Project:
        """Return a project; with ``create`` one that is not there is made. Raises NotFound.

        >>> workspace.project("shapes")
        Project('shapes')
        """
        try:
            with self.store.read() as c:
                return Project(self.store, projects.get(c, name), self.user)
        except NotFound:
            if not create:
                raise
        with self.store.write() as c:
            return Project(self.store, projects.create(c, name), self.user)

    def create_project(self, name: str) -> Project:
        """Make a project. Raises NameTaken.

        >>> workspace.create_project("birds")
        Project('birds')
        """
        with self.store.write() as c:
            return Project(self.store, projects.create(c, name), self.user)

    def rename_project(self, name: str, new_name: str) -> Project:
        """Give a project another name. Raises NotFound, NameTaken.

        >>> workspace.rename_project("shapes", "forms")
        Project('forms')
        """
        with self.store.write() as c:
            return Project(self.store, projects.rename(c, projects.get(c, name).id, new_name), self.user)

    def delete_project(self, name: str) -> None:
        """Delete a project with its labels, runs and history; image files stay. Raises NotFound.

        >>> workspace.delete_project("shapes")
        """
        with self.store.write() as c:
            projects.delete(c, projects.get(c, name).id)

    def find_run(self, name: str | int, *, project: str | None = None) -> tuple[Project, Run]:
        """Find a run by its name, its id, or the field that it writes, in one project or in all.

        Raises NotFound, and InvalidInput where several projects have such a run.

        >>> _ = project.run("bright:shapes", "auto", executor="inline")
        >>> project, run = workspace.find_run("auto")
        >>> project.name, run.total
        ('shapes', 6)
        """
        with self.store.read() as c:
            run = runs.find(c, projects.get(c, project).id if project else None, name)
            return Project(self.store, projects.by_id(c, run.project_id), self.user), run

    def info(self) -> WorkspaceInfo:
        """Say where the workspace is and what it holds.

        >>> workspace.info().images
        6
        """
        from countersign import __version__

        found = self.projects()
        return WorkspaceInfo(
            workspace=self.store.url if self.location.is_url else self.location.address,
            database=self.store.url,
            blobs=str(self.store.blobs),
            chosen=self.location.why,
            user=self.user,
            version=__version__,
            projects=len(found),
            images=sum(item.images for item in found),
            labels=sum(item.labels for item in found),
            models=len(self.models.list()),
        )
