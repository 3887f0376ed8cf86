"""A model served by another process, used by a workspace here as if it were local."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

import countersign
from countersign.domain.errors import ModelError, NameTaken
from countersign.domain.model import Task
from countersign.domain.run import RunState
from countersign.models import registry
from countersign.models.contract import Model, PredictOptions

MODEL = "timm:resnet18?weights=random&seed=3"
TOKEN = "a-token-of-the-test"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the model that another process serves."""
    folder = tmp_path_factory.mktemp("served")
    environment = os.environ | {"COUNTERSIGN_MODEL_TOKEN": TOKEN, "COUNTERSIGN_WORKSPACE": str(folder / "ws")}
    order = [sys.executable, "-m", "countersign", "--json", "serve-model", MODEL, "--port", "0", "--name", "net"]
    with (folder / "log").open("w") as log, (folder / "errors").open("w") as errors:
        process = subprocess.Popen([*order, "--max-body", "1"], stdout=log, stderr=errors, env=environment)
    try:
        url = ""
        while not url:
            assert process.poll() is None, (folder / "errors").read_text()
            time.sleep(0.1)
            text = (folder / "log").read_text()
            url = json.loads(text)["url"] if text.rstrip().endswith("}") else ""
        while httpx.get(f"{url.rpartition('/')[0]}/v1/health", timeout=60).json()["status"] == "loading":
            time.sleep(0.1)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(120)  # in good order: 130, or 0 where whoever started the tests ignores interrupts
        assert code in (0, 130), (folder / "errors").read_text()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three images of different sizes."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for i, size in enumerate([(30, 40), (50, 20), (64, 64)]):
        pixels = np.random.default_rng(i).integers(0, 255, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    return folder


@pytest.mark.slow
def test_run_with_a_served_model_gives_what_the_model_gives_here(served: str, photos: Path, tmp_path: Path) -> None:
    base = served.rpartition("/")[0]
    with countersign.open_workspace(tmp_path / "ws") as workspace:
        known = workspace.models.remote
        added = known.add("net", base, secret=f"Bearer {TOKEN}")
        assert added.card.tasks == (Task.CLASSIFICATION,)
        assert len(added.card.classes) == 1000
        assert TOKEN not in json.dumps(dict(added.spec)) + str(added)
        printed = known.add("printed", served, secret=f"Bearer {TOKEN}")
        assert (printed.spec["url"], printed.spec["model"]) == (base, "net")
        known.delete("printed")
        with pytest.raises(ModelError, match="answered 404"):
            known.add("mistyped", f"{served}ty", secret=f"Bearer {TOKEN}")
        tested = known.test("net", photos / "0.png", min_confidence=0.0)
        assert tested.predictions is not None
        project = workspace.project("p", create=True)
        project.import_images(photos)
        run = project.run("remote:net", "auto", min_confidence=0.0, executor="inline")
        assert (run.state, run.done, run.failed) == (RunState.IN_REVIEW, 3, 0)
        with pytest.raises(NameTaken):
            known.add("net", base, secret=f"Bearer {TOKEN}")
        moved = known.edit("net", url=base, min_confidence=0.5)
        assert moved.spec["has_secret"]
        known.delete("net")
        assert known.list() == []
    here = registry.load(MODEL, device="cpu")
    pixels = np.asarray(Image.open(photos / "0.png"))
    (expected,) = here.predict([pixels], PredictOptions(min_confidence=0.0))[0]
    (found,) = tested.predictions
    assert found.class_name == expected.class_name
    assert found.confidence == pytest.approx(expected.confidence)


@pytest.mark.slow
def test_reference_by_address(served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIGN_MODEL_TOKEN", TOKEN)
    model = registry.load(served)
    assert isinstance(model, Model)
    assert dataclasses.asdict(model.card)["family"] == "remote"
    images = [np.zeros((20 + i, 30, 3), np.uint8) for i in range(20)]
    assert len(model.predict(images, PredictOptions(min_confidence=0.0))) == 20
    with pytest.raises(ModelError, match="does not know no-such-class"):
        model.predict(images[:1], PredictOptions(classes=("no-such-class",)))


@pytest.mark.slow
def test_door(served: str) -> None:
    base = served.rpartition("/")[0]
    signed = {"authorization": f"Bearer {TOKEN}"}
    assert httpx.get(f"{base}/v1/models").status_code == 401
    assert httpx.get(f"{base}/v1/models", headers={"authorization": "Bearer x"}).status_code == 401
    assert httpx.get(f"{base}/v1/models", headers=signed | {"origin": "http://evil.example"}).status_code == 403
    assert httpx.get(f"{base}/v1/models", headers=signed | {"host": "evil.example"}).status_code == 421
    url = f"{base}/v1/models/net/predict"
    large = httpx.post(url, headers=signed, json={"images": [{"data": "A" * 2_000_000}]})
    assert (large.status_code, large.headers["content-type"]) == (413, "application/problem+json")
    for body in ({}, {"images": []}, {"images": [{"data": "x", "url": "y"}]}, [1]):
        wrong = httpx.post(url, headers=signed, json=body)
        assert (wrong.status_code, wrong.json()["kind"]) == (422, "InvalidInput")


@pytest.mark.slow
def test_image_that_is_none_costs_its_own_result_alone(served: str, photos: Path) -> None:
    url = f"{served.rpartition('/')[0]}/v1/models/net/predict"
    good = (photos / "0.png").read_bytes()
    files = [("image", ("a", good)), ("image", ("b", b"no image")), ("image", ("c", good))]
    answer = httpx.post(
        url,
        headers={"authorization": f"Bearer {TOKEN}"},
        files=files,
        data={"parameters": '{"min_confidence": 0}', "url": "http://127.0.0.1:9/a.png"},
    ).json()
    first, second, third, fourth = answer["results"]
    results = {bool(item["predictions"]): item for item in (first, second, third, fourth)}
    assert results[True]["width"] == 40
    errors = [item["error"] for item in answer["results"]]
    assert sum(bool(text) for text in errors) == 2
    assert any("not public" in text for text in errors)  # an address of this computer is not fetched


@pytest.mark.slow
def test_model_that_does_not_load_ends_the_server_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"no network at all")
    order = [sys.executable, "-m", "countersign", "serve-model", str(tmp_path / "broken.onnx"), "--port", "0"]
    environment = os.environ | {"COUNTERSIGN_WORKSPACE": str(tmp_path / "ws")}
    ended = subprocess.run(order, capture_output=True, text=True, env=environment, timeout=120)
    assert ended.returncode == ModelError.exit_code, ended.stderr
    assert "broken.onnx" in ended.stderr
    assert "Traceback" not in ended.stderr
