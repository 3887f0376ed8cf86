"""Sessions and projects."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from countersign.server.schemas.common import Wire


class Session(Wire):
    """Who works here, and with what."""

    user: str
    """Name that the history gives to what is done with this session."""
    version: str
    """Version of the server."""
    workspace: str
    """Folder or database of the workspace."""
    local: bool
    """Whether the server is bound to this computer alone."""
    paths_allowed: bool
    """Whether folders of the server's computer may be named (import, export, models)."""
    home: str
    """Folder to begin with when somebody looks for one; empty where paths are not allowed."""
    cores: int
    """Processor cores of the server's computer."""


class SessionCreate(Wire):
    """What opens a session."""

    token: str = Field(min_length=1, max_length=500, examples=["5f0c..."])
    """The one-time token of the link that `countersign serve` prints, or its token for programs."""
    user: str = Field(default="", max_length=100)
    """Name for the history; empty: the server's own."""


class CoverImage(Wire):
    """An image of a project's card. Its thumbnail's address with `v` and some of the hash may be cached for good."""

    id: int
    hash: str


class Project(Wire):
    """Images, classes, fields and runs that belong together."""

    id: int
    name: str
    created_at: datetime
    images: int
    """How many images it has."""
    labels: int
    """How many labels all its fields have."""
    fields: int
    runs: int
    active: int
    """Runs and trainings at work."""
    labelled: int
    """Images with a label in `ground_truth`: the progress, of `images`."""
    last_change: datetime | None
    """When its labels last changed."""
    cover: list[CoverImage]
    """Up to four images, to show on a card."""


class ProjectList(Wire):
    """All projects, by name."""

    items: list[Project]


class ProjectCreate(Wire):
    """A new project."""

    name: str = Field(min_length=1, max_length=200, examples=["cells"])


class ProjectUpdate(Wire):
    """Another name for a project."""

    name: str = Field(min_length=1, max_length=200)


class Change(Wire):
    """One action on labels: who did what, when, to how many."""

    id: int
    verb: str
    """`import`, `create`, `edit`, `delete`, `run`, `promote`, `reject`, `undo` or `approve`."""
    actor: str
    at: datetime
    count: int
    """How many labels it touched."""
    note: str
    field: str
    undoes: int | None
    """The change that this one took back."""
    undone_by: int | None
    """The change that took this one back."""


class ChangePage(Wire):
    """Some changes, the newest first."""

    items: list[Change]
    next: str | None
    """Give it as `after` for those that follow; null at the end."""


class FolderEntry(Wire):
    """A folder or file of the server's computer."""

    name: str
    path: str
    is_folder: bool
    images: int | None = None
    """For a folder: image files right in it, counted up to 1000."""


class Folder(Wire):
    """What is in a folder of the server's computer."""

    path: str
    parent: str | None
    items: list[FolderEntry]
    truncated: bool
    """Whether there is more than is listed."""
