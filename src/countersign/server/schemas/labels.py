"""Labels and their geometry. Coordinates are pixels of the upright image: origin top left, y down."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from countersign.server.schemas.common import Id, JsonObject, LabelState, Problem, Wire
from countersign.server.schemas.projects import Change

Number: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]


class Box(Wire):
    """An upright rectangle."""

    type: Literal["box"]
    x: Number
    y: Number
    width: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    height: Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Polygon(Wire):
    """One object outlined by rings; `holes` are cut out of their union."""

    type: Literal["polygon"]
    rings: list[list[Number]] = Field(min_length=1)
    """Each x0, y0, x1, y1, ... of three or more points, the first not repeated."""
    holes: list[list[Number]] = Field(default_factory=list)


class Ellipse(Wire):
    """Centre and half axes; `angle` in degrees turns the first axis clockwise from +x."""

    type: Literal["ellipse"]
    cx: Number
    cy: Number
    rx: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    ry: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    angle: Number = 0.0


class Mask(Wire):
    """Painted pixels as COCO's compressed run-length encoding (column-major)."""

    type: Literal["mask"]
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    counts: str = Field(min_length=1)
    """What COCO tools call `counts`, as an ASCII string."""


class Keypoints(Wire):
    """Points of a skeleton, in the order of the class's names."""

    type: Literal["keypoints"]
    points: list[Number] = Field(min_length=3)
    """x0, y0, v0, x1, y1, v1, ...; v is 0 not labelled, 1 hidden, 2 visible."""
    box: Box | None = None


Geometry: TypeAlias = Annotated[Box | Polygon | Ellipse | Mask | Keypoints, Field(discriminator="type")]


class Label(Wire):
    """One statement about an image."""

    id: int
    image_id: int
    field: str
    class_name: str
    geometry: Geometry | None
    """Null for a classification of the whole image."""
    confidence: float | None
    """0 to 1; null where no model said one."""
    state: LabelState
    attributes: JsonObject
    version: int
    """Changes with every change of the label. Give it as `expected_version` when you change the label."""
    origin: Literal["person", "import", "model"] | None
    """Where it came from first."""
    model: str
    """The model that said it; empty if none did."""
    verified_by: str | None
    verified_how: Literal["single", "bulk", "edited"] | None


class LabelList(Wire):
    """Labels of one image."""

    items: list[Label]


class Provenance(Wire):
    """Where a label came from."""

    origin: Literal["person", "import", "model"]
    source: str
    model: str
    model_version: str
    weights_hash: str
    prompt: str
    min_confidence: float | None
    run_id: int | None


class LabelVersion(Wire):
    """What one change did to a label."""

    change: Change
    before: Label | None
    """Null where the change made it."""
    after: Label | None
    """Null where the change deleted it."""


class LabelDetail(Wire):
    """A label with its past."""

    label: Label
    provenance: Provenance | None
    history: list[LabelVersion]


class PredictedBy(Wire):
    """The model behind a prediction that a person accepts: it becomes the label's provenance."""

    model: str = Field(min_length=1, max_length=500)
    version: str = Field(default="", max_length=200)
    weights_hash: str = Field(default="", max_length=200)
    min_confidence: float | None = Field(default=None, ge=0, le=1)


class NewLabel(Wire):
    """A label to make."""

    class_name: str = Field(min_length=1, max_length=200)
    """A class that is not there yet is made."""
    geometry: Geometry | None = None
    confidence: float | None = Field(default=None, ge=0, le=1)
    attributes: JsonObject = Field(default_factory=dict)
    predicted_by: PredictedBy | None = None
    """Set when a prediction is accepted; without it the label is a person's."""
    made_with: PredictedBy | None = None
    """Set when a person made the label by pointing at an object that a model cut out: it is theirs, and names both."""


class LabelsCreate(Wire):
    """Labels to add to one image, as one change."""

    field: str = Field(default="ground_truth", min_length=1, max_length=64)
    """A field that is not there yet is made."""
    labels: list[NewLabel] = Field(min_length=1, max_length=5000)


class LabelUpdate(Wire):
    """What shall change of a label; what is not given stays. `geometry: null` makes it a classification."""

    class_name: str | None = Field(default=None, min_length=1, max_length=200)
    geometry: Geometry | None = None
    attributes: JsonObject | None = None
    state: Literal["proposed", "promoted", "rejected"] | None = None
    """For a label of a run in review: the verdict on it."""
    made_with: PredictedBy | None = None
    """The model that helped a person with the new geometry; null: none did. A label that a model made keeps its own."""
    expected_version: Id | None = None
    """The version that was seen. If the label has another one by now, nothing changes and the answer is 409."""


class CreateOperation(Wire):
    """Make a label."""

    op: Literal["create"]
    client_id: str = Field(min_length=1, max_length=100)
    """Your own name for the label, so that you find its id in the answer."""
    image_id: Id
    field: str = Field(default="ground_truth", min_length=1, max_length=64)
    label: NewLabel


class UpdateOperation(Wire):
    """Change a label: one with an id, or one that an earlier operation of this batch makes."""

    op: Literal["update"]
    label_id: Id | None = None
    client_id: str | None = Field(default=None, max_length=100)
    """Instead of `label_id`: the client id of a label that this batch makes. With it: returned as given."""
    change: LabelUpdate


class DeleteOperation(Wire):
    """Delete a label. A proposal of a run is rejected instead: nothing that a model said is lost."""

    op: Literal["delete"]
    label_id: Id | None = None
    client_id: str | None = Field(default=None, max_length=100)
    expected_version: Id | None = None


LabelOperation: TypeAlias = Annotated[CreateOperation | UpdateOperation | DeleteOperation, Field(discriminator="op")]


class LabelBatch(Wire):
    """Operations on labels, done in order in one transaction.

    An operation that cannot be done (a version that is outdated, a label that is gone) is left out and reported; the
    others are done. Sent again with the same `key`, nothing is done twice: the first answer comes back.
    """

    key: str = Field(min_length=8, max_length=100, examples=["01J9Z4YB3N7M4XK0T2VQ"])
    """Made by you, different for every batch."""
    note: str = Field(default="", max_length=1000)
    """A word on it for the history."""
    operations: list[LabelOperation] = Field(min_length=1, max_length=5000)


class OperationResult(Wire):
    """What became of one operation of a batch, in the order of the batch."""

    status: Literal["done", "conflict", "refused"]
    """`conflict`: somebody else changed or deleted the label since; `refused`: it cannot be done (see `problem`)."""
    label_id: int | None
    client_id: str | None
    label: Label | None
    """The label as it is now; null if it is gone."""
    problem: Problem | None


class BatchResult(Wire):
    """What became of a batch."""

    key: str
    replayed: bool
    """Whether it had been done before and this is the answer of then."""
    change_ids: list[int]
    """The changes that it made in the history."""
    results: list[OperationResult]
