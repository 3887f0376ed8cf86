"""Where the weights of models are: the models folder, shared by all projects and workspaces, and the usual caches.

    <models folder>/<card name>/               the files of one model, and
    <models folder>/<card name>/weights.json   what they are: card, origin, SHA-256 of each file (see ``records``)

What is not there is looked for in the cache of the Hugging Face hub, and files of torchvision in that of torch hub.
Files that somebody puts into the folder by hand are recognised by their names, and recorded at their first use.
Loading never downloads: what is not there is a ``ModelError`` that names the command which fetches it (``pulling``).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from countersign.domain.errors import Conflict, InvalidInput, ModelError, NotFound
from countersign.domain.model import ModelCard, WeightFile
from countersign.models.folder import licences, records
from countersign.models.folder.records import RECORD, Record

MODELS, HUB_CACHE, TORCH_CACHE, LINKED = "models folder", "hub cache", "torch cache", "linked"

folder = records.models_folder


@dataclass(frozen=True, slots=True)
class Installed:
    """Where a model's files are. ``where`` is ``models folder``, ``hub cache``, ``torch cache`` or ``linked``."""

    folder: Path
    where: str
    bytes: int
    files: int


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of one file: ``state`` is ``ok``, ``damaged``, ``missing`` or ``unknown`` (nobody says its hash)."""

    model: str
    file: str
    state: str
    path: str


def find(card: ModelCard) -> Path | None:
    """Return the folder that holds all of the model's files, or None where they are not here. Reads no weights."""
    found = _found(card)
    return found[0] if found else None


def _found(card: ModelCard) -> tuple[Path, str] | None:
    place = records.place(card.name)
    record = records.read(place)
    if record is not None:
        base = _base(place, record)
        if all((base / file.name).is_file() for file in record.files) and base.is_dir():
            return base, LINKED if record.linked else MODELS
    elif is_complete(place, card):
        return place, MODELS
    for found, where in ((in_hub_cache(card), HUB_CACHE), (in_torch_cache(card), TORCH_CACHE)):
        if found is not None:
            return found, where
    return None


def _base(place: Path, record: Record) -> Path:
    """The folder that the recorded names are below."""
    linked = Path(record.linked) if record.linked else None
    if linked is None:
        return place
    return linked if linked.is_dir() else linked.parent


def path_of(card: ModelCard) -> Path | None:
    """Return the file or folder by which a model that was added is opened; None for one that was not, or is gone."""
    place = records.place(card.name)
    record = records.read(place)
    if record is None or not record.is_own:
        return None
    return Path(record.linked) if record.linked else place / record.main


def locate(card: ModelCard) -> Path:
    """Return the folder that holds the model's files, to load them.

    Files that were put there by hand are hashed, compared with the card and recorded, once. Raises ModelError where
    files are missing or are not what the card says, and where a licence must be accepted first.
    """
    place, where = require(card)
    if where == MODELS and not (place / RECORD).is_file():
        adopt(card)
    return place


def require(card: ModelCard) -> tuple[Path, str]:
    """Return the folder that holds the model's files, and of what kind it is. Reads no weights. Raises ModelError."""
    licences.require(card)
    found = _found(card)
    if found is None:
        size = f" ({card.download_bytes / 1e6:,.0f} MB)" if card.download_bytes else ""
        gone = _gone(card)
        what = (
            f"of the files of {card.name!r} {', '.join(gone)} {'is' if len(gone) == 1 else 'are'} missing in "
            f"{records.place(card.name)}"
            if gone
            else f"the weights of {card.name!r} are not on this machine"
        )
        raise ModelError(what, remedy=f"Fetch them with: countersign models pull {pull_name(card)}{size}")
    return found


def pull_name(card: ModelCard) -> str:
    """Return how ``countersign models pull`` knows a model: by its name, or as a repository of the hub."""
    from countersign.models import catalogue

    own_name = card.hub_id or card.details.get("architecture")
    return f"{card.family}:{own_name}" if own_name and catalogue.find(card.name) is None else card.name


def _gone(card: ModelCard) -> list[str]:
    place = records.place(card.name)
    record = records.read(place)
    if record is not None:
        return [file.name for file in record.files if not (_base(place, record) / file.name).is_file()]
    if not place.is_dir() or not any(place.iterdir()):
        return []
    if card.files:
        return [file.name for file in card.files if not (place / file.name).is_file()]
    absent = [] if (place / "config.json").is_file() else ["config.json"]
    return absent + (absent_shards(place) or [] if any(place.glob("*.safetensors")) else ["model.safetensors"])


def adopt(card: ModelCard, on_bytes: Callable[[int], None] | None = None) -> Record:
    """Record the files that somebody put into the model's folder. Raises ModelError where they are not the card's."""
    place = records.place(card.name)
    names = sorted(
        path.relative_to(place).as_posix()
        for path in place.rglob("*")
        if path.is_file() and not path.name.startswith(".") and path.name != RECORD
    )
    files = tuple(records.described(place, name, on_bytes=on_bytes) for name in names)
    published = {file.name: file.sha256.lower() for file in card.files}
    for file in files:
        if not file.sha256.startswith(published.get(file.name, "")):
            raise ModelError(
                f"{place / file.name} is not the file that the card of {card.name} names: its SHA-256 is "
                f"{file.sha256}, not {published[file.name]}",
                remedy="Fetch it again.",
            )
    record = Record(card, records.HAND, files, at=datetime.now(UTC).isoformat(timespec="seconds"))
    if os.access(place, os.W_OK):
        records.write(place, record)
    return record


def is_complete(place: Path, card: ModelCard) -> bool:
    """Whether a folder holds all files that a model needs, by their names."""
    if card.files:
        return all((place / file.name).is_file() for file in card.files)
    if not card.hub_id or not (place / "config.json").is_file():
        return False
    absent = absent_shards(place)
    return any(place.glob("*.safetensors")) if absent is None else not absent


def absent_shards(place: Path) -> list[str] | None:
    """Return what is missing of weights in several files; None where they are not. A damaged index is missing."""
    index = place / "model.safetensors.index.json"
    if not index.is_file():
        return None
    try:
        shards = {str(shard) for shard in orjson.loads(index.read_bytes())["weight_map"].values()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return [index.name]
    return sorted(shard for shard in shards if not (place / shard).is_file())


def hub_cache() -> Path:
    """Return the cache folder of the Hugging Face hub, by its own variables."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if given := os.environ.get(name):
            return Path(given).expanduser()
    home = os.environ.get("HF_HOME")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return (Path(home).expanduser() if home else cache / "huggingface") / "hub"


def in_hub_cache(card: ModelCard) -> Path | None:
    """Return the snapshot of the model's repository in the hub's cache, where it has all files; else None."""
    if not card.hub_id:
        return None
    repository = hub_cache() / f"models--{card.hub_id.replace('/', '--')}"
    snapshots = repository / "snapshots"
    try:
        commits = sorted(snapshots.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    except OSError:
        return None
    main = repository / "refs" / "main"
    if main.is_file():
        commits.insert(0, snapshots / main.read_text().strip())
    return next((commit for commit in commits if is_complete(commit, card)), None)


def in_torch_cache(card: ModelCard) -> Path | None:
    """Return torch hub's folder of checkpoints where it holds all of the model's files, by their addresses; or None."""
    if not card.files or not all(file.url and file.sha256 for file in card.files):
        return None
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    home = Path(os.environ.get("TORCH_HOME") or cache / "torch").expanduser()
    checkpoints = home / "hub" / "checkpoints"
    return checkpoints if is_complete(checkpoints, card) else None


def installed(card: ModelCard) -> Installed | None:
    """Return where the model's files are and how many bytes they take, or None where they are not here.

    One whose record is damaged counts as not here: ``locate`` says so.
    """
    try:
        found = _found(card)
    except ModelError:
        return None
    if found is None:
        return None
    place, where = found
    record = records.read(records.place(card.name))
    if record is not None and record.files:
        paths = [_base(records.place(card.name), record) / file.name for file in record.files]
    elif where == TORCH_CACHE:
        paths = [place / file.name for file in card.files]
    else:
        paths = [path for path in place.rglob("*") if path.is_file()]
    sizes = [path.stat().st_size for path in paths if path.is_file()]
    return Installed(place, where, sum(sizes), len(sizes))


def added() -> list[ModelCard]:
    """Return the cards of the models that their users added (``countersign models add``). A damaged one is left out."""
    return [record.card for record in recorded() if record.is_own]


def record_of(name: str) -> Record | None:
    """Return the record of the model of this name; None where there is none, or a damaged one."""
    try:
        record = records.read(records.place(name))
    except (InvalidInput, ModelError):
        return None
    # Some file systems find a folder by another spelling of its name.
    return record if record is not None and record.card.name == name else None


def recorded() -> list[Record]:
    """Return the records of all models in the models folder, by name. A damaged one is left out."""
    found = []
    for file in sorted(folder().glob(f"*/{RECORD}")):
        try:
            record = records.read(file.parent)
        except ModelError:
            continue
        if record is not None:
            found.append(record)
    return found


def check(card: ModelCard, on_bytes: Callable[[int], None] | None = None) -> list[Checked]:
    """Hash the model's files again and say of each what became of it. Records those that were put there by hand.

    Raises NotFound where the model is not on this machine, ModelError where only a part of it is.
    """
    place = records.place(card.name)
    record = records.read(place)
    if record is not None:
        base = _base(place, record)
        return [_compared(card.name, base, file.name, file.sha256, on_bytes) for file in record.files]
    found = _found(card)
    if found is None and _gone(card):
        require(card)  # says what is missing of the files that somebody put there
    if found is None:
        raise NotFound(
            "model on this machine", card.name, remedy=f"Fetch it: countersign models pull {pull_name(card)}"
        )
    base, where = found
    known = {file.name: file.sha256 for file in card.files}
    checked = [
        _compared(card.name, base, name, known.get(name) or _hash_of_blob(base / name), on_bytes)
        for name in _names_at(base, card, where)
    ]
    if where == MODELS and all(item.state in ("ok", "unknown") for item in checked):
        adopt(card)
        checked = [Checked(item.model, item.file, "ok", item.path) for item in checked]
    return checked


def _names_at(base: Path, card: ModelCard, where: str) -> Sequence[str]:
    if where == TORCH_CACHE:
        return [file.name for file in card.files]
    return sorted(
        path.relative_to(base).as_posix() for path in base.rglob("*") if path.is_file() and path.name[0] != "."
    )


def _hash_of_blob(path: Path) -> str:
    """The hub's cache names a large file's content by its SHA-256: the link says what it should be."""
    name = path.resolve().name
    return name if len(name) == 64 and all(letter in "0123456789abcdef" for letter in name) else ""


def _compared(model: str, base: Path, name: str, wanted: str, on_bytes: Callable[[int], None] | None) -> Checked:
    path = base / name
    if not path.is_file():
        state = "missing"
    elif not wanted:
        state = "unknown"
    else:
        state = "ok" if records.sha256(path, on_bytes).startswith(wanted.lower()) else "damaged"
    return Checked(model, name, state, str(path))


def remove(name: str) -> int:
    """Remove a model's files from the models folder, and nothing outside it. Returns the bytes that are free again.

    What a linked model points to stays. Raises NotFound, and Conflict where its files are in another program's cache.
    """
    place = records.place(name)
    unfinished = folder() / ".partial" / name
    if not place.exists() and not place.is_symlink() and not unfinished.exists():
        from countersign.models import catalogue

        card = catalogue.find(name)
        found = _found(card) if card else None
        if found:
            raise Conflict(
                f"The files of {name} are in the {found[1]}, {found[0]}, which is not ours to clear",
                remedy="Delete them there.",
            )
        raise NotFound("model in the models folder", name)
    with records.locked(place):
        freed = sum(_bytes(path) for path in (place, unfinished))
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            if place.is_symlink():
                place.unlink()
            elif place.exists():
                shutil.rmtree(place)
        except OSError as error:
            raise ModelError(f"{place} cannot be removed: {error.strerror or error}") from error
    return freed


def _bytes(place: Path) -> int:
    if place.is_symlink() or not place.is_dir():
        return 0
    return sum(path.lstat().st_size for path in place.rglob("*") if path.is_file() and not path.is_symlink())


def usage() -> Mapping[str, int]:
    """Return the bytes that each model takes in the models folder, by name; unfinished downloads count with theirs."""
    root = folder()
    if not root.is_dir():
        return {}
    found = {path.name: _bytes(path) for path in sorted(root.iterdir()) if path.is_dir() and path.name[0] != "."}
    for path in sorted((root / ".partial").glob("*")):
        found[path.name] = found.get(path.name, 0) + _bytes(path)
    return found


def recorded_files(card: ModelCard) -> tuple[WeightFile, ...]:
    """Return the files of a model with hashes and sizes, as recorded; none where nothing is."""
    record = records.read(records.place(card.name))
    return record.files if record is not None else ()
