"""Models that users add: copied or left where they are, described, refused where they are pickles."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from safetensors.numpy import save_file

import shapes
from countersign.domain.errors import InvalidInput, ModelError, NameTaken
from countersign.domain.model import ModelCard, Task
from countersign.models import own, pickles, records, registry, weights
from countersign.models.own import Said
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


def test_add__an_architecture_that_no_family_runs(tmp_path: Path) -> None:
    """It says which, where a network with another head or another way to be asked might have been tried."""
    (tmp_path / "config.json").write_text('{"architectures": ["LlavaNextForConditionalGeneration"]}')
    with pytest.raises(ModelError, match="names LlavaNextForConditionalGeneration"):
        registry.parse(str(tmp_path))
    with pytest.raises(ModelError, match="names LlavaNextForConditionalGeneration"):
        own.add(tmp_path, Said(name="llava"), by="anna")
    with pytest.raises(ModelError, match="no model of the family 'chat'"):
        registry.open_any(f"chat:{tmp_path}")


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
    (folder / "model.safetensors").write_bytes(b"x")
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
