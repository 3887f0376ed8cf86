"""Masks as PNG files: one per image whose values or colours are classes, or one per object. With a table of classes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from countersign.domain import mask as masks
from countersign.domain.errors import FormatError, ImageError
from countersign.domain.geometry import Kind, Mask
from countersign.domain.image import Image
from countersign.domain.label import Label, LabelClass
from countersign.formats import class_table, files, fit, index_png, mask_layout, settings
from countersign.formats.base import NO, Format, FoundImage, Guess, Holds, ReadOptions, WriteOptions, atomic, image_size
from countersign.formats.class_table import ClassTable
from countersign.formats.index_png import Pixels
from countersign.formats.mask_layout import MaskFile, Pair
from countersign.formats.registry import register
from countersign.formats.report import ExportReport, ImportReport

NOT_READ = "a mask that cannot be read"
UNKNOWN = "a value or colour that the table does not have"
VOID = "pixels of no class (255, void) are not kept"
NO_TABLE = "nothing says what the values mean"
NO_MASK = "images without a mask, taken as not labelled"
OVERLAP = "masks that overlap: the later one covers the earlier one"
COVERED = "a mask that others cover wholly"
ONE_MASK = "several objects of a class became one mask: see the setting objects"
MEANS_NOTHING = "masks of a class whose name means background here"
EMPTY = "a mask of one object in which nothing is painted"

TABLE = "class_table.csv"


class MaskReader:
    """Reads folders of index, grey or colour PNGs with a table, and folders with one PNG per object."""

    def detect(self, path: Path) -> Guess:
        if not path.is_dir():
            return NO
        table = next((name for name in class_table.FILES if (path / name).is_file()), "")
        tops = files.subfolders(path)
        for folder in (path, *tops[:20]):
            inside = {inner.name.lower(): inner for inner in files.subfolders(folder)}
            for name in sorted(mask_layout.MASKS & set(inside)):
                first = next(files.files_below(inside[name]), "")
                if files.ending(first) == ".png":
                    sure = 0.9 if table else 0.8 if mask_layout.IMAGES & set(inside) else 0.5
                    return Guess(
                        sure, f"{folder.name}/{name} holds PNG files" + (f", {table} names classes" if table else "")
                    )
        if table and (path / "label.png").is_file():
            return Guess(0.7, f"label.png and {table}")
        return NO

    def read(self, path: Path, report: ImportReport, options: ReadOptions) -> Iterator[FoundImage]:
        if not path.is_dir():
            raise FormatError("mask PNGs are read as a folder", file=str(path))
        reading = _Reading(_table(path, report, options), report, options, _one_class(options))
        for name in reading.table.classes if reading.table else ():
            report.add_class(name)
        known = frozenset(reading.table.classes) if reading.table else frozenset[str]()
        found = mask_layout.pairs(path, known)
        finder = files.ImageFinder(options.images) if options.images is not None else None
        for pair in found:
            if pair.image is None and finder is not None:
                pair.image = finder.find(pair.name)
            yield reading.image(pair)


def _one_class(options: ReadOptions) -> str:
    return str(options.settings.get("class") or "object").strip() or "object"


def _table(path: Path, report: ImportReport, options: ReadOptions) -> ClassTable | None:
    given = options.settings.get("classes")
    if given and not files.is_file(Path(str(given))):
        return class_table.of_names(settings.names(options.settings, "classes"))
    if given:
        return class_table.read(Path(str(given)), report)
    for folder in (
        path,
        *(sub for sub in files.subfolders(path) if sub.name.lower() in mask_layout.MASKS),
        path.parent,
    ):
        table = class_table.find(folder, report)
        if table is not None:
            return table
    return None


@dataclass(slots=True)
class _Reading:
    table: ClassTable | None
    report: ImportReport
    options: ReadOptions
    one_class: str

    def image(self, pair: Pair) -> FoundImage:
        if not pair.masks:
            self.report.note(NO_MASK, file=pair.image or pair.name)
            return FoundImage(pair.name, path=pair.image, split=pair.split, labelled=False, complete=False)
        size = image_size(pair.name, pair.image, self.options)
        labels: list[Label] = []
        whole = True
        for mask in sorted(pair.masks, key=lambda one: one.path):
            try:
                pixels = index_png.read(mask.path)
            except ImageError as error:
                self.report.skipped(NOT_READ, file=mask.path, detail=error.reason)
                whole = False
                continue
            height, width = pixels.codes.shape
            size = size or (width, height)
            for name, painted in self.masks(mask, pixels):
                kept = fit.to_image(painted, size[0], size[1], self.report, file=mask.path, where=name)
                whole &= kept is not None
                if kept is not None:
                    self.report.add_class(name)
                    labels.append(Label(name, kept))
        across, down = size or (None, None)
        return FoundImage(pair.name, tuple(labels), pair.image, across, down, pair.split, complete=whole)

    def masks(self, mask: MaskFile, pixels: Pixels) -> Iterator[tuple[str, Mask]]:
        """The classes and masks in one file."""
        used = pixels.used
        if not mask.whole or (self.binary(used) and not pixels.colored):
            painted = pixels.codes != 0
            if painted.any():
                yield mask.class_name or self.only_class(), masks.encode(painted)
            elif not mask.whole:
                self.report.note(EMPTY, file=mask.path)
            return
        by_name: dict[str, list[int]] = {}
        for code, name in self.names(mask.path, pixels).items():
            by_name.setdefault(name, []).append(code)
        for name, codes in by_name.items():
            yield name, masks.encode(np.isin(pixels.codes, codes))

    def binary(self, used: Sequence[int]) -> bool:
        """Whether values are black and white, and no table says what they mean (or only has one class)."""
        if not set(used) <= {0, 255} and not (self.table is None and set(used) <= {0, 1}):
            return False
        return self.table is None or (len(self.table.classes) == 1 and 255 not in self.table.by_value)

    def only_class(self) -> str:
        known = self.table.classes if self.table else []
        return known[0] if len(known) == 1 and "class" not in self.options.settings else self.one_class

    def names(self, path: Path, pixels: Pixels) -> dict[int, str]:
        names: dict[int, str] = {}
        table = self.table
        if table is None:
            self.report.note(NO_TABLE, file=path, detail="classes are called after them")
        for code, name in index_png.classes(pixels, table or ClassTable()).items():
            if name is None and index_png.is_void(pixels, code):
                self.report.note(VOID, file=path)
            elif name is None and table is not None:
                where = f"colour #{code:06x}" if pixels.colored else f"value {code}"
                self.report.skipped(UNKNOWN, file=path, where=where)
            elif name is None:
                names[code] = f"color_{code:06x}" if pixels.colored else f"class_{code}"
            elif not (table or ClassTable()).is_background(name):
                names[code] = name
        return names


class MaskWriter:
    """Writes one index PNG per image with VOC's palette, or one black and white PNG per object."""

    def holds(self, options: WriteOptions) -> Holds:
        objects = settings.flag(options.settings, "objects")
        return Holds(kinds=frozenset({Kind.MASK}), empty_images=not objects)

    def write(
        self,
        images: Iterable[tuple[Image, Sequence[Label]]],
        classes: Sequence[LabelClass],
        out: Path,
        report: ExportReport,
        options: WriteOptions,
    ) -> None:
        given = options.settings
        files.fresh(out, settings.flag(given, "overwrite"))
        how = settings.choice(given, "images", ("none", "link", "copy"))
        objects = settings.flag(given, "objects")
        values = _write_table(classes, out, report)
        names = files.Names(report)
        for image, labels in images:
            name = names.give(image)
            files.place(image, out / "images" / name, how, report)
            fitting = [label for label in labels if _fits(label, image, report)]
            target = out / "masks" / files.stem(name)
            if objects:
                _write_objects(fitting, target, report)
            else:
                _write_classes(image, fitting, values, target.with_name(f"{target.name}.png"), report)


def _fits(label: Label, image: Image, report: ExportReport) -> bool:
    assert isinstance(label.geometry, Mask)
    if (label.geometry.width, label.geometry.height) != (image.width, image.height):
        report.skipped(fit.WRONG_SIZE, where=image.name)
        return False
    if ClassTable().is_background(label.class_name):
        report.skipped(MEANS_NOTHING, where=image.name, detail=label.class_name)
        return False
    return True


def _write_table(classes: Sequence[LabelClass], out: Path, report: ExportReport) -> dict[str, int]:
    """Write the table; return each class's value. 255 stays free, it means void in most data sets."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("value", "name", "r", "g", "b"))
    rows.writerow((0, "background", 0, 0, 0))
    values: dict[str, int] = {}
    for index, found in enumerate(classes, 1):
        value = index if index < class_table.VOID else index + 1
        values[found.name] = value
        # Above 255 there is no palette; some colour must stand in the row all the same, and none is taken twice.
        color = class_table.voc_color(value) if value < class_table.VOID else (value >> 8, value & 255, 1)
        rows.writerow((value, found.name, *color))
    with atomic(out / TABLE) as file:
        file.write(text.getvalue().encode())
    report.files += 1
    return values


def _write_classes(
    image: Image, labels: Sequence[Label], values: dict[str, int], path: Path, report: ExportReport
) -> None:
    codes = np.zeros((image.height, image.width), np.uint16)
    if len({label.class_name for label in labels}) < len(labels):
        report.changed(ONE_MASK, where=image.name)
    for label in labels:
        assert isinstance(label.geometry, Mask)
        painted, value = masks.decode(label.geometry), values[label.class_name]
        if np.any((codes[painted] != 0) & (codes[painted] != value)):
            report.changed(OVERLAP, where=image.name)
        codes[painted] = value
    for name in {label.class_name for label in labels}:
        if not (codes == values[name]).any():
            report.skipped(COVERED, where=image.name, detail=name)
    index_png.write(path, codes)
    report.files += 1


def _write_objects(labels: Sequence[Label], folder: Path, report: ExportReport) -> None:
    for number, label in enumerate(labels, 1):
        assert isinstance(label.geometry, Mask)
        target = folder / files.inside(label.class_name.replace("/", "_")) / f"{number:04d}.png"
        index_png.write_binary(target, masks.decode(label.geometry))
        report.files += 1


register(
    Format(
        name="mask-png",
        title="Mask PNGs",
        about=(
            "One PNG per image whose values or colours are classes, with a table (labelmap.txt, CSV, JSON, lists of "
            "names); or one black and white PNG per object, in a folder per image. Written as palette PNGs."
        ),
        reader=MaskReader(),
        writer=MaskWriter(),
        out="folder",
        read_settings={
            "classes": "The table: a file, or names with commas for the values 1, 2 ... (from 0 if the first is "
            "background); default: the one in the folder.",
            "class": "The class of masks that only show one object (default: object).",
        },
        write_settings={
            "objects": "yes: one PNG per object, in masks/<image>/<class>/; overlaps are kept. Default no.",
            "images": "none (default), link or copy: put the images into images/.",
            "overwrite": "yes: write into a folder that is not empty. Default no.",
        },
    )
)
