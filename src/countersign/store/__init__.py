"""The only SQL of the program: SQLite in a folder, or PostgreSQL for a team.

``Store.open`` gives the database; ``read()`` and ``write()`` give connections; one module per kind of record has plain
functions that take such a connection first. Nothing here knows models, formats or pixels.
"""

from countersign.store.engine import Store

__all__ = ["Store"]
