"""The verbs of ``Project`` that teach models and let them label. See ``project``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack

from countersign.domain.geometry import Box
from countersign.domain.run import Run, RunOptions
from countersign.domain.work import RunProgress, Training
from countersign.runs import catalogue, control
from countersign.store import runs
from countersign.workbench import asking, label_maps, running, segmenting, training
from countersign.workbench.asking import Answers
from countersign.workbench.label_maps import LabelMap
from countersign.workbench.progress import OnProgress
from countersign.workbench.project_base import TRUTH, ProjectBase
from countersign.workbench.segmenting import Point, Segmented
from countersign.workbench.selecting import Images

if TYPE_CHECKING:
    from countersign.domain.model import StoredModel
    from countersign.learn.events import OnEvent


class ProjectWork(ProjectBase):
    """Trainings and runs."""

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
        **options: Unpack[RunOptions],
    ) -> Run:
        """Let a model label images into a new field, and wait for the end.

        The run that is returned says how it ended. ``start_run`` does not wait. ``options`` say how it shall come to
        its labels (``RunOptions``): ``task``, ``method`` with ``refiner`` or ``boxes_field``, ``prompts`` (text ->
        class), ``label_map`` (class of the model -> class of the project), ``masks`` (a folder for masks as files).

        >>> run = project.run("bright:shapes", "auto", executor="inline")
        >>> run.state.value, run.done, run.labels
        ('in_review', 6, 6)
        """
        begun = self.start_run(
            model, field, images=images, classes=classes, min_confidence=min_confidence, name=name, workers=workers,
            batch_size=batch_size, settings=settings, executor=executor, **options,
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
        **options: Unpack[RunOptions],
    ) -> Run:
        """Begin a run and return at once: it goes on in processes of its own, also when this one ends.

        >>> run = project.start_run("bright:shapes", "auto", executor="inline")
        >>> project.wait(run.id).state.value
        'in_review'
        """
        return running.start(
            self._store, self._record, model=model, field=field, query=self._query(images), classes=classes,
            min_confidence=min_confidence, name=name, workers=workers, batch_size=batch_size, settings=settings,
            executor=executor, options=options, actor=self._user,
        )  # fmt: skip

    def ask(
        self,
        images: Images,
        question: str,
        *,
        model: str,
        field: str = "",
        batch_size: int = 1,
        settings: Mapping[str, Any] | None = None,
        on_progress: OnProgress | None = None,
    ) -> Answers:
        """Ask a model that answers in words about images, one answer for each.

        With ``field`` the answers are kept there as proposed labels of the class ``answer``, with the attributes
        ``question`` and ``text``; an image that has this answer already is not asked again. Images that fail say why.
        The model works in this process. Raises ModelError where it answers no questions.

        >>> answers = project.ask(["0.png"], "How bright is it?", model="bright:shapes", field="notes")
        >>> answers.items[0].text, answers.failed
        ('125', 0)
        >>> project.labels("notes")["0.png"][0].attributes["text"]
        '125'
        """
        return asking.ask(
            self._store, self._record, question, model=model, field=field, query=self._query(images),
            batch_size=batch_size, settings=settings, actor=self._user, on_progress=on_progress,
        )  # fmt: skip

    def segment(
        self,
        image: str | int,
        *,
        model: str,
        points: Sequence[Point] = (),
        box: Box | None = None,
        outline: bool = False,
    ) -> Segmented:
        """Cut out an object of an image by pointing at it: by points, a box, or both. Nothing is stored.

        A point is ``(x, y)``, or ``(x, y, False)`` where it does not belong to the object; each refines the mask of
        those before it. The first answer for an image takes longest: the model looks at it once. The model works in
        this process and stays loaded. With ``outline`` the mask's polygon comes, too. Raises NotFound, InvalidInput for
        what is not on the image, ModelError where the model takes no clicks.

        >>> cut = project.segment("0.png", points=[(10, 10)], model="bright:shapes")
        >>> cut.mask.bounds, cut.confidence
        ((4.0, 5.0, 16.0, 16.0), 0.9)
        >>> made = Label("square", cut.mask, provenance=cut.provenance)
        >>> project.add_labels({"0.png": [made]}, field="cut").count
        1
        """
        return segmenting.segment(
            self._store, self._record, image, model=model, points=points, box=box, polygon=outline, actor=self._user,
            cutters=self._cutters,
        )  # fmt: skip

    @cached_property
    def _cutters(self) -> segmenting.Cutters:
        return segmenting.Cutters(self._store)

    def label_map(self, model: str) -> LabelMap:
        """Return which class of the project each class of a model becomes: as kept, or suggested by name.

        A run takes the kept map where it is given none. Raises NotFound, ModelError.

        >>> sorted(project.label_map("bright:shapes").classes.items())
        [('bar', 'bar'), ('square', 'square')]
        """
        return label_maps.get(self._store, self._record, model, catalogue.card(self._store, model).classes)

    def set_label_map(self, model: str, classes: Mapping[str, str] | None) -> LabelMap:
        """Keep a label map for a model ("" leaves a class out), or forget it with None. Raises InvalidInput.

        >>> project.set_label_map("bright:shapes", {"bar": "line", "square": ""}).kept
        True
        >>> run = project.run("bright:shapes", "auto", executor="inline")
        >>> [item.class_name for item in project.review(run).stats()]
        ['line']
        """
        if classes is None:
            label_maps.clear(self._store, self._record, model)
            return self.label_map(model)
        known = catalogue.card(self._store, model).classes
        return label_maps.put(self._store, self._record, model, classes, known)

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
