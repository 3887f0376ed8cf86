"""Classes and fields of a project."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field as Of

from countersign.server.schemas.common import NamedCount, Wire

_COLOR = r"^#[0-9a-fA-F]{6}$"


class LabelClass(Wire):
    """What a label can say: a name, a colour, and for keypoints their names and the bones between."""

    id: int
    name: str
    color: str
    """`#rrggbb`."""
    keypoint_names: list[str]
    skeleton: list[tuple[int, int]]
    """Pairs of indices into `keypoint_names`, from 0."""
    labels: int
    """Labels of this class, in all fields."""


class ClassList(Wire):
    """All classes of a project, in the order in which they were made: number keys follow it."""

    items: list[LabelClass]


class ClassCreate(Wire):
    """A new class."""

    name: str = Of(min_length=1, max_length=200, examples=["cell"])
    color: str = Of(default="", pattern=r"^(#[0-9a-fA-F]{6})?$")
    """`#rrggbb`; empty: the next one of the palette."""
    keypoint_names: list[str] = Of(default_factory=list, max_length=500)
    skeleton: list[tuple[int, int]] = Of(default_factory=list, max_length=2000)


class ClassUpdate(Wire):
    """What shall change of a class; what is not given stays."""

    name: str | None = Of(default=None, min_length=1, max_length=200)
    color: str | None = Of(default=None, pattern=_COLOR)
    keypoint_names: list[str] | None = Of(default=None, max_length=500)
    skeleton: list[tuple[int, int]] | None = Of(default=None, max_length=2000)


class Field(Wire):
    """A named set of labels."""

    id: int
    name: str
    run_id: int | None
    """The run that writes it, if one does."""
    closed: bool
    """Whether its run is approved: its labels do not change any more."""
    created_at: datetime | None
    labels: int
    images: int
    """Images with a label in it. This and `kinds` may be a second old where there are more than 50,000 labels; an event
    `fields` tells when they are new."""
    states: list[NamedCount]
    kinds: list[NamedCount]
    """Labels by geometry: `classification`, `box`, `polygon`, `mask`, `keypoints`, `ellipse`."""
    has_confidence: bool
    """Whether any label has a confidence: then it can be reviewed."""


class FieldList(Wire):
    """All fields of a project, oldest first."""

    items: list[Field]


class FieldCreate(Wire):
    """A new field."""

    name: str = Of(min_length=1, max_length=64, examples=["second_opinion"])


class FieldUpdate(Wire):
    """Another name for a field."""

    name: str = Of(min_length=1, max_length=64)


class FieldCheck(Wire):
    """Whether a name may be given to a new field."""

    free: bool
    problem: str
    """Why not; empty if it may."""


class LabelMap(Wire):
    """Which class of a project a class of a model becomes."""

    model: str
    classes: dict[str, str]
    """Class of the model -> class of the project; empty leaves it out."""
    kept: bool
    """False: it is a suggestion by name that nobody has kept yet."""


class LabelMapUpdate(Wire):
    """A label map to keep."""

    model: str = Of(min_length=1, max_length=500)
    classes: dict[str, str] | None
    """Null forgets the map."""
