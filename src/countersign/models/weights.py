"""Where the weights of models are: the models folder, shared by all projects and workspaces, and the hub's own cache.

    <models folder>/<card name>/           the files of one model, and
    <models folder>/<card name>/weights.json   what they are: card, origin, SHA-256 of each file

Loading never downloads: what is not there is a ``ModelError`` that names the command which fetches it.
"""

from __future__ import annotations

import os
from pathlib import Path

import orjson

from countersign.domain.errors import ModelError
from countersign.domain.model import ModelCard

RECORD = "weights.json"


def folder() -> Path:
    """Return the models folder: ``COUNTERSIGN_MODELS``, else the user's data folder of this system."""
    import platformdirs

    chosen = os.environ.get("COUNTERSIGN_MODELS")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_data_dir("countersign")) / "models"


def find(card: ModelCard) -> Path | None:
    """Return the folder that holds the model's files, or None where they are not here."""
    place = folder() / card.name
    return place if (place / RECORD).is_file() else None


def locate(card: ModelCard) -> Path:
    """Return the folder that holds the model's files. Raises ModelError where they are not here."""
    place = find(card)
    if place is None:
        raise ModelError(
            f"the weights of {card.name!r} are not on this machine",
            remedy=f"Fetch them with: countersign models pull {card.name}",
        )
    return place


def added() -> list[ModelCard]:
    """Return the cards of the models that were added to the folder by hand (``countersign models add``)."""
    found = []
    for record in sorted(folder().glob(f"*/{RECORD}")):
        data = orjson.loads(record.read_bytes())
        if data.get("added"):
            found.append(ModelCard.from_data(data["card"]))
    return found
