"""The whole job with mouse and keyboard: from a folder of pictures to a file that holds exactly what was done."""

from __future__ import annotations

import json
import re
import shutil
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from browsing import Served, Visit
from drawing import Corners, Pen, corners, saved
from playwright.sync_api import Locator, Page, expect

from countersign.domain.geometry import Box
from countersign.workbench import demo_images

DRAWN, IMAGES = 4, 10
LONG_MS = 180_000
SETTINGS = {"epochs": "25", "batch size": "2", "learning rate": "0.005"}


@dataclass
class Source:
    """Pictures, and where in each a cell lies that shall be drawn."""

    folder: Path
    class_name: str
    truth: dict[str, list[Corners]]


@dataclass
class Story:
    """What was done so far: labels as (image, class, corners in pixels of the image)."""

    page: Page
    served: Served
    source: Source
    project: int = 0
    done: list[tuple[str, str, Corners]] = field(default_factory=list)

    def labels(self, field_name: str = "auto") -> list[dict[str, Any]]:
        found = self.served.labels(self.project, field_name)
        return [label | {"image": name} for name, labels in found.items() for label in labels]

    def note(self, labels: list[dict[str, Any]]) -> None:
        self.done += [(each["image"], each["class_name"], corners(each["geometry"])) for each in labels]


@pytest.fixture(params=["generated", "bccd"])
def source(request: pytest.FixtureRequest, tmp_path: Path, data_dir: Callable[[str], Path]) -> Source:
    folder = tmp_path / "pictures"
    folder.mkdir()
    return _generated(folder) if request.param == "generated" else _photos(folder, data_dir("bccd"))


def _generated(folder: Path) -> Source:
    truth: dict[str, list[Corners]] = {}
    for name, labels in demo_images.write(folder, 3 * IMAGES, seed=3).items():
        boxes = [label.geometry for label in labels if label.class_name == "lobed"]
        if boxes and len(truth) < IMAGES:
            truth[name] = [_whole(each) for each in boxes if isinstance(each, Box)]
        else:
            (folder / name).unlink()
    return Source(folder, "lobed", truth)


def _whole(box: Box) -> Corners:
    return round(box.x) + 1, round(box.y) + 1, round(box.x + box.width) - 1, round(box.y + box.height) - 1


def _photos(folder: Path, data: Path) -> Source:
    truth: dict[str, list[Corners]] = {}
    for path in sorted((data / "BCCD" / "Annotations").glob("*.xml")):
        cells = [each for each in ElementTree.parse(path).iter("object") if each.findtext("name") == "WBC"]
        photo = data / "BCCD" / "JPEGImages" / f"{path.stem}.jpg"
        if cells and photo.is_file():
            shutil.copy(photo, folder)
            truth[photo.name] = [_voc(each) for each in cells]
        if len(truth) == IMAGES:
            break
    return Source(folder, "WBC", truth)


def _voc(cell: ElementTree.Element) -> Corners:
    left, top, right, bottom = (int(cell.findtext(f"bndbox/{name}", "")) for name in ("xmin", "ymin", "xmax", "ymax"))
    return left + 1, top + 1, right - 1, bottom - 1


@pytest.mark.slow
def test_story__from_a_folder_to_an_exported_file(anna: Visit, served: Served, source: Source, tmp_path: Path) -> None:
    story = Story(anna.page, served, source)
    create(story)
    draw(story)
    train(story)
    predict_and_accept(story)
    auto_label(story)
    review(story)
    approve(story)
    compare(story, export(story, tmp_path))


def create(story: Story) -> None:
    page, source = story.page, story.source
    page.get_by_role("button", name="New project").last.click()
    dialog = page.get_by_role("dialog", name="New project")
    dialog.get_by_label("Folder or file on the server").fill(str(source.folder))
    dialog.get_by_label("Name", exact=True).fill(source.class_name)
    dialog.get_by_role("button", name="Create and import").click()
    expect(dialog.get_by_role("status")).to_contain_text(f"{IMAGES} images added")
    dialog.get_by_role("button", name=f"Open {source.class_name}").click()
    expect(page.get_by_role("listbox", name="Images").get_by_role("option")).to_have_count(IMAGES)
    story.project = int(re.findall(r"/p/(\d+)/", page.url)[0])


def draw(story: Story) -> None:
    """Draw what the first pictures show. The first box asks what it is."""
    page = story.page
    page.get_by_role("listbox", name="Images").get_by_role("option").first.dblclick()
    for place, name in enumerate(list(story.source.truth)[:DRAWN]):
        pen = open_image(story, place)
        for box in story.source.truth[name]:
            pen.box(box)
            if not story.done:
                call_it(page, story.source.class_name)
            story.done.append((name, story.source.class_name, box))
        expect(page.get_by_role("option", name=re.compile(f"^{story.source.class_name}"))).to_have_count(
            len(story.source.truth[name])
        )
        saved(page)
        page.get_by_role("button", name="Next image").click()


def open_image(story: Story, place: int) -> Pen:
    """Wait for the picture at this place; a pen over it."""
    name = list(story.source.truth)[place]
    expect(story.page.get_by_role("heading", name=name)).to_be_visible()
    expect(story.page.get_by_test_id("place")).to_have_text(f"{place + 1} / {IMAGES}")
    image = story.served.images(story.project)[name]
    return Pen.over(story.page, image["width"], image["height"])


def call_it(page: Page, class_name: str) -> None:
    """Answer what it is that was drawn, or is to be drawn next."""
    field = page.get_by_role("textbox", name="Class", exact=True)
    field.fill(class_name)
    field.press("Enter")
    expect(field).to_have_count(0)


def train(story: Story) -> None:
    """Begin a training in the learning panel, and go on labelling while it is at work."""
    page = story.page
    pen = open_image(story, DRAWN)
    page.keyboard.press("t")
    panel = page.get_by_role("complementary", name="Learning")
    panel.get_by_role("button", name="Settings").click()
    dialog = page.get_by_role("dialog", name="Settings of learning")
    dialog.get_by_role("tab", name="Training", exact=True).click()
    for name, value in SETTINGS.items():
        dialog.get_by_role("textbox", name=name, exact=True).fill(value)
    choose(page, dialog, "Image size", "224")
    dialog.get_by_label("Backbone").fill("test_resnet")
    dialog.get_by_role("button", name="Done").click()
    panel.get_by_role("button", name="Train", exact=True).click()
    expect(panel.get_by_test_id("training")).to_be_visible()

    name = list(story.source.truth)[DRAWN]
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    call_it(page, "other")
    pen.box((20, 30, 90, 80))
    story.served.wait_for(lambda: len(story.served.labels(story.project, "ground_truth")[name]) == 1)
    story.done.append((name, "other", (20, 30, 90, 80)))

    expect(panel.get_by_role("region", name="Statistics")).to_contain_text("ready", timeout=LONG_MS)
    expect(panel.get_by_test_id("training")).to_have_count(0)
    (training,) = story.served.get(f"/projects/{story.project}/trainings")["items"]
    assert training["state"] == "done"
    assert training["settings"]["epochs"] == int(SETTINGS["epochs"])


def choose(page: Page, dialog: Locator, label: str, option: str) -> None:
    dialog.get_by_label(label, exact=True).first.click()
    page.get_by_role("option", name=option, exact=True).click()


def predict_and_accept(story: Story) -> None:
    """See what the model says of a picture without labels; all of it becomes labels."""
    page = story.page
    page.get_by_role("button", name="Next image").click()
    open_image(story, DRAWN + 1)
    panel = page.get_by_role("complementary", name="Learning")
    with page.expect_response(re.compile("/predict$"), timeout=LONG_MS) as answer:
        panel.get_by_role("button", name="Predict current").click()
    found = answer.value.json()["items"]
    panel.get_by_role("slider").focus()
    page.keyboard.press("Home")
    panel.get_by_role("button", name=re.compile(f"^Accept {len(found)} predictions?")).click()
    name = list(story.source.truth)[DRAWN + 1]
    assert found, "the model of this test finds nothing"
    story.served.wait_for(lambda: len(story.served.labels(story.project, "ground_truth")[name]) == len(found))
    story.note([each | {"image": name} for each in found])


def auto_label(story: Story) -> None:
    """Let the model that was trained label the pictures that have no labels yet."""
    page, left = story.page, IMAGES - DRAWN - 2
    page.get_by_role("button", name="Back to the images").click()
    page.get_by_role("link", name="Runs").click()
    page.get_by_role("button", name="Auto label").click()
    dialog = page.get_by_role("dialog", name="Auto label")
    dialog.get_by_role("radio", name=re.compile("^Without ground truth")).click()
    (training,) = story.served.get(f"/projects/{story.project}/trainings")["items"]
    expect(dialog.get_by_label("Model", exact=True).first).to_have_value(training["model"])
    dialog.get_by_label("Label field").fill("auto")
    dialog.get_by_role("textbox", name="Lowest confidence").fill("0.10")  # a model of seconds is never sure
    dialog.get_by_role("button", name=f"Label {left} images").click()
    card = page.get_by_role("article", name="Run auto")
    expect(card.get_by_role("link", name="Review")).to_be_visible(timeout=LONG_MS)
    expect(card).to_contain_text(f"on {left} images")
    card.get_by_role("link", name="Review").click()


def review(story: Story) -> None:
    """The surer half by the slider; of the others one is accepted, one rejected, one given another class."""
    page = story.page
    proposals = story.labels()
    levels = sorted((each["confidence"] for each in proposals), reverse=True)
    low = int(100 * levels[len(levels) // 2]) / 100
    sure = [each for each in proposals if each["confidence"] >= low]
    assert len(proposals) - len(sure) >= 3, f"the model of this test says too little: {levels}"

    side = page.get_by_role("complementary", name="Filter")
    side.get_by_role("textbox", name="Confidence: lowest").fill(f"{low:.2f}")
    side.get_by_role("button", name=re.compile(f"^Add {len(sure)} labels? for approval")).click()
    expect(page.get_by_role("tab", name="Approval")).to_contain_text(str(len(sure)))
    side.get_by_role("textbox", name="Confidence: lowest").fill("0.00")
    tiles = page.get_by_role("listbox", name="Proposals, each a tile").get_by_role("option")
    expect(tiles).to_have_count(len(proposals) - len(sure))

    tiles.nth(0).click()
    page.keyboard.press("a")
    page.keyboard.press("r")
    page.keyboard.press("c")
    page.get_by_role("textbox", name="Class").fill("other")
    page.keyboard.press("Enter")
    expect(tiles.nth(0)).to_contain_text("accepted")
    expect(tiles.nth(1)).to_contain_text("rejected")
    expect(tiles.nth(2)).to_contain_text("other")
    expect(page.get_by_role("tab", name="Approval")).to_contain_text(str(len(sure) + 2))

    promoted = [each for each in story.labels() if each["state"] == "promoted"]
    assert {each["id"] for each in sure} < {each["id"] for each in promoted}
    assert [each["class_name"] for each in promoted].count("other") == 1
    assert [each["state"] for each in story.labels()].count("rejected") == 1
    story.note(promoted)


def approve(story: Story) -> None:
    page = story.page
    promoted = [each for each in story.labels() if each["state"] == "promoted"]
    page.get_by_role("tab", name="Approval").click()
    page.get_by_role("button", name=f"Approve {len(promoted)} labels …").click()
    dialog = page.get_by_role("dialog", name=f"Approve {len(promoted)} labels")
    expect(dialog).to_contain_text(f"{len(promoted)} labels on {len({each['image'] for each in promoted})} image")
    expect(dialog).to_contain_text("The run is closed")
    dialog.get_by_role("button", name=f"Approve {len(promoted)} labels").click()
    expect(page.get_by_role("link", name="In ground_truth")).to_be_visible()


def export(story: Story, folder: Path) -> dict[str, Any]:
    """Download the labels as COCO through the page of projects; what the file says."""
    page, name = story.page, story.source.class_name
    page.get_by_role("link", name="Countersign: all projects").click()
    page.get_by_label(f"More about {name}").click()
    page.get_by_role("menuitem", name="Export labels").click()
    dialog = page.get_by_role("dialog", name="Export labels")
    dialog.get_by_role("button", name="Export", exact=True).click()
    expect(dialog.get_by_role("status")).to_contain_text(f"{len(story.done)} labels on")
    with page.expect_download() as download:
        dialog.get_by_role("link", name="Download").click()
    download.value.save_as(folder / "labels.json")
    found: dict[str, Any] = json.loads((folder / "labels.json").read_text())
    return found


def compare(story: Story, written: dict[str, Any]) -> None:
    """The file holds every label that was drawn, accepted or approved, where it was, and no other."""
    names = {each["id"]: each["file_name"] for each in written["images"]}
    classes = {each["id"]: each["name"] for each in written["categories"]}
    assert set(classes.values()) == {story.source.class_name, "other"}
    left = [
        (names[each["image_id"]], classes[each["category_id"]], _corners(each["bbox"]))
        for each in written["annotations"]
    ]
    assert len(left) == len(story.done)
    for label in story.done:
        same = next((each for each in left if _is_same(label, each)), None)
        assert same is not None, f"{label} is not in the file, of which is left: {left}"
        left.remove(same)
    assert left == []


def _corners(bbox: list[float]) -> Corners:
    x, y, width, height = bbox
    return x, y, x + width, y + height


def _is_same(one: tuple[str, str, Corners], other: tuple[str, str, Corners]) -> bool:
    near = all(abs(a - b) <= 1.0 for a, b in zip(one[2], other[2], strict=True))
    return one[:2] == other[:2] and near
