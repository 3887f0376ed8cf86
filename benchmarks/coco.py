"""How long COCO takes: parse and write alone, and the import and export of a project end to end.

    python benchmarks/coco.py [--labels 1000000] [--images 100000] [--polygons] [--alone] [--data FILE]

Prints seconds and peak memory. The data are made by a seed: boxes of 80 classes on images of 640x480.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from countersign import formats
from countersign.domain.geometry import Box, Polygon
from countersign.domain.image import Image
from countersign.domain.label import Label, LabelClass

CLASSES = 80
WIDTH, HEIGHT = 640, 480


def synthetic(images: int, labels: int, polygons: bool, seed: int = 0) -> Iterator[tuple[Image, list[Label]]]:
    """Images with labels, made by a seed; coordinates with two decimals, as most tools write them."""
    chance = np.random.default_rng(seed)
    counts = np.bincount(chance.integers(0, images, labels), minlength=images)
    names = [f"class {number}" for number in range(CLASSES)]
    for index, count in enumerate(counts.tolist()):
        x = chance.uniform(0, WIDTH - 100, count).round(2).tolist()
        y = chance.uniform(0, HEIGHT - 100, count).round(2).tolist()
        size = chance.uniform(5, 99, (count, 2)).round(2).tolist()
        classes = chance.integers(0, CLASSES, count).tolist()
        made = [
            Label(names[c], outline(a, b, w, h) if polygons else Box(a, b, w, h))
            for a, b, (w, h), c in zip(x, y, size, classes, strict=True)
        ]
        name = f"images/{index:06}.jpg"
        yield Image(index + 1, 1, name, "", f"{index:064x}", WIDTH, HEIGHT), made


def outline(x: float, y: float, width: float, height: float) -> Polygon:
    """An ellipse of twenty corners."""
    steps = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    points = np.column_stack([x + width * (0.5 + 0.5 * np.cos(steps)), y + height * (0.5 + 0.5 * np.sin(steps))])
    return Polygon((tuple(points.round(2).ravel().tolist()),))


def timed(what: str, work: Callable[[], Any]) -> Any:
    began = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    print(f"{what:<44} {seconds:7.2f} s   peak {peak:6.0f} MB", flush=True)
    return result


def classes() -> list[LabelClass]:
    return [LabelClass(f"class {number}") for number in range(CLASSES)]


def alone(folder: Path, args: argparse.Namespace) -> Path:
    """Write and parse without a store. The writer's time includes making the labels; what that takes is shown too."""
    file = folder / "instances.json"
    made = lambda: synthetic(args.images, args.labels, args.polygons)  # noqa: E731
    timed("make the labels (not measured below)", lambda: sum(len(labels) for _, labels in made()))
    timed("write, with making the labels", lambda: formats.write("coco", made(), classes(), file))
    print(f"  {file.stat().st_size / 1e6:.0f} MB of JSON")
    report = formats.ImportReport()
    timed("parse, streamed", lambda: sum(1 for _ in formats.read(file, format="coco", report=report)))
    print("  " + next(report.summary()))
    return file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--labels", type=int, default=1_000_000)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--polygons", action="store_true")
    parser.add_argument("--alone", action="store_true", help="parse and write only, no store")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        alone(Path(folder), args)


if __name__ == "__main__":
    main()
