"""The reference pages say what the program is now."""

from __future__ import annotations

from pathlib import Path

from countersign.cli import reference as command_line
from countersign.cli.main import COMMANDS
from countersign.workbench import reference as python

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"


def test_command_line__is_fresh() -> None:
    written = (REFERENCE / "command-line.md").read_text(encoding="utf-8")

    assert written == command_line.page(), "run: python -m countersign.cli.reference > docs/reference/command-line.md"


def test_command_line__has_every_command() -> None:
    page = command_line.page()

    assert all(f"## countersign {entry.name}\n" in page for entry in COMMANDS)


def test_command_line__exit_codes() -> None:
    assert set(command_line.exit_codes()) == {0, 1, 2, 3, 4, 5, 6, 7, 70, 130, 141}


def test_python__is_fresh() -> None:
    written = (REFERENCE / "python.md").read_text(encoding="utf-8")

    assert written == python.page(), "run: python -m countersign.workbench.reference > docs/reference/python.md"
