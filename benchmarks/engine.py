"""Throughput of the engine against the bare costs of its parts: ``python benchmarks/engine.py``.

Makes JPEGs of 640 x 480 from a seed, and in every round measures

* the bare costs, each alone and single-threaded: decoding a file, preparing it (resize, normalise), the network's
  forward pass on a ready batch; their sum is the core-seconds that an image costs at the least;
* a whole run of the engine over all images with the same model: claiming, reading, batching, predicting, writing labels
  and states to SQLite, until the run is in review. Loading the model is left out, everything else is in.

``efficiency`` = images/s of the run / (cores / core-seconds of an image). 1 would mean that both cores do nothing but
decode, resize and multiply. Bare costs are measured before and after each run and averaged, so that other load on the
machine hits both sides alike. ``cpu`` compares processor time instead (bare core-seconds / those that the run used):
what the engine spends besides, whether or not the machine gave it both cores.

``others`` is the share of the machine that other processes took during the run: with more than a few hundredths the
clock says little. ``--calm 600`` waits up to so many seconds before each round for the others to be quiet.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil

from countersign import imaging
from countersign.domain.run import Run, RunSpec, RunState
from countersign.models import registry
from countersign.runs import control, machine
from countersign.runs.executors import Inline
from countersign.store import Store, images, projects
from countersign.store.images import NewImage

WIDTH, HEIGHT = 640, 480


def make_images(folder: Path, count: int) -> list[NewImage]:
    """Write photo-like JPEGs: soft shapes, an edge here and there, some noise."""
    rng = np.random.default_rng(0)
    items = []
    for index in range(count):
        soft = cv2.resize(
            rng.integers(0, 256, (12, 16, 3), dtype=np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC
        )
        for _ in range(25):
            centre = (int(rng.integers(WIDTH)), int(rng.integers(HEIGHT)))
            cv2.circle(soft, centre, int(rng.integers(8, 60)), rng.integers(0, 256, 3).tolist(), -1, cv2.LINE_AA)
        noisy = np.clip(soft + rng.normal(0, 6, soft.shape), 0, 255).astype(np.uint8)
        path = folder / f"{index:05}.jpg"
        cv2.imwrite(str(path), noisy, [cv2.IMWRITE_JPEG_QUALITY, 90])
        items.append(NewImage(imaging.probe(path), path.name))
    return items


@dataclass(frozen=True)
class Cost:
    """Seconds for one image, by the clock and of the processor."""

    wall: float
    cpu: float


def measure(call: Callable[[], Any], images_per_call: int, calls: int) -> Cost:
    call()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        call()
    count = images_per_call * calls
    return Cost((time.perf_counter() - wall) / count, (time.process_time() - cpu) / count)


def bare_costs(model: Any, paths: list[str], batch: int) -> dict[str, Cost]:
    """Measure the three parts, each alone, on one core."""
    before = machine.use_threads(1)
    turn = iter(paths * 100)
    pixels = imaging.read_rgb(paths[0])
    ready = np.stack([model.prepare(pixels).transpose(1, 2, 0)] * batch).transpose(0, 3, 1, 2)

    def forward() -> None:
        model._run(ready)

    try:
        return {
            "decode": measure(lambda: imaging.read_rgb(next(turn)), 1, 60),
            "prepare": measure(lambda: model.prepare(pixels), 1, 60),
            "forward": measure(forward, batch, 8),
        }
    finally:
        machine.restore_threads(before)


@dataclass(frozen=True)
class Round:
    """One round. Costs in milliseconds for one image."""

    decode_ms: float
    prepare_ms: float
    forward_ms: float
    allowed: float
    reached: float
    efficiency: float
    cpu: float
    others: float


def others_share(seconds: float, call: Callable[[], None] | None = None) -> float:
    """Return the share of all cores that other processes take meanwhile: of the call, or of some seconds."""
    own, everybody, start = time.process_time(), busy_seconds(), time.perf_counter()
    if call:
        call()
    else:
        time.sleep(seconds)
    wall = time.perf_counter() - start
    used = busy_seconds() - everybody - (time.process_time() - own)
    return max(0.0, used / (wall * machine.cores()))


def busy_seconds() -> float:
    """Processor seconds that all processes have used since the machine began."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + getattr(times, "steal", 0.0))


def wait_for_calm(seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and others_share(3.0) > 0.05:
        time.sleep(2)


def one_round(store: Store, project_id: int, model: Any, spec: RunSpec, paths: list[str], cores: int) -> Round:
    before = bare_costs(model, paths, spec.batch_size)
    run = control.create(store, project_id, spec, created_by="benchmark")
    wall, cpu = time.perf_counter(), time.process_time()
    executor = Inline(lambda _store, _run: model)
    others = others_share(0, lambda: check(control.start(store, run.id, with_executor=executor)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    after = bare_costs(model, paths, spec.batch_size)
    parts = {
        name: Cost((before[name].wall + after[name].wall) / 2, (before[name].cpu + after[name].cpu) / 2)
        for name in before
    }
    allowed = cores / sum(part.wall for part in parts.values())
    reached = run.total / wall
    return Round(
        decode_ms=1000 * parts["decode"].wall,
        prepare_ms=1000 * parts["prepare"].wall,
        forward_ms=1000 * parts["forward"].wall,
        allowed=allowed,
        reached=reached,
        efficiency=reached / allowed,
        cpu=sum(part.cpu for part in parts.values()) * run.total / cpu,
        others=others,
    )


def check(run: Run) -> None:
    if (run.state, run.done, run.labels) != (RunState.IN_REVIEW, run.total, run.total):
        sys.exit(f"the run did not do its work: {run}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--model", default="timm:resnet18?weights=random")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calm", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    cores = machine.cores()
    cv2.setNumThreads(1)  # as a worker process does
    model = registry.load(options.model, device="cpu")
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "workspace") as store:
        items = make_images(Path(folder), options.images)
        with store.write() as c:
            project_id = projects.create(c, "benchmark").id
            images.add(c, project_id, items)
        paths = [item.file.path for item in items]
        rounds = []
        for index in range(options.rounds):
            spec = RunSpec(options.model, f"run_{index}", min_confidence=0.0, batch_size=options.batch)
            wait_for_calm(options.calm)
            found = one_round(store, project_id, model, spec, paths, cores)
            rounds.append(found)
            if not options.json:
                print("  ".join(f"{name} {value:.3f}" for name, value in asdict(found).items()), flush=True)
    result = {name: statistics.median(asdict(found)[name] for found in rounds) for name in asdict(rounds[0])}
    result |= {"images": options.images, "batch": options.batch, "cores": cores, "load": os.getloadavg()[0]}
    print(json.dumps(result) if options.json else "median: " + "  ".join(f"{k} {v:.3f}" for k, v in result.items()))


if __name__ == "__main__":
    main()
