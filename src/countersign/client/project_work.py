"""The verbs of a project behind a server that teach, label, review and measure."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from countersign.client import values
from countersign.client.review import Review
from countersign.client.transport import POLL_S, Transport, error_of
from countersign.domain import query as queries
from countersign.domain.errors import Cancelled, InvalidInput, ModelError, NotFound
from countersign.domain.image import Project as Record
from countersign.domain.label import Change
from countersign.domain.model import StoredModel
from countersign.domain.query import ImageQuery
from countersign.domain.run import Run, RunOptions, read_options
from countersign.domain.work import RunProgress, Training
from countersign.learn import events
from countersign.workbench.asking import Answer, Answers
from countersign.workbench.evaluation import Evaluation, Found
from countersign.workbench.label_maps import LabelMap
from countersign.workbench.progress import OnProgress
from countersign.workbench.project_base import TRUTH
from countersign.workbench.running import Failure
from countersign.workbench.selecting import Images, Selection, read_names

if TYPE_CHECKING:
    from countersign.learn.events import OnEvent


class ProjectWork:
    """Trainings, runs, reviews and measurements of one project."""

    def __init__(self, transport: Transport, record: Record, user: str, *, paths: bool) -> None:
        self._transport, self._record, self._user, self._paths = transport, record, user, paths

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
        """Teach a new model by the labels of a field, wait for it, and return it. It cannot work ``inline``."""
        if inline:
            raise InvalidInput("A server trains in a process of its own", remedy="Leave inline out.")
        body = {"field": field, "query": values.query_text(self._query(images)), "name": name, "settings": settings}
        begun = self._transport.post(f"/projects/{self.id}/trainings", body)
        done = self._follow(begun["id"], on_event, should_cancel)
        if done["model"] is not None:
            return next(
                values.model(item) for item in self._transport.get("/models")["items"] if item["name"] == done["model"]
            )
        if done["state"] == "cancelled":
            raise Cancelled("the training was cancelled before it had learned anything")
        raise ModelError(f"The training {done['name']!r} failed: {done['error'] or 'it said nothing'}")

    def trainings(self) -> list[Training]:
        """The trainings of the project, oldest first, with what they last reported."""
        found = self._transport.get(f"/projects/{self.id}/trainings")["items"]
        return [values.training(item) for item in reversed(found)]

    def cancel_training(self, training_name: str | int) -> Training:
        """Ask a training to stop; the best so far becomes its model. Raises NotFound, WrongState where it is over."""
        for item in self._transport.get(f"/projects/{self.id}/trainings")["items"]:
            if training_name in (item["name"], item["id"]):
                return values.training(self._transport.post(f"/trainings/{item['id']}/cancel"))
        raise NotFound("training", training_name)

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
        """Let a model label images into a new field, and wait for the end."""
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
        """Begin a run and return at once: it goes on in processes of its own on the server's computer."""
        if executor != "processes":
            raise InvalidInput(f"A server cannot run {executor}", remedy="Leave executor out.")
        body = {
            "model": model,
            "field": field,
            "query": values.query_text(self._query(images)),
            "classes": list(classes),
            "min_confidence": min_confidence,
            "name": name,
            "workers": workers,
            "batch_size": batch_size,
            "settings": dict(settings or {}),
        } | _options(options)
        return values.run(self._transport.post(f"/projects/{self.id}/runs", body))

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
        """Ask a model that answers in words about images, one answer for each; with ``field`` they are kept there."""
        body = {
            "query": values.query_text(self._query(images)), "model": model, "question": question, "field": field,
            "batch_size": batch_size, "settings": dict(settings or {}),
        }  # fmt: skip
        found = self._transport.work(f"/projects/{self.id}/ask", body, on_progress)["result"]
        items = tuple(Answer(item["image_id"], item["name"], item["text"], item["error"]) for item in found["items"])
        return Answers(found["question"], found["model"], items, found["field"], found["change"])

    def label_map(self, model: str) -> LabelMap:
        """Return which class of the project each class of a model becomes: as kept, or suggested by name."""
        return LabelMap(**self._transport.get(f"/projects/{self.id}/label-map", model=model))

    def set_label_map(self, model: str, classes: Mapping[str, str] | None) -> LabelMap:
        """Keep a label map for a model ("" leaves a class out), or forget it with None. Raises InvalidInput."""
        body = {"model": model, "classes": None if classes is None else dict(classes)}
        return LabelMap(**self._transport.put(f"/projects/{self.id}/label-map", body))

    def runs(self) -> list[Run]:
        """The runs of the project, oldest first."""
        return [values.run(item) for item in reversed(self._transport.get(f"/projects/{self.id}/runs")["items"])]

    def find_run(self, run: str | int) -> Run:
        """Return a run by its name, its id or the field that it writes. Raises NotFound."""
        if isinstance(run, int):
            return values.run(self._transport.get(f"/runs/{run}"))
        known = self.runs()
        for names in (lambda item: item.name, lambda item: item.spec.field, lambda item: str(item.id)):
            for item in known:
                if names(item) == run:
                    return item
        raise NotFound("run", run, known=tuple(item.name for item in known))

    def progress(self, run: str | int) -> RunProgress:
        """How far a run is."""
        return values.run_progress(self._transport.get(f"/runs/{self._id(run)}"))

    def wait(self, run: str | int, *, on_progress: Callable[[RunProgress], None] | None = None) -> Run:
        """Wait until nobody works on a run any more; return it."""
        run_id = self._id(run)
        while True:
            now = self._transport.get(f"/runs/{run_id}")
            progress = values.run_progress(now)
            if on_progress is not None:
                on_progress(progress)
            if not progress.active:
                return values.run(now)
            time.sleep(POLL_S)

    def pause(self, run: str | int) -> Run:
        """Pause a run. Its workers finish their batch. Raises WrongState."""
        return self._steer(run, "pause")

    def resume(self, run: str | int) -> Run:
        """Go on with a paused, cancelled or failed run, or try its failed images again. Raises WrongState."""
        return self._steer(run, "resume")

    def cancel(self, run: str | int) -> Run:
        """Cancel a run; what it has labelled stays. Raises WrongState where it is over."""
        return self._steer(run, "cancel")

    def skip_to_review(self, run: str | int) -> Run:
        """Take a run to review with what there is. Raises WrongState where it is in review or approved."""
        return self._steer(run, "skip")

    def rename_run(self, run: str | int, name: str) -> Run:
        """Give a run another name; its field keeps its own. Raises NameTaken."""
        return values.run(self._transport.patch(f"/runs/{self._id(run)}", {"name": name}))

    def failures(self, run: str | int, *, limit: int = 100) -> list[Failure]:
        """List images that a run could not label, with the reason."""
        found: list[Failure] = []
        for item in self._transport.pages(f"/runs/{self._id(run)}/failures", limit=min(max(limit, 1), 1000)):
            if len(found) >= limit:
                break
            found.append(Failure(**item))
        return found

    def review(self, what: Run | str | int) -> Review:
        """Open the review of a run, or of any field by its name."""
        if isinstance(what, str):
            for item in self._fields():
                if item["name"] == what and item["run_id"] is None:
                    return Review(self._transport, item["id"], item["name"], None, self._query)
        run = what if isinstance(what, Run) else self.find_run(what)
        return Review(self._transport, run.field_id, run.spec.field, run, self._query)

    def adopt(self, field: str) -> Run:
        """Make a field whose labels carry confidences reviewable like a run. Raises NotFound, WrongState."""
        return values.run(self._transport.post(f"/projects/{self.id}/runs/adopt", {"field": field}))

    def approve(self, run: Run | str | int, into: str = TRUTH, *, empty: bool = False) -> Change:
        """Join the promoted labels of a run to the verified ones; see ``Review.approve``."""
        return self.review(run).approve(into, empty=empty)

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
        """Measure how good a field is against another, on the images that have labels in the other or those chosen."""
        body = {
            "field": field,
            "against": against,
            "query": values.query_text(self._query(images)),
            "classes": list(classes),
            "min_confidence": min_confidence,
        }
        return values.evaluation(self._transport.work(f"/projects/{self.id}/evaluate", body, on_progress)["result"])

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
        """List where a field differs from another: labels that are extra, missing, moved or relabelled."""
        body = {
            "field": field,
            "against": against,
            "query": values.query_text(self._query(images)),
            "classes": list(classes),
            "min_confidence": min_confidence,
            "only": list(only),
            "match_iou": match_iou,
            "same_iou": same_iou,
            "most": 1_000_000,
        }
        done = self._transport.work(f"/projects/{self.id}/compare", body)
        return [values.found(item) for item in done["result"]["differences"]]

    def _steer(self, run: str | int, verb: str) -> Run:
        return values.run(self._transport.post(f"/runs/{self._id(run)}/{verb}"))

    def _follow(
        self, training_id: int, on_event: OnEvent | None, should_cancel: Callable[[], bool] | None
    ) -> dict[str, Any]:
        """Wait for a training, telling what it reports. Ctrl-C cancels it; it is waited for all the same."""
        told: dict[str, Any] = {}
        asked = False
        while True:
            try:
                now: dict[str, Any] = self._transport.get(f"/trainings/{training_id}")
                if on_event is not None:
                    _tell(now, told, on_event)
                if now["state"] not in ("queued", "training"):
                    return now
                if should_cancel is not None and not asked and should_cancel():
                    raise KeyboardInterrupt
                time.sleep(POLL_S)
            except KeyboardInterrupt:
                if asked:
                    raise
                asked = True
                self._transport.post(f"/trainings/{training_id}/cancel")

    def _id(self, run: str | int) -> int:
        return run if isinstance(run, int) else self.find_run(run).id

    def _query(self, images: Images) -> ImageQuery:
        return self._select(images).query

    def _select(self, images: Images) -> Selection:
        if images is None:
            return Selection(ImageQuery())
        if isinstance(images, ImageQuery):
            return Selection(images)
        if isinstance(images, str) and not Path(images).expanduser().is_file():
            return Selection(queries.parse(images))
        if isinstance(images, str | Path):
            names: Sequence[str] = read_names(Path(images).expanduser())
        else:
            ids = tuple(item for item in images if isinstance(item, int))
            if len(ids) == len(images):
                return Selection(ImageQuery(ids=ids))
            names = [str(item) for item in images]
        found = self._transport.post(f"/projects/{self.id}/images/select", {"names": list(names)})
        query = ImageQuery(ids=tuple(found["ids"]))
        return Selection(query, tuple(found["unmatched"]), tuple(found["ambiguous"]))

    def _fields(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._transport.get(f"/projects/{self.id}/fields")["items"]
        return found

    def _field(self, name: str) -> dict[str, Any]:
        known = self._fields()
        for item in known:
            if item["name"] == name:
                return item
        raise NotFound("field", name, known=tuple(item["name"] for item in known))

    @staticmethod
    def _raise_first(results: Sequence[Mapping[str, Any]]) -> None:
        for item in results:
            if item["problem"] is not None:
                raise error_of(item["problem"])


def _tell(now: dict[str, Any], told: dict[str, Any], on_event: OnEvent) -> None:
    """Tell what a training has reported since the last look."""
    if now["plan"] and told.get("plan") != now["plan"]:
        on_event(events.Planned(**now["plan"]))
    if now["progress"] and told.get("progress") != now["progress"]:
        on_event(events.Progress(**now["progress"]))
    for notice in now["notices"][len(told.get("notices", ())) :]:
        on_event(events.Notice(**notice))
    told.update(now)


def _options(options: RunOptions) -> dict[str, Any]:
    values = read_options(options)
    prompts = [{"text": prompt.text, "class_name": prompt.class_name} for prompt in values.pop("prompts")]
    return values | {"prompts": prompts}
