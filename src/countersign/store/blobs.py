"""Files beside the database: weights, thumbnails, exports. Written whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from countersign.domain.errors import InvalidInput, WorkspaceError
from countersign.store.engine import Store

_PART = re.compile(r"[\w][\w.+ -]{0,127}")


def path_of(store: Store, kind: str, name: str) -> Path:
    """Return where the blob ``name`` of a kind (``models``, ``thumbnails`` ...) is or would be.

    A name is letters, digits and ``_ . + -``, and blanks inside; slashes make folders. Raises InvalidInput otherwise:
    no name leads out of the folder.
    """
    parts = [kind, *name.split("/")]
    for part in parts:
        if not _PART.fullmatch(part) or part.endswith((" ", ".")):
            raise InvalidInput(
                f"{name!r} cannot name a file of the workspace", remedy="Use letters, digits, '_' or '-'."
            )
    return store.blobs.joinpath(*parts)


def write(path: Path, data: bytes) -> Path:
    """Write a file at once: readers see the old content or the new one, never a part. Raises WorkspaceError."""
    with replacing(path) as part:
        part.write_bytes(data)
    return path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write a file (or make a folder) at, and move it to ``path`` when all went well.

    An existing file is replaced; an existing folder is replaced too, after the new one is complete.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        nest = Path(tempfile.mkdtemp(prefix=f".{path.name[:40]}-", dir=path.parent))
    except OSError as error:
        raise WorkspaceError(f"{path} cannot be written: {error.strerror or error}") from error
    try:
        part = nest / path.name
        yield part
        _sync(part)
        if path.is_dir():
            path.rename(nest / "old")
        part.replace(path)
    except OSError as error:
        raise WorkspaceError(
            f"{path} cannot be written: {error.strerror or error}", remedy="Check the disk and its free space."
        ) from error
    finally:
        shutil.rmtree(nest, ignore_errors=True)


def delete(path: Path) -> None:
    """Delete a file or folder; it is no error if there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(FileNotFoundError):
            path.unlink()


def _sync(path: Path) -> None:
    if path.is_file():
        with path.open("rb") as file:
            os.fsync(file.fileno())
