"""Our HTTP contract: what is asked of a model over HTTP and what comes back, as pydantic models. Version 1.

``docs/reference/model-http.md`` describes it in words; the JSON schema beside that page is made of these models.
Coordinates are float pixels of the image as sent: origin top left, x to the right, y down.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from countersign.domain.model import Task

VERSION = 1
MOST_IMAGES = 64

Number = Annotated[float, Field(ge=-1e9, le=1e9)]
Numbers = Annotated[list[Number], Field(max_length=1_000_000)]


class Part(BaseModel):
    """Base of all. Unknown names are refused in requests; answers of newer servers may have more."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)


class Told(BaseModel):
    """Base of what a server tells."""

    model_config = ConfigDict(extra="ignore", use_attribute_docstrings=True, allow_inf_nan=False)


class PromptText(Part):
    """A text for a zero-shot model and the class that it stands for; no class: a negative prompt."""

    text: str = Field(min_length=1, max_length=1000)
    class_name: str = Field(default="", max_length=200)


class GivenBox(Part):
    """A box to refine into a mask or a pose: x, y, width, height."""

    class_name: str = Field(min_length=1, max_length=200)
    box: Annotated[list[Number], Field(min_length=4, max_length=4)]
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    attributes: dict[str, Any] = Field(default_factory=dict)


class Click(Part):
    """What points at one object: points with true where they belong to it, a box (x, y, width, height), or both."""

    points: list[tuple[Number, Number]] = Field(default_factory=list, max_length=1000)
    positive: list[bool] = Field(default_factory=list, max_length=1000)
    box: Annotated[list[Number], Field(min_length=4, max_length=4)] | None = None

    @model_validator(mode="after")
    def _fitting(self) -> Click:
        if len(self.points) != len(self.positive):
            raise ValueError("positive needs one value per point")
        if not self.points and self.box is None:
            raise ValueError("points, a box, or both are needed")
        return self


class Parameters(Part):
    """What to do with the images. ``boxes`` and ``objects`` hold one list per image."""

    task: Task | None = None
    """Null: the first that the model does."""
    classes: list[str] = Field(default_factory=list, max_length=30_000)
    """Only these; empty: all."""
    prompts: list[PromptText] = Field(default_factory=list, max_length=10_000)
    min_confidence: Annotated[float, Field(ge=0, le=1)] = 0.1
    settings: dict[str, Any] = Field(default_factory=dict)
    """The model family's own."""
    boxes: list[list[GivenBox]] | None = Field(default=None, max_length=MOST_IMAGES)
    """Boxes to turn into masks or poses."""
    objects: list[list[Click]] | None = Field(default=None, max_length=MOST_IMAGES)
    """Objects to cut out."""
    question: str = Field(default="", max_length=20_000)
    """A question about each image, for task ``questions``."""


class ImageData(Part):
    """An image: its file in base64, or an address from which the server fetches it."""

    data: str | None = None
    url: str | None = Field(default=None, max_length=2000)

    @model_validator(mode="after")
    def _one(self) -> ImageData:
        if (self.data is None) == (self.url is None):
            raise ValueError("give data or url")
        return self


class PredictBody(Part):
    """A request in JSON. As a form: one field ``image`` (a file) per image, and ``parameters`` (JSON)."""

    images: list[ImageData] = Field(min_length=1, max_length=MOST_IMAGES)
    parameters: Parameters = Field(default_factory=Parameters)


class Rle(Told):
    """A mask as COCO's compressed run-length encoding: size is height, width."""

    size: tuple[Annotated[int, Field(ge=1, le=100_000)], Annotated[int, Field(ge=1, le=100_000)]]
    counts: str = Field(min_length=1)


class Found(Told):
    """One prediction. At most one of box, polygon, mask, keypoints is its geometry (keypoints may have a box, too);
    none of them: a class of the whole image."""

    class_name: str = Field(min_length=1, max_length=200)
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    """Null where the model gives none."""
    box: Annotated[list[Number], Field(min_length=4, max_length=4)] | None = None
    """x, y, width, height."""
    polygon: list[Numbers] | None = None
    """Rings: x0, y0, x1, y1 ..."""
    holes: list[Numbers] = Field(default_factory=list)
    """Rings cut out of the polygon."""
    mask: Rle | None = None
    keypoints: Numbers | None = None
    """x, y, v for each point; v is 0 (not there), 1 (hidden) or 2 (visible)."""
    text: str | None = None
    """Text that was read there."""
    attributes: dict[str, Any] = Field(default_factory=dict)


class Cut(Told):
    """An object cut out; ``confidence`` is the model's estimate of the mask's quality."""

    mask: Rle
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None


class Result(Told):
    """What came of one image: predictions, objects (one per click, in their order), an answer, a vector; or an
    error."""

    width: int = 0
    height: int = 0
    predictions: list[Found] = Field(default_factory=list)
    objects: list[Cut] | None = None
    text: str | None = None
    embedding: list[float] | None = None
    error: str = ""
    """Why there is nothing for this image; the other images are not harmed."""
    counts: dict[str, int] = Field(default_factory=dict)
    """What was mended or left out in the whole request (told with the first image): ``clipped``, ``degenerate`` ..."""


class PredictAnswer(Told):
    """One result per image, in their order."""

    version: Literal[1] = 1
    model: str
    results: list[Result]


class CardList(Told):
    """The cards of all models that a server serves. A card is what ``countersign models show NAME --json`` prints."""

    version: Literal[1] = 1
    models: list[dict[str, Any]]


def schema() -> dict[str, Any]:
    """Return the JSON schema of request, answer and list."""
    from pydantic.json_schema import models_json_schema

    kinds = (PredictBody, PredictAnswer, CardList)
    _, found = models_json_schema([(kind, "validation") for kind in kinds], title=f"Model HTTP contract {VERSION}")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}
