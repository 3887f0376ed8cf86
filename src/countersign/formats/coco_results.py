"""COCO results: a JSON list of detections with scores, as COCO's evaluation takes them.

The list names images and categories by id alone. Whose ids they are, the reader must be told: by the COCO file that
the detector was given (``images_json``), by mappings (``images``, ``categories``), or by the project itself, whose
export the detector was given then (``ReadOptions.own_ids``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from countersign.domain.errors import FormatError, SettingsError
from countersign.domain.geometry import Box, Keypoints, Kind
from countersign.domain.image import Image
from countersign.domain.label import Label, LabelClass
from countersign.formats.base import (
    NO,
    Format,
    FoundImage,
    Guess,
    Holds,
    OwnIds,
    ReadOptions,
    WriteOptions,
    atomic,
    image_size,
    peek,
)
from countersign.formats.coco_categories import category_ids, read_categories
from countersign.formats.coco_json import Id, load, load_list
from countersign.formats.coco_labels import Converter
from countersign.formats.coco_write import geometry_fields
from countersign.formats.registry import register
from countersign.formats.report import ExportReport, ImportReport
from countersign.formats.settings import choice

READ_SETTINGS = {
    "images_json": "The COCO file whose image and category ids the results use. Default: the ids of this project's "
    "own COCO export.",
    "images": "A mapping of image ids to image names, in place of images_json.",
    "categories": "A mapping of category ids to class names, in place of those of images_json.",
    "prefer": "What to take from a result with several geometries: segmentation (default), keypoints or box.",
}

_KEYS = re.compile(rb'"(image_id|category_id|score|bbox|segmentation|keypoints)"\s*:')


@dataclass(slots=True)
class _Lookup:
    """What ids mean: names of classes, names and sizes of images."""

    classes: dict[Id, str] = field(default_factory=dict)
    points: dict[str, int] = field(default_factory=dict)
    images: dict[Id, str] = field(default_factory=dict)
    sizes: dict[Id, tuple[int, int]] = field(default_factory=dict)


class ResultsReader:
    """Reads lists of detections."""

    def detect(self, path: Path) -> Guess:
        head = peek(path, 1 << 20) if path.is_file() else b""
        if not head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
            return NO
        keys = set(_KEYS.findall(head))
        sure = {b"image_id", b"category_id"} <= keys
        return Guess(0.9, "a JSON list of image_id, category_id, score") if sure else NO

    def read(self, path: Path, report: ImportReport, options: ReadOptions) -> Iterator[FoundImage]:
        prefer = choice(options.settings, "prefer", ("segmentation", "keypoints", "box"))
        lookup = _lookup(path, options, report)
        parts = load_list(path, report)
        make = Converter(lookup.classes, lookup.points, report, str(path), prefer, results=True)
        _by_stem(parts.annotations, lookup.images)
        for key, name in lookup.images.items():
            found = parts.annotations.pop(key, []) + parts.annotations.pop(_other(key), [])
            width, height = lookup.sizes.get(key) or image_size(name, None, options) or (None, None)
            labels = [make.label(part, width, height) for part in found]
            kept = tuple(label for label in labels if label is not None)
            yield FoundImage(
                name, kept, width=width, height=height, labelled=bool(found), complete=len(kept) == len(found)
            )
        for key, rest in parts.annotations.items():
            report.skipped("results for an unknown image", file=path, where=f"image id {key}", count=len(rest))


def _by_stem(results: dict[Any, list[Any]], images: Mapping[Id, str]) -> None:
    """Give results whose image id is a file's name, or the number in it (as Ultralytics writes), the image's id."""
    unknown = [key for key in results if key not in images and _other(key) not in images]
    if not unknown:
        return
    stems: dict[Id, Id] = {}
    for key, name in images.items():
        stem = PurePosixPath(name).stem
        stems[name] = stems[PurePosixPath(name).name] = stems[stem] = key
        if stem.isdecimal():
            stems[int(stem)] = key
    for alias in unknown:
        if alias in stems:
            results.setdefault(stems[alias], []).extend(results.pop(alias))


def _other(key: Id) -> Id:
    return str(key) if isinstance(key, int) else int(key) if key.isdecimal() else f"{key}\0"


def _lookup(path: Path, options: ReadOptions, report: ImportReport) -> _Lookup:
    settings = options.settings
    lookup = _Lookup()
    if settings.get("images_json"):
        _from_file(Path(str(settings["images_json"])), lookup, report)
    lookup.images.update(_mapping(settings, "images"))
    for key, name in _mapping(settings, "categories").items():
        lookup.classes[key] = name
        report.add_class(name)
    if options.own_ids is not None and not (lookup.images or lookup.classes):
        _own(options.own_ids, lookup, report)
    if not lookup.images or not lookup.classes:
        raise FormatError(
            "results name images and categories only by id",
            file=str(path),
            remedy="Give the COCO file whose ids these are, as the setting images_json (--set images_json=FILE).",
        )
    return lookup


def _from_file(path: Path, lookup: _Lookup, report: ImportReport) -> None:
    # What is wrong with its own labels is not this import's business: its problems go nowhere.
    truth = ImportReport()
    parts = load(path, truth)
    found = read_categories(parts.categories, str(path), truth)
    lookup.classes.update(found.names)
    for made in found.made.values():
        report.add_class(made)
        lookup.points[made.name] = len(made.keypoint_names)
    for entry in parts.images:
        if isinstance(entry, dict) and isinstance(entry.get("id"), (int, str)) and entry.get("file_name"):
            lookup.images.setdefault(entry["id"], str(entry["file_name"]))
            width, height = entry.get("width"), entry.get("height")
            if isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0:
                lookup.sizes[entry["id"]] = (width, height)


def _own(own_ids: OwnIds, lookup: _Lookup, report: ImportReport) -> None:
    """Take the ids for those that the project's own COCO export has."""
    images, classes = own_ids()
    for key, name in images.items():
        lookup.images[key] = name
    numbers = category_ids(classes)
    for made in classes:
        lookup.classes[numbers[made.name]] = made.name
        lookup.points[made.name] = len(made.keypoint_names)
        report.add_class(made)


def _mapping(settings: Mapping[str, Any], name: str) -> dict[Id, str]:
    given = settings.get(name) or {}
    if not isinstance(given, Mapping):
        raise SettingsError(name, given, "a mapping of ids to names")
    return {key: str(value) for key, value in given.items()}


class ResultsWriter:
    """Writes the labels that have a confidence as a list of detections."""

    def holds(self, options: WriteOptions) -> Holds:
        return Holds(
            kinds=frozenset({Kind.BOX, Kind.POLYGON, Kind.MASK, Kind.KEYPOINTS}),
            confidence=True,
            empty_images=False,
            unused_classes=False,
            unscored=False,
        )

    def write(
        self,
        images: Iterable[tuple[Image, Sequence[Label]]],
        classes: Sequence[LabelClass],
        out: Path,
        report: ExportReport,
        options: WriteOptions,
    ) -> None:
        ids = category_ids(classes)
        with atomic(out) as file:
            lead = b"[\n"
            for image, labels in images:
                for label in labels:
                    file.write(lead + orjson.dumps(_result(image, ids[label.class_name], label), default=list))
                    lead = b",\n"
            file.write(b"[]\n" if lead == b"[\n" else b"\n]\n")
        report.files += 1


def _result(image: Image, category: int, label: Label) -> dict[str, Any]:
    result: dict[str, Any] = {"image_id": image.id, "category_id": category}
    if label.geometry is not None:
        fields = geometry_fields(label.geometry)
        result["bbox"] = fields["bbox"]
        if isinstance(label.geometry, Keypoints):
            result["keypoints"] = fields["keypoints"]
        elif not isinstance(label.geometry, Box):
            result["segmentation"] = fields["segmentation"]
    result["score"] = label.confidence
    return result


register(
    Format(
        name="coco-results",
        title="COCO results",
        about="A JSON list of detections (bbox, segmentation, keypoints) with scores. Image and category ids are those "
        "of a COCO file: read with images_json; written with the ids that this project's COCO export has.",
        reader=ResultsReader(),
        writer=ResultsWriter(),
        out="file",
        suffix=".json",
        read_settings=READ_SETTINGS,
    )
)
