"""Getting the parts out of COCO JSON: quickly where it is sound, as far as possible where it is not.

A sound file is cut into its images, categories and annotations without decoding the annotations: they stay slices of
the file's bytes until their image's turn comes, so that a file of polygons needs little more memory than its size. What
the strict decoder refuses (NaN, bad UTF-8, a file cut short) goes through Python's own, and then object by object.
Labels are not known here.
"""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from countersign.domain.errors import FormatError
from countersign.formats.base import peek, read_bytes
from countersign.formats.report import ImportReport

Id: TypeAlias = int | str
Part: TypeAlias = msgspec.Raw | Any
"""An annotation not yet decoded, or (from a damaged file) whatever JSON value stood there."""


class Rle(msgspec.Struct, gc=False):
    """Painted pixels as runs: a string (compressed) or numbers; ``size`` is height, width."""

    counts: str | list[int]
    size: tuple[int, int]


class Annotation(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An annotation whose fields all have the types that COCO gives them. Anything else goes by ``clean``."""

    image_id: Id
    category_id: Id
    id: Id | None = None
    bbox: list[float] | None = None
    segmentation: list[list[float]] | Rle | None = None
    keypoints: list[float] | None = None
    num_keypoints: int | None = None
    iscrowd: int | bool | None = None
    area: float | None = None
    attributes: dict[str, Any] | None = None
    score: float | None = None


class _Key(msgspec.Struct, gc=False):
    image_id: Any = None
    id: Any = None


class _Keys(msgspec.Struct):
    annotations: list[_Key] | None = None


class _File(msgspec.Struct):
    images: list[Any] | None = None
    categories: list[Any] | None = None
    annotations: list[msgspec.Raw] | None = None


@dataclass(slots=True)
class CocoParts:
    """What a COCO file consists of. ``annotations`` are by the id of their image, in the order of the file."""

    images: list[Any] = field(default_factory=list)
    categories: list[Any] = field(default_factory=list)
    annotations: dict[Any, list[Part]] = field(default_factory=dict)
    total: int = 0
    damaged: bool = False


_file_decoder = msgspec.json.Decoder(_File)
_list_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_keys_decoder = msgspec.json.Decoder(_Keys)
_key_decoder = msgspec.json.Decoder(_Key)
_PANOPTIC = re.compile(rb'"segments_info"\s*:')


def load(path: Path, report: ImportReport) -> CocoParts:
    """Read a COCO file. Reports damage; raises FormatError if there is nothing to be had, or if it is panoptic."""
    data = read_bytes(path).removeprefix(b"\xef\xbb\xbf")
    with paused_gc():
        try:
            found = _file_decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return _load_damaged(path, data, error, report)
        if found.images is None:
            raise _no_images(path)
        parts = CocoParts(images=found.images, categories=found.categories or [])
        _refuse_panoptic(path, found.annotations or [])
        _group(parts, found.annotations or [], path, report, _keys(data))
    return parts


def _keys(data: bytes) -> list[_Key] | None:
    """The keys of all annotations in one go; None if one of them is no object."""
    try:
        return _keys_decoder.decode(data).annotations
    except msgspec.MsgspecError:
        return None


def load_list(path: Path, report: ImportReport) -> CocoParts:
    """Read a JSON list of annotations (COCO results). Reports damage; raises FormatError where it is no list."""
    data = read_bytes(path).removeprefix(b"\xef\xbb\xbf")
    parts = CocoParts()
    with paused_gc():
        try:
            items: Any = _list_decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            items = _list_damaged(path, data, error, report, parts)
        _group(parts, items, path, report)
    return parts


@contextmanager
def paused_gc() -> Iterator[None]:
    """Keep the garbage collector from walking millions of new objects that cannot be garbage yet."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _refuse_panoptic(path: Path, annotations: list[Part]) -> None:
    first = annotations[0] if annotations else None
    panoptic = _PANOPTIC.search(bytes(first)) if isinstance(first, msgspec.Raw) else _has(first, "segments_info")
    if panoptic:
        raise FormatError(
            "this is COCO panoptic: its regions are in PNG files, which are not read",
            file=str(path),
            remedy="Convert it to COCO instances (panopticapi has converters), or import masks as mask-png.",
        )


def _has(value: Any, key: str) -> bool:
    return isinstance(value, dict) and key in value


def _group(
    parts: CocoParts, annotations: list[Part], path: Path, report: ImportReport, keys: list[_Key] | None = None
) -> None:
    pairs = ((key.image_id, _usable(key.id)) for key in keys) if keys is not None else map(_key, annotations)
    groups = parts.annotations
    ids = []
    for index, (part, (image_id, annotation_id)) in enumerate(zip(annotations, pairs, strict=True)):
        if annotation_id is not None:
            ids.append(annotation_id)
        if isinstance(image_id, (int, str)):
            group = groups.get(image_id)
            if group is None:
                groups[image_id] = [part]
            else:
                group.append(part)
        else:
            where = f"annotations[{index}]" if annotation_id is None else f"annotation {annotation_id}"
            report.skipped("the annotation names no image", file=path, where=where)
    parts.total = len(annotations)
    _note_twice(ids, path, report)


def _key(part: Part) -> tuple[Any, Any]:
    if isinstance(part, msgspec.Raw):
        try:
            key = _key_decoder.decode(part)
        except msgspec.MsgspecError:
            return None, None
        image_id, annotation_id = key.image_id, key.id
    elif isinstance(part, dict):
        image_id, annotation_id = part.get("image_id"), part.get("id")
    else:
        return None, None
    return image_id, _usable(annotation_id)


def _usable(annotation_id: Any) -> Id | None:
    return annotation_id if isinstance(annotation_id, (int, str)) else None


def _note_twice(ids: list[Id], path: Path, report: ImportReport) -> None:
    if len(set(ids)) == len(ids):
        return
    seen: set[Id] = set()
    for found in ids:
        if found in seen:
            report.note("an annotation id is used twice, both were kept", file=path, where=f"annotation {found}")
        seen.add(found)


# Damaged files ---------------------------------------------------------------------------------------------------


def _text(data: bytes) -> str:
    return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", errors="replace")


def _unreadable(path: Path, reason: object) -> FormatError:
    return FormatError(f"it is no JSON that can be read: {reason}", file=str(path), remedy="Export the labels again.")


def _no_images(path: Path) -> FormatError:
    return FormatError("it is JSON, but not COCO: it has no list of images", file=str(path))


def _load_damaged(path: Path, data: bytes, error: Exception, report: ImportReport) -> CocoParts:
    text = _text(data)
    damaged = False
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as reason:
        whole, damaged = _salvage(text), True
        if not (whole["images"] or whole["annotations"]):
            raise _unreadable(path, reason) from reason
        report.skipped(_CUT, file=path, detail=str(reason))
    else:
        report.note(_NOT_STRICT, file=path, detail=str(error))
    if not isinstance(whole, dict):
        raise FormatError("it is JSON, but not COCO: there is no object at its top", file=str(path))
    if not isinstance(whole.get("images"), list):
        raise _no_images(path)
    parts = CocoParts(damaged=damaged)
    for name in ("images", "categories", "annotations"):
        if not isinstance(whole.get(name, []), list | None):
            report.skipped(f"{name} is not a list", file=path)
            whole[name] = []
    parts.images, parts.categories = whole.get("images") or [], whole.get("categories") or []
    _refuse_panoptic(path, whole.get("annotations") or [])
    _group(parts, whole.get("annotations") or [], path, report)
    return parts


def _list_damaged(path: Path, data: bytes, error: Exception, report: ImportReport, parts: CocoParts) -> list[Any]:
    text = _text(data)
    try:
        items = json.loads(text)
    except (ValueError, RecursionError) as reason:
        items, _ = _values(json.JSONDecoder(), text, text.find("[") + 1)
        if not items:
            raise _unreadable(path, reason) from reason
        report.skipped(_CUT, file=path, detail=str(reason))
        parts.damaged = True
    else:
        report.note(_NOT_STRICT, file=path, detail=str(error))
    if not isinstance(items, list):
        raise FormatError("it is JSON, but not a list of results", file=str(path))
    return items


_CUT = "the file is damaged or cut short, what can be read was"
_NOT_STRICT = "the file is not strict JSON"
_LIST = re.compile(r'"(images|annotations|categories)"\s*:\s*\[')
_NEXT = re.compile(r"[\s,]*")


def _salvage(text: str) -> dict[str, list[Any]]:
    """Read objects one after the other from each list until one cannot be read; then look for the next list."""
    found: dict[str, list[Any]] = {"images": [], "annotations": [], "categories": []}
    decoder = json.JSONDecoder()
    at = 0
    while (match := _LIST.search(text, at)) is not None:
        at = match.end()
        values, at = _values(decoder, text, at)
        if len(values) > len(found[match[1]]):
            found[match[1]] = values
    return found


def _values(decoder: json.JSONDecoder, text: str, at: int) -> tuple[list[Any], int]:
    values: list[Any] = []
    while at < len(text):
        skip = _NEXT.match(text, at)
        at = skip.end() if skip else at
        if text[at : at + 1] == "]":
            break
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            # The next object begins after the next "},": one that is broken in itself costs only itself.
            follow = re.compile(r"\}\s*,\s*(?=\{)").search(text, at)
            rest = _LIST.search(text, at)
            if follow is None or (rest is not None and rest.start() < follow.start()):
                break
            at = follow.end()
            continue
        values.append(value)
    return values, at


# Detecting ---------------------------------------------------------------------------------------------------------

_TOP = re.compile(rb'"(images|annotations|categories|segments_info|captions?)"\s*:')
_WHOLE = 4 << 20


def top_keys(path: Path) -> frozenset[str]:
    """Return which of COCO's keys occur in a JSON file's first and last bytes; nothing for other files."""
    head = peek(path, 65536).removeprefix(b"\xef\xbb\xbf").lstrip()
    if not head.startswith(b"{"):
        return frozenset()
    size = path.stat().st_size
    if 65536 < size <= _WHOLE:
        head = peek(path, _WHOLE)
    elif size > _WHOLE:
        with path.open("rb") as file:
            file.seek(size - 65536)
            head += file.read()
    return frozenset(found.decode() for found in _TOP.findall(head))
