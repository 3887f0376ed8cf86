"""``countersign ask``: a question about images, answered in words by a model."""

from __future__ import annotations

from typing import Any

import click

from countersign.cli.options import common, images_option
from countersign.cli.output import count
from countersign.cli.progress import progress
from countersign.cli.session import Session, pass_session
from countersign.cli.values import query, settings_option


@click.command()
@click.argument("project")
@click.argument("question")
@click.option("--model", required=True, help="A model that answers questions: 'countersign models list' names some.")
@images_option()
@click.option("--field", default="", help="Field to keep the answers in, as proposed labels; made if it is not there.")
@click.option("--batch-size", type=click.IntRange(1), default=1, show_default=True, help="Images asked for at once.")
@settings_option("model")
@common
@pass_session
def ask(
    session: Session,
    project: str,
    question: str,
    model: str,
    images: str | None,
    field: str,
    batch_size: int,
    settings: dict[str, Any],
) -> int:
    """Ask a model QUESTION about the images of PROJECT; prints a line for each image.

    With --field the answers are kept. Asked again, images that have their answer there are not asked anew.
    The exit code is 6 where no image got an answer.
    """
    opened = session.project(project)
    with progress(session) as on_progress:
        found = opened.ask(
            query(session, opened, images), question, model=model, field=field, batch_size=batch_size,
            settings=settings, on_progress=on_progress,
        )  # fmt: skip
    code = 6 if found.items and found.failed == len(found.items) else 0
    if session.out.data(found):
        return code
    for item in found.items:
        if item.text is not None:
            session.out.line(f"{item.name}: {' '.join(item.text.split())}")
        else:
            session.out.notice(f"{item.name}: no answer: {item.error}")
    if found.failed:
        session.out.notice(f"{count(found.failed, 'image')} of {len(found.items):,} got no answer.")
    return code
