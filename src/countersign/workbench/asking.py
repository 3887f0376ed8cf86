"""A question about many images, answered in words by a model; the answers may go into a field, as proposed labels.

An answer in a field is a label of the whole image: its class is ``answer``, its attributes are ``question`` and
``text``, its provenance names the model and the question. Who answers is the caller's to say: a model in this process,
or one in another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from countersign.domain.errors import InvalidInput, WrongState
from countersign.domain.image import Image, Project
from countersign.domain.label import Label, LabelState, Origin, Provenance, Verb
from countersign.domain.query import ImageQuery
from countersign.domain.run import check_field_name
from countersign.models import settings as model_settings
from countersign.runs import asking, catalogue
from countersign.runs.asking import Said
from countersign.store import Store, fields, history, images, labels
from countersign.workbench.progress import OnProgress, Ticker
from countersign.workbench.project_base import TRUTH

ANSWER = "answer"
"""The class of an answer."""
LONGEST = 2000
"""How many characters a question may have."""
_LEAST = 8  # images between two commits, whatever the batch


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said of one image: ``text``, or None and the reason in ``error``."""

    image_id: int
    name: str
    text: str | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers to one question. ``change`` wrote them into ``field``; it is None where none was written."""

    question: str
    model: str
    items: tuple[Answer, ...]
    field: str = ""
    change: int | None = None

    @property
    def failed(self) -> int:
        """How many images have no answer."""
        return sum(item.text is None for item in self.items)


@dataclass(frozen=True, slots=True)
class Source:
    """Who answers: ``ask`` takes the paths of images; ``provenance`` says, once it has answered, who it is."""

    ask: Callable[[Sequence[str]], Sequence[Said]]
    provenance: Callable[[], Provenance]


def ask(
    store: Store,
    project: Project,
    question: str,
    *,
    model: str,
    field: str = "",
    query: ImageQuery | None = None,
    batch_size: int = 1,
    settings: Mapping[str, Any] | None = None,
    actor: str,
    on_progress: OnProgress | None = None,
    source: Source | None = None,
) -> Answers:
    """Put a question to images, and write the answers into a field where one is named.

    The field is made where it is not there; one with verified labels, or of a run, is refused. An image that has an
    answer of this model to this question there is not asked again, so what was cut off can be gone on with. ``source``
    None loads the model here. Raises NotFound, ModelError, InvalidInput, WrongState; what ``on_progress`` raises ends
    it, and what was written stays.
    """
    question = check(store, project, question, field, batch_size)
    model_settings.check([model], settings or {}, saved=catalogue.saved(store), remote=catalogue.remote(store))
    with store.read() as c:
        ids = images.ids(c, project.id, query)
    if not ids:
        raise InvalidInput(f"No image of {project.name} fits", remedy="'countersign images' tries a query.")
    work = _Asking(store, project, question, model, field, actor)
    ticker = Ticker(on_progress, "asking", len(ids))
    source = source or here(store, model, question, settings or {})
    try:
        for begin in range(0, len(ids), batch_size):
            chunk = ids[begin : begin + batch_size]
            work.take(chunk, source)
            ticker.step(len(chunk), work.note())
    finally:
        work.flush()  # also what was said before somebody ended it
    ticker.finish(work.note())
    return Answers(question, model, tuple(work.answers), field, work.change)


def here(store: Store, model: str, question: str, settings: Mapping[str, Any]) -> Source:
    """Return a model that is loaded into this process. Raises NotFound, ModelError."""
    asker = asking.as_asker(catalogue.open_any(store, model), model)
    card = asker.card
    made = Provenance(
        Origin.MODEL, model=model, model_version=card.version, weights_hash=card.weights_hash, prompt=question
    )
    return Source(lambda paths: asking.ask(asker, paths, question, settings), lambda: made)


def check(store: Store, project: Project, question: str, field: str, batch_size: int = 1) -> str:
    """Return the question as it is put. Raises InvalidInput or WrongState before anything is asked."""
    question = question.strip()
    if not question or len(question) > LONGEST:
        raise InvalidInput(
            f"A question has 1 to {LONGEST} characters, not {len(question)}", remedy="Say what you want to know."
        )
    if batch_size < 1:
        raise InvalidInput(f"A batch has at least one image, not {batch_size}")
    if field:
        _check_field(store, project, field)
    return question


def _check_field(store: Store, project: Project, name: str) -> None:
    check_field_name(name)
    remedy = "Name another field: it is made."
    if name == TRUTH:
        raise InvalidInput(f"Answers of a model never go to {TRUTH}, where verified labels are", remedy=remedy)
    with store.read() as c:
        if fields.find(c, project.id, name) is None:
            return
        found = next(item for item in fields.list_all(c, project.id) if item.field.name == name)
    if found.field.run_id is not None or found.closed:
        raise WrongState(f"The field {name!r} is that of a run", remedy=remedy)
    if found.by_state.get(LabelState.VERIFIED):
        raise WrongState(f"The field {name!r} has verified labels; answers of a model never go there", remedy=remedy)


class _Asking:
    """The state of one round of questions."""

    def __init__(self, store: Store, project: Project, question: str, model: str, field: str, actor: str) -> None:
        self._store, self._project, self._actor = store, project, actor
        self._question, self._model, self._field = question, model, field
        self._rows: list[tuple[int, Label]] = []
        self._provenance: Provenance | None = None
        self.answers: list[Answer] = []
        self.change: int | None = None

    def take(self, ids: Sequence[int], source: Source) -> None:
        """Ask for some images; keep what is said."""
        with self._store.read() as c:
            order = {number: place for place, number in enumerate(ids)}
            chunk = sorted(images.by_ids(c, ids), key=lambda image: order[image.id])
            known = self._known(c, ids)
        asked = [image for image in chunk if image.id not in known]
        said = dict(zip((image.id for image in asked), self._ask(asked, source), strict=True))
        for image in chunk:
            found = said.get(image.id) or Said(known.get(image.id))
            self.answers.append(Answer(image.id, image.name, found.text, found.error))
            if self._field and image.id in said and found.text:
                attributes = {"question": self._question, "text": found.text}
                self._rows.append((image.id, Label(ANSWER, state=LabelState.PROPOSED, attributes=attributes)))
        if len(self._rows) >= _LEAST:
            self.flush()

    def _ask(self, asked: Sequence[Image], source: Source) -> Sequence[Said]:
        if not asked:
            return ()
        said = source.ask([image.path for image in asked])
        self._provenance = source.provenance()
        return said

    def _known(self, c: Any, ids: Sequence[int]) -> dict[int, str]:
        """The answers that the field has to this question, of this model."""
        there = fields.find(c, self._project.id, self._field) if self._field else None
        if there is None:
            return {}
        return {
            image_id: str(label.attributes.get("text", ""))
            for image_id, found in labels.for_images(c, there.id, ids).items()
            for label in found
            if label.attributes.get("question") == self._question
            and label.provenance is not None
            and label.provenance.model == self._model
        }

    def flush(self) -> None:
        """Write what was said since the last time, in one transaction."""
        if not self._rows:
            return
        rows, self._rows = self._rows, []
        with self._store.write() as c:
            field_id = fields.ensure(c, self._project.id, self._field).id
            if self.change is None:
                self.change = history.begin(
                    c, self._project.id, Verb.CREATE, self._actor, field_id=field_id, note=self._question[:200]
                )
            labels.add(c, field_id, rows, change_id=self.change, provenance=self._provenance)

    def note(self) -> str:
        """What a progress display says beside the count."""
        failed = sum(item.text is None for item in self.answers)
        return f"{failed:,} failed" if failed else ""
