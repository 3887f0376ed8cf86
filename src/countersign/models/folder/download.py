"""Fetches one file by its address: goes on where it was broken off, and hands over nothing but the right content.

What is not complete yet is ``<file>.part``, with ``<file>.part.json`` saying which content it is a part of (its
address, and the validator that the server gave): a killed process costs nothing, and a file that changed is begun anew.
Models, hubs and licences are not known here.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from countersign.domain.errors import ModelError
from countersign.models.folder import records

if TYPE_CHECKING:
    import httpx

TRIES = 5
"""Attempts without a new byte before a download is given up."""
_PAUSE = 0.5
_TIMEOUT = 30.0
_CHUNK = 1 << 18
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})

OnBytes = Callable[[int], None]
"""Is told how many more bytes are there (fewer, if negative: a part was dropped); may raise to stop."""


class Unreachable(ModelError):
    """Nobody answers at the address: no network, or no such host."""


class Refused(ModelError):
    """The server refuses. ``status`` is 401, 403 or 404; ``gated`` where the hub wants its licence to be accepted."""

    def __init__(self, what: str, *, status: int, gated: bool = False, remedy: str = "") -> None:
        super().__init__(what, remedy=remedy)
        self.status = status
        self.gated = gated


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to fetch. ``sha256`` may be its first digits; ``git_sha1`` is its id in a git repository; "" if unknown.

    ``size`` is in bytes, 0 if unknown. ``headers`` are sent along, to the host of the address alone.
    """

    name: str
    url: str
    sha256: str = ""
    git_sha1: str = ""
    size: int = 0
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def part_of(target: Path) -> Path:
    """Return where a file grows until it is complete."""
    return target.with_name(f"{target.name}.part")


def bytes_there(target: Path) -> int:
    """Return how many bytes of a file are there already, complete or not."""
    for path in (target, part_of(target)):
        if path.is_file():
            return path.stat().st_size
    return 0


def fetch(wanted: Wanted, target: Path, on_bytes: OnBytes | None = None) -> str:
    """Fetch a file to ``target`` and return its SHA-256 in hex. What is there of it is not fetched again.

    Raises ModelError: Unreachable, Refused, a content that is not the one wanted, a full disk. What came stays for
    the next try, except a wrong content.
    """
    tell = on_bytes or (lambda _: None)
    if target.is_file():
        if (digest := fits(wanted, target)) is not None:
            return digest
        tell(-target.stat().st_size)
        target.unlink()
    part = part_of(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        resumed = part.is_file() and part.stat().st_size > 0
        _transfer(wanted, part, tell)
        digest = fits(wanted, part)
        if digest is None and resumed:  # what was there before did not belong to it: once more from the beginning
            _drop(part, tell)
            _transfer(wanted, part, tell)
            digest = fits(wanted, part)
        if digest is None:
            _wrong(wanted, part, tell)
        part.replace(target)
        _note_of(part).unlink(missing_ok=True)
    except OSError as error:
        _disk(error, wanted, target)
    return digest


def fits(wanted: Wanted, path: Path) -> str | None:
    """Return the SHA-256 of a file where it is the one wanted, else None."""
    if not path.is_file():
        return None
    if wanted.size and path.stat().st_size != wanted.size:
        return None
    digest = records.sha256(path)
    if wanted.git_sha1 and _git_sha1(path) != wanted.git_sha1:
        return None
    return digest if digest.startswith(wanted.sha256.lower()) else None


def _git_sha1(path: Path) -> str:
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _wrong(wanted: Wanted, part: Path, tell: OnBytes) -> NoReturn:
    size = part.stat().st_size
    if wanted.size and size != wanted.size:
        what = f"{wanted.url} gave {size:,} bytes, not {wanted.size:,}"
    elif wanted.sha256:
        what = f"what {wanted.url} gave has the SHA-256 {records.sha256(part)}, not {wanted.sha256}"
    else:
        what = f"what {wanted.url} gave is not what the hub says it is (git id {wanted.git_sha1})"
    _drop(part, tell)
    raise ModelError(f"{wanted.name}: {what}", remedy="It was deleted. Try again later; a proxy may have changed it.")


def _drop(part: Path, tell: OnBytes) -> None:
    if part.is_file():
        tell(-part.stat().st_size)
    part.unlink(missing_ok=True)
    _note_of(part).unlink(missing_ok=True)


def _note_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _transfer(wanted: Wanted, part: Path, tell: OnBytes) -> None:
    """Bring the part to its full length, in as many requests as it takes."""
    import httpx

    left = TRIES
    with httpx.Client(follow_redirects=True, timeout=_TIMEOUT) as client:
        while True:
            before = part.stat().st_size if part.is_file() else 0
            try:
                if _request(client, wanted, part, tell):
                    return
                trouble: Exception = httpx.RemoteProtocolError("the connection was closed before the end")
            except httpx.TransportError as error:
                trouble = error
            except httpx.InvalidURL as error:
                raise ModelError(f"{wanted.url} is no address: {error}") from error
            now = part.stat().st_size if part.is_file() else 0
            left = TRIES if now > before else left - 1
            if left <= 0 or (isinstance(trouble, httpx.ConnectError) and left <= TRIES - 2 and not now):
                raise Unreachable(
                    f"{wanted.url} cannot be fetched: {_reason(trouble)}",
                    remedy="What came is kept: the next try goes on there." if now else "Is there a network?",
                ) from trouble
            time.sleep(min(8.0, _PAUSE * 2 ** (TRIES - left)))


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _request(client: httpx.Client, wanted: Wanted, part: Path, tell: OnBytes) -> bool:
    """Make one request; return whether the file is complete. Raises httpx.TransportError where it may try again."""
    import httpx

    there = _resumable(wanted, part, tell)
    headers = dict(wanted.headers) | {"Accept-Encoding": "identity"}
    if there:
        headers["Range"] = f"bytes={there}-"
        if validator := str(records.read_json(_note_of(part)).get("validator") or ""):
            headers["If-Range"] = validator
    with client.stream("GET", wanted.url, headers=headers) as answer:
        if answer.status_code == 416:  # nothing is left of it, or the part is no part of it
            if _length_of(answer, "*/") == there:
                return True
            _drop(part, tell)
            raise httpx.RemoteProtocolError("the server has no such range")
        _check_status(answer, wanted)
        if there and answer.status_code != 206:
            _drop(part, tell)
            there = 0
        if there and not answer.headers.get("content-range", "").startswith(f"bytes {there}-"):
            _drop(part, tell)
            raise httpx.RemoteProtocolError("the server gave another range")
        total = _total(answer, there) or wanted.size
        _check_room(part, total - there)
        if not there:
            records.write_json(_note_of(part), {"url": wanted.url, "validator": _validator(answer.headers)})
        now = _write(answer, part, there, tell)
    return not total or now >= total


def _resumable(wanted: Wanted, part: Path, tell: OnBytes) -> int:
    """Return how many bytes the part has, after dropping one that belongs to another address or is too long."""
    size = part.stat().st_size if part.is_file() else 0
    if size == 0:
        return 0
    note = records.read_json(_note_of(part)) if _note_of(part).is_file() else {}
    if (note and note.get("url") != wanted.url) or (wanted.size and size > wanted.size):
        _drop(part, tell)
        return 0
    return size


def _write(answer: httpx.Response, part: Path, there: int, tell: OnBytes) -> int:
    """Append what comes. Unbuffered: what has been told of is in the file, even if the process is killed."""
    with part.open("ab" if there else "wb", buffering=0) as file:
        for chunk in answer.iter_raw():  # as they come: what is gathered is lost with the line
            file.write(chunk)
            there += len(chunk)
            tell(len(chunk))
    return there


def _check_status(answer: httpx.Response, wanted: Wanted) -> None:
    import httpx

    status = answer.status_code
    if status in (200, 206):
        return
    if status in _AGAIN:
        raise httpx.RemoteProtocolError(f"the server answered {status} {answer.reason_phrase}".rstrip())
    gated = answer.headers.get("x-error-code", "") == "GatedRepo"
    what = f"{wanted.url} is refused: {status} {answer.reason_phrase}".rstrip()
    remedy = "The address may have changed: see the model's source." if status in (404, 410) else ""
    raise Refused(what, status=status, gated=gated, remedy=remedy)


def _total(answer: httpx.Response, there: int) -> int:
    """The length of the whole file, 0 if the server does not say."""
    if answer.status_code == 206:
        return _length_of(answer, "/") or 0
    length = answer.headers.get("content-length", "")
    return there + int(length) if length.isdigit() else 0


def _length_of(answer: httpx.Response, mark: str) -> int | None:
    _, found, text = answer.headers.get("content-range", "").rpartition(mark)
    return int(text) if found and text.isdigit() else None


def _validator(headers: Mapping[str, str]) -> str:
    """What tells this content from a later one: a strong ETag, else the time of its last change."""
    etag = headers.get("etag", "")
    if etag and not etag.startswith("W/"):
        return etag
    changed = headers.get("last-modified", "")
    with suppress(TypeError, ValueError):
        parsedate_to_datetime(changed)
        return changed
    return ""


def _check_room(part: Path, needed: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise OSError(errno.ENOSPC, "No space left on device")


def _disk(error: OSError, wanted: Wanted, target: Path) -> NoReturn:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        free = shutil.disk_usage(target.parent).free if target.parent.is_dir() else 0
        size = f" of {wanted.size / 1e6:,.0f} MB" if wanted.size else ""
        raise ModelError(
            f"there is no room for {wanted.name}{size} in {target.parent} ({free / 1e6:,.0f} MB are free)",
            remedy="Make room, or choose another folder with COUNTERSIGN_MODELS; what came is kept, so that the next "
            "try goes on there.",
        ) from error
    raise ModelError(f"{target} cannot be written: {error.strerror or error}") from error
