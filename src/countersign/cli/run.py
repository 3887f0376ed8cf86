"""``countersign run``: let a model label images."""

from __future__ import annotations

from typing import Any

import click

from countersign.cli.follow import follow
from countersign.cli.options import common, images_option, names_option
from countersign.cli.session import Session, pass_session
from countersign.cli.values import query, settings_option


@click.command()
@click.argument("project")
@click.option("--model", required=True, help="Name of a model of the workspace, a saved model's path, or timm:NAME.")
@click.option("--field", required=True, help="New field that the labels go to; one that exists is refused.")
@images_option()
@names_option("--classes", "classes", help_text="Only these classes (if not given: all that the model knows).")
@click.option("--min-confidence", type=float, default=0.1, show_default=True, help="Predictions below are not kept.")
@click.option("--name", default="", help="Name of the run (if not given: the field's).")
@click.option("--workers", type=int, default=1, show_default=True, help="Processes that work on it.")
@click.option("--batch-size", type=int, default=8, show_default=True, help="Images that the model sees at once.")
@settings_option("model")
@click.option("--detach", is_flag=True, help="Do not wait for the end; 'countersign show RUN' tells how far it is.")
@common
@pass_session
def run(
    session: Session,
    project: str,
    model: str,
    field: str,
    images: str | None,
    classes: tuple[str, ...],
    min_confidence: float,
    name: str,
    workers: int,
    batch_size: int,
    settings: dict[str, Any],
    detach: bool,
) -> None:
    """Let a model label images of PROJECT into a new field, for review.

    It runs in processes of its own. Ctrl-C pauses it: 'countersign resume RUN' goes on where it was.
    """
    opened = session.project(project)
    begun = opened.start_run(
        model, field, images=query(session, opened, images), classes=classes, min_confidence=min_confidence, name=name,
        workers=workers, batch_size=batch_size, settings=settings,
    )  # fmt: skip
    follow(session, opened, begun, detach=detach)
