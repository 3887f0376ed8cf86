"""``countersign projects``: list, create, rename, delete."""

from __future__ import annotations

import click

from countersign.cli.options import common
from countersign.cli.output import count
from countersign.cli.session import Session, pass_session


@click.group(invoke_without_command=True)
@common
@pass_session
@click.pass_context
def projects(ctx: click.Context, session: Session) -> None:
    """List the projects of the workspace with their counts; create, rename or delete one."""
    if ctx.invoked_subcommand is not None:
        return
    found = session.open().projects()
    if session.out.data([{"name": item.project.name, **_counts(item)} for item in found]):
        return
    rows = [[item.project.name, *_counts(item).values()] for item in found]
    session.out.table(
        ["project", "images", "labels", "fields", "runs", "last change"],
        rows,
        none="There are no projects. 'countersign import PROJECT PATH' makes one.",
    )


def _counts(item: object) -> dict[str, object]:
    return {name: getattr(item, name) for name in ("images", "labels", "fields", "runs", "last_change")}


@projects.command()
@click.argument("name")
@common
@pass_session
def create(session: Session, name: str) -> None:
    """Make an empty project."""
    project = session.open(create=True).create_project(name)
    if not session.out.data({"name": project.name, "id": project.id}):
        session.out.line(f"Made the project {project.name}.")


@projects.command()
@click.argument("name")
@click.argument("new_name")
@common
@pass_session
def rename(session: Session, name: str, new_name: str) -> None:
    """Give a project another name."""
    project = session.open().rename_project(name, new_name)
    if not session.out.data({"name": project.name, "id": project.id}):
        session.out.line(f"{name} is now {project.name}.")


@projects.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
@pass_session
def delete(session: Session, name: str, yes: bool) -> None:
    """Delete a project with its labels, runs and history. Image files stay where they are."""
    workspace = session.open()
    project = workspace.project(name)
    labels = sum(item.labels for item in workspace.projects() if item.project.name == name)
    question = f"Delete {name}: {count(project.count(), 'image')} and {count(labels, 'label')}, for good?"
    if not yes:
        click.confirm(question, abort=True, err=True)
    workspace.delete_project(name)
    if not session.out.data({"deleted": name}):
        session.out.line(f"Deleted the project {name}.")
