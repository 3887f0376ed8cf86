"""Writes docs/reference/python.md from the docstrings of the Python interface.

``python -m countersign.workbench.reference`` prints the page; a test checks that the one in the docs is fresh, and
another that its examples run.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from countersign.workbench.models import Models
from countersign.workbench.project import Project
from countersign.workbench.reviewing import Review
from countersign.workbench.workspace import Workspace, open_workspace

_KINDS: tuple[tuple[type, str], ...] = (
    (Workspace, "workspace"),
    (Project, "project"),
    (Review, "review"),
    (Models, "workspace.models"),
)


def page() -> str:
    """Return the whole page as Markdown."""
    return "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield "# Python interface"
    yield ""
    yield "Made from the program by `python -m countersign.workbench.reference`; do not edit. The examples run in the"
    yield "tests, on a project `shapes` with six small images of white squares and bars, of which four have labels;"
    yield "`bright:shapes` is a model that finds what is bright."
    yield ""
    yield from _member("countersign.open_workspace", open_workspace)
    for kind, name in _KINDS:
        yield from (f"## {kind.__name__}", "", _prose(kind.__doc__ or ""), "")
        for member_name, member in members(kind):
            yield from _member(f"{name}.{member_name}", member)


def members(kind: type) -> Iterator[tuple[str, Any]]:
    """The public methods and properties of a class, those of the classes that it is put together from first."""
    own, *parts = (part for part in kind.__mro__ if part is not object)
    for part in (*parts, own):
        for name, member in vars(part).items():
            if not name.startswith("_"):
                yield name, member


def _member(name: str, member: Any) -> Iterator[str]:
    text = inspect.cleandoc(member.__doc__ or "")
    prose, _, example = text.partition("\n\n>>>")
    call = "" if isinstance(member, property) else _signature(member)
    yield from (f"### {name}", "", "```", f"{name}{call}", "```", "", _prose(prose), "")
    if example:
        yield from ("```pycon", re.sub(r"  # doctest:.*", "", f">>>{example}"), "```", "")


def _signature(member: Any) -> str:
    signature = inspect.signature(member)
    kept = [item for name, item in signature.parameters.items() if name != "self"]
    one_line = str(signature.replace(parameters=kept)).replace("'", "")
    if len(one_line) < 90:
        return one_line
    parts: list[str] = []
    keyword_only = False
    for item in kept:
        if item.kind is inspect.Parameter.KEYWORD_ONLY and not keyword_only:
            parts.append("*")
            keyword_only = True
        parts.append(str(item).replace("'", ""))
    returned = str(signature.return_annotation).replace("'", "")
    return "(\n    " + ",\n    ".join(parts) + f",\n) -> {returned}"


def _prose(text: str) -> str:
    paragraphs = (re.sub(r"\s*\n\s*", " ", part) for part in inspect.cleandoc(text).split("\n\n"))
    return "\n\n".join(part.replace("``", "`") for part in paragraphs)


if __name__ == "__main__":
    print(page(), end="")
