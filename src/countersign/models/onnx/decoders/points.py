"""Pose of one object that fills the image: keypoints as numbers (MoveNet) or as one heatmap for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from countersign.domain.label import Prediction
from countersign.domain.model import Task
from countersign.models.contract import PredictOptions
from countersign.models.onnx.decoders.base import Array, Labels, Output, misfit, shaped, sigmoid
from countersign.models.onnx.frame import Frame
from countersign.models.onnx.session import Tensor
from countersign.models.parts import results


class _Pose(Output):
    one_object: ClassVar[bool] = True
    keypoint_confidence: Annotated[float, Field(ge=0, le=1)] = 0.2
    """A keypoint below this score counts as not seen."""

    def tasks(self) -> tuple[Task, ...]:
        return (Task.POSE,)

    def count(self, shapes: Sequence[Tensor]) -> int | None:
        return 1

    def _pose(
        self, points: Array, scores: Array | None, frame: Frame, labels: Labels, options: PredictOptions
    ) -> list[Prediction]:
        if labels.keypoints and len(labels.keypoints) != len(points):
            raise misfit(f"{len(labels.keypoints)} keypoints are declared, not {len(points)}", points)
        shown = np.asarray(np.isfinite(points).all(axis=1))
        if scores is not None:
            scores = np.clip(np.nan_to_num(scores), 0, 1)
            shown = shown & (scores >= self.keypoint_confidence)
        placed = frame.points(np.nan_to_num(points))[None]
        # The confidence of the whole is the mean of what is seen, as no other is given.
        whole = None if scores is None else [float(scores[shown].mean()) if shown.any() else 0.0]
        names = [labels.names[0]]
        point_scores = None if scores is None else scores[None]
        return results.keypoints(frame.image, placed, shown[None], whole, names, options, point_scores=point_scores)


class Points(_Pose):
    """[1, 1, K, 2 or 3] of coordinates, with a score or without."""

    decoder: Literal["keypoints", "movenet"]
    coordinates: Literal["yx", "xy"] = "yx"
    """Order of the two."""
    units: Literal["fraction", "input"] = "fraction"
    """A fraction (0..1) of the input, or its pixels."""

    def decode(
        self, arrays: Sequence[Array], frame: Frame, labels: Labels, options: PredictOptions
    ) -> list[Prediction]:
        rows = shaped(self.values(arrays[0]), 2, "the keypoints")
        if rows.shape[1] not in (2, 3) or not len(rows):
            raise misfit("a keypoint should have 2 or 3 values", arrays[0])
        points = rows[:, :2][:, ::-1] if self.coordinates == "yx" else rows[:, :2]
        if self.units == "fraction":
            points = points * np.array([frame.input[1], frame.input[0]], np.float32)
        return self._pose(points, rows[:, 2] if rows.shape[1] == 3 else None, frame, labels, options)


class Heatmaps(_Pose):
    """[1, K, h, w] (or [1, h, w, K]): each keypoint is where its map is highest, and the height is its score.

    The place is moved a quarter of a cell towards the higher neighbour (arXiv 1603.06937, section 3.2).
    """

    decoder: Literal["heatmaps"]
    channels: Literal["first", "last"] = "first"
    """Whether the keypoints are the first or the last axis."""
    scores: Literal["probabilities", "sigmoid"] = "probabilities"
    """Whether heights are in 0..1 or logits."""

    def decode(
        self, arrays: Sequence[Array], frame: Frame, labels: Labels, options: PredictOptions
    ) -> list[Prediction]:
        maps = shaped(self.values(arrays[0]), 3, "the heatmaps")
        if 0 in maps.shape:
            raise misfit("there are no heatmaps", arrays[0])
        maps = maps if self.channels == "first" else maps.transpose(2, 0, 1)
        maps = np.nan_to_num(maps, nan=-1e9, posinf=1e9, neginf=-1e9)
        count, height, width = maps.shape
        ys, xs = np.divmod(maps.reshape(count, -1).argmax(axis=1), width)
        heights = maps[np.arange(count), ys, xs]
        points = np.stack([xs + 0.5 + _lean(maps, ys, xs, 2), ys + 0.5 + _lean(maps, ys, xs, 1)], axis=1)
        points *= (frame.input[1] / width, frame.input[0] / height)
        return self._pose(points, sigmoid(heights) if self.scores == "sigmoid" else heights, frame, labels, options)


def _lean(maps: Array, ys: Array, xs: Array, axis: int) -> Array:
    """A quarter towards the higher neighbour along an axis, 0 at the edge."""
    place, length = (xs, maps.shape[2]) if axis == 2 else (ys, maps.shape[1])
    inner = (place > 0) & (place < length - 1)
    step = inner.astype(int)
    across, down = (step, 0) if axis == 2 else (0, step)
    every = np.arange(len(maps))
    after, before = maps[every, ys + down, xs + across], maps[every, ys - down, xs - across]
    lean: Array = 0.25 * np.sign(after - before)
    return lean
