"""Images and projects: what is labelled. Their pixels are read by ``countersign.imaging``."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ImageState(StrEnum):
    """Whether the file behind an image was there when it was last looked for."""

    OK = "ok"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class ImageFile:
    """What is known of an image file before it belongs to a project.

    ``path`` is absolute. ``content_hash`` is the SHA-256 of the file's bytes in hex: two files with the same bytes are
    one image. ``width`` and ``height`` are pixels of the upright image (after EXIF orientation). ``bands`` counts
    the channels, ``dtype`` is numpy's name of the pixel type as stored (``uint8``, ``uint16``, ``float32`` ...).
    """

    path: str
    content_hash: str
    width: int
    height: int
    format: str
    bands: int
    dtype: str
    bytes: int
    modified_ns: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Image:
    """One picture of a project. ``name`` is its path below the folder that it was imported from, with slashes."""

    id: int
    project_id: int
    name: str
    path: str
    content_hash: str
    width: int
    height: int
    format: str = ""
    bands: int = 3
    dtype: str = "uint8"
    bytes: int = 0
    state: ImageState = ImageState.OK
    split: str = ""
    tags: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Project:
    """Images, classes, fields and runs that belong together."""

    id: int
    name: str
    created_at: datetime
