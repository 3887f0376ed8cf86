"""Options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from countersign.cli.session import Session

F = TypeVar("F", bound=Callable[..., Any])


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    # The same options stand before and after the command's name; the later one wins.
    if value:
        setattr(ctx.ensure_object(Session), str(param.name), value)


def common(function: F) -> F:
    """Add --workspace, --blobs, --json and --quiet: every command has them."""
    for option in (
        click.option("--quiet", "-q", is_flag=True, expose_value=False, callback=_remember, help="No progress."),
        click.option(
            "--json",
            "as_json",
            is_flag=True,
            expose_value=False,
            callback=_remember,
            help="Print one JSON document for programs; progress goes to stderr.",
        ),
        click.option(
            "--blobs",
            metavar="FOLDER",
            expose_value=False,
            callback=_remember,
            help="Folder for weights and masks when the workspace is a database URL.",
        ),
        click.option(
            "--workspace",
            "-w",
            metavar="FOLDER|URL",
            expose_value=False,
            callback=_remember,
            help="Where everything is kept [env COUNTERSIGN_WORKSPACE; else the nearest folder upwards with a "
            "countersign.db; else your data folder].",
        ),
    ):
        function = option(function)
    return function


def images_option(help_text: str = "") -> Callable[[F], F]:
    """Add --images: a query, or a file of image names."""
    return click.option(
        "--images",
        metavar="QUERY|FILE",
        help=help_text
        or "Only these images: a query (split=train, has=FIELD, text~PART ...) or a file of image names, one a line.",
    )


def run_argument(function: F) -> F:
    """Add the argument RUN and --project, which says whose run it is when several have that name."""
    function = click.option("--project", metavar="PROJECT", help="The run's project, where its name is not unique.")(
        function
    )
    return click.argument("run", metavar="RUN")(function)


def class_option(function: F) -> F:
    """Add --class, which may be repeated or hold several names with commas."""
    return click.option(
        "--class",
        "classes",
        metavar="NAME[,NAME...]",
        multiple=True,
        callback=_names,
        help="Only labels of this class.",
    )(function)


def confidence_options(function: F) -> F:
    """Add --min-confidence and --max-confidence."""
    unit = click.FloatRange(0, 1)
    for name, text in (("--max-confidence", "at most"), ("--min-confidence", "at least")):
        function = click.option(name, type=unit, help=f"Only labels with {text} this confidence.")(function)
    return function


def _names(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part.strip() for item in value for part in item.split(",") if part.strip())


def names_option(*flags: str, help_text: str, metavar: str = "NAME[,NAME...]") -> Callable[[F], F]:
    """Add an option that takes names with commas between, and may be repeated."""
    return click.option(*flags, metavar=metavar, multiple=True, callback=_names, help=help_text)


FILE = click.Path(path_type=Path)
