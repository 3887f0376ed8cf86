"""Models of the workspace: a name, a card, and where the files are. What is in the files is not known here."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from countersign.domain.errors import InvalidInput, NameTaken, NotFound
from countersign.domain.model import ModelCard, StoredModel
from countersign.store.tables import model

_NAME = re.compile(r"[^\W_][\w. -]{0,99}")


def check_name(name: str) -> str:
    """Return the name without blanks at its ends, or raise InvalidInput.

    A letter or digit first, then letters, digits, blanks and ``_ . -``; so it is never taken for a path or a family.
    """
    name = name.strip()
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} cannot name a model",
            remedy="Begin with a letter or a digit, go on with letters, digits, blanks, '_', '-' or '.', 100 in all.",
        )
    return name


def _model(row: Row[Any]) -> StoredModel:
    card = dataclasses.replace(ModelCard.from_data(row.card), name=row.name)
    return StoredModel(row.id, row.name, card, row.folder, row.created_at)


def add(c: Connection, *, name: str, card: ModelCard, folder: Path | str) -> StoredModel:
    """Add a model whose files lie in ``folder`` (below the blobs folder). Raises NameTaken, InvalidInput."""
    name = check_name(name)
    check_free(c, name)
    card = dataclasses.replace(card, name=name)
    values = {"name": name, "card": card.to_data(), "folder": str(folder), "created_at": datetime.now(UTC)}
    return get(c, int(c.execute(sa.insert(model).values(values).returning(model.c.id)).scalar_one()))


def check_free(c: Connection, name: str) -> None:
    """Raise NameTaken where a model has the name."""
    if c.execute(sa.select(model.c.id).where(model.c.name == name)).first():
        raise NameTaken("model", name)


def free_name(c: Connection, name: str) -> str:
    """Return the name, or the name with the first number that makes it free."""
    name = check_name(name)
    taken = set(c.execute(sa.select(model.c.name)).scalars())
    number, found = 2, name
    while found in taken:
        found, number = f"{name}-{number}", number + 1
    return found


def list_all(c: Connection) -> list[StoredModel]:
    """Return all models, oldest first."""
    return [_model(row) for row in c.execute(sa.select(model).order_by(model.c.id))]


def get(c: Connection, name: str | int) -> StoredModel:
    """Return a model by its name or its id. Raises NotFound that lists what there is."""
    column = model.c.id if isinstance(name, int) else model.c.name
    row = c.execute(sa.select(model).where(column == name)).first()
    if row is None:
        known = c.execute(sa.select(model.c.name).order_by(model.c.name)).scalars()
        raise NotFound("model", name, known=tuple(known))
    return _model(row)


def rename(c: Connection, name: str, new_name: str) -> StoredModel:
    """Give a model another name. Raises NotFound, NameTaken, InvalidInput."""
    found = get(c, name)
    new_name = check_name(new_name)
    if new_name != name:
        check_free(c, new_name)
        c.execute(sa.update(model).where(model.c.id == found.id).values(name=new_name))
    return get(c, found.id)


def delete(c: Connection, name: str) -> StoredModel:
    """Forget a model and return what it was. Its files are left to the caller. Raises NotFound."""
    found = get(c, name)
    c.execute(sa.delete(model).where(model.c.id == found.id))
    return found
