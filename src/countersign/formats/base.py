"""What every format is made of: the values that readers yield, the protocols, and the tools they share.

A reader streams ``FoundImage``; a writer takes images with their labels. Neither knows projects or databases, and
neither lets one bad label stop the rest: problems go to the report. Only a file that cannot be read at all raises
``FormatError``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeAlias

from countersign.domain.errors import FormatError, ImageError
from countersign.domain.geometry import Kind
from countersign.domain.image import Image
from countersign.domain.label import Label, LabelClass
from countersign.formats.report import ExportReport, ImportReport

SizeOf: TypeAlias = Callable[[str], tuple[int, int] | None]
"""Takes an image's name or path, returns (width, height) of the upright image in pixels, or None if unknown."""

OwnIds: TypeAlias = Callable[[], tuple[Mapping[int, str], Sequence[LabelClass]]]
"""Returns the names of a project's images by id, and its classes in the order in which exports number them from 1."""

ALL_KINDS = frozenset(Kind)


@dataclass(frozen=True, slots=True)
class FoundImage:
    """One image as a label file describes it.

    ``name`` is what the file calls it (slashes between folders). ``path`` is set where the reader found the file.
    ``width`` and ``height`` are in pixels, None where neither the labels nor the image say. ``labelled`` is False
    for an image that is merely mentioned (or lies there without a label file): its having no labels means nothing.
    ``complete`` is False when some of its labels were skipped, or when the format names only a part of them.
    """

    name: str
    labels: tuple[Label, ...] = ()
    path: Path | None = None
    width: int | None = None
    height: int | None = None
    split: str = ""
    labelled: bool = True
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Guess:
    """How sure a reader is, in 0..1, that it can read a path, and why. 0 means no."""

    confidence: float
    reason: str = ""


NO = Guess(0.0)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a reader may be told. ``settings`` are the format's own, as its ``Format.read_settings`` lists them.

    ``images`` is the folder of the image files, where it is not beside the labels. ``size_of`` answers for formats that
    do not say how large an image is; without it the image file itself is asked.
    """

    images: Path | None = None
    size_of: SizeOf | None = None
    own_ids: OwnIds | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """What a writer may be told. ``settings`` are the format's own, as its ``Format.write_settings`` lists them."""

    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Holds:
    """What a format can hold. ``formats.fit`` changes or skips what it cannot, and reports it.

    ``kinds`` are the geometries; ``attributes`` is True for any, or the names of those that it can hold. ``holes`` and
    ``parts``: polygons with holes, with several rings. ``empty_images``: an image without a label survives a round
    trip. ``unscored``: labels without a confidence. ``many``: several labels on one image. ``keypoint_box``: keypoints
    may have a box of their own. ``bridges``: what ``holes`` and ``parts`` deny is
    joined to one ring (``formats.bridge``).
    """

    kinds: frozenset[Kind] = ALL_KINDS
    confidence: bool = False
    unscored: bool = True
    attributes: bool | frozenset[str] = False
    holes: bool = False
    parts: bool = True
    bridges: bool = False
    keypoint_box: bool = True
    empty_images: bool = True
    unused_classes: bool = True
    skeletons: bool = False
    splits: bool = False
    many: bool = True


class Reader(Protocol):
    """Reads one format. Holds no state between calls."""

    def detect(self, path: Path) -> Guess:
        """Say how sure it is that it can read this path. Cheap: peeks at first bytes or entries; never raises."""
        ...

    def read(self, path: Path, report: ImportReport, options: ReadOptions) -> Iterator[FoundImage]:
        """Stream the images with their labels; call ``report.add_class`` for the classes before the first use.

        Each image is yielded once. Raises FormatError where the file as a whole cannot be read.
        """
        ...


class Writer(Protocol):
    """Writes one format. Holds no state between calls."""

    def holds(self, options: WriteOptions) -> Holds:
        """What the format can hold, under these options."""
        ...

    def write(
        self,
        images: Iterable[tuple[Image, Sequence[Label]]],
        classes: Sequence[LabelClass],
        out: Path,
        report: ExportReport,
        options: WriteOptions,
    ) -> None:
        """Write the images, whose labels fit ``holds`` already, to the file or folder ``out``.

        The same input gives the same bytes. Files appear whole or not at all (``atomic``). Raises FormatError.
        """
        ...


@dataclass(frozen=True, slots=True)
class Format:
    """One format as the registry, the command line and the docs know it.

    ``title`` is its proper name, ``about`` a sentence or two on the variants read and the one written, ``out`` says
    what ``write`` makes (``file`` or ``folder``). ``read_settings`` and ``write_settings`` name what
    ``options.settings`` may hold, with a sentence each (default included).
    """

    name: str
    title: str
    about: str
    reader: Reader | None = None
    writer: Writer | None = None
    out: str = "file"
    suffix: str = ""
    read_settings: Mapping[str, str] = field(default_factory=dict)
    write_settings: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def atomic(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing bytes that replaces ``path`` only when the block ends without an error.

    Makes the folders above. Raises FormatError where it cannot be written.
    """
    temporary = path.with_name(f".{path.name[:80]}.{uuid.uuid4().hex[:8]}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            yield file
        temporary.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def cannot_write(path: Path, error: OSError) -> FormatError:
    """The FormatError for a file that cannot be written."""
    return FormatError(
        f"it cannot be written: {error.strerror or error}",
        file=str(path),
        remedy="Choose another place for the export.",
    )


def read_bytes(path: Path) -> bytes:
    """Read a whole file. Raises FormatError where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise FormatError(f"it cannot be read: {error.strerror or error}", file=str(path)) from error


def read_text(path: Path, report: ImportReport | None = None) -> str:
    """Read a text file as UTF-8 (with or without a BOM), UTF-16 by its BOM, else as Latin-1 with a note."""
    data = read_bytes(path)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        if report is not None:
            report.note("the text is not UTF-8 and was read as Latin-1", file=path)
        return data.decode("latin-1")


def peek(path: Path, size: int = 65536) -> bytes:
    """Return the first bytes of a file; nothing if it is none or cannot be read. For ``detect``."""
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError:
        return b""


def image_size(name: str, path: Path | None, options: ReadOptions) -> tuple[int, int] | None:
    """Return (width, height) of an image in pixels: by ``options.size_of``, else of the file; None if unknown."""
    if options.size_of is not None:
        for key in (name, *([str(path)] if path is not None else [])):
            size = options.size_of(key)
            if size is not None:
                return size
    if path is None or not path.is_file():
        return None
    from countersign import imaging

    try:
        found = imaging.probe(path)
    except ImageError:
        return None
    return (found.width, found.height)
