"""Which settings a run may give its models, and what those may be that mean the same in every family.

Asked before a run starts. What a setting of one family alone may be (``mode``, ``keypoint_score`` ...) is known there.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from countersign.domain.errors import InvalidInput, SettingsError
from countersign.models import registry


def check(
    texts: Sequence[str],
    settings: Mapping[str, object],
    *,
    saved: Mapping[str, Path] | None = None,
    remote: registry.Specs | None = None,
) -> None:
    """Raise InvalidInput for a setting that the families of these references do not have, or of a wrong kind.

    A misspelt setting that is ignored in silence would be found out hours later, or never. Raises NotFound and
    ModelError, too.
    """
    known: list[str] = []
    for text in texts:
        head = registry.family(registry.parse(text, saved=saved, remote=remote).family)
        if not isinstance(head, registry.Adjustable):
            return
        known += head.setting_names
    unknown = [name for name in settings if name not in known]
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, n=1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        names = f"Its settings: {', '.join(known)}." if known else "It has no settings."
        raise InvalidInput(f"the model {' with '.join(texts)!r} has no setting {unknown[0]!r}", remedy=hint + names)
    for name, value in settings.items():
        _check_setting(name, value)


_WHOLE = "a whole number from 1 on"
_SETTINGS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "nms": ("a number above 0, up to 1, or null for none", lambda value: value is None or _is_number(value, 0, 1)),
    "nms_across_classes": ("true or false", lambda value: value in (False, True)),
    "max_detections": (f"{_WHOLE}, or null for any number", lambda value: value is None or _is_count(value)),
    "max_new_tokens": (_WHOLE, lambda value: _is_count(value)),
    "top": (_WHOLE, lambda value: _is_count(value)),
}
"""Settings that mean the same in every family: what they may be."""


def _is_number(value: object, above: float, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and above < value <= most


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _check_setting(name: str, value: object) -> None:
    allowed, fits = _SETTINGS.get(name, ("", lambda _: True))
    if not fits(value):
        raise SettingsError(name, value, allowed)
