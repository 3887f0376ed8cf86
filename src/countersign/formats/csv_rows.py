"""The rows of a label table: from cells to labels, gathered by image. How columns are found is not known here."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from countersign.domain.errors import CountersignError, FormatError
from countersign.domain.geometry import Box, Geometry
from countersign.domain.label import Label
from countersign.formats import fit
from countersign.formats.base import FoundImage, ReadOptions, image_size, read_text
from countersign.formats.csv_columns import Columns
from countersign.formats.files import ImageFinder, split_of
from countersign.formats.report import ImportReport
from countersign.formats.settings import choice


def rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, cells) of the rows that are not empty."""
    first = next((line for line in text[:65536].splitlines() if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", first)  # delimiters within quotes do not count
    delimiter = max(",;\t|", key=bare.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            cells = [f"\0{error}"]
        if any(cell.strip() for cell in cells):
            yield reader.line_num, cells


@dataclass(slots=True)
class _Found:
    """What the rows said of one image so far."""

    labels: list[Label] = field(default_factory=list)
    path: Path | None = None
    size: tuple[int, int] | None = None
    split: str = ""
    complete: bool = True


class _Bad(Exception):
    """Why a row cannot be used: a fixed reason and the detail."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


class Table:
    """Gathers the rows of a table by image."""

    def __init__(self, path: Path, columns: Columns, report: ImportReport, options: ReadOptions) -> None:
        self._file, self._columns, self._report, self._options = path, columns, report, options
        self._at = columns.at
        self._found: dict[str, _Found] = {}
        self._finder = ImageFinder(options.images or _beside(path))
        self._class_names = _class_names(path, columns, options)
        self._box_corners = columns.corners or ("box" in columns.at and _box_is_corners(path, options))
        self.fractions = False
        if columns.others and columns.layout == "named":
            detail = ", ".join(columns.others)
            report.note("other columns are kept as attributes", file=path, where="line 1", detail=detail)

    def images(self) -> Iterator[FoundImage]:
        for name, found in self._found.items():
            width, height = found.size if found.size is not None else (None, None)
            yield FoundImage(
                name, tuple(found.labels), found.path, width, height, split=found.split, complete=found.complete
            )

    def take(self, line: int, cells: list[str]) -> None:
        """Use one row, or report why not."""
        where = f"line {line}"
        found: _Found | None = None
        try:
            found = self._image(cells)
            for label in self._labels(cells, found, where):
                found.labels.append(label)
        except _Bad as why:
            self._report.skipped(why.reason, file=self._file, where=where, detail=why.detail)
        except CountersignError as error:
            self._report.skipped("the values are not usable", file=self._file, where=where, detail=error.what)
        else:
            return
        if found is not None:
            found.complete = False

    def _cell(self, cells: list[str], meaning: str) -> str:
        index = self._at.get(meaning)
        return cells[index].strip() if index is not None and index < len(cells) else ""

    def _image(self, cells: list[str]) -> _Found:
        if len(cells) == 1 and cells[0].startswith("\0"):
            raise _Bad("the row cannot be read", cells[0][1:])
        name = self._cell(cells, "image").replace("\\", "/")
        if not name:
            raise _Bad("the row names no image")
        found = self._found.get(name)
        if found is None:
            path = self._finder.find(name)
            found = self._found[name] = _Found(path=path, size=self._size(name, path, cells))
            split = self._cell(cells, "split")
            found.split = "" if split.upper() == "UNASSIGNED" else split_of(split) or split
        return found

    def _size(self, name: str, path: Path | None, cells: list[str]) -> tuple[int, int] | None:
        width, height = self._cell(cells, "image_width"), self._cell(cells, "image_height")
        if width.isdecimal() and height.isdecimal() and int(width) and int(height):
            return int(width), int(height)
        # Clipping pixels is worth asking for a known size, but not worth opening every image.
        return image_size(name, path if self.fractions else None, self._options)

    def _labels(self, cells: list[str], found: _Found, where: str) -> Iterator[Label]:
        if self._columns.layout == "flags":
            for name, index in self._columns.others.items():
                if index < len(cells) and cells[index].strip().lower() in ("1", "1.0", "true"):
                    self._report.add_class(name)
                    yield Label(name)
            return
        class_name = self._cell(cells, "class")
        numbers = self._numbers(cells, where) if self._columns.geometry else None
        if not class_name:
            if numbers is not None:
                raise _Bad("the row names no class")
            return  # an image without any label
        class_name = self._class_names.get(class_name, class_name)
        geometry: Geometry | None = None
        if numbers is not None:
            geometry = self._box(numbers, found, where)
            if geometry is None:
                found.complete = False
                return
        confidence = self._confidence(cells)
        if confidence == 0 and self._columns.layout == "open_images":
            self._report.skipped("labels that say a class is absent", file=self._file, where=where, detail=class_name)
            return
        if confidence == 1 and self._columns.layout == "open_images":
            confidence = None  # Open Images writes 1 for what a person verified
        self._report.add_class(class_name)
        yield Label(class_name, geometry, confidence, attributes=self._attributes(cells))

    def _numbers(self, cells: list[str], where: str) -> list[float] | None:
        """The four numbers of a row's box; None if all are empty."""
        if "box" in self._at:
            text = self._cell(cells, "box")
            given = re.findall(r"[^\s,;\[\]()]+", text)
        else:
            names = ("x", "y", "right", "bottom") if self._columns.corners else ("x", "y", "width", "height")
            given = [self._cell(cells, name) for name in names]
        if not any(given):
            return None
        if len(given) != 4:
            raise _Bad("the box does not have four numbers", f"{len(given)}")
        return [self._number(text, where) for text in given]

    def _number(self, text: str, where: str) -> float:
        try:
            return float(text)
        except ValueError:
            pass
        try:
            value = float(text.replace(",", "."))
        except ValueError:
            raise _Bad("a coordinate is missing" if not text else "a coordinate is not a number", text) from None
        self._report.changed("decimal commas were read as points", file=self._file, where=where, detail=text)
        return value

    def _box(self, numbers: list[float], found: _Found, where: str) -> Geometry | None:
        x, y, third, fourth = numbers
        width, height = (third - x, fourth - y) if self._box_corners else (third, fourth)
        if self.fractions:
            if found.size is None:
                raise _Bad("the size of the image is unknown, fractions cannot be read without it")
            across, down = found.size
            x, y, width, height = x * across, y * down, width * across, height * down
        if not (width > 0 and height > 0):
            raise _Bad("the box has no area", f"width={width:g} height={height:g}")
        made_width, made_height = found.size if found.size is not None else (None, None)
        return fit.to_image(
            Box(x, y, width, height), made_width, made_height, self._report, file=self._file, where=where
        )

    def _confidence(self, cells: list[str]) -> float | None:
        text = self._cell(cells, "confidence")
        if not text:
            return None
        try:
            value = float(text.replace(",", "."))
        except ValueError:
            raise _Bad("the confidence is not a number", text) from None
        if not 0 <= value <= 1:
            raise _Bad("the confidence is not between 0 and 1", text)
        return value

    def _attributes(self, cells: list[str]) -> Mapping[str, Any]:
        made: dict[str, Any] = {}
        given = self._cell(cells, "attributes")
        if given:
            try:
                value = json.loads(given)
            except ValueError:
                value = given
            made.update(value if isinstance(value, dict) else {"attributes": value})
        for name, index in self._columns.others.items():
            if index < len(cells) and (text := cells[index].strip()) and not self._says_nothing(text):
                made[name] = text
        return made

    def _says_nothing(self, text: str) -> bool:
        return self._columns.layout == "open_images" and text in ("0", "-1")  # flags: no, unknown


def _class_names(path: Path, columns: Columns, options: ReadOptions) -> dict[str, str]:
    given = options.settings.get("class_names")
    files = [Path(str(given))] if given else []
    if not files and columns.layout == "open_images":
        files = sorted(path.parent.glob("*class-descriptions*.csv"))
    names: dict[str, str] = {}
    for file in files:
        for _, cells in rows(read_text(file)):
            if len(cells) >= 2 and cells[0].strip() and cells[1].strip():
                names[cells[0].strip()] = cells[1].strip()
    return names


def _beside(path: Path) -> Path:
    return path.parent.parent if path.parent.name.lower() in ("annotations", "labels") else path.parent


def _box_is_corners(path: Path, options: ReadOptions) -> bool:
    given = options.settings.get("box")
    if given is None:
        raise FormatError(
            "its boxes are four numbers in one column, which can be two corners or a corner and a size",
            file=str(path),
            remedy="Give box=xyxy or box=xywh.",
        )
    return choice(options.settings, "box", ("xyxy", "xywh")) == "xyxy"
