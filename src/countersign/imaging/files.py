"""Opening files that strangers gave: ordinary ones only, without ever waiting, with reasons a person understands.

What is in a file is not known here.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from countersign.domain.errors import ImageError

# A file up to this size is read once and kept while it is looked at; a larger TIFF is read piece by piece.
IN_MEMORY = 64 << 20
HEAD = 64
_CHUNK = 1 << 20

MISSING = "the file is not there"
"""The reason of an ImageError about a file that has vanished, as opposed to one that is damaged."""

_REASONS = {
    errno.ENOENT: MISSING,
    errno.ENOTDIR: MISSING,
    errno.EACCES: "no permission to read it",
    errno.EPERM: "no permission to read it",
    errno.ELOOP: "a link that leads back to itself",
    errno.ENAMETOOLONG: "its name is too long",
    errno.EISDIR: "a folder, not a file",
    errno.ENXIO: "not an ordinary file",
    errno.ENODEV: "not an ordinary file",
    errno.EIO: "the disk reports a read error",
    errno.ESTALE: "the network drive lost it",
    errno.EMFILE: "too many files are open",
    errno.ENFILE: "too many files are open",
}


def printable(path: str | Path) -> str:
    """Return a path that can be printed and stored: bytes that are no UTF-8 become ``\\xNN``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace") if not _is_text(path) else str(path)


def refuse(path: str | Path, error: OSError) -> ImageError:
    """Return the ImageError that says in plain words why the system refused a file."""
    reason = _REASONS.get(error.errno or 0) or (error.strerror or str(error) or "it cannot be read")
    return ImageError(printable(path), reason)


def ending_of(path: str) -> str:
    """Return the ending of a file's name in lower case, with its dot; "" if it has none."""
    stem, dot, ending = path.rpartition("/")[2].rpartition(".")
    return f".{ending.lower()}" if dot and stem else ""


def _is_text(path: str | Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _open(path: str | Path) -> tuple[int, os.stat_result]:
    """Open an ordinary file; a FIFO, socket or device is refused without waiting for it."""
    if not _is_text(path):
        raise ImageError(printable(path), "its name is not UTF-8", remedy="Rename the file.")
    try:
        # O_NONBLOCK: to open a FIFO that nobody writes to would otherwise wait for ever.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise refuse(path, error) from None
    except ValueError:
        raise ImageError(printable(path), "its name cannot be the name of a file") from None
    status = os.fstat(handle)
    if stat.S_ISREG(status.st_mode):
        return handle, status
    os.close(handle)
    raise ImageError(path, "a folder, not a file" if stat.S_ISDIR(status.st_mode) else "not an ordinary file")


class _Pieces(io.RawIOBase):
    """A stream over an open descriptor with a position of its own, which a duplicate would not have."""

    def __init__(self, handle: int, size: int, name: str) -> None:
        self._handle, self._size, self._at, self.name = handle, size, 0, name

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        found = os.pread(self._handle, len(buffer), self._at)
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)


class Source:
    """One ordinary file, open for reading; a context manager. Every failure is an ImageError with the path.

    The descriptor stays the same throughout, so a file that is replaced meanwhile cannot mix two contents.
    Memory maps are avoided on purpose: a mapped file that somebody shortens kills the process.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = os.fspath(path)
        handle, self.status = _open(path)
        self.size = self.status.st_size
        self._file = os.fdopen(handle, "rb", buffering=0)
        self._data: bytes | None = None
        self.parsed: Any = None  # what a codec remembers of this file from one call to the next
        if self.size == 0:
            self._file.close()
            raise ImageError(path, "the file is empty")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def data(self) -> bytes:
        """All bytes of the file."""
        if self._data is None:
            try:
                self._file.seek(0)
                self._data = self._file.readall()
            except OSError as error:
                raise refuse(self.path, error) from None
            except MemoryError:
                raise self.bad("too large for the memory of this machine") from None
            if not self._data:  # emptied since it was opened
                raise self.bad("the file is empty")
        return self._data

    @property
    def head(self) -> bytes:
        """The first 64 bytes, or fewer."""
        return self.data[:HEAD] if self.size <= IN_MEMORY else self.start()

    def start(self) -> bytes:
        """Return the first 64 bytes, or fewer, without reading more of the file."""
        try:
            self._file.seek(0)
            return self._file.read(HEAD) or b""
        except OSError as error:
            raise refuse(self.path, error) from None

    def stream(self) -> BinaryIO:
        """Return the file as a stream at its beginning: in memory where it is small, else from the disk."""
        if self._data is not None or self.size <= IN_MEMORY:
            return io.BytesIO(self.data)
        return io.BufferedReader(_Pieces(self._file.fileno(), self.size, str(self.path)))

    def sha256(self) -> str:
        """Return the SHA-256 of the bytes, in hex."""
        if self._data is not None or self.size <= IN_MEMORY:
            return hashlib.sha256(self.data).hexdigest()
        digest = hashlib.sha256()
        try:
            self._file.seek(0)
            while piece := self._file.read(_CHUNK):
                digest.update(piece)
        except OSError as error:
            raise refuse(self.path, error) from None
        return digest.hexdigest()

    def bad(self, reason: str, *, remedy: str = "") -> ImageError:
        """Return an ImageError about this file."""
        return ImageError(self.path, reason, remedy=remedy)
