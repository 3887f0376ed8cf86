"""What another engine gains over torch, end to end: ``python benchmarks/acceleration.py``.

Two networks with random weights, timm's ResNet-50 (224 px) and a detector, YOLOS tiny (512 px), label JPEGs of
640 x 480 through the engine of a run: reading, preparing, predicting in batches in as many lanes as there are cores,
turning answers into labels. Nothing but the database is left out. Each round does the same images with torch and with
the engine that ``models.acceleration`` chose, in turn; the ratio is of the two neighbours, and the median of the rounds
is printed, with the lowest and the highest. ``cpu_ratio`` compares images per core-second: what would be gained on a
machine that nobody else uses. ``others`` is the share of the machine that other processes took.

``--engine onnx`` compares with that engine instead of the chosen one.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from countersign import imaging
from countersign.domain.label import Prediction
from countersign.domain.model import ModelCard, Task
from countersign.domain.work import ClaimedImage, ImageResult
from countersign.models import acceleration, registry, results
from countersign.models.contract import Model, Pixels, PredictOptions
from countersign.runs import machine
from countersign.runs.engine import Engine, Plan
from engine import HEIGHT, WIDTH, make_images, others_share

SIDE = 512


class Yolos:
    """A YOLOS of the tiny size with random weights as a SplitModel, by whatever engine computes it."""

    parallel = True
    device = "cpu"

    def __init__(self, engine: str) -> None:
        self._run, self.choice = acceleration.accelerate(
            _yolos(), _picture(), weights_hash="benchmark yolos 0", engine=engine
        )
        self.card = ModelCard("yolos", "benchmark", (Task.DETECTION,), ("thing",))

    def prepare(self, image: Pixels) -> tuple[NDArray[np.float32], tuple[int, int]]:
        resized = cv2.resize(image, (SIDE, SIDE))
        pixels = np.multiply(resized, np.float32(1 / 255), dtype=np.float32).transpose(2, 0, 1)
        return pixels, (image.shape[0], image.shape[1])

    def predict(self, images: Sequence[Pixels], options: PredictOptions) -> list[list[Prediction]]:
        return self.predict_prepared([self.prepare(image) for image in images], options)

    def predict_prepared(self, prepared: Sequence[Any], options: PredictOptions) -> list[list[Prediction]]:
        logits, boxes = self._run(np.stack([pixels for pixels, _ in prepared]))
        found = []
        for row, places, (_, size) in zip(logits, boxes, prepared, strict=True):
            scores = (1 / (1 + np.exp(-row.max(axis=1))))[:50]
            half = places[:50, 2:] / 2
            corners = np.concatenate([places[:50, :2] - half, places[:50, :2] + half], axis=1)
            names = ["thing"] * len(scores)
            found.append(results.boxes(size, corners * np.array([size[1], size[0]] * 2), scores, names, options))
        return found


def _picture() -> NDArray[np.float32]:
    soft = np.random.default_rng(0).uniform(0, 1, (40, 40, 3)).astype(np.float32)
    return np.ascontiguousarray(cv2.resize(soft, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC).transpose(2, 0, 1))


def _yolos() -> Any:
    import torch
    from transformers import YolosConfig, YolosForObjectDetection

    class Plain(torch.nn.Module):
        """One tensor in, two out."""

        def __init__(self, network: torch.nn.Module) -> None:
            super().__init__()
            self.network = network

        def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            outputs = self.network(pixel_values=images)
            return outputs.logits, outputs.pred_boxes

    torch.manual_seed(0)
    config = YolosConfig(
        hidden_size=192,
        num_hidden_layers=12,
        num_attention_heads=3,
        intermediate_size=768,
        image_size=[SIDE, SIDE],
        num_labels=80,
    )
    return Plain(YolosForObjectDetection(config)).eval().requires_grad_(False)


class Listed:
    """Work from a list."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._left = [ClaimedImage(i, path, "", WIDTH, HEIGHT) for i, path in enumerate(paths)]
        self._lock = threading.Lock()
        self.failed: list[str] = []

    def claim(self, limit: int) -> list[ClaimedImage]:
        with self._lock:
            taken, self._left = self._left[:limit], self._left[limit:]
            return taken

    def write(self, given: Sequence[ImageResult]) -> None:
        self.failed += [result.error for result in given if result.labels is None]


def images_per_second(model: Model, paths: Sequence[str], batch: int) -> tuple[float, float, float]:
    """Return images per second and per core-second of one run, and the share of the machine that others took."""
    place = machine.layout(machine.cores(), parallel=True, on_gpu=False)
    before = machine.use_threads(place.threads, place.lanes)
    work = Listed(paths)
    options = PredictOptions(min_confidence=0.0)
    plan = Plan(batch, place.lanes, place.decoders)
    engine = Engine(model, options, work, lambda image: imaging.read_rgb(image.path), plan)
    begin, used = time.perf_counter(), time.process_time()
    others = others_share(0, lambda: _do(engine))
    seconds, used = time.perf_counter() - begin, time.process_time() - used
    machine.restore_threads(before)
    if work.failed:
        raise SystemExit(f"the run failed: {work.failed[0]}")
    return len(paths) / seconds, len(paths) / used, others


def _do(engine: Engine) -> None:
    engine.run()


def compare(name: str, own: Model, other: Model, paths: Sequence[str], options: argparse.Namespace) -> dict[str, Any]:
    """Do all rounds of one network; the first pass of each is for warming up."""
    for model in (own, other):
        images_per_second(model, paths[:8], options.batch)
    rounds = []
    for _ in range(options.rounds):
        own_rate, own_core, own_others = images_per_second(own, paths, options.batch)
        rate, core, others = images_per_second(other, paths, options.batch)
        row = {
            "torch": own_rate,
            "other": rate,
            "ratio": rate / own_rate,
            "cpu_ratio": core / own_core,
            "others": max(own_others, others),
        }
        rounds.append(row)
        print(f"  {name}: " + "  ".join(f"{key} {value:.2f}" for key, value in row.items()), flush=True)
    result: dict[str, Any] = {"network": name}
    for key in rounds[0]:
        values = sorted(row[key] for row in rounds)
        result[key] = [round(value, 3) for value in (statistics.median(values), values[0], values[-1])]
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=int, default=96)
    parser.add_argument("--detector-images", type=int, default=24)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--engine", default="auto", choices=[name for name in acceleration.ENGINES if name != "torch"])
    parser.add_argument("--only", choices=["resnet50", "yolos"])
    options = parser.parse_args()
    cv2.setNumThreads(1)  # as a worker process does
    found = []
    with tempfile.TemporaryDirectory() as folder:
        paths = [item.file.path for item in make_images(Path(folder), max(options.images, options.detector_images))]
        if options.only != "yolos":
            own, other = (
                registry.load(f"timm:resnet50?weights=random&engine={engine}", device="cpu")
                for engine in ("torch", options.engine)
            )
            print(f"resnet50: {other.card.details}", flush=True)
            found.append(compare("resnet50", own, other, paths[: options.images], options))
        if options.only != "resnet50":
            first, second = Yolos("torch"), Yolos(options.engine)
            print(f"yolos: {second.choice.details()}", flush=True)
            found.append(compare("yolos", first, second, paths[: options.detector_images], options))
    for row in found:
        print(json.dumps(row))


if __name__ == "__main__":
    main()
