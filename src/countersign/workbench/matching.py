"""Which image of a project a name in a file means.

The path itself wins, then what the store's index says: the whole name, else the image whose last part agrees and that
shares the most folders with it. Images that fit equally well are rivals: the caller reports it.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from countersign.store import Store, images
from countersign.store.names import NamedImage


def full(path: str | Path) -> Path:
    """Return the whole path, ``~`` and ``..`` worked out: what an image's path is compared with. Links stay links."""
    return Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100  (resolve() would follow links)


@dataclass(frozen=True, slots=True)
class Match:
    """The image that a name means, or None; ``rivals`` are those that fit equally well."""

    image: NamedImage | None
    rivals: tuple[NamedImage, ...] = ()


class ImageNames:
    """The images of a project by name and path, as they are when this is made."""

    def __init__(self, store: Store, project_id: int) -> None:
        with store.read() as c:
            self._index = images.by_name(c, project_id)
        everything = list(self._index)
        self._by_path = {image.path: image for image in everything}
        named = Counter(image.name for image in everything)
        self._same: dict[str, list[NamedImage]] = {name: [] for name, number in named.items() if number > 1}
        for image in everything:
            if image.name in self._same:
                self._same[image.name].append(image)

    def match(self, name: str, path: Path | None = None) -> Match:
        """Find the one image that a name (and a path, where a file was found) means."""
        if path is not None and (image := self._by_path.get(str(full(path)))) is not None:
            return Match(image)
        name = name.replace("\\", "/").removeprefix("./")
        found = self._by_path.get(name)
        candidates = (found,) if found else tuple(self._same.get(name) or self._index.find(name))
        return Match(candidates[0]) if len(candidates) == 1 else Match(None, candidates)

    def place(self, path: str, image: NamedImage) -> None:
        """Say that a file is this image, which came just now or is known under another path."""
        self._by_path[path] = image

    def all_of(self, name: str) -> list[int]:
        """Return the ids of all images that a name fits best: several if it is ambiguous, none if there are none."""
        found = self.match(name)
        return [found.image.id] if found.image else sorted(image.id for image in found.rivals)
