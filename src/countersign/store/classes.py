"""Class records: what the labels of a project can say."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from countersign.domain.errors import NameTaken, NotFound
from countersign.domain.label import LabelClass, color_of
from countersign.store import tables as t
from countersign.store.sets import Lock, lock


def ensure(c: Connection, project_id: int, names: Iterable[LabelClass | str]) -> dict[str, int]:
    """Make the classes that are not there yet, with colours; return the ids of all classes asked for, by name.

    Keypoint names, a skeleton and a colour are added to an existing class that has none; what it has is kept.
    """
    wanted = {item.name: item for item in (LabelClass(name) if isinstance(name, str) else name for name in names)}
    known = {found.name: found for found in list_all(c, project_id)}
    if wanted.keys() - known.keys():
        lock(c, Lock.CLASSES, project_id)
        known = {found.name: found for found in list_all(c, project_id)}
    for name, item in wanted.items():
        if name not in known:
            known[name] = _insert(c, project_id, item, known.values())
        elif (item.keypoint_names and not known[name].keypoint_names) or (item.color and not known[name].color):
            _complete(c, known[name], item)
    return {name: _id(known[name]) for name in wanted}


def list_all(c: Connection, project_id: int) -> list[LabelClass]:
    """Return the classes of a project in the order in which they were made."""
    rows = c.execute(
        sa.select(t.label_class).where(t.label_class.c.project_id == project_id).order_by(t.label_class.c.id)
    )
    return [_class(row) for row in rows]


def get(c: Connection, project_id: int, name: str) -> LabelClass:
    """Return the class of this name. Raises NotFound."""
    query = sa.select(t.label_class).where(t.label_class.c.project_id == project_id, t.label_class.c.name == name)
    row = c.execute(query).one_or_none()
    if row is None:
        raise NotFound("class", name, known=tuple(found.name for found in list_all(c, project_id)))
    return _class(row)


def update(
    c: Connection,
    project_id: int,
    name: str,
    *,
    new_name: str | None = None,
    color: str | None = None,
    keypoint_names: tuple[str, ...] | None = None,
    skeleton: tuple[tuple[int, int], ...] | None = None,
) -> LabelClass:
    """Change what is given. Raises NotFound, NameTaken, or InvalidInput for a skeleton that does not fit."""
    old = get(c, project_id, name)
    new = LabelClass(
        old.name if new_name is None else new_name,
        old.color if color is None else color,
        old.keypoint_names if keypoint_names is None else tuple(keypoint_names),
        old.skeleton if skeleton is None else tuple(skeleton),
        old.id,
    )
    if new.name != old.name and any(found.name == new.name for found in list_all(c, project_id)):
        raise NameTaken("class", new.name)
    c.execute(t.label_class.update().where(t.label_class.c.id == old.id).values(**_values(new)))
    return new


def _insert(c: Connection, project_id: int, item: LabelClass, others: Collection[LabelClass]) -> LabelClass:
    color = item.color or color_of(len(others), {other.color for other in others})
    made = LabelClass(item.name, color, item.keypoint_names, item.skeleton)
    insert = t.label_class.insert().values(project_id=project_id, **_values(made)).returning(t.label_class.c.id)
    return LabelClass(made.name, made.color, made.keypoint_names, made.skeleton, c.execute(insert).scalar_one())


def _complete(c: Connection, old: LabelClass, item: LabelClass) -> None:
    points = item if not old.keypoint_names else old
    new = LabelClass(old.name, old.color or item.color, points.keypoint_names, points.skeleton)
    c.execute(t.label_class.update().where(t.label_class.c.id == old.id).values(**_values(new)))


def _values(item: LabelClass) -> dict[str, object]:
    return {
        "name": item.name,
        "color": item.color,
        "keypoint_names": list(item.keypoint_names),
        "skeleton": [list(bone) for bone in item.skeleton],
    }


def _class(row: sa.Row[tuple[object, ...]]) -> LabelClass:
    bones = tuple((int(first), int(second)) for first, second in row.skeleton)
    return LabelClass(row.name, row.color, tuple(row.keypoint_names), bones, row.id)


def _id(item: LabelClass) -> int:
    assert item.id is not None
    return item.id
