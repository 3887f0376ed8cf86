"""What every model of the catalogue must keep, driven by its cards: a card without a tiny checkpoint fails.

Cards of one architecture share a checkpoint: the metadata of every card is checked, loading and predicting is done
once for each checkpoint.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import tiny_checkpoints
from countersign.domain.errors import ModelError
from countersign.domain.geometry import Box
from countersign.domain.label import Prediction
from countersign.domain.model import LABELLING, ModelCard, Task
from countersign.models import catalogue, registry
from countersign.models.contract import (
    Anything,
    Asker,
    BoxRefiner,
    Clicks,
    Embedder,
    Model,
    Pixels,
    PredictOptions,
    Prompt,
    PromptSegmenter,
    SplitModel,
)
from countersign.models.folder import licences, weights

CARDS = sorted(catalogue.cards(), key=lambda card: card.name)
BY_KEY = {(card.family, tiny_checkpoints.key(card)): card for card in reversed(CARDS)}
WORDS = ("cat", "traffic light")
PROMPTS = (
    Prompt("a cat", "cat"),
    Prompt("kitten", "cat"),
    Prompt("a traffic light", "traffic light"),
    Prompt("sky", ""),
)
PROTOCOLS: dict[Task, tuple[type, ...]] = {
    Task.PROMPTED_SEGMENTATION: (PromptSegmenter,),
    Task.EMBEDDING: (Embedder,),
    Task.QUESTIONS: (Asker,),
} | dict.fromkeys(LABELLING, (Model, BoxRefiner))

pytestmark = pytest.mark.usefixtures("no_network")


def _params() -> list[object]:
    """One card for each checkpoint; the slow ones marked so."""
    marks = {card.name: [pytest.mark.slow] if tiny_checkpoints.is_slow(card) else [] for card in BY_KEY.values()}
    return [pytest.param(card, id=card.name, marks=marks[card.name]) for card in BY_KEY.values()]


@pytest.fixture(scope="session", params=_params())
def opened(request: pytest.FixtureRequest, install: Callable[[ModelCard], Path]) -> Iterator[Anything]:
    """A model of the catalogue, loaded by its name from the models folder."""
    place = install(request.param)
    with pytest.MonkeyPatch.context() as patch:
        tiny_checkpoints.narrow(request.param, patch)
        yield registry.open_any(request.param.name, device="cpu")
    shutil.rmtree(place)


@pytest.fixture
def model(opened: Anything) -> Model:
    if not isinstance(opened, Model):
        pytest.skip("it does not label whole images")
    return opened


def _pictures() -> list[Pixels]:
    rng = np.random.default_rng(0)
    sizes = ((48, 64), (90, 40), (64, 48), (33, 120))
    return [rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for height, width in sizes]


def _options(card: ModelCard, task: Task | None = None, **changes: object) -> PredictOptions:
    words = {"classes": WORDS, "prompts": PROMPTS} if card.zero_shot else {}
    return PredictOptions(**({"task": task, "min_confidence": 0.0} | words | changes))  # type: ignore[arg-type]


def _labelling(card: ModelCard) -> list[Task]:
    return [task for task in card.tasks if task in LABELLING]


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_card__complete(card: ModelCard) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9.-]*", card.name)
    assert card.family in registry.families()
    assert card.tasks
    assert card.description.endswith(".")
    assert card.author
    assert card.version
    assert card.source.startswith("https://")
    assert card.licence
    assert card.code_licence
    assert card.hub_id or all(file.url for file in card.files) or not card.files
    assert len(set(card.classes)) == len(card.classes)
    assert "" not in card.classes
    fixed = [task for task in _labelling(card) if task is not Task.POSE]
    assert bool(card.classes) != card.zero_shot or not fixed
    assert 0 < card.min_confidence < 1
    assert not card.published or card.published_source
    assert ModelCard.from_data(card.to_data()) == card
    assert registry.parse(card.name).card == card


def test_names_are_unique() -> None:
    known = [registry.family(name) for name in registry.families()]
    names = [card.name for family in known if isinstance(family, registry.Catalogued) for card in family.cards()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_card__has_a_tiny_checkpoint(card: ModelCard) -> None:
    assert tiny_checkpoints.builder(card.family), f"write tests/tiny_checkpoints/{card.family}.py"


def test_opened__as_its_card_says(opened: Anything) -> None:
    card = opened.card
    listed = catalogue.find(card.name)
    assert listed is not None
    assert (card.name, card.family, card.tasks, card.licence) == (
        listed.name,
        listed.family,
        listed.tasks,
        listed.licence,
    )
    assert len(card.weights_hash) == 64
    assert str(getattr(opened, "device", "")).startswith("cpu")
    for task in card.tasks:
        assert isinstance(opened, PROTOCOLS[task]), task


def test_family__says_its_settings(opened: Anything) -> None:
    assert isinstance(registry.family(opened.card.family), registry.Adjustable)


def test_opened__from_a_folder_of_its_own(opened: Anything, install: Callable[[ModelCard], Path]) -> None:
    family = registry.family(opened.card.family)
    if not isinstance(family, registry.Opener):
        pytest.skip("its files do not say what they are")
    place = install(opened.card).resolve()
    assert registry.family_of(place) == opened.card.family
    card = registry.card(str(place))
    assert set(card.tasks) & set(opened.card.tasks)


def test_damaged__says_which_file(opened: Anything, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The largest file is cut in half, as an interrupted copy leaves it."""
    place = tmp_path / opened.card.name
    shutil.copytree(weights.locate(opened.card), place)
    largest = max(place.rglob("*"), key=lambda file: file.stat().st_size if file.is_file() else 0)
    largest.write_bytes(largest.read_bytes()[: largest.stat().st_size // 2])
    monkeypatch.setenv("COUNTERSIGN_MODELS", str(tmp_path))
    licences.accept(opened.card, "the tests")
    with pytest.raises(ModelError) as caught:
        registry.open_any(opened.card.name, device="cpu")
    assert str(place) in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize("card", BY_KEY.values(), ids=lambda card: card.name)
def test_absent__says_how_to_fetch_it(card: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIGN_MODELS", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(ModelError, match=f"models pull {re.escape(card.name)}"):
        registry.open_any(card.name, device="cpu")


def test_predict__keeps_the_rules(model: Model) -> None:
    for task in _labelling(model.card):
        options = _options(model.card, task)
        pictures = _pictures()
        found = model.predict(pictures, options)
        assert len(found) == len(pictures)
        known = set(WORDS) if model.card.zero_shot else set(model.card.classes)
        for image, predictions in zip(pictures, found, strict=True):
            for item in predictions:
                assert item.class_name in known
                assert item.confidence is None or 0 <= item.confidence <= 1
                assert (item.geometry is None) == (task is Task.CLASSIFICATION)
                _check_inside(item, image)
        assert model.predict([], options) == []


def _check_inside(item: Prediction, image: Pixels) -> None:
    if item.geometry is not None:
        x, y, width, height = item.geometry.bounds
        assert x >= 0
        assert y >= 0
        assert x + width <= image.shape[1] + 1e-3
        assert y + height <= image.shape[0] + 1e-3


def test_predict__something_is_found(model: Model) -> None:
    """Random weights find nonsense, but they find something: an adapter that drops all results would pass the rest."""
    for task in _labelling(model.card):
        if task is not Task.POSE:
            options = _options(model.card, task, prompts=())
            assert any(model.predict(_pictures(), options)), task


def test_predict__a_batch_of_mixed_sizes_is_as_one_by_one(model: Model) -> None:
    for task in _labelling(model.card):
        options = _options(model.card, task)
        together = model.predict(_pictures(), options)
        for image, found in zip(_pictures(), together, strict=True):
            _check_same(found, model.predict([image], options)[0])


def _check_same(first: Sequence[Prediction], second: Sequence[Prediction]) -> None:
    """The same results but for the last digits; one in twenty may differ where scores are nearly equal."""
    assert len(first) == len(second)
    left = list(second)
    for item in first:
        match = next((other for other in left if _alike(item, other)), None)
        if match is not None:
            left.remove(match)
    assert len(left) <= len(second) / 20, (left[:2], first[:2])


def _alike(first: Prediction, second: Prediction) -> bool:
    if first.class_name != second.class_name or (first.geometry is None) != (second.geometry is None):
        return False
    if not np.isclose(first.confidence or 0.0, second.confidence or 0.0, atol=1e-3):
        return False
    if first.geometry is None or second.geometry is None:
        return True
    return bool(np.allclose(first.geometry.bounds, second.geometry.bounds, atol=0.5))


def test_predict__filters(model: Model) -> None:
    task = next((task for task in _labelling(model.card)), None)
    wanted = WORDS[1] if model.card.zero_shot else (model.card.classes or ("person",))[0]
    options = _options(model.card, task, classes=(wanted,), prompts=())
    for found in model.predict(_pictures(), options):
        assert {item.class_name for item in found} <= {wanted}
    for found in model.predict(_pictures(), _options(model.card, task, min_confidence=1.0)):
        assert all(item.confidence in (None, 1.0) for item in found)


def test_predict__odd_sizes(model: Model) -> None:
    rng = np.random.default_rng(1)
    for height, width in ((1, 1), (3, 200), (201, 2)):
        image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        for item in model.predict([image], _options(model.card))[0]:
            _check_inside(item, image)


def test_predict__zero_shot_without_classes_says_so(model: Model) -> None:
    if not model.card.zero_shot:
        pytest.skip("its classes are fixed")
    with pytest.raises(ModelError, match="class"):
        model.predict(_pictures()[:1], PredictOptions())


def test_split__prepared_in_threads_is_the_same(model: Model) -> None:
    if not isinstance(model, SplitModel):
        pytest.skip("it does not prepare ahead")
    options = _options(model.card)
    with ThreadPoolExecutor(3) as pool:
        prepared = list(pool.map(model.prepare, _pictures()))
    for found, expected in zip(
        model.predict_prepared(prepared, options), model.predict(_pictures(), options), strict=True
    ):
        _check_same(found, expected)


def test_parallel__several_threads_at_once(model: Model) -> None:
    if not getattr(model, "parallel", False):
        pytest.skip("it predicts in one thread at a time")
    options = _options(model.card)
    expected = model.predict(_pictures(), options)
    with ThreadPoolExecutor(3) as pool:
        for found in pool.map(lambda _: model.predict(_pictures(), options), range(6)):
            for first, second in zip(found, expected, strict=True):
                _check_same(first, second)


def test_embed__rows_of_length_one(opened: Anything) -> None:
    if not isinstance(opened, Embedder):
        pytest.skip("it makes no vectors")
    pictures = _pictures()
    vectors = opened.embed(pictures)
    assert vectors.dtype == np.float32
    assert vectors.shape[0] == len(pictures)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    for row, image in zip(vectors, pictures, strict=True):
        assert np.allclose(opened.embed([image])[0], row, atol=1e-3)
    assert opened.embed([]).shape == (0, vectors.shape[1])


def test_segment__one_mask_per_prompt(opened: Anything) -> None:
    if not isinstance(opened, PromptSegmenter):
        pytest.skip("it takes no clicks")
    image = _pictures()[0]
    encoded = opened.encode(image)
    prompts = [
        Clicks(points=((10.0, 12.0), (40.0, 30.0)), positive=(True, False)),
        Clicks(box=Box(4, 5, 30, 20)),
        Clicks(points=((20.0, 20.0),), positive=(True,), box=Box(4, 5, 30, 20)),
    ]
    for prompt in prompts:
        (segment,) = opened.segment(encoded, [prompt])
        assert segment.mask.shape == image.shape[:2]
        assert segment.mask.dtype == np.bool_
        assert segment.confidence is None or 0 <= segment.confidence <= 1
        again = opened.segment(encoded, [Clicks(prompt.points, prompt.positive, prompt.box, segment.logits)])
        assert again[0].mask.shape == image.shape[:2]
    assert len(opened.segment(encoded, prompts)) == len(prompts)
    assert opened.segment(encoded, []) == []


def test_refine__boxes_become_shapes(opened: Anything) -> None:
    if not isinstance(opened, BoxRefiner):
        pytest.skip("it is no second stage")
    pictures = _pictures()
    found = [[Prediction("person", Box(4, 5, 30, 20), 0.5, {"n": i}), Prediction("cup", Box(2, 2, 9, 30), None)]
             for i in range(len(pictures))]  # fmt: skip
    refined = opened.refine(pictures, found, PredictOptions(min_confidence=0.0))
    assert len(refined) == len(pictures)
    for image, before, after in zip(pictures, found, refined, strict=True):
        assert len(after) <= len(before)
        for item in after:
            assert (item.class_name, item.confidence) in [(old.class_name, old.confidence) for old in before]
            assert not isinstance(item.geometry, Box | None)
            _check_inside(item, image)
    assert opened.refine(pictures, [[] for _ in pictures], PredictOptions()) == [[] for _ in pictures]


def test_ask__one_answer_per_image(opened: Anything) -> None:
    """The same alone and among others, twice the same, and no longer than was asked for."""
    if not isinstance(opened, Asker):
        pytest.skip("it answers no questions")
    pictures, question = _pictures(), "Describe what is written in the image."
    settings = {"max_new_tokens": 12}
    answers = opened.ask(pictures, question, settings=settings)
    assert len(answers) == len(pictures)
    assert all(isinstance(answer, str) for answer in answers)
    assert any(answers)
    for image, answer in zip(pictures, answers, strict=True):
        assert opened.ask([image], question, settings=settings) == [answer]
    assert opened.ask([], question) == []


@pytest.mark.parametrize("most", [0, "many", True])
def test_ask__how_long_an_answer_may_be(opened: Anything, most: object) -> None:
    if not isinstance(opened, Asker):
        pytest.skip("it answers no questions")
    with pytest.raises(ModelError, match="max_new_tokens"):
        opened.ask(_pictures()[:1], "Describe the image.", settings={"max_new_tokens": most})


def test_ask__nothing(opened: Anything) -> None:
    if not isinstance(opened, Asker):
        pytest.skip("it answers no questions")
    with pytest.raises(ModelError, match="question"):
        opened.ask(_pictures()[:1], "  ")
