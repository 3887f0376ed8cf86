"""Operations as files, so that a server that starts again still knows them. One file each; who is at work is in it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from countersign.domain.errors import WorkspaceError
from countersign.runs import machine
from countersign.server.errors import problem
from countersign.store import blobs

if TYPE_CHECKING:
    from countersign.server.operations import Operation

_FOREIGN_S = 24 * 3600.0
"""So long after it began, an operation of another machine that never ended is taken for lost."""


class Kept:
    """A folder of operations. What cannot be read there is left out: nothing of the user's is lost with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, operation: Operation) -> None:
        """Write an operation; a disk that is full or read-only costs no more than the memory of it."""
        data = {item.name: getattr(operation, item.name) for item in dataclasses.fields(operation)}
        data |= {"file": str(operation.file) if operation.file else None, "pid": os.getpid()}
        with contextlib.suppress(OSError, WorkspaceError):
            self._folder.mkdir(parents=True, exist_ok=True)
            with blobs.replacing(self._file(operation.id)) as part:
                part.write_bytes(orjson.dumps(data | {"host": machine.HOST}))

    def load(self) -> list[tuple[Operation, bool]]:
        """Return all operations, the oldest first, and whether each was cut off: those have failed now.

        Left out are those at which another server is still at work.
        """
        read = [self._read(file) for file in self._folder.glob("*.json")] if self._folder.is_dir() else []
        return sorted((item for item in read if item is not None), key=lambda item: item[0].created_at)

    def forget(self, ids: Sequence[str]) -> None:
        """Remove operations."""
        for operation_id in ids:
            self._file(operation_id).unlink(missing_ok=True)

    def _file(self, operation_id: str) -> Path:
        return self._folder / f"{operation_id}.json"

    def _read(self, file: Path) -> tuple[Operation, bool] | None:
        from countersign.server.operations import Operation

        try:
            data: dict[str, Any] = orjson.loads(file.read_bytes())
            for name in ("created_at", "finished_at"):
                data[name] = datetime.fromisoformat(data[name]) if data[name] else None
            data["file"] = Path(data["file"]) if data["file"] else None
            pid, host = int(data.pop("pid")), str(data.pop("host"))
            found = Operation(**data)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if found.finished_at is not None:
            return found, False
        now = datetime.now(UTC)
        lives = pid != os.getpid() and machine.process_lives(host, pid, found.created_at)
        if lives or (lives is None and (now - found.created_at).total_seconds() < _FOREIGN_S):
            return None
        remedy = "Start it again; an import brings in nothing twice."
        lost = problem(503, "The server ended before this was done", remedy=remedy, kind="ServerEnded")
        return dataclasses.replace(found, state="failed", problem=lost, finished_at=now), True
