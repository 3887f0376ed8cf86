"""Models that were trained here (or elsewhere) and saved: a folder, or one exported file.

What a network looks like and how its files are read is known to the learning part, which stands above this one. It
is put in with ``use``: this module only gives saved models their place in the registry.
"""

from __future__ import annotations

import zipfile
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
    _check_kind(reference.path)
    return reference.path


def _check_kind(path: Path) -> None:
    """Raise ModelError, in words for somebody who never heard of saved models, for what no family opens at all."""
    remedy = (
        "A model is an ONNX file, a folder with config.json and safetensors (of transformers or timm), or what was "
        "saved here. Weights alone want their architecture, as in: countersign models add PATH --as timm:resnet18"
    )
    if path.is_dir() and (path / "config.json").is_file() and not (path / "card.json").is_file():
        from countersign.models.parts import hub_loading

        named = hub_loading.read_config(path).get("architectures") or ()
        raise ModelError(
            f"no family here opens {path}: its config.json names {', '.join(map(str, named)) or 'no architecture'}",
            remedy=remedy,
        )
    if path.is_dir() and not (path / "card.json").is_file():
        several = sorted(file.name for file in path.glob("*.onnx"))
        has = f"it has {len(several)} ONNX files: name one" if several else "it has no config.json and no ONNX file"
        raise ModelError(f"{path} is no model that is known here: {has}", remedy=remedy)
    if path.is_file() and path.suffix.lower() in _WEIGHTS:
        raise ModelError(f"{path} holds weights and does not say of which architecture", remedy=remedy)
    if path.is_file() and not zipfile.is_zipfile(path):
        raise ModelError(f"{path} is no model that is known here", remedy=remedy)


_WEIGHTS = (".safetensors", ".pt", ".pth", ".bin", ".ckpt")


@dataclass(frozen=True, slots=True)
class TrainedFamily:
    """Saved models, by name or by path."""

    name: str = SAVED
    option_names: tuple[str, ...] = ()
    setting_names: tuple[str, ...] = ("nms", "top")

    def load(self, reference: Reference, *, device: str | None) -> Model:
        path = _path(reference)
        if _opener.load is None:
            raise ModelError("nothing here can open saved models", remedy="Call countersign.runs.catalogue.load.")
        return _opener.load(path, device)

    def card(self, reference: Reference) -> ModelCard:
        path = _path(reference)
        if _opener.card is None:
            raise ModelError("nothing here can open saved models", remedy="Call countersign.runs.catalogue.card.")
        return _opener.card(path)

    def names(self) -> Sequence[str]:
        return ()


FAMILY = TrainedFamily()
