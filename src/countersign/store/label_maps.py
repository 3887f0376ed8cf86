"""Label maps as rows: one per project and model. What they mean is said in ``countersign.domain.label_map``."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from countersign.domain import label_map as rules
from countersign.store.tables import label_map


def get(c: Connection, project_id: int, model: str) -> dict[str, str] | None:
    """Return the map of a model in a project, or None where none was made."""
    here = (label_map.c.project_id == project_id) & (label_map.c.model == model)
    found: dict[str, str] | None = c.execute(sa.select(label_map.c.classes).where(here)).scalar_one_or_none()
    return found


def put(c: Connection, project_id: int, model: str, classes: Mapping[str, str]) -> dict[str, str]:
    """Keep a map in place of the one there was. Returns it as kept. Raises InvalidInput."""
    checked = rules.check(classes)
    delete(c, project_id, model)
    c.execute(sa.insert(label_map).values(project_id=project_id, model=model, classes=checked))
    return checked


def delete(c: Connection, project_id: int, model: str) -> bool:
    """Forget a map. Returns whether there was one."""
    here = (label_map.c.project_id == project_id) & (label_map.c.model == model)
    return bool(c.execute(sa.delete(label_map).where(here)).rowcount)
