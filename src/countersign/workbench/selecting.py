"""Which images somebody means: a query, a query in words, a file of names, names, or ids.

``select`` turns any of these into an ``ImageQuery``. A name that fits no image is reported, never ignored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from countersign.domain import query as queries
from countersign.domain.errors import InvalidInput, QueryError
from countersign.domain.query import ImageQuery
from countersign.store import Store
from countersign.workbench.matching import ImageNames

Images: TypeAlias = ImageQuery | str | Path | Sequence[str] | Sequence[int] | None
"""What verbs take as ``images``. None means all; a str is a file of names if there is such a file, else a query."""

_LIST_ENDINGS = frozenset({".txt", ".lst", ".list", ".csv", ".names"})


@dataclass(frozen=True, slots=True)
class Selection:
    """A query, and what of the request fits no image (``unmatched``) or several (``ambiguous``)."""

    query: ImageQuery
    unmatched: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()


def select(store: Store, project_id: int, images: Images) -> Selection:
    """Turn what somebody gave into a query of images. Raises QueryError, and InvalidInput if no name fits."""
    match images:
        case None:
            return Selection(ImageQuery())
        case ImageQuery():
            return Selection(images)
        case Path():
            return _by_names(store, project_id, read_names(images), str(images))
        case str():
            if (path := _file_of_names(images)) is not None:
                return _by_names(store, project_id, read_names(path), images)
            return Selection(queries.parse(images))
    ids = tuple(item for item in images if isinstance(item, int))
    if len(ids) == len(images):
        return Selection(ImageQuery(ids=ids))
    return _by_names(store, project_id, [str(item) for item in images], "the list")


def query_of(store: Store, project_id: int, images: Images) -> ImageQuery:
    """Return the query alone."""
    return select(store, project_id, images).query


def read_names(path: Path) -> list[str]:
    """Read a file of image names, one a line; blank lines and lines that begin with ``#`` are left out."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is no text file", remedy="Give a file of image names, one a line.") from error
    names = [line.strip() for line in text.splitlines()]
    names = [name for name in names if name and not name.startswith("#")]
    if not names:
        raise InvalidInput(f"{path} names no image", remedy="Write one image name a line.")
    return names


def _file_of_names(text: str) -> Path | None:
    path = Path(text).expanduser()
    try:
        if path.is_file():
            return path
    except OSError:  # a query too long for a file's name
        return None
    if path.suffix.lower() in _LIST_ENDINGS and "=" not in text and "~" not in text:
        raise QueryError(f"there is no file {text}", remedy="Give a query or the path of a file of image names.")
    return None


def _by_names(store: Store, project_id: int, names: Sequence[str], source: str) -> Selection:
    index = ImageNames(store, project_id)
    found: dict[int, None] = {}
    unmatched, ambiguous = [], []
    for name in dict.fromkeys(names):
        ids = index.all_of(name)
        found.update(dict.fromkeys(ids))
        if not ids:
            unmatched.append(name)
        elif len(ids) > 1:
            ambiguous.append(name)
    if not found:
        raise InvalidInput(
            f"None of the {len(names)} names in {source} is that of an image of the project",
            remedy=f"The first is {names[0]!r}; 'countersign images' lists the names.",
        )
    return Selection(ImageQuery(ids=tuple(found)), tuple(unmatched), tuple(ambiguous))
