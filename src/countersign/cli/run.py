"""``countersign run``: let a model label images."""

from __future__ import annotations

from typing import Any

import click

from countersign.cli.follow import follow
from countersign.cli.options import common, images_option, names_option
from countersign.cli.session import Session, pass_session
from countersign.cli.values import pairs_option, query, settings_option
from countersign.domain.model import LABELLING
from countersign.domain.run import Method

TASKS = [task.value.replace("_", "-") for task in LABELLING]
METHODS = [method.value.replace("_", "-") for method in Method]


@click.command()
@click.argument("project")
@click.option("--model", required=True, help="Name of a model ('countersign models list'), its path, or FAMILY:NAME.")
@click.option("--field", required=True, help="New field that the labels go to; one that exists is refused.")
@images_option()
@names_option("--classes", "classes", help_text="Only these classes (if not given: all that the model knows).")
@click.option("--min-confidence", type=float, default=0.1, show_default=True, help="Predictions below are not kept.")
@click.option("--name", default="", help="Name of the run (if not given: the field's).")
@click.option("--workers", type=int, default=1, show_default=True, help="Processes that work on it.")
@click.option("--batch-size", type=int, default=8, show_default=True, help="Images that the model sees at once.")
@click.option("--task", type=click.Choice(TASKS), help="What to do, for a model that does several things.")
@click.option(
    "--method",
    type=click.Choice(METHODS),
    default="one-stage",
    show_default=True,
    help="two-stage: boxes of --model go to --refiner; existing: boxes of --boxes go to --model.",
)
@click.option("--refiner", default="", help="Second model: turns boxes into masks or poses.")
@click.option("--boxes", "boxes_field", default="", metavar="FIELD", help="Field whose boxes --model starts from.")
@pairs_option("--prompt", "prompts", "TEXT=CLASS", "A text for a zero-shot model and its class (none: negative).")
@pairs_option("--map", "label_map", "THEIRS=OURS", "Class of the model = class of the project (none: left out).")
@click.option("--masks", default="", metavar="FOLDER|URL", help="Write masks there as PNG files.")
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
    task: str | None,
    method: str,
    refiner: str,
    boxes_field: str,
    prompts: dict[str, str],
    label_map: dict[str, str],
    masks: str,
    settings: dict[str, Any],
    detach: bool,
) -> None:
    """Let a model label images of PROJECT into a new field, for review.

    Where no --map is given, the one that the project keeps for the model is taken ('countersign label-map').

    It runs in processes of its own. Ctrl-C pauses it: 'countersign resume RUN' goes on where it was.
    """
    opened = session.project(project)
    begun = opened.start_run(
        model, field, images=query(session, opened, images), classes=classes, min_confidence=min_confidence, name=name,
        workers=workers, batch_size=batch_size, settings=settings, task=task and task.replace("-", "_"),
        method=method.replace("-", "_"), refiner=refiner, boxes_field=boxes_field, prompts=prompts,
        label_map=label_map or None, masks=masks,
    )  # fmt: skip
    follow(session, opened, begun, detach=detach)
