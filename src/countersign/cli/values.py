"""Turns what stands on a command line into values of the domain, and says what of it fits nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from countersign.cli.output import count
from countersign.cli.session import Session
from countersign.domain.label import LabelState

if TYPE_CHECKING:
    from countersign.domain.query import ImageQuery, LabelFilter
    from countersign.workbench.project import Project

F = TypeVar("F", bound=Callable[..., Any])

_STATES = tuple(state.name.lower() for state in LabelState)
_SHOWN = 3


def query(session: Session, project: Project, images: str | None) -> ImageQuery | None:
    """Read --images. Names in a file that fit no image, or several, are told on stderr."""
    if images is None:
        return None
    found = project.select(images)
    if found.unmatched:
        session.out.notice(f"{count(len(found.unmatched), 'name')} in {images} fit no image: {_some(found.unmatched)}.")
    if found.ambiguous:
        session.out.notice(
            f"{count(len(found.ambiguous), 'name')} in {images} fit several images, and all are taken: "
            f"{_some(found.ambiguous)}."
        )
    return found.query


def label_filter(
    classes: tuple[str, ...], min_confidence: float | None, max_confidence: float | None, states: tuple[str, ...] = ()
) -> LabelFilter:
    """Make a filter of labels. Raises QueryError for a range that is none."""
    from countersign.domain.query import LabelFilter

    return LabelFilter("", classes, min_confidence, max_confidence, tuple(LabelState[name.upper()] for name in states))


def states_option(default: str) -> Callable[[F], F]:
    """Add --state, which may be repeated."""
    return click.option(
        "--state",
        "states",
        type=click.Choice(_STATES),
        multiple=True,
        help=f"Only labels of this state; may be repeated (if not given: {default}).",
    )


def settings_option(what: str) -> Callable[[F], F]:
    """Add --set NAME=VALUE, which may be repeated."""
    return click.option(
        "--set",
        "settings",
        metavar="NAME=VALUE",
        multiple=True,
        callback=_settings,
        help=f"A setting of the {what}, for what has no option of its own; may be repeated.",
    )


def pairs_option(flag: str, name: str, metavar: str, help_text: str) -> Callable[[F], F]:
    """Add an option KEY=VALUE that may be repeated, or name a file of such lines; without = the value is empty."""
    return click.option(
        flag, name, metavar=f"{metavar}|FILE", multiple=True, callback=_pairs, help=f"{help_text} May be repeated."
    )


def _pairs(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    lines: list[str] = []
    for item in value:
        path = Path(item)
        if "=" not in item and path.is_file():
            lines += path.read_text(encoding="utf-8-sig").splitlines()
        else:
            lines.append(item)
    pairs = (line.rpartition("=") if "=" in line else (line, "", "") for line in lines if line.strip())
    return {key.strip(): text.strip() for key, _, text in pairs}


def _settings(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in value:
        name, equals, text = item.partition("=")
        if not equals or not name.strip():
            raise click.BadParameter(f"{item!r} is not NAME=VALUE.", ctx, param)
        try:
            found[name.strip()] = json.loads(text)
        except ValueError:
            found[name.strip()] = text
    return found


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
