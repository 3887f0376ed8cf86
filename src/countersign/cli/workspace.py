"""``countersign workspace``: where everything is kept."""

from __future__ import annotations

from pathlib import Path

import click

from countersign.cli.options import FILE, common
from countersign.cli.session import Session, pass_session


@click.group(invoke_without_command=True)
@common
@pass_session
@click.pass_context
def workspace(ctx: click.Context, session: Session) -> None:
    """Say where the workspace is, why it is this one, and what it holds; create one.

    The workspace is the one that --workspace names, else COUNTERSIGN_WORKSPACE, else the nearest folder upwards from
    the current one that holds a countersign.db, else your data folder.
    """
    if ctx.invoked_subcommand is not None:
        return
    info = session.open().info()
    if session.out.data(info):
        return
    session.out.pairs(
        [
            ("workspace", info.workspace),
            ("chosen", info.chosen),
            ("database", info.database),
            ("weights and masks", info.blobs),
            ("you", info.user),
            ("version", info.version),
            ("projects", info.projects),
            ("images", info.images),
            ("labels", info.labels),
            ("models", info.models),
        ]
    )


@workspace.command()
@click.argument("folder", type=FILE, default=Path())
@common
@pass_session
def create(session: Session, folder: Path) -> None:
    """Make FOLDER (the current one, if not given) a workspace. Commands given in it or below will use it."""
    session.workspace = str(folder)
    info = session.open(create=True).info()
    if not session.out.data(info):
        session.out.line(f"{info.workspace} is a workspace.")
