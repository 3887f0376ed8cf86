"""What every family without a catalogue must keep, driven by the registry: a family without an example here fails.

Families whose models stand in the catalogue are held to the contract card by card, in ``test_catalogue_contract``.
"""

from __future__ import annotations

import inspect
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import tiny_onnx
from countersign.domain.errors import CountersignError, InvalidInput, ModelError, NotFound, SettingsError
from countersign.domain.model import ModelCard
from countersign.models import registry, settings
from countersign.models.contract import Model, PredictOptions, SplitModel
from countersign.runs import catalogue

EXAMPLES = {"onnx": "{folder}/detector.onnx", "timm": "timm:resnet18?weights=random", "trained": "taught"}
OPTIONS = PredictOptions(min_confidence=0.0)
# Other tests of the same session may have registered families of their own. ``remote`` needs a server: its adapters
# are tested against some.
FAMILIES = [
    name
    for name in registry.families()
    if name != "remote"
    and type(registry.family(name)).__module__.startswith("countersign.")
    and not isinstance(registry.family(name), registry.Catalogued)
]


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A model that was taught for a moment, saved."""
    from countersign.domain.geometry import Box
    from countersign.domain.label import Label
    from countersign.learn.data import TrainingImage
    from countersign.learn.saved import save
    from countersign.learn.settings import TrainingSettings
    from countersign.learn.trainer import fit

    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[16:40, 16:40] = 255
    square = Label("square", Box(16, 16, 24, 24))
    images = [TrainingImage(f"{i}", f"{i}", lambda *, max_size=None: pixels, (square,), True, 64, 64) for i in range(2)]
    settings = TrainingSettings(epochs=1, batch_size=1, image_size=224)
    folder = tmp_path_factory.mktemp("models") / "taught"
    save(fit(images, (), settings, name="taught"), folder)
    rows = np.random.default_rng(0).uniform(0, 64, (1, 6, 40))
    tiny_onnx.constant_outputs(
        folder.parent / "detector.onnx", {"output0": rows / np.array([1, 1, 1, 1, 64, 64])[:, None]}
    )
    tiny_onnx.describe(
        folder.parent / "detector.onnx",
        "input: {divide: 255}\noutput: {decoder: yolov8}\nclasses: [cat, dog]\nnms: 0.5\n",
    )
    return {"taught": folder}


@pytest.fixture(scope="session", params=FAMILIES)
def model(request: pytest.FixtureRequest, saved: dict[str, Path]) -> Model:
    assert request.param in EXAMPLES, "a family needs an example here"
    assert catalogue.registry is registry
    return registry.load(_reference(request.param, saved), saved=saved, device="cpu")


def _reference(family: str, saved: dict[str, Path]) -> str:
    return EXAMPLES[family].format(folder=saved["taught"].parent)


def _pictures() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [
        rng.integers(0, 256, (h, w, 3), dtype=np.uint8) for h, w in ((40, 60), (97, 31), (1, 1), (480, 640), (5, 300))
    ]


def test_card(model: Model, saved: dict[str, Path]) -> None:
    card = model.card
    assert card.name
    assert card.tasks
    assert len(set(card.classes)) == len(card.classes) > 0
    assert len(card.weights_hash) == 64
    assert ModelCard.from_data(card.to_data()) == card
    cheap = registry.card(_reference(card.family if card.family in EXAMPLES else "trained", saved), saved=saved)
    assert (cheap.classes, cheap.tasks) == (card.classes, card.tasks)


@pytest.mark.parametrize("family", FAMILIES)
def test_settings__only_those_that_a_family_declares(family: str, saved: dict[str, Path]) -> None:
    known = dict.fromkeys(registry.family(family).setting_names, 1)
    settings.check([_reference(family, saved)], known, saved=saved)
    with pytest.raises(InvalidInput, match="has no setting 'tpo'") as refused:
        settings.check([_reference(family, saved)], known | {"tpo": 1}, saved=saved)
    assert "Did you mean 'top'?" in refused.value.remedy
    assert all(name in refused.value.remedy for name in known)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("nms", "abc", "up to 1"),
        ("nms", 7, "up to 1"),
        ("nms", True, "up to 1"),
        ("max_detections", 0, "whole number"),
        ("max_detections", 2.5, "whole number"),
        ("nms_across_classes", "yes", "true or false"),
    ],
)
def test_settings__of_a_wrong_kind(name: str, value: object, allowed: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is {value!r}") as refused:
        settings.check(["detector:owner/name"], {name: value})
    assert allowed in refused.value.remedy
    settings.check(["detector:owner/name"], {"nms": None, "max_detections": None, "nms_across_classes": True})


def test_predict__any_sizes_in_order_inside_the_image(model: Model) -> None:
    pictures = _pictures()
    found = model.predict(pictures, OPTIONS)
    assert len(found) == len(pictures)
    for image, predictions in zip(pictures, found, strict=True):
        for item in predictions:
            assert item.class_name in model.card.classes
            assert item.confidence is None or 0 <= item.confidence <= 1
            if item.geometry is not None:
                x, y, width, height = item.geometry.bounds
                assert x >= 0
                assert y >= 0
                assert x + width <= image.shape[1] + 1e-3
                assert y + height <= image.shape[0] + 1e-3
    assert model.predict([], OPTIONS) == []


def test_predict__filters(model: Model) -> None:
    pictures = _pictures()
    assert model.predict(pictures, PredictOptions(min_confidence=1.0)) == [[] for _ in pictures] or all(
        item.confidence in (None, 1.0)
        for found in model.predict(pictures, PredictOptions(min_confidence=1.0))
        for item in found
    )
    wanted = model.card.classes[0]
    for found in model.predict(pictures, PredictOptions(classes=(wanted,), min_confidence=0.0)):
        assert {item.class_name for item in found} <= {wanted}


def test_predict__the_same_twice(model: Model) -> None:
    pictures = _pictures()
    assert model.predict(pictures, OPTIONS) == model.predict(pictures, OPTIONS)


def test_split__prepared_in_threads_is_the_same(model: Model) -> None:
    if not isinstance(model, SplitModel):
        pytest.skip("this model does not prepare ahead")
    pictures = _pictures()
    with ThreadPoolExecutor(3) as pool:
        prepared = list(pool.map(model.prepare, pictures))
    assert model.predict_prepared(prepared, OPTIONS) == model.predict(pictures, OPTIONS)


def test_parallel__several_threads_at_once(model: Model) -> None:
    if not getattr(model, "parallel", False):
        pytest.skip("this model predicts in one thread at a time")
    pictures = _pictures()
    expected = [[item.class_name for item in found] for found in model.predict(pictures, OPTIONS)]
    with ThreadPoolExecutor(3) as pool:
        for found in pool.map(lambda _: model.predict(pictures, OPTIONS), range(6)):
            assert [[item.class_name for item in items] for items in found] == expected


@pytest.mark.parametrize("name", FAMILIES)
def test_family(name: str) -> None:
    family = registry.family(name)
    assert family.name == name
    assert inspect.getdoc(type(family))


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("", NotFound, "no model ''"),
        ("taut", NotFound, "Did you mean taught?"),
        ("./nowhere/model", NotFound, "no such file or folder"),
        ("tim:resnet18", NotFound, "Did you mean resnet18"),
        ("timm:resnet81?weights=random", NotFound, "Did you mean timm:resnet18"),
        ("timm:resnet34", ModelError, "models pull timm:resnet34"),
        ("detector:some/thing", ModelError, "models pull detector:some/thing"),
        ("torchvision:resnet81", NotFound, "Did you mean torchvision:resnet"),
        ("torchvision:resnet18?weights=nowhere.pth", ModelError, "not there"),
        ("open_clip:ViT-B-32?weights=nowhere.pth", ModelError, "no .safetensors file"),
        ("timm:resnet18?wings=2", ModelError, "no option 'wings'"),
        ("timm:resnet18?weights=model.pth", ModelError, "a pickle is refused"),
        ("timm:resnet18?weights=nowhere.safetensors", ModelError, "not there"),
        ("timm:resnet18?classes=nowhere.txt", ModelError, "class names"),
    ],
)
def test_references_that_cannot_be_loaded(
    saved: dict[str, Path],
    text: str,
    error: type[CountersignError],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("COUNTERSIGN_MODELS", "HF_HOME", "TORCH_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    with pytest.raises(error) as caught:
        registry.load(text, saved=saved, device="cpu")
    assert said in str(caught.value)


def test_saved__gone_damaged_foreign(tmp_path: Path, saved: dict[str, Path]) -> None:
    with pytest.raises(ModelError, match="are gone"):
        registry.load("lost", saved={"lost": tmp_path / "lost"})
    foreign = tmp_path / "notes.txt"
    foreign.write_text("no model")
    with pytest.raises(ModelError):
        registry.load(str(foreign))
    with pytest.raises(ModelError):
        registry.load(str(tmp_path))


def test_timm__own_classes(tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_text("cat\ndog\n\n")
    model = registry.load(f"timm:resnet18?weights=random&classes={file}", device="cpu")
    assert model.card.classes == ("cat", "dog")
    found = model.predict(_pictures()[:1], PredictOptions(min_confidence=0.0, settings={"top": 2}))[0]
    assert {item.class_name for item in found} == {"cat", "dog"}
    assert sum(item.confidence or 0 for item in found) == pytest.approx(1, abs=1e-5)
    assert registry.card(f"timm:resnet18?weights=random&classes={file}").classes == ("cat", "dog")
