"""Files that are uploaded: where they lie, and which names they may have. What is in them is not known here."""

from __future__ import annotations

import re
import shutil
import unicodedata
from pathlib import Path
from typing import BinaryIO

from countersign.domain.errors import Conflict, InvalidInput, NotFound
from countersign.store import Store

FOLDER = "uploads"
_LONGEST = 200
_BAD = re.compile(r'[\x00-\x1f\x7f<>:"|?*]')


def folder_of(store: Store, upload_id: str, *, project_id: int | None = None) -> Path:
    """Return the folder of an upload: where it shall be for a project, or where it is. Raises NotFound."""
    root = store.blobs / FOLDER
    if project_id is not None:
        return root / str(project_id) / upload_id
    for found in root.glob(f"*/{upload_id}"):
        return found
    raise NotFound("upload", upload_id, remedy="Begin another one.")


def add_file(folder: Path, name: str, content: BinaryIO) -> Path:
    """Write a file into an upload, below folders of the same names as it came from.

    Raises InvalidInput for a path that leads elsewhere, Conflict for one that is there.
    """
    path = folder.joinpath(*clean(name))
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as file:
            shutil.copyfileobj(content, file, 1 << 20)
    except FileExistsError as error:
        raise Conflict(f"{name!r} was uploaded already", remedy="Leave it out.") from error
    except (IsADirectoryError, NotADirectoryError, OSError) as error:
        path.unlink(missing_ok=True)
        raise InvalidInput(f"{name!r} cannot be kept: {error.strerror or error}") from error
    return path


def clean(name: str) -> tuple[str, ...]:
    """Return the parts of a relative path, fit for any file system. Raises InvalidInput where it leads elsewhere."""
    parts = [part for part in unicodedata.normalize("NFC", name).replace("\\", "/").split("/") if part not in ("", ".")]
    if not parts or ".." in parts or len(parts) > 20:
        raise InvalidInput(f"{name!r} cannot name an uploaded file", remedy="Give a path below the folder.")
    found = tuple(_BAD.sub("_", part).strip(" ")[-_LONGEST:] or "_" for part in parts)
    if any(not part.isprintable() for part in found):
        raise InvalidInput(f"{name!r} cannot name an uploaded file", remedy="Rename it.")
    return found


def size_of(folder: Path) -> tuple[int, int]:
    """Return how many files an upload has, and their bytes."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes)
