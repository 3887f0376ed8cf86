"""A project with a run in review, and what its labels should be, for the tests of the review."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy.engine import Connection

from countersign.domain.geometry import Box
from countersign.domain.image import ImageFile
from countersign.domain.label import Label, LabelState, Origin, Provenance, Verb
from countersign.domain.query import ImageQuery, LabelFilter
from countersign.domain.run import Run, RunSpec, RunState
from countersign.store import history, images, labels, projects, runs
from countersign.store.images import NewImage

CLASSES = ("cat", "dog", "owl")


@dataclass
class Known:
    """What one label should be."""

    class_name: str
    confidence: float | None
    image_id: int
    state: LabelState = LabelState.PROPOSED


@dataclass
class Truth:
    """A project, a run in review, and all its labels by id, kept beside the database."""

    project_id: int
    run: Run
    image_ids: list[int]
    labels: dict[int, Known] = field(default_factory=dict)

    def fitting(self, filter: LabelFilter, query: ImageQuery | None = None) -> dict[int, Known]:
        return {i: k for i, k in self.labels.items() if self._fits(k, filter, query)}

    def _fits(self, known: Known, filter: LabelFilter, query: ImageQuery | None) -> bool:
        low, high = filter.min_confidence, filter.max_confidence
        ranged = low is not None or high is not None
        return (
            (not filter.classes or known.class_name in filter.classes)
            and (not filter.states or known.state in filter.states)
            and (not ranged or known.confidence is not None)
            and (low is None or (known.confidence or 0.0) >= low)
            and (high is None or (known.confidence or 0.0) <= high)
            and (query is None or query.ids is None or known.image_id in query.ids)
        )

    def set(self, ids: Iterable[int], state: LabelState) -> None:
        for label_id in ids:
            self.labels[label_id].state = state


def make_images(c: Connection, project_id: int, count: int) -> list[int]:
    files = [ImageFile(f"/x/{i}.png", f"{project_id}-{i}", 640, 480, "PNG", 3, "uint8", 9) for i in range(count)]
    images.add(c, project_id, [NewImage(file, f"{i}.png") for i, file in enumerate(files)])
    return images.ids(c, project_id)


def make_run(c: Connection, project_id: int, name: str = "run_1", *, state: RunState = RunState.IN_REVIEW) -> Run:
    run = runs.create(c, project_id, RunSpec(model="m", field=name), created_by="ann")
    if state is RunState.QUEUED:
        return run
    runs.move(c, run.id, RunState.GENERATING)
    if state is not RunState.GENERATING:
        runs.move(c, run.id, state)
    return runs.get(c, run.id)


def make_review(c: Connection, *, image_count: int = 40, name: str = "p", rng: random.Random | None = None) -> Truth:
    project = projects.create(c, name)
    ids = make_images(c, project.id, image_count)
    return Truth(project.id, make_run(c, project.id), ids)


def add_labels(c: Connection, truth: Truth, made: list[tuple[int, str, float | None]]) -> list[int]:
    """Add proposals (image id, class, confidence), all boxes; return their ids."""
    change = history.begin(c, truth.project_id, Verb.CREATE, "ann", field_id=truth.run.field_id)
    items = [
        (image_id, Label(name, Box(1, 2, 3, 4), confidence, LabelState.PROPOSED)) for image_id, name, confidence in made
    ]
    origin = Provenance(Origin.MODEL, model="m", run_id=truth.run.id)
    labels.add(c, truth.run.field_id, items, change_id=change, provenance=origin)
    found = labels.for_images(c, truth.run.field_id, truth.image_ids)
    new = sorted(x.id for many in found.values() for x in many if x.id is not None and x.id not in truth.labels)
    for label_id, (image_id, name, confidence) in zip(new, made, strict=True):
        truth.labels[label_id] = Known(name, confidence, image_id)
    return new


def random_labels(rng: random.Random, truth: Truth, count: int) -> list[tuple[int, str, float | None]]:
    def confidence() -> float | None:
        return rng.choice([None, 0.0, 1.0, 0.29, 0.57, rng.randrange(101) / 100, rng.random(), rng.random()])

    return [(rng.choice(truth.image_ids), rng.choice(CLASSES), confidence()) for _ in range(count)]
