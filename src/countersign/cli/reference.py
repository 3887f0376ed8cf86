"""Writes docs/reference/command-line.md from the commands themselves.

``python -m countersign.cli.reference`` prints the page; a test checks that the one in the docs is fresh.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from countersign.cli.errors import INTERNAL, INTERRUPTED, PIPE_CLOSED
from countersign.cli.main import COMMANDS, cli
from countersign.domain import errors

_EVERYWHERE = ("--workspace", "--blobs", "--json", "--quiet")


def page() -> str:
    """Return the whole page as Markdown."""
    return "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield "# Command line"
    yield ""
    yield "Made from the program by `python -m countersign.cli.reference`; do not edit."
    yield ""
    yield "```"
    yield "countersign COMMAND ..."
    yield "```"
    for section in dict.fromkeys(entry.section for entry in COMMANDS):
        links = (f"[{entry.name}](#countersign-{entry.name})" for entry in COMMANDS if entry.section == section)
        yield from ("", f"**{section}:** {', '.join(links)}")
    yield from ("", "## Options of every command", "")
    yield from _options(cli, _EVERYWHERE)
    yield "| `-h, --help` | Show the help of the command. |"
    yield from ("", "## Exit codes", "", "| code | meaning |", "|---|---|")
    for code, meaning in exit_codes().items():
        yield f"| {code} | {meaning} |"
    for entry in COMMANDS:
        yield ""
        yield from _command(entry.load(), f"countersign {entry.name}", 2)


def exit_codes() -> dict[int, str]:
    """What each exit code means, by number."""
    codes = {0: "done", 1: "it failed for another reason, such as a run that stopped with an error"}
    for kind in (
        errors.InvalidInput,
        errors.NotFound,
        errors.Conflict,
        errors.ImageError,
        errors.ModelError,
        errors.WorkspaceError,
    ):
        first = (kind.__doc__ or "").splitlines()[0].split(".")[0]
        codes[kind.exit_code] = first[:1].lower() + first[1:]
    codes[INTERNAL] = "an error in the program itself; the message says where its log is"
    codes[INTERRUPTED] = "interrupted (Ctrl-C) or cancelled"
    codes[PIPE_CLOSED] = "nobody reads the output any more"
    return codes


def _command(command: click.Command, path: str, level: int) -> Iterator[str]:
    context = click.Context(command, info_name=path)
    usage = " ".join(command.collect_usage_pieces(context))
    yield from (f"{'#' * level} {path}", "", "```", f"{path} {usage}".rstrip(), "```", "")
    yield _prose(command.help or "")
    options = list(_options(command, ()))
    if len(options) > 2:
        yield ""
        yield from options
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                yield ""
                yield from _command(child, f"{path} {name}", level + 1)


def _options(command: click.Command, only: tuple[str, ...]) -> Iterator[str]:
    yield from ("| option | |", "|---|---|")
    context = click.Context(command, info_name="countersign")
    for option in command.get_params(context):
        if not isinstance(option, click.Option) or "--help" in option.opts:
            continue
        if bool(set(option.opts) & set(_EVERYWHERE)) != bool(only):
            continue
        record = option.get_help_record(context)
        if record is not None:
            names, text = record
            yield f"| `{_cell(names)}` | {_cell(text)} |"


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


def _prose(text: str) -> str:
    paragraphs = (re.sub(r"\s*\n\s*", " ", part.strip()) for part in text.replace("\b", "").split("\n\n"))
    return "\n\n".join(part for part in paragraphs if part)


if __name__ == "__main__":
    print(page(), end="")
