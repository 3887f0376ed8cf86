"""Tables that say which class a pixel value or colour of a mask means: labelmap.txt, CSV, JSON, lists of names.

Also Pascal VOC's colours and its twenty classes, which are the table where none is given. Knows no masks.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from countersign.domain.errors import FormatError
from countersign.formats.base import read_text
from countersign.formats.report import ImportReport

Color: TypeAlias = tuple[int, int, int]

BACKGROUND = frozenset(
    ("background", "_background_", "__background__", "bg", "void", "unlabeled", "unlabelled", "ignored", "ignore")
)
"""Names that say that nothing is there (or that nobody knows): no labels are made of them."""

VOC_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog",
    "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip

VOID = 255
VOID_COLOR: Color = (224, 224, 192)

FILES = (
    "labelmap.txt", "label_map.txt", "labelmap.csv", "class_table.csv", "classes.csv", "class_dict.csv",
    "dataset_meta.json", "classes.json", "class_colors.json", "labelmap.json", "label_map.json",
    "mask_color_map.json", "mask_grayscale_map.json", "class_colors.txt", "class_names.txt", "label_names.txt",
    "label_colors.txt", "colors.txt", "classes.txt", "labels.txt",
)  # fmt: skip
"""Names that such tables go by, the most telling first."""


@dataclass(slots=True)
class ClassTable:
    """Classes by pixel value and by colour. ``background`` holds the names that make no labels."""

    by_value: dict[int, str] = field(default_factory=dict)
    by_color: dict[Color, str] = field(default_factory=dict)
    background: set[str] = field(default_factory=lambda: set(BACKGROUND))
    source: Path | None = None

    def add(self, value: int | None, name: str, color: Color | None = None) -> None:
        if value is not None:
            self.by_value.setdefault(value, name)
        if color is not None:
            self.by_color.setdefault(color, name)

    def is_background(self, name: str) -> bool:
        return name in self.background or name.lower() in self.background

    @property
    def classes(self) -> list[str]:
        """Names of the classes that can be labels, in the table's order."""
        names = [*(self.by_value[value] for value in sorted(self.by_value) if value >= 0), *self.by_color.values()]
        return [name for name in dict.fromkeys(names) if not self.is_background(name)]


def voc_color(value: int) -> Color:
    """The colour of a value in Pascal VOC's palette (the devkit's VOCcolormap: bits dealt to the three channels)."""
    red = green = blue = 0
    for shift in range(7, -1, -1):
        red |= (value & 1) << shift
        green |= (value >> 1 & 1) << shift
        blue |= (value >> 2 & 1) << shift
        value >>= 3
    return red, green, blue


def voc_palette() -> list[int]:
    """256 colours as PNG palettes have them, flat; 255 is VOC's colour for void."""
    flat = [part for value in range(255) for part in voc_color(value)]
    return [*flat, *VOID_COLOR]


def voc_table() -> ClassTable:
    """The table of VOC2012: 0 background, 1 aeroplane ... 20 tvmonitor."""
    table = ClassTable()
    for value, name in enumerate(("background", *VOC_CLASSES)):
        table.add(value, name, voc_color(value))
    return table


def of_names(names: Iterable[str]) -> ClassTable:
    """Number names from 0, or from 1 if the first is not a background."""
    listed = list(names)
    table = ClassTable()
    first = 0 if listed and table.is_background(listed[0]) else 1
    for value, name in enumerate(listed, first):
        table.add(value, name, voc_color(value) if value < VOID else None)
    return table


def find(folder: Path, report: ImportReport) -> ClassTable | None:
    """Read the table of a folder, None if it has none."""
    for name in FILES:
        if (folder / name).is_file():
            table = read(folder / name, report)
            if table.by_value or table.by_color:
                return table
    return None


def read(path: Path, report: ImportReport) -> ClassTable:
    """Read a table. Raises FormatError if it is none."""
    text = read_text(path, report)
    try:
        if path.suffix.lower() == ".json":
            table = _of_json(json.loads(text))
        elif path.suffix.lower() in (".csv", ".tsv"):
            table = _of_csv(text)
        else:
            table = _of_lines(text)
    except (ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise FormatError(f"this is no table of classes: {error}", file=str(path)) from error
    table.source = path
    return table


def _color(parts: Iterable[Any]) -> Color:
    red, green, blue = (int(part) for part in parts)
    if not all(0 <= part <= 255 for part in (red, green, blue)):
        raise ValueError(f"{red}, {green}, {blue} is no colour")
    return red, green, blue


_NAMED = re.compile(r"^(-?\d+)\s*[:=,;\t ]\s*(\S.*)$")
_COLORED = re.compile(r"^(.+?)[\s,:]+(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})$")


def _of_lines(text: str) -> ClassTable:
    """labelmap.txt (name:r,g,b:parts:actions), lines of ``name r g b``, of ``number name``, or of names."""
    table = ClassTable()
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    # labelme's labels.txt begins with __ignore__, which stands for -1 (void).
    value = -1 if lines[:1] == ["__ignore__"] else 0
    for line in lines:
        parts = line.split(":")
        if len(parts) >= 2 and re.fullmatch(r"\s*(\d+\s*,\s*\d+\s*,\s*\d+)?\s*", parts[1]):
            table.add(value, parts[0].strip(), _color(parts[1].split(",")) if parts[1].strip() else None)
        elif match := _COLORED.match(line):
            table.add(value, match[1].strip(), _color(match.groups()[1:]))
        elif match := _NAMED.match(line):
            table.add(int(match[1]), match[2].strip())
        else:
            table.add(value, line)
        value += 1
    return table


def _of_csv(text: str) -> ClassTable:
    table = ClassTable()
    dialect = ";" if text.count(";") > text.count(",") else "\t" if "\t" in text else ","
    rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text), delimiter=dialect) if any(row)]
    if not rows:
        return table
    head = {name.lower(): index for index, name in enumerate(rows[0])}
    name = _column(head, "name", "class", "label", "class_name", "label_name")
    value = _column(head, "value", "id", "index", "class_id", "label_id", "pixel")
    colors = [_column(head, letter, word) for letter, word in (("r", "red"), ("g", "green"), ("b", "blue"))]
    if name is None:
        # No header: number, name or name, r, g, b.
        for row in rows:
            if row[0].lstrip("-").isdigit():
                table.add(int(row[0]), row[1], _color(row[2:5]) if len(row) >= 5 else None)
            else:
                table.add(len(table.by_value), row[0], _color(row[1:4]) if len(row) >= 4 else None)
        return table
    for index, row in enumerate(rows[1:]):
        color = _color(row[at] for at in colors if at is not None) if None not in colors else None
        table.add(int(row[value]) if value is not None else index, row[name], color)
    return table


def _column(head: Mapping[str, int], *names: str) -> int | None:
    return next((head[name] for name in names if name in head), None)


def _of_json(data: Any) -> ClassTable:
    table = ClassTable()
    if isinstance(data, list):
        for index, item in enumerate(data):
            _item(table, item, index)
        return table
    if "label_map" in data:  # Datumaro's dataset_meta.json
        colors = data.get("segmentation_colors") or []
        for position, (key, name) in enumerate(data["label_map"].items()):
            table.add(int(key), str(name), _color(colors[position]) if position < len(colors) else None)
        if "background_label" in data:
            table.background.add(str(data["label_map"].get(str(data["background_label"]), "")))
        return table
    for key in ("classes", "categories", "labels"):
        if isinstance(data.get(key), list):
            return _of_json(data[key])
    for position, (key, value) in enumerate((data.get("colors") or data).items()):
        if isinstance(value, list):
            table.add(position if "colors" not in data else None, str(key), _color(value[:3]))
        elif isinstance(value, int):
            table.add(value, str(key))
        elif isinstance(value, str) and str(key).lstrip("-").isdigit():
            table.add(int(key), value)
    return table


def _item(table: ClassTable, item: Any, index: int) -> None:
    if isinstance(item, str):
        table.add(index, item)
        return
    color = item.get("color")
    if isinstance(color, str) and re.fullmatch(r"#[0-9a-fA-F]{6}", color):
        color = [int(color[at : at + 2], 16) for at in (1, 3, 5)]
    value = next((item[key] for key in ("value", "id", "index") if key in item), index)
    table.add(int(value), str(item["name"]), _color(color) if isinstance(color, list) else None)
