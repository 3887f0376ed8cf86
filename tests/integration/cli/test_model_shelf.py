"""``countersign models``: what is listed, fetched, added, checked and removed, from the command line."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from shapes import Call
from shelf_models import WEIGHTS, serving
from weights_server import WeightsServer


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WeightsServer]:
    with serving(tmp_path, monkeypatch) as running:
        yield running


@pytest.fixture
def models(server: WeightsServer, tmp_path: Path) -> Path:
    return tmp_path / "COUNTERSIGN_MODELS"


def listed(call: Call, *options: str) -> list[str]:
    return [item["name"] for item in json.loads(call("models", "list", "--json", *options).out)]


def test_list__filters(call: Call, models: Path) -> None:
    assert listed(call) == ["words", "fast"]
    assert listed(call, "--task", "detection") == ["words"]
    assert listed(call, "--vocabulary", "zero-shot") == ["words"]
    assert listed(call, "--vocabulary", "fixed") == ["fast"]
    assert listed(call, "--vocabulary", "Cat") == ["words", "fast"]
    assert listed(call, "--vocabulary", "bird") == ["words"]
    assert listed(call, "--licence", "agpl") == listed(call, "--licence", "restricted") == ["fast"]
    assert listed(call, "--licence", "permissive") == ["words"]
    assert listed(call, "--installed") == []
    assert listed(call, "--not-installed", "--task", "pose") == []
    assert "there is no task 'dancing'" in call("models", "list", "--task", "dancing", code=2).err


def test_list__as_a_table(call: Call, models: Path) -> None:
    shown = call("models", "list").out

    assert shown.splitlines()[0].split() == [
        "model",
        "does",
        "classes",
        "speed",
        "performance",
        "licence",
        "MB",
        "here",
    ]
    assert "any words" in shown
    assert "No model fits." in call("models", "list", "--task", "pose").out
    assert "There are no models here." in (without := call("models")).out
    assert "2 models more can be fetched" in without.err


def test_show(call: Call, models: Path) -> None:
    shown = call("models", "show", "words").out

    for part in (
        "Finds what it is told.",
        "any words",
        "published coco map",
        "a page",
        "Apache-2.0",
        "models pull words",
    ):
        assert part in shown
    assert "must be accepted before use" in call("models", "show", "fast").out
    assert "Did you mean words?" in call("models", "show", "wrds", code=3).err


def test_pull__in_a_pipe(call: Call, models: Path) -> None:
    done = call("models", "pull", "words")

    assert done.out == f"words: 0.3 MB in {models / 'words'}.\n"
    assert done.err.startswith("download: 0.3 of 0.3 MB (100%)")
    assert listed(call, "--installed") == ["words"]
    assert json.loads(call("models", "pull", "words", "--json").out)[0]["installed"]["where"] == "models folder"


def test_pull__a_restricted_licence(call: Call, models: Path) -> None:
    refused = call("models", "pull", "fast", code=6)
    assert "are under AGPL-3.0" in refused.err
    assert "countersign models pull fast --accept-licence" in refused.err

    call("models", "pull", "fast", "--accept-licence", "--quiet")

    assert json.loads((models / "licences.json").read_text())["fast"]["by"] == "anna"


def test_pull__offline(call: Call, models: Path, server: WeightsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    error = call("models", "pull", "fast", "--accept-licence", code=6).err

    assert f"put them into {models / 'fast'}:" in error
    assert f"{server.url}/files/fast.bin (0.3 MB)" in error
    assert not server.asked
    (models / "fast").mkdir(parents=True)
    (models / "fast/fast.bin").write_bytes(WEIGHTS)
    assert call("models", "check", "fast").out == "1 file checked; all are what they should be.\n"
    assert listed(call, "--installed") == ["fast"]


def test_pull__what_there_is_none_of(call: Call, models: Path) -> None:
    assert "There is no model 'nothing'" in call("models", "pull", "nothing", code=3).err


def test_pull__a_repository_of_the_hub(call: Call, models: Path, server: WeightsServer) -> None:
    server.repositories["Else/Where"] = server.repositories["someone/words"]

    call("models", "pull", "shown:Else/Where", "--quiet")

    assert listed(call, "--installed") == ["else--where"]
    call("models", "remove", "else--where", "--yes")
    assert listed(call, "--installed") == []


def test_check__damaged(call: Call, models: Path) -> None:
    call("models", "pull", "words", "--quiet")
    file = models / "words/model.safetensors"
    file.write_bytes(b"x")

    found = call("models", "check", code=6)

    assert found.out == f"damaged: {file}\n"
    assert "countersign models pull words --again" in found.err
    call("models", "pull", "words", "--again", "--quiet")
    call("models", "check", "words")
    states = {item["state"] for item in json.loads(call("models", "check", "words", "--json").out)}
    assert states == {"ok"}


def test_remove(call: Call, models: Path) -> None:
    call("models", "pull", "words", "--quiet")

    assert "Removed words: 0.3 MB are free again." in call("models", "remove", "words", "--yes").out
    assert "no model in the models folder" in call("models", "remove", "words", "--yes", code=3).err


def test_add(call: Call, models: Path) -> None:
    Path("mine.shown").write_text("weights")

    added = call("models", "add", "mine.shown", "--name", "my-net", "--licence", "MIT", "--classes", "one,").out

    assert added == f"my-net (shown) knows 1 class; it is in {models / 'my-net'}.\n"
    assert listed(call, "--installed") == ["my-net"]
    assert "one" in call("models", "show", "my-net").out
    assert "already a model named 'my-net'" in call("models", "add", "mine.shown", "--name", "my-net", code=4).err


def test_add__classes_in_a_file(call: Call, models: Path) -> None:
    Path("mine.shown").write_text("weights")
    Path("names.txt").write_text("one\n\n")

    call("models", "add", "mine.shown", "--classes", "names.txt")

    assert json.loads(call("models", "show", "mine", "--json").out)["card"]["classes"] == ["one"]
    assert "cannot be read" in call("models", "add", "mine.shown", "--classes", "nothing.txt", code=2).err


def test_add__pickles(call: Call, models: Path) -> None:
    Path("mine.pt").write_bytes(pickle.dumps({}))
    assert "--allow-pickle" in call("models", "add", "mine.pt", code=6).err

    call("models", "add", "mine.pt", "--allow-pickle")

    Path("other.pt").write_bytes(pickle.dumps({"a": 1}))
    assert "other.pt may be opened (SHA-256 " in call("models", "allow-pickle", "other.pt").out
    call("models", "add", "other.pt")


def test_without_a_workspace(call: Call, models: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert listed(call) == ["words", "fast"]
    assert not (tmp_path / "workspace").exists()
    call("models", "list", "--workspace", str(tmp_path / "none"), code=7)


def test_with_a_workspace(call: Call, models: Path) -> None:
    call("workspace", "create", os.environ["COUNTERSIGN_WORKSPACE"])

    assert listed(call) == ["words", "fast"]
    assert "2 models more" in call("models").err
