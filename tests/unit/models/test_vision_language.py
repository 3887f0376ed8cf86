"""What the families that write text make of it: boxes, points, answers. Tiny checkpoints say what they must."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from countersign.domain.errors import ModelError
from countersign.domain.geometry import Box, Keypoints
from countersign.models import registry
from countersign.models.contract import Pixels, PredictOptions, Prompt
from countersign.models.families import florence, kosmos, molmo
from countersign.models.parts import generating
from countersign.models.parts.found_boxes import Found, choose
from tiny_checkpoints import florence as tiny_florence
from tiny_checkpoints import kosmos as tiny_kosmos

IMAGE: Pixels = np.random.default_rng(0).integers(0, 256, (50, 100, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def florence_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("florence")
    tiny_florence.build(florence.CARDS[0], folder)
    return folder


@pytest.fixture(scope="module")
def kosmos_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kosmos")
    tiny_kosmos.build(kosmos.CARDS[0], folder)
    return folder


@pytest.mark.parametrize("mode", florence.MODES)
def test_florence__modes(florence_folder: Path, mode: str) -> None:
    """Whatever it is asked, the tiny one says "cat" and 100 110 600 640 300 320 900 950 (thousandths)."""
    model = registry.load(f"{florence_folder}?mode={mode}", device="cpu")
    told = mode in ("words", "phrases")
    assert model.card.zero_shot == told
    found = model.predict([IMAGE], PredictOptions(classes=("cat",) if told else ()))[0]
    assert all(item.confidence is None for item in found)
    boxes = [item.geometry for item in found]
    if mode == "text":
        assert [item.class_name for item in found] == ["text"]
        assert found[0].attributes == {"text": "cat", "quad": [10, 5, 60, 32, 30, 16, 90, 47]}
        assert boxes == [Box(10, 5, 80, 42)]
        return
    assert boxes == [Box(10, 5, 50, 27), Box(30, 16, 60, 31)]
    assert {item.class_name for item in found} == {"region" if mode == "regions" else "cat"}
    assert [item.attributes for item in found] == [{"text": "cat"} if mode == "regions" else {}] * 2


def test_florence__mode_of_a_run_wins(florence_folder: Path) -> None:
    model = registry.load(str(florence_folder), device="cpu")
    found = model.predict([IMAGE], PredictOptions(settings={"mode": "objects"}))[0]
    assert [item.class_name for item in found] == ["cat", "cat"]
    with pytest.raises(ModelError, match="no mode 'dreams'"):
        model.predict([IMAGE], PredictOptions(settings={"mode": "dreams"}))


def test_florence__negative_prompt_and_other_names(florence_folder: Path) -> None:
    model = registry.load(str(florence_folder), device="cpu")
    both = (Prompt("cat", "cat"), Prompt("kitten", "cat"))
    assert len(model.predict([IMAGE], PredictOptions(prompts=both))[0]) == 2
    assert model.predict([IMAGE], PredictOptions(prompts=(*both, Prompt("toy", ""))))[0] == []
    phrases = PredictOptions(prompts=(Prompt("a dog", "dog"),), settings={"mode": "phrases"})
    assert model.predict([IMAGE], phrases)[0] == []


@pytest.mark.parametrize(
    ("question", "task"),
    [
        ("caption", "<CAPTION>"),
        ("Describe the image in detail", "<DETAILED_CAPTION>"),
        ("a long caption", "<MORE_DETAILED_CAPTION>"),
        ("What is written here?", "<OCR>"),
        ("<more_detailed_caption>", "<MORE_DETAILED_CAPTION>"),
    ],
)
def test_florence__questions(question: str, task: str) -> None:
    assert florence.task_of(question) == task


def test_florence__a_question_it_cannot_answer() -> None:
    with pytest.raises(ModelError) as caught:
        florence.task_of("How many cells are there?")
    assert "another model" in caught.value.remedy


def test_florence__remote_code_is_refused(tmp_path: Path) -> None:
    config = {"architectures": ["Florence2ForConditionalGeneration"], "auto_map": {"AutoConfig": "x.Y"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="never run") as caught:
        registry.card(str(tmp_path))
    assert "florence-community" in caught.value.remedy


def test_kosmos__words_and_regions(kosmos_folder: Path) -> None:
    model = registry.load(str(kosmos_folder), device="cpu")
    found = model.predict([IMAGE], PredictOptions(classes=("snowman",)))[0]
    assert [(item.class_name, item.confidence) for item in found] == [("snowman", None)]
    assert found[0].geometry is not None
    # Cells 40 and 500 of a grid of 32 x 32: from the middle of (8, 1) to the middle of (20, 15).
    assert found[0].geometry.bounds == pytest.approx((100 * 8.5 / 32, 50 * 1.5 / 32, 100 * 12 / 32, 50 * 14 / 32))
    regions = registry.load(f"{kosmos_folder}?mode=regions", device="cpu")
    assert regions.card.classes == ("region",)
    told = regions.predict([IMAGE], PredictOptions())[0]
    assert [(item.class_name, item.attributes) for item in told] == [("region", {"text": "x"})]


def test_molmo__points() -> None:
    said = (
        'I see <points coords="1 1 250 300 2 073 1000">two cats</points> and <points coords="1 3 1200 10">x</points>.'
    )
    assert molmo.points_of(said, (50, 100)).tolist() == [[25.0, 15.0], [7.3, 50.0]]
    assert molmo.points_of("There are none.", (50, 100)).shape == (0, 2)


def test_molmo__a_point_is_keypoints_of_one(tmp_path: Path) -> None:
    from tiny_checkpoints import molmo as tiny

    tiny.build(molmo.CARDS[0], tmp_path)
    model = registry.load(str(tmp_path), device="cpu")
    prompts = (Prompt("cat", "cat"), Prompt("kitten", "cat"), Prompt("dog", "dog"))
    found = model.predict([IMAGE], PredictOptions(prompts=prompts))[0]
    assert [(item.class_name, item.geometry, item.confidence) for item in found] == [
        (name, Keypoints(point, None), None)
        for name in ("cat", "dog")
        for point in ((25.0, 15.0, 2.0), (70.0, 40.0, 2.0))
    ]
    assert model.predict([IMAGE], PredictOptions(prompts=(*prompts, Prompt("toy", ""))))[0] == []


def test_molmo__the_first_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["MolmoForCausalLM"]}))
    with pytest.raises(ModelError, match="first Molmo") as caught:
        registry.card(str(tmp_path))
    assert "Molmo2" in caught.value.remedy


def test_found__said_twice_and_against() -> None:
    found = Found(100, 100)
    found.add_all([[0, 0, 50, 50], [1, 1, 50, 50], [60, 60, 90, 90]], ["a", "a", "a"])
    found.add_all([[0, 0, 50, 49]], ["b"])
    found.add_all([[60, 60, 90, 91]], [""])
    assert [item.class_name for item in choose(found, PredictOptions())] == ["a", "b"]


def test_pictures__no_rgb() -> None:
    with pytest.raises(ModelError, match="no RGB"):
        generating.pictures([np.zeros((4, 4), np.uint8)])
