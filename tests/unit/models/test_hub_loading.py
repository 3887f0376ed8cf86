from __future__ import annotations

import sys
from pathlib import Path

import orjson
import pytest

from countersign.domain.errors import ModelError
from countersign.models.families import image_classifier, prompt_segmenter
from countersign.models.parts import hub_loading
from countersign.models.registry import Reference


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ViT of two layers, saved by transformers."""
    import torch
    import transformers

    torch.manual_seed(0)
    config = transformers.ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, image_size=32, patch_size=16,
        id2label={0: "cat", 1: "dog"}, label2id={"cat": 0, "dog": 1},
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("vit")
    transformers.ViTForImageClassification(config).save_pretrained(folder)
    transformers.ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def _copy(source: Path, target: Path, **changes: object) -> Path:
    target.mkdir()
    for file in source.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    config = orjson.loads((source / "config.json").read_bytes())
    (target / "config.json").write_bytes(orjson.dumps(config | changes))
    return target


def test_load(classifier: Path) -> None:
    loaded = hub_loading.load(
        classifier, "AutoModelForImageClassification", device="cpu", processor="AutoImageProcessor"
    )
    assert not loaded.network.training
    assert str(loaded.network.dtype) == "torch.float32"
    assert loaded.weights_hash == hub_loading.weights_hash(classifier)
    assert hub_loading.class_names(loaded.config) == ("cat", "dog")
    assert loaded.processor is not None


def test_load__a_random_head_is_refused(classifier: Path) -> None:
    with pytest.raises(ModelError, match="not complete") as caught:
        hub_loading.load(classifier, "AutoModelForMaskedImageModeling", device="cpu")
    assert str(classifier) in str(caught.value)


def test_load__another_kind_of_model(classifier: Path) -> None:
    with pytest.raises(ModelError, match="another kind"):
        hub_loading.load(classifier, "AutoModelForObjectDetection", device="cpu")


def test_load__weights_of_another_shape(classifier: Path, tmp_path: Path) -> None:
    folder = _copy(classifier, tmp_path / "wide", hidden_size=32)
    with pytest.raises(ModelError, match="wide"):
        hub_loading.load(folder, "AutoModelForImageClassification", device="cpu")


def test_load__no_pickle(classifier: Path, tmp_path: Path) -> None:
    import torch

    folder = _copy(classifier, tmp_path / "pickled")
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="can run programs"):
        hub_loading.load(folder, "AutoModelForImageClassification", device="cpu")


def test_load__no_foreign_code(classifier: Path, tmp_path: Path) -> None:
    folder = _copy(classifier, tmp_path / "remote", auto_map={"AutoModel": "x.Y"}, architectures=None)
    with pytest.raises(ModelError, match="never run"):
        hub_loading.load(folder, "AutoModel", device="cpu")


@pytest.mark.parametrize(
    ("content", "said"), [(None, "no checkpoint"), (b"{", "damaged"), (b"[]", "damaged"), (b"\xff", "damaged")]
)
def test_read_config__bad(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(ModelError, match=said):
        hub_loading.read_config(tmp_path)
    assert not image_classifier.FAMILY.opens(tmp_path)


def test_opens(classifier: Path) -> None:
    assert image_classifier.FAMILY.opens(classifier)
    assert not prompt_segmenter.FAMILY.opens(classifier)
    assert not image_classifier.FAMILY.opens(classifier / "config.json")


@pytest.mark.parametrize(
    ("config", "fallback", "names"),
    [
        ({"id2label": {"1": "b", "0": "a"}}, (), ("a", "b")),
        ({"id2label": {"0": "N/A", "1": "crane", "2": "crane"}}, (), ("", "crane", "crane (2)")),
        ({"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}, ("x", "y"), ("x", "y")),
        ({"id2label": {"0": "LABEL_0"}}, ("x", "y"), ("LABEL_0",)),
        ({}, (), ()),
    ],
)
def test_class_names(config: dict[str, object], fallback: tuple[str, ...], names: tuple[str, ...]) -> None:
    assert hub_loading.class_names(config, fallback) == names


def test_folder_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIGN_MODELS", str(tmp_path))
    assert hub_loading.folder_of(Reference("x", "f", "x", path=tmp_path)) == tmp_path
    assert hub_loading.folder_of(Reference("x", "f", str(tmp_path))) == tmp_path.resolve()
    with pytest.raises(ModelError, match="neither a folder nor a repository"):
        hub_loading.folder_of(Reference("f:what is this", "f", "what is this"))
    with pytest.raises(ModelError, match="not on this machine"):
        hub_loading.folder_of(Reference("f:some/one", "f", "some/one"))


def test_module__loads_no_library() -> None:
    import subprocess

    imported = "import sys, countersign.models.parts.hub_loading"
    code = f"{imported}; print('torch' in sys.modules or 'transformers' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
