"""``countersign models url``: the models behind a URL that a workspace knows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from countersign.cli.options import FILE, common, names_option
from countersign.cli.output import count
from countersign.cli.session import Session, pass_session

F = TypeVar("F", bound=Callable[..., Any])
_CONTRACTS = ("countersign", "plain", "label-studio", "cvat", "x-anylabeling", "supervisely")


def _description(function: F) -> F:
    """Add what is said of a model. What is not given is left out, so that an edit leaves it as it is."""
    for option in (
        click.option("--allow-link-local/--refuse-link-local", default=None, help="Link-local, metadata addresses."),
        click.option("--ca-file", type=FILE, help="Certificates (PEM) to trust instead of the usual ones."),
        click.option("--header", help="Header that carries the secret  [default: Authorization]"),
        click.option("--secret-env", metavar="NAME", help="Variable (COUNTERSIGN_...) that holds the secret."),
        click.option("--ask-secret", is_flag=True, help="Ask for the header's value ('Bearer ...'), unseen."),
        click.option("--concurrency", type=int, help="Requests at once."),
        click.option("--retries", type=int, help="How often a request is repeated."),
        click.option("--timeout", "timeout_s", type=float, metavar="SECONDS", help="Of one request."),
        click.option("--spec", type=FILE, help="More of the description, as a JSON file (see the guide)."),
        click.option("--min-confidence", type=click.FloatRange(0, 1), help="Least confidence that is recommended."),
        click.option("--zero-shot/--fixed-classes", default=None, help="It takes its classes as words."),
        names_option("--classes", help_text="Its classes, in the order of its outputs."),
        names_option("--task", "tasks", metavar="TASK", help_text="What it does: detection, classification ..."),
        click.option("--description", help="What it is, in a sentence."),
        click.option("--served-name", "model", help="Its name at the server, where that has several."),
        click.option("--contract", type=click.Choice(_CONTRACTS), help="What it speaks  [default: countersign]"),
    ):
        function = option(function)
    return function


def _said(spec: Path | None, ask_secret: bool, given: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if spec is not None:
        try:
            said = json.loads(spec.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise click.BadParameter(f"{spec}: {error}", param_hint="--spec") from error
        if not isinstance(said, dict):
            raise click.BadParameter(f"{spec} holds no object", param_hint="--spec")
    said |= {key: value for key, value in given.items() if value is not None and value != ()}
    for key in ("tasks", "classes"):
        if isinstance(said.get(key), tuple):
            said[key] = list(said[key])
    if "ca_file" in said:
        said["ca_file"] = str(said["ca_file"])
    if ask_secret:
        said["secret"] = click.prompt("Value of the header", hide_input=True, err=True)
    return said


@click.group(invoke_without_command=True)
@common
@pass_session
@click.pass_context
def url(ctx: click.Context, session: Session) -> None:
    """Models behind a URL: list, add, edit, remove or test them. A run takes one as remote:NAME."""
    if ctx.invoked_subcommand is None:
        _list(session)


@url.command("list")
@common
@pass_session
def list_(session: Session) -> None:
    """List the models behind a URL."""
    _list(session)


def _list(session: Session) -> None:
    found = session.open().models.remote.list()
    if session.out.data(found):
        return
    rows = [
        [item.reference, item.spec["contract"], ", ".join(task.replace("_", " ") for task in item.card.tasks),
         len(item.card.classes), item.spec["url"]]
        for item in found
    ]  # fmt: skip
    none = "There are none. 'countersign models url add NAME URL' makes one known."
    session.out.table(["model", "contract", "does", "classes", "address"], rows, none=none)


@url.command()
@click.argument("name")
@click.argument("address")
@_description
@common
@pass_session
def add(session: Session, /, name: str, address: str, spec: Path | None, ask_secret: bool, **given: Any) -> None:
    """Make the model at ADDRESS known as NAME."""
    said = {key: value for key, value in _said(spec, ask_secret, given).items() if key != "url"}
    found = session.open(create=True).models.remote.add(name, address, **said)
    if not session.out.data(found):
        does = ", ".join(task.value.replace("_", " ") for task in found.card.tasks)
        session.out.line(
            f"{found.reference} does {does}; it knows {count(len(found.card.classes), 'class', 'classes')}."
        )


@url.command()
@click.argument("name")
@click.option("--url", "address", help="Another address; on another server the secret must be given again.")
@click.option("--name", "new_name", default="", help="Another name.")
@_description
@common
@pass_session
def edit(
    session: Session,
    /,
    name: str,
    address: str | None,
    new_name: str,
    spec: Path | None,
    ask_secret: bool,
    **given: Any,
) -> None:
    """Change what is said of the model NAME."""
    said = _said(spec, ask_secret, given) | ({"url": address} if address else {})
    found = session.open().models.remote.edit(name, new_name=new_name, **said)
    if not session.out.data(found):
        session.out.line(f"{found.reference} is at {found.spec['url']}.")


@url.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
@pass_session
def remove(session: Session, name: str, yes: bool) -> None:
    """Forget the model NAME. Labels that it made stay."""
    found = session.open().models.remote.get(name)
    if not yes:
        click.confirm(f"Forget the model {found.reference}?", abort=True, err=True)
    session.open().models.remote.delete(name)
    if not session.out.data({"removed": name}):
        session.out.line(f"{found.reference} is forgotten.")


@url.command()
@click.argument("name")
@click.argument("image", type=FILE, required=False)
@click.option("--min-confidence", type=click.FloatRange(0, 1), default=0.1, show_default=True)
@names_option("--classes", help_text="Look for these.")
@common
@pass_session
def test(session: Session, name: str, image: Path | None, min_confidence: float, classes: tuple[str, ...]) -> None:
    """Ask whether the server of NAME is there and, with IMAGE, what the model says of it."""
    found = session.open().models.remote.test(name, image, min_confidence=min_confidence, classes=classes)
    if session.out.data(found):
        return
    session.out.line(f"remote:{name} {found.answer}.")
    if found.predictions is not None:
        session.out.line(f"{count(len(found.predictions), 'prediction')} in {found.seconds:.2f} s")
        rows = [
            [item.class_name, item.confidence, "image" if item.geometry is None else item.geometry.kind.name.lower()]
            for item in found.predictions
        ]
        session.out.table(["class", "confidence", "shape"], rows)
