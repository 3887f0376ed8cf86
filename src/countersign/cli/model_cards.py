"""How models look on a terminal: a line of a list, and a card."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from countersign.cli.session import Session

if TYPE_CHECKING:
    from countersign.domain.model import ModelCard
    from countersign.workbench.shelf import Entry

_COLUMNS = ["model", "does", "classes", "speed", "performance", "licence", "MB", "here"]


def listed(session: Session, entries: Sequence[Entry], *, none: str) -> None:
    """Print models as a table, or a sentence where there are none."""
    session.out.table(_COLUMNS, [_row(entry) for entry in entries], none=none)


def _row(entry: Entry) -> list[Any]:
    card = entry.card
    return [
        card.name,
        ", ".join(task.replace("_", " ") for task in card.tasks) or "-",
        "any words" if card.zero_shot else len(card.classes) or "-",
        bar(card.speed),
        _score(card) or bar(card.performance),
        licence_text(card) or "-",
        _megabytes(entry) or "-",
        _where(entry),
    ]


def _megabytes(entry: Entry) -> str:
    if entry.installed is None:
        return _download(entry.card, "{:,.0f}", "~{:,.0f}")
    return f"{entry.installed.bytes / 1e6:,.0f}" if entry.installed.bytes else ""


def _download(card: ModelCard, known: str, estimated: str) -> str:
    """Write how many MB are to be fetched, by the first text where they are published; "" where nobody knows."""
    if card.download_bytes:
        return known.format(card.download_bytes / 1e6)
    return estimated.format(card.estimated_bytes / 1e6) if card.estimated_bytes else ""


def _score(card: ModelCard) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in card.scores.items())


def _where(entry: Entry) -> str:
    if entry.installed is None:
        return "-"
    return f"{entry.installed.where}{' (licence not accepted)' if entry.licence_due else ''}"


def licence_text(card: ModelCard) -> str:
    """Write the licences of weights and code, once where they are the same."""
    return ", ".join(dict.fromkeys(text for text in (card.licence, card.code_licence) if text))


def bar(rating: int) -> str:
    """Write a rating of 1 to 3 as a small bar; 0 is unknown.

    >>> bar(0)
    '-'
    """
    full, empty = "▰", "▱"
    try:
        full.encode(sys.stdout.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        full, empty = "#", "."
    return full * rating + empty * (3 - rating) if rating else "-"


def card_lines(entry: Entry) -> tuple[list[tuple[str, Any]], list[str]]:
    """Return what a card says: pairs of name and value, and lines for what only its family knows."""
    from countersign.models.parts.accelerated import shown

    card = entry.card
    names = ", ".join(name for name in card.classes[:20] if name)
    more = " ..." if len(card.classes) > 20 else ""
    classes = "any words (zero-shot)" if card.zero_shot else f"{len(card.classes)}: {names}{more}"
    version = " ".join(part for part in (card.version if card.version != "1" else "", card.size) if part)
    pairs = [
        ("model", card.name),
        ("", card.description),
        ("family", card.family),
        ("version", version),
        ("does", ", ".join(task.replace("_", " ") for task in card.tasks)),
        ("classes", classes if card.tasks else ""),
        ("least confidence", card.min_confidence),
        ("speed", bar(card.speed) if card.speed else ""),
        ("performance", bar(card.performance) if card.performance else ""),
        *((name.replace("_", " "), value) for name, value in card.scores.items()),
        *((f"published {name.replace('_', ' ')}", f"{value:g}") for name, value in card.published.items()),
        ("published at", card.published_source),
        ("licence of weights", card.licence),
        ("licence of code", card.code_licence),
        ("licence", "must be accepted before use" if entry.licence_due else ""),
        ("author", card.author),
        ("source", card.source),
        ("hub", card.hub_id),
        ("needs", _needs(card)),
        ("on a CPU", shown(card)),
        ("weights", card.weights_hash),
        *_files(entry),
        ("here", _here(entry)),
    ]
    return [(name, value) for name, value in pairs if value not in ("", None)], _details(card.details)


def _needs(card: ModelCard) -> str:
    parts = (f"countersign[{card.extra}]" if card.extra else "", "a GPU to be useful" if card.gpu else "")
    return ", ".join(part for part in parts if part)


def _files(entry: Entry) -> list[tuple[str, str]]:
    from countersign.models.folder.weights import recorded_files
    from countersign.workbench.shelf import WORKSPACE

    if entry.origin == WORKSPACE:
        return []
    return [
        ("file", "  ".join(part for part in (
            file.name, f"{file.size / 1e6:,.1f} MB" if file.size else "", file.sha256 and f"SHA-256 {file.sha256}",
        ) if part))
        for file in recorded_files(entry.card) or entry.card.files
    ]  # fmt: skip


def _here(entry: Entry) -> str:
    if entry.installed is None:
        card = entry.card
        note = _download(card, " ({:,.0f} MB)", " (about {:,.0f} MB)")
        return f"no; countersign models pull {_pull_name(card)}{note}" if card.hub_id or card.files else ""
    return f"{entry.installed.folder} ({entry.installed.where}, {entry.installed.bytes / 1e6:,.1f} MB)"


def _details(details: Mapping[str, Any]) -> list[str]:
    return [f"  {name}: {str(value)[:200]}{' ...' if len(str(value)) > 200 else ''}" for name, value in details.items()]


def _pull_name(card: ModelCard) -> str:
    from countersign.models.folder.weights import pull_name

    return pull_name(card)
