"""Writing COCO JSON as a stream: annotations go to the file as they come, only the list of images is kept meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from countersign.domain import mask as masks
from countersign.domain.errors import FormatError
from countersign.domain.geometry import Box, Geometry, Keypoints, Kind, Mask, Polygon, ring_area
from countersign.domain.image import Image
from countersign.domain.label import Label, LabelClass
from countersign.formats.base import ALL_KINDS, Holds, WriteOptions, atomic
from countersign.formats.coco_categories import category_ids, to_category
from countersign.formats.report import ExportReport
from countersign.formats.settings import flag

WRITE_SETTINGS = {
    "by_split": "yes: write a folder, with annotations/instances_SPLIT.json for each split, instances_default.json for "
    "images of none. Default no: one file.",
}

KINDS = ALL_KINDS - {Kind.ELLIPSE}


class CocoWriter:
    """Writes one COCO file, or one per split."""

    def holds(self, options: WriteOptions) -> Holds:
        return Holds(kinds=KINDS, confidence=True, attributes=True, skeletons=True, splits=_by_split(options))

    def write(
        self,
        images: Iterable[tuple[Image, Sequence[Label]]],
        classes: Sequence[LabelClass],
        out: Path,
        report: ExportReport,
        options: WriteOptions,
    ) -> None:
        if out.is_dir() and not _by_split(options):
            raise FormatError(
                "this is a folder, COCO is one file", file=str(out), remedy="Give a file name, or by_split=yes."
            )
        files: dict[str, _File] = {}
        with ExitStack() as stack:
            if not _by_split(options):
                files[""] = stack.enter_context(_open(out, classes, report))
            for image, labels in images:
                split = image.split if _by_split(options) else ""
                file = files.get(split)
                if file is None:
                    target = out / "annotations" / f"instances_{split or 'default'}.json"
                    file = files[split] = stack.enter_context(_open(target, classes, report))
                file.add(image, labels)


def _by_split(options: WriteOptions) -> bool:
    return flag(options.settings, "by_split")


@contextmanager
def _open(out: Path, classes: Sequence[LabelClass], report: ExportReport) -> Iterator[_File]:
    with atomic(out) as stream:
        file = _File(stream, classes)
        yield file
        file.finish()
    report.files += 1


class _File:
    """One COCO file being written. Categories are numbered from 1 in the classes' order, images have their own ids."""

    def __init__(self, stream: BinaryIO, classes: Sequence[LabelClass]) -> None:
        self._stream = stream
        self._ids = category_ids(classes)
        self._images: list[bytes] = []
        self._pending: list[dict[str, Any]] = []
        self._pending_images: list[dict[str, Any]] = []
        self._written = 0
        categories = [to_category(made, self._ids[made.name]) for made in classes]
        info = {"description": "Labels exported by Countersign"}
        stream.write(b'{"info":' + orjson.dumps(info) + b',\n"categories":' + orjson.dumps(categories))
        stream.write(b',\n"annotations":[')

    def finish(self) -> None:
        """Write what is pending and the list of images."""
        self._flush()
        self._stream.write(b'\n],\n"images":[\n' + b",\n".join(self._images) + b"\n]}\n")

    def add(self, image: Image, labels: Sequence[Label]) -> None:
        """Write an image and its labels."""
        entry = {"id": image.id, "file_name": image.name, "width": image.width, "height": image.height}
        self._pending_images.append(entry)
        number = self._written + len(self._pending)
        for label in labels:
            number += 1
            self._pending.append(annotation(number, image, self._ids[label.class_name], label))
        if len(self._pending) + len(self._pending_images) >= 1000:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            lead = b",\n" if self._written else b"\n"
            # One object per line costs nothing and lets diff, grep and head work on the file.
            self._stream.write(lead + b",\n".join(map(_dump, self._pending)))
            self._written += len(self._pending)
            self._pending.clear()
        if self._pending_images:
            # Joined, because each result of orjson.dumps keeps a buffer of 4 kB.
            self._images.append(b",\n".join(map(_dump, self._pending_images)))
            self._pending_images.clear()


def _dump(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, default=list)


def annotation(number: int, image: Image, category: int, label: Label) -> dict[str, Any]:
    """Return a label as a COCO annotation. Attributes that are COCO's own fields become those again."""
    entry: dict[str, Any] = {"id": number, "image_id": image.id, "category_id": category}
    geometry = label.geometry
    if isinstance(geometry, Box):
        entry["bbox"] = (geometry.x, geometry.y, geometry.width, geometry.height)
        entry["area"] = geometry.width * geometry.height
        entry["segmentation"] = ()
        entry["iscrowd"] = 0
    elif geometry is not None:
        entry.update(geometry_fields(geometry))
        entry["iscrowd"] = 0
    if label.confidence is not None:
        entry["score"] = label.confidence
    if label.attributes:
        _put_back(entry, dict(label.attributes), geometry)
    return entry


def geometry_fields(geometry: Geometry) -> dict[str, Any]:
    """Return the fields bbox, area, segmentation and keypoints of a geometry."""
    fields: dict[str, Any] = {"bbox": geometry.bounds, "area": 0.0, "segmentation": ()}
    if isinstance(geometry, Polygon):
        fields["segmentation"] = geometry.rings
        fields["area"] = sum(map(ring_area, geometry.rings))
    elif isinstance(geometry, Mask):
        fields["segmentation"] = {"size": [geometry.height, geometry.width], "counts": geometry.counts.decode("ascii")}
        fields["area"] = masks.area(geometry)
    else:
        fields["area"] = geometry.area
    if isinstance(geometry, Keypoints):
        fields["keypoints"] = geometry.points
        fields["num_keypoints"] = sum(1 for seen in geometry.points[2::3] if seen > 0)
    return fields


def _put_back(entry: dict[str, Any], attributes: dict[str, Any], geometry: Geometry | None) -> None:
    if geometry is not None and attributes.get("iscrowd") in (0, 1):
        entry["iscrowd"] = attributes.pop("iscrowd")
    # What the reader could not hold beside the geometry (see coco_labels) goes back to its place.
    if isinstance(geometry, Keypoints) and isinstance(attributes.get("segmentation"), (list, Mapping)):
        entry["segmentation"] = attributes.pop("segmentation")
    if isinstance(geometry, (Polygon, Mask)):
        for name in ("keypoints", "bbox"):
            if isinstance(attributes.get(name), list):
                entry[name] = attributes.pop(name)
    if attributes:
        entry["attributes"] = attributes
