from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from learn_toys import detection_images, discs, painted_images, settings

from countersign.domain.errors import ModelError
from countersign.learn import saved, storage
from countersign.learn.embeddings import fit_embeddings, load_embedding_head, save_embedding_head
from countersign.learn.predict import TrainedModel
from countersign.learn.trainer import fit
from countersign.models.contract import PredictOptions

ALL = PredictOptions(min_confidence=0.01)


@pytest.fixture(scope="module")
def model() -> TrainedModel:
    return fit(detection_images(2), (), settings(epochs=2), name="toy")


@pytest.fixture
def folder(model: TrainedModel, tmp_path: Path) -> Path:
    saved.save(model, tmp_path / "toy")
    return tmp_path / "toy"


def test_save_load_export_round_trip(model: TrainedModel, folder: Path, tmp_path: Path) -> None:
    picture = discs(3)[0]
    expected = model.predict([picture], ALL)
    loaded = saved.load(folder)
    assert loaded.predict([picture], ALL) == expected
    for file in (saved.export(folder, tmp_path / "a"), saved.export(model, tmp_path / "b.zip")):
        again = saved.load(file)
        assert again.predict([picture], ALL) == expected
        assert again.card == loaded.card
    assert (tmp_path / "a.countersign-model").is_file()
    assert storage.read_card(folder) == loaded.card
    assert len(loaded.card.weights_hash) == 64


def test_masks_round_trip(tmp_path: Path) -> None:
    images = painted_images(2)
    model = fit(images, (), settings(epochs=2))
    saved.save(model, tmp_path / "masks")
    loaded = saved.load(tmp_path / "masks")
    assert loaded.recipe == model.recipe
    assert loaded.predict([images[0].load()], ALL) == model.predict([images[0].load()], ALL)


def test_card_from_before_there_was_detail(model: TrainedModel, folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text())
    del card["details"]["network"]["detail"], card["details"]["view"]["reflect"], card["details"]["flips"]
    (folder / "card.json").write_text(json.dumps(card))
    picture = discs(3)[0]
    assert saved.load(folder).predict([picture], ALL) == model.predict([picture], ALL)


def test_card_is_readable(folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text())
    assert card["classes"] == ["blue", "red"]
    assert card["details"]["settings"]["backbone"] == "resnet10t"
    assert card["details"]["versions"]["torch"]


def test_damaged_weights(folder: Path) -> None:
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-100] ^= 0xFF
    (folder / "model.safetensors").write_bytes(bytes(data))
    with pytest.raises(ModelError, match="damaged"):
        saved.load(folder)
    (folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="damaged"):
        saved.load(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"no model\.safetensors"):
        saved.load(folder)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"name": "x", "family": "y", "tasks": [], "classes": []}', "\x00\x01"]
)
def test_damaged_or_foreign_card(folder: Path, text: str) -> None:
    (folder / "card.json").write_text(text)
    with pytest.raises(ModelError):
        saved.load(folder)


def test_card_changed_by_hand(folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text())
    for key, value in (
        ("network", {**card["details"]["network"], "backbone": "resnet18"}),
        ("network", {**card["details"]["network"], "backbone": "no such"}),
        ("network", {}),
        ("vocabulary", {"boxes": ["one"], "paints": [], "tags": []}),
        ("view", {"longest": "wide"}),
        ("format", 99),
    ):
        changed = {**card, "details": {**card["details"], key: value}}
        (folder / "card.json").write_text(json.dumps(changed))
        with pytest.raises(ModelError):
            saved.load(folder)


def test_foreign_files(tmp_path: Path) -> None:
    foreign = tmp_path / "weights.pt"
    foreign.write_bytes(pickle.dumps({"weights": [1, 2, 3]}))
    archive = tmp_path / "other.zip"
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("readme.txt", "hello")
    for path in (foreign, archive, tmp_path / "missing", tmp_path):
        with pytest.raises(ModelError):
            saved.load(path)


def test_truncated_export(folder: Path, tmp_path: Path) -> None:
    file = saved.export(folder, tmp_path / "toy.countersign-model")
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(ModelError):
        saved.load(file)


def test_embedding_head_round_trip(tmp_path: Path, folder: Path) -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, 16))
    kinds = rng.integers(0, 3, 60)
    vectors = centres[kinds] + 0.2 * rng.normal(size=(60, 16))
    names = [("ant", "bee", "fly")[kind] for kind in kinds]
    head = save_embedding_head(fit_embeddings(vectors[:40], names[:40]), tmp_path / "head")
    found = load_embedding_head(tmp_path / "head").predict(vectors[40:])
    assert found == head.predict(vectors[40:])
    assert [name for name, _ in found] == names[40:]
    with pytest.raises(ModelError, match="embeddings"):
        saved.load(tmp_path / "head")
    with pytest.raises(ModelError):
        load_embedding_head(folder)
