"""Masks of a run as PNG files in a folder, local or behind any URL that fsspec knows, with the reference in the label.

A label then keeps the mask's bounds as a box, and the attribute ``mask_file`` says where the mask is: one channel,
0 or 255, as large as the image. Names depend on nothing but the run and the image, so doing an image twice writes the
same files.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from countersign.domain.errors import InvalidInput
from countersign.domain.geometry import Box, Mask
from countersign.domain.image import Image
from countersign.domain.label import Label
from countersign.domain.mask import decode, encode
from countersign.domain.run import Run
from countersign.domain.work import ImageResult

ATTRIBUTE = "mask_file"


class MaskFiles:
    """Reads masks back, of labels whose file is where one of ``runs`` wrote its masks, and of no other.

    Folders are opened when the first such label comes: most fields have none, and some file systems connect at once.
    """

    def __init__(self, runs: Iterable[Run]) -> None:
        self._runs = [run for run in runs if run.spec.masks]

    def restored_all(self, image: Image, labels: Sequence[Label], lost: list[str]) -> list[Label]:
        """Return an image's labels with their masks; ``lost`` gets the files that cannot be read: those stay boxes."""
        return [self._restored(image, label, lost) for label in labels] if self._runs else list(labels)

    def _restored(self, image: Image, label: Label, lost: list[str]) -> Label:
        place = label.attributes.get(ATTRIBUTE)
        if not isinstance(place, str) or not isinstance(label.geometry, Box) or (files := self._holder(place)) is None:
            return label
        found = _read(files, place.removeprefix(_protocol(place)))
        if found is None or (found.height, found.width) != (image.height, image.width):
            lost.append(place)
            return label
        moved = max(abs(a - b) for a, b in zip(found.bounds, label.geometry.bounds, strict=True)) > _SLACK
        return label if moved else dataclasses.replace(label, geometry=found)  # somebody changed the box: it counts

    def _holder(self, place: str) -> Any:
        """Return what reads a file: a file system, ``_UNREACHABLE``, or None for a file that no run wrote."""
        protocol = _protocol(place)
        for known, prefix, files in self._folders:
            if known == protocol and place.removeprefix(protocol).startswith(prefix):
                name = place.removeprefix(protocol)[len(prefix) :]
                return files if _NAME.fullmatch(name) or files is _UNREACHABLE else None
        return None

    @functools.cached_property
    def _folders(self) -> list[tuple[str, str, Any]]:
        """Protocol, what paths begin with (of a folder that cannot be opened: nothing), and the file system."""
        opened: list[tuple[str, str, Any]] = []
        unreachable: list[tuple[str, str, Any]] = []
        for run in self._runs:
            try:
                files, root = open_folder(run.spec.masks)
                opened.append((_protocol(run.spec.masks), f"{root.rstrip('/')}/{run.id}-", files))
            except InvalidInput:  # it could be opened when the run was made
                unreachable.append((_protocol(run.spec.masks), "", _UNREACHABLE))
        return opened + unreachable


def _read(files: Any, path: str) -> Mask | None:
    import cv2
    import numpy as np

    if files is _UNREACHABLE:
        return None
    try:
        data = np.frombuffer(files.cat_file(path), np.uint8)
        pixels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    except Exception:  # what a file system behind a URL raises is its own
        return None
    return encode(pixels > 0) if pixels is not None and pixels.ndim == 2 and pixels.any() else None


_UNREACHABLE = object()
_NAME = re.compile(r"[^/]+/\d+-\d+\.png")  # below a root and a run's number: see MaskFolder
_SLACK = 0.01  # pixels: what a box may lose on its way through a database


def _protocol(url: str) -> str:
    return url.partition("://")[0] + "://" if "://" in url else ""


class MaskFolder:
    """Where the masks of one run go: a folder of its own below ``run.spec.masks``."""

    def __init__(self, run: Run) -> None:
        self._files, root = open_folder(run.spec.masks)
        self._protocol = _protocol(run.spec.masks)
        name = re.sub(r"[^\w.-]+", "-", run.name) or "run"
        self._folder = f"{root.rstrip('/')}/{run.id}-{name}"

    def keep(self, result: ImageResult) -> ImageResult:
        """Write the masks of one image; its labels then say where. What cannot be written makes the image fail."""
        if not any(isinstance(label.geometry, Mask) for label in result.labels or ()):
            return result
        try:
            self._files.makedirs(self._folder, exist_ok=True)
            kept = tuple(self._label(result.image_id, i, label) for i, label in enumerate(result.labels or ()))
        except Exception as error:  # what a file system behind a URL raises is its own
            reason = f"its masks cannot be written below {self._folder}: {error}"
            return ImageResult(result.image_id, None, reason)
        return dataclasses.replace(result, labels=kept)

    def _label(self, image_id: int, index: int, label: Label) -> Label:
        if not isinstance(label.geometry, Mask):
            return label
        import cv2
        import numpy as np

        path = f"{self._folder}/{image_id}-{index}.png"
        _, data = cv2.imencode(".png", decode(label.geometry).astype(np.uint8) * 255)
        self._files.pipe_file(path, data.tobytes())
        place = {ATTRIBUTE: f"{self._protocol}{path}"}
        return dataclasses.replace(
            label, geometry=Box(*label.geometry.bounds), attributes=dict(label.attributes) | place
        )


def check_folder(url: str, *, lasting: bool) -> None:
    """Raise InvalidInput where no mask can be written, or (``lasting``) where it would be gone with its process."""
    files, root = open_folder(url)
    if lasting and "memory" in (files.protocol if isinstance(files.protocol, tuple) else (files.protocol,)):
        raise InvalidInput(
            f"{url!r} cannot hold masks: it is gone when the process that writes them ends",
            remedy="Name a folder, or the URL of a storage that lasts.",
        )
    probe = f"{root.rstrip('/')}/.countersign-{uuid.uuid4().hex}"
    try:
        files.makedirs(root, exist_ok=True)
        files.pipe_file(probe, b"")
        files.rm_file(probe)
    except Exception as error:  # what a file system behind a URL raises is its own
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise InvalidInput(
            f"no masks can be written to {url!r}: {reason}", remedy="Make it writable, or name another folder."
        ) from error


def open_folder(url: str) -> tuple[Any, str]:
    """Return the file system of a folder and the path in it. Raises InvalidInput where nothing knows such a URL."""
    import fsspec

    try:
        files, root = fsspec.core.url_to_fs(url)
    except Exception as error:  # no such kind; or one that connects at once, and raises what it likes
        remedy = "Name a folder, or a URL of a kind that the installed fsspec packages know and can reach."
        raise InvalidInput(f"{url!r} cannot hold masks: {error}", remedy=remedy) from error
    return files, str(root)
