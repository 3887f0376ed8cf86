"""What one call of the program knows: where the workspace is, how to print, what is open."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from countersign.cli.output import Output

if TYPE_CHECKING:
    from countersign.domain.run import Run
    from countersign.workbench.project import Project
    from countersign.workbench.workspace import Workspace


@dataclass
class Session:
    """Made once per call. The workspace opens on first use, and is closed by ``main``."""

    workspace: str | None = None
    blobs: str | None = None
    as_json: bool = False
    quiet: bool = False
    opened: Workspace | None = field(default=None, repr=False)

    @property
    def out(self) -> Output:
        return Output(as_json=self.as_json, quiet=self.quiet)

    def open(self, *, create: bool = False) -> Workspace:
        """Open the workspace that the options, the environment or the folder name. Raises WorkspaceError."""
        if self.opened is None:
            from countersign.workbench.workspace import open_workspace

            self.opened = open_workspace(self.workspace, blobs=self.blobs, create=create)
        return self.opened

    def project(self, name: str, *, create: bool = False) -> Project:
        return self.open(create=create).project(name, create=create)

    def run(self, name: str, project: str | None) -> tuple[Project, Run]:
        """Find a run by its name or id, or by the name of the field that it writes."""
        return self.open().find_run(name, project=project)

    def close(self) -> None:
        if self.opened is not None:
            self.opened.close()
            self.opened = None


def on_terminal() -> bool:
    """Whether a person watches the messages."""
    return sys.stderr.isatty()


pass_session = click.make_pass_decorator(Session)
