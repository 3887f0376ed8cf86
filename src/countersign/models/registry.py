"""Which models there are and how a reference to one becomes a model. Loads no network library itself.

A reference is one of::

    cells                              the name of a model of the workspace
    ./shared/cells.countersign-model   a folder or file that some family opens
    grounding-dino-tiny                a model of the catalogue, or one added to the models folder
    timm:resnet18?weights=random       a family's own name for one of its models
    remote:street-signs                a model behind a URL that the workspace knows
    http://gpu-box:8400/yolo           a model that ``countersign serve-model`` serves there

with options of the family after ``?``. A family is one file in ``families`` and one entry in ``_BUILT_IN``; its module
is imported when it is asked for, and imports no network library itself. Which models a workspace holds is not known
here: whoever calls says where they are (``saved``), and what those behind a URL are (``remote``).
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, runtime_checkable
from urllib.parse import parse_qsl

from countersign.domain.errors import InvalidInput, ModelError, NotFound
from countersign.domain.model import ModelCard
from countersign.models.contract import Anything, Model

SAVED = "trained"
"""The family that opens names of the workspace, folders and files."""
REMOTE = "remote"
"""The family of models behind a URL."""

Specs = Mapping[str, Mapping[str, Any]]
"""What a workspace knows of its models behind a URL, by name."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference taken apart.

    ``path`` is set where it names files, ``card`` where it names a model of the catalogue, whose files
    ``countersign.models.folder.weights`` finds. A model that its user added has both: the card is what they said of it.
    ``options`` follow the ``?``. ``spec`` says all of a model behind a URL; it may hold a secret and is not shown.
    """

    text: str
    family: str
    name: str
    path: Path | None = None
    card: ModelCard | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    spec: Mapping[str, Any] | None = field(default=None, repr=False)

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

    def load(self, reference: Reference, *, device: str | None) -> Anything:
        """Load it. ``device`` None means the best there is. Raises NotFound, ModelError."""
        ...

    def card(self, reference: Reference) -> ModelCard:
        """Say what it is, without loading its weights where that can be avoided. Raises NotFound, ModelError."""
        ...

    def names(self) -> Sequence[str]:
        """Return the names that a reference to this family can have, as far as they are known."""
        ...


@runtime_checkable
class Adjustable(Protocol):
    """A family that says which settings a run may give its models, in ``PredictOptions.settings``: ``nms`` ..."""

    @property
    def setting_names(self) -> tuple[str, ...]: ...


@runtime_checkable
class Catalogued(Protocol):
    """A family whose models stand in the catalogue."""

    def cards(self) -> Sequence[ModelCard]:
        """Return a card for each, written beside the code. Loads nothing."""
        ...


@runtime_checkable
class Opener(Protocol):
    """A family that recognises files of its models."""

    def opens(self, path: Path) -> bool:
        """Whether this folder or file is one of its models, by its ending or its ``config.json``. Loads nothing."""
        ...


@runtime_checkable
class Gatherer(Protocol):
    """A family whose files need others beside them."""

    def files(self, path: Path) -> Sequence[Path]:
        """Return what lies in the folder of a model's file, or below, and belongs to it. Raises ModelError."""
        ...


_BUILT_IN: Mapping[str, str] = {
    SAVED: "countersign.models.families.trained:FAMILY",
    "chat": "countersign.models.families.chat:FAMILY",
    "detector": "countersign.models.families.detector:FAMILY",
    "dual_encoder": "countersign.models.families.dual_encoder:FAMILY",
    "florence": "countersign.models.families.florence:FAMILY",
    "image_classifier": "countersign.models.families.image_classifier:FAMILY",
    "image_encoder": "countersign.models.families.image_encoder:FAMILY",
    "kosmos": "countersign.models.families.kosmos:FAMILY",
    "molmo": "countersign.models.families.molmo:FAMILY",
    "onnx": "countersign.models.onnx.family:FAMILY",
    REMOTE: "countersign.models.remote.family:FAMILY",
    "open_clip": "countersign.models.families.open_clip_encoder:FAMILY",
    "pose_estimator": "countersign.models.families.pose_estimator:FAMILY",
    "prompt_segmenter": "countersign.models.families.prompt_segmenter:FAMILY",
    "semantic_segmenter": "countersign.models.families.semantic_segmenter:FAMILY",
    "text_detector": "countersign.models.families.text_detector:FAMILY",
    "text_segmenter": "countersign.models.families.text_segmenter:FAMILY",
    "timm": "countersign.models.families.timm_classifier:FAMILY",
    "torchvision": "countersign.models.families.torchvision_models:FAMILY",
    "ultralytics": "countersign.models.ultralytics.family:FAMILY",
    "universal_segmenter": "countersign.models.families.universal_segmenter:FAMILY",
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


def code_of(name: str) -> ModelCard | None:
    """Return the card of a family's own code, where that has a licence to be accepted (``ultralytics``); or None."""
    code = getattr(family(name), "code", None) if name in _families else None
    return code if isinstance(code, ModelCard) else None


def parse(text: str, *, saved: Mapping[str, Path] | None = None, remote: Specs | None = None) -> Reference:
    """Take a reference apart.

    ``saved`` maps the names of the workspace's models to where they are, ``remote`` the names of those behind a URL to
    what they are.

    A name of the workspace wins over a path, a path over the catalogue, the catalogue over a family. Raises NotFound
    with the nearest names, and ModelError for an option that the family does not know or a path that none opens.
    """
    saved = saved or {}
    text = text.strip()
    if not text:
        raise NotFound("model", text, known=tuple(sorted(saved)))
    if text in saved:
        return Reference(text, SAVED, text, path=saved[text])
    if (found := _of_remote(text, remote or {})) is not None:
        return found
    bare, _, query = text.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    reference = _of_path(text, bare) or _of_catalogue(text, bare) or _of_family(text, bare)
    if reference is None:
        raise _not_found(text, saved)
    known = family(reference.family).option_names
    for key in options:
        if key not in known:
            remedy = f"Options: {', '.join(known)}." if known else "They have none."
            raise ModelError(f"{text!r}: {reference.family} models have no option {key!r}", remedy=remedy)
    return dataclasses.replace(reference, options={**reference.options, **options})


def _of_remote(text: str, remote: Specs) -> Reference | None:
    if text.startswith(("http://", "https://")):
        return Reference(text, REMOTE, text)
    head, _, name = text.partition(":")
    if head != REMOTE or REMOTE not in _families:
        return None
    if name not in remote:
        raise NotFound("model behind a URL", name, known=tuple(sorted(remote)))
    return Reference(text, REMOTE, name, spec=remote[name])


def _of_path(text: str, bare: str) -> Reference | None:
    for part in (text, bare):
        path = Path(part).expanduser()
        if part and path.exists():
            known = family_of(path)
            if known == SAVED:
                _check_architecture(path)
            return Reference(text, known, path.stem, path=path.absolute())
    return None


def _check_architecture(folder: Path) -> None:
    """Raise ModelError for a checkpoint of the hub's kind with a network that no family runs."""
    from countersign.models.parts import hub_loading

    if (folder / hub_loading.CONFIG).is_file() and not (folder / "card.json").exists():
        named = hub_loading.read_config(folder).get("architectures") or ["no architecture"]
        raise ModelError(
            f"{folder} is no model that can be run here: its config.json names {', '.join(map(str, named))}",
            remedy="The pages of the families (docs/guide/models) say what can; or export it to ONNX.",
        )


def family_of(path: Path) -> str:
    """Return the name of the family that opens a folder or file; ``SAVED`` where none says so (it explains why not)."""
    for name in sorted(_families):
        found = family(name)
        if isinstance(found, Opener) and found.opens(path):
            return name
    return SAVED


def _of_catalogue(text: str, bare: str) -> Reference | None:
    from countersign.models import catalogue
    from countersign.models.folder import own

    card = catalogue.find(bare)
    if card is None:
        return _of_fetched(text, bare)
    return own.reference(text, card) or Reference(text, card.family, card.name, card=card)


def _of_fetched(text: str, bare: str) -> Reference | None:
    """A model that is not in the catalogue and was fetched by its family's own name: it is found by its card's, too."""
    from countersign.models.folder import weights

    record = weights.record_of(bare)
    if record is None or record.card.family not in _families:
        return None
    card = record.card
    return Reference(text, card.family, card.hub_id or str(card.details.get("architecture", card.name)))


def _of_family(text: str, bare: str) -> Reference | None:
    head, colon, rest = bare.partition(":")
    if colon and head in _families and head != SAVED:
        return Reference(text, head, rest)
    return None


def _not_found(text: str, saved: Mapping[str, Path]) -> NotFound:
    names = tuple(sorted(saved))
    if os.sep in text or text.startswith((".", "~")):
        return NotFound("model", text, known=names, remedy="There is no such file or folder either: check the path.")
    from countersign.models import catalogue

    others = [*(card.name for card in catalogue.cards()), *(f"{name}:" for name in families())]
    near = difflib.get_close_matches(text, [*names, *others], n=3, cutoff=0.5)
    if near:
        return NotFound("model", text, known=names, remedy=f"Did you mean {' or '.join(near)}?")
    here = f"The workspace has {', '.join(names[:12])}." if names else "The workspace has none yet: train one."
    return NotFound("model", text, known=names, remedy=f"{here} A timm model is written timm:resnet18.")


def open_any(
    text: str, *, saved: Mapping[str, Path] | None = None, remote: Specs | None = None, device: str | None = None
) -> Anything:
    """Load the model that a reference names, whatever it can do.

    ``saved`` maps the workspace's own names to folders, ``remote`` to what is behind a URL; ``device`` is None (the
    best there is), ``cpu``, ``cuda`` ... Raises NotFound with suggestions, and ModelError where it is damaged or
    not what it should be.
    """
    reference = parse(text, saved=saved, remote=remote)
    return family(reference.family).load(reference, device=device)


def load(
    text: str, *, saved: Mapping[str, Path] | None = None, remote: Specs | None = None, device: str | None = None
) -> Model:
    """Load a model that labels whole images. Raises as ``open_any`` does, and ModelError where it does not do that."""
    found = open_any(text, saved=saved, remote=remote, device=device)
    if not isinstance(found, Model):
        does = ", ".join(task.value.replace("_", " ") for task in found.card.tasks)
        raise ModelError(f"{text!r} does not label images by itself (it does {does})", remedy="Choose another model.")
    return found


def card(text: str, *, saved: Mapping[str, Path] | None = None, remote: Specs | None = None) -> ModelCard:
    """Return the card of the model that a reference names. Raises as ``load`` does, though weights may go unread."""
    reference = parse(text, saved=saved, remote=remote)
    if reference.card is not None and reference.path is not None:
        return reference.card  # one that its user added: what they said of it stands
    return family(reference.family).card(reference)
