"""Alembic migrations. ``countersign.store.schema`` runs them."""
