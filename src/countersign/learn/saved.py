"""Trained networks to files and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from countersign.domain.errors import ModelError, SettingsError
from countersign.domain.model import ModelCard
from countersign.learn import storage
from countersign.learn.data import Vocabulary
from countersign.learn.network import NetworkSpec, build
from countersign.learn.plan import View
from countersign.learn.predict import Recipe, TrainedModel


def save(model: TrainedModel, folder: Path | str) -> ModelCard:
    """Save a model into a folder. Returns its card, with the SHA-256 of the weights."""
    from safetensors.numpy import save as to_bytes

    arrays = {name: _array(value) for name, value in model.network.state_dict().items()}
    return storage.write(Path(folder), to_bytes(arrays), model.card)


def export(model: TrainedModel | Path | str, file: Path | str) -> Path:
    """Write a model (or one that was saved in a folder) to a single file, ``.countersign-model``. Returns its path."""
    if not isinstance(model, TrainedModel):
        return storage.pack(Path(model), Path(file))
    import tempfile

    with tempfile.TemporaryDirectory(prefix="countersign-") as folder:
        save(model, folder)
        return storage.pack(Path(folder), Path(file))


def load(path: Path | str, device: str | None = None) -> TrainedModel:
    """Load a saved folder or exported file. Raises ModelError for one that is damaged or foreign."""
    path = Path(path)
    card, weights = storage.read(path)
    if card.details.get("kind") != storage.NETWORK:
        raise ModelError(f"{path} is a head for embeddings, not a network", remedy="Load it with load_embedding_head.")
    arrays = storage.tensors(path, weights)
    try:
        spec, recipe = _read(card)
        network, _ = build(spec)
        network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in arrays.items()})
    except SettingsError as error:
        raise ModelError(f"{path}: {error}", remedy="Its backbone is not known to the installed timm.") from error
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise ModelError(
            f"the card and the weights of {path} do not fit ({str(error).splitlines()[0]})",
            remedy="It may have been changed by hand, or need another version of timm.",
        ) from error
    return TrainedModel(network, recipe, card, device)


def details(spec: NetworkSpec, recipe: Recipe) -> dict[str, Any]:
    """Return the part of a card's details from which ``load`` builds the network again."""
    vocabulary = recipe.vocabulary
    return {
        "format": storage.FORMAT,
        "kind": storage.NETWORK,
        "network": {
            "backbone": spec.backbone,
            "size": list(spec.size),
            "boxes": spec.boxes,
            "paints": spec.paints,
            "tags": spec.tags,
            "all_stages": spec.all_stages,
            "detail": spec.detail,
        },
        "vocabulary": {
            "boxes": list(vocabulary.boxes),
            "paints": list(vocabulary.paints),
            "tags": list(vocabulary.tags),
        },
        "view": recipe.view.to_data(),
        "fixed_input": recipe.fixed,
        "multi_tag": recipe.multi_tag,
        "flips": recipe.flips,
    }


def _read(card: ModelCard) -> tuple[NetworkSpec, Recipe]:
    data = card.details
    network, names = data["network"], data["vocabulary"]
    height, width = (int(value) for value in network["size"])
    vocabulary = Vocabulary(tuple(names["boxes"]), tuple(names["paints"]), tuple(names["tags"]))
    spec = NetworkSpec(
        str(network["backbone"]),
        (height, width),
        len(vocabulary.boxes),
        len(vocabulary.paints),
        len(vocabulary.tags),
        bool(network["all_stages"]),
        bool(network.get("detail", False)),
    )
    if (spec.boxes, spec.paints, spec.tags) != (network["boxes"], network["paints"], network["tags"]):
        raise ValueError("its classes and its network differ")
    view = View.from_data(data["view"])
    recipe = Recipe(
        vocabulary, view, bool(data["fixed_input"]), bool(data["multi_tag"]), bool(data.get("flips", False))
    )
    return spec, recipe


def _array(value: torch.Tensor) -> np.ndarray[Any, Any]:
    return value.detach().cpu().contiguous().numpy()
