"""The tables, as SQLAlchemy Core metadata: the same on SQLite and PostgreSQL.

Bulk tables (``label``, ``label_removed``, ``label_change``, ``label_summary``, ``run_image``) carry no foreign keys: a
check per row would double the price of a million labels on PostgreSQL. The functions that write them check in sets
instead, and ``fields.delete`` and ``projects.delete`` clear them.

How a change of labels is kept:

* a label that was made says so itself (``label.created_change``); the change knows between which ids to look
  (``first_label``, ``last_label``);
* a label that changed has a row in ``label_change``: the two states, and, if more than the state changed, the old and
  the new values of the changed columns as JSON;
* a label that was deleted moves as it was to ``label_removed``; its row in ``label_change`` has no ``after_state``
  (and one that came back has no ``before_state``).

The state of a label is that of its row in ``verdict`` where it has one, else its own (``verdicts.py``); a closed field
reads some states differently (``states.py``).

What the rows mean is said by the module of each record; nothing here reads or writes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Dialect

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""A row number. SQLite numbers rows by itself only where the type is exactly INTEGER."""


class Moment(sa.TypeDecorator[datetime]):
    """A point in time, stored as seconds since 1970 (UTC), so that both databases compare it alike."""

    impl = sa.Double
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> float | None:
        return None if value is None else value.timestamp()

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromtimestamp(value, UTC)


class Json(sa.TypeDecorator[Any]):
    """JSON values as text. None is NULL."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any | None, dialect: Dialect) -> str | None:
        return None if value is None else orjson.dumps(value).decode()

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Any:
        return None if value is None else orjson.loads(value)


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> sa.Column[int]:
    return sa.Column("id", Id, sa.Identity(), primary_key=True)


def _of(table: str, *, nullable: bool = False, index: bool = False) -> sa.Column[int]:
    """A reference to a row of a table; it goes when that row goes."""
    return sa.Column(
        f"{table}_id", Id, sa.ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=nullable, index=index
    )


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, default="")


project = sa.Table(
    "project",
    metadata,
    _id(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("created_at", Moment, nullable=False),
    # Counts the changes to its images (which there are, their files, tags, splits), for who watches from elsewhere.
    sa.Column("images_changed", sa.BigInteger, nullable=False, default=0, server_default="0"),
)

image = sa.Table(
    "image",
    metadata,
    _id(),
    _of("project"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    # Last parts of name and path without the ending: what every way to write an image's name has in common.
    sa.Column("name_stem", sa.Text, nullable=False),
    sa.Column("path_stem", sa.Text, nullable=False),
    sa.Column("content_hash", sa.Text, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    _text("format"),
    sa.Column("bands", sa.Integer, nullable=False, default=3),
    sa.Column("dtype", sa.Text, nullable=False, default="uint8"),
    sa.Column("bytes", sa.BigInteger, nullable=False, default=0),
    sa.Column("modified_ns", sa.BigInteger, nullable=False, default=0),
    sa.Column("state", sa.Text, nullable=False, default="ok"),
    _text("split"),
    sa.UniqueConstraint("project_id", "content_hash"),
    sa.Index("ix_image_id", "project_id", "id"),
    sa.Index("ix_image_name", "project_id", "name_stem"),
    sa.Index("ix_image_path", "project_id", "path_stem"),
)

image_tag = sa.Table(
    "image_tag",
    metadata,
    sa.Column("project_id", Id, sa.ForeignKey("project.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("tag", sa.Text, primary_key=True),
    sa.Column("image_id", Id, primary_key=True, index=True),
)

label_class = sa.Table(
    "label_class",
    metadata,
    _id(),
    _of("project"),
    sa.Column("name", sa.Text, nullable=False),
    _text("color"),
    sa.Column("keypoint_names", Json, nullable=False),
    sa.Column("skeleton", Json, nullable=False),
    sa.UniqueConstraint("project_id", "name"),
)

field = sa.Table(
    "field",
    metadata,
    _id(),
    _of("project"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("run_id", Id),  # of the run that writes it; no foreign key, as run.field_id points back
    sa.Column("closed", sa.Boolean, nullable=False, default=False),  # see states.py
    sa.Column("created_at", Moment, nullable=False),
    sa.UniqueConstraint("project_id", "name"),
)

provenance = sa.Table(
    "provenance",
    metadata,
    _id(),
    sa.Column("digest", sa.Text, nullable=False, unique=True),
    sa.Column("origin", sa.Text, nullable=False),
    _text("source"),
    _text("model"),
    _text("model_version"),
    _text("weights_hash"),
    _text("prompt"),
    sa.Column("min_confidence", sa.Double),
    sa.Column("run_id", Id),
)


def _label_columns() -> list[sa.Column[Any]]:
    """The columns of a label: a fresh list, for the table of labels and that of removed ones."""
    return [
        sa.Column("field_id", Id, nullable=False),
        sa.Column("image_id", Id, nullable=False),
        sa.Column("class_id", Id, nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("confidence", sa.Double),
        # Bounds of the geometry in pixels; NULL for a classification. All there is to a box.
        sa.Column("x", sa.Double),
        sa.Column("y", sa.Double),
        sa.Column("width", sa.Double),
        sa.Column("height", sa.Double),
        sa.Column("geometry", sa.LargeBinary),  # what the bounds do not say: geometry_codec.py
        sa.Column("provenance_id", Id),
        sa.Column("verified_by", sa.Text),
        sa.Column("verified_how", sa.Text),
        sa.Column("attributes", Json),
        sa.Column("created_change", Id, nullable=False),
    ]


label = sa.Table(
    "label",
    metadata,
    _id(),
    *_label_columns(),
    # Both hold all that a filter asks of a label, so that filtering never reads the wide rows. The state comes last, as
    # ``verdict`` may overrule it; the id stands before it to give every order a strict end.
    sa.Index("ix_label_review", "field_id", "class_id", "confidence", "id", "image_id", "state"),
    sa.Index("ix_label_image", "field_id", "image_id", "id", "class_id", "confidence", "state"),
)

verdict = sa.Table(
    "verdict",
    metadata,
    sa.Column("field_id", Id, primary_key=True, autoincrement=False),
    sa.Column("label_id", Id, primary_key=True, autoincrement=False),
    sa.Column("state", sa.SmallInteger, nullable=False),
    # Copies of the label's own columns: taking verdicts back needs no look at the labels. See verdicts.py.
    sa.Column("was", sa.SmallInteger, nullable=False),
    sa.Column("class_id", Id, nullable=False),
    sa.Column("image_id", Id, nullable=False),
    sa.Column("confidence", sa.Double),
    sa.Column("change_id", Id, nullable=False),  # that decided it
    sa.Column("how", sa.Text),  # a Check; NULL: in bulk
    sqlite_with_rowid=False,
)

label_removed = sa.Table(
    "label_removed",
    metadata,
    sa.Column("id", Id, primary_key=True, autoincrement=False),
    *_label_columns(),
    sa.Index("ix_label_removed_field", "field_id"),
)

label_summary = sa.Table(
    "label_summary",
    metadata,
    sa.Column("field_id", Id, primary_key=True, autoincrement=False),
    sa.Column("state", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("class_id", Id, primary_key=True, autoincrement=False),
    sa.Column("bin", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("total_confidence", sa.BigInteger, nullable=False),  # in steps of 2**-32: see summary.py
    sqlite_with_rowid=False,
)

label_block = sa.Table(
    "label_block",
    metadata,
    sa.Column("field_id", Id, primary_key=True, autoincrement=False),
    sa.Column("state", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("class_id", Id, primary_key=True, autoincrement=False),
    sa.Column("block", Id, primary_key=True, autoincrement=False),  # 2,048 image ids each
    sa.Column("count", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

change = sa.Table(
    "change",
    metadata,
    _id(),
    _of("project", index=True),
    sa.Column("field_id", Id),
    sa.Column("verb", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("count", sa.BigInteger, nullable=False, default=0),
    _text("note"),
    sa.Column("run_id", Id),
    sa.Column("undoes", Id),
    sa.Column("undone_by", Id),
    sa.Column("first_label", Id),  # labels that this change made lie between these ids (and have it as created_change)
    sa.Column("last_label", Id),
)

label_change = sa.Table(
    "label_change",
    metadata,
    sa.Column("change_id", Id, primary_key=True, autoincrement=False),
    sa.Column("label_id", Id, primary_key=True, autoincrement=False),
    sa.Column("before", Json),
    sa.Column("after", Json),
    sa.Column("before_state", sa.SmallInteger),
    sa.Column("after_state", sa.SmallInteger),
    sa.Index("ix_label_change_label", "label_id"),
    sqlite_with_rowid=False,
)

run = sa.Table(
    "run",
    metadata,
    _id(),
    _of("project"),
    _of("field"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("spec", Json, nullable=False),
    _text("created_by"),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("started_at", Moment),
    sa.Column("finished_at", Moment),
    _text("error"),
    sa.Column("total", sa.Integer, nullable=False, default=0),
    sa.Column("done", sa.Integer, nullable=False, default=0),
    sa.Column("failed", sa.Integer, nullable=False, default=0),
    sa.Column("labels", sa.BigInteger, nullable=False, default=0),
    _text("request"),  # what somebody asked of its workers: pause, cancel or nothing
    _text("target_field"),
    sa.Column("tally", Json, nullable=False, default=dict, server_default="{}"),  # what was mended or left out, counted
    sa.Column("note", sa.Text, nullable=False, default="", server_default=""),  # what a worker says of its engine
    sa.UniqueConstraint("project_id", "name"),
    sa.Index("ix_run_field", "field_id"),
)

label_map = sa.Table(
    "label_map",
    metadata,
    sa.Column("project_id", Id, sa.ForeignKey("project.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("classes", Json, nullable=False),  # class of the model -> class of the project, "" for none
)

run_image = sa.Table(
    "run_image",
    metadata,
    sa.Column("run_id", Id, primary_key=True, autoincrement=False),
    sa.Column("image_id", Id, primary_key=True, autoincrement=False),
    sa.Column("state", sa.Text, nullable=False, default="pending"),
    sa.Column("worker", sa.Text),
    sa.Column("claimed_at", Moment),
    _text("reason"),
    sa.Index("ix_run_image_state", "run_id", "state", "image_id"),
    sqlite_with_rowid=False,
)

worker = sa.Table(
    "worker",
    metadata,
    sa.Column("run_id", Id, sa.ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("pid", sa.Integer, nullable=False),
    _text("host"),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("beat_at", Moment, nullable=False),
)

model = sa.Table(
    "model",
    metadata,
    _id(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("card", Json, nullable=False),
    _text("folder"),
    sa.Column("created_at", Moment, nullable=False),
)

training = sa.Table(
    "training",
    metadata,
    _id(),
    _of("project", index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("settings", Json, nullable=False),
    sa.Column("progress", Json),
    sa.Column("model_id", Id, sa.ForeignKey("model.id", ondelete="SET NULL")),
    _text("error"),
    _text("created_by"),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("finished_at", Moment),
    sa.Column("pid", sa.Integer),
    sa.Column("beat_at", Moment),
)

client_key = sa.Table(
    "client_key",
    metadata,
    sa.Column("project_id", Id, sa.ForeignKey("project.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("answer", Json, nullable=False),
    sa.Column("at", Moment, nullable=False),
)

remote_model = sa.Table(
    "remote_model",
    metadata,
    _id(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("spec", Json, nullable=False),  # address, contract, task, classes, steps, time limits ...
    sa.Column("created_at", Moment, nullable=False),
)
