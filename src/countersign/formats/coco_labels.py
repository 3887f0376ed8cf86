"""From one COCO annotation to one label. Files are not known here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from countersign.domain import mask as masks
from countersign.domain.errors import CountersignError, GeometryError
from countersign.domain.geometry import Box, Geometry, Keypoints, Mask, Polygon
from countersign.domain.label import Label
from countersign.formats import fit
from countersign.formats.coco_json import Annotation, Id, Part, Rle
from countersign.formats.report import ImportReport

BOX_DIFFERS = 2.0
"""Pixels by which a box may differ from the bounds of its segmentation before it is kept beside it. Tools that count
the last pixel in or out, or round, differ by up to two."""

_decoder = msgspec.json.Decoder(Annotation)
_KNOWN = frozenset(Annotation.__struct_fields__)
_NO_ATTRIBUTES: Mapping[str, Any] = {}


class Unusable(Exception):
    """Why an annotation cannot become a label: a fixed reason and the detail."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


@dataclass(slots=True)
class Converter:
    """Makes labels of the annotations of one file.

    ``classes`` are names by category id, ``points`` the number of keypoints that a class has. ``prefer`` is the
    geometry to take from an annotation that has several: ``keypoints``, ``segmentation`` or ``box``. ``results``: the
    third number of a keypoint may well be a score in place of a visibility.
    """

    classes: Mapping[Id, str]
    points: Mapping[str, int]
    report: ImportReport
    file: str
    prefer: str = "keypoints"
    results: bool = False

    def label(self, part: Part, width: int | None, height: int | None) -> Label | None:
        """Return the label of an annotation on an image of this size in pixels, or None and a report entry."""
        extras = _NO_ATTRIBUTES
        try:
            if isinstance(part, msgspec.Raw):
                try:
                    found = _decoder.decode(part)
                except msgspec.MsgspecError:
                    found, extras = clean(msgspec.json.decode(part))
            else:
                found, extras = clean(part)
            return self._label(found, extras, width, height)
        except Unusable as why:
            self.report.skipped(why.reason, file=self.file, where=_where(part), detail=why.detail)
        except CountersignError as error:
            self.report.skipped("the values are not usable", file=self.file, where=_where(part), detail=error.what)
        return None

    def _label(
        self, found: Annotation, extras: Mapping[str, Any], width: int | None, height: int | None
    ) -> Label | None:
        class_name = self.classes.get(found.category_id)
        if class_name is None:
            class_name = self._class_of_other_type(found.category_id)
        if (bbox := found.bbox) and len(bbox) == 4 and not (found.segmentation or found.keypoints or extras):
            # The quick path of a million plain boxes; what it does, _geometry and fit would do as well.
            x, y, across, down = bbox
            inside = width is not None and height is not None and x + across <= width and y + down <= height
            if inside and x >= 0 <= y and across > 0 < down and not (found.attributes or found.iscrowd):
                return Label(class_name, Box(x, y, across, down), self._score(found))
        attributes = self._attributes(found, extras)
        geometry = self._geometry(found, class_name, attributes, width, height)
        if geometry is not None:
            geometry = fit.to_image(geometry, width, height, self.report, file=self.file, where=_at(found))
            if geometry is None:
                return None
        return Label(class_name, geometry, self._score(found), attributes=attributes)

    def _class_of_other_type(self, category: Id) -> str:
        # Exports that write ids as text in one place and as numbers in another are common.
        other = str(category) if isinstance(category, int) else int(category) if category.isdecimal() else None
        if other is None or other not in self.classes:
            raise Unusable("unknown category", f"category id {category}")
        return self.classes[other]

    def _score(self, found: Annotation) -> float | None:
        score = found.score
        if score is None or 0.0 <= score <= 1.0:
            return score
        if not (math.isfinite(score) and -1e-3 <= score <= 1 + 1e-3):
            raise Unusable("the score is not between 0 and 1", f"{score}")
        self.report.changed("a score a little outside 0..1 was clipped", file=self.file, where=_at(found))
        return min(1.0, max(0.0, score))

    def _attributes(self, found: Annotation, extras: Mapping[str, Any]) -> dict[str, Any]:
        attributes: dict[str, Any] = {}
        if extras:
            attributes.update(extras)
            detail = ", ".join(sorted(extras))
            where = _at(found)
            self.report.note("other fields were kept as attributes", file=self.file, where=where, detail=detail)
        if found.attributes:
            attributes.update(found.attributes)
        if found.iscrowd:
            attributes["iscrowd"] = int(found.iscrowd)
        return attributes

    def _geometry(
        self, found: Annotation, class_name: str, attributes: dict[str, Any], width: int | None, height: int | None
    ) -> Geometry | None:
        has_points = bool(found.keypoints) and any(found.keypoints[2::3] if found.keypoints else ())
        if not (found.segmentation or has_points):
            return self._box_alone(found)
        box = _box(found.bbox, lenient=True)
        outline = self._outline(found, box, width, height) if found.segmentation else None
        points = self._keypoints(found, class_name, box, attributes) if has_points else None
        if self.prefer == "box" and box is not None:
            return box
        if points is not None and (self.prefer != "segmentation" or outline is None):
            if outline is not None:
                self._beside("segmentation", msgspec.to_builtins(found.segmentation), found, attributes)
            return points
        if points is not None:
            self._beside("keypoints", found.keypoints, found, attributes)
        if outline is None:
            return box if box is not None else _no_geometry()
        if box is not None and box is not outline and _differs(box, outline):
            self._beside("bbox", found.bbox, found, attributes)
        return outline

    def _box_alone(self, found: Annotation) -> Box | None:
        if found.bbox:
            return _box(found.bbox)
        if found.bbox is None and found.segmentation is None and found.keypoints is None:
            return None  # a statement about the whole image
        return _no_geometry()

    def _beside(self, name: str, value: Any, found: Annotation, attributes: dict[str, Any]) -> None:
        """Keep what a label cannot be at the same time as an attribute, from where the writer puts it back."""
        attributes[name] = value
        where = _at(found)
        self.report.note(f"the {name} beside the geometry was kept as an attribute", file=self.file, where=where)

    def _outline(self, found: Annotation, box: Box | None, width: int | None, height: int | None) -> Geometry | None:
        try:
            if isinstance(found.segmentation, Rle):
                return _mask(found.segmentation, width, height)
            return self._polygon(found)
        except (GeometryError, Unusable) as error:
            reason = error.reason if isinstance(error, Unusable) else "the segmentation is damaged"
            detail = error.detail if isinstance(error, Unusable) else error.what
            if box is None:
                raise Unusable(reason, detail) from None
            where = _at(found)
            self.report.changed(f"{reason}, its box was kept", file=self.file, where=where, detail=detail)
            return None

    def _polygon(self, found: Annotation) -> Polygon:
        rings = []
        assert isinstance(found.segmentation, list)
        for ring in found.segmentation:
            if len(ring) >= 8 and ring[:2] == ring[-2:]:
                ring = ring[:-2]  # closed by repeating its first point
            if len(ring) >= 6 and len(ring) % 2 == 0:
                rings.append(tuple(ring))
        if not rings:
            raise Unusable("the segmentation has no ring of three points")
        if len(rings) < len(found.segmentation):
            where = _at(found)
            self.report.changed("rings of less than three points were dropped", file=self.file, where=where)
        return Polygon(tuple(rings))

    def _keypoints(
        self, found: Annotation, class_name: str, box: Box | None, attributes: dict[str, Any]
    ) -> Keypoints | None:
        flat = found.keypoints or []
        where = _at(found)
        if len(flat) % 3:
            raise Unusable("keypoints that are not x, y, v for each point", f"{len(flat)} numbers")
        expected = self.points.get(class_name, 0)
        if expected and expected != len(flat) // 3:
            detail = f"{len(flat) // 3} for {class_name}, which has {expected}"
            self.report.note(
                "another number of keypoints than the class has", file=self.file, where=where, detail=detail
            )
        seen = flat[2::3]
        if not all(value in (0, 1, 2) for value in seen):  # then they are scores
            if not self.results:
                self.report.changed("keypoint visibility other than 0, 1, 2", file=self.file, where=where)
            attributes["keypoint_scores"] = seen
            flat = [
                value for i in range(0, len(flat), 3) for value in (flat[i], flat[i + 1], 2 if flat[i + 2] > 0 else 0)
            ]
        points = Keypoints(tuple(float(value) for value in flat))
        # Our own writer gives keypoints without a box the bounds of their points: that says nothing more.
        return Keypoints(points.points, box) if box is not None and box.bounds != points.bounds else points


def clean(value: Any) -> tuple[Annotation, dict[str, Any]]:
    """Make an annotation of JSON values of unexpected types, and return the fields that COCO does not know.

    Numbers as text are read; anything that cannot be made sense of raises Unusable.
    """
    if not isinstance(value, Mapping):
        raise Unusable("the annotation is not an object")
    if "caption" in value:
        raise Unusable("captions are not labels")
    for name in ("image_id", "category_id"):
        if not isinstance(value.get(name), (int, str)):
            kind = "missing" if value.get(name) is None else f"of type {type(value[name]).__name__}"
            raise Unusable(f"{name} is {kind}")
    extras = {name: item for name, item in value.items() if name not in _KNOWN and item is not None}
    attributes = value.get("attributes")
    if attributes is not None and not isinstance(attributes, dict):
        extras["attributes"], attributes = attributes, None
    found = Annotation(
        image_id=value["image_id"],
        category_id=value["category_id"],
        id=value["id"] if isinstance(value.get("id"), (int, str)) else None,
        bbox=_numbers(value.get("bbox"), "bbox"),
        segmentation=_segmentation(value.get("segmentation")),
        keypoints=_numbers(value.get("keypoints"), "keypoints"),
        iscrowd=1 if value.get("iscrowd") in (1, "1", True, 1.0) else 0,
        attributes=attributes,
        score=_number(value["score"], "score") if value.get("score") is not None else None,
    )
    return found, extras


def _number(value: Any, name: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise Unusable(f"{name} is not a number", repr(value)[:80]) from None
    if not math.isfinite(number):
        raise Unusable(f"{name} is not finite", str(number))
    return number


def _numbers(value: Any, name: str) -> list[float] | None:
    if value is None:
        return None
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise Unusable(f"{name} is not a list", repr(value)[:80])
    return [_number(item, name) for item in value]


def _segmentation(value: Any) -> list[list[float]] | Rle | None:
    if not value:
        return [] if value == [] else None
    if isinstance(value, Mapping):
        try:
            return msgspec.convert(value, Rle)
        except msgspec.ValidationError as error:
            raise Unusable("the segmentation is damaged", str(error)) from None
    if not isinstance(value, list):
        raise Unusable("the segmentation is neither rings nor runs", repr(value)[:80])
    if not isinstance(value[0], (list, Mapping)):
        value = [value]  # one ring without the list around it
    rings = []
    for ring in value:
        if isinstance(ring, list) and ring and isinstance(ring[0], list):
            ring = [item for point in ring for item in point[:2]]  # points as pairs
        rings.append(_numbers(ring, "segmentation") or [])
    return rings


def _box(bbox: Sequence[float] | None, *, lenient: bool = False) -> Box | None:
    """The box of four numbers; if lenient, None in place of Unusable for one that is none."""
    if not bbox and lenient:
        return None
    if bbox is None or len(bbox) != 4:
        if lenient:
            return None
        raise Unusable("the box does not have four numbers", f"{len(bbox or ())}")
    x, y, width, height = bbox
    if width <= 0 or height <= 0:
        if lenient:
            return None
        raise Unusable("the box has no area", f"width={width:g} height={height:g}")
    return Box(x, y, width, height)


def _no_geometry() -> Box:
    raise Unusable("neither a box, a segmentation nor keypoints")


def _mask(rle: Rle, width: int | None, height: int | None) -> Mask:
    rows, columns = rle.size
    if width is not None and height is not None and (columns, rows) != (width, height):
        raise Unusable(fit.WRONG_SIZE, f"{columns}x{rows}, the image is {width}x{height}")
    if isinstance(rle.counts, str):
        made = Mask(rows, columns, rle.counts.encode("utf-8"))
        if not masks.valid(made):
            raise Unusable("the runs of the mask are damaged")
    else:
        made = masks.from_counts(rle.counts, rows, columns)
    if not masks.area(made):
        raise Unusable(fit.EMPTY)
    return made


def _differs(box: Box, outline: Geometry) -> bool:
    ours, theirs = box.corners, outline.bounds
    corners = (theirs[0], theirs[1], theirs[0] + theirs[2], theirs[1] + theirs[3])
    return any(abs(one - other) > BOX_DIFFERS for one, other in zip(ours, corners, strict=True))


def _at(found: Annotation) -> str:
    return f"annotation of image {found.image_id}" if found.id is None else f"annotation {found.id}"


def _where(part: Part) -> str:
    value = msgspec.json.decode(part) if isinstance(part, msgspec.Raw) else part
    found = value.get("id") if isinstance(value, Mapping) else None
    if found is None and isinstance(value, Mapping):
        return f"annotation of image {value.get('image_id')}"
    return f"annotation {found}"
