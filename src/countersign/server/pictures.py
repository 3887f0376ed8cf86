"""The pictures that a screen shows: files as they are, renditions, thumbnails, crops of labels.

Each is made once and kept below the blobs, named by the hash of the image's file: what is kept under a name never
changes, so a browser may keep it for good. Only files of a project's images are opened. Who asks is not known here.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import os
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign import imaging
from countersign.domain.errors import ImageError
from countersign.domain.geometry import Bounds
from countersign.domain.image import Image
from countersign.store import Store

SIZES = (128, 256, 512)
"""Sizes of thumbnails: the longer side, in pixels."""
CROP_SIZES = (96, 160, 320)
MARGIN = 0.2
"""How much of a label's longer side is shown around it in a crop."""
SMALLEST_CROP = 32.0

_BROWSER = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_LOSSLESS = 4_000_000  # renditions up to so many pixels are PNG: each pixel can be looked at
_KEPT_BYTES = 200 << 20  # decoded pictures kept for the next crops of the same image
_SEEN_S, _SEEN_MOST = 60.0, 5_000
_QUALITY = 92
_CROP_QUALITY = 85


@dataclass(frozen=True, slots=True)
class Picture:
    """Where a picture lies. ``etag`` changes with its bytes."""

    path: Path
    media_type: str
    etag: str


class Pictures:
    """Makes and keeps pictures. Any thread may call; a picture that several ask for is made once."""

    def __init__(self, store: Store) -> None:
        self._blobs = store.blobs
        # More at once than there are cores only makes each later.
        self._makers = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))
        self._locks: dict[Path, threading.Lock] = {}
        self._lock = threading.Lock()
        self._decoded = _Decoded()
        self._seen = _Seen()
        self._pool = ThreadPoolExecutor(max(2, os.cpu_count() or 2), thread_name_prefix="thumbnail")

    def seen(self, images: Iterable[Image]) -> None:
        """Note images that were just looked up: their thumbnails will be asked for, and need no second look."""
        self._seen.add(images)

    def ready(self, image_id: int, size: int, version: str) -> tuple[Picture, bytes] | None:
        """Return a thumbnail that is made already, of an image of this version seen a moment ago: without any wait."""
        digest = self._seen.digest(image_id)
        if not version or digest is None or not digest.startswith(version):
            return None
        found = self._thumbnail(digest, _size(size))
        try:
            return found, found.path.read_bytes()
        except OSError:
            return None

    def thumbnail(self, image: Image, size: int) -> Picture:
        """Return the thumbnail whose longer side has ``size`` pixels at most. Raises ImageError."""
        size = _size(size)
        found = self._thumbnail(image.content_hash, size)
        self._once(found.path, lambda: imaging.thumbnail(checked(image), size))
        return found

    def thumbnails(self, images: Sequence[Image], size: int) -> Iterator[bytes]:
        """Give the thumbnails of many images, a line each: id, blank, JPEG in base64, which is empty for what has none.

        Those that are made already come at once and together, the others as they are made. Ending early ends the work.
        """
        size = _size(size)
        ready, missing = [], []
        for image in images:
            try:
                ready.append(_line(image.id, self._thumbnail(image.content_hash, size).path.read_bytes()))
            except OSError:
                missing.append(image)
        if ready:
            yield b"".join(ready)
        making = [self._pool.submit(self._made, image, size) for image in missing]
        try:
            for made in as_completed(making):
                yield made.result()
        finally:
            for each in making:
                each.cancel()

    def _made(self, image: Image, size: int) -> bytes:
        try:
            return _line(image.id, self.thumbnail(image, size).path.read_bytes())
        except (ImageError, OSError):
            return _line(image.id, b"")

    def close(self) -> None:
        """Begin no other picture."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _thumbnail(self, digest: str, size: int) -> Picture:
        return Picture(self._place("thumbnails", str(size), digest, ".jpg"), "image/jpeg", f"{digest[:16]}-{size}")

    def full(self, image: Image) -> Picture:
        """Return the whole picture, upright: the file itself if browsers show it so, else a rendition."""
        etag = image.content_hash[:16]
        if image.format in _BROWSER and image.dtype == "uint8" and image.bands in (1, 3) and _is_plain(image):
            return Picture(checked(image), _BROWSER[image.format], etag)
        lossless = image.width * image.height <= _LOSSLESS
        kind, media = (".png", "image/png") if lossless else (".jpg", "image/jpeg")
        path = self._place("renditions", "full", image.content_hash, kind)
        self._once(path, lambda: _encoded(imaging.read_rgb(checked(image)), lossless=lossless))
        return Picture(path, media, f"{etag}-r")

    def crop(self, image: Image, bounds: Bounds, size: int) -> Picture:
        """Return the part of an image around a label, its longer side ``size`` pixels; see ``region``."""
        size = min(CROP_SIZES, key=lambda known: (known < size, abs(known - size)))
        part = region(bounds, image.width, image.height)
        digest = hashlib.sha256(repr((part, size)).encode()).hexdigest()[:24]
        path = self._place("crops", str(size), image.content_hash, f"-{digest}.jpg")
        self._once(path, lambda: self._cut(image, part, size))
        return Picture(path, "image/jpeg", f"{image.content_hash[:16]}-{digest}")

    def _cut(self, image: Image, part: Bounds, size: int) -> bytes:
        import cv2

        from countersign.imaging.jpeg import encode

        x, y, width, height = part
        # A JPEG decodes to a half, quarter or eighth much quicker, where that still shows enough.
        longer = max(image.width, image.height)
        wanted = int(longer * min(1.0, 1.5 * size / max(width, height)))
        pixels = self._decoded.get(image, wanted, lambda most: imaging.read_rgb(checked(image), max_size=most))
        scale = pixels.shape[1] / image.width
        left, top = int(x * scale), int(y * scale)
        right, bottom = max(left + 1, round((x + width) * scale)), max(top + 1, round((y + height) * scale))
        cut = pixels[top : min(bottom, pixels.shape[0]), left : min(right, pixels.shape[1])]
        factor = size / max(cut.shape[:2])
        shape = (max(1, round(cut.shape[1] * factor)), max(1, round(cut.shape[0] * factor)))
        how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        return encode(np.ascontiguousarray(cv2.resize(cut, shape, interpolation=how)), _CROP_QUALITY)

    def _place(self, kind: str, folder: str, digest: str, ending: str) -> Path:
        return self._blobs / kind / folder / digest[:2] / f"{digest}{ending}"

    def _once(self, path: Path, make: Callable[[], bytes]) -> None:
        """Make a file unless it is there. Whoever comes second waits for the first."""
        if path.is_file():
            return
        with self._lock:
            mine = self._locks.setdefault(path, threading.Lock())
        try:
            with mine:
                if not path.is_file():
                    with self._makers:
                        _write(path, make())
        finally:
            with self._lock:
                self._locks.pop(path, None)


def _line(image_id: int, data: bytes) -> bytes:
    return b"%d %s\n" % (image_id, base64.b64encode(data))


def _size(wanted: int) -> int:
    return min(SIZES, key=lambda known: (known < wanted, abs(known - wanted)))


class _Seen:
    """The hashes of the images that were looked up last, for a minute: by then their tiles have what they need."""

    def __init__(self) -> None:
        self._until: dict[int, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def add(self, images: Iterable[Image]) -> None:
        now = time.monotonic()
        with self._lock:
            for image in images:
                self._until.pop(image.id, None)
                self._until[image.id] = (now + _SEEN_S, image.content_hash)
            for old in list(itertools.islice(self._until, max(0, len(self._until) - _SEEN_MOST))):
                del self._until[old]

    def digest(self, image_id: int) -> str | None:
        until, digest = self._until.get(image_id, (0.0, ""))
        return digest if time.monotonic() < until else None


class _Decoded:
    """The pictures decoded last, for crops: those of one image follow each other."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, NDArray[np.uint8]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, image: Image, most: int, read: Callable[[int], NDArray[np.uint8]]) -> NDArray[np.uint8]:
        """Return the picture with a longer side of ``most`` pixels or more."""
        with self._lock:
            found = self._kept.get(image.content_hash)
            if found is not None and max(found.shape[:2]) >= most:
                self._kept.move_to_end(image.content_hash)
                return found
        made = read(most)
        with self._lock:
            old = self._kept.pop(image.content_hash, None)
            self._bytes += made.nbytes - (old.nbytes if old is not None else 0)
            self._kept[image.content_hash] = made
            while self._bytes > _KEPT_BYTES and len(self._kept) > 1:
                self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return made


def region(bounds: Bounds | None, width: int, height: int) -> Bounds:
    """Return what a crop shows: a square around the bounds with a margin, clipped to the image. None: all of it."""
    if bounds is None:
        return (0.0, 0.0, float(width), float(height))
    x, y, w, h = bounds
    side = max(w, h) * (1 + 2 * MARGIN)
    side = max(side, min(SMALLEST_CROP, float(max(width, height))))
    cx, cy = x + w / 2, y + h / 2
    left, top = min(max(0.0, cx - side / 2), width - 1.0), min(max(0.0, cy - side / 2), height - 1.0)
    right = min(float(width), max(cx + side / 2, left + 1.0))
    bottom = min(float(height), max(cy + side / 2, top + 1.0))
    return (left, top, right - left, bottom - top)


def checked(image: Image) -> Path:
    """Return the path of an image's file. Raises ImageError if it is not there or is another one by now."""
    path = Path(image.path)
    try:
        found = path.stat()
    except OSError as error:
        remedy = "Bring it back, or import its folder again from where it is now."
        raise ImageError(image.path, imaging.MISSING, remedy=remedy) from error
    if image.bytes and found.st_size != image.bytes:
        raise ImageError(image.path, "the file has changed since it was imported", remedy="Import its folder again.")
    return path


def _is_plain(image: Image) -> bool:
    """Whether a browser shows a file as we do: upright as stored, no transparency, no palette with it."""
    from countersign.imaging.codecs import read_header
    from countersign.imaging.files import Source

    with Source(checked(image)) as source:
        header = read_header(source, imaging.default_limits())
    return header.orientation == 1 and not header.notes


def _encoded(pixels: NDArray[np.uint8], *, lossless: bool) -> bytes:
    import cv2

    from countersign.imaging.jpeg import encode

    if not lossless:
        return encode(pixels, _QUALITY)
    done, data = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert done
    found: Any = data.tobytes()
    return bytes(found)


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all. Without waiting for the disk: after a crash it is made again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
