"""``countersign runs``, and what can be done with one run: show, pause, resume, cancel, skip, rename."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from countersign.cli.follow import follow
from countersign.cli.options import common, run_argument
from countersign.cli.output import count
from countersign.cli.progress import duration
from countersign.cli.session import Session, pass_session

if TYPE_CHECKING:
    from countersign.domain.run import Run


@click.command()
@click.argument("project", required=False)
@common
@pass_session
def runs(session: Session, project: str | None) -> None:
    """List the runs of PROJECT, or of all projects."""
    workspace = session.open()
    names = [project] if project else [item.project.name for item in workspace.projects()]
    found = [(name, run) for name in names for run in workspace.project(name).runs()]
    if session.out.data([run for _, run in found]):
        return
    rows = [
        [name, run.id, run.name, run.state, run.spec.model, run.spec.field, run.done, run.failed, run.total, run.labels]
        for name, run in found
    ]
    columns = ["project", "id", "run", "state", "model", "field", "done", "failed", "of", "labels"]
    session.out.table(
        columns, rows, none="There are no runs. 'countersign run PROJECT --model M --field NEW' begins one."
    )


@click.command()
@run_argument
@click.option(
    "--failures", type=click.IntRange(0), default=20, show_default=True, help="List at most so many failed images."
)
@common
@pass_session
def show(session: Session, run: str, project: str | None, failures: int) -> None:
    """Show one RUN: what it was told to do, how far it is, which images failed and why."""
    opened, found = session.run(run, project)
    now = opened.progress(found.id)
    failed = opened.failures(found.id, limit=failures) if failures else []
    if session.out.data({"run": found, "progress": now, "failures": failed}):
        return
    spec = found.spec
    pairs = [
        ("run", f"{found.name} (id {found.id}) of {opened.name}"),
        ("state", f"{now.state}{f': {now.error}' if now.error else ''}"),
        ("images", f"{now.done:,} done, {now.failed:,} failed, {now.pending:,} to do, of {now.total:,}"),
        ("labels", f"{now.labels:,} in {spec.field}"),
        ("model", spec.model),
        *_told(found),
        ("begun by", f"{found.created_by}, {found.created_at.astimezone():%Y-%m-%d %H:%M}"),
    ]
    if now.active:
        left = f", {duration(now.eta_s)} left" if now.eta_s is not None else ""
        pairs.append(("speed", f"{now.rate:.1f} images/s{left}, {count(now.workers, 'worker')}"))
    session.out.pairs(pairs)
    for item in failed:
        session.out.line(f"  {item.name}: {item.reason}")
    if now.failed > len(failed):
        session.out.line(f"  ... and {now.failed - len(failed):,} more (--failures)")


def _told(run: Run) -> list[tuple[str, Any]]:
    """Return what a run was told, and what it had to mend, as far as there is something to say."""
    spec = run.spec
    pairs = [
        ("engine", run.note),
        ("second model", spec.refiner),
        ("boxes of", spec.boxes_field),
        ("task", (spec.task or "").replace("_", " ")),
        ("least confidence", str(spec.min_confidence)),
        ("classes", ", ".join(spec.classes) or ("" if spec.prompts else "all")),
        ("prompts", ", ".join(f"{item.text} = {item.class_name or '(negative)'}" for item in spec.prompts)),
        ("label map", ", ".join(f"{name} = {own or '(left out)'}" for name, own in spec.label_map.items())),
        ("settings", ", ".join(f"{name} = {value}" for name, value in spec.settings.items())),
        ("masks in", spec.masks),
        ("mended", ", ".join(f"{number:,} {what}" for what, number in sorted(run.tally.items()))),
    ]
    return [(name, value) for name, value in pairs if value]


@click.command()
@run_argument
@common
@pass_session
def pause(session: Session, run: str, project: str | None) -> None:
    """Pause RUN: its workers finish their batch and stop."""
    opened, found = session.run(run, project)
    _said(session, opened.pause(found.id))


@click.command()
@run_argument
@click.option("--detach", is_flag=True, help="Do not wait for the end.")
@common
@pass_session
def resume(session: Session, run: str, project: str | None, detach: bool) -> None:
    """Go on with RUN where it was: paused, cancelled, stopped by an error, or with failed images to try again."""
    opened, found = session.run(run, project)
    follow(session, opened, opened.resume(found.id), detach=detach)


@click.command()
@run_argument
@common
@pass_session
def cancel(session: Session, run: str, project: str | None) -> None:
    """Cancel RUN. What it has labelled stays; it may be resumed, or taken to review with 'skip'."""
    opened, found = session.run(run, project)
    _said(session, opened.cancel(found.id))


@click.command()
@run_argument
@common
@pass_session
def skip(session: Session, run: str, project: str | None) -> None:
    """Take RUN to review with what there is: images that are not done are left out."""
    opened, found = session.run(run, project)
    _said(session, opened.skip_to_review(found.id))


@click.command()
@run_argument
@click.argument("new_name")
@common
@pass_session
def rename(session: Session, run: str, new_name: str, project: str | None) -> None:
    """Give RUN another name. The field that it writes keeps its own."""
    opened, found = session.run(run, project)
    _said(session, opened.rename_run(found.id, new_name))


def _said(session: Session, run: object) -> None:
    if not session.out.data(run):
        session.out.line(f"{getattr(run, 'name', '')} is {str(getattr(run, 'state', '')).replace('_', ' ')}.")
