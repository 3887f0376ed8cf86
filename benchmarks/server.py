"""How quickly the server answers with a million labels on 100,000 images: what the screens ask for at every move.

    python benchmarks/server.py [--labels 1000000] [--images 100000] [--folder FOLDER]

Makes a workspace (or takes the one that is in FOLDER already), starts ``countersign serve``, and measures whole
requests over loopback, as a browser makes them. Prints a table: the median and the worst of each request by the clock,
and the mean of the server's own processor time, which says more on a machine that others use too.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from countersign.domain.geometry import Box
from countersign.domain.image import ImageFile
from countersign.domain.label import Label, LabelState, Origin, Provenance, Verb
from countersign.domain.query import ImageQuery
from countersign.domain.run import RunSpec, RunState
from countersign.store import Store, history, images, labels, projects, runs
from serving import Served, served
from synthetic import labels as made_up

REPEATS = 9


def make(folder: Path, image_count: int, label_count: int, pictures: Sequence[Path] = ()) -> None:
    """Make a project ``big`` with a run in review that wrote all labels.

    ``pictures`` are files of 640 x 480, one for each image (links to a few will do: the hashes are made up, so that
    each image is one of its own); without them the images have no files.
    """
    with Store.open(folder) as store:
        with store.read() as c:
            if projects.list_all(c):
                return
        with store.write() as c:
            project = projects.create(c, "big")
        for first in range(0, image_count, 20_000):
            items = [_image(number, pictures) for number in range(first, min(first + 20_000, image_count))]
            with store.write() as c:
                images.add(c, project.id, items)
        spec = RunSpec("made-up", "auto", ImageQuery(), min_confidence=0.0)
        with store.write() as c:
            run = runs.create(c, project.id, spec, created_by="benchmark")
            runs.move(c, run.id, RunState.GENERATING)
            change = history.begin(c, project.id, Verb.RUN, "benchmark", field_id=run.field_id, run_id=run.id)
            ids = images.ids(c, project.id)
            columns = made_up(label_count, image_count)
            origin = Provenance(Origin.MODEL, model="made-up", run_id=run.id)
            rows = zip(columns.image, columns.class_index, columns.confidence, columns.boxes, strict=True)
            proposals = (
                (ids[image], Label(f"class {kind}", Box(*map(float, box)), float(sure), LabelState.PROPOSED))
                for image, kind, sure, box in rows
            )
            labels.add(c, run.field_id, proposals, change_id=change, provenance=origin)
            runs.move(c, run.id, RunState.IN_REVIEW)


def _image(number: int, pictures: Sequence[Path]) -> images.NewImage:
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    path, size = Path(f"/nowhere/{number // 1000:03}/{number:06}.jpg"), 100_000
    if pictures:
        path = pictures[number]
        size = path.stat().st_size
    file = ImageFile(str(path), digest, 640, 480, "JPEG", 3, "uint8", size)
    split = ("train", "train", "train", "val", "test")[number % 5]
    return images.NewImage(file, f"{number // 1000:03}/{number:06}.jpg", split, ("night",) if number % 10 == 0 else ())


@contextmanager
def asking(folder: Path) -> Iterator[tuple[httpx.Client, Served, float]]:
    """Start the server; give a client, the server, and the seconds until the first request was answered."""
    with served(folder) as at:
        headers = {"authorization": f"Bearer {at.token}"}
        with httpx.Client(base_url=f"{at.url}/api/v1", headers=headers, timeout=120) as client:
            client.get("/session").raise_for_status()
            yield client, at, time.perf_counter() - at.started


def requests(client: httpx.Client) -> list[tuple[str, Callable[[int], httpx.Response]]]:
    """What is measured. Each gets the number of its repeat, so that no answer can be kept from the last."""
    images_of, run = "/projects/1/images", "/runs/1/review"

    def get(path: str, **params: Any) -> httpx.Response:
        return client.get(path, params={name.rstrip("_"): value for name, value in params.items()})

    def low(repeat: int) -> float:
        return round(0.3 + 0.0437 * repeat, 4)

    def edit(label: int, repeat: int) -> httpx.Response:
        return client.patch(f"/labels/{label}", json={"class_name": f"class {repeat % 3}"}).raise_for_status()

    def batch(repeat: int) -> httpx.Response:
        change = {"class_name": f"class {repeat % 3}"}
        operations = [{"op": "update", "label_id": number, "change": change} for number in range(5001, 6001)]
        return client.post("/projects/1/labels/batch", json={"key": uuid.uuid4().hex, "operations": operations})

    return [
        ("projects", lambda _: get("/projects")),
        ("grid: first page, labels", lambda _: get(images_of, labels="auto", limit=100, geometry="bounds")),
        (
            "grid: filter by class and confidence, first page",
            lambda n: get(
                images_of, labels="auto", limit=100, query=f'field=auto "class=class {n}" confidence={low(n)}..'
            ),
        ),
        (
            "grid: filter by class and confidence, all ids",
            lambda n: get(f"{images_of}/ids", query=f'field=auto "class=class {n}" confidence={low(n)}..'),
        ),
        (
            "grid: filter by confidence, all ids",
            lambda n: get(f"{images_of}/ids", query=f"field=auto confidence={low(n)}.."),
        ),
        (
            "grid: filter by state and split, first page",
            lambda _: get(images_of, labels="auto", limit=100, query="field=auto state=proposed split=val"),
        ),
        ("grid: text of the name, first page", lambda n: get(images_of, limit=100, query=f"text~{n}77")),
        ("grid: all ids", lambda _: get(f"{images_of}/ids")),
        ("grid: by name, all ids", lambda _: get(f"{images_of}/ids", sort="name")),
        (
            "grid: 200 images by id, labels",
            lambda n: client.post(
                f"{images_of}/lookup",
                json={"ids": list(range(1 + 991 * n, 201 + 991 * n)), "labels": ["auto"], "geometry": "bounds"},
            ),
        ),
        ("facets: none", lambda _: get(f"{images_of}/facets", field="auto")),
        ("facets: split", lambda _: get(f"{images_of}/facets", field="auto", query="split=val")),
        (
            "facets: class and confidence",
            lambda n: get(
                f"{images_of}/facets", field="auto", query=f'field=auto "class=class {n}" confidence={low(n)}..'
            ),
        ),
        ("fields", lambda _: get("/projects/1/fields")),
        ("review: stats", lambda n: get(f"{run}/stats", min=low(n), state="proposed")),
        ("review: histogram", lambda n: get(f"{run}/histogram", state="proposed", class_=f"class {n}")),
        ("review: stats, split", lambda n: get(f"{run}/stats", min=low(n), state="proposed", query="split=val")),
        ("review: page of images", lambda n: get(f"{run}/images", min=low(n), state="proposed", limit=50)),
        (
            "review: page of crops by confidence",
            lambda n: get(f"{run}/labels", min=low(n), order="-confidence", limit=100),
        ),
        ("editor: one label", lambda n: edit(1000 + n, n)),
        ("editor: one label, then fields", lambda n: edit(2000 + n, n) and get("/projects/1/fields")),
        ("editor: 1,000 labels in one batch", batch),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--labels", type=int, default=1_000_000)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch) / "workspace"
        make(folder, options.images, options.labels)
        with asking(folder) as (client, at, first):
            print(f"{'request':50} {'median ms':>10} {'worst ms':>10} {'own ms':>8} {'kB':>8}")
            for name, ask in requests(client):
                times, size, own = [], 0, at.own_s()
                for repeat in range(REPEATS):
                    began = time.perf_counter()
                    answer = ask(repeat).raise_for_status()
                    times.append(1000 * (time.perf_counter() - began))
                    size = len(answer.content)
                work = "-" if own is None else f"{1000 * ((at.own_s() or 0) - own) / REPEATS:.0f}"
                line = f"{statistics.median(times):10.1f} {max(times):10.1f} {work:>8} {size / 1000:8.1f}"
                print(f"{name:50} {line}", flush=True)
            print(f"first request answered {first:.2f} s after the start of the process")
    return 0


if __name__ == "__main__":
    sys.exit(main())
