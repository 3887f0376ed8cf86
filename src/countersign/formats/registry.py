"""All formats by name. Each module of this package registers its own; other packages can by an entry point.

``read`` and ``write`` are the doors: they look up the format, check the settings, keep the counts of the report, and
see to it that a writer gets only labels that its format can hold.
"""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path

from countersign.domain.errors import FormatError, NotFound, SettingsError
from countersign.domain.image import Image
from countersign.domain.label import Label, LabelClass
from countersign.formats import fit
from countersign.formats.base import Format, FoundImage, Guess, Holds, ReadOptions, WriteOptions
from countersign.formats.report import ExportReport, ImportReport

ENTRY_POINTS = "countersign.formats"
"""Group of entry points: each names a module that calls ``register`` when it is imported."""

AMBIGUOUS = 0.1
"""Guesses closer together than this are not told apart."""

_formats: dict[str, Format] = {}
_lock = threading.Lock()
_loaded = False


def register(made: Format) -> Format:
    """Add a format. Called by its module when it is imported."""
    _formats[made.name] = made
    return made


def formats() -> list[Format]:
    """All formats, by name."""
    _load()
    return [_formats[name] for name in sorted(_formats)]


def get(name: str) -> Format:
    """The format of this name (case and ``_`` for ``-`` do not matter). Raises NotFound that lists the names."""
    _load()
    name = name.strip().lower().replace("_", "-")
    if name not in _formats:
        raise NotFound("format", name, known=tuple(sorted(_formats)))
    return _formats[name]


def guesses(path: Path) -> list[tuple[Format, Guess]]:
    """Every format that could read this file or folder, the surest first."""
    found = [(made, made.reader.detect(path)) for made in formats() if made.reader is not None]
    return sorted(
        ((made, guess) for made, guess in found if guess.confidence > 0), key=lambda pair: -pair[1].confidence
    )


def detect(path: Path) -> Format:
    """Return the format of a file or folder. Raises FormatError where none or several fit, with the candidates."""
    if not path.exists():
        raise FormatError("there is no such file or folder", file=str(path))
    found = guesses(path)
    names = ", ".join(made.name for made in formats() if made.reader is not None)
    if not found:
        raise FormatError("no known label format", file=str(path), remedy=f"Name the format; there are {names}.")
    best = found[0][1].confidence
    close = [(made, guess) for made, guess in found if guess.confidence > best - AMBIGUOUS]
    if len(close) > 1:
        candidates = " or ".join(f"{made.name} ({guess.reason})" for made, guess in close)
        raise FormatError(f"it could be {candidates}", file=str(path), remedy="Name the format.")
    return close[0][0]


def read(
    path: str | Path,
    *,
    format: str = "auto",
    options: ReadOptions | None = None,
    report: ImportReport | None = None,
) -> Iterator[FoundImage]:
    """Stream the images and labels of a file or folder, in a named format or the one that it is detected to be.

    The format is looked up at once, before the first image is asked for. Raises NotFound, FormatError, SettingsError.
    """
    path, options = Path(path), options or ReadOptions()
    report = ImportReport() if report is None else report
    if not path.exists():
        raise FormatError("there is no such file or folder", file=str(path))
    made = detect(path) if format == "auto" else get(format)
    if made.reader is None:
        raise FormatError(f"the format {made.name} cannot be read, only written")
    _check_settings(options.settings, made.read_settings, made.name)
    report.format = made.name
    return _counted(made.reader.read(path, report, options), report)


def write(
    format: str,
    images: Iterable[tuple[Image, Sequence[Label]]],
    classes: Sequence[LabelClass],
    out: str | Path,
    *,
    options: WriteOptions | None = None,
    report: ExportReport | None = None,
) -> ExportReport:
    """Write images with their labels in a named format. Returns the report of what the format could not hold.

    Raises NotFound, FormatError, SettingsError.
    """
    made, options = get(format), options or WriteOptions()
    report = ExportReport() if report is None else report
    if made.writer is None:
        raise FormatError(f"the format {made.name} cannot be written, only read")
    _check_settings(options.settings, made.write_settings, made.name)
    report.format = made.name
    holds = made.writer.holds(options)
    kept = _classes(classes, holds, report)
    used: set[str] = set()
    made.writer.write(_fitting(images, kept, holds, report, used), kept, Path(out), report, options)
    if not holds.unused_classes:
        for found in kept:
            if found.name not in used:
                report.skipped("classes without a label do not fit the format", where=found.name)
    return report


def _counted(images: Iterator[FoundImage], report: ImportReport) -> Iterator[FoundImage]:
    for found in images:
        report.images += 1
        report.labels += len(found.labels)
        yield found


def _fitting(
    images: Iterable[tuple[Image, Sequence[Label]]],
    classes: Sequence[LabelClass],
    holds: Holds,
    report: ExportReport,
    used: set[str],
) -> Iterator[tuple[Image, Sequence[Label]]]:
    known = {found.name for found in classes}
    for image, labels in images:
        kept = []
        for label in labels:
            if label.class_name not in known:
                report.skipped("the label's class is not among the classes", where=image.name, detail=label.class_name)
            elif (fitted := fit.to_format(label, image, holds, report)) is not None:
                kept.append(fitted)
                used.add(label.class_name)
        if len(kept) > 1 and not holds.many:
            report.skipped("the format holds one label per image", where=image.name, count=len(kept) - 1)
            kept = kept[:1]
        if image.split and not holds.splits:
            report.changed("splits do not fit the format", where=image.name, detail=image.split)
        if not kept and not holds.empty_images:
            report.skipped("images without a label do not fit the format", where=image.name)
            continue
        report.images += 1
        report.labels += len(kept)
        yield image, kept


def _classes(classes: Sequence[LabelClass], holds: Holds, report: ExportReport) -> list[LabelClass]:
    kept = []
    for found in classes:
        if found.keypoint_names and not holds.skeletons:
            report.changed("names of keypoints and skeletons do not fit the format", where=found.name)
            found = replace(found, keypoint_names=(), skeleton=())
        kept.append(found)
    return kept


def _check_settings(given: Mapping[str, object], known: Mapping[str, str], name: str) -> None:
    for setting, value in given.items():
        if setting not in known:
            raise SettingsError(setting, value, f"the format {name} has {', '.join(sorted(known)) or 'no settings'}")


def _load() -> None:
    global _loaded
    with _lock:
        if _loaded:
            return
        package = importlib.import_module("countersign.formats")
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"countersign.formats.{module.name}")
        for point in entry_points(group=ENTRY_POINTS):
            point.load()
        _loaded = True
