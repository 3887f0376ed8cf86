"""What every decoder of outputs is: a part of the description that says how to read them, and does it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from countersign.domain.errors import ModelError
from countersign.domain.label import Prediction
from countersign.domain.model import Task
from countersign.models.contract import PredictOptions
from countersign.models.onnx.frame import Frame
from countersign.models.onnx.inputs import Declared
from countersign.models.onnx.session import Tensor
from countersign.models.parts import results

Array = NDArray[Any]
_CANDIDATES = 3000  # of so many boxes at most the doubles are removed: more are noise


@dataclass(frozen=True, slots=True)
class Labels:
    """What the numbers of a model mean: class names by index ("" is background), names of its keypoints."""

    names: tuple[str, ...]
    keypoints: tuple[str, ...] = ()
    nms: float | None = None
    nms_across_classes: bool = False


@dataclass(frozen=True, slots=True)
class Boxes:
    """Boxes found in one input. ``corners`` (N, 4) x0, y0, x1, y1 in pixels of the input, ``classes`` (N,) indices.

    ``extra`` holds further arrays with N rows (mask coefficients, keypoints).
    """

    corners: Array
    scores: Array
    classes: Array
    extra: Mapping[str, Array] = field(default_factory=dict)

    def take(self, rows: Array | Sequence[int]) -> Boxes:
        """Return some of them, in this order."""
        extra = {name: values[rows] for name, values in self.extra.items()}
        return Boxes(self.corners[rows], self.scores[rows], self.classes[rows], extra)


class Output(Declared):
    """How the outputs of one image are read."""

    one_object: ClassVar[bool] = False  # whether it speaks of one object that fills the image
    outputs: tuple[str, ...] = ()
    """Names of the outputs in the order that the decoder expects (default: as the file has them)."""
    scale: float = Field(default=1.0, gt=0)
    """Quantised outputs: value = (number - zero_point) * scale."""
    zero_point: float = 0.0
    """See `scale`."""

    @abstractmethod
    def tasks(self) -> tuple[Task, ...]:
        """What results can be made of it, the usual one first."""

    @abstractmethod
    def decode(self, arrays: Sequence[Array], frame: Frame, labels: Labels, options: PredictOptions) -> Any:
        """Read the outputs of one image (without the batch's axis). Raises ModelError where they do not fit."""

    def count(self, shapes: Sequence[Tensor]) -> int | None:
        """Return how many classes there are, where the shapes of the outputs say it."""
        return None

    def select(self, tensors: Sequence[Tensor]) -> list[str]:
        """Return the names of the outputs to compute. Raises ModelError where one is missing."""
        known = [tensor.name for tensor in tensors]
        missing = [name for name in self.outputs if name not in known]
        if missing:
            raise ModelError(
                f"the model has no output {', '.join(missing)}", remedy=f"output.outputs may name {', '.join(known)}."
            )
        return list(self.outputs) or known

    def values(self, array: Array) -> Array:
        """Return float32 values of a raw output, with what is not finite as it is."""
        values = np.asarray(array, np.float32)
        return values if self.scale == 1.0 and self.zero_point == 0.0 else (values - self.zero_point) * self.scale


def shaped(array: Array, dimensions: int, what: str) -> Array:
    """Drop leading axes of length 1 until so many are left. Raises ModelError where that cannot be."""
    while array.ndim > dimensions and array.shape[0] == 1:
        array = array[0]
    if array.ndim != dimensions:
        raise misfit(f"{what} should have {dimensions} axes", array)
    return array


def misfit(what: str, array: Array) -> ModelError:
    """An error for an output that is not what was declared."""
    return ModelError(
        f"the output does not fit its description: {what}, and came as {list(array.shape)}",
        remedy="Declare another output.decoder, or other output.outputs.",
    )


def sigmoid(values: Array) -> Array:
    """1 / (1 + exp(-x)), without overflow."""
    result: Array = 0.5 * (1.0 + np.tanh(0.5 * np.asarray(values, np.float32)))
    return result


def softmax(values: Array) -> Array:
    """Exponentials that sum to 1 along the last axis."""
    raised = np.exp(values - np.max(values, axis=-1, keepdims=True))
    result: Array = raised / raised.sum(axis=-1, keepdims=True)
    return result


def centred(boxes: Array) -> Array:
    """Turn boxes (N, 4) of centre x, centre y, width, height into corners."""
    half = boxes[:, 2:4] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)


def grid(size: tuple[int, int], strides: Sequence[int], cells: int | None = None) -> tuple[Array, Array]:
    """Return the cells of an input at all strides, row by row: (N, 2) x and y in cells, (N, 1) stride of each."""
    places, steps = [], []
    for stride in strides:
        rows, columns = size[0] // stride, size[1] // stride
        ys, xs = np.mgrid[:rows, :columns]
        places.append(np.stack([xs, ys], axis=-1).reshape(-1, 2))
        steps.append(np.full((rows * columns, 1), stride))
    joined, step = np.concatenate(places).astype(np.float32), np.concatenate(steps).astype(np.float32)
    if cells is not None and len(joined) != cells:
        raise ModelError(
            f"the model gives {cells} boxes, but an input of {size[0]} x {size[1]} pixels has {len(joined)} cells at "
            f"strides {', '.join(map(str, strides))}",
            remedy="Declare output.strides, or another decoder.",
        )
    return joined, step


def best_class(
    corners: Array, scores: Array, options: PredictOptions, extra: Mapping[str, Array] | None = None
) -> Boxes:
    """Give each box its best class, of scores (N, C), and leave out those below the least confidence."""
    classes = scores.argmax(axis=1) if scores.shape[1] else np.zeros(len(scores), int)
    best = np.take_along_axis(scores, classes[:, None], axis=1)[:, 0] if scores.shape[1] else np.zeros(len(scores))
    keep = np.flatnonzero(best >= options.min_confidence)  # false for NaN, too
    return Boxes(corners, best, classes, extra or {}).take(keep)


def thin(found: Boxes, labels: Labels, options: PredictOptions) -> Boxes:
    """Remove doubles by the described (or asked for) non-maximum suppression; most confident first."""
    keep = np.isfinite(found.corners).all(axis=1) & np.isfinite(found.scores)
    options.tally.add("degenerate", int((~keep).sum()))
    order = np.flatnonzero(keep)
    order = order[np.argsort(-found.scores[order], kind="stable")][:_CANDIDATES]
    found = found.take(order)
    threshold = options.settings.get("nms", labels.nms)
    if threshold is None or len(found.scores) < 2:
        return found
    across = options.settings.get("nms_across_classes", labels.nms_across_classes)
    groups = np.zeros(len(found.classes), int) if across else found.classes
    kept: list[int] = []
    for group in np.unique(groups):
        kept += _suppress(found.corners, np.flatnonzero(groups == group), float(threshold))
    return found.take(np.sort(np.array(kept, dtype=int)))


def _suppress(corners: Array, rows: Array, threshold: float) -> list[int]:
    """Greedy suppression among the rows, which come most confident first."""
    boxes = corners.astype(np.float64)
    areas = np.clip(boxes[:, 2] - boxes[:, 0], 0, None) * np.clip(boxes[:, 3] - boxes[:, 1], 0, None)
    kept = []
    while len(rows):
        first, rows = rows[0], rows[1:]
        kept.append(int(first))
        low = np.maximum(boxes[rows, :2], boxes[first, :2])
        high = np.minimum(boxes[rows, 2:], boxes[first, 2:])
        shared = np.clip(high - low, 0, None).prod(axis=1)
        covered = areas[rows] + areas[first] - shared
        rows = rows[shared <= threshold * covered]
    return kept


def named(classes: Array, labels: Labels) -> list[str]:
    """Return class names of indices; ModelError for an index that no name was declared for."""
    numbers = [int(index) for index in classes]
    beyond = [index for index in numbers if not 0 <= index < len(labels.names)]
    if beyond:
        raise ModelError(
            f"the model speaks of class {beyond[0]}, but {len(labels.names)} names are declared (0 is the first)",
            remedy="Declare all classes in the model's order (and output.label_offset where it counts from 1).",
        )
    return [labels.names[index] for index in numbers]


def check_count(count: int, labels: Labels, array: Array) -> None:
    """Raise ModelError where the model has another number of classes than names are declared."""
    if count != len(labels.names):
        raise misfit(f"{len(labels.names)} class names are declared for {count} classes", array)


def as_boxes(found: Boxes, frame: Frame, labels: Labels, options: PredictOptions) -> list[Prediction]:
    """Make predictions of boxes in pixels of the image."""
    return results.boxes(frame.image, frame.corners(found.corners), found.scores, named(found.classes, labels), options)


def as_poses(found: Boxes, frame: Frame, labels: Labels, options: PredictOptions, shown: float) -> list[Prediction]:
    """Make predictions of skeletons of ``extra["points"]`` (N, K, 2 or 3: x, y, score); shown above ``shown``."""
    points = found.extra["points"]
    if not len(points):
        return []
    scores = points[..., 2] if points.shape[-1] > 2 else None
    visible = np.ones(points.shape[:2], bool) if scores is None else scores >= shown
    placed = frame.points(points[..., :2])
    corners = frame.corners(found.corners)
    names = named(found.classes, labels)
    return results.keypoints(
        frame.image, placed, visible, found.scores, names, options, corners=corners, point_scores=scores
    )
