"""Runs the pages of docs/guide: commands in console blocks and Python blocks, in order, and compares what they print.

In what a page shows, ``...`` stands for anything, and blanks count as one. A block's lines that do not begin with ``$``
are what the command before them prints to stdout.
"""

from __future__ import annotations

import doctest
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
_CODE = re.compile(r"\s+# exit code (\d+)$")


@dataclass(frozen=True)
class Step:
    """One command with what it prints, or one piece of Python."""

    kind: str
    text: str
    shown: str = ""
    code: int = 0


def steps(page: Path) -> Iterator[Step]:
    """What a page does, in order."""
    for kind, body in BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind == "python":
            yield Step("python", body)
        elif kind == "console":
            yield from _commands(body)


def _commands(body: str) -> Iterator[Step]:
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        code = _CODE.search(command)
        yield Step("console", _CODE.sub("", command), shown, int(code[1]) if code else 0)


def play(page: Path, run: Callable[[list[str], int], str]) -> None:
    """Run a page. ``run`` runs one countersign command, checks its exit code and returns its stdout."""
    names: dict[str, object] = {}
    for step in steps(page):
        if step.kind == "python":
            exec(compile(step.text, page.name, "exec"), names)
            continue
        words = shlex.split(step.text)
        if words[0] == "countersign":
            printed = run(words[1:], step.code)
        else:
            printed = subprocess.run(step.text, shell=True, check=True, capture_output=True, text=True).stdout
        checker = doctest.OutputChecker()
        example = doctest.Example(step.text, step.shown)
        if not checker.check_output(example.want, printed, FLAGS):
            raise AssertionError(f"$ {step.text}\n{checker.output_difference(example, printed, FLAGS)}")
