"""Domain values as JSON values, in the shapes that ``schemas`` declares. Plain dictionaries: pages hold thousands."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from starlette.responses import Response

from countersign.domain.errors import InvalidInput
from countersign.domain.image import Image
from countersign.domain.label import Change, Label, LabelClass, LabelState, Prediction, Provenance
from countersign.domain.model import StoredModel
from countersign.domain.run import Run, RunState
from countersign.domain.work import RunProgress, Training
from countersign.server.previews import SHAPES
from countersign.workbench.as_json import geometry

Data = dict[str, Any]

STATES = {state: state.name.lower() for state in LabelState}


class Json(Response):
    """An answer in JSON, written by the quickest encoder there is."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)


def state_of(name: str) -> LabelState:
    """Return the state of this name."""
    return LabelState[name.upper()]


def label(value: Label, field: str, version: int, *, detail: str = "full") -> Data:
    """Return a label; ``detail`` says how much of its geometry (a key of ``previews.SHAPES``)."""
    origin = value.provenance
    return {
        "id": value.id,
        "image_id": value.image_id,
        "field": field,
        "class_name": value.class_name,
        "geometry": SHAPES[detail](value.geometry),
        "confidence": value.confidence,
        "state": STATES[value.state],
        "attributes": value.attributes,
        "version": version,
        "origin": None if origin is None else origin.origin.value,
        "model": "" if origin is None else origin.model,
        "verified_by": value.verified_by,
        "verified_how": value.verified_how,
    }


def provenance(value: Provenance | None) -> Data | None:
    """Return where a label came from."""
    if value is None:
        return None
    names = ("origin", "source", "model", "model_version", "weights_hash", "prompt", "min_confidence", "run_id")
    return {name: getattr(value, name) for name in names}


def image(value: Image, labels: Sequence[Data] | None = None, *, with_path: bool = False) -> Data:
    """Return an image, with its labels where they were asked for."""
    return {
        "id": value.id,
        "project_id": value.project_id,
        "name": value.name,
        "width": value.width,
        "height": value.height,
        "hash": value.content_hash,
        "format": value.format,
        "bands": value.bands,
        "dtype": value.dtype,
        "bytes": value.bytes,
        "state": value.state.value,
        "split": value.split,
        "tags": sorted(value.tags),
        "labels": labels,
        "path": value.path if with_path else None,
    }


def change(value: Change) -> Data:
    """Return a change."""
    names = ("id", "verb", "actor", "at", "count", "note", "field", "undoes", "undone_by")
    return {name: getattr(value, name) for name in names}


def label_class(value: LabelClass, labels: int) -> Data:
    """Return a class with how many labels it has."""
    return {
        "id": value.id,
        "name": value.name,
        "color": value.color,
        "keypoint_names": value.keypoint_names,
        "skeleton": value.skeleton,
        "labels": labels,
    }


def counts(pairs: Iterable[tuple[str, int]]) -> list[Data]:
    """Return named counts."""
    return [{"name": name, "count": count} for name, count in pairs]


_ACTIONS: Mapping[RunState, tuple[str, ...]] = {
    RunState.QUEUED: ("cancel",),
    RunState.GENERATING: ("pause", "cancel", "skip"),
    RunState.PAUSED: ("resume", "cancel", "skip"),
    RunState.IN_REVIEW: ("review", "approve"),
    RunState.APPROVED: ("review",),
    RunState.ERROR: ("resume", "skip"),
    RunState.CANCELLED: ("resume", "skip"),
}


def run(value: Run, progress: RunProgress | None = None) -> Data:
    """Return a run; ``progress`` where it is at work."""
    spec = value.spec
    actions = list(_ACTIONS[value.state])
    if value.state is RunState.IN_REVIEW and value.failed:
        actions.append("retry")
    return {
        "id": value.id,
        "project_id": value.project_id,
        "name": value.name,
        "state": value.state.value,
        "field": spec.field,
        "field_id": value.field_id,
        "model": spec.model,
        "classes": spec.classes,
        "min_confidence": spec.min_confidence,
        "settings": dict(spec.settings),
        "images": spec.images.to_data(),
        "workers": spec.workers,
        "batch_size": spec.batch_size,
        "created_by": value.created_by,
        "created_at": value.created_at,
        "started_at": value.started_at,
        "finished_at": value.finished_at,
        "error": value.error,
        "target_field": value.target_field,
        "task": spec.task.value if spec.task else None,
        "method": spec.method.value,
        "refiner": spec.refiner,
        "boxes_field": spec.boxes_field,
        "prompts": [{"text": prompt.text, "class_name": prompt.class_name} for prompt in spec.prompts],
        "label_map": dict(spec.label_map),
        "masks": spec.masks,
        "tally": dict(value.tally),
        "note": value.note,
        "progress": {
            "total": value.total,
            "done": value.done,
            "failed": value.failed,
            "pending": value.pending,
            "labels": value.labels,
            "rate": progress.rate if progress else 0.0,
            "eta_s": progress.eta_s if progress else None,
            "workers": progress.workers if progress else 0,
        },
        "actions": actions,
    }


def model(value: StoredModel, trained: tuple[int, str, str] | None) -> Data:
    """Return a model with its card; ``trained`` is the project's id and name, and by whom, where it was done here."""
    names = ("project_id", "project", "created_by")
    where = dict(zip(names, trained, strict=True)) if trained else None
    return {
        "id": value.id,
        "name": value.name,
        "created_at": value.created_at,
        "card": value.card.to_data(),
        "trained": where,
    }


def training(value: Training, model_name: str | None) -> Data:
    """Return a training with what it last reported."""
    said = value.progress
    names = ("done", "epoch", "epochs", "step", "losses", "elapsed_s", "left_s", "score", "score_name")
    now = said.get("progress")
    scores = (said.get("finished") or {}).get("scores") or (said.get("scored") or {}).get("scores") or {}
    return {
        "id": value.id,
        "project_id": value.project_id,
        "name": value.name,
        "state": value.state.value,
        "field": value.spec.field,
        "images": value.spec.images.to_data(),
        "settings": dict(value.spec.settings),
        "created_by": value.created_by,
        "created_at": value.created_at,
        "finished_at": value.finished_at,
        "error": value.error,
        "model": model_name,
        "progress": {name: now.get(name) for name in names} if now else None,
        "plan": said.get("planned"),
        "scores": scores,
        "notices": said.get("notices", []),
    }


def prediction(value: Prediction) -> Data:
    """Return a prediction."""
    return {
        "class_name": value.class_name,
        "geometry": geometry(value.geometry),
        "confidence": value.confidence,
        "attributes": dict(value.attributes),
    }


def cursor(key: Sequence[Any] | None) -> str | None:
    """Return a key of a page as the opaque text that clients give back."""
    return None if key is None else base64.urlsafe_b64encode(orjson.dumps(list(key))).decode().rstrip("=")


def from_cursor(text: str | None) -> tuple[Any, ...] | None:
    """Return the key of a cursor. Raises InvalidInput."""
    if not text:
        return None
    try:
        found = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        found = None
    if not isinstance(found, list) or not all(isinstance(part, str | int) for part in found):
        raise InvalidInput(f"{text!r} is no cursor of a page", remedy="Give the 'next' of the page before.")
    if any(isinstance(part, int) and not -(2**63) <= part < 2**63 for part in found):
        raise InvalidInput(f"{text!r} is no cursor of a page", remedy="Give the 'next' of the page before.")
    return tuple(found)
