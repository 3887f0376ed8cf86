"""One project with all its verbs. Thin: each verb is a function in a module of its own, which does the work.

The examples in the docstrings run in the tests: ``workspace`` holds the project ``shapes`` (also as ``project``) with
six small images of white squares and bars on grey, of which four have labels in ``ground_truth``; ``bright:shapes``
is a model of the tests that finds what is bright.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from countersign.domain.errors import NotFound
from countersign.domain.image import Image
from countersign.domain.image import Project as Record
from countersign.domain.label import Change, Label, LabelClass
from countersign.domain.query import ImageQuery, LabelFilter
from countersign.domain.run import Run
from countersign.domain.work import RunProgress, Training
from countersign.formats import ExportReport
from countersign.runs import control
from countersign.store import Store, classes, fields, history, runs
from countersign.store import images as image_records
from countersign.workbench import (
    bringing,
    exporting,
    importing,
    label_import,
    labelling,
    looking,
    reviewing,
    running,
    selecting,
    training,
)
from countersign.workbench.progress import OnProgress
from countersign.workbench.reviewing import Review
from countersign.workbench.selecting import Images

if TYPE_CHECKING:
    from countersign.domain.model import StoredModel
    from countersign.learn.events import OnEvent
    from countersign.store.fields import FieldSummary
    from countersign.workbench.evaluation import Evaluation, Found

TRUTH = "ground_truth"
"""The field that verified labels go to, unless another is named."""


class Project:
    """Images, classes, fields and runs that belong together. Made by ``Workspace.project``.

    Where a verb takes ``images`` it means a query (``"split=train has=ground_truth"``), a file of image names, a list
    of names or ids, an ``ImageQuery``, or None for all.
    """

    def __init__(self, store: Store, record: Record, user: str) -> None:
        self._store = store
        self._record = record
        self._user = user

    def __repr__(self) -> str:
        return f"Project({self.name!r})"

    @property
    def id(self) -> int:
        """Number of the project in its workspace."""
        return self._record.id

    @property
    def name(self) -> str:
        """Name of the project."""
        return self._record.name

    # ---- bringing in and taking out

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

    # ---- learning and labelling

    def train(
        self,
        field: str = TRUTH,
        *,
        images: Images = None,
        name: str = "",
        on_event: OnEvent | None = None,
        should_cancel: Callable[[], bool] | None = None,
        inline: bool = False,
        **settings: Any,
    ) -> StoredModel:
        """Teach a new model by the labels of a field, and return it. Settings are those of ``TrainingSettings``.

        ``images`` None means all that have labels in the field. ``should_cancel`` is asked now and then: True ends the
        training with the best so far. It works in a process of its own, or ``inline`` in this one. Raises
        SettingsError before anything starts, and InvalidInput where there is nothing to learn from.

        >>> model = project.train(name="first", epochs=1, image_size=224, inline=True)
        >>> sorted(model.card.classes)
        ['bar', 'square']
        """
        return training.train(
            self._store, self._record, field, query=self._query(images), name=name, settings=settings,
            actor=self._user, on_event=on_event, should_cancel=should_cancel, inline=inline,
        )  # fmt: skip

    def trainings(self) -> list[Training]:
        """The trainings of the project, oldest first, with what they last reported.

        >>> project.trainings()
        []
        """
        return training.list_all(self._store, self._record)

    def cancel_training(self, training_name: str | int) -> Training:
        """Ask a training to stop; the best so far becomes its model. Raises NotFound, WrongState where it is over.

        >>> project.cancel_training("first")  # doctest: +IGNORE_EXCEPTION_DETAIL
        Traceback (most recent call last):
        ...
        NotFound: There is no training 'first'.
        """
        return training.cancel(self._store, self._record, training_name)

    def run(
        self,
        model: str,
        field: str,
        *,
        images: Images = None,
        classes: Sequence[str] = (),
        min_confidence: float = 0.1,
        name: str = "",
        workers: int = 1,
        batch_size: int = 8,
        settings: Mapping[str, Any] | None = None,
        executor: str = "processes",
        on_progress: Callable[[RunProgress], None] | None = None,
    ) -> Run:
        """Let a model label images into a new field, and wait for the end.

        The run that is returned says how it ended. ``start_run`` does not wait.

        >>> run = project.run("bright:shapes", "auto", executor="inline")
        >>> run.state.value, run.done, run.labels
        ('in_review', 6, 6)
        """
        begun = self.start_run(
            model, field, images=images, classes=classes, min_confidence=min_confidence, name=name, workers=workers,
            batch_size=batch_size, settings=settings, executor=executor,
        )  # fmt: skip
        return self.wait(begun.id, on_progress=on_progress)

    def start_run(
        self,
        model: str,
        field: str,
        *,
        images: Images = None,
        classes: Sequence[str] = (),
        min_confidence: float = 0.1,
        name: str = "",
        workers: int = 1,
        batch_size: int = 8,
        settings: Mapping[str, Any] | None = None,
        executor: str = "processes",
    ) -> Run:
        """Begin a run and return at once: it goes on in processes of its own, also when this one ends.

        >>> run = project.start_run("bright:shapes", "auto", executor="inline")
        >>> project.wait(run.id).state.value
        'in_review'
        """
        return running.start(
            self._store, self._record, model=model, field=field, query=self._query(images), classes=classes,
            min_confidence=min_confidence, name=name, workers=workers, batch_size=batch_size, settings=settings,
            executor=executor, actor=self._user,
        )  # fmt: skip

    def runs(self) -> list[Run]:
        """The runs of the project, oldest first.

        >>> project.runs()
        []
        """
        control.reap(self._store)  # a run whose workers died says so
        with self._store.read() as c:
            return list(runs.list_all(c, self.id))

    def find_run(self, run: str | int) -> Run:
        """Return a run by its name, its id or the field that it writes. Raises NotFound.

        >>> _ = project.run("bright:shapes", "auto", executor="inline")
        >>> project.find_run("auto").total
        6
        """
        with self._store.read() as c:
            return runs.get(c, run) if isinstance(run, int) else runs.find(c, self.id, run)

    def progress(self, run: str | int) -> RunProgress:
        """How far a run is.

        >>> _ = project.run("bright:shapes", "auto", executor="inline")
        >>> now = project.progress("auto")
        >>> now.done, now.failed, now.pending
        (6, 0, 0)
        """
        return control.progress(self._store, self._id(run))

    def wait(self, run: str | int, *, on_progress: Callable[[RunProgress], None] | None = None) -> Run:
        """Wait until nobody works on a run any more; return it.

        >>> run = project.start_run("bright:shapes", "auto", executor="inline")
        >>> project.wait("auto", on_progress=lambda now: print(now.done, "of", now.total)).done
        6 of 6
        6
        """
        return running.wait(self._store, self._id(run), on_progress)

    def pause(self, run: str | int) -> Run:
        """Pause a run. Its workers finish their batch. Raises WrongState.

        >>> _ = project.run("bright:shapes", "auto", executor="inline")
        >>> project.pause("auto")
        Traceback (most recent call last):
        ...
        countersign.domain.errors.WrongState: The run 'auto' is in_review, not at work. Only a run at work can pause.
        """
        return control.pause(self._store, self._id(run))

    def resume(self, run: str | int) -> Run:
        """Go on with a paused, cancelled or failed run, or try its failed images again. Raises WrongState.

        >>> away = Path("pictures/5.png").rename("5.png")
        >>> project.run("bright:shapes", "auto", executor="inline").failed
        1
        >>> _ = away.rename("pictures/5.png")
        >>> project.resume("auto").failed
        0
        """
        return control.resume(self._store, self._id(run))

    def cancel(self, run: str | int) -> Run:
        """Cancel a run; what it has labelled stays. Raises WrongState where it is over.

        >>> run = project.start_run("bright:shapes", "auto", executor="inline")
        >>> project.cancel(run.id)  # doctest: +IGNORE_EXCEPTION_DETAIL
        Traceback (most recent call last):
        ...
        WrongState: The run 'auto' is in_review and cannot become cancelled.
        """
        return control.cancel(self._store, self._id(run))

    def skip_to_review(self, run: str | int) -> Run:
        """Take a run to review with what there is. Raises WrongState where it is in review or approved.

        >>> run = project.start_run("bright:shapes", "auto", executor="inline")
        >>> project.skip_to_review(run.id)  # doctest: +IGNORE_EXCEPTION_DETAIL
        Traceback (most recent call last):
        ...
        WrongState: The run 'auto' is in_review and cannot become in_review.
        """
        return control.skip_to_review(self._store, self._id(run))

    def rename_run(self, run: str | int, name: str) -> Run:
        """Give a run another name; its field keeps its own. Raises NameTaken.

        >>> _ = project.run("bright:shapes", "auto", executor="inline")
        >>> project.rename_run("auto", "first try").name
        'first try'
        """
        return running.rename(self._store, self._id(run), name)

    def failures(self, run: str | int, *, limit: int = 100) -> list[running.Failure]:
        """List images that a run could not label, with the reason.

        >>> Path("pictures/5.png").unlink()
        >>> _ = project.run("bright:shapes", "auto", executor="inline")
        >>> [failure.name for failure in project.failures("auto")]
        ['5.png']
        """
        return running.failures(self._store, self._id(run), limit)

    # ---- reviewing

    def review(self, what: Run | str | int) -> Review:
        """Open the review of a run, or of any field by its name.

        >>> [(item.class_name, item.current) for item in project.review("ground_truth").stats()]
        [('bar', 2), ('square', 2)]
        """
        return reviewing.open_review(self._store, self._record, what, self._user)

    def adopt(self, field: str) -> Run:
        """Make a field whose labels carry confidences reviewable like a run. Raises NotFound, WrongState.

        >>> _ = project.add_labels({"5.png": [Label("square", Box(4, 4, 20, 20), 0.8)]}, field="theirs")
        >>> run = project.adopt("theirs")
        >>> run.state.value, run.labels
        ('in_review', 1)
        """
        return reviewing.adopt(self._store, self._record, field, self._user)

    def approve(self, run: Run | str | int, into: str = TRUTH) -> Change:
        """Join the promoted labels of a run to the verified ones; see ``Review.approve``.

        >>> run = project.run("bright:shapes", "auto", executor="inline")
        >>> _ = project.review(run).promote(LabelFilter(classes=("bar",)))
        >>> project.approve(run).count
        3
        """
        return self.review(run).approve(into)

    def evaluate(
        self,
        field: str,
        against: str = TRUTH,
        *,
        images: Images = None,
        classes: Sequence[str] = (),
        min_confidence: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> Evaluation:
        """Measure how good a field is against another, on the images that have labels in the other or on those chosen.

        >>> _ = project.run("bright:shapes", "auto", executor="inline")
        >>> scores = project.evaluate("auto")
        >>> scores.images, scores.boxes.ap50
        (4, 1.0)
        """
        from countersign.workbench import comparing

        return comparing.evaluate(
            self._store, self._record, field, against, query=None if images is None else self._query(images),
            classes=classes, min_confidence=min_confidence, on_progress=on_progress,
        )  # fmt: skip

    def compare(
        self,
        field: str,
        against: str = TRUTH,
        *,
        images: Images = None,
        classes: Sequence[str] = (),
        min_confidence: float | None = None,
        only: Sequence[str] = (),
        match_iou: float = 0.5,
        same_iou: float = 0.9,
    ) -> list[Found]:
        """List where a field differs from another: labels that are extra, missing, moved or relabelled.

        >>> _ = project.add_labels({"0.png": [Label("bar", shape.geometry) for shape in project.labels()["0.png"]]},
        ...                        field="theirs")
        >>> [(item.image.name, item.difference.what.value) for item in project.compare("theirs", images=["0.png"])]
        [('0.png', 'relabelled')]
        """
        from countersign.workbench import comparing

        return comparing.compare(
            self._store, self._record, field, against, query=None if images is None else self._query(images),
            classes=classes, min_confidence=min_confidence, only=only, match_iou=match_iou, same_iou=same_iou,
        )  # fmt: skip

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

    # ---- inside

    def _query(self, images: Images) -> ImageQuery:
        return selecting.query_of(self._store, self.id, images)

    def _id(self, run: str | int) -> int:
        return run if isinstance(run, int) else self.find_run(run).id
