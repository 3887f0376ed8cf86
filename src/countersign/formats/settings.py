"""Reading a format's own settings, which come as text from a command line or as values from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from countersign.domain.errors import FormatError, SettingsError

_YES = {"yes", "true", "1", "on"}
_NO = {"no", "false", "0", "off"}


def choice(settings: Mapping[str, Any], name: str, allowed: Sequence[str]) -> str:
    """Return the setting, the first of ``allowed`` if it is not given. Raises SettingsError."""
    value = settings.get(name, allowed[0])
    if value not in allowed:
        raise SettingsError(name, value, ", ".join(allowed))
    return str(value)


def flag(settings: Mapping[str, Any], name: str, default: bool = False) -> bool:
    """Return a yes or no. Raises SettingsError."""
    value = str(settings.get(name, default)).strip().lower()
    if value in _YES:
        return True
    if value in _NO:
        return False
    raise SettingsError(name, settings[name], "yes or no")


def number(settings: Mapping[str, Any], name: str, default: float, low: float, high: float) -> float:
    """Return a number in low..high. Raises SettingsError."""
    value = settings.get(name, default)
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = float("nan")
    if not low <= found <= high:
        raise SettingsError(name, value, f"{low:g} to {high:g}")
    return found


def names(settings: Mapping[str, Any], name: str) -> list[str]:
    """Return a list of names: of a list, of a text with commas, or of the lines of a file; [] if not given.

    Raises FormatError for a file that cannot be read.
    """
    value = settings.get(name)
    if value is None or value == "":
        return []
    if not isinstance(value, str | Path):
        return [str(item).strip() for item in value]
    if isinstance(value, str) and ("," in value or not Path(value).is_file()):
        return [part.strip() for part in value.split(",") if part.strip()]
    try:
        return [line.strip() for line in Path(value).read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"the names cannot be read: {error}", file=str(value)) from error
