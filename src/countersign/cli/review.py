"""``countersign stats``, ``labels``, ``promote``, ``reject``, ``undo``, ``edit``, ``approve`` and ``review``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from countersign.cli.options import class_option, common, confidence_options, images_option, names_option, run_argument
from countersign.cli.output import count
from countersign.cli.session import Session, pass_session
from countersign.cli.values import label_filter, query, states_option

if TYPE_CHECKING:
    from countersign.domain.geometry import Box
    from countersign.domain.query import ImageQuery, LabelFilter
    from countersign.workbench.reviewing import Review

F = TypeVar("F", bound=Callable[..., Any])


_LABEL_IDS = names_option("--label", "ids", help_text="These labels, by their ids.", metavar="ID[,ID...]")


def _selecting(function: F) -> F:
    """Add what chooses labels of a run: class, confidence, images."""
    return class_option(confidence_options(images_option()(function)))


def _open(session: Session, run: str, project: str | None, images: str | None) -> tuple[Review, ImageQuery | None]:
    if project is not None and run in {item.field.name for item in session.project(project).fields()}:
        opened = session.project(project)
        review = opened.review(run)
    else:
        opened, found = session.run(run, project)
        review = opened.review(found.id)
    return review, query(session, opened, images)


@click.command()
@run_argument
@_selecting
@states_option("all")
@click.option("--histogram", is_flag=True, help="Show how confidence is spread, too.")
@common
@pass_session
def stats(
    session: Session,
    run: str,
    project: str | None,
    classes: tuple[str, ...],
    min_confidence: float | None,
    max_confidence: float | None,
    images: str | None,
    states: tuple[str, ...],
    histogram: bool,
) -> None:
    """Count the labels of RUN per class, as shown of all, with their mean confidence.

    RUN is a run's name or id, or the field that it writes. With --project it may be any field, verified ones included.
    """
    review, chosen = _open(session, run, project, images)
    wanted = label_filter(classes, min_confidence, max_confidence, states)
    found = review.stats(wanted, images=chosen)
    bins = review.histogram(wanted, images=chosen) if histogram else []
    if session.out.data({"field": review.field, "classes": found, **({"histogram": bins} if histogram else {})}):
        return
    rows: list[list[Any]] = [[item.class_name, item.current, item.total, item.mean_confidence] for item in found]
    if len(rows) > 1:
        rows.append(["all", sum(row[1] for row in rows), sum(row[2] for row in rows), _mean(rows)])
    session.out.table(["class", "shown", "of", "mean confidence"], rows, none="There are no labels.")
    for line in _bars(bins):
        session.out.line(line)


def _mean(rows: list[list[Any]]) -> float | None:
    weighed = [(row[1], row[3]) for row in rows if row[3] is not None and row[1]]
    total = sum(number for number, _ in weighed)
    return sum(number * mean for number, mean in weighed) / total if total else None


def _bars(bins: list[int]) -> list[str]:
    if not bins:
        return []
    highest = max(bins) or 1
    step = 1 / len(bins)
    return ["", "confidence"] + [
        f"{i * step:.2f}-{(i + 1) * step:.2f} {number:>9,} {'#' * round(40 * number / highest)}"
        for i, number in enumerate(bins)
    ]


@click.command()
@run_argument
@_selecting
@states_option("all")
@click.option(
    "--order", type=click.Choice(["id", "confidence", "-confidence"]), default="id", show_default=True,
    help="By id, or by confidence from the lowest or (-) the highest.",
)  # fmt: skip
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="List at most so many.")
@common
@pass_session
def labels(
    session: Session,
    run: str,
    project: str | None,
    classes: tuple[str, ...],
    min_confidence: float | None,
    max_confidence: float | None,
    images: str | None,
    states: tuple[str, ...],
    order: str,
    limit: int,
) -> None:
    """List single labels of RUN (or, with --project, of any field)."""
    review, chosen = _open(session, run, project, images)
    wanted = label_filter(classes, min_confidence, max_confidence, states)
    page = review.labels(wanted, images=chosen, order=order, limit=limit)
    if session.out.data({"field": review.field, "labels": page.items}):
        return
    rows = [
        [item.id, item.image_id, item.class_name, item.kind, _place(item.geometry), item.confidence, item.state]
        for item in page.items
    ]
    columns = ["label", "image", "class", "kind", "x y width height", "confidence", "state"]
    session.out.table(columns, rows, none="There are no such labels.")


def _place(geometry: Any) -> str:
    return "" if geometry is None else " ".join(f"{value:.0f}" for value in geometry.bounds)


@click.command()
@run_argument
@_selecting
@_LABEL_IDS
@common
@pass_session
def promote(
    session: Session,
    run: str,
    project: str | None,
    classes: tuple[str, ...],
    min_confidence: float | None,
    max_confidence: float | None,
    images: str | None,
    ids: tuple[str, ...],
) -> None:
    """Mark labels of RUN as right: approval will take them. Those that the filter shows, or single ones by id."""
    review, chosen = _open(session, run, project, images)
    wanted = label_filter(classes, min_confidence, max_confidence)
    if ids:
        _either(wanted, images)
        change = review.promote(ids=[_number(value) for value in ids])
    else:
        change = review.promote(wanted, images=chosen)
    if not session.out.data(change):
        session.out.line(f"Promoted {count(change.count, 'label')} of {review.name}.")


@click.command()
@run_argument
@_selecting
@_LABEL_IDS
@common
@pass_session
def reject(
    session: Session,
    run: str,
    project: str | None,
    classes: tuple[str, ...],
    min_confidence: float | None,
    max_confidence: float | None,
    images: str | None,
    ids: tuple[str, ...],
) -> None:
    """Mark labels of RUN as wrong: those that the filter shows, or single ones by id. They are kept as negatives."""
    review, chosen = _open(session, run, project, images)
    wanted = label_filter(classes, min_confidence, max_confidence)
    if ids:
        _either(wanted, images)
        change = review.reject(ids=[_number(value) for value in ids])
    elif wanted.empty and not images:
        raise click.UsageError(
            "Say which labels: --class, --min-confidence, --max-confidence, --images or --label.",
            click.get_current_context(),
        )
    else:
        change = review.reject(wanted, images=chosen)
    if not session.out.data(change):
        session.out.line(f"Rejected {count(change.count, 'label')} of {review.name}.")


def _either(wanted: LabelFilter, images: str | None) -> None:
    if not wanted.empty or images:
        raise click.UsageError("Give --label or a filter, not both.", click.get_current_context())


def _number(text: str) -> int:
    if not text.isdecimal():
        raise click.BadParameter(f"{text!r} is no label's id.", param_hint="--label")
    return int(text)


@click.command()
@run_argument
@class_option
@click.option("--rejected", is_flag=True, help="Take rejections back instead.")
@common
@pass_session
def undo(session: Session, run: str, project: str | None, classes: tuple[str, ...], rejected: bool) -> None:
    """Take the promotions in RUN back: all, or those of one class. The labels are proposals again.

    To undo one change of any kind, see 'countersign history PROJECT --undo CHANGE'.
    """
    review, _ = _open(session, run, project, None)
    change = review.restore(label_filter(classes, None, None)) if rejected else review.undo(classes)
    if not session.out.data(change):
        what = "rejection" if rejected else "promotion"
        session.out.line(f"Took back the {what} of {count(change.count, 'label')} of {review.name}.")


@click.command()
@run_argument
@click.argument("label", type=int)
@click.option("--class", "class_name", metavar="NAME", help="The class that it should be.")
@click.option("--box", metavar="X,Y,WIDTH,HEIGHT", help="The box that it should have, in pixels of the upright image.")
@common
@pass_session
def edit(session: Session, run: str, label: int, project: str | None, class_name: str | None, box: str | None) -> None:
    """Correct one LABEL (its id) of RUN: its class, its box. It counts as promoted then."""
    if class_name is None and box is None:
        raise click.UsageError("Say what to correct: --class or --box.", click.get_current_context())
    review, _ = _open(session, run, project, None)
    changed = review.edit(label, class_name=class_name, geometry=_box(box))
    if not session.out.data(changed):
        session.out.line(f"Label {label} is now {changed.class_name} {_place(changed.geometry)}".rstrip() + ".")


def _box(text: str | None) -> Box | None:
    from countersign.domain.geometry import Box

    if text is None:
        return None
    try:
        x, y, width, height = (float(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"{text!r} is not X,Y,WIDTH,HEIGHT.", param_hint="--box") from None
    return Box(x, y, width, height)


@click.command()
@run_argument
@click.option("--into", default="ground_truth", show_default=True, metavar="FIELD", help="Field that they join.")
@click.option("--empty", is_flag=True, help="Close RUN also where nothing of it is promoted: all is rejected then.")
@common
@pass_session
def approve(session: Session, run: str, project: str | None, into: str, empty: bool) -> None:
    """Join the promoted labels of RUN to the verified ones, and close the run. The rest stays in it as rejected."""
    review, _ = _open(session, run, project, None)
    change = review.approve(into, empty=empty)
    if not change.count:
        session.out.notice("Nothing of it was promoted: all its labels are rejected now.")
    if not session.out.data(change):
        session.out.line(f"Approved {count(change.count, 'label')} of {review.name} into {into}.")


@click.command()
@click.argument("project")
@click.argument("field")
@common
@pass_session
def review(session: Session, project: str, field: str) -> None:
    """Make FIELD of PROJECT, whose labels have confidences (imported results, say), reviewable like a run."""
    run = session.project(project).adopt(field)
    if not session.out.data(run):
        session.out.line(f"{field} is in review as the run {run.name}: see 'countersign stats {run.name}'.")
