"""Writing Pascal VOC: Annotations, ImageSets, labelmap.txt, and the segmentation PNGs where there are masks.

The masks of an image come first among its objects, so that object k of the XML file is value k in SegmentationObject.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from countersign.domain import mask as masks
from countersign.domain.geometry import Kind, Mask
from countersign.domain.image import Image
from countersign.domain.label import Label, LabelClass
from countersign.formats import class_table, files, index_png, settings, voc_xml
from countersign.formats.base import Holds, WriteOptions, atomic
from countersign.formats.report import ExportReport
from countersign.formats.voc_xml import VocObject

OVERLAP = "masks that overlap: the later one covers the earlier one"
COVERED = "a mask that others cover wholly"
MEANS_NOTHING = "masks of a class whose name means background here"


def holds(options: WriteOptions) -> Holds:
    """What VOC holds."""
    return Holds(kinds=frozenset({Kind.BOX, Kind.MASK}), confidence=True, attributes=True, splits=True)


@dataclass(slots=True)
class _Export:
    out: Path
    report: ExportReport
    pixels: bool
    values: dict[str, int]
    lists: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def list(self, folder: str, split: str, key: str) -> None:
        self.lists.setdefault((folder, split), []).append(key)


def write(
    images: Iterable[tuple[Image, Sequence[Label]]],
    classes: Sequence[LabelClass],
    out: Path,
    report: ExportReport,
    options: WriteOptions,
) -> None:
    """Write a data set. See ``Writer.write``."""
    given = options.settings
    files.fresh(out, settings.flag(given, "overwrite"))
    how = settings.choice(given, "images", ("none", "link", "copy"))
    pixels = settings.choice(given, "coordinates", voc_xml.COORDINATES) == "pixels"
    export = _Export(out, report, pixels, _label_map(classes, out, report))
    names = files.Names(report)
    for image, labels in images:
        name = names.give(image)
        files.place(image, out / "JPEGImages" / name, how, report)
        _image(image, name, labels, export)
    for (folder, split), keys in export.lists.items():
        with atomic(out / "ImageSets" / folder / f"{files.inside(split)}.txt") as file:
            file.write("".join(f"{key}\n" for key in keys).encode())
        report.files += 1


def _label_map(classes: Sequence[LabelClass], out: Path, report: ExportReport) -> dict[str, int]:
    """Write labelmap.txt as CVAT does; return each class's value. 255 stays free: it means void."""
    names = ["background", *(found.name for found in classes)]
    if len(names) > class_table.VOID:
        names.insert(class_table.VOID, "void")
    lines = ["# label:color_rgb:parts:actions"]
    for value, name in enumerate(names):
        color = ",".join(map(str, class_table.voc_color(value))) if value <= class_table.VOID else ""
        lines.append(f"{name}:{color}::")
    with atomic(out / "labelmap.txt") as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
    report.files += 1
    numbers: dict[str, int] = {}
    for value, name in enumerate(names):
        if value and name != "void":
            numbers[name] = value
    numbers.update({found.name: names.index(found.name, 1) for found in classes})
    return numbers


def _image(image: Image, name: str, labels: Sequence[Label], export: _Export) -> None:
    key = files.stem(name)
    painted = [label for label in labels if isinstance(label.geometry, Mask)]
    others = [label for label in labels if not isinstance(label.geometry, Mask)]
    objects = [
        VocObject(label.class_name, label.geometry, "", label.confidence, dict(label.attributes))
        for label in (*painted, *others)
        if label.geometry is not None
    ]
    size = (image.width, image.height, image.bands)
    data = voc_xml.build(name, size, objects, pixels=export.pixels, segmented=bool(painted))
    with atomic(export.out / "Annotations" / f"{key}.xml") as file:
        file.write(data)
    export.report.files += 1
    export.list("Main", "all", key)
    if image.split:
        export.list("Main", image.split, key)
        if image.split in ("train", "val"):
            export.list("Main", "trainval", key)
    if painted:
        _segmentation(image, key, painted, export)


def _segmentation(image: Image, key: str, painted: Sequence[Label], export: _Export) -> None:
    size = (image.height, image.width)
    classes, objects = np.zeros(size, np.uint16), np.zeros(size, np.uint16)
    number, numbers = 0, {}
    for label in painted:
        number += 2 if number + 1 == class_table.VOID else 1
        assert isinstance(label.geometry, Mask)
        if class_table.ClassTable().is_background(label.class_name):
            export.report.skipped(MEANS_NOTHING, where=image.name, detail=label.class_name)
            continue
        if (label.geometry.height, label.geometry.width) != size:
            export.report.skipped("the mask's size is not the image's", where=image.name)
            continue
        here = masks.decode(label.geometry)
        if objects[here].any():
            export.report.changed(OVERLAP, where=image.name)
        classes[here], objects[here] = export.values[label.class_name], number
        numbers[number] = label
    for value in sorted(set(numbers) - set(np.unique(objects).tolist())):
        export.report.skipped(COVERED, where=image.name, detail=numbers[value].class_name)
    index_png.write(export.out / "SegmentationClass" / f"{key}.png", classes)
    index_png.write(export.out / "SegmentationObject" / f"{key}.png", objects)
    export.report.files += 2
    if image.split:
        export.list("Segmentation", image.split, key)
    export.list("Segmentation", "all", key)
