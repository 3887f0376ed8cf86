"""What the columns of a label table mean: by their names, or by their shape where there is no header.

Known are the usual names of columns, and the layouts of keras-retinanet, Google AutoML and Open Images. Rows are not
read here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_NAMES: dict[str, tuple[str, ...]] = {
    "image": ("image", "imagename", "imagepath", "imagefile", "filename", "file", "filepath", "path", "img", "imageid"),
    "class": ("class", "classname", "label", "labelname", "category", "categoryname", "tag", "species"),
    "x": ("x", "xmin", "x1", "x0", "left", "bboxx", "boxx", "boxxmin", "bboxxmin", "minx"),
    "y": ("y", "ymin", "y1", "y0", "top", "bboxy", "boxy", "boxymin", "bboxymin", "miny"),
    "right": ("xmax", "x2", "right", "boxxmax", "bboxxmax", "maxx"),
    "bottom": ("ymax", "y2", "bottom", "boxymax", "bboxymax", "maxy"),
    "width": ("width", "w", "bboxwidth", "boxwidth", "bboxw"),
    "height": ("height", "h", "bboxheight", "boxheight", "bboxh"),
    "box": ("bbox", "box", "boundingbox"),
    "image_width": ("imagewidth", "imgwidth", "imgw", "originalwidth"),
    "image_height": ("imageheight", "imgheight", "imgh", "originalheight"),
    "confidence": ("confidence", "score", "prob", "probability", "conf"),
    "split": ("split", "subset", "set", "usage", "partition"),
    "attributes": ("attributes",),
}
_MEANING = {alias: meaning for meaning, aliases in _NAMES.items() for alias in aliases}

AUTOML_SETS = frozenset({"TRAIN", "TRAINING", "VALIDATION", "VALIDATE", "TEST", "UNASSIGNED"})
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each meaning is: the index of its column. ``layout`` is ``named``, ``flags``, ``keras``, ``automl`` or
    ``open_images``; ``flags`` has a column per class with 1 where it holds. ``others`` are the columns of no known
    meaning, by name. ``header`` is False where the first row is data already.
    """

    layout: str
    at: dict[str, int] = field(default_factory=dict)
    others: dict[str, int] = field(default_factory=dict)
    header: bool = True

    @property
    def geometry(self) -> bool:
        """Whether rows can have boxes."""
        return "box" in self.at or ("x" in self.at and "y" in self.at)

    @property
    def corners(self) -> bool:
        """Whether boxes are given by two corners, not by a corner and a size."""
        return "right" in self.at


def understand(first: Sequence[str], second: Sequence[str] = ()) -> Columns | None:
    """Say what the columns mean, by the first row (a header, or data) and the one after it; None if nothing fits."""
    return _named(first, second) or _headerless(first)


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _named(header: Sequence[str], second: Sequence[str]) -> Columns | None:
    at: dict[str, int] = {}
    others: dict[str, int] = {}
    for index, name in enumerate(header):
        meaning = _MEANING.get(_key(name))
        if meaning is None or meaning in at:
            if name.strip():
                others[name.strip()] = index
        else:
            at[meaning] = index
    if "image" not in at:
        return None
    if "right" in at:
        # Two corners are there, so width and height are the image's (as TensorFlow's tables have it).
        for ours, theirs in (("width", "image_width"), ("height", "image_height")):
            if ours in at:
                at.setdefault(theirs, at.pop(ours))
    if not _whole_box(at):
        return None
    if "class" in at:
        open_images = {"ImageID", "LabelName"} <= set(header)
        return Columns("open_images" if open_images else "named", at, others)
    flags = {name: index for name, index in others.items() if index < len(second)}
    if flags and len(flags) == len(others) and all(second[index].strip() in _FLAGS for index in flags.values()):
        return Columns("flags", at, others)
    return None


_FLAGS = frozenset({"0", "1", "0.0", "1.0", "", "True", "False", "true", "false", "TRUE", "FALSE"})


def _whole_box(at: dict[str, int]) -> bool:
    """Either no box at all, or every number of one."""
    if "box" in at or not {"x", "y", "right", "bottom"} & set(at):
        return True
    return {"x", "y"} <= set(at) and ({"right", "bottom"} <= set(at) or {"width", "height"} <= set(at))


def _headerless(row: Sequence[str]) -> Columns | None:
    cells = [cell.strip() for cell in row]
    if len(cells) in (9, 11) and cells[0].upper() in AUTOML_SETS and _numeric(cells[3:5] + cells[7:9]):
        # set, path, label, x0, y0, x1, y0, x1, y1, x0, y1; the other two corners may be empty or missing.
        at = {"split": 0, "image": 1, "class": 2, "x": 3, "y": 4, "right": 7, "bottom": 8}
        return Columns("automl", at, header=False)
    if len(cells) == 3 and cells[0].upper() in AUTOML_SETS:
        return Columns("automl", {"split": 0, "image": 1, "class": 2}, header=False)
    if len(cells) == 6 and (_numeric(cells[1:5]) or not any(cells[1:])) and cells[0]:
        at = {"image": 0, "x": 1, "y": 2, "right": 3, "bottom": 4, "class": 5}
        return Columns("keras", at, header=False)
    return None


def _numeric(cells: Sequence[str]) -> bool:
    return all(_NUMBER.fullmatch(cell) for cell in cells)
