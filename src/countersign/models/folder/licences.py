"""Which licences a person must have accepted before a model is used, and who accepted which, when.

Permissive licences need nobody's yes. What is kept: ``licences.json`` in the models folder, one entry per model with
the licences as they were, the name and the time. Where a licence has changed since, it must be accepted anew.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from countersign.domain.errors import ModelError
from countersign.domain.model import ModelCard
from countersign.models.folder import records

FILE = "licences.json"

PERMISSIVE = frozenset(
    {
        "apache-2.0", "mit", "mit-0", "bsd-2-clause", "bsd-3-clause", "bsd-3-clause-clear", "isc", "cc0-1.0",
        "cc-by-3.0", "cc-by-4.0", "cdla-permissive-2.0", "unlicense", "zlib", "0bsd", "psf-2.0", "bsl-1.0",
    }
)  # fmt: skip
"""SPDX identifiers, in lower case, of licences that allow any use and ask for no more than a notice."""


def is_permissive(licence: str) -> bool:
    """Whether each part of an SPDX expression allows any use (of ``A OR B`` one part that does is enough).

    >>> is_permissive("Apache-2.0 OR GPL-3.0"), is_permissive("AGPL-3.0"), is_permissive("MIT AND CC-BY-NC-4.0")
    (True, False, False)
    """
    choices = re.split(r"\s+OR\s+", licence.strip(" ()"), flags=re.IGNORECASE)
    return any(
        all(part.strip(" ()").lower() in PERMISSIVE for part in re.split(r"\s+AND\s+", choice, flags=re.IGNORECASE))
        for choice in choices
    )


def to_accept(card: ModelCard) -> tuple[str, ...]:
    """Return the licences of a model (of its weights, then of its code) that somebody must accept; each once."""
    named = (card.licence, card.code_licence)
    return tuple(dict.fromkeys(licence for licence in named if licence and not is_permissive(licence)))


def accepted(card: ModelCard) -> Mapping[str, Any] | None:
    """Return who accepted the licences as they are now (``by``, ``at``, ``licences``), or None where nobody did."""
    entry = records.read_json(records.models_folder() / FILE).get(card.name)
    if not isinstance(entry, dict) or not set(to_accept(card)) <= set(entry.get("licences", ())):
        return None
    return entry


def accept(card: ModelCard, by: str) -> None:
    """Record that ``by`` accepts the model's licences, now. Nothing is recorded for permissive ones."""
    if not to_accept(card):
        return
    file = records.models_folder() / FILE
    entry = {"licences": list(to_accept(card)), "by": by, "at": datetime.now(UTC).isoformat(timespec="seconds")}
    with records.locked(file):
        records.write_json(file, dict(records.read_json(file)) | {card.name: entry})


def is_due(card: ModelCard) -> bool:
    """Whether somebody must accept a licence before the model may be used."""
    return bool(to_accept(card)) and accepted(card) is None


def require(card: ModelCard) -> None:
    """Raise ModelError where a licence must be accepted that nobody has accepted."""
    if is_due(card):
        from countersign.models.folder import weights

        name = weights.pull_name(card)
        raise ModelError(notice(card), remedy=f"To accept: countersign models pull {name} --accept-licence")


def notice(card: ModelCard) -> str:
    """Say in a sentence which licences ask for more than a notice, and where they are described."""
    if not is_permissive(card.licence or "MIT"):
        what = f"The weights of {card.name} are under {card.licence}"
        if card.code_licence in to_accept(card)[1:]:
            what += f", the code that runs them is under {card.code_licence}"
    else:
        what = f"The code that runs {card.name} is under {card.code_licence}"
    where = f" (see {card.source})" if card.source else ""
    return f"{what}, which restricts what you may do with the model and with what is made with it{where}"
