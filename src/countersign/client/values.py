"""What a server sends, as the domain's values; and images that somebody means, as what a server takes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from countersign.domain.compare import Difference, What
from countersign.domain.geometry import Kind, Mask, Polygon
from countersign.domain.image import Image, ImageState, Project
from countersign.domain.label import (
    Change,
    Check,
    Field,
    Label,
    LabelClass,
    LabelState,
    Origin,
    Prediction,
    Provenance,
    Verb,
)
from countersign.domain.metrics import ClassificationScores, ClassScores, DetectionScores, SemanticScores
from countersign.domain.model import ModelCard, Prompt, StoredModel, Task
from countersign.domain.query import ImageQuery
from countersign.domain.run import Method, Run, RunSpec, RunState
from countersign.domain.work import RunProgress, Training, TrainingSpec, TrainingState
from countersign.formats import ExportReport, ImportReport, Severity
from countersign.store.fields import FieldSummary
from countersign.store.projects import ProjectSummary
from countersign.workbench.as_json import geometry, to_geometry
from countersign.workbench.bringing import Import
from countersign.workbench.evaluation import Evaluation, Found
from countersign.workbench.importing import ImagesImport, Refused
from countersign.workbench.label_import import LabelsImport
from countersign.workbench.segmenting import Segmented

Data = Mapping[str, Any]


def moment(text: str | None) -> datetime | None:
    """Read a time."""
    return None if text is None else datetime.fromisoformat(text)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def project(data: Data) -> Project:
    """Read a project."""
    return Project(data["id"], data["name"], _at(data["created_at"]))


def project_summary(data: Data) -> ProjectSummary:
    """Read a project with its counts."""
    counts = (data["images"], data["labels"], data["fields"], data["runs"])
    return ProjectSummary(project(data), *counts, moment(data["last_change"]))


def image(data: Data) -> Image:
    """Read an image."""
    return Image(
        data["id"], data["project_id"], data["name"], data["path"] or "", data["hash"], data["width"], data["height"],
        data["format"], data["bands"], data["dtype"], data["bytes"], ImageState(data["state"]), data["split"],
        frozenset(data["tags"]),
    )  # fmt: skip


def label(data: Data) -> Label:
    """Read a label."""
    origin = data["origin"]
    return Label(
        data["class_name"],
        to_geometry(data["geometry"]),
        data["confidence"],
        LabelState[data["state"].upper()],
        data["attributes"],
        None if origin is None else Provenance(Origin(origin), model=data["model"]),
        data["verified_by"],
        None if data["verified_how"] is None else Check(data["verified_how"]),
        data["id"] or None,
        data["image_id"],
    )


def prediction(data: Data) -> Prediction:
    """Read what a model says of an image."""
    return Prediction(data["class_name"], to_geometry(data["geometry"]), data["confidence"], data["attributes"])


def new_label(value: Label) -> dict[str, Any]:
    """Return a label as a server takes a new one."""
    by = value.provenance
    model = None
    if by is not None and by.model:
        model = {
            "model": by.model,
            "version": by.model_version,
            "weights_hash": by.weights_hash,
            "min_confidence": by.min_confidence,
        }
    origin = Origin.PERSON if by is None else by.origin
    return {
        "class_name": value.class_name,
        "geometry": geometry(value.geometry),
        "confidence": value.confidence,
        "attributes": dict(value.attributes),
        "predicted_by": model if origin is Origin.MODEL else None,
        "made_with": model if origin is Origin.PERSON else None,
    }


def segmented(data: Data, image_id: int, user: str) -> Segmented:
    """Read an object that a model cut out, for this user."""
    by = data["segmented_by"]
    mask, outline = to_geometry(data["mask"]), to_geometry(data["outline"])
    assert mask is None or isinstance(mask, Mask)
    assert outline is None or isinstance(outline, Polygon)
    made = Provenance(
        Origin.PERSON, source=user, model=by["model"], model_version=by["version"], weights_hash=by["weights_hash"]
    )
    return Segmented(image_id, mask, outline, data["confidence"], made)


def label_class(data: Data) -> LabelClass:
    """Read a class."""
    bones = tuple((first, second) for first, second in data["skeleton"])
    return LabelClass(data["name"], data["color"], tuple(data["keypoint_names"]), bones, data["id"])


def field(data: Data, project_id: int) -> Field:
    """Read a field."""
    return Field(data["name"], data["id"], project_id, data["run_id"], moment(data["created_at"]))


def field_summary(data: Data, project_id: int) -> FieldSummary:
    """Read a field with its counts."""
    return FieldSummary(
        field(data, project_id),
        data["closed"],
        data["labels"],
        data["images"],
        {LabelState[item["name"].upper()]: item["count"] for item in data["states"]},
        {Kind[item["name"].upper()]: item["count"] for item in data["kinds"]},
    )


def change(data: Data) -> Change:
    """Read a change."""
    named = dict(data)
    return Change(**named | {"verb": Verb(data["verb"]), "at": _at(data["at"])})


def model(data: Data) -> StoredModel:
    """Read a model; where its files are only the server knows."""
    return StoredModel(data["id"], data["name"], ModelCard.from_data(data["card"]), "", _at(data["created_at"]))


def run(data: Data) -> Run:
    """Read a run."""
    spec = RunSpec(
        data["model"], data["field"], ImageQuery.from_data(data["images"]), tuple(data["classes"]),
        data["min_confidence"], data["name"], data["workers"], data["batch_size"], data["settings"],
        task=Task(data["task"]) if data["task"] else None, method=Method(data["method"]), refiner=data["refiner"],
        boxes_field=data["boxes_field"], prompts=tuple(Prompt(**prompt) for prompt in data["prompts"]),
        label_map=data["label_map"], masks=data["masks"],
    )  # fmt: skip
    far = data["progress"]
    return Run(
        data["id"], data["project_id"], data["field_id"], data["name"], RunState(data["state"]), spec,
        data["created_by"], _at(data["created_at"]), moment(data["started_at"]), moment(data["finished_at"]),
        data["error"], far["total"], far["done"], far["failed"], far["labels"], data["target_field"],
        data["tally"], data["note"],
    )  # fmt: skip


def run_progress(data: Data) -> RunProgress:
    """Read how far a run is."""
    far = data["progress"]
    counts = (far["total"], far["done"], far["failed"], far["labels"])
    rest = {"rate": far["rate"], "eta_s": far["eta_s"], "workers": far["workers"], "error": data["error"]}
    rest["note"] = data["note"]
    return RunProgress(data["id"], RunState(data["state"]), *counts, **rest)


def training(data: Data) -> Training:
    """Read a training."""
    spec = TrainingSpec(
        data["model"] or data["name"],
        data["field"],
        ImageQuery.from_data(data["images"]),
        data["settings"],
        data["name"],
    )
    said = {"progress": data["progress"], "planned": data["plan"], "notices": data["notices"], "scores": data["scores"]}
    return Training(
        data["id"], data["project_id"], data["name"], TrainingState(data["state"]), spec, data["created_by"],
        _at(data["created_at"]), {name: value for name, value in said.items() if value},
        moment(data["finished_at"]), error=data["error"],
    )  # fmt: skip


def _refused(items: Sequence[Data]) -> tuple[Refused, ...]:
    return tuple(Refused(item["path"], item["reason"]) for item in items)


def images_import(data: Data) -> ImagesImport:
    """Read what became of image files."""
    return ImagesImport(
        data["found"], data["added"], data["known"], data["moved"],
        tuple((item["path"], item["same_as"]) for item in data["duplicates"]),
        _refused(data["refused"]), _refused(data["skipped"]),
    )  # fmt: skip


def labels_import(data: Data) -> LabelsImport:
    """Read what became of labels."""
    report = ImportReport()
    for name in data["report"].get("classes", ()):
        report.add_class(name)
    _fill(report, data["report"])
    counts = (data["images"], data["labels"], data["duplicates"], data["missing"], data["ambiguous"])
    return LabelsImport(
        data["format"], data["field"], *counts, data["images_added"], data["change"], _refused(data["refused"]),
        report,
    )  # fmt: skip


def everything_import(data: Data) -> Import:
    """Read what an import did."""
    labels = labels_import(data["labels"]) if data["labels"] else None
    return Import(images_import(data["images"]), labels, tuple(data["notes"]))


def export_report(data: Data) -> ExportReport:
    """Read the report of an export."""
    report = ExportReport()
    _fill(report, data)
    report.files = data["files"]
    return report


def _fill(report: ImportReport | ExportReport, data: Data) -> None:
    """Fill a report with the counts, and the examples, that were sent."""
    report.format, report.images, report.labels = data["format"], data["images"], data["labels"]
    notes = {Severity.SKIPPED: report.skipped, Severity.CHANGED: report.changed, Severity.NOTE: report.note}
    for item in data["problems"]:
        note, left = notes[Severity(item["severity"])], item["count"]
        for number, example in enumerate(item["examples"], 1):
            count = 1 if number < len(item["examples"]) else left
            note(item["reason"], file=example["file"], where=example["where"], detail=example["detail"], count=count)
            left -= count


def evaluation(data: Data) -> Evaluation:
    """Read a measurement."""
    return Evaluation(
        data["field"], data["against"], data["images"], _detection(data["boxes"]), _detection(data["masks"]),
        None if data["semantic"] is None else SemanticScores(**data["semantic"]),
        _classification(data["classification"]),
    )  # fmt: skip


def _detection(data: Data | None) -> DetectionScores | None:
    if data is None:
        return None
    return DetectionScores(**{**data, "classes": tuple(ClassScores(**item) for item in data["classes"])})


def _classification(data: Data | None) -> ClassificationScores | None:
    if data is None:
        return None
    confusion = tuple(tuple(row) for row in data["confusion"])
    return ClassificationScores(data["accuracy"], data["images"], tuple(data["classes"]), confusion)


def found(data: Data) -> Found:
    """Read a difference."""
    sides = [label(data[name]) if data[name] else None for name in ("found", "truth")]
    return Found(image(data["image"]), Difference(What(data["what"]), sides[0], sides[1], data["iou"]))


def query_text(query: ImageQuery) -> str:
    """Return a query as a server takes it: in JSON, which can say everything."""
    return "" if query.empty else json.dumps(query.to_data())


def full(path: str | Path) -> Path:
    """Return the whole path of a file of the caller."""
    return Path(path).expanduser().absolute()
