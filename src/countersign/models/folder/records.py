"""What is written down beside weights: ``weights.json``, and small JSON files of the models folder.

Every file is written whole or not at all. Which models there are, and where their files come from, is not known here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from countersign.domain.errors import InvalidInput, ModelError
from countersign.domain.model import ModelCard, WeightFile

RECORD = "weights.json"
LOCKS = ".locks"
HUB, URL, HAND, OWN = "hub", "url", "hand", "own"
_CHUNK = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


def models_folder() -> Path:
    """Return the models folder: ``COUNTERSIGN_MODELS``, else the user's data folder of this system."""
    import platformdirs

    chosen = os.environ.get("COUNTERSIGN_MODELS")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return Path(platformdirs.user_data_dir("countersign", appauthor=False)) / "models"


def place(name: str) -> Path:
    """Return where the files of a model are or would be. Raises InvalidInput for a name that could lead elsewhere."""
    if not _NAME.fullmatch(name) or name.endswith("."):
        raise InvalidInput(
            f"{name!r} cannot name a model of the models folder", remedy="Use letters, digits, '-', '_' and '.'."
        )
    return models_folder() / name


def is_inside(name: str) -> bool:
    """Whether a file's name, with slashes, stays below the folder that it is put in."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return bool(parts) and ".." not in parts and not name.startswith("/") and ":" not in parts[0]


@dataclass(frozen=True, slots=True)
class Record:
    """What ``weights.json`` says of one model: where its files came from and what they were.

    ``origin`` is ``hub``, ``url``, ``hand`` (somebody put the files there) or ``own`` (added by its user). ``revision``
    is the commit of the hub's repository. ``main`` is the path of an own model within the folder (empty: the folder),
    ``linked`` an absolute path where its files stayed where they were. ``reference`` and ``options`` say how an own
    model is opened where its files alone do not. ``sha256`` of each of ``files`` is whole.
    """

    card: ModelCard
    origin: str
    files: tuple[WeightFile, ...] = ()
    revision: str = ""
    at: str = ""
    by: str = ""
    main: str = ""
    linked: str = ""
    reference: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_own(self) -> bool:
        """Whether its user added the model."""
        return self.origin == OWN

    def to_data(self) -> dict[str, Any]:
        """Return JSON values from which ``from_data`` makes an equal record."""
        plain = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        files = [dataclasses.asdict(file) for file in self.files]
        return {"format": 1} | plain | {"card": self.card.to_data(), "files": files, "options": dict(self.options)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Record:
        """Make a record of JSON values. Raises ModelError for anything else."""
        try:
            names = {item.name for item in dataclasses.fields(cls)}
            values = {name: value for name, value in data.items() if name in names}
            values["card"] = ModelCard.from_data(values["card"])
            values["files"] = tuple(WeightFile(**file) for file in values.get("files", ()))
            return cls(**values)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"this is no record of weights: {error!r}") from error


def read(folder: Path) -> Record | None:
    """Return the record in a folder, or None where there is none. Raises ModelError for one that is damaged."""
    file = folder / RECORD
    if not file.is_file():
        return None
    try:
        return Record.from_data(orjson.loads(file.read_bytes()))
    except (OSError, orjson.JSONDecodeError, ModelError) as error:
        raise ModelError(f"{file} cannot be read: {error}", remedy=f"Remove it, then: countersign models check "
                         f"{folder.name}") from error  # fmt: skip


def write(folder: Path, record: Record) -> None:
    """Write the record of a folder."""
    write_json(folder / RECORD, record.to_data())


def read_json(file: Path) -> Mapping[str, Any]:
    """Return the object in a JSON file; empty where there is none. Raises ModelError for a damaged one."""
    try:
        found = orjson.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, orjson.JSONDecodeError) as error:
        raise ModelError(f"{file} cannot be read: {error}", remedy="Mend or remove it.") from error
    return found if isinstance(found, dict) else {}


def write_json(file: Path, data: Mapping[str, Any]) -> None:
    """Write a JSON file at once: readers see the old content or the new one. Raises ModelError."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(orjson.dumps(dict(data), option=orjson.OPT_INDENT_2))
                out.flush()
                os.fsync(out.fileno())
            part.chmod(0o644)
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(
            f"{file} cannot be written: {error.strerror or error}",
            remedy="Make the models folder writable, or choose another with COUNTERSIGN_MODELS.",
        ) from error


@contextlib.contextmanager
def locked(what: Path, *, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lock of a file or folder of the models folder; other processes wait.

    While it is held elsewhere ``waiting`` is called now and then: it may raise to give up. The lock of a process
    that dies is free again.
    """
    import filelock

    folder = models_folder() / LOCKS
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(
            f"the models folder {folder.parent} cannot be written: {error.strerror or error}",
            remedy="Choose another with COUNTERSIGN_MODELS.",
        ) from error
    lock = filelock.FileLock(folder / f"{what.name}.lock", thread_local=False)
    while True:
        try:
            lock.acquire(timeout=0.2)
            break
        except filelock.Timeout:
            if waiting is not None:
                waiting()
    try:
        yield
    finally:
        lock.release()


def sha256(path: Path, on_bytes: Callable[[int], None] | None = None) -> str:
    """Return the SHA-256 of a file in hex. ``on_bytes`` is told how many more were read, and may raise to stop."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            if on_bytes is not None:
                on_bytes(len(chunk))
    return digest.hexdigest()


def described(folder: Path, name: str, *, url: str = "", on_bytes: Callable[[int], None] | None = None) -> WeightFile:
    """Return a file of a folder with its size and hash."""
    path = folder / name
    return WeightFile(name, sha256(path, on_bytes), url, path.stat().st_size)
