"""Make the screenshots of the guide again: ``python tools/screenshots.py``.

Makes a workspace of generated pictures in a temporary folder, teaches a model, lets it label, serves all of it and
walks through the screens in headless Chromium. The pictures are those of the demo, so that the same seed shows the
same cells; what a model says of them differs a little between machines. Needs the built interface (``make web``),
Chromium and playwright. Every file is a PNG of 256 colours, of at most 250 kB.

With ``--schemes dark,light --size 1280x800 --out FOLDER`` the same walk shows how the screens look elsewhere.
"""

from __future__ import annotations

import argparse
import io
import math
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

import countersign
from countersign.domain import mask
from countersign.domain.geometry import Box, Ellipse, Geometry, Keypoints, Polygon
from countersign.domain.label import Label
from countersign.domain.query import LabelFilter
from countersign.workbench import demo, demo_images
from countersign.workbench.project import Project

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

from serving import Served, chromium, served  # noqa: E402  (it lies beside the benchmarks, which need a server too)

MOST_BYTES = 250_000
BOTH = frozenset({"images", "editor", "review-crops"})
"""Screens that are shown in the light scheme too."""

PARTS = ("projects", "images", "editor", "runs", "review", "learning", "models")
"""The walk, in its order: what a run makes is seen in the review."""

RUN, MODEL = "cells-auto", "cells-1"
LONG_MS = 300_000
expect.set_options(timeout=60_000)
SLIDES = 240


@dataclass
class Camera:
    """Takes the pictures of one page: each in the schemes that are wanted."""

    page: Page
    folder: Path
    schemes: tuple[str, ...]
    every: bool

    def take(self, name: str) -> None:
        for place, scheme in enumerate(self.schemes):
            if place and not self.every and name not in BOTH:
                continue
            self.page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
            self.page.wait_for_function("() => [...document.images].every(each => each.complete)", timeout=LONG_MS)
            self.page.wait_for_timeout(600)  # decoding and the canvas take their own time
            path = self.folder / (f"{name}.png" if place == 0 else f"{name}-{scheme}.png")
            path.write_bytes(packed(self.page.screenshot()))
            print(f"{path}  {path.stat().st_size / 1000:.0f} kB", flush=True)
        self.page.emulate_media(color_scheme="light" if self.schemes[0] == "light" else "dark")


def packed(png: bytes) -> bytes:
    """The picture as a PNG of few colours, fewer where it would be larger than MOST_BYTES."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    found = b""
    for colors in (256, 192, 128, 96, 64):
        few = picture.quantize(palette=palette(picture, colors), dither=Image.Dither.NONE)
        with io.BytesIO() as out:
            few.save(out, "PNG", optimize=True)
            found = out.getvalue()
        if len(found) <= MOST_BYTES:
            return found
    return found


def palette(picture: Image.Image, colors: int) -> Image.Image:
    """Colours for a picture. Those of small things count too: a button's accent is not lost to a photo's greys."""
    values, counts = np.unique(np.asarray(picture).reshape(-1, 3), axis=0, return_counts=True)
    weights = np.ceil(np.sqrt(counts / 4)).astype(int)
    sample = np.repeat(values, weights, axis=0)[None]
    return Image.fromarray(sample).quantize(colors, method=Image.Quantize.MEDIANCUT, kmeans=2)


def fill(folder: Path, epochs: int) -> None:
    """The workspace: the demo's cells with a model and a run in review, and some pictures with all kinds of shapes."""
    with countersign.open_workspace(folder / "workspace", create=True, user="anna") as workspace:
        made = demo.prepare(folder / "demo", demo.Settings())
        calm(made.pictures)
        cells = demo.open_project(workspace, made)
        cells.mark("text~_00", split="train")
        cells.mark("text~_01", split="val")
        cells.mark("text~_004", add_tags=["thin smear"])
        cells.mark("text~_007", add_tags=["second stain"])
        shapes = workspace.create_project("outlines")
        shapes.import_images(write(folder / "outlines", 24, seed=21))
        draw(shapes, folder / "outlines")
        fresh = workspace.create_project("new slides")
        fresh.import_images(write(folder / "slides", SLIDES, seed=5))
        print(f"a model learns for {epochs} epochs ...", flush=True)
        cells.train(images=list(made.taught), name=MODEL, epochs=epochs)
        review = cells.review(cells.run(MODEL, RUN, images="-has=ground_truth", min_confidence=0.2))
        review.promote(LabelFilter(min_confidence=0.9))


def write(folder: Path, count: int, *, seed: int) -> Path:
    """Some pictures; their folder."""
    demo_images.write(folder, count, seed=seed)
    calm(folder)
    return folder


def calm(folder: Path) -> None:
    """Take the grain out of the pictures, which would be most of what a screenshot's file holds."""
    for path in sorted(folder.glob("*.jpg")):
        cv2.imwrite(str(path), cv2.bilateralFilter(cv2.imread(str(path)), 9, 24, 5), [cv2.IMWRITE_JPEG_QUALITY, 97])


def draw(project: Project, folder: Path) -> None:
    """Give most pictures labels of every kind: outlines, painted areas, a line from end to end, and a class."""
    truth = {image.name: image for image in demo_images.generate(24, seed=21)}
    labels = {name: [shaped(each, truth[name].pixels) for each in truth[name].labels] for name in sorted(truth)[:18]}
    for found in labels.values():
        crowd = sum(label.class_name == "disc" for label in found) > 7
        found.append(Label("crowded" if crowd else "sparse"))
    project.add_labels(labels)


def shaped(label: Label, pixels: NDArray[np.uint8]) -> Label:
    """The same cell, no longer as a box: its pixels are those of its box that differ most from the background."""
    assert isinstance(label.geometry, Box)
    solid = _solid(label.geometry, pixels, 0.5 if label.class_name == "lobed" else 0.4)
    shape: dict[str, Geometry] = {"disc": _outline(solid), "lobed": mask.encode(solid), "rod": _ends(solid)}
    if label.class_name == "disc" and label.geometry.width < 46:
        box = label.geometry
        shape["disc"] = Ellipse(box.x + box.width / 2, box.y + box.height / 2, box.width / 2, box.height / 2)
    return Label(label.class_name, shape[label.class_name])


def _solid(box: Box, pixels: NDArray[np.uint8], share: float) -> NDArray[np.bool_]:
    """Pixels darker than this share of the way from the background to the darkest of the box; the largest part."""
    x0, y0, x1, y1 = (round(each) for each in box.corners)
    green = cv2.GaussianBlur(pixels[..., 1], (0, 0), 1.5)
    around = green[max(0, y0 - 6) : y1 + 6, max(0, x0 - 6) : x1 + 6]
    light, dark = float(np.percentile(around, 95)), float(np.percentile(green[y0:y1, x0:x1], 5))
    inside = (green[y0:y1, x0:x1] < light - share * (light - dark)).astype(np.uint8)
    solid = np.zeros(green.shape, np.bool_)
    found, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if found:
        kept = np.zeros_like(inside)
        cv2.drawContours(kept, [max(found, key=cv2.contourArea)], 0, 1, -1)
        solid[y0:y1, x0:x1] = kept > 0
    if solid.sum() < 30:
        solid[y0:y1, x0:x1] = True
    return solid


def _outline(solid: NDArray[np.bool_]) -> Polygon:
    found, _ = cv2.findContours(solid.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    ring = cv2.approxPolyDP(max(found, key=cv2.contourArea), 1.2, True)
    return Polygon.from_points(ring.reshape(-1, 2) + 0.5)


def _ends(solid: NDArray[np.bool_]) -> Keypoints:
    """The two ends and the middle of a rod."""
    rows, columns = np.nonzero(solid)
    y, x = rows.mean() + 0.5, columns.mean() + 0.5
    values, axes = np.linalg.eigh(np.cov(columns, rows))
    half = 1.6 * math.sqrt(float(values[1]))
    dx, dy = half * float(axes[0, 1]), half * float(axes[1, 1])
    return Keypoints((x - dx, y - dy, 2, x, y, 2, x + dx, y + dy, 2))


class Walk:
    """The walk through the workbench that the guide tells, with a camera."""

    def __init__(self, page: Page, at: Served, camera: Camera) -> None:
        self.page, self.camera = page, camera
        self.base = at.url
        page.goto(f"{at.link}&user=anna")
        page.wait_for_load_state("networkidle")
        self.projects: dict[str, int] = {each["name"]: each["id"] for each in self.ask("/projects")["items"]}
        for entry in self.ask(f"/projects/{self.projects['outlines']}/classes")["items"]:
            if entry["name"] == "rod":
                bones = {"keypoint_names": ["start", "middle", "end"], "skeleton": [[0, 1], [1, 2]]}
                assert page.request.patch(f"{self.base}/api/v1/classes/{entry['id']}", data=bones).ok

    def ask(self, path: str) -> dict[str, list[dict[str, Any]]]:
        """Ask the server with the page's cookie."""
        answer: dict[str, list[dict[str, Any]]] = self.page.request.get(f"{self.base}/api/v1{path}").json()
        return answer

    def go(self, project: str, rest: str) -> None:
        """Open a page of a project, and wait until it is all there."""
        self.page.goto(f"{self.base}/p/{self.projects[project]}{rest}")
        self.page.wait_for_load_state("networkidle")

    def image(self, project: str, name: str) -> None:
        found = self.ask(f"/projects/{self.projects[project]}/images?query=text~{name}")["items"]
        self.go(project, f"/image/{found[0]['id']}")
        expect(self.page.get_by_test_id("save-state")).to_have_attribute("data-phase", "saved")

    def all(self, parts: Sequence[str]) -> None:
        for part in parts:
            getattr(self, f"shots_of_{part}")()

    def shots_of_projects(self) -> None:
        self.page.goto(self.base)
        self.page.wait_for_load_state("networkidle")
        self.camera.take("projects")

    def shots_of_images(self) -> None:
        self.go("cells", "/images?q=field%3Dcells-auto+class%3Dlobed+confidence%3D0.4..")
        tiles = self.page.get_by_role("listbox", name="Images").get_by_role("option")
        tiles.nth(1).click()
        tiles.nth(4).click(modifiers=["Shift"])
        self.page.mouse.move(0, 0)
        self.camera.take("images")

    def shots_of_editor(self) -> None:
        self.image("outlines", "smear_0012")
        self.page.get_by_role("option", name=re.compile("^lobed")).first.click()
        self.page.mouse.move(0, 0)
        self.camera.take("editor")

    def shots_of_learning(self) -> None:
        page = self.page
        self.image("cells", "smear_0005")
        page.keyboard.press("t")
        panel = page.get_by_role("complementary", name="Learning")
        display = panel.get_by_role("region", name="Display")
        predicted = re.compile(r"\d+ of \d+ shown")
        panel.get_by_role("button", name="Predict current").click()
        expect(display).to_contain_text(predicted, timeout=LONG_MS)
        panel.get_by_role("button", name="Clear predictions").click()  # those seconds were the model's loading
        panel.get_by_role("button", name="Predict current").click()
        expect(display).to_contain_text(predicted, timeout=LONG_MS)
        page.mouse.move(0, 0)
        self.camera.take("learning")
        panel.get_by_role("button", name="Settings").click()
        dialog = page.get_by_role("dialog", name="Settings of learning")
        dialog.get_by_role("tab", name="Training", exact=True).click()
        dialog.get_by_role("textbox", name="epochs").fill("60")
        self.camera.take("learning-settings")
        dialog.get_by_role("button", name="Done").click()
        panel.get_by_role("button", name="Train", exact=True).click()
        training = panel.get_by_test_id("training")
        expect(training).to_contain_text(re.compile(r"Epoch (1[2-9]|[2-5]\d) of \d+"), timeout=LONG_MS)
        self.camera.take("training")
        training.get_by_role("button", name="Cancel the training").click()
        expect(training).to_have_count(0, timeout=LONG_MS)

    def shots_of_runs(self) -> None:
        page = self.page
        self.go("new slides", "/runs?new=1")
        dialog = page.get_by_role("dialog", name="Auto label")
        expect(dialog.get_by_role("button", name=f"Label {SLIDES} images")).to_be_enabled()
        self.camera.take("auto-label")
        dialog.get_by_role("button", name=f"Label {SLIDES} images").click()
        card = page.get_by_role("article").first
        expect(card).to_contain_text(re.compile(rf"([4-9]\d|1\d\d) of {SLIDES}"), timeout=LONG_MS)
        self.camera.take("run")
        expect(card.get_by_role("link", name="Review")).to_be_visible(timeout=LONG_MS)

    def shots_of_review(self) -> None:
        page = self.page
        found = self.ask(f"/projects/{self.projects['cells']}/runs")["items"]
        self.go("cells", f"/runs/{found[0]['id']}/review?max=0.74")
        tiles = self.crops()
        expect(tiles.first).to_be_visible()
        for place, key in enumerate("aaraa"):
            tiles.nth(place).click()
            page.keyboard.press(key)
        tiles.nth(9).click()
        tiles.nth(12).click(modifiers=["Shift"])
        page.mouse.move(0, 0)
        self.camera.take("review-crops")
        page.keyboard.press("Escape")
        page.keyboard.press("v")
        page.wait_for_load_state("networkidle")
        self.camera.take("review-images")
        page.get_by_role("tab", name="Approval").click()
        page.get_by_role("button", name=re.compile(r"^Approve [\d,]+ labels? …")).click()
        expect(page.get_by_role("dialog", name=re.compile("^Approve"))).to_contain_text("The run is closed")
        self.camera.take("approve")
        page.keyboard.press("Escape")

    def crops(self) -> Locator:
        return self.page.get_by_role("listbox", name="Proposals, each a tile").get_by_role("option")

    def shots_of_models(self) -> None:
        self.page.goto(f"{self.base}/models")
        self.page.wait_for_load_state("networkidle")
        self.camera.take("models")
        self.page.goto(f"{self.base}/models?view=catalogue")
        models = self.page.get_by_role("listbox", name="Models of the catalogue").get_by_role("option")
        models.filter(has_text=re.compile("^rt-detr-v2-r50")).first.click()
        card = self.page.get_by_role("article", name="Card of rt-detr-v2-r50", exact=True)
        expect(card).to_contain_text("and 56 more")
        self.camera.take("catalogue")


def window(browser: Browser, size: str) -> Page:
    """A page of so many pixels, in English."""
    width, height = (int(each) for each in size.split("x"))
    context = browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=1,
        reduced_motion="reduce",
        color_scheme="dark",
        locale="en-GB",
    )
    return context.new_page()


def main() -> int:
    """Fill, serve, walk."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images", help="folder of the pictures")
    parser.add_argument("--schemes", help="of every screen, such as dark,light  [default: dark, some in light too]")
    parser.add_argument("--size", default="1440x900")
    parser.add_argument("--epochs", type=int, default=90, help="how long the model learns; 90 take some minutes")
    parser.add_argument("--keep", type=Path, help="a folder for the workspace; one that is filled is used again")
    parser.add_argument("--only", default=",".join(PARTS), help="parts of the walk, with commas  [default: all]")
    options = parser.parse_args()
    parts = options.only.split(",")
    if unknown := set(parts).difference(PARTS):
        parser.error(f"no part is called {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    options.out.mkdir(parents=True, exist_ok=True)
    schemes = tuple((options.schemes or "dark,light").split(","))
    with tempfile.TemporaryDirectory(prefix="countersign-screenshots-") as scratch, sync_playwright() as playwright:
        folder = options.keep or Path(scratch)
        os.environ["COUNTERSIGN_MODELS"] = str(folder / "models")  # what is here already is no part of the pictures
        if not (folder / "workspace").exists():
            fill(folder, options.epochs)
        browser = chromium(playwright)
        with served(folder / "workspace") as at:
            page = window(browser, options.size)
            Walk(page, at, Camera(page, options.out, schemes, options.schemes is not None)).all(parts)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
