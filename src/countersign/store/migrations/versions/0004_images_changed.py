"""A count of the changes to a project's images: what other processes do to tags and splits is seen by it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("project", sa.Column("images_changed", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("project", "images_changed")
