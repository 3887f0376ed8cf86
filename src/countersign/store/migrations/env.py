"""What Alembic runs: the migrations, on the connection that ``schema.upgrade`` hands over."""

from __future__ import annotations

from alembic import context

from countersign.store.schema import VERSION_TABLE
from countersign.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=connection.dialect.name == "sqlite",  # SQLite cannot alter much in place
)
context.run_migrations()
