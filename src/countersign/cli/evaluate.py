"""``countersign evaluate`` and ``countersign compare``: one field against another."""

from __future__ import annotations

import click

from countersign.cli.options import common, images_option
from countersign.cli.session import Session, pass_session


@click.command()
@click.argument("project")
@click.option("--field", required=True, help="Field to measure.")
@click.option("--against", default="ground_truth", show_default=True, help="Field that is taken to be right.")
@images_option()
@common
@pass_session
def evaluate(session: Session, project: str, field: str, against: str, images: str | None) -> None:
    """Measure how good FIELD is against another one."""
    raise NotImplementedError


@click.command()
@click.argument("project")
@common
@pass_session
def compare(session: Session, project: str) -> None:
    """List where two fields differ."""
    raise NotImplementedError
