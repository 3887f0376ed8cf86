"""Pascal VOC: boxes in XML files, segmentation in PNG files, splits in ImageSets. Writing is in ``voc_write``.

A mask and the <object> of the same object become one label: the XML repeats a mask's bounds. What the XML files say is
read in ``voc_xml``, where they are in ``voc_layout``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from countersign.domain.errors import FormatError
from countersign.domain.geometry import Box, Geometry, Mask
from countersign.domain.image import Image
from countersign.domain.label import Label, LabelClass
from countersign.formats import (
    class_table,
    files,
    fit,
    settings,
    voc_layout,
    voc_segmentation,
    voc_write,
    voc_xml,
)
from countersign.formats.base import NO, Format, FoundImage, Guess, Holds, ReadOptions, WriteOptions, image_size, peek
from countersign.formats.class_table import ClassTable
from countersign.formats.registry import register
from countersign.formats.report import ExportReport, ImportReport
from countersign.formats.voc_layout import Root
from countersign.formats.voc_xml import VocFile, VocObject

NOT_READ = "a file that is no Pascal VOC file"
NO_SIZE = "the file does not say the image's size"
OTHER_SIZE = "the size in the file is not the image's"
NO_LABELS = "images without labels, taken as not labelled"
LISTED = "images that are only listed: no file, no labels"
NAMED_OTHERWISE = "the file names another image than its namesake, which was taken"

_LOOK = 400


class VocReader:
    """Reads folders with XML files beside or apart from the images, and segmentation PNGs with their class table."""

    def detect(self, path: Path) -> Guess:
        if path.is_file():
            return Guess(0.9, "an <annotation>") if _is_voc(path) else NO
        for seen, name in enumerate(files.files_below(path)):
            if files.ending(name) == ".xml" and _is_voc(path / name):
                return Guess(0.9, f"{name} is an <annotation>")
            parts = name.lower().split("/")
            if "segmentationclass" in parts and name.endswith(".png"):
                return Guess(0.9, "it has SegmentationClass")
            if seen >= 20 * _LOOK:
                break
        return NO

    def read(self, path: Path, report: ImportReport, options: ReadOptions) -> Iterator[FoundImage]:
        pixels = settings.choice(options.settings, "coordinates", voc_xml.COORDINATES) == "pixels"
        given = options.settings.get("classes")
        table = class_table.read(Path(str(given)), report) if given else None
        roots = voc_layout.find(path)
        if not roots:
            raise FormatError("there are no Pascal VOC files", file=str(path))
        for root in roots:
            yield from _Reading(root, table, pixels, report, options).images()


def _is_voc(path: Path) -> bool:
    text = peek(path, 4096)
    return b"<annotation" in text and b"<annotations>" not in text and (b"<object>" in text or b"<size>" in text)


@dataclass(slots=True)
class _Reading:
    root: Root
    table: ClassTable | None
    pixels: bool
    report: ImportReport
    options: ReadOptions

    def images(self) -> Iterator[FoundImage]:
        root, report = self.root, self.report
        if self.table is None:
            self.table = class_table.find(root.path, report)
        for name in self.table.classes if self.table else ():
            report.add_class(name)
        splits = voc_layout.splits(root, report)
        finder = files.ImageFinder(self.options.images) if self.options.images is not None else None
        seen: set[str] = set()
        for key in sorted({*root.xml, *root.class_png, *root.object_png}):
            used, found = self.image(key, splits, finder)
            seen |= {key, used}
            if found is not None:
                yield found
        for key, (name, file) in sorted(root.images.items()):
            if key not in seen:
                report.note(NO_LABELS, file=file)
                split = voc_layout.split_of(key, splits)
                yield FoundImage(name, path=file, split=split, labelled=False, complete=False)
        known = {*seen, *root.images, *(key.rpartition("/")[2] for key in (*seen, *root.images))}
        for key in splits:
            if key not in known and key.rpartition(" ")[0] not in known:
                report.note(LISTED, file=root.path / "ImageSets", where=key)

    def image(
        self, key: str, splits: dict[str, str], finder: files.ImageFinder | None
    ) -> tuple[str, FoundImage | None]:
        """Read the labels of one name. Returns the key of the image that they belong to, and the image."""
        root, report = self.root, self.report
        voc = VocFile()
        if key in root.xml:
            try:
                voc = voc_xml.parse(root.xml[key], report, self.pixels)
            except FormatError as error:
                report.skipped(NOT_READ, file=root.xml[key], detail=error.what.removeprefix(f"{error.file}: "))
                voc.skipped = 1
                if key not in root.images and key not in root.class_png:
                    return key, None
        used = root.image(key, voc.filename)
        name, file = root.images[used] if used is not None else (_name(key, voc.filename), None)
        if file is None and finder is not None:
            file = finder.find(name) or finder.find(key)
        if used == key and voc.filename and files.stem(voc.filename).rpartition("/")[2] != key.rpartition("/")[2]:
            report.note(NAMED_OTHERWISE, file=root.xml[key], detail=voc.filename)
        masks = voc_segmentation.read(key, root, self.table, report)
        size = self.size(name, file, voc, masks, root.xml.get(key))
        labels, whole = self.labels(voc, masks, size, root.xml.get(key))
        width, height = size or (None, None)
        split = voc_layout.split_of(used or key, splits) or voc_layout.split_of(key, splits)
        found = FoundImage(name, tuple(labels), file, width, height, split, complete=whole)
        return used or key, found

    def size(
        self, name: str, file: Path | None, voc: VocFile, masks: Sequence[VocObject], xml: Path | None
    ) -> tuple[int, int] | None:
        known = None
        if self.options.size_of is not None:
            known = self.options.size_of(name) or (self.options.size_of(str(file)) if file else None)
        if voc.size is not None:
            if known is not None and known != voc.size:
                said, real = (f"{width}x{height}" for width, height in (voc.size, known))
                self.report.note(OTHER_SIZE, file=xml or "", detail=f"{said}, the image is {real}")
            return known or voc.size
        if xml is not None and not voc.skipped:
            self.report.note(NO_SIZE, file=xml)
        if known is None and masks and isinstance(masks[0].geometry, Mask):
            return masks[0].geometry.width, masks[0].geometry.height
        return known or image_size(name, file, self.options)

    def labels(
        self, voc: VocFile, masks: Sequence[VocObject], size: tuple[int, int] | None, xml: Path | None
    ) -> tuple[list[Label], bool]:
        labels: list[Label] = []
        objects = voc_segmentation.joined(voc.objects, masks)
        width, height = size or (None, None)
        for found in objects:
            before = _snapped(found.geometry, width, height)
            file = xml or self.root.path
            geometry = fit.to_image(before, width, height, self.report, file=file, where=found.where)
            if geometry is not None:
                self.report.add_class(found.name)
                labels.append(Label(found.name, geometry, found.confidence, attributes=found.attributes))
        return labels, not voc.skipped and len(labels) == len(objects)


def _snapped(geometry: Geometry, width: int | None, height: int | None) -> Geometry:
    """Take boxes that begin at -1 as those of a tool that counts from 0 read as pixels: nothing to report."""
    if width is None or height is None or not isinstance(geometry, Box) or (geometry.x >= 0 and geometry.y >= 0):
        return geometry
    x0, y0, x1, y1 = geometry.corners
    if x0 >= -1 and y0 >= -1 and x1 > 0 and y1 > 0:
        return Box.from_corners(max(x0, 0.0), max(y0, 0.0), x1, y1)
    return geometry


def _name(key: str, filename: str) -> str:
    """The name of an image that is not there: that of the XML file, with the ending of the one that it names."""
    if not filename:
        return key
    folder, _, last = key.rpartition("/")
    named = filename.rpartition("/")[2]
    if files.stem(named) == last or named == last:
        return f"{folder}/{named}" if folder else named
    return filename


class VocWriter:
    """Writes Annotations, ImageSets and labelmap.txt, and the segmentation PNGs where there are masks."""

    def holds(self, options: WriteOptions) -> Holds:
        return voc_write.holds(options)

    def write(
        self,
        images: Iterable[tuple[Image, Sequence[Label]]],
        classes: Sequence[LabelClass],
        out: Path,
        report: ExportReport,
        options: WriteOptions,
    ) -> None:
        voc_write.write(images, classes, out, report, options)


register(
    Format(
        name="voc",
        title="Pascal VOC",
        about=(
            "Boxes with pose, truncated, difficult and occluded in one XML file per image, masks in SegmentationClass "
            "and SegmentationObject, splits in ImageSets. Coordinates are the edges of the box, as labelImg, CVAT and "
            "others write them; VOC's own pixels counted from 1 are a setting."
        ),
        reader=VocReader(),
        writer=VocWriter(),
        out="folder",
        read_settings={
            "coordinates": "edges (default), or pixels: counted from 1, the last inclusive, as in the VOC challenges.",
            "classes": "A file with the names of the segmentation's classes; default: labelmap.txt, class_names.txt or "
            "such in the folder, else VOC's twenty.",
        },
        write_settings={
            "coordinates": "edges (default) or pixels, as for reading.",
            "images": "none (default), link or copy: put the images into JPEGImages.",
            "overwrite": "yes: write into a folder that is not empty. Default no.",
        },
    )
)
