"""Bringing labels from files into a field of a project.

Each image that the files name is matched to one of the project (``matching``); one that is not there, or that fits
several, is reported. A label that the field holds already on that image (the same class and geometry) is skipped
and counted, so that importing a file twice changes nothing; two equal labels within one file stay two. One import
is one change of the history, whatever number of transactions it took.
"""

from __future__ import annotations

import dataclasses
import gc
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from countersign import formats
from countersign.domain.geometry import Box, Ellipse, Geometry, Keypoints, Mask, Polygon
from countersign.domain.image import Project
from countersign.domain.label import Label, Origin, Provenance, Verb
from countersign.formats import FoundImage
from countersign.runs.training import EMPTY_TAG
from countersign.store import Store, classes, fields, history, images, labels
from countersign.store.names import NamedImage
from countersign.workbench.importing import Refused, add_files, chunks
from countersign.workbench.matching import ImageNames, full
from countersign.workbench.progress import OnProgress, Ticker

_CHUNK = 1000  # images per transaction


@dataclass(frozen=True, slots=True)
class LabelsImport:
    """What became of labels. ``images`` were matched, ``missing`` are not in the project, ``ambiguous`` fit several.

    ``labels`` were added, ``duplicates`` were there before. ``change`` is the entry of the history (None if nothing
    was added). ``report`` holds what was wrong with the files.
    """

    format: str
    field: str
    images: int = 0
    labels: int = 0
    duplicates: int = 0
    missing: int = 0
    ambiguous: int = 0
    images_added: int = 0
    change: int | None = None
    refused: tuple[Refused, ...] = ()
    report: formats.ImportReport = dataclasses.field(default_factory=formats.ImportReport, compare=False, repr=False)

    def to_data(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "format": self.format,
            "field": self.field,
            "images": self.images,
            "labels": self.labels,
            "duplicates": self.duplicates,
            "missing": self.missing,
            "ambiguous": self.ambiguous,
            "images_added": self.images_added,
            "change": self.change,
            "refused": [{"path": item.path, "reason": item.reason} for item in self.refused],
            "report": self.report.to_data(),
        }


def import_labels(
    store: Store,
    project: Project,
    path: str | Path,
    *,
    format: str = "auto",
    field: str = "ground_truth",
    images: str | Path | None = None,
    add_images: bool = False,
    split: str = "",
    tags: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    actor: str,
    on_progress: OnProgress | None = None,
) -> LabelsImport:
    """Read the labels of a file or folder into a field, which is made if it is not there.

    ``images`` is the folder of the image files, where they are not beside the labels. ``add_images`` brings in images
    that the project lacks, where the reader found their files. Raises FormatError, NotFound, SettingsError.
    """
    task = _Import(store, project, full(path), field, actor, split, tuple(tags), add_images)
    options = formats.ReadOptions(
        images=Path(images).expanduser() if images else None, size_of=task.size_of, settings=dict(settings or {})
    )
    stream = formats.read(task.path, format=format, options=options, report=task.report)
    ticker = Ticker(on_progress, "labels")
    try:
        for batch in chunks(stream, _CHUNK):
            if not ticker.done:
                gc.freeze()  # what a reader holds of a large file would be walked again and again for nothing
            task.take(batch)
            ticker.step(len(batch), f"{task.added:,} labels")
    finally:
        gc.unfreeze()
    ticker.finish(f"{task.added:,} labels")
    return task.result()


class _Import:
    """The state of one import of labels."""

    def __init__(
        self,
        store: Store,
        project: Project,
        path: Path,
        field: str,
        actor: str,
        split: str,
        tags: tuple[str, ...],
        add: bool,
    ) -> None:
        self.store, self.project, self.path, self.field, self.actor = store, project, path, field, actor
        self.split, self.tags, self.add_images = split, tags, add
        self.report = formats.ImportReport()
        self.names = ImageNames(store, project.id)
        self.provenance = Provenance(Origin.IMPORT, source=path.name)
        self.matched: set[int] = set()
        self.added = self.duplicates = self.missing = self.ambiguous = self.images_added = 0
        self.refused: list[Refused] = []
        self.change: int | None = None
        self._field_id: int | None = None

    def size_of(self, name: str) -> tuple[int, int] | None:
        """Size of an image of the project, so that readers need not open its file."""
        found = self.names.match(name).image
        return (found.width, found.height) if found else None

    def take(self, batch: Sequence[FoundImage]) -> None:
        """Match a batch of images and write their labels."""
        if self.add_images:
            self._add_missing(batch)
        pairs = [(image, found) for found in batch if (image := self._match(found)) is not None]
        while pairs:
            # An image that comes twice (as two files with the same bytes) waits for the next round, where the labels
            # of its first file are known: labels that both files give are one.
            now: dict[int, tuple[NamedImage, FoundImage]] = {}
            later = [pair for pair in pairs if now.setdefault(pair[0].id, pair) is not pair]
            self._write(list(now.values()))
            pairs = later

    def _write(self, pairs: Sequence[tuple[NamedImage, FoundImage]]) -> None:
        self.matched.update(image.id for image, _ in pairs)
        rows = [(image.id, label) for image, found in pairs for label in self._usable(image, found)]
        with self.store.write() as c:
            field_id = self._begin(c)
            classes.ensure(c, self.project.id, [*self.report.classes, *_class_names(rows)])
            rows = self._without_known(c, field_id, rows)
            if rows:
                if self.change is None:
                    self.change = history.begin(
                        c, self.project.id, Verb.IMPORT, self.actor, field_id=field_id, note=str(self.path)
                    )
                labels.add(c, field_id, rows, change_id=self.change, provenance=self.provenance)
            self._mark(c, field_id, pairs)
        self.added += len(rows)

    def result(self) -> LabelsImport:
        return LabelsImport(
            self.report.format, self.field, len(self.matched), self.added, self.duplicates, self.missing,
            self.ambiguous, self.images_added, self.change, tuple(self.refused), self.report,
        )  # fmt: skip

    def _add_missing(self, batch: Sequence[FoundImage]) -> None:
        files = {
            full(found.path): found.name.replace("\\", "/")
            for found in batch
            if found.path is not None
            and self.names.match(found.name, found.path).image is None
            and found.path.is_file()
        }
        if not files:
            return
        done = add_files(self.store, self.project, list(files.items()), split=self.split, tags=self.tags)
        self.refused.extend(done.summary.refused)
        self.images_added += done.summary.added
        with self.store.read() as c:
            there = {image.id: image for image in images.by_ids(c, set(done.ids.values()))}
        for path, number in done.ids.items():
            image = there[number]
            self.names.place(path, NamedImage(image.id, image.name, image.path, image.width, image.height))

    def _match(self, found: FoundImage) -> NamedImage | None:
        match = self.names.match(found.name, found.path)
        if match.image is not None:
            if found.width and found.height and (found.width, found.height) != (match.image.width, match.image.height):
                given, real = f"{found.width}x{found.height}", f"{match.image.width}x{match.image.height}"
                self.report.note(
                    "the labels were made for another size of the image", where=found.name, detail=f"{given}, is {real}"
                )
            return match.image
        if match.rivals:
            self.ambiguous += 1
            several = ", ".join(image.path for image in match.rivals[:3])
            self.report.skipped("several images of the project have this name", where=found.name, detail=several)
        else:
            self.missing += 1
            self.report.skipped("the image is not in the project", where=found.name, detail=_count(found))
        return None

    def _usable(self, image: NamedImage, found: FoundImage) -> Iterable[Label]:
        for label in found.labels:
            mask = label.geometry
            if isinstance(mask, Mask) and (mask.width, mask.height) != (image.width, image.height):
                self.report.skipped(
                    "a mask of another size than the image", where=found.name, detail=f"{mask.width}x{mask.height}"
                )
            else:
                yield label

    def _begin(self, c: Any) -> int:
        if self._field_id is None:
            self._field_id = fields.ensure(c, self.project.id, self.field).id
        return self._field_id

    def _without_known(self, c: Any, field_id: int, rows: list[tuple[int, Label]]) -> list[tuple[int, Label]]:
        """Leave out labels that the field holds already: each of its labels answers for one of the file's."""
        there = labels.for_images(c, field_id, sorted({image_id for image_id, _ in rows}))
        known = Counter((image_id, key(label)) for image_id, found in there.items() for label in found)
        if not known:
            return rows
        fresh = []
        for image_id, label in rows:
            identity = (image_id, key(label))
            if known[identity] > 0:
                known[identity] -= 1
                self.duplicates += 1
            else:
                fresh.append((image_id, label))
        return fresh

    def _mark(self, c: Any, field_id: int, pairs: Sequence[tuple[NamedImage, FoundImage]]) -> None:
        by_split: dict[str, list[int]] = {}
        for image, found in pairs:
            if split := self.split or found.split:
                by_split.setdefault(split, []).append(image.id)
        for split, ids in by_split.items():
            images.set_split(c, ids, split)
        if self.tags:
            images.add_tags(c, [image.id for image, _ in pairs], self.tags)
        empty = [image.id for image, found in pairs if found.labelled and found.complete and not found.labels]
        bare = labels.for_images(c, field_id, empty)
        empty = [image_id for image_id in empty if not bare[image_id]]
        if empty:
            images.add_tags(c, empty, (EMPTY_TAG,))


def key(label: Label) -> Hashable:
    """What makes two labels of one image the same: class and geometry, to a hundredth of a pixel."""
    return (label.class_name, _rounded(label.geometry))


def _rounded(geometry: Geometry | None) -> Hashable:
    match geometry:
        case None:
            return None
        case Mask():
            return geometry.counts
        case Polygon():
            return tuple(tuple(round(value, 2) for value in ring) for ring in (*geometry.rings, (), *geometry.holes))
        case Keypoints():
            return ("points", *(round(value, 2) for value in geometry.points))
        case Ellipse():
            shape = (geometry.cx, geometry.cy, geometry.rx, geometry.ry, geometry.angle)
            return ("ellipse", *(round(value, 2) for value in shape))
        case Box():
            return tuple(round(value, 2) for value in geometry.bounds)


def _class_names(rows: Iterable[tuple[int, Label]]) -> Iterable[str]:
    return dict.fromkeys(label.class_name for _, label in rows)


def _count(found: FoundImage) -> str:
    return f"{len(found.labels)} labels"
