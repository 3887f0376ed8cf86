"""What an image file is, without importing it."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Literal

from countersign.domain.errors import ImageError
from countersign.domain.image import ImageFile
from countersign.imaging.files import read_all
from countersign.imaging.read import describe

Verify = Literal["quick", "full"]


def probe(path: str | Path, *, verify: Verify = "quick") -> ImageFile:
    """Return what a file is. Raises ImageError(path, reason)."""
    data, status = read_all(path)
    width, height, kind, bands, dtype = describe(path, data)
    return ImageFile(
        path=str(Path(path).absolute()),
        content_hash=hashlib.sha256(data).hexdigest(),
        width=width,
        height=height,
        format=kind,
        bands=bands,
        dtype=dtype,
        bytes=status.st_size,
        modified_ns=status.st_mtime_ns,
    )


def probe_many(
    paths: Iterable[str | Path], *, workers: int = 2, verify: Verify = "quick"
) -> Iterator[tuple[Path, ImageFile | ImageError]]:
    """Probe many files in threads; results come in the order of the paths, few are in flight at once."""

    def one(path: str | Path) -> ImageFile | ImageError:
        try:
            return probe(path, verify=verify)
        except ImageError as error:
            return error

    waiting: deque[tuple[Path, Future[ImageFile | ImageError]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for path in paths:
            waiting.append((Path(path), pool.submit(one, path)))
            if len(waiting) >= workers * 8:
                done, future = waiting.popleft()
                yield done, future.result()
        while waiting:
            done, future = waiting.popleft()
            yield done, future.result()
