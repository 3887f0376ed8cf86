"""Image files: how many a second are found, checked and read, beside plain Pillow and OpenCV.

``python benchmarks/imaging.py [--data FOLDER] [--seconds 3]``. Without ``--data`` it makes its own pictures.
Each number is the best of alternating rounds, so that a busy machine slows all alike.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from countersign import imaging
from countersign.domain.image import ImageFile


def picture(width: int, height: int, seed: int) -> Image.Image:
    """Return something photo-like: smooth shades, edges and a little noise."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (max(2, height // 40), max(2, width // 40), 3), dtype=np.uint8)
    pixels = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    pixels += random.integers(-6, 7, pixels.shape, dtype=np.int16)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def make(folder: Path) -> dict[str, list[Path]]:
    """Write the files to measure; return them by name of the group."""
    found: dict[str, list[Path]] = {}
    for name, size, ending, count in (
        ("JPEG 640x480", (640, 480), "jpg", 200),
        ("JPEG 4000x3000", (4000, 3000), "jpg", 6),
        ("PNG 640x480", (640, 480), "png", 100),
    ):
        found[name] = []
        for i in range(count):
            path = folder / f"{name.replace(' ', '_')}_{i:04}.{ending}"
            picture(*size, seed=i % 8).save(path, quality=88) if ending == "jpg" else picture(*size, seed=i % 8).save(
                path
            )
            found[name].append(path)
    return found


def with_pillow(path: Path, max_size: int | None) -> object:
    with Image.open(path) as image:
        if max_size:
            image.draft("RGB", (max_size, max_size))
            image.thumbnail((max_size, max_size), reducing_gap=2.0)
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def with_opencv(path: Path, max_size: int | None) -> object:
    flags = cv2.IMREAD_COLOR_RGB
    if max_size:
        width, height = Image.open(path).size
        factor = max(width, height) / max_size
        for step, reduced in ((8, 64), (4, 32), (2, 16)):
            if factor >= step:
                flags = reduced | cv2.IMREAD_COLOR
                break
    pixels = cv2.imdecode(np.fromfile(path, np.uint8), flags)
    if max_size and max(pixels.shape) > max_size:
        scale = max_size / max(pixels.shape)
        pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return pixels


def rates(paths: Sequence[Path], ways: dict[str, Callable[[Path], object]], seconds: float) -> dict[str, float]:
    """Return files a second of each way, taken in turns."""
    best = dict.fromkeys(ways, 0.0)
    end = time.perf_counter() + seconds
    rounds = 0
    while time.perf_counter() < end or rounds < 2:
        rounds += 1
        for name, way in ways.items():
            start = time.perf_counter()
            for path in paths:
                way(path)
            best[name] = max(best[name], len(paths) / (time.perf_counter() - start))
    return best


def show(title: str, found: dict[str, float]) -> None:
    print(f"{title:44s}" + "".join(f"  {name} {rate:9,.0f}/s" for name, rate in found.items()))


def measure(groups: dict[str, list[Path]], seconds: float) -> None:
    for name, paths in groups.items():
        few = paths[:40]
        show(f"read_rgb, {name}, 1 thread", rates(few, _readers(None), seconds))
        for size in (416, 224):
            show(f"read_rgb max_size={size}, {name}, 1 thread", rates(few, _readers(size), seconds))
        show(f"thumbnail 256, {name}", rates(few, {"ours": lambda path: imaging.thumbnail(path, 256)}, seconds))
        show(
            f"probe, {name}, 1 thread",
            rates(
                paths,
                {
                    "quick": imaging.probe,
                    "full": lambda path: imaging.probe(path, verify="full"),
                    "Pillow verify()": _pillow_verify,
                },
                seconds,
            ),
        )
        start = time.perf_counter()
        done = 0
        while time.perf_counter() - start < seconds:
            done += sum(isinstance(result, ImageFile) for _, result in imaging.probe_many(paths))
        show(f"probe_many, {name}", {"quick": done / (time.perf_counter() - start)})


def _readers(size: int | None) -> dict[str, Callable[[Path], object]]:
    return {
        "ours": lambda path: imaging.read_rgb(path, max_size=size),
        "OpenCV": lambda path: with_opencv(path, size),
        "Pillow": lambda path: with_pillow(path, size),
    }


def _pillow_verify(path: Path) -> None:
    with Image.open(io.BytesIO(path.read_bytes())) as image:
        image.verify()


def measure_scan(folder: Path, files: int = 50_000) -> None:
    """Time the search through empty files: only names count."""
    for i in range(0, files, 1000):
        part = folder / f"{i:06}"
        part.mkdir()
        for k in range(1000):
            (part / f"{k:04}.jpg").touch()
    start = time.perf_counter()
    found = sum(1 for _ in imaging.scan(folder))
    show(f"scan, {found:,} files in folders of 1,000", {"ours": found / (time.perf_counter() - start)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a folder of images to measure instead of made ones")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each measurement")
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    print(f"{os.cpu_count()} cores")
    folder = Path(tempfile.mkdtemp(prefix="imaging-"))
    try:
        groups = {chosen.data.name: list(imaging.scan(chosen.data))} if chosen.data else make(folder)
        measure(groups, chosen.seconds)
        if not chosen.data:
            (folder / "scan").mkdir()
            measure_scan(folder / "scan")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
