"""Runs of the catalogue with tiny weights: a detector then SAM, drawn boxes then ViTPose, classes of pixels."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

import shapes
import tiny_checkpoints
from countersign.domain.errors import ModelError
from countersign.domain.geometry import Box, Keypoints, Mask
from countersign.domain.label import Label
from countersign.domain.model import Task
from countersign.domain.query import LabelFilter
from countersign.domain.run import Method, RunState
from countersign.models import catalogue, vocabularies
from countersign.server import wire
from countersign.workbench.project import Project


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config) -> Callable[..., None]:
    """A function that puts tiny weights for models of the catalogue into the models folder."""
    folder = tmp_path / "models"
    monkeypatch.setenv("COUNTERSIGN_MODELS", str(folder))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    def put(*names: str) -> None:
        for name in names:
            card = catalogue.find(name)
            assert card is not None
            tiny_checkpoints.install(card, Path(pytestconfig.cache.mkdir("tiny")), folder)

    return put


@pytest.fixture
def pictures(project: Project, tmp_path: Path) -> Project:
    shapes.draw(tmp_path / "pictures", 4)
    project.import_images(tmp_path / "pictures")
    return project


def test_two_stages(pictures: Project, install: Callable[..., None]) -> None:
    install("d-fine-s", "sam2.1-tiny")
    run = pictures.run(
        "d-fine-s", "auto", method=Method.TWO_STAGE, refiner="sam2.1-tiny", min_confidence=0.0, executor="inline",
        settings={"max_detections": 5},
    )  # fmt: skip
    assert (run.state, run.done, run.failed) == (RunState.IN_REVIEW, 4, 0)
    found = [label for labels in pictures.labels("auto").values() for label in labels]
    assert found
    assert len(found) + run.tally.get("empty", 0) == 4 * 5
    for label in found:
        assert label.class_name in vocabularies.coco()
        assert isinstance(label.geometry, Mask)
        assert (label.geometry.width, label.geometry.height) == (shapes.WIDTH, shapes.HEIGHT)
        assert label.confidence is not None
    provenance = found[0].provenance
    assert provenance is not None
    assert provenance.model == "d-fine-s + sam2.1-tiny"
    assert len(provenance.weights_hash.split("+")) == 2


def test_existing_boxes__poses(pictures: Project, install: Callable[..., None], tmp_path: Path) -> None:
    """The class of the boxes is there already: it gets the names of the points, and what is written has them."""
    install("vitpose-plus-base")
    boxes = {"0.png": [Label("person", Box(4, 4, 20, 30)), Label("person", Box(30, 2, 15, 40))]}
    pictures.add_labels(boxes, field="boxes")
    run = pictures.run(
        "vitpose-plus-base", "poses", method=Method.EXISTING, boxes_field="boxes", task=Task.POSE, executor="inline",
        settings={"keypoint_threshold": -100},
    )  # fmt: skip
    assert (run.state, run.done, run.failed, run.labels) == (RunState.IN_REVIEW, 4, 0, 2)
    found = pictures.labels("poses")["0.png"]
    assert all(isinstance(label.geometry, Keypoints) for label in found)
    assert [label.geometry.box for label in found if isinstance(label.geometry, Keypoints)] == [
        label.geometry for label in boxes["0.png"]
    ]
    assert all(len(label.attributes["keypoint_confidence"]) == 17 for label in found)
    (person,) = (item for item in pictures.classes() if item.name == "person")
    assert person.keypoint_names == vocabularies.coco_keypoints()
    pictures.export(tmp_path / "poses.json", field="poses")
    written = json.loads((tmp_path / "poses.json").read_text())
    assert written["categories"][0]["keypoints"] == list(vocabularies.coco_keypoints())
    assert [len(item["keypoints"]) for item in written["annotations"]] == [51, 51]


def test_one_stage__classes_of_pixels(pictures: Project, install: Callable[..., None]) -> None:
    install("segformer-b0-cityscapes")
    run = pictures.run("segformer-b0-cityscapes", "street", min_confidence=0.0, executor="inline")
    assert (run.state, run.done, run.failed) == (RunState.IN_REVIEW, 4, 0)
    for labels in pictures.labels("street").values():
        assert labels
        names = [label.class_name for label in labels]
        assert len(set(names)) == len(names), "one mask per class"
        assert sum(label.geometry.area for label in labels if label.geometry) == shapes.WIDTH * shapes.HEIGHT


@pytest.mark.parametrize("name", ["florence-2-base", "kosmos-2"])
def test_regions__need_no_words_and_have_no_confidence(
    pictures: Project, install: Callable[..., None], tmp_path: Path, name: str
) -> None:
    """None is made up on the way: not in the database, nor over HTTP, nor in what is written; no filter shows them."""
    install(name)
    run = pictures.run(name, "regions", settings={"mode": "regions"}, min_confidence=0.9, executor="inline")
    assert (run.state, run.done, run.failed) == (RunState.IN_REVIEW, 4, 0)
    found = [label for labels in pictures.labels("regions").values() for label in labels]
    assert found
    assert {label.class_name for label in found} == {"region"}
    assert {label.confidence for label in found} == {None}
    assert {wire.label(label, "regions", 1)["confidence"] for label in found} == {None}
    assert all(label.attributes["text"] for label in found)
    for ending in ("json", "csv"):
        pictures.export(tmp_path / f"regions.{ending}", field="regions")
    written = json.loads((tmp_path / "regions.json").read_text())["annotations"]
    assert len(written) == len(found)
    assert all(item.get("score") is None for item in written)
    with (tmp_path / "regions.csv").open() as table:
        assert {row.get("confidence", "") for row in csv.DictReader(table)} == {""}
    review = pictures.review("regions")
    for filter in (LabelFilter(min_confidence=0.0), LabelFilter(max_confidence=1.0)):
        assert not review.labels(filter).items
    assert review.promote().count == len(found)
    with pytest.raises(ModelError, match="looks for what it is told"):
        pictures.run(name, "words", executor="inline")


@pytest.mark.parametrize("name", ["sam-vit-base", "vitpose-base-simple"])
def test_one_stage__a_second_stage_says_what_it_is_for(
    pictures: Project, install: Callable[..., None], name: str
) -> None:
    install(name)
    with pytest.raises(ModelError, match="does not label whole images") as caught:
        pictures.run(name, "auto", executor="inline")
    assert "second stage" in caught.value.remedy
