"""``countersign models``: list, show, rename, delete, export, import."""

from __future__ import annotations

from pathlib import Path

import click

from countersign.cli.options import FILE, common
from countersign.cli.output import count
from countersign.cli.session import Session, pass_session


@click.group(invoke_without_command=True)
@common
@pass_session
@click.pass_context
def models(ctx: click.Context, session: Session) -> None:
    """List the models of the workspace; show, rename, delete, export or import one."""
    if ctx.invoked_subcommand is not None:
        return
    found = session.open().models.list()
    if session.out.data(found):
        return
    rows = [
        [item.name, ", ".join(task.replace("_", " ") for task in item.card.tasks), len(item.card.classes),
         ", ".join(f"{name} {value:.3f}" for name, value in item.card.scores.items()), item.created_at]
        for item in found
    ]  # fmt: skip
    session.out.table(
        ["model", "does", "classes", "scores", "made"],
        rows,
        none="There are no models. 'countersign train PROJECT' teaches one; 'timm:NAME' names any classifier of timm.",
    )


@models.command()
@click.argument("model")
@common
@pass_session
def show(session: Session, model: str) -> None:
    """Show the card of MODEL: what it knows, how it was taught, how good it was."""
    card = session.open().models.card(model)
    if session.out.data(card):
        return
    pairs = [
        ("model", card.name),
        ("family", card.family),
        ("does", ", ".join(task.replace("_", " ") for task in card.tasks)),
        ("classes", f"{len(card.classes)}: {', '.join(card.classes[:20])}{' ...' if len(card.classes) > 20 else ''}"),
        ("least confidence", card.min_confidence),
        ("weights", card.weights_hash or "-"),
        ("source", " ".join(part for part in (card.source, card.author, card.licence) if part) or "-"),
    ]
    pairs += [(name.replace("_", " "), value) for name, value in card.scores.items()]
    session.out.pairs(pairs)
    for name, value in card.details.items():
        text = str(value)
        session.out.line(f"  {name}: {text[:200]}{' ...' if len(text) > 200 else ''}")


@models.command()
@click.argument("model")
@click.argument("new_name")
@common
@pass_session
def rename(session: Session, model: str, new_name: str) -> None:
    """Give MODEL another name."""
    found = session.open().models.rename(model, new_name)
    if not session.out.data(found):
        session.out.line(f"{model} is now {found.name}.")


@models.command()
@click.argument("model")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
@pass_session
def delete(session: Session, model: str, yes: bool) -> None:
    """Delete MODEL and its weights. Labels that it made keep saying where they came from."""
    found = session.open().models.get(model)
    if not yes:
        click.confirm(f"Delete the model {found.name} and its weights, for good?", abort=True, err=True)
    session.open().models.delete(model)
    if not session.out.data({"deleted": found.name}):
        session.out.line(f"Deleted the model {found.name}.")


@models.command()
@click.argument("model")
@click.argument("file", type=FILE)
@common
@pass_session
def export(session: Session, model: str, file: Path) -> None:
    """Write MODEL to one file, which 'countersign models import' takes anywhere."""
    path = session.open().models.export(model, file)
    if not session.out.data({"model": model, "file": path}):
        session.out.line(f"Wrote {model} to {path}.")


@models.command("import")
@click.argument("file", type=FILE)
@click.option("--name", default="", help="Name that it shall have (if not given: its own).")
@common
@pass_session
def import_(session: Session, file: Path, name: str) -> None:
    """Bring a model that was exported into the workspace."""
    found = session.open(create=True).models.import_file(file, name=name)
    if not session.out.data(found):
        session.out.line(f"{found.name} knows {count(len(found.card.classes), 'class', 'classes')}.")
