"""What another engine gains over torch, end to end: ``python benchmarks/acceleration.py``.

Two networks with random weights, timm's ResNet-50 (224 px) and a detector, RT-DETR v2 with a ResNet-18 (640 px), label
JPEGs of 640 x 480 through the engine of a run: reading, preparing, predicting in batches in as many lanes as there are
cores, turning answers into labels. Nothing but the database is left out. Each round does the same images with torch and
with the engine that ``models.acceleration`` chose, in turn; the ratio is of the two neighbours, and the median of the
rounds is printed, with the lowest and the highest. ``cpu_ratio`` compares images per core-second: what would be gained
on a machine that nobody else uses. ``others`` is the share of the machine that other processes took.

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

from countersign import imaging
from countersign.domain.work import ClaimedImage, ImageResult
from countersign.models import registry
from countersign.models.contract import Model, PredictOptions
from countersign.models.parts import acceleration
from countersign.runs import machine
from countersign.runs.engine import Engine, Plan
from engine import HEIGHT, WIDTH, make_images, others_share


def save_detector(folder: Path) -> None:
    """Save an RT-DETR v2 with its smallest backbone in the size that the catalogue has, as its library saves one.

    Its weights are drawn at random such that its scores spread, as those of a trained network do: with the library's
    own first weights all places of an image score the same to the last digit, and which of them are looked at is left
    to chance.
    """
    import torch
    import transformers as T

    torch.manual_seed(0)
    backbone = T.RTDetrResNetConfig(
        embedding_size=64,
        hidden_sizes=[64, 128, 256, 512],
        depths=[2, 2, 2, 2],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    config = T.RTDetrV2Config(
        backbone_config=backbone,
        encoder_in_channels=[128, 256, 512],
        hidden_expansion=0.5,
        decoder_layers=3,
        num_labels=80,
    )
    network = T.RTDetrV2ForObjectDetection(config)
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    with torch.no_grad():
        for name, value in network.named_parameters():
            if value.ndim == 4 or (value.ndim == 2 and ("score" in name or "class_embed" in name)):
                value.normal_(0, (2 / value[0].numel()) ** 0.5)
        for norm in norms:
            norm.momentum = 1.0
        network.train()(pixel_values=torch.randn(2, 3, 640, 640))
    network.eval().save_pretrained(folder)
    T.RTDetrImageProcessor().save_pretrained(folder)


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
    parser.add_argument("--only", choices=["resnet50", "rt-detr-v2-r18"])
    options = parser.parse_args()
    cv2.setNumThreads(1)  # as a worker process does
    found = []
    with tempfile.TemporaryDirectory() as folder:
        paths = [item.file.path for item in make_images(Path(folder), max(options.images, options.detector_images))]
        save_detector(Path(folder) / "rt-detr-v2-r18")
        for name, reference, count in (
            ("resnet50", "timm:resnet50?weights=random&engine=", options.images),
            ("rt-detr-v2-r18", f"{folder}/rt-detr-v2-r18?engine=", options.detector_images),
        ):
            if options.only not in (None, name):
                continue
            own, other = (registry.load(reference + engine, device="cpu") for engine in ("torch", options.engine))
            print(f"{name}: {other.card.details}", flush=True)
            found.append(compare(name, own, other, paths[:count], options))
    for row in found:
        print(json.dumps(row))


if __name__ == "__main__":
    main()
