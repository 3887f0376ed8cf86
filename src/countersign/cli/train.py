"""``countersign train``: teach a model by the labels of a field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from countersign.cli.learning import TrainingDisplay
from countersign.cli.options import common, images_option
from countersign.cli.output import count
from countersign.cli.session import Session, pass_session
from countersign.cli.values import query, settings_option

F = TypeVar("F", bound=Callable[..., Any])

_HEAD = "on, off, or auto: as the labels allow"


def _switch(name: str, text: str) -> Callable[[F], F]:
    return click.option(name, type=click.Choice(["auto", "on", "off"]), default="auto", show_default=True, help=text)


@click.command()
@click.argument("project")
@click.option("--field", default="ground_truth", show_default=True, help="Field whose labels it learns from.")
@images_option("Only these images: a query or a file of names (if not given: all that have labels in the field).")
@click.option("--name", default="", help="Name of the model (if not given: PROJECT-1, PROJECT-2 ...).")
@click.option(
    "--budget", type=float, metavar="SECONDS", help="How long to learn. Where it is given, --epochs has no say."
)
@click.option("--epochs", type=int, help="How often every image is seen, 1 to 500  [default: 50]")
@click.option("--batch-size", type=int, help="Images per step, 1 to 64  [default: 8]")
@click.option("--learning-rate", type=float, help="Highest learning rate, 1e-5 to 0.1  [default: 0.002]")
@click.option(
    "--image-size",
    type=int,
    help="Longer side of an image as the network sees it: 224, 320, 416, 512 or 640  [default: 416]",
)
@_switch("--detection", f"Learn boxes: {_HEAD}.")
@_switch("--segmentation", f"Learn painted areas: {_HEAD}.")
@_switch("--classification", f"Learn classes of whole images: {_HEAD}.")
@click.option(
    "--backbone", help="A timm network: resnet18, mobilenetv3_small_100, convnext_tiny ...  [default: resnet18]"
)
@click.option("--pretrained/--no-pretrained", default=None, help="Begin with pretrained weights of the hub.")
@click.option("--weights", metavar="PATH", help="Begin with these weights: a safetensors file, or a folder with one.")
@click.option("--confidence", type=float, help="Least confidence of its predictions, 0.01 to 1  [default: 0.30]")
@click.option("--nms", type=float, help="Overlap above which two boxes are one object, 0.01 to 1  [default: 0.40]")
@settings_option("training")
@common
@pass_session
def train(
    session: Session,
    /,
    project: str,
    field: str,
    images: str | None,
    name: str,
    detection: str,
    segmentation: str,
    classification: str,
    settings: dict[str, Any],
    **given: Any,
) -> None:
    """Teach a new model by the labels of PROJECT.

    Ctrl-C ends the training and keeps the best so far. Without --budget or --epochs it sees every image 50 times.
    """
    opened = session.project(project)
    chosen = {key: value for key, value in given.items() if value is not None}
    for head, wanted in (("detection", detection), ("segmentation", segmentation), ("classification", classification)):
        if wanted != "auto":
            chosen[head] = wanted == "on"
    with TrainingDisplay(session) as display:
        model = opened.train(
            field, images=query(session, opened, images), name=name, on_event=display.show,
            should_cancel=display.interrupted, **(chosen | settings),
        )  # fmt: skip
    if session.out.data(model):
        return
    scores = ", ".join(f"{key.replace('_', ' ')} {value:.3f}" for key, value in model.card.scores.items())
    session.out.line(
        f"{model.name} knows {count(len(model.card.classes), 'class', 'classes')}{f' ({scores})' if scores else ''}."
    )
    session.out.line(f"Next: countersign run {project} --model {model.name} --field auto1")


@click.command()
@click.argument("project")
@click.option("--cancel", metavar="TRAINING", help="End this training (its name or id) with the best so far.")
@common
@pass_session
def trainings(session: Session, project: str, cancel: str | None) -> None:
    """List the trainings of PROJECT, and how far they are; or cancel one.

    A training goes on in a process of its own, also when the program that began it has ended.
    """
    opened = session.project(project)
    if cancel is not None:
        found = opened.cancel_training(cancel)
        if not session.out.data(found):
            session.out.line(f"{found.name} ends with the best so far.")
        return
    known = opened.trainings()
    if session.out.data(known):
        return
    rows = [
        [item.id, item.name, item.state, f"{item.progress.get('progress', {}).get('done', 0):.0%}", item.created_at,
         item.error]
        for item in known
    ]  # fmt: skip
    columns = ["id", "training", "state", "done", "begun", "error"]
    session.out.table(columns, rows, none="There are no trainings. 'countersign train PROJECT' begins one.")
