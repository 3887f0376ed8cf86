"""A pose model that looks at one object: of the whole image, or of each box that another model found."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from countersign.domain.geometry import Box, Keypoints, clip_box
from countersign.domain.label import Prediction
from countersign.domain.model import Task
from countersign.models.contract import Pixels, PredictOptions
from countersign.models.onnx.model import OnnxModel

_MARGIN = 1.25  # a box is cut out this much larger, as is usual for top-down pose models (arXiv 1804.06208)


class OnnxPose(OnnxModel):
    """Also a BoxRefiner."""

    def refine(
        self, images: Sequence[Pixels], found: Sequence[Sequence[Prediction]], options: PredictOptions
    ) -> list[list[Prediction]]:
        return [self._refine(image, items, options) for image, items in zip(images, found, strict=True)]

    def _refine(self, image: Pixels, items: Sequence[Prediction], options: PredictOptions) -> list[Prediction]:
        height, width = image.shape[:2]
        inner = dataclasses.replace(options, task=Task.POSE, classes=(), min_confidence=0.0)
        boxes = [(item, _square(item, width, height)) for item in items]
        parts = [(item, cut) for item, cut in boxes if cut is not None]
        options.tally.add("empty", len(boxes) - len(parts))
        crops = [np.ascontiguousarray(image[y0:y1, x0:x1]) for _, (x0, y0, x1, y1) in parts]
        refined: list[Prediction] = []
        for (item, (x0, y0, _, _)), poses in zip(parts, self.predict(crops, inner), strict=True):
            if not poses or not isinstance(poses[0].geometry, Keypoints):
                options.tally.add("empty")
                continue
            moved = _moved(poses[0].geometry, x0, y0, item.geometry if isinstance(item.geometry, Box) else None)
            attributes = {**item.attributes, **poses[0].attributes}
            refined.append(dataclasses.replace(item, geometry=moved, attributes=attributes))
        return refined


def _square(item: Prediction, width: int, height: int) -> tuple[int, int, int, int] | None:
    """Return x0, y0, x1, y1 of what is cut out around a prediction: a square as far as the image goes."""
    if item.geometry is None:
        return None
    x, y, box_width, box_height = item.geometry.bounds
    half = max(box_width, box_height, 2.0) * _MARGIN / 2
    centre_x, centre_y = x + box_width / 2, y + box_height / 2
    box = clip_box(Box(centre_x - half, centre_y - half, 2 * half, 2 * half), width, height)
    if box is None:
        return None
    x0, y0, x1, y1 = box.corners
    left, top = min(width - 1, int(x0)), min(height - 1, int(y0))
    return left, top, max(left + 1, min(width, round(x1))), max(top + 1, min(height, round(y1)))


def _moved(pose: Keypoints, left: int, top: int, box: Box | None) -> Keypoints:
    flat: list[float] = []
    for x, y, seen in zip(pose.points[0::3], pose.points[1::3], pose.points[2::3], strict=True):
        flat += [x + left, y + top, seen] if seen else [0.0, 0.0, 0.0]
    return Keypoints(tuple(flat), box)
