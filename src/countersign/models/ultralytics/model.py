"""A checkpoint of Ultralytics as a model: what is sent to its process, and what becomes of the answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain.errors import ModelError
from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard, Task
from countersign.models.contract import Pixels, PredictOptions
from countersign.models.parts import dense, found_boxes, results, threads
from countersign.models.parts.prompts import Texts, texts_of
from countersign.models.ultralytics import texts as text_features
from countersign.models.ultralytics.process import Process

_SEEN = 0.5  # the score from which on a keypoint counts as seen, as the library itself draws them


def painted(size: results.Size, parts: Sequence[NDArray[Any]]) -> dense.Lazy:
    """Return the masks of one image, which came cropped and packed: for each its place, then its bits."""

    def unfold(index: int) -> NDArray[np.bool_]:
        top, left, height, width = parts[2 * index].tolist()
        full = np.zeros(size, bool)
        bits = np.unpackbits(parts[2 * index + 1], count=height * width)
        full[top : top + height, left : left + width] = bits.reshape(height, width)
        return full

    return dense.Lazy(len(parts) // 2, unfold)


class Yolo:
    """Detects, segments, estimates poses or classifies, in a process of its own; one image size at a time."""

    def __init__(self, process: Process, card: ModelCard, folder: Path, embeddings: str = "") -> None:
        self._process = process
        self._card = card
        self._folder = folder
        self._embeddings = embeddings
        self._names = tuple(process.card["names"])
        self._kind = str(process.card["kind"])
        self._told: tuple[int, object] | None = None
        self._encode: text_features.Encode | None = None

    @property
    def card(self) -> ModelCard:
        return self._card

    @property
    def device(self) -> str:
        return str(self._process.card["device"])

    @property
    def process(self) -> Process:
        """The process that does the work."""
        return self._process

    def predict(self, images: Sequence[Pixels], options: PredictOptions) -> list[list[Prediction]]:
        if not images:
            return []
        texts = texts_of(options) if self._card.zero_shot else None
        self._tell(texts)
        names = texts.names if texts is not None else self._names
        asked: dict[str, Any] = {
            "do": "predict",
            "min_confidence": float(options.min_confidence),
            "threads": threads.pool(),
            **_settings(options),
        }
        if texts is None and options.classes and self._card.tasks[0] is not Task.CLASSIFICATION:
            asked["classes"] = [i for i, name in enumerate(names) if name in options.classes]
            if not asked["classes"]:
                return [[] for _ in images]
        header, arrays = self._process.ask(asked, images)
        found, start = [], 0
        for image, count in zip(images, header["counts"], strict=True):
            size = (image.shape[0], image.shape[1])
            found.append(self._choose(size, arrays[start : start + count], names, texts, options))
            start += count
        return found

    def _choose(
        self,
        size: results.Size,
        arrays: Sequence[NDArray[Any]],
        names: Sequence[str],
        texts: Texts | None,
        options: PredictOptions,
    ) -> list[Prediction]:
        if self._card.tasks[0] is Task.CLASSIFICATION:
            return results.whole(arrays[0], names, options)
        rows = arrays[0].astype(np.float64).reshape(-1, arrays[0].shape[-1])
        corners, scores = rows[:, :4], rows[:, 4]
        labels = [names[int(i)] if int(i) < len(names) else "" for i in rows[:, 5]]
        kept = list(range(len(rows))) if texts is None else found_boxes.best(corners, scores, labels)
        corners, scores, labels = corners[kept], scores[kept], [labels[i] for i in kept]
        task = options.task or self._card.tasks[0]
        if task is Task.INSTANCE_SEGMENTATION:
            parts = [part for i in kept for part in arrays[1 + 2 * i : 3 + 2 * i]]
            return results.masks(size, painted(size, parts), scores, labels, options)
        if task is Task.POSE:
            return _poses(size, arrays, corners, scores, labels, options)
        return results.boxes(size, corners, scores, labels, options)

    def _tell(self, texts: Texts | None) -> None:
        """Tell the process what to look for, where it was not told yet, or is another one than was told."""
        wanted = self._embeddings if texts is None else texts.texts
        if not wanted or self._told == (self._process.ready(), wanted):
            return
        if texts is None:
            self._process.ask({"do": "embeddings", "path": self._embeddings})
        elif self._kind == "world":
            if self._encode is None:
                self._encode = text_features.clip_encoder(self._card.name)
            rows = self._encode(texts.texts).astype(np.float32)
            text_features.check_width(self._card.name, rows)
            self._process.ask({"do": "classes", "names": list(texts.texts)}, [rows])
        else:
            encoder = text_features.mobile_clip(self._card.name, self._folder)
            tokens = text_features.tokens(self._card.name, texts.texts, self._folder)
            self._process.ask({"do": "texts", "names": list(texts.texts), "encoder": str(encoder)}, [tokens])
        self._told = self._process.generation, wanted


def _poses(
    size: results.Size,
    arrays: Sequence[NDArray[Any]],
    corners: NDArray[np.float64],
    scores: NDArray[np.float64],
    names: list[str],
    options: PredictOptions,
) -> list[Prediction]:
    points = arrays[1] if len(arrays) > 1 else np.zeros((0, 0, 3), np.float32)
    if not len(points):
        return []
    sure = points[..., 2] if points.shape[-1] > 2 else np.ones(points.shape[:2], np.float32)
    seen = sure >= float(options.settings.get("keypoint_score", _SEEN))
    return results.keypoints(
        size, points[..., :2], seen, scores, names, options, corners=corners, point_scores=sure
    )  # fmt: skip


def _settings(options: PredictOptions) -> dict[str, Any]:
    """Return the settings that the library itself takes, as numbers. Raises ModelError for what is none."""
    kinds = {"nms": float, "nms_across_classes": bool, "max_detections": int, "image_size": int}
    try:
        found = {
            name: kind(options.settings[name]) for name, kind in kinds.items() if options.settings.get(name) is not None
        }
    except (TypeError, ValueError) as error:
        raise ModelError(f"a setting is no number: {error}", remedy=f"Numbers: {', '.join(kinds)}.") from error
    if not 32 <= int(found.get("image_size", 640)) <= 8192:
        raise ModelError(f"image_size is {found['image_size']}", remedy="It may be 32 to 8192 pixels.")
    return found


def with_embeddings(process: Process, card: ModelCard, file: str) -> ModelCard:
    """Give a YOLOE model the classes of a file of embeddings. Returns its card, which has these classes."""
    path = Path(file).expanduser().absolute()
    if not path.is_file():
        raise ModelError(f"the embeddings {path} are not there", remedy="Check the path.")
    told, _ = process.ask({"do": "embeddings", "path": str(path)})
    process.card["names"] = told["names"]
    return dataclasses.replace(card, classes=tuple(told["names"]), zero_shot=False)
