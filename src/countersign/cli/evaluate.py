"""``countersign evaluate`` and ``countersign compare``: one field against another."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from countersign.cli.options import common, images_option, names_option
from countersign.cli.output import Output, count
from countersign.cli.progress import progress
from countersign.cli.session import Session, pass_session
from countersign.cli.values import query

if TYPE_CHECKING:
    from countersign.domain.metrics import ClassificationScores, DetectionScores, SemanticScores
    from countersign.workbench.evaluation import Evaluation
    from countersign.workbench.project import Project

_KINDS = ("extra", "missing", "moved", "relabelled")
_CLASSES = "Only labels of these classes."
_IMAGES = "Only these images: a query or a file of names (if not given: those with labels in the field that is right)."


@click.command()
@click.argument("project")
@click.option("--field", required=True, help="Field to measure.")
@click.option("--against", default="ground_truth", show_default=True, help="Field that is taken to be right.")
@images_option(_IMAGES)
@names_option("--classes", "classes", help_text=_CLASSES)
@click.option("--min-confidence", type=click.FloatRange(0, 1), help="Leave labels below this out.")
@common
@pass_session
def evaluate(
    session: Session,
    project: str,
    field: str,
    against: str,
    images: str | None,
    classes: tuple[str, ...],
    min_confidence: float | None,
) -> None:
    """Measure how good a field is against another: AP and AR per class, mean IoU, accuracy and confusion.

    Every image chosen counts, also one where nothing is to be found. Rejected labels count on neither side.
    """
    opened = session.project(project)
    with progress(session) as on_progress:
        found = opened.evaluate(
            field, against, images=query(session, opened, images), classes=classes, min_confidence=min_confidence,
            on_progress=on_progress,
        )  # fmt: skip
    _warn(session.out, opened, found)
    if not session.out.data(found):
        _print(session.out, found)


def _warn(out: Output, project: Project, found: Evaluation) -> None:
    """Say so where a run never saw some of the images: what is there counts as missing."""
    for run in project.runs():
        if run.spec.field == found.field and run.done < found.images:
            out.notice(
                f"The run {run.name} labelled {count(run.done, 'image')}, and {found.images:,} are measured: "
                "what it never saw counts as missing. --images chooses."
            )


def _print(out: Output, found: Evaluation) -> None:
    out.line(f"{found.field} against {found.against} on {count(found.images, 'image')}")
    if found.boxes is not None:
        _detection(out, "Boxes", found.boxes)
    if found.masks is not None:
        _detection(out, "Masks", found.masks)
    if found.semantic is not None:
        _semantic(out, found.semantic)
    if found.classification is not None:
        _classification(out, found.classification)


def _detection(out: Output, title: str, scores: DetectionScores) -> None:
    out.line()
    rows = [
        [item.class_name, item.ap50, item.ap, item.ap75, item.ar, item.found, item.truth] for item in scores.classes
    ]
    totals = [sum(item.found for item in scores.classes), sum(item.truth for item in scores.classes)]
    rows.append(["all", scores.ap50, scores.ap, scores.ap75, scores.ar, *totals])
    out.table([title, "AP50", "AP", "AP75", "AR", "found", "right"], rows)


def _semantic(out: Output, scores: SemanticScores) -> None:
    out.line()
    rows: list[list[str | float | None]] = [[name, value] for name, value in scores.iou.items()]
    out.table(["Painted pixels", "IoU"], [*rows, ["mean", scores.mean_iou]])


def _classification(out: Output, scores: ClassificationScores) -> None:
    out.line()
    accuracy = "-" if scores.accuracy is None else f"{scores.accuracy:.3f}"
    out.line(f"Classes of images: accuracy {accuracy} on {count(scores.images, 'image')}")
    names = [name or "(none)" for name in scores.classes]
    rows = [[name, *row] for name, row in zip(names, scores.confusion, strict=True) if any(row)]
    out.table(["is \\ found", *names], rows)


@click.command()
@click.argument("project")
@click.option("--field", required=True, help="Field to look at.")
@click.option("--against", default="ground_truth", show_default=True, help="Field to compare with.")
@images_option(_IMAGES)
@names_option("--classes", "classes", help_text=_CLASSES)
@click.option("--min-confidence", type=click.FloatRange(0, 1), help="Leave labels below this out.")
@click.option(
    "--only", type=click.Choice(_KINDS), multiple=True, help="Only differences of this kind; may be repeated."
)
@click.option(
    "--match-iou", type=float, default=0.5, show_default=True, help="Overlap from which two labels are a pair."
)
@click.option("--same-iou", type=float, default=0.9, show_default=True, help="Overlap from which a pair has not moved.")
@click.option(
    "--limit", type=click.IntRange(0), default=100, show_default=True, help="List at most so many; 0 lists all."
)
@common
@pass_session
def compare(
    session: Session,
    project: str,
    field: str,
    against: str,
    images: str | None,
    classes: tuple[str, ...],
    min_confidence: float | None,
    only: tuple[str, ...],
    match_iou: float,
    same_iou: float,
    limit: int,
) -> None:
    """List where a field differs from another, label by label: extra, missing, moved, relabelled."""
    opened = session.project(project)
    found = opened.compare(
        field, against, images=query(session, opened, images), classes=classes, min_confidence=min_confidence,
        only=only, match_iou=match_iou, same_iou=same_iou,
    )  # fmt: skip
    totals = Counter(item.difference.what.value for item in found)
    shown = found[: limit or None]
    data = [
        {"image": item.image.name, "image_id": item.image.id, "what": item.difference.what, "iou": item.difference.iou,
         "found": item.difference.found, "right": item.difference.truth}
        for item in shown
    ]  # fmt: skip
    if session.out.data({"totals": {kind: totals[kind] for kind in _KINDS}, "differences": data}):
        return
    rows = [
        [item.difference.what, Path(item.image.name).name, _said(item.difference.found), _said(item.difference.truth),
         item.difference.iou]
        for item in shown
    ]  # fmt: skip
    session.out.table(["what", "image", field, against, "IoU"], rows, none="There are no differences.")
    if found:
        session.out.line(", ".join(f"{totals[kind]:,} {kind}" for kind in _KINDS))
    if len(found) > len(shown):
        session.out.notice(f"{len(found) - len(shown):,} more; --limit 0 lists all.")


def _said(label: object) -> str:
    if label is None:
        return ""
    geometry = getattr(label, "geometry", None)
    bounds = " ".join(f"{value:.0f}" for value in geometry.bounds) if geometry is not None else ""
    return f"{getattr(label, 'class_name', '')} {bounds}".strip()
