"""How long COCO takes: parse and write alone, and the import and export of a project end to end.

    python benchmarks/coco.py [--labels 1000000] [--images 100000] [--polygons] [--alone]

Prints seconds, those that this process had a processor (the difference is waiting, also for other programs), and peak
memory. The data are made by a seed: boxes of 80 classes on images of 640x480.
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

import countersign
import synthetic
from countersign import formats
from countersign.domain.geometry import Box, Polygon
from countersign.domain.image import Image, ImageFile
from countersign.domain.label import Label, LabelClass
from countersign.store import Store, images
from countersign.store.images import NewImage

CLASSES = 80
WIDTH, HEIGHT = 640, 480


def made(count: int, on: int, polygons: bool, seed: int = 0) -> Iterator[tuple[Image, list[Label]]]:
    """Images with labels, made by a seed; coordinates with two decimals, as most tools write them."""
    data = synthetic.labels(count, on, CLASSES, seed)
    names = [item.name for item in classes()]
    ends = np.searchsorted(data.image, np.arange(on), side="right").tolist()
    start = 0
    for index, end in enumerate(ends):
        rows = zip(data.boxes[start:end].tolist(), data.class_index[start:end].tolist(), strict=True)
        labels = [Label(names[which], outline(*box) if polygons else Box(*box)) for box, which in rows]
        yield Image(index + 1, 1, name_of(index), "", f"{index:064x}", WIDTH, HEIGHT), labels
        start = end


def name_of(index: int) -> str:
    return f"images/{index:06}.jpg"


def outline(x: float, y: float, width: float, height: float) -> Polygon:
    """An ellipse of twenty corners."""
    steps = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    points = np.column_stack([x + width * (0.5 + 0.5 * np.cos(steps)), y + height * (0.5 + 0.5 * np.sin(steps))])
    return Polygon((tuple(points.round(2).ravel().tolist()),))


def timed(what: str, work: Callable[[], Any]) -> Any:
    began, cpu = time.perf_counter(), time.process_time()
    result = work()
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    print(f"{what:<44} {seconds:7.2f} s   of the processor {cpu:6.2f} s   peak {peak:6.0f} MB", flush=True)
    return result


def classes() -> list[LabelClass]:
    return [LabelClass(f"class {number}") for number in range(CLASSES)]


def alone(file: Path, args: argparse.Namespace) -> None:
    """Write and parse without a store. The writer's time includes making the labels; what that takes is shown too."""
    labels = lambda: made(args.labels, args.images, args.polygons)  # noqa: E731
    timed("make the labels (for comparison)", lambda: sum(len(found) for _, found in labels()))
    timed("write, with making the labels", lambda: formats.write("coco", labels(), classes(), file))
    print(f"  {file.stat().st_size / 1e6:.0f} MB of JSON")
    report = formats.ImportReport()
    timed("parse, streamed", lambda: sum(1 for _ in formats.read(file, format="coco", report=report)))
    print("  " + next(report.summary()))


def end_to_end(folder: Path, file: Path, args: argparse.Namespace) -> None:
    """Import into a project that has the images, by the same calls as ``countersign import``, and export it again."""
    with countersign.open_workspace(folder / "workspace") as workspace:
        project = workspace.project("bench", create=True)
        timed("(rows for the images)", lambda: add_images(workspace.store, project.id, args.images))
        done = timed("import, end to end (at most 30 s)", lambda: project.import_labels(file, field="imported"))
        print(f"  {done.labels:,} labels on {done.images:,} images, {done.missing} missing")
        out = folder / "exported.json"
        report = timed("export, end to end (at most 15 s)", lambda: project.export(out, field="imported"))
        print("  " + next(report.summary()))


def add_images(store: Store, project_id: int, count: int) -> None:
    """Images that are known by name alone: the files are not looked at here."""
    with store.write() as c:
        items = [
            NewImage(ImageFile(f"/nowhere/{name_of(i)}", f"{i:064x}", WIDTH, HEIGHT, "JPEG", 3, "uint8", 1), name_of(i))
            for i in range(count)
        ]
        images.add(c, project_id, items)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--labels", type=int, default=1_000_000)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--polygons", action="store_true")
    parser.add_argument("--alone", action="store_true", help="parse and write only, no store")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "instances.json"
        alone(file, args)
        if not args.alone:
            end_to_end(Path(folder), file, args)


if __name__ == "__main__":
    main()
