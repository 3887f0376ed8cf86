"""Models fetched from a hub and from plain addresses: what comes where, what is refused, and what is said."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest

from countersign.domain.errors import Cancelled, Conflict, InvalidInput, ModelError, NotFound
from countersign.domain.model import ModelCard, Task, WeightFile
from countersign.models import catalogue
from countersign.models.folder import licences, pickles, pulling, records, weights
from countersign.models.folder.pulling import Stage, pull
from weights_server import COMMIT, Repository, WeightsServer

WEIGHTS = os.urandom(400_000)
FILES = {
    "config.json": b'{"architectures": ["None"]}',
    "model.safetensors": WEIGHTS,
    "tokenizer.json": b"{}",
    "vocab.txt": b"a\nb\n",
    "README.md": b"# no need",
    "pytorch_model.bin": b"\x80\x02not wanted",
    "onnx/model.onnx": b"another form",
}


def card_of(name: str = "small", **rest: object) -> ModelCard:
    values: dict[str, object] = {"hub_id": "someone/small", "licence": "Apache-2.0", "code_licence": "Apache-2.0"}
    return ModelCard(name, "none", (Task.DETECTION,), ("a",), **(values | rest))  # type: ignore[arg-type]


@pytest.fixture
def hub(server: WeightsServer) -> WeightsServer:
    server.repositories["someone/small"] = Repository(dict(FILES), {"model.safetensors", "pytorch_model.bin"})
    return server


def test_pull__from_the_hub(hub: WeightsServer, models_folder: Path) -> None:
    stages: list[Stage] = []

    found = pull(card_of(), by="anna", on_stage=stages.append)

    place = models_folder / "small"
    assert found.folder == place
    assert found.where == weights.MODELS
    taken = ["config.json", "model.safetensors", "tokenizer.json", "vocab.txt"]
    assert sorted(path.name for path in place.iterdir()) == [*taken, "weights.json"]
    assert found.bytes == stages[-1].done == stages[-1].total == sum(len(FILES[name]) for name in taken)
    assert not (models_folder / ".partial").exists()
    record = records.read(place)
    assert record is not None
    assert (record.origin, record.revision, record.by) == ("hub", COMMIT, "anna")
    assert {file.name: file.sha256 for file in record.files} == {
        name: hashlib.sha256(FILES[name]).hexdigest() for name in taken
    }
    assert weights.locate(card_of()) == place


def test_pull__twice_asks_nobody(hub: WeightsServer) -> None:
    pull(card_of(), by="anna")
    hub.asked.clear()

    pull(card_of(), by="anna")

    assert not hub.asked


def test_pull__goes_on(hub: WeightsServer, models_folder: Path) -> None:
    def stop(stage: Stage) -> None:
        if stage.file == "model.safetensors" and stage.done > 200_000:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        pull(card_of(), by="anna", on_stage=stop)
    assert weights.find(card_of()) is None
    hub.asked.clear()
    stages: list[Stage] = []

    pull(card_of(), by="anna", on_stage=stages.append)

    assert stages[0].done > 200_000
    assert hub.fetched("model.safetensors")[-1].start
    assert not hub.fetched("config.json")


def test_pull__damaged_files_again(hub: WeightsServer, models_folder: Path) -> None:
    pull(card_of(), by="anna")
    (models_folder / "small" / "model.safetensors").write_bytes(b"damaged")
    hub.asked.clear()
    assert [item.state for item in weights.check(card_of())].count("damaged") == 1

    pull(card_of(), by="anna", again=True)

    assert {item.state for item in weights.check(card_of())} == {"ok"}
    assert [item.path for item in hub.asked if item.method == "GET"] == [
        "/api/models/someone/small", f"/someone/small/resolve/{COMMIT}/model.safetensors",
        "/cdn/someone/small/model.safetensors",
    ]  # fmt: skip


def test_pull__a_missing_file_is_named_and_fetched(hub: WeightsServer, models_folder: Path) -> None:
    pull(card_of(), by="anna")
    (models_folder / "small" / "vocab.txt").unlink()
    with pytest.raises(
        ModelError, match=r"vocab\.txt is missing in .*small\. Fetch .* countersign models pull none:someone/small"
    ):
        weights.locate(card_of())
    hub.asked.clear()

    pull(card_of(), by="anna")

    assert weights.locate(card_of())
    assert not hub.fetched("model.safetensors")


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_pull__a_content_that_the_hub_does_not_know(hub: WeightsServer, name: str) -> None:
    """Large files are held against their SHA-256, small ones against their id in the git repository."""
    hub.faults[name] = [b"x" * len(FILES[name])]

    with pytest.raises(ModelError, match=rf"{name}: what .* (has the SHA-256|is not what the hub says)"):
        pull(card_of(), by="anna")

    assert weights.find(card_of()) is None


def test_pull__another_file_than_the_card_says(hub: WeightsServer) -> None:
    card = card_of(files=(WeightFile("model.safetensors", "00ff00ff"),))

    with pytest.raises(ModelError, match=r"model\.safetensors of someone/small has changed: its SHA-256"):
        pull(card, by="anna")

    assert not hub.fetched("model.safetensors")


def test_pull__the_files_of_the_card(hub: WeightsServer, models_folder: Path) -> None:
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    hub.files["labels.txt"] = b"one\ntwo\n"
    card = card_of(
        files=(WeightFile("model.safetensors", digest[:8]), WeightFile("labels.txt", url=f"{hub.url}/files/labels.txt"))
    )

    pull(card, by="anna")

    names = {path.name for path in (models_folder / "small").iterdir()}
    assert names == {"model.safetensors", "labels.txt", "weights.json"}


def test_pull__shards_of_an_index(hub: WeightsServer, models_folder: Path) -> None:
    shards = {f"model-0000{i}-of-00002.safetensors": os.urandom(1000) for i in (1, 2)}
    index = orjson.dumps({"weight_map": dict(zip("ab", shards, strict=True))})
    hub.repositories["someone/small"] = Repository(
        {"config.json": b"{}", "model.safetensors.index.json": index, "other.safetensors": b"x", **shards}, set(shards)
    )

    pull(card_of(), by="anna")

    assert not (models_folder / "small/other.safetensors").exists()
    assert weights.find(card_of())


def test_pull__pickles_only(hub: WeightsServer, models_folder: Path) -> None:
    hub.repositories["someone/small"] = Repository(
        {"config.json": b"{}", "pytorch_model.bin": b"\x80\x02one"}, {"pytorch_model.bin"}
    )
    with pytest.raises(ModelError, match=r"are pickles .*--allow-pickle pytorch_model\.bin"):
        pull(card_of(), by="anna")
    with pytest.raises(ModelError, match=r"has no file other\.bin"):
        pull(card_of(), by="anna", allow_pickles=["other.bin"])

    pull(card_of(files=(WeightFile("config.json"), WeightFile("pytorch_model.bin"))), by="anna",
         allow_pickles=["pytorch_model.bin"])  # fmt: skip

    pickles.require(models_folder / "small/pytorch_model.bin")


def test_pull__gated(hub: WeightsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.repositories["someone/small"].gated = True
    with pytest.raises(ModelError, match=rf"gated.*{hub.url}/someone/small, accept .*HF_TOKEN"):
        pull(card_of(), by="anna")
    monkeypatch.setenv("HF_TOKEN", hub.token)

    pull(card_of(), by="anna")

    assert weights.find(card_of())


def test_pull__a_token_stays_with_the_hub(hub: WeightsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", hub.token)
    hub.files["labels.txt"] = b"one\n"
    card = card_of(files=(WeightFile("config.json"), WeightFile("labels.txt", url=f"{hub.url}/files/labels.txt")))

    pull(card, by="anna")

    sent = {item.path.rpartition("/")[2]: item.authorization for item in hub.asked}
    assert sent["config.json"] == f"Bearer {hub.token}"
    assert sent["labels.txt"] == ""


def test_pull__no_such_repository(server: WeightsServer) -> None:
    with pytest.raises(ModelError, match="no repository someone/small"):
        pull(card_of(), by="anna")


@pytest.mark.parametrize("status", [500, 503])
def test_pull__the_hub_fails(hub: WeightsServer, status: int) -> None:
    hub.faults["api"] = [status]

    with pytest.raises(ModelError, match="small cannot be fetched: "):
        pull(card_of(), by="anna")


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_pull__offline_asks_nobody(
    hub: WeightsServer, models_folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "1")
    files = (WeightFile("a.safetensors", size=2_500_000), WeightFile("b.pth", url="https://example.org/b.pth"))

    with pytest.raises(ModelError) as caught:
        pull(card_of(files=files), by="anna")

    assert not hub.asked
    assert caught.value.remedy.splitlines() == [
        f"Fetch these files elsewhere and put them into {models_folder / 'small'}:",
        f"  {hub.url}/someone/small/resolve/main/a.safetensors (2.5 MB)",
        "  https://example.org/b.pth",
        "Then: countersign models check none:someone/small",
    ]


def test_pull__no_network(monkeypatch: pytest.MonkeyPatch, models_folder: Path) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")

    with pytest.raises(ModelError) as caught:
        pull(card_of(download_bytes=3_000_000), by="anna")

    assert "http://127.0.0.1:9/someone/small/tree/main (3.0 MB in all)" in str(caught.value)
    assert str(models_folder / "small") in str(caught.value)


@pytest.mark.parametrize("verb", [weights.locate, weights.check])
def test_put_there_by_hand(models_folder: Path, verb: Callable[[ModelCard], object]) -> None:
    place = models_folder / "small"
    place.mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        (place / name).write_bytes(FILES[name])
    assert weights.find(card_of()) == place

    verb(card_of())

    record = records.read(place)
    assert record is not None
    assert record.origin == "hand"
    assert {file.name for file in record.files} == {"config.json", "model.safetensors"}
    (place / "model.safetensors").write_bytes(b"x")
    assert "damaged" in {item.state for item in weights.check(card_of())}


@pytest.mark.parametrize("verb", [weights.locate, weights.check])
def test_put_there_by_hand__a_part(models_folder: Path, verb: Callable[[ModelCard], object]) -> None:
    place = models_folder / "small"
    place.mkdir(parents=True)
    (place / "config.json").write_bytes(FILES["config.json"])

    with pytest.raises(ModelError, match=r"model\.safetensors is missing in .*small"):
        verb(card_of())
    listed = card_of(files=tuple(WeightFile(name) for name in ("config.json", "vocab.txt", "model.safetensors")))
    with pytest.raises(ModelError, match=r"vocab\.txt, model\.safetensors are missing"):
        verb(listed)


def test_put_there_by_hand__another_file(models_folder: Path) -> None:
    (models_folder / "small").mkdir(parents=True)
    (models_folder / "small/model.safetensors").write_bytes(WEIGHTS)
    card = card_of(files=(WeightFile("model.safetensors", "00ff00ff"),))

    with pytest.raises(ModelError, match="is not the file that the card of small names"):
        weights.locate(card)
    assert [item.state for item in weights.check(card)] == ["damaged"]


def test_at_the_same_time__one_fetches(hub: WeightsServer) -> None:
    waiting = threading.Event()
    hub.faults["model.safetensors"] = [lambda: waiting.wait(30)]

    def other() -> object:
        return pull(card_of(), by="ben", on_stage=lambda stage: waiting.set() if not stage.file else None)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(pull, card_of(), by="anna")
        while not hub.fetched("config.json"):
            pass
        second = pool.submit(other)
        assert first.result(60) == second.result(60)

    assert len(hub.fetched("config.json")) == 1


def test_licence__is_accepted_first(hub: WeightsServer, models_folder: Path) -> None:
    card = card_of(licence="AGPL-3.0", source="https://example.org/model")
    with pytest.raises(ModelError, match=r"under AGPL-3\.0.*pull none:someone/small --accept-licence"):
        pull(card, by="anna")
    assert not hub.asked

    pull(card, by="anna", accept_licence=True)

    entry = licences.accepted(card)
    assert entry is not None
    assert entry["by"] == "anna"
    assert entry["at"]
    assert weights.locate(card)
    with pytest.raises(ModelError, match=r"CC-BY-NC-4\.0"):
        weights.locate(card_of(licence="CC-BY-NC-4.0"))


def test_hub_cache__is_used(tmp_path: Path, hub: WeightsServer) -> None:
    snapshot = tmp_path / "hub/models--someone--small/snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    blob = tmp_path / "hub/models--someone--small/blobs" / hashlib.sha256(WEIGHTS).hexdigest()
    blob.parent.mkdir()
    blob.write_bytes(WEIGHTS)
    (snapshot / "model.safetensors").symlink_to(blob)
    (snapshot / "config.json").write_bytes(b"{}")

    found = pull(card_of(), by="anna")

    assert (found.folder, found.where) == (snapshot, weights.HUB_CACHE)
    assert not hub.asked
    assert {item.file: item.state for item in weights.check(card_of())} == {
        "config.json": "unknown", "model.safetensors": "ok"
    }  # fmt: skip
    blob.write_bytes(b"x")
    assert "damaged" in {item.state for item in weights.check(card_of())}


def test_torch_cache__is_used(tmp_path: Path) -> None:
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    name = f"net-{digest[:8]}.pth"
    checkpoints = tmp_path / "torch/hub/checkpoints"
    checkpoints.mkdir(parents=True)
    (checkpoints / name).write_bytes(WEIGHTS)
    (checkpoints / "other.pth").write_bytes(b"x")
    card = card_of(hub_id="", files=(WeightFile(name, digest[:8], "https://example.org/net.pth"),))

    found = weights.installed(card)

    assert found is not None
    assert (found.folder, found.where, found.bytes) == (checkpoints, weights.TORCH_CACHE, len(WEIGHTS))
    assert [item.state for item in weights.check(card)] == ["ok"]


def test_remove(hub: WeightsServer, models_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_bytes(b"x")
    pull(card_of(), by="anna")
    (models_folder / "small/link").symlink_to(outside)

    size = weights.usage()["small"]

    assert weights.remove("small") == size
    assert not (models_folder / "small").exists()
    assert (outside / "precious").exists()
    monkeypatch.setattr(catalogue, "find", lambda _: None)
    with pytest.raises(NotFound):
        weights.remove("small")


@pytest.mark.parametrize("name", ["..", "../outside", "/etc", ".partial", "", "a/b", "a\\b"])
def test_remove__nothing_outside(name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot name"):
        weights.remove(name)


def test_remove__what_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = tmp_path / "hub/models--someone--small/snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        (snapshot / name).write_bytes(b"{}")
    monkeypatch.setattr(catalogue, "find", lambda _: card_of())

    with pytest.raises(Conflict, match="hub cache"):
        weights.remove("small")
    assert weights.find(card_of()) == snapshot


def test_usage(hub: WeightsServer) -> None:
    assert weights.usage() == {}
    taken = pull(card_of(), by="anna").bytes

    (size,) = weights.usage().values()

    assert size > taken  # and weights.json


def test_a_repository_cannot_write_elsewhere(hub: WeightsServer, models_folder: Path) -> None:
    hub.repositories["someone/small"].files["../../evil.json"] = b"{}"
    hub.repositories["someone/small"].files["..\\evil.json"] = b"{}"

    pull(card_of(), by="anna")

    assert not list(models_folder.parent.rglob("*evil*"))


def test_by_hand__without_a_list_of_files(models_folder: Path) -> None:
    text = pulling.by_hand(card_of())

    assert "resolve/main/config.json" in text
    assert "*.safetensors" in text


def test_a_damaged_record_is_told(models_folder: Path) -> None:
    (models_folder / "small").mkdir(parents=True)
    (models_folder / "small/weights.json").write_text("{")

    with pytest.raises(ModelError, match=r"weights\.json cannot be read"):
        weights.locate(card_of())
    assert weights.installed(card_of()) is None
    assert weights.added() == []
