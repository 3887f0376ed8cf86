"""Labels: one statement about an image, who said it, and what has become of it."""

from __future__ import annotations

import colorsys
import functools
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from countersign.domain.errors import GeometryError, InvalidInput
from countersign.domain.geometry import Geometry, Kind


class LabelState(IntEnum):
    """What has become of a label. The numbers are stored: never renumber.

    A label drawn or imported is VERIFIED. A run's label is PROPOSED until somebody promotes or rejects it;
    approval copies the promoted ones, as VERIFIED, into the target field.
    """

    VERIFIED = 0
    PROPOSED = 1
    PROMOTED = 2
    REJECTED = 3


class Origin(StrEnum):
    """Where a label came from first."""

    PERSON = "person"
    IMPORT = "import"
    MODEL = "model"


class Check(StrEnum):
    """How a person verified a label that a model proposed."""

    SINGLE = "single"
    BULK = "bulk"
    EDITED = "edited"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a label came from. Many labels share one; what is not known is empty.

    ``source`` is a file's name for an import, a person's for a drawing. ``weights_hash`` is the SHA-256 of the weights.
    """

    origin: Origin
    source: str = ""
    model: str = ""
    model_version: str = ""
    weights_hash: str = ""
    prompt: str = ""
    min_confidence: float | None = None
    run_id: int | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """A class plus a geometry (None for a classification of the whole image).

    ``confidence`` is in 0..1 and None where no model said one. ``attributes`` holds what formats carry besides
    (iscrowd, difficult, occluded, group id ...): JSON values by name. ``id`` and ``image_id`` are None until stored.
    """

    class_name: str
    geometry: Geometry | None = None
    confidence: float | None = None
    state: LabelState = LabelState.VERIFIED
    attributes: Mapping[str, Any] = field(default_factory=dict)
    provenance: Provenance | None = None
    verified_by: str | None = None
    verified_how: Check | None = None
    id: int | None = None
    image_id: int | None = None

    def __post_init__(self) -> None:
        if not self.class_name:
            raise InvalidInput("a label needs a class name")
        if self.confidence is not None and not 0.0 <= self.confidence <= 1.0:
            raise GeometryError(f"a confidence lies between 0 and 1, not {self.confidence}")

    @property
    def kind(self) -> Kind:
        return Kind.CLASSIFICATION if self.geometry is None else self.geometry.kind


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model says of an image. ``confidence`` is None where the model gives none: it is never invented.

    ``geometry`` is in pixels of the upright image at full size, whatever the model's own input size was.
    """

    class_name: str
    geometry: Geometry | None
    confidence: float | None
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LabelClass:
    """What a label can say: a name, a colour (``#rrggbb``), and for keypoints their names and the bones between.

    ``skeleton`` holds pairs of indices into ``keypoint_names``, counted from 0.
    """

    name: str
    color: str = ""
    keypoint_names: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    id: int | None = None

    def __post_init__(self) -> None:
        if not self.name or self.name != self.name.strip():
            raise InvalidInput(f"a class name is not empty and has no blank at its ends, unlike {self.name!r}")
        for first, second in self.skeleton:
            if not (0 <= first < len(self.keypoint_names) and 0 <= second < len(self.keypoint_names)):
                raise InvalidInput(f"the skeleton of {self.name!r} joins a keypoint that it does not have")


@dataclass(frozen=True, slots=True)
class Field:
    """A named set of labels in a project. ``run_id`` is set for the field that a run writes."""

    name: str
    id: int
    project_id: int
    run_id: int | None = None
    created_at: datetime | None = None


class Verb(StrEnum):
    """What a change did."""

    IMPORT = "import"
    CREATE = "create"
    EDIT = "edit"
    DELETE = "delete"
    RUN = "run"
    PROMOTE = "promote"
    REJECT = "reject"
    UNDO = "undo"
    APPROVE = "approve"


@dataclass(frozen=True, slots=True)
class Change:
    """One action on labels: who did what, when, to how many. Its rows keep each label before and after."""

    id: int
    verb: Verb
    actor: str
    at: datetime
    count: int
    note: str = ""
    field: str = ""
    undoes: int | None = None
    undone_by: int | None = None


PALETTE = (
    "#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#00a5b5", "#f032e6", "#7a9a01", "#008080", "#9a6324",
    "#b3445c", "#5a7d00", "#808000", "#8d6e9c", "#c71585", "#b8860b", "#2e8b57", "#6a5acd", "#d2691e", "#4682b4",
)  # fmt: skip


_TURN = (5**0.5 - 1) / 2  # of the golden angle: hues that follow each other lie far apart
_DARKEST, _LIGHTEST = 0.12, 0.33  # relative luminance: 2.7 to 1 and more on white as on the dark page


def color_of(index: int, taken: Container[str] = ()) -> str:
    """Return a colour for the index-th class of a project, if possible none of those ``taken``.

    First come those of a palette, then hues; all can be told from a light and from a dark page. Of more than a
    thousand classes some share one.
    """
    tries = range(index, index + 100)
    return next((found for found in map(_color, tries) if found not in taken), _color(index))


def _color(index: int) -> str:
    return PALETTE[index] if index < len(PALETTE) else _hue(index)


@functools.lru_cache(maxsize=4096)
def _hue(index: int) -> str:
    lightness = 0.5
    while True:
        rgb = colorsys.hls_to_rgb(index * _TURN % 1.0, lightness, 0.5 + 0.1 * (index // 100 % 5))
        red, green, blue = (((c + 0.055) / 1.055) ** 2.4 if c > 0.03928 else c / 12.92 for c in rgb)
        luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        if _DARKEST <= luminance <= _LIGHTEST:
            return "#" + "".join(f"{round(c * 255):02x}" for c in rgb)
        lightness += 0.02 if luminance < _DARKEST else -0.02
