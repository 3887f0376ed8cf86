"""Models that users add to the models folder: a file or folder of theirs, copied there or left where it is.

Which family opens it is asked of the registry: everything that ``--model PATH`` takes can be added and has a name then.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from countersign.domain.errors import InvalidInput, ModelError, NameTaken
from countersign.domain.model import ModelCard
from countersign.models import catalogue, registry
from countersign.models.folder import pickles, records, weights
from countersign.models.folder.pulling import PARTIAL
from countersign.models.folder.records import Record

CLASSES = "classes.txt"
_BESIDE = (".json", ".yaml", ".yml", ".toml", ".txt", ".data")
"""Endings of files that belong to a model's file of the same name: descriptions, class lists, weights kept apart."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a user says of an own model, where its files do not: name, classes (by index), licence, description.

    ``reference`` is a family's own name for the architecture (``timm:resnet18``), for weights that do not say it.
    """

    name: str = ""
    classes: tuple[str, ...] = ()
    licence: str = ""
    description: str = ""
    reference: str = ""


def add(
    path: Path,
    said: Said,
    *,
    by: str,
    link: bool = False,
    allow_pickle: bool = False,
    read_card: Callable[[str], ModelCard] = registry.card,
) -> ModelCard:
    """Give a model of the user's own a place in the catalogue. Returns its card.

    ``link`` leaves the files where they are. ``read_card`` reads the card of a model by its reference. Raises
    ModelError for files that no family opens and for pickles that are not allowed, NameTaken, InvalidInput.
    """
    path = path.expanduser().absolute()
    if not path.exists():
        raise ModelError(f"there is nothing at {path}", remedy="Check the path.")
    name = said.name or slug(path.stem if path.is_file() else path.name)
    place = records.place(name)
    with records.locked(place):
        if place.exists() or catalogue.find(name) is not None:
            raise NameTaken("model", name, remedy="Choose another with --name.")
        left_out = _check_pickles(path, by, allow_pickle)
        card = _card(path, said, name, read_card)
        if link:
            place.mkdir(parents=True)
        else:
            _copy(path, place, left_out)
        try:
            _record(path, place, card, said, by, link)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
    return card


def slug(text: str) -> str:
    """Make a name of a model of a file's name.

    >>> slug("My Cells (v2)")
    'my-cells-v2'
    """
    return re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-._") or "model"


def reference(text: str, card: ModelCard) -> registry.Reference | None:
    """Return what ``text``, the name of an added model, refers to; None for a model that was not added."""
    record = records.read(records.place(card.name))
    if record is None or not record.is_own:
        return None
    path = weights.path_of(card)
    place = records.place(card.name)
    options = {key: str(place / value) for key, value in record.options.items()}  # an absolute one stays as it is
    if record.reference:
        found = registry.parse(record.reference)
        return dataclasses.replace(found, text=text, path=path, card=card, options={**found.options, **options})
    return registry.Reference(text, card.family, card.name, path=path, card=card, options=options)


def files_of(path: Path) -> list[Path]:
    """The files of a model: all of its folder, or the file, what its family knows, what has the same name beside it."""
    if path.is_dir():
        return sorted(item for item in path.rglob("*") if item.is_file() and not _is_hidden(item, path))
    family = registry.family(registry.family_of(path))
    named = family.files(path) if isinstance(family, registry.Gatherer) else ()
    return [path, *sorted({*_beside(path), *named} - {path})]


def _is_hidden(item: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in item.relative_to(folder).parts)


def _beside(path: Path) -> Iterator[Path]:
    for ending in _BESIDE:
        for name in {f"{path.stem}{ending}", f"{path.name}{ending}"}:
            if (path.with_name(name)).is_file() and name != path.name:
                yield path.with_name(name)


def _check_pickles(path: Path, by: str, allow: bool) -> set[Path]:
    """Return the pickles that are left out, as safetensors hold the same. Raises ModelError for others not allowed."""
    files = files_of(path)
    found = [file for file in files if pickles.is_pickle(file)]
    if allow:
        for file in found:
            pickles.allow(file, by)
        return set()
    if path.is_dir() and any(file.suffix == ".safetensors" for file in files):
        return set(found)
    for file in found:
        try:
            pickles.require(file)
        except ModelError as error:
            raise ModelError(
                error.what, remedy="Prefer a safetensors or ONNX file. If you trust it, add it with --allow-pickle."
            ) from error
    return set()


def _card(path: Path, said: Said, name: str, read_card: Callable[[str], ModelCard]) -> ModelCard:
    text = str(path)
    if said.reference:
        base = registry.parse(said.reference)
        options = {**base.options, **_options(base.family, str(path), "")}
        text = said.reference.partition("?")[0] + (f"?{urlencode(options)}" if options else "")
    card = read_card(text)
    _check_weights(path)
    own_names = not said.classes or said.reference or "classes" in registry.family(card.family).option_names
    if not own_names and said.classes != card.classes:
        raise InvalidInput(
            f"{path.name} names its classes itself ({', '.join(card.classes[:5]) or 'any words'} ...)",
            remedy="Leave --classes out; 'countersign label-map' gives them other names in a project.",
        )
    if said.classes and card.classes and not said.reference and len(said.classes) != len(card.classes):
        raise InvalidInput(
            f"{path.name} knows {len(card.classes)} classes, and {len(said.classes)} names are given",
            remedy="Give one name for each class, in the order of the model's outputs.",
        )
    return dataclasses.replace(
        card,
        name=name,
        classes=said.classes or card.classes,
        licence=said.licence or card.licence,
        description=said.description or card.description,
        speed=0,
        performance=0,
    )


def _check_weights(path: Path) -> None:
    """Raise ModelError for a checkpoint without weights, with a part of them, or with a file that was cut short."""
    for file in files_of(path):
        if file.suffix == ".safetensors" and not pickles.is_pickle(file):
            _check_safetensors(file)
    if not (path / "config.json").is_file():
        return
    if not any(file.suffix == ".safetensors" or pickles.may_be(file.name) for file in path.iterdir()):
        raise ModelError(f"{path} holds no weights", remedy="Put model.safetensors beside config.json.")
    if not (path / "model.safetensors").is_file() and (absent := weights.absent_shards(path)):
        raise ModelError(
            f"of the weights in {path} {', '.join(absent[:3])} is missing", remedy="Fetch the model again."
        )


def _check_safetensors(file: Path) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, "numpy"):  # reads the header, which must cover the file
            pass
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{file} is damaged: {error}", remedy="Fetch it again.") from error


def _options(family: str, path: str, classes: str) -> dict[str, str]:
    """The options by which a family is told of files, as far as it has them."""
    known = registry.family(family).option_names
    return {key: value for key, value in (("weights", path), ("classes", classes)) if value and key in known}


def _copy(path: Path, place: Path, left_out: set[Path]) -> None:
    partial = weights.folder() / PARTIAL / f"{place.name}-own"
    shutil.rmtree(partial, ignore_errors=True)
    base = path if path.is_dir() else path.parent
    try:
        for file in files_of(path):
            if file not in left_out:
                target = partial / file.relative_to(base)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
        partial.replace(place)
    except OSError as error:
        raise ModelError(
            f"{path} cannot be copied to {place}: {error.strerror or error}",
            remedy="Make room, or leave it where it is with --link.",
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _record(path: Path, place: Path, card: ModelCard, said: Said, by: str, link: bool) -> None:
    base = (path if path.is_dir() else path.parent) if link else place
    names = [file.relative_to(base).as_posix() for file in files_of(path if link else _copied(path, place))]
    files = tuple(records.described(base, name) for name in names)
    if said.classes:
        (place / CLASSES).write_text("".join(f"{name}\n" for name in said.classes), encoding="utf-8")
    main = "" if path.is_dir() or link else path.name
    options = _options(card.family, str(path) if link else main, CLASSES if said.classes else "")
    if not said.reference:
        options.pop("weights", None)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    linked = str(path) if link else ""
    record = Record(card, records.OWN, files, "", at, by, main, linked, said.reference, options)
    records.write(place, record)


def _copied(path: Path, place: Path) -> Path:
    return place if path.is_dir() else place / path.name
