"""Image records. Files are read and hashed elsewhere; here is only what is known of them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from countersign.domain.errors import InvalidInput, NotFound
from countersign.domain.image import Image, ImageFile, ImageState
from countersign.domain.query import ImageQuery
from countersign.store import query as queries
from countersign.store import tables as t
from countersign.store.names import NamedImage, NameIndex, stem
from countersign.store.sets import Lock, among, insert_many, lock, note_many, reserve_ids


@dataclass(frozen=True, slots=True)
class NewImage:
    """An image to add. ``name`` is its path below the folder that is imported, with slashes."""

    file: ImageFile
    name: str
    split: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AddResult:
    """What became of the images that were to be added.

    ``added`` are the ids of the new ones; ``known`` counts those whose content was there, ``moved`` those of them whose
    file had moved. ``duplicates`` are (path, name of the image that has the same content) of known ones whose earlier
    file is still there too. ``ids`` holds the image of every item, in order.
    """

    added: list[int]
    known: int
    moved: int
    duplicates: list[tuple[str, str]]
    ids: list[int]


_COLUMNS = (
    "id", "project_id", "name", "path", "name_stem", "path_stem", "content_hash", "width", "height", "format", "bands",
    "dtype", "bytes", "modified_ns", "state", "split",
)  # fmt: skip
_READ: tuple[sa.Column[Any], ...] = tuple(
    t.image.c[name]
    for name in (
        "id", "project_id", "name", "path", "content_hash", "width", "height", "format", "bands", "dtype", "bytes",
        "state", "split",
    )
)  # fmt: skip


def add(c: Connection, project_id: int, items: Sequence[NewImage]) -> AddResult:
    """Add images, each content once. Known content with a new path, whose old path is gone, has moved.

    A file that was replaced by another content leaves its old image without a file (state ``missing``). A known image
    gets the split if it has none, and the tags. Bytes are compared by hash alone.
    """
    lock(c, Lock.IMAGES, project_id)
    if items:
        _note_change(c, t.project.c.id == project_id)
    known = _by_hash(c, project_id, {item.file.content_hash for item in items})
    next_id = reserve_ids(c, t.image, len(items))
    rows: list[tuple[Any, ...]] = []
    result = AddResult([], 0, 0, [], [])
    moved = again = 0
    for item in items:
        earlier = known.get(item.file.content_hash)
        if earlier is None:
            known[item.file.content_hash] = _known(next_id, item)
            rows.append(_row(next_id, project_id, item))
            result.added.append(next_id)
            result.ids.append(next_id)
            next_id += 1
            continue
        again += 1
        result.ids.append(earlier.id)
        if item.file.path != earlier.path:
            if os.path.exists(earlier.path) and earlier.state == "ok":  # noqa: PTH110  (a Path for each of 100,000 costs)
                result.duplicates.append((item.file.path, earlier.name))
                continue
            moved += 1
        known[item.file.content_hash] = _meet(c, earlier, item)
    insert_many(c, t.image, _COLUMNS, rows)
    note_many(c, len(rows), t.image)
    _mark_replaced(c, project_id, items)
    _tag_items(c, project_id, items, result.ids)
    return replace(result, known=again, moved=moved)


def get(c: Connection, image_id: int) -> Image:
    """Return the image with this id. Raises NotFound."""
    found = by_ids(c, [image_id])
    if not found:
        raise NotFound("image", image_id)
    return found[0]


def by_ids(c: Connection, ids: Collection[int]) -> list[Image]:
    """Return the images with these ids, in the order of ids; ids without an image are left out."""
    return _images(c, c.execute(sa.select(*_READ).where(among(c, t.image.c.id, ids)).order_by(t.image.c.id)).all())


def page(
    c: Connection, project_id: int, query: ImageQuery | None = None, *, after: int = 0, limit: int = 100
) -> list[Image]:
    """Return the first images that fit with ids above ``after``, in the order of ids. ``None`` fits all.

    Raises NotFound for a field or class that the query names and that is not there.
    """
    return _page(c, queries.conditions(c, project_id, query), after, limit)


def walk(
    c: Connection, project_id: int, query: ImageQuery | None = None, *, chunk: int = 1000
) -> Iterator[list[Image]]:
    """Yield all images that fit in the order of ids, in lists of at most ``chunk``."""
    fits, after = queries.conditions(c, project_id, query), 0
    while found := _page(c, fits, after, chunk):
        yield found
        after = found[-1].id


def count(c: Connection, project_id: int, query: ImageQuery | None = None) -> int:
    """Count the images that fit."""
    fits = queries.conditions(c, project_id, query)
    return int(c.execute(sa.select(sa.func.count()).select_from(t.image).where(*fits)).scalar_one())


def ids(c: Connection, project_id: int, query: ImageQuery | None = None) -> list[int]:
    """Return the ids of all images that fit, in order."""
    return list(c.execute(queries.image_ids(c, project_id, query).order_by(t.image.c.id)).scalars())


def by_name(c: Connection, project_id: int) -> NameIndex:
    """Return the images of a project by name, for importers of labels.

    An image whose file was replaced by another one is left out: its name means the new image now.
    """
    columns = (t.image.c[name] for name in ("state", "id", "name", "path", "width", "height"))
    rows = c.execute(sa.select(*columns).where(t.image.c.project_id == project_id).order_by(t.image.c.id)).all()
    present = {row.path for row in rows if row.state == ImageState.OK.value}
    return NameIndex(
        NamedImage(*row[1:]) for row in rows if row.state == ImageState.OK.value or row.path not in present
    )


def known_files(c: Connection, project_id: int) -> dict[str, tuple[int, int, str]]:
    """Return size in bytes, modification time in ns and hash of every file by path, to import without hashing again."""
    columns = (t.image.c[name] for name in ("path", "bytes", "modified_ns", "content_hash"))
    present = (t.image.c.project_id == project_id, t.image.c.state == ImageState.OK.value)
    return {
        path: (size, modified, digest)
        for path, size, modified, digest in c.execute(sa.select(*columns).where(*present))
    }


def set_state(c: Connection, ids: Collection[int], state: ImageState) -> None:
    """Say whether the files of these images are there."""
    _note_change(c, _projects_of(c, ids))
    c.execute(t.image.update().where(among(c, t.image.c.id, ids)).values(state=ImageState(state).value))


def set_split(c: Connection, ids: Collection[int], split: str) -> None:
    """Put images into a split (``train``, ``test`` ...; empty: none)."""
    _note_change(c, _projects_of(c, ids))
    c.execute(t.image.update().where(among(c, t.image.c.id, ids)).values(split=_word(split, "split") if split else ""))


def add_tags(c: Connection, ids: Collection[int], tags: Iterable[str]) -> None:
    """Give tags to images; those that have one already keep it."""
    _note_change(c, _projects_of(c, ids))
    _tag(c, ids, tags)


def _tag(c: Connection, ids: Collection[int], tags: Iterable[str]) -> None:
    for tag in {_word(tag, "tag") for tag in tags}:
        has = sa.select(t.image_tag.c.image_id).where(
            t.image_tag.c.tag == tag, t.image_tag.c.project_id == t.image.c.project_id
        )
        rows = sa.select(t.image.c.project_id, sa.literal(tag), t.image.c.id)
        rows = rows.where(among(c, t.image.c.id, ids), t.image.c.id.not_in(has.correlate(t.image)))
        c.execute(t.image_tag.insert().from_select(["project_id", "tag", "image_id"], rows))


def remove_tags(c: Connection, ids: Collection[int], tags: Iterable[str]) -> None:
    """Take tags from images."""
    chosen = (among(c, t.image_tag.c.image_id, ids), t.image_tag.c.tag.in_(list(tags)))
    _note_change(c, _projects_of(c, ids))
    c.execute(t.image_tag.delete().where(*chosen))


def _projects_of(c: Connection, ids: Collection[int]) -> sa.ColumnElement[bool]:
    return t.project.c.id.in_(sa.select(t.image.c.project_id).where(among(c, t.image.c.id, ids)))


def _note_change(c: Connection, projects: sa.ColumnElement[bool]) -> None:
    """Count a change to the images of projects, so that it is seen (``watch.py``).

    Before the change itself: two who write to the same images at once wait for each other here, and not crosswise.
    """
    c.execute(t.project.update().where(projects).values(images_changed=t.project.c.images_changed + 1))


def tags(c: Connection, project_id: int) -> dict[str, int]:
    """Return the tags of a project and how many images have each, by name."""
    rows = c.execute(
        sa.select(t.image_tag.c.tag, sa.func.count())
        .where(t.image_tag.c.project_id == project_id)
        .group_by(t.image_tag.c.tag)
    )
    return dict(sorted((tag, count) for tag, count in rows))


def splits(c: Connection, project_id: int) -> dict[str, int]:
    """Return the splits of a project and how many images are in each, by name; ``""`` is none."""
    rows = c.execute(
        sa.select(t.image.c.split, sa.func.count()).where(t.image.c.project_id == project_id).group_by(t.image.c.split)
    )
    return dict(sorted((split, count) for split, count in rows))


@dataclass(frozen=True, slots=True)
class _Known:
    id: int
    name: str
    path: str
    state: str
    split: str
    modified_ns: int


def _by_hash(c: Connection, project_id: int, hashes: set[str]) -> dict[str, _Known]:
    columns = (t.image.c[name] for name in ("content_hash", "id", "name", "path", "state", "split", "modified_ns"))
    found = sa.select(*columns).where(t.image.c.project_id == project_id, among(c, t.image.c.content_hash, hashes))
    return {row[0]: _Known(*row[1:]) for row in c.execute(found)}


def _row(image_id: int, project_id: int, item: NewImage) -> tuple[Any, ...]:
    f = item.file
    return (
        image_id, project_id, item.name, f.path, stem(item.name), stem(f.path), f.content_hash, f.width, f.height,
        f.format, f.bands, f.dtype, f.bytes, f.modified_ns, ImageState.OK.value, item.split,
    )  # fmt: skip


def _known(image_id: int, item: NewImage) -> _Known:
    return _Known(image_id, item.name, item.file.path, "ok", item.split, item.file.modified_ns)


def _meet(c: Connection, earlier: _Known, item: NewImage) -> _Known:
    """Bring a known image up to date with the file that was found for it."""
    now = replace(earlier, state="ok", split=earlier.split or item.split, modified_ns=item.file.modified_ns)
    if item.file.path != earlier.path:
        now = replace(now, name=item.name, path=item.file.path)
    if now == earlier:
        return earlier
    values: dict[str, object] = {"state": "ok", "split": now.split, "modified_ns": item.file.modified_ns}
    if now.path != earlier.path:
        values |= {"name": now.name, "path": now.path, "name_stem": stem(now.name), "path_stem": stem(now.path)}
    c.execute(t.image.update().where(t.image.c.id == earlier.id).values(**values))
    return now


def _mark_replaced(c: Connection, project_id: int, items: Sequence[NewImage]) -> None:
    """Images whose path now holds another content have no file any more."""
    now = {item.file.path: item.file.content_hash for item in items}
    stems = {stem(path) for path in now}
    rows = c.execute(
        sa.select(t.image.c.id, t.image.c.path, t.image.c.content_hash).where(
            t.image.c.project_id == project_id, among(c, t.image.c.path_stem, stems)
        )
    )
    replaced = [id for id, path, digest in rows if now.get(path, digest) != digest]
    if replaced:
        set_state(c, replaced, ImageState.MISSING)


def _tag_items(c: Connection, project_id: int, items: Sequence[NewImage], ids: Sequence[int]) -> None:
    by_tag: dict[str, list[int]] = {}
    for item, image_id in zip(items, ids, strict=True):
        for tag in item.tags:
            by_tag.setdefault(tag, []).append(image_id)
    for tag, tagged in by_tag.items():
        _tag(c, tagged, [tag])


def _page(c: Connection, fits: queries.Conditions, after: int, limit: int) -> list[Image]:
    found = sa.select(*_READ).where(*fits, t.image.c.id > after).order_by(t.image.c.id).limit(limit)
    return _images(c, c.execute(found).all())


def _images(c: Connection, rows: Sequence[Sequence[Any]]) -> list[Image]:
    tagged: dict[int, set[str]] = {}
    if rows:
        theirs = sa.select(t.image_tag.c.image_id, t.image_tag.c.tag).where(
            among(c, t.image_tag.c.image_id, [row[0] for row in rows])
        )
        for image_id, tag in c.execute(theirs):
            tagged.setdefault(image_id, set()).add(tag)
    nothing: frozenset[str] = frozenset()
    found = []
    for row in rows:
        values: tuple[Any, ...] = tuple(row)
        mine = frozenset(tagged[values[0]]) if values[0] in tagged else nothing
        found.append(_image(values, mine))
    return found


def _image(values: tuple[Any, ...], tags: frozenset[str]) -> Image:
    id, project_id, name, path, digest, width, height, format, bands, dtype, size, state, split = values
    return Image(
        id, project_id, name, path, digest, width, height, format, bands, dtype, size, ImageState(state), split, tags
    )


def _word(text: str, kind: str) -> str:
    if not text or text != text.strip() or not text.isprintable():
        raise InvalidInput(f"{text!r} cannot be a {kind}", remedy="It is printable and has no blanks at its ends.")
    return text
