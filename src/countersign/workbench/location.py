"""Where a workspace is, and who works in it.

The first of these that says something: what the caller gives, ``COUNTERSIGN_WORKSPACE``, the nearest folder
from the current one upwards that holds a ``countersign.db``, the user's data folder.
"""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass
from pathlib import Path

from countersign.domain.errors import WorkspaceError

DATABASE = "countersign.db"
"""The file that makes a folder a workspace."""


@dataclass(frozen=True, slots=True)
class Location:
    """A workspace: ``address`` is a folder's path or a database URL; ``blobs`` is None for the usual folder;
    ``why`` says who chose."""

    address: str
    blobs: Path | None
    why: str

    @property
    def is_url(self) -> bool:
        return "://" in self.address

    @property
    def exists(self) -> bool:
        """Whether the workspace is there already (a database URL is taken to be)."""
        return self.is_url or (Path(self.address) / DATABASE).is_file()


def locate(given: str | Path | None = None, *, blobs: str | Path | None = None) -> Location:
    """Decide where the workspace is. Raises WorkspaceError for a path that is a file."""
    address, why = _address(given)
    folder = blobs or os.environ.get("COUNTERSIGN_BLOBS") or None
    if "://" not in address:
        path = Path(address).expanduser().absolute()
        if path.is_file():
            raise WorkspaceError(f"{path} is a file, not a folder", remedy="Give the folder of a workspace.")
        return Location(str(path), Path(folder).expanduser().absolute() if folder else None, why)
    return Location(address, Path(folder).expanduser().absolute() if folder else None, why)


def _address(given: str | Path | None) -> tuple[str, str]:
    if given:
        return str(given), "as given"
    if named := os.environ.get("COUNTERSIGN_WORKSPACE"):
        return named, "by COUNTERSIGN_WORKSPACE"
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / DATABASE).is_file():
            return str(folder), "the nearest workspace upwards from the current folder"
    from platformdirs import user_data_path

    return str(user_data_path("countersign", appauthor=False)), "your data folder"


def actor() -> str:
    """Who works: ``COUNTERSIGN_USER``, else the name of the user of this computer."""
    if name := os.environ.get("COUNTERSIGN_USER", "").strip():
        return name
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user without a name
        return "unknown"
