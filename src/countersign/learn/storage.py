"""Saving, exporting and loading trained models: ``model.safetensors`` and ``card.json``, in a folder or in one file.

The exported file is a ZIP of the two, uncompressed. No pickle is ever written or read.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from countersign.domain.errors import ModelError
from countersign.domain.model import ModelCard

WEIGHTS = "model.safetensors"
CARD = "card.json"
SUFFIX = ".countersign-model"
FORMAT = 1
"""Version of what is in ``card.details``; a model of a newer one is refused."""
NETWORK = "network"
EMBEDDING_HEAD = "embedding_head"
_LARGEST_CARD = 64 * 2**20


def write(folder: Path, weights: bytes, card: ModelCard) -> ModelCard:
    """Write both files into a folder (made if it is not there); return the card with the hash of the weights."""
    from dataclasses import replace

    folder.mkdir(parents=True, exist_ok=True)
    card = replace(card, weights_hash=hashlib.sha256(weights).hexdigest())
    _replace(folder / WEIGHTS, weights)
    # The card comes last: a folder with a card is complete.
    _replace(folder / CARD, card_bytes(card))
    return card


def card_bytes(card: ModelCard) -> bytes:
    """Return a card as readable JSON."""
    return orjson.dumps(card.to_data(), option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY) + b"\n"


def pack(folder: Path, file: Path) -> Path:
    """Export a saved model to one file; its ending is added if there is none. Returns the file's path."""
    if not file.suffix:
        file = file.with_suffix(SUFFIX)
    read(folder)  # a damaged model is not passed on
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
            for name in (CARD, WEIGHTS):
                # A fixed date: the same model always gives the same file.
                archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), _bytes_of(folder, name))
        part.replace(file)
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
    return file


def read_card(path: Path) -> ModelCard:
    """Read the card of a folder or exported file. Raises ModelError for a damaged or foreign one."""
    data = _bytes_of(path, CARD)
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise _damaged(path, f"its {CARD} is no JSON") from error
    if not isinstance(found, dict):
        raise _damaged(path, f"its {CARD} is no card")
    card = ModelCard.from_data(found)
    version = card.details.get("format")
    if not isinstance(version, int):
        raise ModelError(f"{path} is not a model that Countersign trained", remedy="Its card names no format.")
    if version > FORMAT:
        raise ModelError(f"{path} was made by a newer Countersign (format {version})", remedy="Update Countersign.")
    return card


def read(path: Path) -> tuple[ModelCard, bytes]:
    """Read card and weights of a folder or exported file, and check that they belong together. Raises ModelError."""
    card = read_card(path)
    weights = _bytes_of(path, WEIGHTS)
    if hashlib.sha256(weights).hexdigest() != card.weights_hash:
        raise _damaged(path, "its weights are not those that its card describes")
    return card, weights


def tensors(path: Path, weights: bytes) -> Mapping[str, Any]:
    """Return the numpy arrays in the bytes of a safetensors file. Raises ModelError."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        found: dict[str, Any] = load(weights)
    except (SafetensorError, ValueError, KeyError) as error:
        raise _damaged(path, f"its weights cannot be read ({error})") from error
    return found


def _bytes_of(path: Path, name: str) -> bytes:
    try:
        if path.is_dir():
            return (path / name).read_bytes()
        with zipfile.ZipFile(path) as archive:
            info = archive.getinfo(name)
            if name == CARD and info.file_size > _LARGEST_CARD:
                raise _damaged(path, f"its {CARD} is too large to be one")
            return archive.read(info)
    except FileNotFoundError as error:
        missing = f"{path} does not exist" if not path.exists() else f"{path} has no {name}"
        raise ModelError(missing, remedy="Name a folder or file of a saved model.") from error
    except KeyError as error:
        raise ModelError(f"{path} is not a saved model: it has no {name}") from error
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise ModelError(f"{path} is not a saved model, or damaged ({error})") from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}") from error


def _damaged(path: Path, why: str) -> ModelError:
    return ModelError(f"the model {path} is damaged: {why}", remedy="Get it again, or train it again.")


def _replace(file: Path, data: bytes) -> None:
    part = file.with_name(f".{file.name}.part")
    with part.open("wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    part.replace(file)
