"""Where a model's description is found: a file beside it, its own metadata, Ultralytics' metadata, its shapes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from countersign.domain.errors import ModelError
from countersign.models.onnx import guess, ultralytics
from countersign.models.onnx.description import Description, from_text
from countersign.models.onnx.session import Signature

KEY = "countersign"
"""Key in the ONNX metadata under which a description (YAML or JSON) may stand."""
ENDINGS = (".countersign.yaml", ".countersign.yml", ".countersign.json")
"""``model.onnx`` is described by ``model.countersign.yaml`` beside it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A description, where it was found (``origin``), and the folder that its file names are in."""

    description: Description
    origin: str
    folder: Path


def beside(path: Path) -> Path | None:
    """Return the description's file beside a model, if there is one."""
    return next((file for ending in ENDINGS if (file := path.with_suffix(ending)).is_file()), None)


def read(path: Path, signature: Signature, given: Path | None = None) -> Found:
    """Find the description of a model. ``given`` is a file that wins over all. Raises ModelError."""
    file = given or beside(path)
    if file is not None:
        try:
            text = file.read_text(encoding="utf-8-sig")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
            raise ModelError(f"the description {file} cannot be read: {reason}", remedy="Check the file.") from error
        return Found(from_text(text, str(file)), str(file), file.parent)
    if KEY in signature.metadata:
        return Found(from_text(signature.metadata[KEY], f"{path} (metadata)"), "metadata", path.parent)
    if ultralytics.made(signature):
        return Found(ultralytics.describe(signature, path), "Ultralytics metadata", path.parent)
    guessed = guess.describe(signature)
    if guessed is not None:
        return Found(guessed, "shapes", path.parent)
    raise guess.undescribed(path, signature, path.with_suffix(ENDINGS[0]))
