"""The catalogue: the cards of all models that the families know, and of those that were added to the models folder.

Reads cards alone; whether their weights are there is known to ``weights``.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from countersign.domain.model import ModelCard
from countersign.models import ratings, registry
from countersign.models.folder import weights


@functools.cache
def _built_in(families: tuple[str, ...]) -> Mapping[str, ModelCard]:
    found: list[ModelCard] = []
    for name in families:
        family = registry.family(name)
        if isinstance(family, registry.Catalogued):
            found += family.cards()
    return {card.name: card for card in ratings.rate(found)}


def built_in() -> tuple[ModelCard, ...]:
    """Return the cards that are written beside the families' code, rated."""
    return tuple(_built_in(registry.families()).values())


def cards() -> list[ModelCard]:
    """Return the card of every model of the catalogue, then of every added one, each name once."""
    known = _built_in(registry.families())
    return list({**known, **{card.name: card for card in weights.added()}}.values())


def find(name: str) -> ModelCard | None:
    """Return the card of this name, or None. Reads no record of the models folder but that of this name."""
    record = weights.record_of(name)
    if record is not None and record.is_own:
        return record.card
    return _built_in(registry.families()).get(name)
