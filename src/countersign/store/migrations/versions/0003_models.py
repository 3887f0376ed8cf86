"""Label maps of models, models behind a URL, and what a run counted while it predicted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("run", sa.Column("tally", sa.Text(), nullable=False, server_default="{}"))
    op.create_table(
        "label_map",
        sa.Column("project_id", Id, nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("classes", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_label_map_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", "model", name=op.f("pk_label_map")),
    )
    op.create_table(
        "remote_model",
        sa.Column("id", Id, sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remote_model")),
        sa.UniqueConstraint("name", name=op.f("uq_remote_model_name")),
    )


def downgrade() -> None:
    op.drop_table("remote_model")
    op.drop_table("label_map")
    op.drop_column("run", "tally")
