"""What the families of hub checkpoints have in common: references, folders, cards. What they predict stands in each."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from countersign.domain.errors import ModelError
from countersign.domain.model import ModelCard
from countersign.models.contract import Anything
from countersign.models.folder import pickles, weights
from countersign.models.parts import hub_loading
from countersign.models.parts.hub_loading import CONFIG
from countersign.models.registry import Reference


class HubFamily(ABC):
    """A family whose models are folders with ``config.json``.

    ``catalogue`` holds the cards of those that stand there, ``architectures`` the class names of transformers that are
    the family's (a family that knows them by a rule has its own ``fits``).

    A reference to it is a card's name, a folder, or ``family:owner/name`` for a repository that was fetched before. A
    pickle is read, for numbers alone, only where its user or the catalogue's card allows that one file.
    """

    name: ClassVar[str]
    catalogue: ClassVar[Sequence[ModelCard]]
    architectures: ClassVar[Collection[str]] = ()
    option_names: ClassVar[tuple[str, ...]] = ()
    setting_names: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def describe(self, reference: Reference, folder: Path, config: Mapping[str, Any]) -> ModelCard:
        """Return the card of the checkpoint in a folder, by its configuration."""

    @abstractmethod
    def open(self, folder: Path, card: ModelCard, device: str | None, pickle: bool) -> Anything:
        """Load the checkpoint in a folder; ``card`` is what ``describe`` said of it."""

    def fits(self, architecture: str) -> bool:
        """Whether a checkpoint of this architecture is one of the family's."""
        return architecture in self.architectures

    def cards(self) -> Sequence[ModelCard]:
        return self.catalogue

    def names(self) -> Sequence[str]:
        return [card.hub_id for card in self.cards()]

    def opens(self, path: Path) -> bool:
        if not (path / CONFIG).is_file():
            return False
        try:
            named = hub_loading.read_config(path).get("architectures") or ()
        except ModelError:
            return False
        return any(self.fits(str(architecture)) for architecture in named)

    def card(self, reference: Reference) -> ModelCard:
        if reference.card is not None and weights.find(reference.card) is None:
            return reference.card
        if reference.card is None and reference.path is None and not Path(reference.name).expanduser().is_dir():
            absent = hub_loading.hub_card(reference)
            if weights.find(absent) is None:
                known = self.describe(reference, Path(absent.name), {})
                return dataclasses.replace(known, name=absent.name, hub_id=absent.hub_id, source=absent.source)
        return self._describe(reference, hub_loading.folder_of(reference))

    def load(self, reference: Reference, *, device: str | None) -> Anything:
        folder = hub_loading.folder_of(reference)
        card = self._describe(reference, folder)
        return self.open(folder, card, device, _has_pickles(folder, card))

    def _describe(self, reference: Reference, folder: Path) -> ModelCard:
        config = hub_loading.read_config(folder)
        named = [str(item) for item in config.get("architectures") or ()]
        if not any(self.fits(item) for item in named):
            raise ModelError(
                f"{folder} is no model of the family {self.name!r}: its config.json names {', '.join(named) or 'none'}",
                remedy="Leave out the family's name before the path, and the right one is chosen.",
            )
        return self.describe(reference, folder, config)


def _has_pickles(folder: Path, card: ModelCard) -> bool:
    """Whether the weights are pickles. Raises ModelError for one that nobody allowed."""
    if any(folder.glob("*.safetensors")):
        return False
    found = sorted(folder.glob("*.bin"))
    for file in found:
        pickles.require(file, card)
    return bool(found)
