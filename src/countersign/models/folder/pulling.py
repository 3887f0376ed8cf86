"""Brings the files of a model into the models folder: the one place of the models that uses the network.

    <models folder>/.partial/<card name>/   files on their way: a broken download goes on there
    <models folder>/<card name>/            all of them, once each is complete and is what it should be

Several processes may ask for the same model: one fetches it, the others wait and find it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from countersign.domain.errors import ModelError
from countersign.domain.model import ModelCard, WeightFile
from countersign.models.folder import download, hub, licences, pickles, records, weights
from countersign.models.folder.download import Refused, Unreachable, Wanted
from countersign.models.folder.records import Record

PARTIAL = ".partial"


@dataclass(frozen=True, slots=True)
class Stage:
    """How far a pull is: ``done`` of ``total`` bytes (None if unknown) of all files; ``file`` is the one on its way.

    An empty ``file`` means that another process fetches the same model.
    """

    done: int
    total: int | None
    file: str


OnStage = Callable[[Stage], None]


def pull(
    card: ModelCard,
    *,
    by: str,
    accept_licence: bool = False,
    allow_pickles: Sequence[str] = (),
    again: bool = False,
    on_stage: OnStage | None = None,
) -> weights.Installed:
    """Fetch what is missing of a model's files. Returns where they are.

    ``by`` is who accepts the licences, where ``accept_licence`` says so; ``allow_pickles`` names files of the
    repository that may be pickles; ``again`` asks for damaged files anew. ``on_stage`` may raise to stop: what came
    stays. Raises ModelError, which names all files and their addresses where there is no network.
    """
    if accept_licence:
        licences.accept(card, by)
    licences.require(card)
    tell = on_stage or (lambda _: None)
    if not again and (found := _ready(card)):
        return found
    if not card.hub_id and not any(file.url for file in card.files):
        raise ModelError(
            f"{card.name} has no address to fetch it from",
            remedy=f"Put its files into {records.place(card.name)}." if card.files else "Add its files again.",
        )
    with records.locked(records.place(card.name), waiting=lambda: tell(Stage(0, None, ""))):
        if not again and (found := _ready(card)):
            return found
        wanted, revision = _plan(card, allow_pickles)
        _fetch(card, wanted, revision, by, allow_pickles, tell)
    ready = _ready(card)
    if ready is None:
        raise ModelError(f"the files of {card.name} are not what they should be", remedy="Look at its repository.")
    return ready


def _ready(card: ModelCard) -> weights.Installed | None:
    found = weights.installed(card)
    if found is not None and found.where == weights.MODELS:
        weights.locate(card)  # records what somebody put there by hand
    return found


def _plan(card: ModelCard, allow_pickles: Sequence[str]) -> tuple[list[Wanted], str]:
    wanted = [Wanted(file.name, hub.mirrored(file.url), file.sha256, "", file.size) for file in card.files if file.url]
    if hub.is_offline():
        raise _by_hand(card, "the network is switched off (HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set)")
    if len(wanted) == len(card.files) and wanted:
        return wanted, ""
    try:
        found = hub.listing(card, pickles_allowed=allow_pickles)
    except Refused as error:
        raise _refusal(card, error) from error
    except Unreachable as error:
        raise _by_hand(card, error.what) from error
    return wanted + list(found.files), found.revision


def _fetch(
    card: ModelCard, wanted: list[Wanted], revision: str, by: str, allow_pickles: Sequence[str], tell: OnStage
) -> None:
    partial = weights.folder() / PARTIAL / card.name
    place = records.place(card.name)
    kept = {item.name: digest for item in wanted if (digest := download.fits(item, place / item.name))}
    for item in wanted:
        if item.name not in kept:
            _share(item, partial / item.name)
    bases = {item.name: place if item.name in kept else partial for item in wanted}
    done = sum(download.bytes_there(bases[item.name] / item.name) for item in wanted)
    total = sum(item.size for item in wanted) if all(item.size for item in wanted) else None
    files = []
    for item in wanted:

        def step(count: int, name: str = item.name) -> None:
            nonlocal done
            done += count
            tell(Stage(done, total, name))

        step(0)
        digest = kept.get(item.name) or _fetch_one(card, item, wanted, partial, step)
        files.append(WeightFile(item.name, digest, item.url, (bases[item.name] / item.name).stat().st_size))
    _move([item.name for item in wanted if item.name not in kept], partial, place)
    origin = records.HUB if card.hub_id and revision else records.URL
    at = datetime.now(UTC).isoformat(timespec="seconds")
    for name in allow_pickles:
        pickles.allow(place / name, by)
    records.write(place, Record(card, origin, tuple(files), revision, at, by))


def _share(item: Wanted, target: Path) -> None:
    """Take a file that another model has from the same address (a text encoder): a second name for it, or a copy."""
    if target.exists() or item.headers:
        return
    for record in weights.recorded():
        known = next((file for file in record.files if file.url and file.url == item.url), None)
        source = records.place(record.card.name) / known.name if known else None
        if known is None or source is None or not source.is_file() or records.sha256(source) != known.sha256:
            continue
        with suppress(OSError):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(source, target)
            except OSError:
                shutil.copyfile(source, part := download.part_of(target))
                part.replace(target)
            return


def _fetch_one(
    card: ModelCard, item: Wanted, wanted: Sequence[Wanted], partial: Path, step: Callable[[int], None]
) -> str:
    try:
        return download.fetch(item, partial / item.name, step)
    except Refused as error:
        raise _refusal(card, error) from error
    except Unreachable as error:
        if download.bytes_there(partial / item.name):  # the network was there a moment ago
            raise
        raise _by_hand(card, error.what, wanted) from error


def _move(names: Sequence[str], partial: Path, place: Path) -> None:
    try:
        for name in names:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (partial / name).replace(place / name)
    except OSError as error:
        raise ModelError(f"{place} cannot be written: {error.strerror or error}") from error
    shutil.rmtree(partial, ignore_errors=True)
    with suppress(OSError):
        partial.parent.rmdir()


def _refusal(card: ModelCard, error: Refused) -> ModelError:
    """Say what to do where a server refuses."""
    if error.gated or (error.status in (401, 403) and card.hub_id):
        return ModelError(
            f"{error.what}; its licence must be accepted on the hub",
            remedy=f"Sign in at {hub.page(card.hub_id)}, accept the conditions there, and set HF_TOKEN to a token of "
            "your account.",
        )
    return ModelError(error.what, remedy=error.remedy or f"See {card.source or hub.page(card.hub_id)}.")


def by_hand(card: ModelCard, wanted: Sequence[Wanted] = ()) -> str:
    """Say which files to fetch elsewhere, from where, how large they are, and which folder to put them in."""
    place = records.place(card.name)
    lines = [f"Fetch these files elsewhere and put them into {place}:"]
    listed = [(item.url, item.size) for item in wanted] or [
        (hub.mirrored(file.url) or hub.address(card.hub_id, file.name), file.size) for file in card.files
    ]
    lines += [f"  {url}{f' ({size / 1e6:,.1f} MB)' if size else ''}" for url, size in listed]
    if not listed:
        size = f" ({card.download_bytes / 1e6:,.1f} MB in all)" if card.download_bytes else ""
        lines.append(
            f"  {hub.page(card.hub_id)}/tree/main{size}: all files *.safetensors, {', '.join(hub.BESIDE)} that are "
            "not in a folder, such as"
        )
        lines += [f"  {hub.address(card.hub_id, name)}" for name in ("config.json", "model.safetensors")]
    lines.append(f"Then: countersign models check {weights.pull_name(card)}")
    return "\n".join(lines)


def _by_hand(card: ModelCard, why: str, wanted: Sequence[Wanted] = ()) -> ModelError:
    return ModelError(f"{card.name} cannot be fetched: {why}", remedy=by_hand(card, wanted))
