"""Models, trainings and predictions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from countersign.server.schemas.common import JsonObject, Wire
from countersign.server.schemas.images import ImageTarget
from countersign.server.schemas.labels import Geometry, PredictedBy

Task: TypeAlias = Literal[
    "classification", "detection", "semantic_segmentation", "instance_segmentation", "pose", "prompted_segmentation",
    "embedding", "questions",
]  # fmt: skip


class WeightFile(Wire):
    """One file of a model's weights."""

    name: str
    sha256: str
    """Whole, its first digits, or empty where nobody publishes it."""
    url: str
    size: int
    """Bytes, 0 if unknown."""


class ModelCard(Wire):
    """What a model says of itself."""

    name: str
    family: str
    tasks: list[Task]
    classes: list[str]
    """Its fixed vocabulary; empty for a zero-shot model."""
    version: str
    size: str
    zero_shot: bool
    """It takes its classes as words."""
    description: str
    author: str
    source: str
    """The page that describes it."""
    hub_id: str
    licence: str
    """Of the weights."""
    code_licence: str
    download_bytes: int
    files: list[WeightFile]
    extra: str
    """The optional dependency that it needs: `countersign[extra]`."""
    gpu: bool
    """Too slow to be useful without one."""
    weights_hash: str
    min_confidence: float
    scores: dict[str, float]
    """What was measured: `held_out_ap50` ..."""
    published: dict[str, float]
    """What its authors publish: `parameters` in millions, `gflops`, `coco_map` ..."""
    published_source: str
    speed: int
    """1 to 3 relative to comparable models, made of `published`; 0 where nothing is known."""
    performance: int
    """As `speed`."""
    details: JsonObject
    """What only its family knows."""


class TrainedIn(Wire):
    """Where and by whom a model was trained."""

    project_id: int
    project: str
    created_by: str


class Model(Wire):
    """A model of the workspace: trained here or imported."""

    id: int
    name: str
    created_at: datetime
    card: ModelCard
    trained: TrainedIn | None
    """Null for one that was imported, or whose project is gone."""


class ModelList(Wire):
    """All models of the workspace, oldest first, and the families of others that a run can take."""

    items: list[Model]
    families: list[str]
    """A model of a family is written `family:name`: `timm:resnet18`."""


class FamilyModels(Wire):
    """Models of a family, by name."""

    items: list[str]
    count: int
    """How many fit, though not all may be listed."""


class ModelUpdate(Wire):
    """Another name for a model."""

    name: str = Field(min_length=1, max_length=100)


class ModelImport(Wire):
    """A model's file or folder on the server's computer."""

    path: str = Field(min_length=1, max_length=4000)
    name: str = Field(default="", max_length=100)
    """Empty: its own."""


class TrainingSettings(Wire):
    """Settings of a training; what is not given has its default. Ranges: `get_training_defaults`."""

    epochs: int | None = None
    budget: float | None = None
    """Seconds; where it is given it decides and `epochs` does not."""
    batch_size: int | None = None
    learning_rate: float | None = None
    image_size: int | None = None
    fit_image_size: bool | None = None
    detection: bool | None = None
    """A head on, off, or (null) as the labels allow."""
    segmentation: bool | None = None
    classification: bool | None = None
    unpainted: Literal["background", "ignore"] | None = None
    tiling: Literal["auto", "on", "off"] | None = None
    turning: Literal["auto", "any", "upright"] | None = None
    backbone: str | None = Field(default=None, max_length=200)
    pretrained: bool | None = None
    weights: str | None = Field(default=None, max_length=4000)
    held_out: bool | None = None
    confidence: float | None = None
    nms: float | None = None
    seed: int | None = None


class SettingRange(Wire):
    """What a setting may be: a range of numbers, or some values (null among them: as the data allow)."""

    name: str
    default: Annotated[Any, Field(description="A number, a word, true, false or null.")]
    low: float | None = None
    high: float | None = None
    whole: bool = False
    choices: list[Annotated[Any, Field(description="A number, a word, true, false or null.")]] | None = None


class TrainingDefaults(Wire):
    """What a training can be told."""

    settings: list[SettingRange]
    backbones: list[str]
    """Some that are known to work well; any timm name is taken."""
    name: str
    """The name that the model would get."""


class TrainingCreate(ImageTarget):
    """What a training shall do. No query and no ids: all images with labels in the field."""

    field: str = Field(default="ground_truth", min_length=1, max_length=64)
    name: str = Field(default="", max_length=100)
    """Name of the model to be; empty: the project's with the next number."""
    settings: TrainingSettings = Field(default_factory=TrainingSettings)


class TrainingNotice(Wire):
    """Something that the training wants to be known."""

    topic: str
    text: str


class TrainingProgress(Wire):
    """Where a training is."""

    done: float
    """0 to 1."""
    epoch: int
    epochs: int
    step: int
    losses: dict[str, float]
    elapsed_s: float
    left_s: float | None
    score: float | None
    score_name: str


class CurvePoint(Wire):
    """One point of a training's curve."""

    step: int
    epoch: int
    losses: dict[str, float]
    score: float | None


class Training(Wire):
    """One fit of a model on verified labels."""

    id: int
    project_id: int
    name: str
    state: Literal["queued", "training", "done", "cancelled", "error"]
    field: str
    images: JsonObject
    """Which images, as a query in JSON."""
    settings: JsonObject
    created_by: str
    created_at: datetime
    finished_at: datetime | None
    error: str
    model: str | None
    """Name of the model that came of it."""
    progress: TrainingProgress | None
    """Null until it has begun to learn."""
    plan: JsonObject | None
    """What it decided to do: heads, classes, images, image size, device."""
    scores: dict[str, float]
    """On images held out."""
    notices: list[TrainingNotice]


class TrainingList(Wire):
    """The trainings of a project, the newest first."""

    items: list[Training]


class TrainingCurve(Wire):
    """How losses and score went."""

    points: list[CurvePoint]


class Prompt(Wire):
    """A text for a zero-shot model, and the class that it stands for."""

    text: str = Field(min_length=1, max_length=1000)
    class_name: str = Field(default="", max_length=200)
    """Empty: a negative prompt; what fits it best is left out."""


class PredictRequest(Wire):
    """What to ask of which model. Nothing is stored."""

    model: str = Field(min_length=1, max_length=500)
    classes: list[str] = Field(default_factory=list, max_length=10_000)
    task: Task | None = None
    """Null: the first that the model does."""
    prompts: list[Prompt] = Field(default_factory=list, max_length=10_000)
    """For a zero-shot model; none: each class is its own."""
    label_map: dict[str, str] = Field(default_factory=dict)
    """Class of the model -> class of the project; empty leaves it out."""
    min_confidence: float = Field(default=0.1, ge=0, le=1)
    nms: float | None = Field(default=None, ge=0.01, le=1)
    """Overlap above which two boxes are one object; null: the model's own."""


class Prediction(Wire):
    """What a model says of an image."""

    class_name: str
    geometry: Geometry | None
    confidence: float | None
    attributes: JsonObject


class PredictionList(Wire):
    """The predictions for one image, the most confident first."""

    items: list[Prediction]
    predicted_by: PredictedBy
    """Give it with a label when a prediction is accepted."""
    seconds: float


class AskRequest(Wire):
    """A question about one image. Nothing is stored."""

    model: str = Field(min_length=1, max_length=500)
    """One that does the task `questions`."""
    question: str = Field(min_length=1, max_length=2000)
    max_new_tokens: int | None = Field(default=None, ge=1, le=4096)
    """How long the answer may be; null: the model's own."""


class AnsweredBy(Wire):
    """Who answered."""

    model: str
    version: str
    weights_hash: str


class ImageAnswer(Wire):
    """What a model said of an image."""

    text: str
    answered_by: AnsweredBy
    seconds: float


class AskCreate(ImageTarget):
    """A question about many images. The answers are the `result` of the operation; with a field, labels too."""

    model: str = Field(min_length=1, max_length=500)
    question: str = Field(min_length=1, max_length=2000)
    field: str = Field(default="", max_length=64)
    """Keep the answers there as proposed labels of the class `answer`; empty: nowhere."""
    batch_size: int = Field(default=1, ge=1, le=64)
    settings: JsonObject = Field(default_factory=dict)
    """The family's own, as `max_new_tokens`."""
