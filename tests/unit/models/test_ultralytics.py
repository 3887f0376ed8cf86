"""The Ultralytics family: what it refuses, what its process does not do, and what happens when that process dies."""

from __future__ import annotations

import io
import json
import os
import pickle
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest

import tiny_checkpoints
from countersign.domain.errors import ModelError, WorkerLost
from countersign.domain.model import Task
from countersign.models import catalogue, registry
from countersign.models.contract import PredictOptions
from countersign.models.folder import licences, pickles
from countersign.models.ultralytics import pipes, process, texts
from countersign.models.ultralytics.cards import CARDS
from countersign.models.ultralytics.family import _require_licence
from countersign.models.ultralytics.model import Yolo, painted
from countersign.workbench.shelf import Shelf

IMAGE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
EVERYTHING = PredictOptions(min_confidence=0.0)


@pytest.fixture(scope="module")
def saved(request: pytest.FixtureRequest) -> Path:
    """A narrow segmenter that the library itself has saved."""
    card = next(card for card in CARDS if card.name == "yolo11n-seg")
    return tiny_checkpoints.checkpoint(card, Path(request.config.cache.mkdir("tiny"))) / "weights.pt"  # type: ignore[union-attr]


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty models folder."""
    for name in ("COUNTERSIGN_MODELS", "HF_HOME", "TORCH_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture(scope="module")
def opened(saved: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yolo]:
    """The segmenter, opened by its path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COUNTERSIGN_MODELS", str(tmp_path_factory.mktemp("models")))
        licences.accept(CARDS[0], "the tests")
        pickles.allow(saved, "the tests")
        model = registry.load(str(saved), device="cpu")
        assert isinstance(model, Yolo)
        yield model
        model.process.close()


def test_own_file__is_opened_by_path(opened: Yolo) -> None:
    assert opened.card.tasks == (Task.INSTANCE_SEGMENTATION, Task.DETECTION)
    assert opened.card.classes[0] == "person"
    assert opened.card.code_licence == "AGPL-3.0"
    assert opened.predict([IMAGE], EVERYTHING)[0]


def test_masks__lie_in_their_boxes(opened: Yolo) -> None:
    for item in opened.predict([IMAGE], EVERYTHING)[0]:
        assert item.geometry is not None
        assert item.geometry.bounds[2] > 0


def test_library__is_imported_in_its_own_process_alone(opened: Yolo) -> None:
    opened.predict([IMAGE], EVERYTHING)
    assert opened.process.pid not in (None, os.getpid())
    assert not [name for name in sys.modules if name.split(".")[0] == "ultralytics"]


def test_process__never_asks_for_the_network(opened: Yolo) -> None:
    opened.predict([IMAGE], EVERYTHING)
    assert opened.process.ask({"do": "network"})[0]["refused"] == []


def test_process__is_closed_to_the_network() -> None:
    """What the test before relies on: attempts are refused, and counted."""
    program = """
import json, socket, urllib.request
from countersign.models.ultralytics import worker
worker.prepare("nowhere")
for attempt in (lambda: socket.create_connection(("192.0.2.1", 80), 1),
                lambda: urllib.request.urlopen("http://example.invalid", timeout=1)):
    try:
        attempt()
    except OSError:
        pass
print(json.dumps(worker._refused))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert len(json.loads(done.stdout)) == 2


def test_death__costs_one_error(opened: Yolo, monkeypatch: pytest.MonkeyPatch) -> None:
    before = opened.predict([IMAGE], EVERYTHING)
    pid = opened.process.pid
    assert pid is not None
    read = pipes.read

    def killed(stream: BinaryIO) -> pipes.Message | None:
        os.kill(pid, signal.SIGKILL)
        return read(stream)

    with monkeypatch.context() as patch:
        patch.setattr(pipes, "read", killed)
        with pytest.raises(WorkerLost, match="SIGKILL"):
            opened.predict([IMAGE], PredictOptions(min_confidence=1.0, settings={"image_size": 2048}))
    assert opened.predict([IMAGE], EVERYTHING) == before
    assert opened.process.pid != pid


def test_licence__is_asked_for_first(saved: Path, models: Path) -> None:
    with pytest.raises(ModelError, match=r"AGPL-3\.0") as caught:
        registry.load(str(saved), device="cpu")
    assert "--accept-licence" in caught.value.remedy
    with pytest.raises(ModelError, match=r"AGPL-3\.0"):
        registry.load("yolo11n", device="cpu")


def test_pickle__nobody_allowed(saved: Path, models: Path) -> None:
    licences.accept(CARDS[0], "the tests")
    with pytest.raises(ModelError, match="is a pickle"):
        registry.load(str(saved), device="cpu")


class _Hostile:
    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self._mark),))


def test_pickle__hostile_is_refused_even_where_allowed(tmp_path: Path, models: Path) -> None:
    file, mark = tmp_path / "hostile.pt", tmp_path / "mark"
    content = io.BytesIO()
    pickle.dump({"model": _Hostile(mark), "from": "ultralytics"}, content, protocol=2)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("hostile/data.pkl", content.getvalue())
        archive.writestr("hostile/version", "3\n")
        archive.writestr("hostile/byteorder", "little")
    licences.accept(CARDS[0], "the tests")
    assert registry.family_of(file) == "ultralytics"
    pickles.allow(file, "the tests")
    with pytest.raises(ModelError, match=r"hostile\.pt") as caught:
        registry.load(str(file), device="cpu")
    assert caught.value.remedy
    assert not mark.exists()


def test_extra__is_not_installed(saved: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError) as caught:
        registry.load("yolo11n", device="cpu")
    assert "countersign[ultralytics]" in caught.value.remedy


def test_texts__say_which_encoder_is_missing(models: Path) -> None:
    with pytest.raises(ModelError, match="clip-vit-b32"):
        texts.clip_encoder("yolov8s-worldv2")
    with pytest.raises(ModelError, match="MobileCLIP") as caught:
        texts.mobile_clip("yoloe-11s-seg", models)
    assert "embeddings" in caught.value.remedy


def test_opens__leaves_other_files_alone(tmp_path: Path) -> None:
    other = tmp_path / "other.pt"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("other/data.pkl", pickle.dumps({"a": 1}))
    assert registry.family_of(other) != "ultralytics"
    (tmp_path / "plain.pt").write_bytes(b"nothing")
    assert registry.family_of(tmp_path / "plain.pt") != "ultralytics"


def test_settings__that_are_none(opened: Yolo, saved: Path) -> None:
    with pytest.raises(ModelError, match="image_size"):
        opened.predict([IMAGE], PredictOptions(settings={"image_size": 3}))
    with pytest.raises(ModelError, match="number"):
        opened.predict([IMAGE], PredictOptions(settings={"nms": "much"}))


def test_cards__are_those_that_were_promised() -> None:
    names = {card.name for card in CARDS}
    for pattern, sizes in {
        "yolo11{}": "nsmlx", "yolo11{}-seg": "nsmlx", "yolo11{}-pose": "nsmlx", "yolov10{}": "nsmblx",
        "yolov9{}": "ce", "yolov9{}-seg": "ce", "yolov8{}": "nsmlx", "yolov8{}-oiv7": "nsmlx",
        "yolov8{}-seg": "nsmlx", "yolov8{}-pose": "nsmlx", "yolov8{}-worldv2": "smlx", "yoloe-11{}-seg": "sml",
        "yoloe-v8{}-seg": "sml",
    }.items():  # fmt: skip
        assert {pattern.format(size) for size in sizes} <= names
    assert {card.code_licence for card in CARDS} == {"AGPL-3.0"}
    for card in CARDS:
        research = card.name.startswith("yoloe")  # its text encoder is Apple's
        assert card.licence == ("AGPL-3.0 AND LicenseRef-Apple-AMLR" if research else "AGPL-3.0")
    assert len(next(card for card in CARDS if card.name == "yolov8n-oiv7").classes) == 601
    assert catalogue.find("yolo11n") is not None


def test_pipes__what_is_sent_arrives() -> None:
    stream = io.BytesIO()
    arrays = [np.arange(6, dtype=np.float32).reshape(2, 3), np.zeros((0, 4), np.int64), IMAGE[:, ::2]]
    pipes.write(stream, {"do": "it"}, arrays)
    whole = stream.getvalue()
    message = pipes.read(io.BytesIO(whole))
    assert message is not None
    assert message[0] == {"do": "it"}
    assert all(np.array_equal(*pair) for pair in zip(message[1], arrays, strict=True))
    for cut in (0, 5, len(whole) - 1):
        assert pipes.read(io.BytesIO(whole[:cut])) is None
    pipes.write(stream := io.BytesIO(), {}, [np.zeros(1, np.float64)])
    with pytest.raises(ValueError, match="not sent"):
        pipes.read(io.BytesIO(stream.getvalue()))


def test_painted__unfolds_a_cropped_mask() -> None:
    part = np.array([[1, 0, 1], [0, 1, 1]], bool)
    parts = [np.array([2, 4, 2, 3]), np.packbits(part), np.zeros(4, np.int64), np.zeros(0, np.uint8)]
    masks = painted((6, 9), parts)
    assert len(masks) == 2
    assert np.array_equal(masks[0][2:4, 4:7], part)
    assert masks[0].sum() == part.sum()
    assert not masks[1].any()


def test_licence__of_the_code_alone_is_accepted_by_its_name(models: Path) -> None:
    shelf = Shelf()
    with pytest.raises(ModelError, match=r"AGPL-3\.0"):
        shelf.pull("ultralytics")
    assert not shelf.pull("ultralytics", accept_licence=True).licence_due
    _require_licence(None)


def test_embeddings__give_yoloe_fixed_classes(request: pytest.FixtureRequest, tmp_path: Path, models: Path) -> None:
    card = next(card for card in CARDS if card.name == "yoloe-11s-seg")
    place = tiny_checkpoints.install(card, Path(request.config.cache.mkdir("tiny")), models)  # type: ignore[union-attr]
    rows = np.random.default_rng(0).normal(size=(1, 2, 512)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=2, keepdims=True)
    np.savez(tmp_path / "two.npz", embeddings=rows, names=np.array(["cat", "dog"]), model=np.array("yoloe-11s"))
    model = registry.load(f"yoloe-11s-seg?embeddings={tmp_path / 'two.npz'}", device="cpu")
    assert isinstance(model, Yolo)
    assert place.is_dir()
    assert (model.card.classes, model.card.zero_shot) == (("cat", "dog"), False)
    found = model.predict([IMAGE], EVERYTHING)[0]
    model.process.close()
    assert {item.class_name for item in found} <= {"cat", "dog"}
    assert found


def test_texts__with_the_catalogues_clip(request: pytest.FixtureRequest, models: Path) -> None:
    """A narrow CLIP: its rows are too short for a YOLO, which is said; its tokenizer ends words as CLIP's does."""
    card = catalogue.find(texts.CLIP)
    assert card is not None
    tiny_checkpoints.install(card, Path(request.config.cache.mkdir("tiny")), models)  # type: ignore[union-attr]
    rows = texts.clip_encoder("yolov8s-worldv2")(["cat", "dog"])
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    with pytest.raises(ModelError, match="512"):
        texts.check_width("yolov8s-worldv2", rows)
    tokens = texts.tokens("yoloe-11s-seg", ["cat", "a dog"], models)
    assert tokens.shape == (2, 77)
    assert tokens[0, 0] == tokens[1, 0] == 512
    assert tokens[0, 4] == tokens.max() == 513
    assert not tokens[0, 5:].any()
