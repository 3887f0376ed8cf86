"""The pages about models say what the catalogue and the families are now."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from countersign.domain.model import ModelCard, Task
from countersign.models import catalogue, ratings, reference, registry

DOCS = Path(__file__).parents[3] / "docs"
FAMILIES = tuple(registry._BUILT_IN)


def _cards() -> list[ModelCard]:
    """Those of the package alone: other tests may have registered families of their own."""
    return [card for card in catalogue.built_in() if card.family in FAMILIES]


def test_table__is_fresh() -> None:
    written = (DOCS / "reference/models.md").read_text(encoding="utf-8")
    assert written == reference.page(_cards()), "run: python -m countersign.models.reference > docs/reference/models.md"


def test_table__has_every_card_under_each_of_its_tasks() -> None:
    sections = {part.partition("\n")[0]: part for part in reference.page(_cards()).split("\n## ")[1:]}
    for card in _cards():
        for task in card.tasks:
            row = next(line for line in sections[reference.TITLES[task][0]].splitlines() if f"[{card.name}]" in line)
            assert f" {card.licence} | {card.code_licence} |" in row


def test_table__names_every_measure() -> None:
    named = {name for names in ratings.MEASURES.values() for name in names}
    named |= {name for card in _cards() for name in card.published} - {"parameters", "gflops"}
    assert named <= set(reference.MEASURES)


def test_table__what_is_not_known_stays_empty() -> None:
    page = reference.page([ModelCard("a", "f", (Task.POSE,), ("person",), extra="x", gpu=True)])
    assert "| a | `f` |  | person |  |  |  |  |  |  |  |  | `countersign[x]`, GPU |" in page


def test_table__sources_are_numbered() -> None:
    cards = [
        ModelCard(name, "f", (Task.DETECTION,), (), zero_shot=True, published={"x": 1.5}, published_source=source)
        for name, source in (("a", "here"), ("b", "counted"), ("c", "here"))
    ]
    page = reference.page(cards)
    assert re.findall(r"\| x 1\.5 \| (\d) \|", page) == ["1", "2", "1"]
    assert page.endswith("1. here\n2. parameters counted\n")


@pytest.mark.parametrize("family", FAMILIES)
def test_families__each_has_a_page(family: str) -> None:
    """In the index its row names the page, and the page names the family."""
    folder = DOCS / "guide/models"
    rows = [line for line in (folder / "README.md").read_text(encoding="utf-8").splitlines() if f"`{family}`" in line]
    (link,) = re.findall(r"\]\((\S+?\.md)\)", rows[0])
    page = (folder / link).resolve()
    text = page.read_text(encoding="utf-8")
    assert f"`{family}`" in text or f"{family}:" in text or family == registry.SAVED


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.relative_to(DOCS).as_posix())
def test_links__lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page}: {target}"
