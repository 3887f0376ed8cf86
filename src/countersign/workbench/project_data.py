"""The verbs of ``Project`` that bring images and labels in, look at them, and take them out. See ``project``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from countersign.domain.errors import NotFound
from countersign.domain.image import Image
from countersign.domain.label import Change, Label, LabelClass
from countersign.domain.query import LabelFilter
from countersign.formats import ExportReport
from countersign.store import classes, fields, history
from countersign.store import images as image_records
from countersign.workbench import bringing, exporting, importing, label_import, labelling, looking, selecting
from countersign.workbench.progress import OnProgress
from countersign.workbench.project_base import TRUTH, ProjectBase
from countersign.workbench.selecting import Images

if TYPE_CHECKING:
    from countersign.store.fields import FieldSummary


class ProjectData(ProjectBase):
    """Images, classes, fields, labels and their history."""

    def import_path(
        self,
        path: str | Path,
        *,
        format: str = "auto",
        field: str = TRUTH,
        images: str | Path | None = None,
        split: str = "",
        tags: Sequence[str] = (),
        settings: Mapping[str, Any] | None = None,
        on_progress: OnProgress | None = None,
    ) -> bringing.Import:
        """Import what is at a path: a folder of images, a label file or folder in any format, or both at once.

        ``format`` is a label format's name, ``auto``, or ``none`` for images only; ``images`` is the folder of the
        images where they are not beside the labels.

        >>> done = project.import_path("pictures", split="train")
        >>> done.images.added, done.images.known
        (0, 6)
        """
        return bringing.import_path(
            self._store, self._record, path, format=format, field=field, images=images, split=split, tags=tags,
            settings=settings, actor=self._user, on_progress=on_progress,
        )  # fmt: skip

    def import_images(
        self, path: str | Path, *, split: str = "", tags: Sequence[str] = (), on_progress: OnProgress | None = None
    ) -> importing.ImagesImport:
        """Add the image files below a folder, by reference. What is there already is not added twice.

        >>> project.import_images("pictures").known
        6
        """
        return importing.import_images(self._store, self._record, path, split=split, tags=tags, on_progress=on_progress)

    def import_labels(
        self,
        path: str | Path,
        *,
        format: str = "auto",
        field: str = TRUTH,
        images: str | Path | None = None,
        settings: Mapping[str, Any] | None = None,
        on_progress: OnProgress | None = None,
    ) -> label_import.LabelsImport:
        """Read labels of a file or folder into a field, for images that the project has.

        >>> _ = project.export("labels.json")
        >>> done = project.import_labels("labels.json", field="second_opinion")
        >>> done.format, done.labels
        ('coco', 4)
        """
        return label_import.import_labels(
            self._store, self._record, path, format=format, field=field, images=images, settings=settings,
            actor=self._user, on_progress=on_progress,
        )  # fmt: skip

    def export(
        self,
        out: str | Path,
        *,
        field: str = TRUTH,
        format: str = "coco",
        images: Images = None,
        labels: LabelFilter | None = None,
        settings: Mapping[str, Any] | None = None,
        overwrite: bool = False,
        on_progress: OnProgress | None = None,
    ) -> ExportReport:
        """Write the labels of a field to a file or folder. The report says what the format could not hold.

        >>> project.export("out.json", images="has=ground_truth").labels
        4
        """
        return exporting.export(
            self._store, self._record, field, out, format=format, query=self._query(images), labels_like=labels,
            settings=settings, overwrite=overwrite, on_progress=on_progress,
        )  # fmt: skip

    # ---- looking

    def images(self, images: Images = None, *, limit: int | None = None) -> list[Image]:
        """Return the images that are meant, by id.

        >>> [image.name for image in project.images("text~2")]
        ['2.png']
        """
        return looking.images(self._store, self._record, self._query(images), limit)

    def count(self, images: Images = None) -> int:
        """Count the images that are meant.

        >>> project.count("-has=ground_truth")
        2
        """
        with self._store.read() as c:
            return image_records.count(c, self.id, self._query(images))

    def select(self, images: Images) -> selecting.Selection:
        """Turn what somebody calls ``images`` into a query, with the names that fit none or several.

        >>> project.select(["0", "nowhere.png"]).unmatched
        ('nowhere.png',)
        """
        return selecting.select(self._store, self.id, images)

    def mark(
        self,
        images: Images = None,
        *,
        add_tags: Sequence[str] = (),
        remove_tags: Sequence[str] = (),
        split: str | None = None,
    ) -> int:
        """Set tags and split on images; return on how many. The tag ``empty`` says that an image shows no object.

        >>> project.mark(["4.png"], add_tags=["empty"])
        1
        """
        return looking.mark(self._store, self._record, self._query(images), add_tags, remove_tags, split)

    def classes(self) -> list[LabelClass]:
        """The classes of the project, in the order in which they came.

        >>> [found.name for found in project.classes()]
        ['square', 'bar']
        """
        with self._store.read() as c:
            return classes.list_all(c, self.id)

    def fields(self) -> list[FieldSummary]:
        """The fields of the project, with counts of their labels by state and kind.

        >>> [(item.field.name, item.labels) for item in project.fields()]
        [('ground_truth', 4)]
        """
        with self._store.read() as c:
            return list(fields.list_all(c, self.id))

    def delete_field(self, name: str) -> None:
        """Delete a field with its labels, for good. A run goes with its field. Raises NotFound, WrongState.

        >>> project.delete_field("ground_truth")
        """
        with self._store.write() as c:
            fields.delete(c, self.id, name, actor=self._user)

    def labels(self, field: str = TRUTH, images: Images = None) -> dict[str, list[Label]]:
        """Return the labels of a field by the names of their images; meant for small selections.

        >>> project.labels(images=["0.png"])["0.png"][0].class_name
        'square'
        """
        return looking.labels_of(self._store, self._record, field, self._query(images))

    def add_labels(self, labels: Mapping[str, Iterable[Label]], *, field: str = TRUTH, note: str = "") -> Change:
        """Add labels that a person drew, by the names of their images. Raises NotFound for a name.

        >>> project.add_labels({"5.png": [Label("square", Box(4, 4, 20, 20))]}).count
        1
        """
        return labelling.add(self._store, self._record, labels, field=field, note=note, actor=self._user)

    def history(self, *, limit: int = 100) -> list[Change]:
        """What was done to the labels, the latest first.

        >>> [(change.verb.value, change.count) for change in project.history()]
        [('import', 4)]
        """
        with self._store.read() as c:
            return list(history.list_all(c, self.id, limit=limit))

    def undo(self, change: int | Change) -> Change:
        """Undo one change. Raises Conflict where something later touched the same labels.

        >>> project.undo(project.history()[0]).count
        4
        """
        number = change.id if isinstance(change, Change) else change
        with self._store.write() as c:
            if not any(item.id == number for item in history.list_all(c, self.id, before=number + 1, limit=1)):
                raise NotFound("change", number, remedy="'countersign history' lists them.")
            return history.undo(c, number, self._user)
