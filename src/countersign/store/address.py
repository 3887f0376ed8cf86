"""Where a store is, as text that opens it again in another process. It may hold a password: never print it."""

from __future__ import annotations

from countersign.store.engine import Store


def address(store: Store) -> str:
    """Return what ``Store.open`` takes to open the same store: a folder or a URL with its password."""
    return str(store.folder) if store.embedded else store._engine.url.render_as_string(hide_password=False)
