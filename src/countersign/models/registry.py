"""Which models there are and how a reference to one becomes a model. Loads no network library itself.

A reference is one of::

    cells                              the name of a model of the workspace
    ./shared/cells.csmodel             a saved model: a folder or an exported file
    timm:resnet18?weights=random       a family's own name for one of its models, with options after ``?``

A family is one file in this package and one entry in ``_BUILT_IN``; its module is imported when it is asked for.
Which models a workspace holds is not known here: whoever calls says where they are (``saved``).
"""

from __future__ import annotations

import difflib
import functools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl

from countersign.domain.errors import InvalidInput, ModelError, NotFound
from countersign.domain.model import ModelCard
from countersign.models.contract import Model

SAVED = "trained"
"""The family that opens names of the workspace, folders and files."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference taken apart. ``path`` is set for the family of saved models, ``options`` follow the ``?``."""

    text: str
    family: str
    name: str
    path: Path | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    def option(self, key: str, allowed: Sequence[str], default: str) -> str:
        """Return one option's value. Raises ModelError where it is none of ``allowed``."""
        value = self.options.get(key, default)
        if value not in allowed:
            raise ModelError(f"{self.text!r}: {key} is {value!r}", remedy=f"It may be {', '.join(allowed)}.")
        return value


class Family(Protocol):
    """One kind of models. ``option_names`` are those that a reference may carry."""

    @property
    def name(self) -> str: ...

    @property
    def option_names(self) -> tuple[str, ...]: ...

    def load(self, reference: Reference, *, device: str | None) -> Model:
        """Load it. ``device`` None means the best there is. Raises NotFound, ModelError."""
        ...

    def card(self, reference: Reference) -> ModelCard:
        """Say what it is, without loading its weights where that can be avoided. Raises NotFound, ModelError."""
        ...

    def names(self) -> Sequence[str]:
        """Return the names that a reference to this family can have, as far as they are known."""
        ...


_BUILT_IN: Mapping[str, str] = {
    SAVED: "countersign.models.trained:FAMILY",
    "timm": "countersign.models.timm_classifier:FAMILY",
}
_families: dict[str, Callable[[], Family]] = {}


def register(name: str, family: Callable[[], Family]) -> None:
    """Add a family under a name (or replace it). ``family`` is called when it is first asked for."""
    if not name.isidentifier():
        raise InvalidInput(f"{name!r} cannot name a family of models", remedy="Use letters, digits and '_'.")
    _families[name] = family


def _import(target: str) -> Family:
    module, _, attribute = target.partition(":")
    family: Family = getattr(import_module(module), attribute)
    return family


for _name, _target in _BUILT_IN.items():
    register(_name, functools.partial(_import, _target))


def families() -> tuple[str, ...]:
    """Return the names of all families."""
    return tuple(sorted(_families))


def family(name: str) -> Family:
    """Return a family. Raises NotFound."""
    if name not in _families:
        raise NotFound("family of models", name, known=families())
    return _families[name]()


def parse(text: str, *, saved: Mapping[str, Path] | None = None) -> Reference:
    """Take a reference apart. ``saved`` maps the names of the workspace's models to where they are.

    A name of the workspace wins over a path, a path over a family. Raises NotFound with the nearest names, and
    ModelError for an option that the family does not know.
    """
    saved = saved or {}
    text = text.strip()
    if not text:
        raise NotFound("model", text, known=tuple(sorted(saved)))
    if text in saved:
        return Reference(text, SAVED, text, path=saved[text])
    path = Path(text).expanduser()
    if path.exists():
        return Reference(text, SAVED, path.stem, path=path.resolve())
    head, colon, rest = text.partition(":")
    if colon and head in _families and head != SAVED:
        return _family_reference(text, head, rest)
    raise _not_found(text, saved)


def _family_reference(text: str, head: str, rest: str) -> Reference:
    name, _, query = rest.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    known = family(head).option_names
    for key in options:
        if key not in known:
            raise ModelError(f"{text!r}: {head} models have no option {key!r}", remedy=f"Options: {', '.join(known)}.")
    return Reference(text, head, name, options=options)


def _not_found(text: str, saved: Mapping[str, Path]) -> NotFound:
    names = tuple(sorted(saved))
    if os.sep in text or text.startswith((".", "~")):
        return NotFound("model", text, known=names, remedy="There is no such file or folder either: check the path.")
    near = difflib.get_close_matches(text, [*names, *(f"{name}:" for name in families())], n=3, cutoff=0.5)
    if near:
        return NotFound("model", text, known=names, remedy=f"Did you mean {' or '.join(near)}?")
    here = f"The workspace has {', '.join(names[:12])}." if names else "The workspace has none yet: train one."
    return NotFound("model", text, known=names, remedy=f"{here} A timm model is written timm:resnet18.")


def load(text: str, *, saved: Mapping[str, Path] | None = None, device: str | None = None) -> Model:
    """Load the model that a reference names.

    ``saved`` maps the workspace's own names to folders; ``device`` is None (the best there is), ``cpu``, ``cuda`` ...
    Raises NotFound with suggestions, and ModelError where it is damaged or not what it should be.
    """
    reference = parse(text, saved=saved)
    return family(reference.family).load(reference, device=device)


def card(text: str, *, saved: Mapping[str, Path] | None = None) -> ModelCard:
    """Return the card of the model that a reference names. Raises as ``load`` does, though weights may go unread."""
    reference = parse(text, saved=saved)
    return family(reference.family).card(reference)
