"""``countersign demo``: the whole job on made-up pictures, with a score at the end."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from countersign.cli.follow import as_progress
from countersign.cli.learning import TrainingDisplay
from countersign.cli.options import common
from countersign.cli.output import count
from countersign.cli.progress import duration, progress
from countersign.cli.session import Session, pass_session
from countersign.domain.errors import CountersignError

if TYPE_CHECKING:
    from countersign.workbench.demo import Demo, Score, Settings
    from countersign.workbench.project import Project


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Folder for the pictures and the workspace; a former demo there is made anew.",
)
@click.option("--budget", type=click.FloatRange(1, 3600), default=60.0, show_default=True, help="Seconds of training.")
@click.option("--seed", type=int, default=7, show_default=True, help="Another seed makes other pictures.")
@click.option("--images", type=click.IntRange(20, 10_000), default=120, show_default=True, help="How many pictures.")
@click.option("--serve/--no-serve", default=True, help="Open the workbench on it afterwards, if this is a terminal.")
@common
@pass_session
def demo(session: Session, out: Path, budget: float, seed: int, images: int, serve: bool) -> None:
    """See the whole job done on made-up pictures: teach, auto-label, review, approve, export, score.

    Everything happens in one folder, offline: nothing of yours is touched. On a terminal it ends in the workbench, in
    your browser, where all of it can be looked at.
    """
    from countersign.workbench import demo as story

    settings = story.Settings(images=images, budget=budget, seed=seed)
    started = time.monotonic()
    say = session.out.notice if session.as_json else session.out.line
    say(f"1. {images} microscope-like pictures with cells of three classes, made with seed {seed}.")
    made = story.prepare(out, settings)
    session.workspace = str(out / "workspace")
    project = story.open_project(session.open(create=True), made)
    say(f"   In {made.pictures}; somebody has labelled {len(made.taught)} of them: {made.teacher.name}.")
    _teach(session, project, made, settings)
    _label(session, project)
    _review(session, project, settings)
    exported = out / "cells.json"
    project.export(exported, format="coco")
    say(f"6. Exported to {exported} (COCO).")
    result = story.score(project, made)
    seconds = time.monotonic() - started
    if not session.out.data({"score": result, "seconds": seconds, "folder": out}):
        _conclude(session, result, made, seconds)
        if serve and sys.stdin.isatty() and sys.stdout.isatty():
            _open_workbench(session)


def _open_workbench(session: Session) -> None:
    from countersign.cli.serve import serve

    session.out.line()
    session.out.line("Now look at it in the browser; Ctrl-C ends this.")
    click.get_current_context().invoke(serve)


def _teach(session: Session, project: Project, made: Demo, settings: Settings) -> None:
    from countersign.workbench.demo import MODEL

    session.out.notice(f"2. A model learns from these {len(made.taught)}, for {duration(settings.budget)}.")
    with TrainingDisplay(session) as display:
        project.train(
            images=list(made.taught),
            name=MODEL,
            on_event=display.show,
            should_cancel=display.interrupted,
            budget=settings.budget,
            seed=settings.seed,
        )


def _label(session: Session, project: Project) -> None:
    from countersign.workbench.demo import FIELD, MODEL

    rest = project.count("-has=ground_truth")
    session.out.notice(f"3. It labels the other {rest} pictures into a field of its own, {FIELD!r}.")
    run = project.start_run(MODEL, FIELD, images="-has=ground_truth")
    with progress(session) as show:
        run = project.wait(run.id, on_progress=None if show is None else lambda now: show(as_progress(run.name, now)))
    if run.error or run.failed:
        raise CountersignError(f"{run.name} did not label all: {run.error or count(run.failed, 'image') + ' failed'}")


def _review(session: Session, project: Project, settings: Settings) -> None:
    from countersign.domain.query import LabelFilter
    from countersign.workbench.demo import FIELD

    review = project.review(FIELD)
    sure = LabelFilter(min_confidence=settings.threshold)
    if not session.as_json:
        session.out.line(f"4. What it proposes with a confidence of at least {settings.threshold}:")
        rows = [(item.class_name, item.current, item.total, item.mean_confidence) for item in review.stats(sure)]
        session.out.table(("   class", "shown", "of", "mean confidence"), [(f"   {row[0]}", *row[1:]) for row in rows])
    promoted = review.promote(sure)
    approved = review.approve(empty=True)
    session.out.notice(
        f"5. {count(promoted.count, 'label')} promoted, {approved.count:,} approved into 'ground_truth'; "
        "the rest is kept as rejected."
    )


def _conclude(session: Session, score: Score, made: Demo, seconds: float) -> None:
    line = session.out.line
    by_hand = score.truth + score.drawn
    line(
        f"7. How right is it? Of the {score.approved:,} labels approved, {score.right:,} are right "
        f"({score.precision:.0%}); they are {score.recall:.0%} of the {score.truth:,} cells that are there."
    )
    line(f"   {score.missing} cells are missing, {score.extra} labels extra, {score.relabelled} of a wrong class.")
    line()
    line(f"   By hand:          {by_hand:,} boxes to draw.")
    line(
        f"   With Countersign: {score.drawn} boxes drawn, 2 clicks (promote, approve), "
        f"{score.corrections} corrections to make all perfect: {by_hand / (score.drawn + 2 + score.corrections):.1f} "
        "times fewer actions."
    )
    line(f"   It took {duration(seconds)}. IoU of at least 0.5 and the same class counts as right.")
    line()
    line("Look around:")
    line(f"   export COUNTERSIGN_WORKSPACE={made.folder / 'workspace'}")
    line(
        "   countersign stats auto1        countersign history cells        countersign labels auto1 --order confidence"
    )
    line()
    line("The same with your own images (labels beside them, or in any common format, are found):")
    line("   countersign import mine path/to/folder")
    line("   countersign train mine --budget 120")
    line('   countersign run mine --model mine-1 --field auto1 --images "-has=ground_truth"')
    line("   countersign stats auto1 --min-confidence 0.5")
    line("   countersign promote auto1 --min-confidence 0.5 && countersign approve auto1")
    line("   countersign export mine --field ground_truth --format coco --out labels.json")
