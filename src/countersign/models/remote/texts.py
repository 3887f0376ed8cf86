"""What of a foreign answer can be kept as text: whatever a database, a file or JSON would refuse is refused here."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from typing import Any

_MOST = 1_000_000  # characters of one text, or of the attributes of one prediction


def class_name(value: Any) -> str:
    """Return the name of a class, without blanks around it, 200 characters at most. Raises ValueError."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a label should be a name or a number")
    name = value.strip()[:200]
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise ValueError("a label holds characters that cannot be shown")
    return name


def text(value: Any) -> str:
    """Return a text. Raises ValueError for what is none, or could not be stored."""
    if not isinstance(value, str):
        raise ValueError(f"a text was expected, not a {type(value).__name__}")
    if len(value) > _MOST:
        raise ValueError(f"a text of {len(value)} characters is too long")
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("a text holds characters that cannot be stored")
    return value


def answer(value: Any) -> str:
    """Return what a model says, with marks in place of characters that could not be stored: models do write such.

    Raises ValueError for what is no text, or too long.
    """
    if not isinstance(value, str):
        return text(value)
    return text("".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in value))


def values(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return JSON values. Raises ValueError where they, or a text among them, could not be stored."""
    written = json.dumps(dict(data), ensure_ascii=False, allow_nan=False)
    if len(written) > _MOST:
        raise ValueError(f"values of {len(written)} characters are too long")
    text(written)
    if "\\u0000" in written.replace("\\\\", ""):
        raise ValueError("a text holds characters that cannot be stored")
    return dict(data)
