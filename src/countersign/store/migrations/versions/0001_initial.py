"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "label",
        sa.Column("id", Id, sa.Identity(always=False), nullable=False),
        sa.Column("field_id", Id, nullable=False),
        sa.Column("image_id", Id, nullable=False),
        sa.Column("class_id", Id, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("x", sa.Double(), nullable=True),
        sa.Column("y", sa.Double(), nullable=True),
        sa.Column("width", sa.Double(), nullable=True),
        sa.Column("height", sa.Double(), nullable=True),
        sa.Column("geometry", sa.LargeBinary(), nullable=True),
        sa.Column("provenance_id", Id, nullable=True),
        sa.Column("verified_by", sa.Text(), nullable=True),
        sa.Column("verified_how", sa.Text(), nullable=True),
        sa.Column("attributes", sa.Text(), nullable=True),
        sa.Column("created_change", Id, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label")),
    )
    op.create_index(
        "ix_label_image",
        "label",
        ["field_id", "image_id", "id", "class_id", "confidence", "state"],
        unique=False,
    )
    op.create_index(
        "ix_label_review",
        "label",
        ["field_id", "class_id", "confidence", "id", "image_id", "state"],
        unique=False,
    )
    op.create_table(
        "label_block",
        sa.Column("field_id", Id, autoincrement=False, nullable=False),
        sa.Column("state", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("class_id", Id, autoincrement=False, nullable=False),
        sa.Column("block", Id, autoincrement=False, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("field_id", "state", "class_id", "block", name=op.f("pk_label_block")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "label_change",
        sa.Column("change_id", Id, autoincrement=False, nullable=False),
        sa.Column("label_id", Id, autoincrement=False, nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("before_state", sa.SmallInteger(), nullable=True),
        sa.Column("after_state", sa.SmallInteger(), nullable=True),
        sa.PrimaryKeyConstraint("change_id", "label_id", name=op.f("pk_label_change")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_label_change_label", "label_change", ["label_id"], unique=False)
    op.create_table(
        "label_removed",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("field_id", Id, nullable=False),
        sa.Column("image_id", Id, nullable=False),
        sa.Column("class_id", Id, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("x", sa.Double(), nullable=True),
        sa.Column("y", sa.Double(), nullable=True),
        sa.Column("width", sa.Double(), nullable=True),
        sa.Column("height", sa.Double(), nullable=True),
        sa.Column("geometry", sa.LargeBinary(), nullable=True),
        sa.Column("provenance_id", Id, nullable=True),
        sa.Column("verified_by", sa.Text(), nullable=True),
        sa.Column("verified_how", sa.Text(), nullable=True),
        sa.Column("attributes", sa.Text(), nullable=True),
        sa.Column("created_change", Id, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_removed")),
    )
    op.create_index("ix_label_removed_field", "label_removed", ["field_id"], unique=False)
    op.create_table(
        "label_summary",
        sa.Column("field_id", Id, autoincrement=False, nullable=False),
        sa.Column("state", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("class_id", Id, autoincrement=False, nullable=False),
        sa.Column("bin", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("total_confidence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("field_id", "state", "class_id", "bin", name=op.f("pk_label_summary")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "verdict",
        sa.Column("field_id", Id, autoincrement=False, nullable=False),
        sa.Column("label_id", Id, autoincrement=False, nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("was", sa.SmallInteger(), nullable=False),
        sa.Column("class_id", Id, nullable=False),
        sa.Column("image_id", Id, nullable=False),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("change_id", Id, nullable=False),
        sa.Column("how", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("field_id", "label_id", name=op.f("pk_verdict")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "model",
        sa.Column("id", Id, sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model")),
        sa.UniqueConstraint("name", name=op.f("uq_model_name")),
    )
    op.create_table(
        "project",
        sa.Column("id", Id, sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project")),
        sa.UniqueConstraint("name", name=op.f("uq_project_name")),
    )
    op.create_table(
        "provenance",
        sa.Column("id", Id, sa.Identity(always=False), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("weights_hash", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("min_confidence", sa.Double(), nullable=True),
        sa.Column("run_id", Id, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provenance")),
        sa.UniqueConstraint("digest", name=op.f("uq_provenance_digest")),
    )
    op.create_table(
        "run_image",
        sa.Column("run_id", Id, autoincrement=False, nullable=False),
        sa.Column("image_id", Id, autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("claimed_at", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "image_id", name=op.f("pk_run_image")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_run_image_state", "run_image", ["run_id", "state", "image_id"], unique=False)
    op.create_table(
        "change",
        sa.Column("id", Id, sa.Identity(always=False), nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("field_id", Id, nullable=True),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("run_id", Id, nullable=True),
        sa.Column("undoes", Id, nullable=True),
        sa.Column("undone_by", Id, nullable=True),
        sa.Column("first_label", Id, nullable=True),
        sa.Column("last_label", Id, nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_change_project_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
    )
    op.create_index(op.f("ix_change_project_id"), "change", ["project_id"], unique=False)
    op.create_table(
        "field",
        sa.Column("id", Id, sa.Identity(always=False), nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("run_id", Id, nullable=True),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_field_project_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_field")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_field_project_id_name")),
    )
    op.create_table(
        "image",
        sa.Column("id", Id, sa.Identity(always=False), nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("name_stem", sa.Text(), nullable=False),
        sa.Column("path_stem", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("bands", sa.Integer(), nullable=False),
        sa.Column("dtype", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("modified_ns", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("split", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_image_project_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_image")),
        sa.UniqueConstraint("project_id", "content_hash", name=op.f("uq_image_project_id_content_hash")),
    )
    op.create_index("ix_image_id", "image", ["project_id", "id"], unique=False)
    op.create_index("ix_image_name", "image", ["project_id", "name_stem"], unique=False)
    op.create_index("ix_image_path", "image", ["project_id", "path_stem"], unique=False)
    op.create_table(
        "image_tag",
        sa.Column("project_id", Id, nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("image_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_image_tag_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", "tag", "image_id", name=op.f("pk_image_tag")),
    )
    op.create_index(op.f("ix_image_tag_image_id"), "image_tag", ["image_id"], unique=False)
    op.create_table(
        "label_class",
        sa.Column("id", Id, sa.Identity(always=False), nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("color", sa.Text(), nullable=False),
        sa.Column("keypoint_names", sa.Text(), nullable=False),
        sa.Column("skeleton", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_label_class_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_class")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_label_class_project_id_name")),
    )
    op.create_table(
        "training",
        sa.Column("id", Id, sa.Identity(always=False), nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("progress", sa.Text(), nullable=True),
        sa.Column("model_id", Id, nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.Column("pid", sa.Integer(), nullable=True),
        sa.Column("beat_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_training_model_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_training_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training")),
    )
    op.create_index(op.f("ix_training_project_id"), "training", ["project_id"], unique=False)
    op.create_table(
        "run",
        sa.Column("id", Id, sa.Identity(always=False), nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("field_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=True),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("labels", sa.BigInteger(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("target_field", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["field_id"], ["field.id"], name=op.f("fk_run_field_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_run_project_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_run_project_id_name")),
    )
    op.create_index("ix_run_field", "run", ["field_id"], unique=False)
    op.create_table(
        "worker",
        sa.Column("run_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("beat_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_worker_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "name", name=op.f("pk_worker")),
    )


def downgrade() -> None:
    op.drop_table("verdict")
    op.drop_table("label_block")
    op.drop_table("worker")
    op.drop_index("ix_run_field", table_name="run")
    op.drop_table("run")
    op.drop_index(op.f("ix_training_project_id"), table_name="training")
    op.drop_table("training")
    op.drop_table("label_class")
    op.drop_index(op.f("ix_image_tag_image_id"), table_name="image_tag")
    op.drop_table("image_tag")
    op.drop_index("ix_image_path", table_name="image")
    op.drop_index("ix_image_name", table_name="image")
    op.drop_index("ix_image_id", table_name="image")
    op.drop_table("image")
    op.drop_table("field")
    op.drop_index(op.f("ix_change_project_id"), table_name="change")
    op.drop_table("change")
    op.drop_index("ix_run_image_state", table_name="run_image")
    op.drop_table("run_image")
    op.drop_table("provenance")
    op.drop_table("project")
    op.drop_table("model")
    op.drop_table("label_summary")
    op.drop_index("ix_label_removed_field", table_name="label_removed")
    op.drop_table("label_removed")
    op.drop_index("ix_label_change_label", table_name="label_change")
    op.drop_table("label_change")
    op.drop_index("ix_label_review", table_name="label")
    op.drop_index("ix_label_image", table_name="label")
    op.drop_table("label")
