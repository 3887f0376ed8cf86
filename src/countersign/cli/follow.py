"""Watches a run until it stops, and says how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from countersign.cli.output import count
from countersign.cli.progress import progress
from countersign.cli.session import Session
from countersign.domain.errors import Cancelled, CountersignError
from countersign.domain.run import Run, RunState
from countersign.workbench.progress import Progress

if TYPE_CHECKING:
    from countersign.domain.work import RunProgress
    from countersign.workbench.project import Project


def follow(session: Session, project: Project, run: Run, *, detach: bool = False) -> None:
    """Wait for a run with a progress display and print its end; with ``detach`` only print that it runs.

    Ctrl-C pauses the run. Raises CountersignError where the run ended in an error.
    """
    if detach:
        if not session.out.data(run):
            session.out.line(f"{run.name} runs; 'countersign show {run.name}' tells how far it is.")
        return
    try:
        with progress(session) as show:
            run = project.wait(
                run.id, on_progress=None if show is None else lambda now: show(as_progress(run.name, now))
            )
    except KeyboardInterrupt:
        now = project.find_run(run.id)  # waiting was interrupted, which has asked the workers to pause
        raise Cancelled(
            f"{run.name} is {now.state.replace('_', ' ')}", remedy=f"Go on with 'countersign resume {run.name}'."
        ) from None
    _conclude(session, run)


def as_progress(name: str, now: RunProgress) -> Progress:
    """What a run reports, as what a progress display shows."""
    done = now.done + now.failed
    told = f"{now.labels:,} labels" + (f", {now.failed:,} failed" if now.failed else "")
    # Before the first image: that engines are being measured, which takes a while.
    return Progress(name, done, now.total, now.note if now.note and not done else told)


def _conclude(session: Session, run: Run) -> None:
    if run.state == RunState.ERROR:
        raise CountersignError(
            f"{run.name} stopped with an error after {run.done:,} of {run.total:,} images: {run.error}",
            remedy=f"Go on: 'countersign resume {run.name}'; or review what there is: 'countersign skip {run.name}'.",
        )
    if session.out.data(run):
        return
    text = f"{run.name} is {run.state.replace('_', ' ')}: {count(run.labels, 'label')} on {count(run.done, 'image')}"
    if run.failed:
        text += f", {count(run.failed, 'image')} failed ('countersign show {run.name}' says why)"
    session.out.line(f"{text}.")
    if run.state == RunState.IN_REVIEW:
        session.out.line(f"Next: countersign stats {run.name}")
