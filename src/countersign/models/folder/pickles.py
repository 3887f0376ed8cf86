"""Pickles among weights. A pickle can run any code when it is opened: it is refused unless somebody allowed that file.

What is allowed is a content, by its SHA-256: ``allowed-pickles.json`` in the models folder says which, who and when.
"""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

from countersign.domain.errors import ModelError
from countersign.domain.model import ModelCard
from countersign.models.folder import records

FILE = "allowed-pickles.json"
ENDINGS = (".bin", ".ckpt", ".joblib", ".pickle", ".pkl", ".pt", ".pth", ".pyth")
"""Endings that pickles usually have."""


def may_be(name: str) -> bool:
    """Whether a file of this name is usually a pickle."""
    return name.lower().endswith(ENDINGS)


def is_pickle(path: Path) -> bool:
    """Whether a file holds a pickle, by its content: a pickle itself, or an archive with one (as torch writes them)."""
    try:
        with path.open("rb") as file:
            head = file.read(2)
        if head[:1] == b"\x80" and head[1:2] and head[1] <= 5:
            return True
        if head == b"PK":
            with zipfile.ZipFile(path) as archive:
                return any(name.endswith((".pkl", ".pickle")) for name in archive.namelist())
    except zipfile.BadZipFile:
        return may_be(path.name)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}") from error
    return path.suffix.lower() in (".pkl", ".pickle", ".joblib")


def allow(path: Path, by: str) -> str:
    """Allow one file, by its content, from now on. Returns its SHA-256 in hex. Raises ModelError."""
    if not path.is_file():
        raise ModelError(f"there is no file {path}", remedy="Check the path.")
    digest = records.sha256(path)
    file = records.models_folder() / FILE
    entry = {"file": str(path.absolute()), "by": by, "at": datetime.now(UTC).isoformat(timespec="seconds")}
    with records.locked(file):
        records.write_json(file, dict(records.read_json(file)) | {digest: entry})
    return digest


def is_allowed(path: Path, card: ModelCard | None = None) -> bool:
    """Whether a pickle may be opened.

    It may where somebody allowed its content, and where it is a file that the card names and that is what it was when
    it was fetched: ``weights.json`` beside it says so, or the checksum on the card. Reads the whole file.
    """
    digest = records.sha256(path)
    if digest in records.read_json(records.models_folder() / FILE):
        return True
    named = next((file for file in card.files if Path(file.name).name == path.name), None) if card else None
    if named is None:
        return False
    if named.sha256:
        return digest.startswith(named.sha256.lower())
    record = records.read(path.parent)
    return record is not None and any(file.name == named.name and file.sha256 == digest for file in record.files)


def require(path: Path, card: ModelCard | None = None) -> None:
    """Raise ModelError for a pickle that nobody allowed. Files of other kinds pass unread."""
    if is_pickle(path) and not is_allowed(path, card):
        raise ModelError(
            f"{path} is a pickle: opening it could run any code that its author put in",
            remedy=f"Prefer a safetensors or ONNX file. If you trust it: countersign models allow-pickle {path}",
        )
