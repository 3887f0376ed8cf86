"""Grid and review in headless Chromium, with the real server, over 100,000 images with a million labels.

    python benchmarks/browser.py [--json] [--folder FOLDER] [--only load,grid,memory,filters,review]

Makes a workspace (or takes the one that is in FOLDER already), starts ``countersign serve``, and moves the mouse as a
person would. Every time is measured in the page, by its own clock, up to the frame that shows the result:

* grid: how long a place in sight stays without its picture while one turns the wheel, drags the scrollbar, and jumps
  to places that were never seen (so their thumbnails are not made yet); script heap and memory over a long scroll;
* filters: from the click to the first page of the new list, with all of its pictures; half of the pictures were
  never shown before;
* review: from the move of the slider to the class table that belongs to it, one step and while dragging;
* load: bytes of script (as gzip) until the first grid is there, and the time.

Needs the built interface (``make web``), Chromium and playwright.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import statistics
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from editor import write_jpeg
from server import make
from serving import Served, chromium, served

BLANK_MS, FILTER_MS, REVIEW_MS, SCRIPT_KB = 300, 300, 150, 250
PICTURES = 240
"""Different pictures on the disk; the images are links to them."""
WATCH = (Path(__file__).parent / "browser_watch.js").read_text()


@dataclass
class Told:
    """Results as they come: a name, what was measured, and the limit if there is one."""

    quiet: bool
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)

    def times(self, name: str, values: list[float], limit: float | None = None) -> None:
        """Tell milliseconds by median, the value that 95 of 100 lie below, and the greatest."""
        ordered = sorted(values) or [0.0]  # nothing was ever blank
        row = {
            "n": len(values),
            "median": round(statistics.median(ordered), 1),
            "p95": round(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], 1),
            "worst": round(ordered[-1], 1),
        }
        self.row(name, row | (_ratios(row, limit) if limit else {}))

    def row(self, name: str, row: dict[str, Any]) -> None:
        """Tell anything."""
        self.rows[name] = row
        if not self.quiet:
            print(f"{name:46}", "  ".join(f"{key} {value}" for key, value in row.items()), flush=True)


def _ratios(row: dict[str, Any], limit: float) -> dict[str, Any]:
    return {"limit": limit} | {f"{name}/limit": round(row[name] / limit, 2) for name in ("median", "p95", "worst")}


def make_pictures(folder: Path, count: int) -> list[Path]:
    """Make some JPEG files of 640 x 480, and a link to one of them for each image."""
    pool = [folder / "pool" / f"{number:03}.jpg" for number in range(PICTURES)]
    if not pool[0].parent.is_dir():
        pool[0].parent.mkdir(parents=True)
        for number, path in enumerate(pool):
            write_jpeg(path, 640, 480, number)
    links = [folder / "images" / f"{number // 1000:03}" / f"{number:06}.jpg" for number in range(count)]
    for number, link in enumerate(links):
        if number % 1000 == 0:
            link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            os.link(pool[number % PICTURES], link)
    return links


class Window:
    """One browser window on the project, which is watched for places without a picture."""

    def __init__(self, browser: Browser, at: Served) -> None:
        self.page: Page = browser.new_page(viewport={"width": 1440, "height": 900})
        self.page.add_init_script(WATCH)
        self.base = at.url
        self.page.goto(at.link)
        self.page.wait_for_load_state("networkidle")
        self.wire: CDPSession = self.page.context.new_cdp_session(self.page)
        self._whole: CDPSession = browser.new_browser_cdp_session()

    def ask(self, path: str) -> Any:
        """Ask the server with the window's cookie."""
        return self.page.request.get(f"{self.base}/api/v1{path}").json()

    def grid(self, search: str = "") -> None:
        """Open the grid and wait until it is all there."""
        self.page.goto(f"{self.base}/p/1/images{search}")
        self.page.wait_for_function("() => watch.cells() > 0 && watch.blank() === 0", timeout=60_000)
        self.page.wait_for_timeout(800)

    def blanks(self, work: Callable[[], None], *, settle: float = 2000) -> list[float]:
        """Return how long each place in sight was blank while something was done, in milliseconds."""
        self.page.evaluate("() => watch.begin()")
        work()
        self.page.wait_for_function("() => watch.blank() === 0", timeout=30_000)
        self.page.wait_for_timeout(settle)
        found: list[float] = self.page.evaluate("() => watch.end()")
        return found

    def heap(self) -> dict[str, float]:
        """Return what script holds after a collection, and what the renderer's process holds, in MB."""
        self.wire.send("HeapProfiler.collectGarbage")
        metrics = {item["name"]: item["value"] for item in self.wire.send("Performance.getMetrics")["metrics"]}
        processes = self._whole.send("SystemInfo.getProcessInfo")["processInfo"]
        renderers = [_resident_mb(process["id"]) for process in processes if process["type"] == "renderer"]
        return {"heap_mb": round(metrics["JSHeapUsedSize"] / 1e6, 1), "renderer_mb": round(max(renderers), 1)}


def _resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000


def measure_grid(window: Window, told: Told, chance: random.Random) -> None:
    """Scroll in every way there is."""
    page = window.page
    window.grid()
    x, y = page.evaluate("() => watch.middle()")
    page.mouse.move(x, y)

    def wheel(steps: int, by: int, pause: int) -> Callable[[], None]:
        def work() -> None:
            for _ in range(steps):
                page.mouse.wheel(0, by)
                page.wait_for_timeout(pause)

        return work

    told.times("grid: wheel, reading (100 px / 50 ms)", window.blanks(wheel(120, 100, 50)), BLANK_MS)
    told.times("grid: wheel, fast (400 px / 30 ms)", window.blanks(wheel(120, 400, 30)), BLANK_MS)
    told.times("grid: wheel, flung (1500 px / 30 ms)", window.blanks(wheel(120, 1500, 30)), BLANK_MS)

    def drag() -> None:
        for step in range(90):
            page.evaluate("share => watch.scrollTo(share)", 0.1 + 0.3 * step / 90)
            page.wait_for_timeout(16)

    told.times("grid: scrollbar dragged over a third", window.blanks(drag), BLANK_MS)
    oldest, every = [], []
    for _ in range(20):
        share = chance.uniform(0.42, 0.98)
        found = window.blanks(lambda share=share: page.evaluate("share => watch.scrollTo(share)", share), settle=700)
        oldest.append(max(found, default=0.0))
        every += found
    told.times("grid: jump to an unseen place, each tile", every, BLANK_MS)
    told.times("grid: jump to an unseen place, the last tile", oldest, BLANK_MS)


def measure_memory(window: Window, told: Told) -> None:
    """Scroll through tens of thousands of images and look at the memory on the way."""
    page = window.page
    window.grid()
    page.mouse.move(*page.evaluate("() => watch.middle()"))
    found = [window.heap()]
    for _ in range(4):
        for _ in range(250):
            page.mouse.wheel(0, 1800)
            page.wait_for_timeout(20)
        page.wait_for_timeout(1500)
        found.append(window.heap())
    told.row("memory: MB of heap at the start, each quarter", {"heap": [row["heap_mb"] for row in found]})
    told.row("memory: MB of the renderer's process", {"renderer": [row["renderer_mb"] for row in found]})
    told.row("memory: images passed", {"images": page.evaluate("() => watch.last()")})


def measure_filters(window: Window, told: Told) -> None:
    """Click on filters; each counts until the first page of the list that belongs to it is there."""
    page = window.page
    cases = {
        "class": [(f"class {number}", f"field=auto class='class {number}'") for number in (3, 11, 24, 40, 52, 63, 71)],
        "split": [(name, f"split={name} field=auto") for name in ("val", "test")],
        "tag": [("night", "tag=night field=auto")],
    }
    sections = {"class": "Class", "split": "Split", "tag": "Tags"}
    shown, tiles = [], []
    for kind, items in cases.items():
        for name, query in items:
            window.grid("?q=field%3Dauto")
            ids = window.ask(f"/projects/1/images/ids?query={urllib.request.quote(query)}")["ids"]
            if kind == "class":
                page.get_by_label("Find a class").fill(name)
            button = page.get_by_label(sections[kind], exact=True).get_by_role("checkbox", name=f"{name},")
            button.scroll_into_view_if_needed()
            times = _until(window, ids, lambda button=button: button.click())
            tiles.append(times["tiles"])
            shown.append(times["pictures"])
    told.times("filter: to the tiles of the new list", tiles, FILTER_MS)
    told.times("filter: with all pictures, class, split, tag", shown, FILTER_MS)
    cleared = []
    for name, query in cases["class"][:4]:
        window.grid(f"?q={urllib.request.quote(query)}")
        ids = window.ask("/projects/1/images/ids?query=field%3Dauto")["ids"]
        button = page.get_by_label("Class", exact=True).get_by_role("checkbox", name=f"{name},")
        cleared.append(_until(window, ids, lambda button=button: button.click())["pictures"])
    told.times("filter: taken away again", cleared, FILTER_MS)
    typed = []
    for text in ("0177", "4242", "9053", "8181"):
        window.grid()
        ids = window.ask(f"/projects/1/images/ids?query=text~{text}")["ids"]
        page.get_by_label("Search by name").fill(text[:3])
        page.wait_for_timeout(900)
        typed.append(_until(window, ids, lambda text=text: page.keyboard.press(text[3]))["pictures"])
    told.times("filter: last letter of a name", typed, FILTER_MS)


def _until(window: Window, ids: list[int], work: Callable[[], None]) -> dict[str, float]:
    window.page.evaluate("ids => watch.expect(ids)", ids[:200])
    work()
    window.page.wait_for_function("() => watch.came?.pictures", timeout=30_000)
    found: dict[str, float] = window.page.evaluate("() => watch.came")
    window.page.wait_for_timeout(500)
    return found


def measure_review(window: Window, told: Told) -> None:
    """Move the lower end of the slider; the class table and the histogram's colours must follow."""
    page = window.page
    page.goto(f"{window.base}/p/1/runs/1/review")
    page.get_by_role("row").nth(5).wait_for()
    page.wait_for_timeout(2500)
    slider = page.get_by_role("slider", name="Confidence: lowest")
    slider.focus()
    for mode, steps, pause in (("one step of the slider", 30, 400), ("while it is dragged", 80, 33)):
        page.evaluate("() => watch.slide()")
        for step in range(steps):
            page.keyboard.press("ArrowRight" if step < steps * 0.6 else "ArrowLeft")
            page.wait_for_timeout(pause)
        page.wait_for_timeout(800)
        lags = page.evaluate("() => watch.slid()")
        told.times(f"review: table, {mode}", lags["table"], REVIEW_MS)
        told.times(f"review: histogram, {mode}", lags["histogram"], REVIEW_MS)


def measure_load(browser: Browser, window: Window, told: Told) -> None:
    """Open the grid with nothing kept from before."""
    cookies = window.page.context.cookies()
    times, scripts = [], {}
    for _ in range(7):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_cookies(cookies)
        page = context.new_page()
        page.add_init_script(WATCH)
        page.goto(f"{window.base}/p/1/images")
        page.wait_for_function("() => watch.cells() > 0 && watch.blank() === 0", timeout=60_000)
        times.append(page.evaluate("() => watch.complete"))
        names = page.evaluate("() => performance.getEntriesByType('resource').map(e => e.name)")
        scripts = {name: page.request.get(name).body() for name in names if name.endswith(".js")}
        context.close()
    packed = sum(len(gzip.compress(body, 9)) for body in scripts.values()) / 1000
    told.row(
        "load: kB of script (gzip) to the first grid",
        {"kB": round(packed, 1), "files": len(scripts), "limit": SCRIPT_KB, "ratio": round(packed / SCRIPT_KB, 2)},
    )
    told.times("load: from the address to the first grid, ms", times)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--folder", type=Path, help="where the workspace is, or is made and kept")
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--labels", type=int, default=1_000_000)
    parser.add_argument("--only", default="load,grid,memory,filters,review", help="what to measure, with commas")
    parser.add_argument("--seed", type=int, help="of the places that are jumped to")
    options = parser.parse_args()
    wanted = set(options.only.split(","))
    told = Told(options.json)
    with tempfile.TemporaryDirectory(prefix="countersign-browser-") as scratch, sync_playwright() as playwright:
        folder = options.folder or Path(scratch)
        make(folder / "workspace", options.images, options.labels, make_pictures(folder, options.images))
        with served(folder / "workspace") as at:
            browser = chromium(playwright)
            window = Window(browser, at)
            window.wire.send("Performance.enable")
            if "load" in wanted:
                measure_load(browser, window, told)
            if "grid" in wanted:
                measure_grid(window, told, random.Random(options.seed))
            if "memory" in wanted:
                measure_memory(window, told)
            if "filters" in wanted:
                measure_filters(window, told)
            if "review" in wanted:
                measure_review(window, told)
            browser.close()
    if options.json:
        print(json.dumps(told.rows, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
