"""The editor in headless Chromium, with the real server: ``python benchmarks/editor.py``.

Makes a project of generated images and labels, serves it, opens the editor and moves the mouse as a person would.
What is measured:

* script time per frame while panning, zooming and dragging a vertex, with 2,000 polygons of 20 points on 4000 x 4000;
* the same drag with 50 and with 5,000 polygons;
* from the key press to the frame that shows the next image: a JPEG of 1 MB with 200 labels, fetched ahead;
* script time per pointer event of a brush stroke on a 4000 x 3000 mask, and for beginning and ending a stroke.

Script time is taken from the browser's own trace: the time of the renderer's main thread in event handlers, timers,
animation frames and microtasks, between one frame and the next. ``cpu`` is the thread's processor time, which other
load on the machine does not stretch; ``clock`` is what the clock says. Rasterising is not script: without a GPU it
takes the processor too, and with one it does not.

Needs the built interface (``npm run build`` in ``web/``), Chromium and playwright.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

import countersign
from serving import chromium, served

SCRIPT = frozenset(
    {"EventDispatch", "FireAnimationFrame", "FunctionCall", "TimerFire", "RunMicrotasks", "EvaluateScript"}
)
CATEGORIES = ["devtools.timeline", "devtools.timeline.frame", "disabled-by-default-devtools.timeline"]


@dataclass(frozen=True)
class Frames:
    """Script per frame in milliseconds: processor time and clock."""

    cpu: list[float]
    clock: list[float]

    def row(self) -> dict[str, float]:
        def at(values: list[float], share: float) -> float:
            return round(sorted(values)[min(len(values) - 1, int(share * len(values)))], 2)

        return {
            "frames": len(self.cpu),
            "cpu_median": at(self.cpu, 0.5),
            "cpu_p95": at(self.cpu, 0.95),
            "cpu_worst": at(self.cpu, 1),
            "clock_median": at(self.clock, 0.5),
            "clock_p95": at(self.clock, 0.95),
        }


def polygons(count: int, side: int, points: int, seed: int) -> list[list[float]]:
    """Round shapes with a wavy outline, anywhere on a square image."""
    rng = np.random.default_rng(seed)
    turns = np.linspace(0, 2 * math.pi, points, endpoint=False)
    found = []
    for _ in range(count):
        radius = rng.uniform(20, 60) * (1 + 0.25 * np.sin(3 * turns + rng.uniform(0, 6)))
        x, y = rng.uniform(70, side - 70, 2)
        found.append(
            np.column_stack([x + radius * np.cos(turns), y + radius * np.sin(turns)]).round(1).ravel().tolist()
        )
    return found


def write_jpeg(path: Path, width: int, height: int, seed: int, size: int | None = None) -> None:
    """A soft picture with grain; with `size` about so many bytes."""
    rng = np.random.default_rng(seed)
    soft = cv2.resize(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    grain = cv2.resize(rng.normal(0, 10, (height // 2, width // 2)).astype(np.float32), (width, height))
    picture = np.clip(soft + grain[..., None], 0, 255).astype(np.uint8)
    for quality in (80,) if size is None else range(95, 20, -3):
        cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if size is None or path.stat().st_size <= size:
            return


def make_project(folder: Path) -> dict[str, int]:
    """Make the workspace; returns the ids of the images by name, those of the walk from one to the next last."""
    pictures = folder / "images"
    pictures.mkdir()
    plan = {"few.jpg": (4000, 4000, 50), "plenty.jpg": (4000, 4000, 2000), "crowd.jpg": (4000, 4000, 5000)}
    plan |= {"paint.jpg": (4000, 3000, 0)} | {f"walk_{i:02}.jpg": (2400, 1800, 200) for i in range(12)}
    coco: dict[str, list[dict[str, Any]]] = {"images": [], "annotations": [], "categories": []}
    coco["categories"] = [{"id": i + 1, "name": f"class {i + 1}"} for i in range(5)]
    for at, (name, (width, height, count)) in enumerate(plan.items(), 1):
        write_jpeg(pictures / name, width, height, at, 1_050_000 if name.startswith("walk") else None)
        coco["images"].append({"id": at, "file_name": name, "width": width, "height": height})
        for ring in polygons(count, min(width, height), 20, at):
            label = {
                "id": len(coco["annotations"]) + 1,
                "image_id": at,
                "category_id": 1 + len(coco["annotations"]) % 5,
            }
            coco["annotations"].append(label | {"segmentation": [ring], "bbox": [0, 0, 1, 1], "area": 1, "iscrowd": 0})
    (folder / "labels.json").write_text(json.dumps(coco))
    with countersign.open_workspace(folder / "workspace") as workspace:
        project = workspace.project("editor", create=True)
        project.import_images(pictures)
        project.import_labels(folder / "labels.json", images=pictures)
        return {image.name: image.id for image in project.images()}


def script_times(trace: dict[str, Any]) -> Frames:
    """Script between one frame and the next on the busiest main thread of the trace."""
    events = trace["traceEvents"]
    mains = {
        (e["pid"], e["tid"])
        for e in events
        if e.get("name") == "thread_name" and e["args"].get("name") == "CrRendererMain"
    }
    mine = [e for e in events if (e["pid"], e["tid"]) in mains]
    busy = max(
        mains, key=lambda main: sum((e["pid"], e["tid"]) == main and e["name"] == "FireAnimationFrame" for e in mine)
    )
    mine = [e for e in mine if (e["pid"], e["tid"]) == busy]
    edges = sorted(e["ts"] for e in mine if e["name"] == "Commit")
    pieces = sorted((e for e in mine if e.get("ph") == "X" and e["name"] in SCRIPT), key=lambda e: e["ts"])
    frames: dict[int, list[float]] = {}
    end = 0.0
    at = 0
    for piece in pieces:
        if piece["ts"] < end:
            continue  # inside one that is counted
        end = piece["ts"] + piece.get("dur", 0)
        while at < len(edges) and edges[at] <= piece["ts"]:
            at += 1
        frame = frames.setdefault(at, [0.0, 0.0])
        frame[0] += piece.get("tdur", piece.get("dur", 0)) / 1000
        frame[1] += piece.get("dur", 0) / 1000
    kept = list(frames.values())
    return Frames([cpu for cpu, _ in kept], [clock for _, clock in kept])


class Bench:
    """One browser window on the project."""

    def __init__(self, browser: Browser, page: Page, base: str, ids: dict[str, int]) -> None:
        self.browser, self.page, self.base, self.ids = browser, page, base, ids

    def open(self, name: str) -> None:
        self.page.goto(f"{self.base}/p/1/image/{self.ids[name]}")
        self.page.wait_for_selector(f"[data-testid=stage][data-image='{self.ids[name]}']", timeout=60_000)
        self.page.get_by_label("Labels of this image").locator("h2 span").filter(has_text=re.compile(r"\d")).wait_for()
        self.page.wait_for_timeout(1500)

    def traced(self, work: Callable[[], None]) -> Frames:
        self.browser.start_tracing(page=self.page, categories=CATEGORIES)
        work()
        self.page.wait_for_timeout(200)
        return script_times(json.loads(self.browser.stop_tracing()))

    def middle(self) -> tuple[float, float]:
        box = self.page.locator("[data-testid=stage]").bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def pan(self) -> None:
        x, y = self.middle()
        mouse = self.page.mouse
        for zoom in (0, 8):  # the whole image, then far in
            for _ in range(zoom):
                mouse.wheel(0, -100)
            mouse.move(x, y)
            mouse.down(button="middle")
            for step in range(90):
                mouse.move(x + 300 * math.sin(step / 12), y + 200 * math.sin(step / 9))
            mouse.up(button="middle")

    def zoom(self) -> None:
        self.page.mouse.move(*self.middle())
        for step in range(60):
            self.page.mouse.wheel(0, -100 if step % 30 < 15 else 100)
            self.page.wait_for_timeout(16)

    def drag_vertex(self) -> Frames:
        """Zoom to one label, take a corner and move it about."""
        page = self.page
        page.keyboard.press("Escape")
        page.keyboard.press("Tab")
        page.keyboard.press("z")
        page.wait_for_selector("[data-handle='v:0:0']")
        page.wait_for_timeout(600)
        box = page.locator("[data-handle='v:0:0'] .cs-knob").bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

        def work() -> None:
            page.mouse.move(x, y)
            page.mouse.down()
            for step in range(120):
                page.mouse.move(x + 40 * math.sin(step / 8), y + 40 * math.sin(step / 6))
            page.mouse.up()

        return self.traced(work)

    def walk(self) -> list[float]:
        """Milliseconds from the key press to the frame with the next image."""
        names = sorted(name for name in self.ids if name.startswith("walk"))
        self.open(names[0])
        self.page.evaluate(WATCH)
        times = []
        for name in names[1:]:
            ready = f"[data-testid=stage][data-ready~='{self.ids[name]}']"
            self.page.wait_for_selector(ready, timeout=60_000)  # fetched ahead while one looks at the image
            self.page.wait_for_timeout(1500)
            self.page.keyboard.press("ArrowRight")
            self.page.wait_for_function("id => window.shown?.id === id", arg=str(self.ids[name]))
            times.append(round(float(self.page.evaluate("window.shown.after")), 1))
        return times

    def paint(self) -> dict[str, dict[str, float]]:
        """Strokes over a mask as large as the image."""
        self.open("paint.jpg")
        page = self.page
        page.keyboard.press("m")
        for _ in range(12):
            page.keyboard.press("]")
        x, y = self.middle()

        def stroke(height: float) -> None:
            page.mouse.move(x - 420, y + height)
            page.mouse.down()
            for step in range(100):
                page.mouse.move(x - 420 + 8.4 * step, y + height + 30 * math.sin(step / 5))
            page.mouse.up()

        for height in (-250, -120, 10, 140, 270):
            stroke(height)  # the mask now reaches over nearly all of the image
        page.wait_for_timeout(1500)
        frames = self.traced(lambda: stroke(60))
        # The first frame copies the mask, the last one writes it as runs: they are not pointer moves.
        ends = sorted(frames.cpu, reverse=True)[:2]
        inner = sorted(range(len(frames.cpu)), key=lambda i: frames.cpu[i])[:-2]
        moves = Frames([frames.cpu[i] for i in inner], [frames.clock[i] for i in inner])
        return {
            "moves": moves.row(),
            "begin_and_end": {"cpu_worst": round(ends[0], 2), "cpu_second": round(ends[1], 2)},
        }


WATCH = """() => {
  let pressed = 0;
  window.addEventListener('keydown', () => { pressed = performance.now(); window.shown = null; }, true);
  const stage = document.querySelector('[data-testid=stage]');
  new MutationObserver(() => {
    const id = stage.dataset.image;
    if (!id) return;
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => { window.shown = { id, after: performance.now() - pressed }; };
      channel.port2.postMessage(0);
    });
  }).observe(stage, { attributes: true, attributeFilter: ['data-image'] });
}"""


def measure(folder: Path, tell: Callable[[str, dict[str, Any]], None]) -> None:
    """Measure everything; each result is told as it comes."""
    ids = make_project(folder)
    with served(folder / "workspace") as at, sync_playwright() as playwright:
        browser = chromium(playwright)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(at.link)
        page.wait_for_load_state("networkidle")
        bench = Bench(browser, page, at.url, ids)
        bench.open("plenty.jpg")
        tell("pan, 2,000 polygons", bench.traced(bench.pan).row())
        page.keyboard.press("f")
        page.wait_for_timeout(500)
        tell("zoom, 2,000 polygons", bench.traced(bench.zoom).row())
        for name, count in (("few.jpg", "50"), ("plenty.jpg", "2,000"), ("crowd.jpg", "5,000")):
            bench.open(name)
            tell(f"drag a vertex, {count} polygons", bench.drag_vertex().row())
        times = bench.walk()
        tell("next image, ms", {"median": statistics.median(times), "worst": max(times), "all": times})
        painted = bench.paint()
        tell("brush, 4000 x 3000 mask, moves", painted["moves"])
        tell("brush, begin and end of a stroke", painted["begin_and_end"])
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    found: dict[str, Any] = {}

    def tell(name: str, row: dict[str, Any]) -> None:
        found[name] = row
        if not options.json:
            print(f"{name:36}", "  ".join(f"{key} {value}" for key, value in row.items()), flush=True)

    with tempfile.TemporaryDirectory(prefix="countersign-editor-") as folder:
        measure(Path(folder), tell)
    if options.json:
        print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
