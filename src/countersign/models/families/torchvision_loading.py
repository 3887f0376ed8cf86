"""From a reference to a torchvision network with its weights: which architecture, which file, which classes."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from countersign.domain.errors import ModelError, NotFound
from countersign.domain.model import ModelCard, Task, WeightFile
from countersign.models import vocabularies
from countersign.models.families.torchvision_cards import CARDS
from countersign.models.folder import pickles, records, weights
from countersign.models.parts import hub_loading
from countersign.models.registry import Reference

_PAGE = "https://docs.pytorch.org/vision/stable/models.html"
_SWAG = "LicenseRef-SWAG"  # of the only weights in the library that name a licence of their own
_BACKGROUND = ("__background__", "background")


@dataclass(frozen=True, slots=True)
class Opened:
    """A network on its device. ``names`` are its classes by index, "" for background and for places without one."""

    network: Any
    kind: str
    names: tuple[str, ...]
    transform: Any
    card: ModelCard
    device: str


def open_model(reference: Reference, device: str | None) -> Opened:
    """Load what a reference names. Raises NotFound, ModelError."""
    architecture = _architecture(reference)
    file = _file(reference)
    with hub_loading.library_errors(file):
        import torchvision

        kind = _kind(torchvision, architecture)
        state = _state(file)
        names = _names(torchvision, reference, architecture, kind)
        network = _network(torchvision, architecture, kind, names, state)
        place = hub_loading.choose_device(device)
        network = network.eval().requires_grad_(False).to(place)
        transform = torchvision.models.get_model_weights(architecture).DEFAULT.transforms()
        if reference.card is not None and "weights" in reference.card.details:
            transform = _weights_of(torchvision, reference.card).transforms()
    card = dataclasses.replace(reference.card or card_of(reference), weights_hash=records.sha256(file))
    return Opened(network, kind, names, transform, card, place)


def card_of(reference: Reference) -> ModelCard:
    """Return the card of a catalogued model, or of an architecture with weights of one's own."""
    says_own = not {"weights", "classes"}.isdisjoint(reference.options)
    if reference.card is not None and not says_own:
        return reference.card
    base = next((card for card in CARDS if card.details["architecture"] == _architecture(reference)), None)
    if base is not None and not says_own:
        return base
    import torchvision

    architecture = _architecture(reference)
    kind = _kind(torchvision, architecture)
    names = _names(torchvision, reference, architecture, kind)
    classes = tuple(name for name in names if name)
    if "weights" not in reference.options:
        return dataclasses.replace(_uncatalogued(architecture), classes=classes)
    return ModelCard(
        reference.name,
        "torchvision",
        _tasks(architecture, kind),
        classes,
        version=reference.options.get("weights", "1"),
        description="weights of your own",
        code_licence="BSD-3-Clause",
        min_confidence=_least(kind),
        details={"architecture": architecture},
    )


def _architecture(reference: Reference) -> str:
    return str((reference.card.details if reference.card else {}).get("architecture", reference.name))


def _kind(torchvision: Any, architecture: str) -> str:
    """Return classification, detection or segmentation. Raises NotFound for no architecture of the library."""
    known = torchvision.models.list_models()
    if architecture not in known:
        near = tuple(f"torchvision:{name}" for name in difflib.get_close_matches(architecture, known, n=3))
        remedy = f"Did you mean {' or '.join(near)}?" if near else "See torchvision.models.list_models()."
        raise NotFound("torchvision model", architecture, known=near, remedy=remedy)
    module = torchvision.models.get_model_builder(architecture).__module__
    kind = next((kind for kind in ("detection", "segmentation") if f".{kind}." in module), "classification")
    if kind == "classification" and module.rpartition(".")[0] != "torchvision.models":
        raise ModelError(f"{architecture!r} does not label single images", remedy="Choose another model.")
    return kind


def _tasks(architecture: str, kind: str) -> tuple[Task, ...]:
    if kind == "detection":
        more = {"maskrcnn": (Task.INSTANCE_SEGMENTATION,), "keypointrcnn": (Task.POSE,)}
        return (*more.get(architecture.partition("_")[0], ()), Task.DETECTION)
    return (Task.CLASSIFICATION,) if kind == "classification" else (Task.SEMANTIC_SEGMENTATION,)


def _weights_of(torchvision: Any, card: ModelCard) -> Any:
    return torchvision.models.get_model_weights(card.details["architecture"])[card.details["weights"]]


def _file(reference: Reference) -> Path:
    """Return the file of weights. Raises ModelError where it is not on this machine."""
    if own := reference.options.get("weights"):
        file = Path(own).expanduser()
        if not file.is_file():
            raise ModelError(f"the weights {file} are not there", remedy="Check the path.")
        pickles.require(file)
        return file
    card = reference.card or next((c for c in CARDS if c.details["architecture"] == reference.name), None)
    if card is None:
        card = _uncatalogued(reference.name)
    return weights.locate(card) / card.files[0].name


def _uncatalogued(architecture: str) -> ModelCard:
    """Return a card with the library's own weights for an architecture that has no card in the catalogue."""
    import torchvision

    kind = _kind(torchvision, architecture)
    found = torchvision.models.get_model_weights(architecture).DEFAULT
    name = str(found.url).rpartition("/")[2]
    digest = name.rpartition("-")[2].partition(".")[0]
    return ModelCard(
        architecture.replace("_", "-"),
        "torchvision",
        _tasks(architecture, kind),
        (),
        version=found.name,
        source=str(found.meta.get("license") or found.meta.get("recipe") or _PAGE),
        licence=_SWAG if "license" in found.meta else "BSD-3-Clause",
        code_licence="BSD-3-Clause",
        files=(WeightFile(name, digest, str(found.url)),),
        min_confidence=_least(kind),
        details={"architecture": architecture, "weights": found.name},
    )


def _least(kind: str) -> float:
    return 0.1 if kind == "classification" else 0.5


def _state(file: Path) -> dict[str, Any]:
    """Read a state dict: numbers alone, whatever the file holds besides is an error."""
    import torch

    if file.suffix == ".safetensors":
        from safetensors.torch import load_file

        tensors: dict[str, Any] = load_file(file)
        return tensors
    found = torch.load(file, map_location="cpu", weights_only=True)
    for key in ("model", "state_dict"):  # as training scripts save them
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
    if not isinstance(found, dict):
        raise ModelError(f"{file} holds no state dict", remedy="Save it with torch.save(model.state_dict(), file).")
    return {key.removeprefix("module."): value for key, value in found.items()}


def _network(torchvision: Any, architecture: str, kind: str, names: tuple[str, ...], state: dict[str, Any]) -> Any:
    """Build the network without its weights and give it those; all must fit."""
    settings: dict[str, Any] = {"weights": None, "num_classes": len(names)}
    if kind != "classification":
        settings["weights_backbone"] = None  # or its own would be downloaded
    if kind == "segmentation":
        settings["aux_loss"] = any(key.startswith("aux_classifier.") for key in state)
    network = torchvision.models.get_model(architecture, **settings)
    network.load_state_dict(state)
    return network


def _names(torchvision: Any, reference: Reference, architecture: str, kind: str) -> tuple[str, ...]:
    """Return the classes by index: those of the file that is given, else those that the library's weights know."""
    if file := reference.options.get("classes"):
        own = _lines(Path(file).expanduser())
        return own if kind == "classification" else ("", *own)
    if reference.card is not None and "weights" in reference.card.details:
        found = _weights_of(torchvision, reference.card)
    else:
        found = torchvision.models.get_model_weights(architecture).DEFAULT
    listed: Sequence[str] = found.meta["categories"]
    if kind == "classification":
        return vocabularies.unique(listed)
    return tuple("" if name in (*_BACKGROUND, "N/A", "no person") else name for name in listed)


def _lines(file: Path) -> tuple[str, ...]:
    try:
        lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"the class names in {file} cannot be read: {error}", remedy="One name a line.") from error
    return vocabularies.unique(line for line in lines if line not in _BACKGROUND)
