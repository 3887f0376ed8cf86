"""What the program prints: results to stdout, everything else to stderr.

With ``--json`` stdout holds exactly one JSON document. Tables are plain aligned columns, the same on a
terminal and in a pipe; nothing is cut off.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from enum import Enum, IntEnum
from pathlib import PurePath
from typing import Any

import click


@dataclass(frozen=True, slots=True)
class Output:
    """Prints for one call of the program."""

    as_json: bool = False
    quiet: bool = False

    def data(self, value: Any) -> bool:
        """With --json, print the value as JSON and return True; else return False: the caller prints text."""
        if self.as_json:
            click.echo(json.dumps(to_json(value), ensure_ascii=False, indent=2))
        return self.as_json

    def line(self, text: str = "") -> None:
        """Print a line of the result."""
        click.echo(text)

    def notice(self, text: str) -> None:
        """Print a line beside the result, on stderr."""
        if not self.quiet:
            click.echo(text, err=True)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, none: str = "Nothing.") -> None:
        """Print aligned columns; numbers to the right."""
        if not rows:
            self.line(none)
            return
        cells = [[_cell(value) for value in row] for row in rows]
        widths = [max(len(name), *(len(row[i]) for row in cells)) for i, name in enumerate(columns)]
        right = [all(isinstance(row[i], int | float) or row[i] is None for row in rows) for i in range(len(columns))]
        head = _aligned(columns, widths, right)
        self.line(click.style(head, bold=True) if sys.stdout.isatty() else head)
        for row in cells:
            self.line(_aligned(row, widths, right))

    def pairs(self, rows: Sequence[tuple[str, Any]]) -> None:
        """Print names and values, one pair a line."""
        width = max((len(name) for name, _ in rows), default=0)
        for name, value in rows:
            self.line(f"{name.ljust(width)}  {_cell(value)}")


def _aligned(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    parts = (
        cell.rjust(width) if to_right else cell.ljust(width)
        for cell, width, to_right in zip(cells, widths, right, strict=True)
    )
    return "  ".join(parts).rstrip()


def _cell(value: Any) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.3f}"
        case datetime():
            return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        case IntEnum():
            return value.name.lower()
        case _:
            return str(value)


def to_json(value: Any) -> Any:
    """Turn values of the domain into JSON values: records to objects, numbered enums to their names."""
    match value:
        case Mapping():
            return {str(to_json(key)): to_json(item) for key, item in value.items()}
        case frozenset() | set():
            return sorted(to_json(item) for item in value)
        case None | str() | int() | float() | Enum() | datetime() | PurePath() | bytes():
            return _plain(value)
    if hasattr(value, "to_data"):
        return to_json(value.to_data())
    if is_dataclass(value):
        return {item.name: to_json(getattr(value, item.name)) for item in fields(value)}
    if hasattr(value, "tolist"):
        return to_json(value.tolist())
    if isinstance(value, Sequence):
        return [to_json(item) for item in value]
    return str(value)


def _plain(value: Any) -> Any:
    match value:
        case IntEnum():
            return value.name.lower()
        case Enum():
            return value.value
        case float():
            return value if math.isfinite(value) else None
        case datetime():
            return value.isoformat()
        case PurePath():
            return str(value)
        case bytes():
            return value.decode("ascii", "replace")
        case _:
            return value


def count(number: int, one: str, many: str = "") -> str:
    """Write a number with its noun: ``1 image``, ``2,000 images``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
