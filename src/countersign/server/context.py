"""What a request works with: the workspace, who asks, and the long-lived parts of the server."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from countersign.domain.errors import InvalidInput
from countersign.domain.image import Image
from countersign.domain.image import Project as Record
from countersign.domain.query import ImageQuery
from countersign.server.auth import Keys
from countersign.server.querytext import read
from countersign.server.settings import Settings
from countersign.store import Store, images, projects
from countersign.workbench.project import Project

if TYPE_CHECKING:
    from countersign.server.counts import Counts
    from countersign.server.events import Hub
    from countersign.server.operations import Operations
    from countersign.server.pictures import Pictures
    from countersign.server.worker import Predictor
    from countersign.workbench.workspace import Workspace


_LONGEST_NAME = 255  # bytes of one part of a path, on every file system there is


@dataclass(frozen=True, slots=True)
class Parts:
    """The long-lived parts of a server."""

    workspace: Workspace
    settings: Settings
    keys: Keys
    hub: Hub
    operations: Operations
    pictures: Pictures
    predictor: Predictor
    counts: Counts


@dataclass(frozen=True, slots=True)
class Here:
    """What one request works with."""

    parts: Parts
    user: str
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "store", self.parts.workspace.store)

    def record(self, project_id: int) -> Record:
        """Return a project's record. Raises NotFound."""
        with self.store.read() as c:
            return projects.by_id(c, project_id)

    def project(self, project_id: int) -> Project:
        """Return a project with its verbs, which this user will be said to have done. Raises NotFound."""
        return Project(self.store, self.record(project_id), self.user)

    def image(self, image_id: int) -> Image:
        """Return an image. Raises NotFound."""
        with self.store.read() as c:
            return images.get(c, image_id)

    def check_path_allowed(self) -> None:
        """Raise InvalidInput where clients may not name files of this computer."""
        if not self.parts.settings.paths_allowed:
            raise InvalidInput(
                "This server does not let you name folders or files of its computer",
                remedy="Upload the files, or start the server with --allow-paths.",
            )


async def _here(request: Request) -> Here:
    parts: Parts = request.app.state.parts
    return Here(parts, getattr(request.state, "user", None) or parts.workspace.user)


HereDep = Annotated[Here, Depends(_here)]


def local_path(text: str) -> Path:
    """Return a path of this computer that a client named. Raises InvalidInput for one that no file system has."""
    if "\0" in text or any(len(part.encode(errors="replace")) > _LONGEST_NAME for part in re.split(r"[/\\]", text)):
        raise InvalidInput(f"{text[:100]!r} is no path", remedy="Check it.")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:  # ~somebody who has no home
        raise InvalidInput(f"{text[:100]!r} is no path: {error}", remedy="Write the whole path.") from error


def query_of(text: str, ids: list[int] | None = None) -> ImageQuery:
    """Return the images that somebody means: a query in words or in JSON, or ids. Raises QueryError, InvalidInput."""
    if ids is None:
        return read(text)
    if text.strip():
        raise InvalidInput("Images are given by a query and by ids", remedy="Give one of the two.")
    return ImageQuery(ids=tuple(sorted(set(ids))))
