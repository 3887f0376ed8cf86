"""Models that were trained here (or elsewhere) and saved: a folder, or one exported file.

What a network looks like and how its files are read is known to the learning part, which stands above this one. It
is put in with ``use``: this module only gives saved models their place in the registry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from countersign.domain.errors import ModelError
from countersign.domain.model import ModelCard
from countersign.models.contract import Model
from countersign.models.registry import SAVED, Reference

Load = Callable[[Path, str | None], Model]
ReadCard = Callable[[Path], ModelCard]


@dataclass(slots=True)
class _Opener:
    load: Load | None = None
    card: ReadCard | None = None


_opener = _Opener()


def use(load: Load, card: ReadCard) -> None:
    """Say how saved models are opened. Both take a folder or a file; ``load`` also a device or None."""
    _opener.load, _opener.card = load, card


def _path(reference: Reference) -> Path:
    if reference.path is None or not reference.path.exists():
        raise ModelError(
            f"the files of the model {reference.name!r} are gone ({reference.path})",
            remedy="Train it again, or import it from an exported file.",
        )
    return reference.path


@dataclass(frozen=True, slots=True)
class TrainedFamily:
    """Saved models, by name or by path."""

    name: str = SAVED
    option_names: tuple[str, ...] = ()
    setting_names: tuple[str, ...] = ("nms", "top")

    def load(self, reference: Reference, *, device: str | None) -> Model:
        if _opener.load is None:
            raise ModelError("nothing here can open saved models", remedy="Call countersign.runs.catalogue.load.")
        return _opener.load(_path(reference), device)

    def card(self, reference: Reference) -> ModelCard:
        if _opener.card is None:
            raise ModelError("nothing here can open saved models", remedy="Call countersign.runs.catalogue.card.")
        return _opener.card(_path(reference))

    def names(self) -> Sequence[str]:
        return ()


FAMILY = TrainedFamily()
