"""Opening checkpoints in the layout of the Hugging Face hub: a folder with ``config.json`` and safetensors files.

Nothing here goes to the network, runs code that comes with a checkpoint, or reads a pickle. Which architectures there
are, and what they predict, is known to the families. The libraries are imported when something is loaded.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from countersign.domain.errors import CountersignError, ModelError
from countersign.domain.model import ModelCard
from countersign.models.folder import weights
from countersign.models.registry import Reference
from countersign.models.vocabularies import unique

CONFIG = "config.json"
_BLOCK = 1 << 22


@dataclass(frozen=True, slots=True)
class Loaded:
    """A network in evaluation mode on its device, and what prepares its inputs."""

    network: Any
    processor: Any
    folder: Path
    config: Mapping[str, Any]
    device: str
    weights_hash: str


def choose_device(asked: str | None) -> str:
    """Return the device asked for, or the best there is: ``cuda``, ``mps`` (Apple) or ``cpu``."""
    import torch

    if asked:
        return asked
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def folder_of(reference: Reference) -> Path:
    """Return the folder with the files that a reference names. Raises ModelError where they are not on this machine.

    A family's own name for a model (``family:owner/name``) is a folder, or a repository that was fetched before.
    """
    if reference.path is not None:
        return reference.path
    if reference.card is not None:
        return weights.locate(reference.card)
    path = Path(reference.name).expanduser()
    if path.is_dir():
        return path.resolve()
    card = hub_card(reference)
    found = weights.find(card)
    if found is None:
        raise ModelError(
            f"the weights of {reference.name} are not on this machine",
            remedy=f"Fetch them with: countersign models pull {reference.text.partition('?')[0]}",
        )
    return found


def hub_card(reference: Reference) -> ModelCard:
    """Return a card for a repository of the hub that is not in the catalogue: it has a name, and says where it is."""
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", reference.name):
        raise ModelError(
            f"{reference.text!r} names neither a folder nor a repository (owner/name)",
            remedy="Check the path, or see: countersign models list",
        )
    name = reference.name.replace("/", "--").lower()
    source = f"https://huggingface.co/{reference.name}"
    return ModelCard(name, reference.family, (), (), hub_id=reference.name, source=source)


def read_config(folder: Path) -> dict[str, Any]:
    """Return a checkpoint's ``config.json``. Raises ModelError where it is not there or damaged."""
    file = folder / CONFIG
    try:
        config = orjson.loads(file.read_bytes())
    except OSError as error:
        raise ModelError(
            f"{folder} is no checkpoint: its {CONFIG} cannot be read ({error.strerror or error})",
            remedy="Give the folder that holds config.json and the weights.",
        ) from error
    except orjson.JSONDecodeError as error:
        raise ModelError(f"{file} is damaged: {error}", remedy="Fetch the model again.") from error
    if not isinstance(config, dict):
        raise ModelError(f"{file} is damaged: it holds no object", remedy="Fetch the model again.")
    return config


def class_names(config: Mapping[str, Any], fallback: Sequence[str] = ()) -> tuple[str, ...]:
    """Return a checkpoint's class names by index, each once; "" for places without a class ("N/A").

    Where it only numbers them (LABEL_0 ...) and ``fallback`` has as many names, those.
    """
    named = config.get("id2label") or {}
    by_index = {int(index): str(name) for index, name in named.items()}
    names = [by_index.get(i, "") for i in range(max(by_index, default=-1) + 1)]
    if len(fallback) == len(names) and all(name == f"LABEL_{i}" for i, name in enumerate(names)):
        return tuple(fallback)
    blank = {"n/a", "none", "background", "__background__", "no-object"}
    return unique("" if name.strip().lower() in blank else name for name in names)


def card_of(reference: Reference, base: ModelCard, folder: Path, **changes: Any) -> ModelCard:
    """Return the card of a loaded model: the catalogue's where there is one, else ``base`` under the folder's name."""
    if reference.card is not None:
        return dataclasses.replace(reference.card, **changes)
    name = reference.name if reference.path is None else folder.name
    return dataclasses.replace(base, **({"name": name} | changes))


def load(
    folder: Path,
    auto: str,
    *,
    device: str | None,
    processor: str = "AutoProcessor",
    dtype: str = "float32",
    may_miss: Sequence[str] = (),
    pickle: bool = False,
) -> Loaded:
    """Load a checkpoint with a class of transformers, offline, and refuse one that lacks weights.

    ``auto`` names the class (``AutoModelForObjectDetection``, ``Sam3Model`` ...), ``processor`` the one that prepares
    inputs. ``dtype`` is what weights are converted to: on a CPU always ``float32``. ``may_miss`` are patterns of keys
    that a complete checkpoint may lack. ``pickle`` allows weights in a ``.bin`` file where there is no safetensors
    file: it is read for numbers alone, anything else in it is an error. Raises ModelError.
    """
    config = read_config(folder)
    if config.get("auto_map") and not config.get("architectures"):
        raise ModelError(
            f"{folder} needs program code that comes with the checkpoint, which is never run",
            remedy="Choose a version of the model that transformers itself supports.",
        )
    with library_errors(folder), quiet():
        import torch
        import transformers

        place = choose_device(device)
        network, report = getattr(transformers, auto).from_pretrained(
            folder,
            output_loading_info=True,
            use_safetensors=None if pickle else True,
            weights_only=True,
            dtype=getattr(torch, "float32" if place.startswith("cpu") else dtype),
            **_OFFLINE,
        )
        _check_complete(folder, report, may_miss)
        network = network.eval().requires_grad_(False).to(place)
        prepares = getattr(transformers, processor).from_pretrained(folder, **_OFFLINE)
    return Loaded(network, prepares, folder, config, place, weights_hash(folder))


_OFFLINE: Mapping[str, Any] = {"local_files_only": True, "trust_remote_code": False}


def _check_complete(folder: Path, report: Mapping[str, Any], may_miss: Sequence[str]) -> None:
    """Raise ModelError where weights are missing or of another shape: those would be random numbers."""
    absent = [str(key) for key in report.get("missing_keys") or ()]
    absent = sorted(key for key in absent if not any(re.search(pattern, key) for pattern in may_miss))
    other = sorted(str(item[0] if isinstance(item, tuple) else item) for item in report.get("mismatched_keys") or ())
    lacking = [*absent, *other]
    if lacking:
        first = ", ".join(lacking[:3]) + (f" ... ({len(lacking)} in all)" if len(lacking) > 3 else "")
        raise ModelError(
            f"the weights in {folder} are not complete for what its config.json says: {first}",
            remedy="Fetch the model again; a checkpoint without the head for this task must be fine-tuned first.",
        )


@contextlib.contextmanager
def library_errors(place: object) -> Iterator[None]:
    """Turn whatever a library raises while a model is opened into a ModelError that names the file and says why."""
    try:
        yield
    except (CountersignError, MemoryError):
        raise
    except Exception as error:
        if "out of memory" in str(error).lower():
            raise
        raise ModelError(f"{place} cannot be loaded: {_reason(error)}", remedy=_remedy(error)) from error


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    short = text if len(text) <= 300 else f"{text[:300]} ..."
    return f"{type(error).__name__}: {short}" if short else type(error).__name__


def _remedy(error: Exception) -> str:
    text = str(error)
    if "Unrecognized configuration class" in text:
        return "It is another kind of model: leave out the family's name before it, and the right one is chosen."
    if isinstance(error, ImportError):
        return "Install the package that it names."
    if "safetensors" in text and ("no file" in text.lower() or "does not appear" in text):
        return "Only .safetensors files are read (a pickle such as pytorch_model.bin can run programs): convert it."
    if "safetensor" in type(error).__name__.lower() or "header" in text.lower():
        return "The file is damaged or was not fetched to its end: fetch it again."
    return "Check that all files of the model are there (countersign models check), or fetch it again."


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep libraries from writing to the terminal and from asking the network, while a model is opened."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def weights_hash(folder: Path) -> str:
    """Return the SHA-256 in hex over names and contents of a folder's weights: safetensors, else ``.bin`` files."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin")):
        digest.update(file.name.encode())
        with file.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()
