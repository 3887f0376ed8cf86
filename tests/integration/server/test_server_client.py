"""The client does over HTTP what the verbs do in this process: the main job, by both, with one outcome."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from serving_setup import Served

import countersign
import shapes
from countersign.client import Workspace
from countersign.domain.errors import Conflict, InvalidInput, NotFound, QueryError, WorkspaceError, WrongState
from countersign.domain.geometry import Box
from countersign.domain.label import Label, LabelState
from countersign.domain.query import ImageQuery, LabelFilter
from countersign.domain.run import RunState
from countersign.server.settings import Settings
from countersign.store import label_maps


@pytest.fixture
def client(served: Served) -> Iterator[Workspace]:
    with countersign.connect(served.url, served.token, user="bert") as workspace:
        yield workspace


def test_looking(served: Served, client: Workspace) -> None:
    here, there = served.workspace.project("shapes"), client.project("shapes")
    assert [item.project.name for item in client.projects()] == ["shapes"]
    assert there.images() == here.images()
    assert there.images("split=train", limit=3) == here.images("split=train", limit=3)
    assert there.count("has=ground_truth") == here.count("has=ground_truth") == 6
    assert there.classes() == here.classes()
    assert there.fields() == here.fields()
    assert there.labels() == _without_source(here.labels())
    assert there.history() == here.history()
    assert there.select(["0.png", "nowhere.png"]) == here.select(["0.png", "nowhere.png"])
    assert there.review("ground_truth").stats() == here.review("ground_truth").stats()
    assert client.info().images == 10
    assert client.models.list() == []


def _without_source(found: dict[str, list[Label]]) -> dict[str, list[Label]]:
    """Labels as a page has them: without the details of where they came from."""
    import dataclasses

    return {
        name: [
            dataclasses.replace(label, provenance=dataclasses.replace(label.provenance, source=""))
            if label.provenance
            else label
            for label in labels
        ]
        for name, labels in found.items()
    }


def test_errors_come_back(client: Workspace) -> None:
    with pytest.raises(NotFound, match="no project 'birds'"):
        client.project("birds")
    project = client.project("shapes")
    with pytest.raises(QueryError, match="foo"):
        project.images("foo=1")
    with pytest.raises(NotFound, match="no field 'nothing'"):
        project.images("has=nothing")
    with pytest.raises(Conflict):
        client.create_project("shapes")
    with pytest.raises(NotFound):
        project.add_labels({"nowhere.png": [Label("cell")]})
    with pytest.raises(InvalidInput, match="address"):
        countersign.connect("nonsense", "x")
    with pytest.raises(WorkspaceError, match="cannot be reached"):
        countersign.connect("http://127.0.0.1:9", "x")


def test_wrong_token(served: Served) -> None:
    with pytest.raises(InvalidInput, match="not signed in"):
        countersign.connect(served.url, "wrong")


def test_marking_and_labels(served: Served, client: Workspace) -> None:
    project = client.project("shapes")
    assert project.mark(["0.png", "1.png"], add_tags=["night"], split="val") == 2
    assert project.count("tag=night split=val") == 2
    assert project.count(ImageQuery(tags=("night",))) == 2
    change = project.add_labels({"7.png": [Label("cell", Box(1, 2, 3, 4)), Label("cell")]}, note="by hand")
    assert (change.count, change.actor, change.note) == (2, "bert", "by hand")
    assert [label.geometry for label in project.labels(images=["7.png"])["images/train/7.png"]] == [
        Box(1, 2, 3, 4),
        None,
    ]
    assert project.undo(change).count == 2
    assert "images/train/7.png" not in project.labels()


@pytest.mark.parametrize("paths", [True, False], ids=["by path", "by upload"])
def test_import_and_export(start: Callable[..., Served], tmp_path: Path, paths: bool) -> None:
    served = start(settings=Settings(port=0, poll_s=0.05, allow_paths=paths))
    folder = shapes.write_yolo(tmp_path / "yolo", 8, labelled=5)
    with countersign.connect(served.url, served.token) as client:
        project = client.create_project("shapes")
        done = project.import_path(folder, tags=["first"])
        assert done.images.added == 8
        assert done.labels is not None
        assert (done.labels.labels, done.labels.format) == (5, "yolo")
        assert project.count("tag=first") == 8
        again = project.import_images(folder / "images")
        assert again.added == 0
        assert again.known + len(again.duplicates) == 8
        report = project.export(tmp_path / "out.json", images="has=ground_truth")
        assert (report.labels, report.images) == (5, 5)
        assert len(json.loads((tmp_path / "out.json").read_text())["annotations"]) == 5
        with pytest.raises(Conflict):
            project.export(tmp_path / "out.json")
        second = project.import_labels(tmp_path / "out.json", field="second")
        assert (second.labels, second.format) == (5, "coco")
        yolo = project.export(tmp_path / "as_yolo", format="yolo", settings={"images": "copy"})
        assert yolo.labels == 5
        assert list((tmp_path / "as_yolo").rglob("*.txt"))
        scores = project.evaluate("second")
        assert scores.boxes is not None
        assert scores.boxes.ap50 == pytest.approx(1.0)
        assert project.compare("second") == []
        project.add_labels({"0.png": [Label("bar", Box(1, 1, 4, 4))]}, field="second")
        assert [item.difference.what.value for item in project.compare("second")] == ["extra"]
    uploads = served.workspace.store.blobs / "uploads"
    assert uploads.exists() is not paths


def test_review_to_the_end(served: Served, client: Workspace) -> None:
    proposals = {
        f"{index}.png": [Label(shapes.class_of(index), shapes.box_of(index), 0.5 + index / 20)] for index in range(9)
    }
    project = client.project("shapes")
    project.add_labels(proposals, field="theirs")
    run = project.adopt("theirs")
    assert (run.state, run.labels) == (RunState.IN_REVIEW, 9)
    review = project.review(run)
    here = served.workspace.project("shapes").review(run.id)
    wanted = LabelFilter(min_confidence=0.7, classes=("square",))
    assert review.stats(wanted) == here.stats(wanted)
    assert review.histogram(bins=20) == here.histogram(bins=20)
    page = review.labels(order="-confidence", limit=4)
    assert [label.id for label in page.items] == [label.id for label in here.labels(order="-confidence", limit=4).items]
    assert review.labels(order="-confidence", after=page.next, limit=4).items[0].confidence == pytest.approx(0.7)
    assert len(review.images(wanted).items) == 3
    assert review.promote(wanted).count == 3
    assert review.reject(ids=[page.items[1].id or 0]).count == 1
    assert review.restore(ids=[page.items[1].id or 0]).count == 1
    edited = review.edit(page.items[1].id or 0, class_name="disc")
    assert (edited.class_name, edited.state) == ("disc", LabelState.PROMOTED)
    assert review.undo(["disc"]).count == 1
    assert project.approve(run, "checked").count == 3
    assert review.run is not None
    assert review.run.state is RunState.APPROVED
    with pytest.raises(WrongState, match="approved"):
        review.promote()
    assert project.count("has=checked") == 3
    assert project.find_run("theirs_review").target_field == "checked"
    assert client.find_run(run.id)[1].id == run.id


def test_projects_and_fields(client: Workspace) -> None:
    client.create_project("birds")
    assert client.rename_project("birds", "owls").name == "owls"
    assert client.project("owls", create=True).runs() == []
    client.delete_project("owls")
    with pytest.raises(NotFound):
        client.delete_project("owls")
    project = client.project("shapes")
    project.delete_field("ground_truth")
    assert project.fields() == []


def test_label_map(served: Served, client: Workspace) -> None:
    here, there = served.workspace.project("shapes"), client.project("shapes")
    model = "timm:resnet18?weights=random"
    assert there.label_map(model).kept is False
    known = there.label_map(model).classes
    first = next(iter(known))
    assert there.set_label_map(model, {first: "fish"}).classes == {first: "fish"}
    assert here.label_map(model) == there.label_map(model)
    with pytest.raises(InvalidInput, match="does not know moon"):
        there.set_label_map(model, {"moon": ""})
    assert there.set_label_map(model, None).kept is False


def test_label_map__of_classes_that_the_model_no_longer_has(served: Served, client: Workspace) -> None:
    there, model = client.project("shapes"), "timm:resnet18?weights=random"
    known = next(iter(there.label_map(model).classes))
    with served.workspace.store.write() as c:
        label_maps.put(c, served.project, model, {known: "fish", "moon": "sun"})
    assert there.label_map(model).classes == {known: "fish"}
    runs = f"/projects/{served.project}/runs"
    body = {"model": model, "field": "auto", "query": "name=nowhere"}
    assert "No image" in served.post(runs, body, 422)["detail"]  # the last that is looked at
    assert "names moon" in served.post(runs, {**body, "label_map": {"moon": "sun"}}, 422)["detail"]
    kept = there.label_map(model).classes
    assert there.set_label_map(model, kept).classes == kept
