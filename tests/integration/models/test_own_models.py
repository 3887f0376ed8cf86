"""Models that users add: copied or left where they are, described, refused where they are pickles."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from safetensors.numpy import save_file

import shapes
import tiny_onnx
from countersign.domain.errors import InvalidInput, ModelError, NameTaken
from countersign.domain.model import ModelCard, Task
from countersign.models import catalogue, registry
from countersign.models.contract import PredictOptions
from countersign.models.folder import own, pickles, records, weights
from countersign.models.folder.own import Said
from countersign.models.registry import Reference


@dataclass(frozen=True, slots=True)
class Echo:
    """A family that opens *.echo files and folders with an echo.json, and knows the classes a and b."""

    name: str = "echo"
    option_names: tuple[str, ...] = ("classes", "weights")

    def opens(self, path: Path) -> bool:
        return path.suffix in (".echo", ".pt") or (path / "echo.json").is_file()

    def card(self, reference: Reference) -> ModelCard:
        return ModelCard(reference.name, "echo", (Task.DETECTION,), ("a", "b"), licence="MIT")

    def load(self, reference: Reference, *, device: str | None) -> shapes.BrightModel:
        assert reference.path is not None
        assert reference.path.exists()
        return shapes.BrightModel()

    def names(self) -> Sequence[str]:
        return ()


@pytest.fixture(autouse=True)
def _echo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(registry._families, "echo", Echo)
    return


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A model's file with its description and something else beside it."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("My Cells.echo", "My Cells.json", "My Cells.echo.data", "else.txt"):
        (folder / name).write_text(name)
    return folder / "My Cells.echo"


def test_add__a_file_with_what_belongs_to_it(file: Path, models_folder: Path) -> None:
    card = own.add(file, Said(licence="CC-BY-4.0"), by="anna")

    assert (card.name, card.family, card.licence, card.classes) == ("my-cells", "echo", "CC-BY-4.0", ("a", "b"))
    names = {path.name for path in (models_folder / "my-cells").iterdir()}
    assert names == {"My Cells.echo", "My Cells.json", "My Cells.echo.data", "weights.json"}
    assert weights.added() == [card]
    assert registry.card("my-cells") == card
    assert registry.parse("my-cells").path == models_folder / "my-cells/My Cells.echo"
    registry.load("my-cells")
    assert {item.state for item in weights.check(card)} == {"ok"}


def test_find__reads_the_record_of_that_name_alone(
    file: Path, models_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards = {name: own.add(file, Said(name=name), by="anna") for name in ("cells", "more-cells", "others")}
    (models_folder / "others" / records.RECORD).write_text("damaged")
    (models_folder / "renamed").symlink_to(models_folder / "cells")
    seen = []
    monkeypatch.setattr(records, "read", lambda folder, read=records.read: seen.append(folder.name) or read(folder))

    assert catalogue.find("more-cells") == cards["more-cells"]
    assert catalogue.find("resnet50") in catalogue.built_in()
    assert seen == ["more-cells", "resnet50"]
    for name in ("others", "renamed", "timm:resnet18", "../cells", ""):
        assert catalogue.find(name) is None


def test_parse__reads_no_other_record(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("cells", "more-cells"):
        own.add(file, Said(name=name), by="anna")
    seen = []
    monkeypatch.setattr(records, "read", lambda folder, read=records.read: seen.append(folder.name) or read(folder))

    for text in ("cells", "resnet50", "timm:resnet18", "echo:anything"):
        registry.parse(text)
    assert set(seen) == {"cells", "resnet50"}


def test_add__linked(file: Path, models_folder: Path) -> None:
    card = own.add(file, Said(name="cells"), by="anna", link=True)

    assert [path.name for path in (models_folder / "cells").iterdir()] == ["weights.json"]
    assert registry.parse("cells").path == file
    found = weights.installed(card)
    assert found is not None
    assert (found.where, found.folder) == (weights.LINKED, file.parent)
    weights.remove("cells")
    assert file.exists()


def test_add__linked_and_gone(file: Path) -> None:
    card = own.add(file, Said(name="cells"), by="anna", link=True)
    file.unlink()

    assert weights.installed(card) is None
    assert "missing" in {item.state for item in weights.check(card)}


@pytest.mark.parametrize("link", [False, True])
def test_add__a_folder(file: Path, models_folder: Path, link: bool) -> None:
    (file.parent / "echo.json").write_text("{}")

    card = own.add(file.parent, Said(), by="anna", link=link)

    assert card.name == "mine"
    assert registry.parse("mine").path == (file.parent if link else models_folder / "mine")
    assert {item.state for item in weights.check(card)} == {"ok"}


def test_add__names_of_classes(file: Path, models_folder: Path) -> None:
    own.add(file, Said(name="cells", classes=("RBC", "WBC")), by="anna")

    assert registry.card("cells").classes == ("RBC", "WBC")
    given = registry.parse("cells").options["classes"]
    assert Path(given).read_text() == "RBC\nWBC\n"
    with pytest.raises(InvalidInput, match="knows 2 classes, and 1 names are given"):
        own.add(file, Said(name="other", classes=("RBC",)), by="anna")


def test_add__an_architecture_that_the_file_does_not_name(tmp_path: Path) -> None:
    import timm

    network = timm.create_model("test_vit2", pretrained=False, num_classes=2)
    path = tmp_path / "net.safetensors"
    save_file({name: value.numpy() for name, value in network.state_dict().items()}, path)

    card = own.add(path, Said(name="tiny", classes=("cat", "dog"), reference="timm:test_vit2"), by="anna")

    assert (card.family, card.classes) == ("timm", ("cat", "dog"))
    assert registry.load("tiny").card.classes == ("cat", "dog")


def test_add__a_name_that_is_taken(file: Path) -> None:
    own.add(file, Said(name="cells"), by="anna")

    with pytest.raises(NameTaken, match="already a model named 'cells'"):
        own.add(file, Said(name="cells"), by="anna")


def test_add__what_nobody_opens(tmp_path: Path, models_folder: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")

    with pytest.raises(ModelError):
        own.add(tmp_path / "notes.txt", Said(), by="anna")
    with pytest.raises(ModelError, match="there is nothing at"):
        own.add(tmp_path / "nothing.onnx", Said(), by="anna")

    assert not weights.usage()


def test_pickles__are_refused_until_allowed(tmp_path: Path, models_folder: Path) -> None:
    path = tmp_path / "net.pt"
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(ModelError, match=r"net\.pt is a pickle.* --allow-pickle"):
        own.add(path, Said(), by="anna")
    assert not (models_folder / "net").exists()

    own.add(path, Said(), by="anna", allow_pickle=True)

    pickles.require(models_folder / "net/net.pt")
    (entry,) = records.read_json(models_folder / pickles.FILE).values()
    assert entry["by"] == "anna"
    path.write_bytes(pickle.dumps({"a": 2}))
    with pytest.raises(ModelError, match="countersign models allow-pickle"):
        pickles.require(path)


def test_pickles__are_left_out_beside_safetensors(tmp_path: Path, models_folder: Path) -> None:
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    (folder / "echo.json").write_text("{}")
    save_file({"a": np.zeros(1)}, folder / "model.safetensors")
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"a": 1}))

    own.add(folder, Said(), by="anna")

    assert not (models_folder / "checkpoint/pytorch_model.bin").exists()


@pytest.mark.parametrize("how", ["torch", "torch_old", "pickle"])
def test_pickles__are_recognised_by_content(tmp_path: Path, how: str) -> None:
    import torch

    path = tmp_path / "weights.safetensors"  # whatever it says it is
    if how == "pickle":
        path.write_bytes(pickle.dumps([1]))
    else:
        torch.save({"a": torch.zeros(2)}, path, _use_new_zipfile_serialization=how == "torch")

    assert pickles.is_pickle(path)


def test_pickles__others_are_not(tmp_path: Path) -> None:
    path = tmp_path / "weights.bin"
    save_file({}, path)
    (tmp_path / "empty.pt").write_bytes(b"")

    assert not pickles.is_pickle(path)
    assert not pickles.is_pickle(tmp_path / "empty.pt")


@pytest.fixture
def described(tmp_path: Path) -> Path:
    """An ONNX file with a description, a list of names and weights of its own, none of them called as it is."""
    folder = tmp_path / "mine"
    folder.mkdir()
    tiny_onnx.colour_means(folder / "whole.onnx")
    model = onnx.load(folder / "whole.onnx")
    nodes, weights = model.graph.node, np.eye(3, dtype=np.float32)
    nodes[-1].output[0] = "means"
    nodes.append(onnx.helper.make_node("MatMul", ["means", "w"], ["scores"]))
    model.graph.initializer.append(onnx.numpy_helper.from_array(weights, "w"))
    onnx.save(model, folder / "colours.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    text = "input: {divide: 255}\noutput: {decoder: classes, scores: probabilities}\nclasses: names.txt\n"
    (folder / "colours.countersign.yaml").write_text(text)
    (folder / "names.txt").write_text("red\ngreen\nblue\n")
    return folder / "colours.onnx"


def test_add__onnx_with_all_that_it_needs(described: Path, models_folder: Path) -> None:
    card = own.add(described, Said(), by="anna")

    there = {path.name for path in (models_folder / "colours").iterdir()}
    assert there == {"colours.onnx", "colours.countersign.yaml", "names.txt", "w.bin", "weights.json"}
    assert len(weights.check(card)) == 4
    shutil.rmtree(described.parent)
    found = registry.load("colours").predict([np.full((4, 4, 3), (9, 200, 9), np.uint8)], PredictOptions())
    assert [item.class_name for item in found[0]] == ["green"]


def test_add__onnx_with_other_names(described: Path) -> None:
    own.add(described, Said(name="farben", classes=("rot", "gruen", "blau")), by="anna")

    model = registry.load("farben")

    found = model.predict([np.full((4, 4, 3), (9, 200, 9), np.uint8)], PredictOptions(classes=("gruen",)))
    assert [item.class_name for item in found[0]] == ["gruen"]
    assert model.card.classes == registry.card("farben").classes == ("rot", "gruen", "blau")


def test_onnx__weights_that_are_not_there(described: Path) -> None:
    before = registry.card(str(described)).weights_hash
    (described.parent / "w.bin").write_bytes(np.ones((3, 3), np.float32).tobytes())
    assert registry.card(str(described)).weights_hash != before
    (described.parent / "w.bin").unlink()

    with pytest.raises(ModelError, match=r"keeps its weights in w\.bin, which is not there"):
        own.add(described, Said(), by="anna")


@pytest.mark.parametrize(("what", "value"), [("opset", 999), ("ir", 99)])
def test_onnx__too_new(described: Path, what: str, value: int) -> None:
    model = onnx.load(described)
    if what == "opset":
        model.opset_import[0].version = value
    else:
        model.ir_version = value
    described.write_bytes(model.SerializeToString())

    with pytest.raises(ModelError, match="too new for the onnxruntime") as refused:
        registry.card(str(described))
    assert "onnxruntime_src" not in str(refused.value)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('{"architectures": ["WeirdModel"]}', "its config.json names WeirdModel"),
        ("{", "config.json is damaged"),
        ('{"architectures": ["DetrForObjectDetection"]}', "holds no weights"),
        (None, "no config.json and no ONNX file"),
    ],
)
def test_add__a_folder_that_nobody_opens(tmp_path: Path, config: str | None, said: str) -> None:
    (tmp_path / "model").mkdir()
    if config:
        (tmp_path / "model/config.json").write_text(config)

    with pytest.raises(ModelError, match=said):
        own.add(tmp_path / "model", Said(), by="anna")


def test_add__weights_without_their_architecture(tmp_path: Path) -> None:
    save_file({"a": np.zeros(1)}, tmp_path / "net.safetensors")

    with pytest.raises(ModelError, match="does not say of which architecture") as refused:
        own.add(tmp_path / "net.safetensors", Said(), by="anna")
    assert "--as timm:resnet18" in refused.value.remedy


def test_add__a_part_of_the_weights(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text('{"architectures": ["DetrForObjectDetection"]}')
    save_file({"a": np.zeros(1)}, folder / "model-1-of-2.safetensors")
    index = {"weight_map": {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))

    with pytest.raises(ModelError, match=r"model-2-of-2\.safetensors is missing"):
        own.add(folder, Said(), by="anna")


def test_add__weights_cut_short(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text('{"architectures": ["DetrForObjectDetection"]}')
    save_file({"a": np.zeros(99)}, folder / "model.safetensors")
    own.add(folder, Said(name="whole"), by="anna")
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-9])

    with pytest.raises(ModelError, match=r"model\.safetensors is damaged"):
        own.add(folder, Said(name="cut"), by="anna")


def test_add__names_for_a_family_that_takes_none(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text('{"architectures": ["DetrForObjectDetection"], "id2label": {"0": "a"}}')
    save_file({"a": np.zeros(1)}, folder / "model.safetensors")

    with pytest.raises(InvalidInput, match="names its classes itself"):
        own.add(folder, Said(classes=("cat",)), by="anna")
