"""Runs in one stage, in two, over boxes that are there; label maps; masks as files; what was left out is counted."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from countersign.domain import mask
from countersign.domain.errors import InvalidInput, ModelError, NotFound
from countersign.domain.geometry import Box, Keypoints, Mask
from countersign.domain.image import Project
from countersign.domain.label import Label, LabelClass, Prediction, Verb
from countersign.domain.model import ModelCard, Prompt, Task
from countersign.domain.run import Method, Run, RunSpec, RunState
from countersign.models import registry
from countersign.models.contract import Clicks, Pixels, PredictOptions, Segment
from countersign.models.registry import Reference
from countersign.runs import control, mask_files
from countersign.store import Store, classes, fields, history, images, label_maps, labels, runs
from countersign.workbench import evaluation, exporting

MakeProject = Callable[[int], Project]
POINTS = ("nose", "tail")


@dataclass
class Detector:
    card: ModelCard

    def predict(self, images: Sequence[Pixels], options: PredictOptions) -> list[list[Prediction]]:
        words = [prompt.class_name for prompt in options.prompt_list()] or ["cat", "dog"]
        options.tally.add("clipped", len(images))
        return [[Prediction(word, Box(2 * i, 1, 3, 3), 0.9 - 0.5 * i) for i, word in enumerate(words)] for _ in images]


@dataclass
class Cutter:
    """Cuts out the left half of each box; nothing of a box that begins right of column 3."""

    card: ModelCard

    def encode(self, image: Pixels) -> tuple[int, int]:
        return image.shape[:2]

    def segment(self, encoded: tuple[int, int], prompts: Sequence[Clicks]) -> list[Segment]:
        found = []
        for prompt in prompts:
            pixels = np.zeros(encoded, bool)
            assert prompt.box is not None
            x0, y0, x1, y1 = map(int, prompt.box.corners)
            if x0 <= 3:
                pixels[y0:y1, x0 : (x0 + x1) // 2] = True
            found.append(Segment(pixels, 0.5))
        return found


@dataclass
class Poser:
    card: ModelCard

    def refine(
        self, images: Sequence[Pixels], found: Sequence[Sequence[Prediction]], options: PredictOptions
    ) -> list[list[Prediction]]:
        def posed(item: Prediction) -> Prediction:
            assert item.geometry is not None
            x, y, width, height = item.geometry.bounds
            return dataclasses.replace(item, geometry=Keypoints((x, y, 2.0, x + width, y + height, 1.0)))

        return [[posed(item) for item in items] for items in found]


CARDS = {
    "detector": ModelCard("detector", "staged", (Task.DETECTION,), ("cat", "dog")),
    "words": ModelCard(
        "words",
        "staged",
        (Task.DETECTION,),
        (),
        zero_shot=True,
        details={"wordless": {"mode": ["regions"]}},
    ),
    "cutter": ModelCard("cutter", "staged", (Task.PROMPTED_SEGMENTATION,), ()),
    "poser": ModelCard(
        "poser",
        "staged",
        (Task.POSE,),
        ("cat",),
        details={"needs_boxes": True, "keypoint_names": list(POINTS), "skeleton": [[0, 1]]},
    ),
    "words-only": ModelCard("words-only", "staged", (Task.QUESTIONS,), ()),
}
KINDS: dict[str, type] = {"detector": Detector, "words": Detector, "cutter": Cutter, "poser": Poser}


@dataclass(frozen=True)
class StagedFamily:
    """Models of these tests."""

    name: str = "staged"
    option_names: tuple[str, ...] = ("how",)

    def load(self, reference: Reference, *, device: str | None) -> Any:
        return KINDS[reference.name](CARDS[reference.name])

    def card(self, reference: Reference) -> ModelCard:
        return CARDS["detector" if reference.path else reference.name]

    def opens(self, path: Path) -> bool:
        return path.suffix == ".staged"

    def names(self) -> Sequence[str]:
        return tuple(CARDS)


@pytest.fixture(autouse=True)
def _family() -> Iterator[None]:
    registry.register("staged", StagedFamily)
    yield
    registry._families.pop("staged")


def _run(store: Store, project: Project, model: str, **more: Any) -> Run:
    spec = RunSpec(f"staged:{model}", **{"field": "auto", "min_confidence": 0.0, "executor": "inline"} | more)
    return control.start(store, control.create(store, project.id, spec, created_by="ann").id)


def _labels(store: Store, run: Run) -> list[Label]:
    with store.read() as c:
        found = labels.for_images(c, run.field_id, images.ids(c, run.project_id))
    return [label for image_id in sorted(found) for label in found[image_id]]


def _boxes_field(store: Store, project: Project, *boxes: Box) -> None:
    with store.write() as c:
        field = fields.ensure(c, project.id, "boxes")
        change = history.begin(c, project.id, Verb.CREATE, "ann", field_id=field.id)
        classes.ensure(c, project.id, ["cat"])
        first = images.ids(c, project.id)[0]
        labels.add(c, field.id, [(first, Label("cat", box)) for box in boxes], change_id=change, provenance=None)


def test_two_stages(store: Store, project_of: MakeProject) -> None:
    run = _run(store, project_of(3), "detector", method=Method.TWO_STAGE, refiner="staged:cutter")
    assert (run.state, run.done, run.failed) == (RunState.IN_REVIEW, 3, 0)
    found = _labels(store, run)
    assert [label.class_name for label in found] == ["cat", "dog"] * 3
    assert all(isinstance(label.geometry, Mask) for label in found)
    assert [label.confidence for label in found[:2]] == [pytest.approx(0.9), pytest.approx(0.4)]
    assert found[0].provenance is not None
    assert found[0].provenance.model == "staged:detector + staged:cutter"


def test_two_stages__only_what_is_asked_for_is_segmented(store: Store, project_of: MakeProject) -> None:
    run = _run(store, project_of(2), "detector", method=Method.TWO_STAGE, refiner="staged:cutter", min_confidence=0.5)
    assert [label.class_name for label in _labels(store, run)] == ["cat", "cat"]


def test_existing_boxes(store: Store, project_of: MakeProject) -> None:
    project = project_of(3)
    _boxes_field(store, project, Box(0, 0, 4, 4), Box(5, 5, 2, 2))
    run = _run(store, project, "cutter", method=Method.EXISTING, boxes_field="boxes")
    found = _labels(store, run)
    assert [label.class_name for label in found] == ["cat"], "one box of one image has something in it"
    assert isinstance(found[0].geometry, Mask)
    assert mask.area(found[0].geometry) == 8
    assert run.done == 3
    assert run.tally == {"empty": 1}


def test_existing_boxes__poses_and_their_keypoints(store: Store, project_of: MakeProject) -> None:
    project = project_of(2)
    with store.write() as c:
        classes.ensure(c, project.id, ["dog"])
    _boxes_field(store, project, Box(1, 1, 2, 2))
    run = _run(
        store, project, "poser", method=Method.EXISTING, boxes_field="boxes", task=Task.POSE, label_map={"cat": "lynx"}
    )
    found = _labels(store, run)
    assert [(label.class_name, label.geometry) for label in found] == [("lynx", Keypoints((1, 1, 2, 3, 3, 1)))]
    with store.read() as c:
        lynx = next(item for item in classes.list_all(c, project.id) if item.name == "lynx")
    assert (lynx.keypoint_names, lynx.skeleton) == (POINTS, ((0, 1),))


def test_existing_boxes__of_a_class_that_the_pose_model_does_not_know(store: Store, project_of: MakeProject) -> None:
    """Its points are those of whatever its boxes are called; a class that has points keeps them."""
    project = project_of(2)
    with store.write() as c:
        field = fields.ensure(c, project.id, "boxes")
        change = history.begin(c, project.id, Verb.CREATE, "ann", field_id=field.id)
        classes.ensure(c, project.id, ["dancer", LabelClass("horse", keypoint_names=("head", "tail")), "unseen"])
        first, second = images.ids(c, project.id)
        drawn = [(first, Label("dancer", Box(1, 1, 2, 2))), (second, Label("horse", Box(1, 1, 2, 2)))]
        labels.add(c, field.id, drawn, change_id=change, provenance=None)
    run = _run(store, project, "poser", method=Method.EXISTING, boxes_field="boxes", task=Task.POSE)
    assert [label.class_name for label in _labels(store, run)] == ["dancer", "horse"]
    with store.read() as c:
        points = {item.name: item.keypoint_names for item in classes.list_all(c, project.id)}
    assert points == {"dancer": POINTS, "horse": ("head", "tail"), "unseen": ()}


def test_two_stages__points_for_the_classes_that_are_found(store: Store, project_of: MakeProject) -> None:
    project = project_of(1)
    refiner = {"method": Method.TWO_STAGE, "refiner": "staged:poser", "task": Task.POSE}
    run = _run(store, project, "detector", min_confidence=0.5, **refiner)
    assert [label.class_name for label in _labels(store, run)] == ["cat"]
    with store.read() as c:
        assert {item.name: item.keypoint_names for item in classes.list_all(c, project.id)} == {"cat": POINTS}


def test_words__that_a_setting_makes_needless(store: Store, project_of: MakeProject) -> None:
    project = project_of(1)
    for settings in ({}, {"mode": "words"}):
        with pytest.raises(ModelError, match="looks for what it is told"):
            _run(store, project, "words", settings=settings)
    assert _run(store, project, "words", settings={"mode": "regions"}).state is RunState.IN_REVIEW


def test_label_map__renames_and_leaves_out(store: Store, project_of: MakeProject) -> None:
    run = _run(store, project_of(2), "detector", label_map={"cat": "", "dog": "hound"})
    assert [label.class_name for label in _labels(store, run)] == ["hound", "hound"]
    assert run.tally == {"clipped": 2}


def test_label_map__kept_by_project_and_model(store: Store, project_of: MakeProject) -> None:
    project = project_of(1)
    with store.write() as c:
        assert label_maps.get(c, project.id, "m") is None
        label_maps.put(c, project.id, "m", {"a": "b"})
        assert label_maps.put(c, project.id, "m", {"a": " c "}) == {"a": "c"}
        label_maps.put(c, project.id, "other", {"a": ""})
    with store.read() as c:
        assert label_maps.get(c, project.id, "m") == {"a": "c"}
    with store.write() as c:
        assert label_maps.delete(c, project.id, "m")
        assert not label_maps.delete(c, project.id, "m")
        assert label_maps.get(c, project.id, "other") == {"a": ""}


def test_prompts__reach_the_model_and_the_provenance(store: Store, project_of: MakeProject) -> None:
    prompts = (Prompt("a photo of a lynx", "lynx"),)
    run = _run(store, project_of(1), "words", prompts=prompts)
    (label,) = _labels(store, run)
    assert label.class_name == "lynx"
    assert label.provenance is not None
    assert label.provenance.prompt == "a photo of a lynx -> lynx"
    with store.read() as c:
        assert runs.get(c, run.id).spec.prompts == prompts


def test_masks__as_files(store: Store, project_of: MakeProject, tmp_path: Path) -> None:
    where = tmp_path / "masks"
    run = _run(store, project_of(2), "detector", method=Method.TWO_STAGE, refiner="staged:cutter", masks=str(where))
    for label in _labels(store, run):
        assert isinstance(label.geometry, Box)
        pixels = cv2.imread(str(label.attributes["mask_file"]), cv2.IMREAD_UNCHANGED)
        assert set(np.unique(pixels)) == {0, 255}
        assert mask.encode(pixels > 0).bounds == label.geometry.bounds
    assert len(list(where.rglob("*.png"))) == 4


@pytest.mark.parametrize("url", ["{}", "file://{}"])
def test_masks__as_files_are_exported_as_masks(store: Store, project_of: MakeProject, tmp_path: Path, url: str) -> None:
    project = project_of(2)
    where = url.format(tmp_path / "masks")
    run = _run(store, project, "detector", method=Method.TWO_STAGE, refiner="staged:cutter", masks=where)
    files = sorted((tmp_path / "masks").rglob("*.png"))
    files[0].unlink()
    files[1].write_bytes(b"no picture")
    with store.write() as c:
        field = fields.get(c, project.id, "auto")
        first = images.ids(c, project.id)[0]
        change = history.begin(c, project.id, Verb.CREATE, "ann", field_id=field.id)
        elsewhere = {"mask_file": str(tmp_path / "masks/../secret.png")}
        labels.add(c, field.id, [(first, Label("cat", Box(0, 0, 2, 2), attributes=elsewhere))], change_id=change)

    report = exporting.export(store, project, "auto", tmp_path / "out.json")

    written = json.loads((tmp_path / "out.json").read_text())["annotations"]
    assert (len(written), sum(bool(item["segmentation"]) for item in written)) == (5, 2)
    assert report.count(reason="the file of its mask is not there, or is none of it: written as its box") == 2
    assert run.labels == 4


def test_masks__as_files_are_measured_as_masks(store: Store, project_of: MakeProject, tmp_path: Path) -> None:
    project = project_of(2)
    two = {"method": Method.TWO_STAGE, "refiner": "staged:cutter"}
    _run(store, project, "detector", masks=str(tmp_path / "masks"), **two)
    _run(store, project, "detector", field="kept", **two)

    measured = evaluation.evaluate(store, project, field="auto", against="kept")

    assert measured.masks is not None
    assert measured.masks.ap50 == 1.0
    assert not list(evaluation.differences(store, project, field="auto", against="kept"))
    next((tmp_path / "masks").rglob("*.png")).unlink()
    with pytest.raises(InvalidInput, match="file of a mask is not there"):
        evaluation.evaluate(store, project, field="auto", against="kept")


@pytest.mark.parametrize("place", ["other/0-0.png", "99-auto/0-0.png", "secret.png"])
def test_masks__in_files_that_no_run_wrote_are_none(
    store: Store, project_of: MakeProject, tmp_path: Path, place: str
) -> None:
    project = project_of(1)
    where = tmp_path / "masks"
    two = {"method": Method.TWO_STAGE, "refiner": "staged:cutter"}
    _run(store, project, "detector", masks=str(where), **two)
    (where / place).parent.mkdir(exist_ok=True)
    cv2.imwrite(str(where / place), np.full((8, 8), 255, np.uint8))
    with store.write() as c:
        field = fields.create(c, project.id, "brought")
        (first,) = images.ids(c, project.id)
        change = history.begin(c, project.id, Verb.IMPORT, "ann", field_id=field.id)
        brought = Label("cat", Box(0, 0, 8, 8), attributes={"mask_file": str(where / place)})
        labels.add(c, field.id, [(first, brought)], change_id=change)

    assert evaluation.evaluate(store, project, field="brought", against="auto").masks is None


def test_masks__in_a_folder_that_is_out_of_reach(
    store: Store, project_of: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = project_of(1)
    two = {"method": Method.TWO_STAGE, "refiner": "staged:cutter"}
    with pytest.raises(InvalidInput, match=r"'ftp://127.0.0.1:1/masks' cannot hold masks: .*refused"):
        _run(store, project, "detector", masks="ftp://127.0.0.1:1/masks", **two)
    _run(store, project, "detector", masks=str(tmp_path / "masks"), **two)
    _run(store, project, "detector", field="boxes")

    def gone(url: str) -> Any:
        raise InvalidInput(f"{url} is gone")

    monkeypatch.setattr(mask_files, "open_folder", gone)

    assert evaluation.evaluate(store, project, field="boxes", against="boxes").boxes is not None
    report = exporting.export(store, project, "auto", tmp_path / "out.json")
    assert report.count(reason="the file of its mask is not there, or is none of it: written as its box") == 2


def test_masks__that_cannot_be_written(store: Store, project_of: MakeProject, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    two = {"method": Method.TWO_STAGE, "refiner": "staged:cutter"}
    project = project_of(1)

    with pytest.raises(InvalidInput, match=r"no masks can be written to .*file/masks"):
        _run(store, project, "detector", masks=f"{blocked}/masks", **two)

    spec = RunSpec("staged:detector", "auto", executor="inline", min_confidence=0, masks=str(tmp_path / "masks"), **two)
    made = control.create(store, project.id, spec, created_by="ann")
    shutil.rmtree(tmp_path / "masks")
    (tmp_path / "masks").write_text("in the way now")
    assert control.start(store, made.id).failed == 1
    with store.read() as c:
        assert "its masks cannot be written" in runs.failures(c, made.id)[0][2]


@pytest.mark.parametrize(
    ("more", "command"),
    [
        ({"model": "rt-detr-r18"}, "countersign models pull rt-detr-r18"),
        ({"model": "detector:owner/name"}, "countersign models pull detector:owner/name"),
        ({"model": "timm:resnet18"}, "countersign models pull timm:timm/resnet18.a1_in1k"),
        ({"model": "torchvision:alexnet"}, "countersign models pull torchvision:alexnet"),
        (
            {"model": "staged:detector", "refiner": "sam2.1-tiny", "method": Method.TWO_STAGE},
            "countersign models pull sam2.1-tiny",
        ),
    ],
)
def test_weights_that_must_be_fetched_first(
    store: Store, project_of: MakeProject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, more: Any, command: str
) -> None:
    monkeypatch.setenv("COUNTERSIGN_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    project = project_of(1)

    with pytest.raises(ModelError, match="not on this machine") as refused:
        control.create(store, project.id, RunSpec(field="auto", **more), created_by="ann")

    assert command in refused.value.remedy
    with store.read() as c:
        assert fields.find(c, project.id, "auto") is None


def test_masks__a_folder_that_ends_with_its_process(store: Store, project_of: MakeProject) -> None:
    with pytest.raises(InvalidInput, match="gone when the process"):
        _run(store, project_of(1), "detector", masks="memory://masks", executor="processes")


def test_paths_hold_from_everywhere(
    store: Store, project_of: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "how.txt").write_text("")
    (tmp_path / "mine.staged").write_text("")
    monkeypatch.chdir(tmp_path)
    spec = RunSpec("mine.staged?how=how.txt", "auto", executor="inline", masks="masks")

    made = control.create(store, project_of(1).id, spec, created_by="ann")

    assert made.spec.model == f"{tmp_path}/mine.staged?how={tmp_path}/how.txt"
    assert made.spec.masks == str(tmp_path / "masks")
    assert registry.parse(made.spec.model).options == {"how": str(tmp_path / "how.txt")}


def test_masks__unknown_kind_of_folder() -> None:
    with pytest.raises(InvalidInput, match="cannot hold masks"):
        mask_files.open_folder("nosuch://bucket/masks")


@pytest.mark.parametrize(
    ("model", "more", "error", "said"),
    [
        ("cutter", {}, ModelError, "does not label whole images"),
        ("poser", {}, ModelError, "second stage, or on existing boxes"),
        ("words-only", {}, ModelError, "does not label whole images"),
        ("words", {}, ModelError, "Name at least one class"),
        ("detector", {"task": Task.CLASSIFICATION}, ModelError, "does not do classification"),
        ("detector", {"method": Method.TWO_STAGE, "refiner": "staged:words"}, ModelError, "cannot do instance segm"),
        ("cutter", {"method": Method.TWO_STAGE, "refiner": "staged:cutter"}, ModelError, "does not detect"),
        ("poser", {"method": Method.EXISTING, "boxes_field": "boxes"}, ModelError, "cannot do instance segmentation"),
        ("cutter", {"method": Method.EXISTING, "boxes_field": "boxes", "task": Task.POSE}, ModelError, "pose"),
        ("cutter", {"method": Method.EXISTING, "boxes_field": "nowhere"}, NotFound, "no field 'nowhere'"),
        ("cutter", {"method": Method.EXISTING, "boxes_field": "empty"}, InvalidInput, "has no boxes to begin with"),
        ("detector", {"classes": ("cow",)}, ModelError, "does not know cow"),
        ("detector", {"label_map": {"cow": "Kuh"}}, ModelError, "names cow, which 'detector' does not know"),
        ("detector", {"prompts": (Prompt("a dog", "dog"),)}, ModelError, "takes no prompts"),
        ("detector", {"refiner": "staged:cutter"}, InvalidInput, "the run is not in two stages"),
        ("detector", {"boxes_field": "boxes"}, InvalidInput, "does not begin with existing boxes"),
        ("detector", {"field": "ground_truth"}, InvalidInput, "never go to ground_truth"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_starts(
    store: Store, project_of: MakeProject, model: str, more: dict[str, Any], error: type[Exception], said: str
) -> None:
    project = project_of(1)
    _boxes_field(store, project, Box(0, 0, 4, 4))
    with store.write() as c:
        fields.ensure(c, project.id, "empty")
    with pytest.raises(error, match=said):
        _run(store, project, model, **more)
    with store.read() as c:
        assert runs.list_all(c, project.id) == []


@pytest.mark.parametrize("more", [{"method": Method.TWO_STAGE}, {"method": Method.EXISTING}])
def test_spec__says_what_it_needs(more: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="needs"):
        RunSpec("m", "f", **more)
