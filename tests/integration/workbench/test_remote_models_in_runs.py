"""Models behind URLs in runs, questions and vectors: they give what the same models give here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import shapes
import tiny_checkpoints
from countersign.domain.errors import ModelError, ServerGone
from countersign.domain.geometry import Box, Keypoints, Mask
from countersign.domain.label import Label
from countersign.domain.mask import area
from countersign.domain.model import Task
from countersign.domain.run import Method, RunState
from countersign.models import catalogue, registry
from countersign.models.contract import Asker, BoxRefiner, Clicks, Embedder, Model, PredictOptions, PromptSegmenter
from countersign.workbench.project import Project
from countersign.workbench.workspace import Workspace
from model_servers import Asked, Reply, serving
from served_models import served

SECRET = "Bearer a-very-secret-token"
BOXES = [{"box": [2, 2, 30, 30], "label": "bright", "score": 0.75}, {"box": [20, 10, 44, 40], "label": "bright"}]


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config) -> Callable[[str], Any]:
    """A function that loads a model of the catalogue with tiny weights."""
    monkeypatch.setenv("COUNTERSIGN_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    def load(name: str) -> Any:
        card = catalogue.find(name)
        assert card is not None
        tiny_checkpoints.install(card, Path(pytestconfig.cache.mkdir("tiny")), tmp_path / "models")
        return registry.open_any(name, device="cpu")

    return load


@pytest.fixture
def pictures(project: Project, tmp_path: Path) -> Project:
    shapes.draw(tmp_path / "pictures", 3)
    project.import_images(tmp_path / "pictures")
    return project


def boxes(_: Asked) -> Reply:
    return Reply(json.dumps(BOXES).encode())


def masks(project: Project, field: str) -> dict[str, list[tuple[str, float | None, Any]]]:
    return {
        name: [(label.class_name, label.confidence, label.geometry) for label in labels]
        for name, labels in project.labels(field).items()
    }


def test_two_stages__both_behind_a_url(opened: Workspace, pictures: Project, tiny: Callable[[str], Any]) -> None:
    sam = tiny("sam2.1-tiny")
    known = opened.models.remote
    with serving(boxes) as detector, served("sam", lambda: sam, token="a-very-secret-token") as url:
        known.add("boxes", detector.url, contract="plain", tasks=["detection"], classes=["bright"], secret=SECRET)
        known.add("sam", url, secret=SECRET)
        assert known.get("sam").card.tasks == (Task.PROMPTED_SEGMENTATION,)
        two = {"method": Method.TWO_STAGE, "min_confidence": 0.0, "executor": "inline"}
        run = pictures.run("remote:boxes", "far", refiner="remote:sam", **two)
        assert (run.state, run.done, run.failed) == (RunState.IN_REVIEW, 3, 0)
        mixed = pictures.run("remote:boxes", "near", refiner="sam2.1-tiny", **two)
        assert (mixed.state, mixed.failed) == (RunState.IN_REVIEW, 0)
    assert run.labels > 0
    assert masks(pictures, "far") == masks(pictures, "near")
    found = [label for labels in pictures.labels("far").values() for label in labels]
    assert {label.confidence for label in found} <= {0.75, None}
    provenance = found[0].provenance
    assert provenance is not None
    assert provenance.model == "remote:boxes + remote:sam"
    assert provenance.weights_hash.endswith(sam.card.weights_hash)


def test_existing_boxes(opened: Workspace, pictures: Project, tiny: Callable[[str], Any]) -> None:
    sam = tiny("sam2.1-tiny")
    pictures.add_labels({"0.png": [Label("cat", Box(4, 4, 20, 30)), Label("dog", Box(30, 2, 15, 40))]}, field="drawn")
    given = {"method": Method.EXISTING, "boxes_field": "drawn", "executor": "inline"}
    with served("sam", lambda: sam) as url:
        opened.models.remote.add("sam", url)
        run = pictures.run("remote:sam", "far", **given)
    assert (run.state, run.done, run.failed, run.labels) == (RunState.IN_REVIEW, 3, 0, 2)
    pictures.run("sam2.1-tiny", "near", **given)
    assert masks(pictures, "far") == masks(pictures, "near")
    assert all(isinstance(item[2], Mask) for item in masks(pictures, "far")["0.png"])


def test_existing_boxes__poses(opened: Workspace, pictures: Project, tiny: Callable[[str], Any]) -> None:
    pose = tiny("vitpose-plus-base")
    pictures.add_labels({"0.png": [Label("person", Box(4, 4, 20, 30))]}, field="drawn")
    with served("pose", lambda: pose) as url:
        opened.models.remote.add("pose", url)
        run = pictures.run(
            "remote:pose", "poses", method=Method.EXISTING, boxes_field="drawn", task=Task.POSE, executor="inline",
            settings={"keypoint_threshold": -100},
        )  # fmt: skip
    assert (run.state, run.done, run.failed, run.labels) == (RunState.IN_REVIEW, 3, 0, 1)
    (found,) = pictures.labels("poses")["0.png"]
    assert isinstance(found.geometry, Keypoints)
    assert found.geometry.box == Box(4, 4, 20, 30)
    (person,) = (item for item in pictures.classes() if item.name == "person")
    assert len(person.keypoint_names) == 17


def test_existing_boxes__cut_out_by_an_interactor_of_cvat(opened: Workspace, pictures: Project) -> None:
    """The function fills what it is pointed at: the box, in the pixels of the resized image that it got."""

    def fill(asked: Asked) -> Reply:
        (x0, y0), (x1, y1) = json.loads(asked.body)["obj_bbox"]
        mask = np.zeros((shapes.HEIGHT // 2, shapes.WIDTH // 2), int)
        mask[int(y0) : int(y1), int(x0) : int(x1)] = 1
        return Reply(json.dumps({"mask": mask.tolist()}).encode())

    pictures.add_labels({"0.png": [Label("cat", Box(4, 8, 20, 24))]}, field="drawn")
    half = {"step": "resize", "width": shapes.WIDTH // 2, "height": shapes.HEIGHT // 2}
    with serving(fill) as server:
        opened.models.remote.add("cut", server.url, contract="cvat", tasks=["prompted_segmentation"], pre=[half])
        run = pictures.run(
            "remote:cut", "far", method=Method.EXISTING, boxes_field="drawn", executor="inline"
        )  # fmt: skip
    assert (run.failed, run.labels) == (0, 1)
    (found,) = pictures.labels("far")["0.png"]
    assert isinstance(found.geometry, Mask)
    assert (found.class_name, area(found.geometry), found.geometry.bounds) == ("cat", 20 * 24, (4, 8, 20, 24))


def test_clicks_over_the_contract(tiny: Callable[[str], Any]) -> None:
    sam, image = tiny("sam2.1-tiny"), shapes.pixels(0)
    clicks = [Clicks(((20.0, 20.0), (1.0, 1.0)), (True, False)), Clicks(box=Box(3, 4, 20, 30))]
    with served("sam", lambda: sam) as url:
        far = registry.open_any(f"{url}/sam")
        assert isinstance(far, PromptSegmenter)
        assert isinstance(far, BoxRefiner)
        assert not isinstance(far, Model)
        found = far.segment(far.encode(image), clicks)
        expected = sam.segment(sam.encode(image), clicks)
        for there, here in zip(found, expected, strict=True):
            assert np.array_equal(there.mask, here.mask)
            assert there.confidence == pytest.approx(here.confidence)


def test_vectors_over_the_contract(tiny: Callable[[str], Any]) -> None:
    encoder = tiny("dinov2-s")
    images = [shapes.pixels(i) for i in range(20)]  # more than one request has
    with served("dino", lambda: encoder) as url:
        far = registry.open_any(f"{url}/dino")
        assert isinstance(far, Embedder)
        assert not isinstance(far, Model | Asker)
        assert far.card.tasks == (Task.EMBEDDING,)
        found = far.embed(images)
    assert found.dtype == np.float32
    assert found.shape[0] == 20
    np.testing.assert_allclose(found, encoder.embed(images), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_model_that_labels_and_makes_vectors(tiny: Callable[[str], Any]) -> None:
    clip = tiny("clip-vit-b32")
    options = PredictOptions(classes=("cat", "dog"), min_confidence=0.0)
    with served("clip", lambda: clip) as url:
        far = registry.open_any(f"{url}/clip")
        assert isinstance(far, Model)
        assert isinstance(far, Embedder)
        assert far.card.zero_shot
        (found,), (expected,) = (model.predict([shapes.pixels(1)], options) for model in (far, clip))
        np.testing.assert_allclose(far.embed([shapes.pixels(1)]), clip.embed([shapes.pixels(1)]), atol=1e-5)
    assert [item.class_name for item in found] == [item.class_name for item in expected]


def test_questions(opened: Workspace, pictures: Project, tiny: Callable[[str], Any]) -> None:
    chat = tiny("smolvlm2-256m")
    with served("chat", lambda: chat, token="a-very-secret-token") as url:
        added = opened.models.remote.add("chat", url, secret=SECRET)
        assert added.card.tasks == (Task.QUESTIONS,)
        far = pictures.ask(["0.png", "2.png"], "What is it?", model="remote:chat", field="notes")
    near = pictures.ask(["0.png", "2.png"], "What is it?", model="smolvlm2-256m")
    # Tiny weights write nonsense: a character that could not be stored is marked.
    assert [item.text for item in far.items] == [(item.text or "").replace("\0", "\ufffd") for item in near.items]
    assert (far.failed, far.field) == (0, "notes")
    (label,) = pictures.labels("notes")["2.png"]
    assert label.provenance is not None
    assert label.provenance.model == "remote:chat"


def test_what_a_served_model_cannot_do_is_said(tiny: Callable[[str], Any]) -> None:
    encoder = tiny("dinov2-s")
    with served("dino", lambda: encoder) as url:
        far = registry.open_any(f"{url}/dino")
        with pytest.raises(ModelError, match=r"answered 422: .*cannot label whole images"):
            far._adapter.predict([far._pack(shapes.pixels(0))], PredictOptions())  # type: ignore[union-attr]


def test_server_that_goes_away_stops_the_run_and_resuming_finishes_it(opened: Workspace, pictures: Project) -> None:
    shut: set[int] = {2}  # which requests are turned away

    def answer(request: Asked) -> Reply:
        return Reply(b"no", 403) if len(server.asked) in shut else boxes(request)

    with serving(answer) as server:
        opened.models.remote.add(
            "m", server.url, contract="plain", tasks=["detection"], classes=["bright"], secret=SECRET, concurrency=1
        )
        with pytest.raises(ServerGone, match="answered 403"):  # in processes of its own it would be the run's error
            pictures.run("remote:m", "auto", min_confidence=0.0, executor="inline", batch_size=1)
        (run,) = pictures.runs()
        assert run.state is RunState.ERROR
        assert "answered 403: 'no'. Check the secret" in run.error
        assert run.failed == 0  # no image is to blame
        assert run.done < 3
        again = pictures.resume(run.name)
    assert (again.state, again.done, again.failed) == (RunState.IN_REVIEW, 3, 0)


def test_secret_is_in_nothing_that_leaves(opened: Workspace, pictures: Project, tmp_path: Path) -> None:
    """The server even sends it back, as an error and in an answer: labels, run, export, history do not have it."""
    answers = iter(range(100))

    def echo(asked: Asked) -> Reply:
        secret = asked.headers["authorization"]
        kind = next(answers) % 3
        if kind == 0:
            return Reply(json.dumps({"detail": f"no {secret} here"}).encode(), 400)
        if kind == 1:
            return Reply(json.dumps([{"box": [secret, 1, 2, 3], "label": "bright"}]).encode())
        return Reply(secret.encode(), 500)

    with serving(echo) as server:
        opened.models.remote.add(
            "m", server.url, contract="plain", tasks=["detection"], classes=["bright"], retries=0, secret=SECRET
        )
        run = pictures.run("remote:m", "auto", min_confidence=0.0, executor="inline", batch_size=1)
    assert run.failed == 3
    reasons = [str(item) for item in pictures.failures(run.name)]
    assert len(reasons) == 3
    pictures.export(tmp_path / "out.json", field="auto")
    shown = [*reasons, str(run), str(pictures.history()), (tmp_path / "out.json").read_text()]
    assert any("***" in text for text in reasons)
    assert not any("very-secret" in text for text in shown), shown
