"""The YOLO folder, as Ultralytics and darknet know it. Reading is in ``yolo_read``, writing in ``yolo_write``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from countersign.domain.image import Image
from countersign.domain.label import Label, LabelClass
from countersign.formats import class_folders, files, settings, yolo_layout, yolo_read, yolo_write
from countersign.formats.base import NO, Format, FoundImage, Guess, Holds, ReadOptions, WriteOptions, peek
from countersign.formats.registry import register
from countersign.formats.report import ExportReport, ImportReport

_LOOK = 400  # files that ``detect`` looks at before it gives up


class YoloReader:
    """Reads data.yaml, obj.data, lists of images, and folders that nothing describes."""

    def detect(self, path: Path) -> Guess:
        if path.is_file():
            return _detect_file(path)
        found = yolo_layout.description(path)
        if found is not None:
            return Guess(0.95, f"it has {found.name}")
        named = next((name for name in yolo_layout.NAME_FILES if (path / name).is_file()), "")
        for seen, name in enumerate(_texts(path)):
            if seen >= _LOOK:
                break
            if yolo_layout.looks_like_labels(path / name):
                return Guess(0.85 if named else 0.75, f"{name} holds label lines")
        return NO

    def read(self, path: Path, report: ImportReport, options: ReadOptions) -> Iterator[FoundImage]:
        yield from yolo_read.read(path, report, options)


class YoloWriter:
    """Writes data.yaml, images/<split> and labels/<split>; for ``classify`` a folder per split and class."""

    def holds(self, options: WriteOptions) -> Holds:
        return yolo_write.holds(options)

    def write(
        self,
        images: Iterable[tuple[Image, Sequence[Label]]],
        classes: Sequence[LabelClass],
        out: Path,
        report: ExportReport,
        options: WriteOptions,
    ) -> None:
        if settings.choice(options.settings, "task", yolo_write.TASKS) == "classify":
            draw = yolo_write.Draw(options.settings, report)
            class_folders.write_folders(images, classes, out, report, options, draw.splits)
        else:
            yolo_write.write(images, classes, out, report, options)


def _detect_file(path: Path) -> Guess:
    ending, text = path.suffix.lower(), peek(path)
    if ending in (".yaml", ".yml") and (b"names" in text or b"nc:" in text):
        named = b"train:" in text or b"val:" in text or b"path:" in text
        return Guess(0.95, "a YAML file with names and splits") if named else NO
    if ending == ".data" and b"names" in text:
        return Guess(0.8, "a darknet description")
    if ending == ".txt" and yolo_layout.is_image_list(path):
        return Guess(0.5, "a list of images")
    return NO


def _texts(path: Path) -> Iterator[str]:
    """Text files, those in folders of labels first: a folder may hold ten thousand images before the first label."""
    tops = [folder for folder in files.subfolders(path) if folder.name.lower() in yolo_layout.LABEL_FOLDERS]
    for folder in (*tops, path):
        for name in files.files_below(folder, (".txt",)):
            yield (folder / name).relative_to(path).as_posix()


register(
    Format(
        name="yolo",
        title="YOLO folder",
        about=(
            "Boxes, polygons, keypoints and oriented boxes, one text file per image, described by data.yaml, darknet's "
            "obj.data, by lists of images or by nothing. Written so that Ultralytics trains on it. (For task=classify "
            "a folder per class is written; such folders are read as class-folders.)"
        ),
        reader=YoloReader(),
        writer=YoloWriter(),
        out="folder",
        read_settings={
            "names": "Names of the classes, with commas or as a file with one a line; default: as the data set says.",
            "first_class": "Number of the first class: 0 (default) or 1.",
            "unknown_classes": "What to do with class numbers without a name: skip (default) or keep, as class_7.",
        },
        write_settings={
            "task": "auto (default: what the labels are), detect, segment, pose or classify.",
            "images": "link (default), copy, or none: labels and lists only. Ultralytics repairs damaged JPEG files in "
            "place, also through a link: copy to keep the originals safe.",
            "val": "Share of the images without a split that go to val (default 0.2).",
            "test": "Share of the images without a split that go to test (default 0).",
            "seed": "Draws the splits (default 0); an image's split depends on its content and this alone.",
            "confidences": "yes: write confidences as a last column, as predictions have. Default no.",
            "path": "omit (default: the folder of data.yaml, which can be moved) or absolute.",
            "overwrite": "yes: write into a folder that is not empty. Default no.",
        },
    )
)
