"""Tiny checkpoints with random weights, saved by the libraries themselves, for every family of the catalogue.

A family ``f`` has a module ``tiny_checkpoints/f.py`` with::

    def build(card: ModelCard, folder: Path) -> None    # write a checkpoint of the card's architecture; seeded
    def key(card: ModelCard) -> str                     # optional: cards of one key share one checkpoint
    def files(card: ModelCard) -> dict[str, str]        # optional: names of the files in the card's own folder
    def narrow(patch: pytest.MonkeyPatch) -> None       # optional: put small networks in place of the library's
    SLOW: frozenset[str]                                # optional: keys that take more than five seconds

They are kept below ``.pytest_cache`` under a name made of the builder's source and the libraries' versions, so that
they are built once. A folder is complete as soon as it has its name.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.util
import shutil
import uuid
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest

from countersign.domain.model import ModelCard, WeightFile
from countersign.models.folder import licences, pickles, records
from countersign.models.folder.records import Record

_LIBRARIES = ("torch", "torchvision", "transformers", "timm", "ultralytics")


def builder(family: str) -> ModuleType | None:
    """Return the module that builds a family's checkpoints, or None where nobody has written one."""
    name = f"{__name__}.{family}"
    return importlib.import_module(name) if importlib.util.find_spec(name) else None


def key(card: ModelCard) -> str:
    """Return the name of the checkpoint that stands for a card."""
    module = builder(card.family)
    made = getattr(module, "key", None)
    return made(card) if made else card.name


def narrow(card: ModelCard, patch: pytest.MonkeyPatch) -> None:
    """Put small networks in place of a library's, where its family's checkpoints are of such."""
    getattr(builder(card.family), "narrow", lambda patch: None)(patch)


def is_slow(card: ModelCard) -> bool:
    """Whether testing with a card's checkpoint takes more than five seconds."""
    return key(card) in getattr(builder(card.family), "SLOW", ())


def checkpoint(card: ModelCard, cache: Path) -> Path:
    """Return the folder of the checkpoint for a card, building it where it is not there yet."""
    module = builder(card.family)
    assert module is not None, f"tests/tiny_checkpoints/{card.family}.py is missing: a family needs one"
    folder = cache / f"{card.family}-{_fingerprint(card.family)}" / key(card)
    if not folder.exists():
        for old in cache.glob(f"{card.family}-*"):  # of an earlier builder or library
            if old != folder.parent:
                shutil.rmtree(old, ignore_errors=True)
        part = folder.parent / f".{uuid.uuid4().hex}"
        part.mkdir(parents=True)
        module.build(card, part)
        try:
            part.rename(folder)
        except OSError:  # another process was quicker
            shutil.rmtree(part)
    return folder


def install(card: ModelCard, cache: Path, models: Path) -> Path:
    """Put a card's checkpoint into a models folder, as if it had been fetched. Returns its place there."""
    source, place = checkpoint(card, cache), models / card.name
    if not place.exists():
        place.mkdir(parents=True)
        renamed = getattr(builder(card.family), "files", lambda card: {})(card)
        for file in source.iterdir():
            (place / renamed.get(file.name, file.name)).symlink_to(file)
        names = sorted(file.relative_to(place).as_posix() for file in place.rglob("*") if file.is_file())
        records.write(place, Record(card, "hand", tuple(WeightFile(name) for name in names)))
        licences.accept(card, "the tests")
        for name in names:
            if pickles.is_pickle(place / name):
                pickles.allow(place / name, "the tests")
    return place


@functools.cache
def _fingerprint(family: str) -> str:
    digest = hashlib.sha256("".join(f"{name}{version(name)}" for name in _LIBRARIES).encode())
    for file in sorted(
        {Path(__file__), Path(__file__).with_name(f"{family}.py"), *Path(__file__).parent.glob("_*.py")}
    ):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
