"""Categories of COCO files: from and to classes. Files are not known here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from countersign.domain.errors import InvalidInput
from countersign.domain.label import LabelClass
from countersign.formats.coco_json import Id
from countersign.formats.report import ImportReport


class Categories:
    """The classes of a file: their names by category id, and the classes by name."""

    def __init__(self) -> None:
        self.names: dict[Id, str] = {}
        self.made: dict[str, LabelClass] = {}


def read_categories(entries: list[Any], file: str, report: ImportReport) -> Categories:
    """Make classes of a file's categories and tell them to the report."""
    found = Categories()
    for index, entry in enumerate(entries):
        key = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(key, (int, str)):
            report.skipped("a category without id", file=file, where=f"categories[{index}]")
            continue
        name = _category_name(entry, key, file, report)
        if key in found.names and found.names[key] != name:
            detail = f"{found.names[key]} was kept, {name} was not"
            report.skipped("a category id is used twice", file=file, where=f"category {key}", detail=detail)
            continue
        if name in found.made and key not in found.names:
            report.note(
                "two categories have one name, they are one class", file=file, where=f"category {key}", detail=name
            )
        found.names[key] = name
        if name not in found.made:
            found.made[name] = _class(entry, name, key, file, report)
            report.add_class(found.made[name])
    return found


def _category_name(entry: dict[str, Any], key: Id, file: str, report: ImportReport) -> str:
    given = entry.get("name")
    name = str(given).replace("\0", "").strip() if given is not None else ""
    if name != given:
        name = name or str(key).strip() or "unnamed"
        report.changed(
            "a category's name is empty, no text or has blanks", file=file, where=f"category {key}", detail=name
        )
    return name


def _class(entry: dict[str, Any], name: str, key: Id, file: str, report: ImportReport) -> LabelClass:
    points = entry.get("keypoints")
    names = tuple(str(point) for point in points) if isinstance(points, list) else ()
    bones = entry.get("skeleton")
    pairs = [bone for bone in bones if isinstance(bone, list) and len(bone) == 2] if isinstance(bones, list) else []
    try:
        skeleton = tuple((int(first) - 1, int(second) - 1) for first, second in pairs)  # COCO counts from 1
        return LabelClass(name, keypoint_names=names, skeleton=skeleton)
    except (InvalidInput, TypeError, ValueError):
        fitting = tuple(
            (first - 1, second - 1)
            for first, second in pairs
            if isinstance(first, int)
            and isinstance(second, int)
            and 1 <= min(first, second) <= max(first, second) <= len(names)
        )
        detail = f"{len(pairs) - len(fitting)} of {len(pairs)}, the class has {len(names)} keypoints"
        reason = "bones of a skeleton that join no keypoints of the class were dropped"
        report.changed(reason, file=file, where=f"category {key}", detail=detail)
        return LabelClass(name, keypoint_names=names, skeleton=fitting)


def category_ids(classes: Sequence[LabelClass]) -> dict[str, int]:
    """Category ids by class name: 1, 2 ... in the order of the classes."""
    return {made.name: number for number, made in enumerate(classes, 1)}


def to_category(made: LabelClass, number: int) -> dict[str, Any]:
    """Return a class as a COCO category."""
    entry: dict[str, Any] = {"id": number, "name": made.name, "supercategory": ""}
    if made.keypoint_names:
        entry["keypoints"] = list(made.keypoint_names)
        entry["skeleton"] = [[first + 1, second + 1] for first, second in made.skeleton]  # COCO counts from 1
    return entry
