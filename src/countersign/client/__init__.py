"""The verbs of the workbench against a server, over HTTP: ``countersign.connect(url, token)``.

Gives what the verbs in this process give: the same names, the same arguments, the same values. Files are the
caller's: what is imported is uploaded unless the server runs on the same computer and allows paths, what is exported
is downloaded.
"""

from countersign.client.workspace import Workspace, connect

__all__ = ["Workspace", "connect"]
