"""How images are found by name: for queries, and for the names that label files use. No SQL here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


def last_part(name: str) -> str:
    """Return what follows the last slash (or backslash)."""
    if "\\" in name:
        name = name.replace("\\", "/")
    return name[name.rfind("/") + 1 :]


def without_ending(name: str) -> str:
    """Return the name without its last ending: ``a/b.tar.gz`` gives ``a/b.tar``, ``.hidden`` stays."""
    dot = name.rfind(".")
    if dot <= 0 or name[dot - 1] in "/\\":
        return name
    ending = name[dot:]
    return name if "/" in ending or "\\" in ending else name[:dot]


def stem(name: str) -> str:
    """Return the last part without its ending: what every way to write an image's name has in common."""
    return without_ending(last_part(name))


def forms(name: str, path: str) -> set[str]:
    """Return all that an image may be called: name, path, the last part of either, with and without the ending."""
    full = {name, path, last_part(name), last_part(path)}
    return full | {without_ending(form) for form in full}


@dataclass(frozen=True, slots=True)
class NamedImage:
    """What an importer needs to know of an image: ``width`` and ``height`` are pixels of the upright image."""

    id: int
    name: str
    path: str
    width: int
    height: int


class NameIndex:
    """The images of a project by name, for the names that label files use."""

    def __init__(self, images: Iterable[NamedImage]) -> None:
        self._images = list(images)
        self._by_stem: dict[str, list[NamedImage]] = {}
        for image in self._images:
            first, second = stem(image.name), stem(image.path)
            self._by_stem.setdefault(first, []).append(image)
            if second != first:
                self._by_stem.setdefault(second, []).append(image)
        self._by_path = {image.path: image for image in self._images}
        self._by_name = {image.name: image for image in self._images}
        self._namesakes: dict[str, list[NamedImage]] = {}
        if len(self._by_name) < len(self._images):  # several folders were imported, each with an a.jpg
            for image in self._images:
                self._namesakes.setdefault(image.name, []).append(image)

    def __len__(self) -> int:
        return len(self._images)

    def __iter__(self) -> Iterator[NamedImage]:
        return iter(self._images)

    def find(self, name: str) -> tuple[NamedImage, ...]:
        """Return the image that a label file means by this name: none, one, or several if it cannot be told.

        The name or path itself wins. Otherwise the images whose last part agrees, with its ending if one agrees with
        it, else without; of several, those that agree on the most folders above it.
        """
        exact = self._by_name.get(name) or self._by_path.get(name)
        if exact is not None:
            return tuple(self._namesakes.get(name, ())) or (exact,)
        wanted = name.replace("\\", "/").rstrip("/")
        last = last_part(wanted)
        candidates = [*self._by_stem.get(without_ending(last), ()), *self._by_stem.get(last, ())]
        best = max((_agreement(wanted, image) for image in candidates), default=(False, 0))
        found = {image.id: image for image in candidates if _agreement(wanted, image) == best}
        return tuple(found.values())


def _agreement(wanted: str, image: NamedImage) -> tuple[bool, int]:
    """Whether the last parts agree with their ending, and how many folders above them agree."""
    return max(_agreement_of(wanted, image.name), _agreement_of(wanted, image.path.replace("\\", "/")))


def _agreement_of(wanted: str, known: str) -> tuple[bool, int]:
    first, second = wanted.split("/"), known.split("/")
    folders = 0
    for one, other in zip(reversed(first[:-1]), reversed(second[:-1]), strict=False):
        if one != other:
            break
        folders += 1
    return (first[-1] == second[-1], folders)
