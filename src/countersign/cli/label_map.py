"""``countersign label-map``: which class of a project a class of a model becomes."""

from __future__ import annotations

import click

from countersign.cli.options import common
from countersign.cli.session import Session, pass_session
from countersign.cli.values import pairs_option


@click.command()
@click.argument("project")
@click.argument("model")
@pairs_option("--map", "pairs", "THEIRS=OURS", "Class of the model = class of the project (none: left out).")
@click.option("--keep", is_flag=True, help="Keep what is suggested.")
@click.option("--clear", is_flag=True, help="Forget the map: every class keeps its own name.")
@common
@pass_session
def label_map(session: Session, project: str, model: str, pairs: dict[str, str], keep: bool, clear: bool) -> None:
    """Show or set which class of PROJECT each class of MODEL becomes.

    Nothing is set without an option: then the map is shown, or what is suggested by the names. Entries given with
    --map are joined to it. Every later run of this model in the project uses the map.
    """
    if clear and (pairs or keep):
        raise click.UsageError("--clear goes with no other option.")
    opened = session.project(project)
    found = opened.set_label_map(model, None) if clear else opened.label_map(model)
    if pairs or keep:
        found = opened.set_label_map(model, {**found.classes, **pairs})
    if session.out.data(found):
        return
    if not found.classes:
        session.out.line(f"{model} takes its classes as words: there is nothing to map.")
        return
    rows = [[name, other or "(left out)"] for name, other in found.classes.items()]
    session.out.table(["class of the model", "class of the project"], rows)
    if not found.kept:
        session.out.notice("This is a suggestion by name; nothing is kept. --keep takes it.")
