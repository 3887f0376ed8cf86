"""Opening files that strangers gave: regular ones only, without ever waiting, and with reasons a person understands.

What is in a file is not known here.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from countersign.domain.errors import ImageError

_REASONS = {
    errno.ENOENT: "the file is not there",
    errno.ENOTDIR: "the file is not there",
    errno.EACCES: "no permission to read it",
    errno.EPERM: "no permission to read it",
    errno.ELOOP: "a link that leads back to itself",
    errno.ENAMETOOLONG: "its name is too long",
    errno.EISDIR: "a folder, not a file",
    errno.ENXIO: "not an ordinary file",
    errno.EIO: "the disk reports a read error",
    errno.ESTALE: "the network drive lost it",
}


def refuse(path: str | Path, error: OSError) -> ImageError:
    """Return the ImageError that says in plain words why the system refused a file."""
    reason = _REASONS.get(error.errno or 0) or (error.strerror or str(error) or "it cannot be read")
    return ImageError(path, reason)


def open_regular(path: str | Path) -> tuple[int, os.stat_result]:
    """Open a regular file and return its descriptor, to be closed by the caller, and its status.

    A FIFO, socket or device is refused without waiting for it. Raises ImageError.
    """
    try:
        # O_NONBLOCK: to open a FIFO that nobody writes would otherwise wait for ever.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise refuse(path, error) from None
    except ValueError:
        raise ImageError(path, "its name cannot be a file's name") from None
    status = os.fstat(handle)
    if stat.S_ISREG(status.st_mode):
        return handle, status
    os.close(handle)
    raise ImageError(path, "a folder, not a file" if stat.S_ISDIR(status.st_mode) else "not an ordinary file")


def read_all(path: str | Path) -> tuple[bytes, os.stat_result]:
    """Return the bytes of a regular file and its status. Raises ImageError, also when it is empty."""
    handle, status = open_regular(path)
    try:
        with os.fdopen(handle, "rb", buffering=0) as file:
            data = file.readall() or b""
    except OSError as error:
        raise refuse(path, error) from None
    if not data:
        raise ImageError(path, "the file is empty")
    return data, status
