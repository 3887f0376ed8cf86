"""Labels as a table (CSV, TSV ...): one row per label, boxes or classes of whole images.

Read: columns in any order, known by their names (see ``csv_columns``), boxes as corner and size, two corners or one
cell, in pixels or as fractions of the image; any usual delimiter and encoding. Written: ``image,class,x,y,width,height,
confidence``.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from countersign.domain.errors import FormatError
from countersign.domain.geometry import Kind
from countersign.domain.image import Image
from countersign.domain.label import Label, LabelClass
from countersign.formats import csv_columns
from countersign.formats.base import (
    NO,
    Format,
    FoundImage,
    Guess,
    Holds,
    ReadOptions,
    WriteOptions,
    atomic,
    peek,
    read_text,
)
from countersign.formats.csv_columns import Columns
from countersign.formats.csv_rows import Table, rows
from countersign.formats.files import split_of
from countersign.formats.registry import register
from countersign.formats.report import ExportReport, ImportReport
from countersign.formats.settings import choice, flag

READ_SETTINGS = {
    "units": "pixels, fractions (of the image's width and height), or auto (default): by the layout, else fractions if "
    "every coordinate is between 0 and 1 and not all are whole.",
    "box": "What a single column of four numbers means: xyxy (two corners) or xywh (corner and size). No default.",
    "class_names": "A CSV of two columns, code and name, for tables that use codes (Open Images' /m/01g317).",
}
WRITE_SETTINGS = {"all_columns": "yes: add the columns image_width, image_height, split and attributes. Default no."}

COLUMNS = ("image", "class", "x", "y", "width", "height", "confidence")
MORE_COLUMNS = ("image_width", "image_height", "split", "attributes")
SUFFIXES = {".csv", ".tsv", ".tab"}
SAMPLE = 1000
"""How many rows are looked at to tell pixels from fractions."""


class CsvReader:
    """Reads tables of labels."""

    def detect(self, path: Path) -> Guess:
        if path.is_dir():
            files = _tables(path)
            return Guess(0.7, f"a table of labels in it ({files[0].name})") if files else NO
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            return NO
        head = peek(path)
        text = head.decode("utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", errors="replace")
        found, _ = _understand(text)
        return Guess(0.9, f"a table with columns {', '.join(found.at)}") if found else NO

    def read(self, path: Path, report: ImportReport, options: ReadOptions) -> Iterator[FoundImage]:
        if not path.is_dir():
            yield from _read(path, report, options)
            return
        files = _tables(path)
        if not files:
            raise FormatError("it does not hold one table of labels", file=str(path), remedy="Name the file to read.")
        for file in files:
            split = split_of(file.parent.name) if file.parent != path else ""
            for found in _read(file, report, options):
                yield replace(found, split=found.split or split)


def _read(path: Path, report: ImportReport, options: ReadOptions) -> Iterator[FoundImage]:
    text = read_text(path, report)
    columns = _columns(path, text)
    table = Table(path, columns, report, options)
    table.fractions = _fractions(columns, text, options)
    for line, cells in itertools.islice(rows(text), 1 if columns.header else 0, None):
        table.take(line, cells)
    yield from table.images()


def _tables(folder: Path) -> list[Path]:
    """The only table of labels in a folder, or those of its splits' folders (as Roboflow writes them)."""
    here = sorted(file for file in itertools.islice(folder.glob("*.csv"), 20) if READER.detect(file).confidence)
    if here:
        return here if len(here) == 1 else []
    return sorted(file for file in folder.glob("*/_annotations.csv") if READER.detect(file).confidence)


def _understand(text: str) -> tuple[Columns | None, str]:
    """What the columns mean, and the first row as text."""
    top = [cells for _, cells in itertools.islice(rows(text), 2)]
    if not top:
        return None, "an empty file"
    return csv_columns.understand(top[0], top[1] if len(top) > 1 else ()), ",".join(top[0])[:120]


def _columns(path: Path, text: str) -> Columns:
    found, first = _understand(text)
    if found is None:
        raise FormatError(
            f"its columns are not understood: {first}",
            file=str(path),
            where="line 1",
            remedy="Name them image, class, x, y, width, height (or xmin, ymin, xmax, ymax), confidence.",
        )
    return found


def _fractions(columns: Columns, text: str, options: ReadOptions) -> bool:
    units = choice(options.settings, "units", ("auto", "pixels", "fractions"))
    if units != "auto" or not columns.geometry or "box" in columns.at:
        return units == "fractions"
    if columns.layout in ("automl", "open_images"):
        return True
    where = [columns.at[name] for name in ("x", "y", "right", "bottom", "width", "height") if name in columns.at]
    values: list[float] = []
    for _, cells in itertools.islice(rows(text), 1 if columns.header else 0, SAMPLE):
        for index in where:
            try:
                values.append(float(cells[index]))
            except (ValueError, IndexError):
                continue
    return bool(values) and all(0 <= value <= 1 for value in values) and any(value % 1 for value in values)


class CsvWriter:
    """Writes one row per label; an image without a label is a row of its name alone."""

    def holds(self, options: WriteOptions) -> Holds:
        more = flag(options.settings, "all_columns")
        return Holds(
            kinds=frozenset({Kind.BOX, Kind.CLASSIFICATION}),
            confidence=True,
            attributes=more,
            splits=more,
            unused_classes=False,
        )

    def write(
        self,
        images: Iterable[tuple[Image, Sequence[Label]]],
        classes: Sequence[LabelClass],
        out: Path,
        report: ExportReport,
        options: WriteOptions,
    ) -> None:
        if out.is_dir():
            raise FormatError("this is a folder, the table is one file", file=str(out), remedy="Give a file name.")
        more = flag(options.settings, "all_columns")
        with atomic(out) as file:
            text = io.TextIOWrapper(file, encoding="utf-8", newline="")
            try:
                self._write(csv.writer(text, delimiter=_delimiter(out), lineterminator="\n"), images, more)
            finally:
                text.flush()
                text.detach()  # the file is closed by the one who opened it
        report.files += 1

    def _write(self, table: Any, images: Iterable[tuple[Image, Sequence[Label]]], more: bool) -> None:
        table.writerow(COLUMNS + MORE_COLUMNS if more else COLUMNS)
        for image, labels in images:
            extra: list[Any] = [image.width, image.height, image.split, ""] if more else []
            if not labels:
                table.writerow([image.name, *[""] * 6, *extra])
            for label in labels:
                if more:
                    extra[3] = _json(label.attributes)
                table.writerow([*_row(image, label), *extra])


def _delimiter(out: Path) -> str:
    return "\t" if out.suffix.lower() == ".tsv" else ","


def _row(image: Image, label: Label) -> list[Any]:
    box = [_plain(value) for value in label.geometry.bounds] if label.geometry is not None else ["", "", "", ""]
    return [image.name, label.class_name, *box, "" if label.confidence is None else label.confidence]


def _plain(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _json(attributes: Mapping[str, Any]) -> str:
    return json.dumps(dict(attributes), ensure_ascii=False, sort_keys=True, default=list) if attributes else ""


READER = CsvReader()

register(
    Format(
        name="csv",
        title="CSV table",
        about="One row per label: boxes (corner and size, two corners, one cell) in pixels or fractions, and classes "
        "of whole images. Columns are known by their names; keras-retinanet, Google AutoML and Open Images are "
        "recognised. Commas, semicolons, tabs or bars; UTF-8, UTF-16 or Latin-1.",
        reader=READER,
        writer=CsvWriter(),
        out="file",
        suffix=".csv",
        read_settings=READ_SETTINGS,
        write_settings=WRITE_SETTINGS,
    )
)
