"""Countersign: models label images, a person countersigns.

The names below are the public Python interface. They load on first use, so that
``import countersign`` costs next to nothing and never imports torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from countersign.client.workspace import connect as connect
    from countersign.workbench.project import Project as Project
    from countersign.workbench.workspace import Workspace as Workspace
    from countersign.workbench.workspace import open_workspace as open_workspace

_EXPORTS = {
    "Project": "countersign.workbench.project",
    "Workspace": "countersign.workbench.workspace",
    "connect": "countersign.client.workspace",
    "open_workspace": "countersign.workbench.workspace",
}

__all__ = ["Project", "Workspace", "__version__", "connect", "open_workspace"]


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(import_module(_EXPORTS[name]), name)
    raise AttributeError(f"module 'countersign' has no attribute {name!r}")
