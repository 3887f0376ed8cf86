"""What an image file is and whether it is sound, without importing it into anything."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Literal

from countersign.domain.errors import ImageError
from countersign.domain.image import ImageFile
from countersign.imaging.codecs import codec, is_complete, read_header
from countersign.imaging.files import Source
from countersign.imaging.limits import Limits, default_limits

Verify = Literal["quick", "full"]
"""``quick``: the structure shows that the file is complete (the end of a JPEG, checksums of a PNG, all strips of a
TIFF ...); small pictures, and kinds without such a structure, are decoded. ``full``: every picture is decoded."""

_BATCH = 8  # files handed to a thread at once: to hand over costs as much as to probe a small file
SMALL = 256 * 256  # pixels; to decode these takes no longer than to open the file


def probe(path: str | Path, *, verify: Verify = "quick", limits: Limits | None = None) -> ImageFile:
    """Return what a file is: size upright, kind by content, bands, hash of its bytes. Raises ImageError."""
    with Source(path) as source:
        header = read_header(source, limits or default_limits())
        certain = is_complete(source, header)
        if verify == "full" or not certain or header.width * header.height <= SMALL:
            codec(header.kind).verify(source, header)
        width, height = header.upright
        return ImageFile(
            path=source.path if source.path.startswith(os.sep) else str(Path(source.path).absolute()),
            content_hash=source.sha256(),
            width=width,
            height=height,
            format=str(header.kind),
            bands=header.bands,
            dtype=header.dtype,
            bytes=source.size,
            modified_ns=source.status.st_mtime_ns,
            notes=header.notes,
        )


def probe_many(
    paths: Iterable[str | Path], *, workers: int | None = None, verify: Verify = "quick", limits: Limits | None = None
) -> Iterator[tuple[Path, ImageFile | ImageError]]:
    """Probe many files in threads; results come in the order of the paths, and only a few are ahead of the reader.

    A file that is refused is a result like any other. ``workers`` is the number of threads, by default two more than
    there are cores: reading from a disk and hashing leave Python free.
    """

    def one(path: str | Path) -> ImageFile | ImageError:
        try:
            return probe(path, verify=verify, limits=limits)
        except ImageError as error:
            return error

    def some(batch: list[str | Path]) -> list[tuple[Path, ImageFile | ImageError]]:
        return [(Path(path), one(path)) for path in batch]

    workers = workers or min(16, (os.cpu_count() or 1) + 2)
    ahead: deque[Future[list[tuple[Path, ImageFile | ImageError]]]] = deque()
    rest = iter(paths)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="probe")
    try:
        while batch := list(islice(rest, _BATCH)):
            ahead.append(pool.submit(some, batch))
            if len(ahead) >= workers * 2:
                yield from ahead.popleft().result()
        while ahead:
            yield from ahead.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
