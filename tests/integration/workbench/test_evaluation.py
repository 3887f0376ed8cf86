"""One field measured against another, through the store."""

from __future__ import annotations

import pytest
from sqlalchemy.engine import Connection

from countersign.domain.compare import What
from countersign.domain.errors import InvalidInput, NotFound
from countersign.domain.geometry import Box, Geometry, Polygon
from countersign.domain.image import ImageFile, Project
from countersign.domain.label import Label, LabelState, Verb
from countersign.domain.query import ImageQuery
from countersign.store import Store, fields, history, images, labels, projects
from countersign.store.images import NewImage
from countersign.workbench.evaluation import differences, evaluate


@pytest.fixture
def project(store: Store) -> Project:
    """Three images: one found right, one with a rejected and a relabelled label, one that nobody labelled."""
    truth = [(0, "cat", Box(0, 0, 20, 20)), (1, "cat", Box(0, 0, 20, 20)), (1, "dog", Box(50, 0, 20, 20))]
    found = [(0, "cat", Box(0, 0, 20, 20)), (1, "cat", Box(50, 0, 20, 20)), (2, "cat", Box(0, 0, 9, 9))]
    with store.write() as c:
        made = projects.create(c, "p")
        files = [ImageFile(f"/x/{i}.png", f"{i}", 100, 80, "PNG", 3, "uint8", 9) for i in range(3)]
        images.add(c, made.id, [NewImage(file, f"{i}.png") for i, file in enumerate(files)])
        put(c, made, "ground_truth", [(i, Label(name, box)) for i, name, box in truth])
        listed = [(i, Label(name, box, 0.9 - i / 10, LabelState.PROPOSED)) for i, name, box in found]
        rejected = Label("dog", Box(10, 10, 20, 20), 0.99, LabelState.REJECTED)
        put(c, made, "run_1", [*listed, (1, rejected)])
    return made


def put(c: Connection, project: Project, field: str, items: list[tuple[int, Label]]) -> None:
    ids = images.ids(c, project.id)
    target = fields.ensure(c, project.id, field).id
    change = history.begin(c, project.id, Verb.IMPORT, "ann", target)
    labels.add(c, target, [(ids[i], label) for i, label in items], change_id=change)


def test_evaluate(store: Store, project: Project) -> None:
    result = evaluate(store, project, field="run_1")
    assert (result.images, result.masks, result.semantic, result.classification) == (2, None, None, None)
    assert result.boxes is not None
    scores = {item.class_name: item for item in result.boxes.classes}
    # The surer of two cats is right, one of two is found; no dog is found (a rejected one does not count).
    assert scores["cat"].ap50 == pytest.approx(51 / 101)
    assert (scores["cat"].ar, scores["dog"].ap, scores["dog"].found) == (0.5, 0.0, 0)
    assert result.boxes.ap50 == pytest.approx(51 / 202)


def test_images_and_filters_of_an_evaluation(store: Store, project: Project) -> None:
    """A query says which images count: an image without true labels then counts against what was found there."""
    every = evaluate(store, project, field="run_1", images=ImageQuery())
    assert every.images == 3
    assert every.boxes is not None
    assert {c.class_name: c.found for c in every.boxes.classes} == {"cat": 3, "dog": 0}
    first = evaluate(store, project, field="run_1", images=ImageQuery(names=("0.png",)), classes=("cat",))
    assert first.boxes is not None
    assert first.boxes.ap == 1.0
    strict = evaluate(store, project, field="run_1", min_confidence=0.85)
    assert strict.boxes is not None
    assert {c.class_name: c.found for c in strict.boxes.classes} == {"cat": 1, "dog": 0}


def test_outlines_and_classes(store: Store, project: Project) -> None:
    outline: Geometry = Polygon(((0, 0, 40, 0, 40, 40, 0, 40),))
    with store.write() as c:
        put(c, project, "masks", [(0, Label("cell", outline)), (0, Label("day"))])
        put(c, project, "found", [(0, Label("cell", outline, 0.7)), (0, Label("night", None, 0.6))])
    result = evaluate(store, project, field="found", against="masks")
    assert result.masks is not None
    assert result.masks.ap == 1.0
    assert result.semantic is not None
    assert result.semantic.mean_iou == 1.0
    assert result.classification is not None
    assert result.classification.accuracy == 0.0


def test_nothing_to_measure_on(store: Store, project: Project) -> None:
    with pytest.raises(InvalidInput, match="no image"):
        evaluate(store, project, field="run_1", images=ImageQuery(names=("9.png",)))
    with pytest.raises(NotFound, match="run_2"):
        evaluate(store, project, field="run_2")


def test_differences(store: Store, project: Project) -> None:
    listed = list(differences(store, project, field="run_1", images=ImageQuery()))
    told = [(found.image.name, found.difference.what) for found in listed]
    assert told == [("1.png", What.RELABELLED), ("1.png", What.MISSING), ("2.png", What.EXTRA)]
    only = list(differences(store, project, field="run_1", only=(What.MISSING,)))
    assert [found.difference.truth.class_name for found in only if found.difference.truth] == ["cat"]
