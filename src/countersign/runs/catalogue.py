"""The models that a workspace can use: its own by name, and every family of the registry.

This is where the learning part's way to open saved models meets the registry. It is imported only when it is needed.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from countersign.domain.errors import InvalidInput, ModelError, WorkspaceError
from countersign.domain.model import ModelCard, Prompt, StoredModel
from countersign.domain.run import TRUTH, Method, RunSpec
from countersign.learn import storage
from countersign.models import registry, settings
from countersign.models.contract import Anything, Model
from countersign.models.families import trained
from countersign.models.folder import weights
from countersign.models.parts import hub_loading
from countersign.models.parts.hub_family import HubFamily
from countersign.runs import stages
from countersign.runs.mask_files import check_folder
from countersign.runs.training import new_folder
from countersign.store import Store, blobs
from countersign.store import models as model_rows
from countersign.store import remote_models as remote_rows


def _load_saved(path: Path, device: str | None) -> Model:
    from countersign.learn.saved import load as load_network

    model: Model = load_network(path, device)
    return model


trained.use(_load_saved, storage.read_card)


def saved(store: Store) -> dict[str, Path]:
    """Return the models of the workspace: names, and where their files are."""
    with store.read() as c:
        return {item.name: store.blobs / item.folder for item in model_rows.list_all(c)}


def remote(store: Store) -> dict[str, dict[str, Any]]:
    """Return what is known of the workspace's models behind a URL, by name; with their secrets, so not to be shown."""
    with store.read() as c:
        return {item.name: item.spec for item in remote_rows.list_all(c)}


def parse(store: Store, reference: str) -> registry.Reference:
    """Take a reference apart with what the workspace knows. Raises NotFound, ModelError."""
    return registry.parse(reference, saved=saved(store), remote=remote(store))


def load(store: Store, reference: str, *, device: str | None = None) -> Model:
    """Load the model that a reference names (see the registry). Raises NotFound, ModelError."""
    return registry.load(reference, saved=saved(store), remote=remote(store), device=device)


def card(store: Store, reference: str) -> ModelCard:
    """Return its card; for a model of the workspace under the name that it has there. Raises NotFound, ModelError."""
    known = saved(store)
    found = registry.card(reference, saved=known, remote=remote(store))
    return dataclasses.replace(found, name=reference) if reference in known else found


def open_any(store: Store, reference: str, *, device: str | None = None) -> Anything:
    """Load the model that a reference names, whatever it can do. Raises NotFound, ModelError."""
    return registry.open_any(reference, saved=saved(store), remote=remote(store), device=device)


def settled(store: Store, spec: RunSpec, card_of: Callable[[str], ModelCard]) -> RunSpec:
    """Return what a run shall do with paths that hold from everywhere: who resumes it may stand in another folder.

    Everything that can be wrong is found here, before anything starts. Raises NotFound, ModelError, InvalidInput.
    """
    masks = spec.masks if "://" in spec.masks or not spec.masks else str(Path(spec.masks).expanduser().absolute())
    spec = dataclasses.replace(
        spec, model=_from_everywhere(store, spec.model), refiner=_from_everywhere(store, spec.refiner), masks=masks
    )
    if spec.field == TRUTH:
        raise InvalidInput(
            f"Labels of a model never go to {TRUTH}, where verified labels are",
            remedy="Name another field: it is made.",
        )
    card_of = functools.cache(card_of)  # another process may have to be asked
    stages.check_method(spec)
    check_settings(store, spec)
    check_spec(spec, card_of)
    for reference in filter(None, (spec.model, spec.refiner)):
        _check_here(parse(store, reference), card_of)
    return spec


def _check_here(reference: registry.Reference, card_of: Callable[[str], ModelCard]) -> None:
    """Raise ModelError where a model's files must be fetched first, or its licence accepted."""
    if reference.path is not None or reference.spec is not None or "weights" in reference.options:
        return
    if reference.card is not None:
        weights.require(reference.card)
    elif isinstance(registry.family(reference.family), HubFamily):
        hub_loading.folder_of(reference)
    elif (found := card_of(reference.text)).files:
        weights.require(found)


def _from_everywhere(store: Store, reference: str) -> str:
    found = parse(store, reference) if reference else None
    if found is None or found.path is None or found.card is not None or reference in saved(store):
        return reference
    options = {key: _absolute(value) for key, value in found.options.items()}
    return str(found.path) + (f"?{urlencode(options, safe='/')}" if options else "")


def _absolute(value: str) -> str:
    path = Path(value).expanduser()
    return str(path.absolute()) if path.suffix and path.is_file() else value


def check_spec(spec: RunSpec, card_of: Callable[[str], ModelCard]) -> None:
    """Raise ModelError (or NotFound) where the models of a run do not fit its task, method or classes."""
    card = card_of(spec.model)
    stages.check_task(spec, card, card_of(spec.refiner) if spec.method is Method.TWO_STAGE else None)
    if spec.method is not Method.EXISTING:
        check_classes(card, spec.classes, spec.prompts, spec.settings)
        _check_label_map(card, spec.label_map)
    if spec.masks:
        check_folder(spec.masks, lasting=spec.executor != "inline")


def _check_label_map(card: ModelCard, label_map: Mapping[str, str]) -> None:
    unknown = [] if card.zero_shot or not card.classes else [name for name in label_map if name not in card.classes]
    if unknown:
        raise ModelError(
            f"The label map names {', '.join(unknown[:5])}, which {card.name!r} does not know",
            remedy="Write the model's class first, then the project's: its card lists its classes.",
        )


def check_classes(
    card: ModelCard,
    classes: tuple[str, ...],
    prompts: Sequence[Prompt] = (),
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Raise ModelError where a model does not know a class that is asked of it, or needs words and gets none.

    A card tells in ``details`` with which values of its settings it needs none: ``wordless`` (a setting, its values).
    """
    if card.zero_shot:
        wordless = card.details.get("wordless", {})
        if any(settings.get(name) in values for name, values in wordless.items()):
            return
        if not classes and not any(prompt.class_name for prompt in prompts):
            raise ModelError(
                f"The model {card.name!r} looks for what it is told", remedy="Name at least one class to look for."
            )
        return
    if prompts and card.classes:
        raise ModelError(
            f"The model {card.name!r} has a fixed list of classes and takes no prompts",
            remedy="Choose among its classes, or take a zero-shot model.",
        )
    unknown = [name for name in classes if name not in card.classes]
    if unknown:
        known = ", ".join(card.classes[:12]) + (f" ... ({len(card.classes)} in all)" if len(card.classes) > 12 else "")
        raise ModelError(f"The model {card.name!r} does not know {', '.join(unknown)}", remedy=f"It knows {known}.")


def check_settings(store: Store, spec: RunSpec) -> None:
    """Raise InvalidInput for a setting that no model of a run has, or of a wrong kind. Raises NotFound, ModelError."""
    both = (spec.model, spec.refiner) if spec.refiner else (spec.model,)
    settings.check(both, spec.settings, saved=saved(store), remote=remote(store))


def export(store: Store, name: str, file: Path) -> Path:
    """Write a model of the workspace to one file, which ``import_file`` takes elsewhere. Returns its path.

    The card in the file carries the name that the model has here. Raises NotFound, ModelError, WorkspaceError.
    """
    with store.read() as c:
        model = model_rows.get(c, name)
    folder = store.blobs / model.folder
    if storage.read_card(folder).name != name:  # renamed since it was saved
        with blobs.replacing(folder / storage.CARD) as part:
            part.write_bytes(storage.card_bytes(model.card))
    try:
        return storage.pack(folder, file.expanduser())
    except OSError as error:
        raise WorkspaceError(f"{file} cannot be written: {error.strerror or error}") from error


def import_file(store: Store, path: Path, *, name: str = "") -> StoredModel:
    """Take a saved model (a folder or an exported file) into the workspace, under its own name or ``name``.

    Raises ModelError for a damaged or foreign one, NameTaken, InvalidInput.
    """
    card, weights = storage.read(path.expanduser())
    wanted = model_rows.check_name(name or card.name)
    with store.read() as c:
        model_rows.check_free(c, wanted)
    card = dataclasses.replace(card, name=wanted)
    folder = new_folder(wanted)
    card = storage.write(store.blobs / folder, weights, card)
    try:
        with store.write() as c:
            return model_rows.add(c, name=wanted, card=card, folder=folder)
    except BaseException:
        blobs.delete(store.blobs / folder)
        raise


def delete(store: Store, name: str) -> StoredModel:
    """Delete a model of the workspace and its files. Labels that it made stay, with where they came from."""
    with store.write() as c:
        model = model_rows.delete(c, name)
    blobs.delete(store.blobs / model.folder)
    return model
