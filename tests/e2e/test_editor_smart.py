"""The smart tool: what is clicked is asked for, the mask comes, what is kept is one label of a person and a model."""

import json
import os
import re
import signal
from pathlib import Path

import pytest
from drawing import Pen, drag, rows, saved, stage
from playwright.sync_api import expect

import tiny_checkpoints
from countersign.models import catalogue

MODEL = "tiny-sam"  # random weights: where the mask lies is no matter, that it comes is


@pytest.fixture(scope="module")
def clicker(served, pytestconfig):
    """A model that takes clicks, among those of the server."""
    card = catalogue.find("sam-vit-base")
    folder = tiny_checkpoints.checkpoint(card, Path(pytestconfig.cache.mkdir("tiny")))
    served.post("/catalogue/add", {"path": str(folder), "name": MODEL})
    return MODEL


@pytest.fixture
def page(anna, served, smears, clicker):
    served.post(f"/projects/{smears}/classes", {"name": "cell"})
    image = served.images(smears)["smear_0000.jpg"]
    page = anna.go(f"/p/{smears}/image/{image['id']}")
    saved(page)
    return page


@pytest.fixture
def pen(page, served, smears):
    image = served.images(smears)["smear_0000.jpg"]
    return Pen.over(page, image["width"], image["height"])


def bar(page):
    return page.get_by_test_id("smart-bar")


def marks(page, sign):
    return page.get_by_test_id("smart-marks").locator(f"[data-sign={sign}]")


def begin(page):
    """Take the tool, and wait until the model has looked at the image."""
    with page.expect_response(re.compile("/segment/look$"), timeout=120_000) as answered:  # it imports torch first
        page.keyboard.press("s")
    assert answered.value.ok, answered.value.text()
    expect(bar(page).get_by_role("status")).to_have_text("Click an object")


def click(page, pen, x, y, **how):
    """Click a pixel of the image; what was asked, and what came."""
    with page.expect_response(re.compile("/segment$")) as answered:
        page.mouse.move(pen.left + x, pen.top + y)
        if how.pop("alt", False):
            page.keyboard.down("Alt")
        page.mouse.click(pen.left + x, pen.top + y, **how)
        page.keyboard.up("Alt")
    response = answered.value
    return json.loads(response.request.post_data), response.json()


def stored(served, project):
    return served.labels(project, "ground_truth")["smear_0000.jpg"]


def test_smart__points_are_asked_kept_as_one_label_and_taken_back(page, pen, served, smears):
    begin(page)
    asked, found = click(page, pen, 60, 50)
    assert (asked["model"], asked["box"]) == (MODEL, None)
    (point,) = asked["points"]
    assert point == {"x": pytest.approx(60, abs=1), "y": pytest.approx(50, abs=1), "include": True}
    assert found["mask"] is not None
    expect(bar(page).get_by_role("status")).to_have_text(re.compile(r"^1 point · quality \d\.\d\d$"))
    assert not click(page, pen, 120, 80, alt=True)[0]["points"][1]["include"]
    asked, found = click(page, pen, 30, 120, button="right")
    assert [each["include"] for each in asked["points"]] == [True, False, False]
    expect(marks(page, "include")).to_have_count(1)
    expect(marks(page, "exclude")).to_have_count(2)
    page.keyboard.press("Control+z")
    expect(marks(page, "exclude")).to_have_count(1)
    page.keyboard.press("Control+z")
    expect(marks(page, "exclude")).to_have_count(0)
    expect(rows(page)).to_have_count(0)
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(1)
    expect(marks(page, "include")).to_have_count(0)
    saved(page)
    (label,) = stored(served, smears)
    assert (label["geometry"]["type"], label["class_name"], label["state"]) == ("mask", "cell", "verified")
    assert (label["origin"], label["model"], label["confidence"]) == ("person", MODEL, None)
    told = served.get(f"/labels/{label['id']}")["provenance"]
    assert told["source"] == "anna"
    assert len(told["weights_hash"]) == 64
    page.keyboard.press("Control+z")
    expect(rows(page)).to_have_count(0)
    saved(page)
    assert stored(served, smears) == []


def test_smart__a_box_gives_a_polygon_and_the_choice_is_remembered(page, pen, served, smears):
    begin(page)
    bar(page).get_by_text("Polygon").click()
    with page.expect_response(re.compile("/segment$")) as answered:
        drag(page, pen.left + 20, pen.top + 20, pen.left + 120, pen.top + 100)
    box = json.loads(answered.value.request.post_data)["box"]
    assert (box["width"], box["height"]) == (100, 80)
    assert (box["x"], box["y"]) == (pytest.approx(20, abs=1), pytest.approx(20, abs=1))
    expect(bar(page).get_by_role("status")).to_have_text(re.compile("^Box · quality"))
    page.keyboard.press("Escape")
    expect(bar(page).get_by_role("status")).to_have_text("Click an object")
    drag(page, pen.left + 20, pen.top + 20, pen.left + 120, pen.top + 100)
    bar(page).get_by_role("button", name="Keep").click()
    expect(rows(page)).to_have_count(1)
    saved(page)
    (label,) = stored(served, smears)
    assert (label["geometry"]["type"], label["model"]) == ("polygon", MODEL)
    page.reload()
    expect(bar(page).get_by_role("radio", name="Polygon")).to_be_checked()


def test_smart__boxes_become_masks_in_one_step(page, pen, served, smears):
    pen.box((20, 20, 120, 100))
    pen.box((130, 30, 200, 110))
    expect(rows(page)).to_have_count(2)
    page.keyboard.press("v")
    page.keyboard.press("Control+a")
    page.keyboard.press("Shift+S")
    saved(page)
    served.wait_for(lambda: {each["geometry"]["type"] for each in stored(served, smears)} == {"mask"})
    assert {(each["origin"], each["model"]) for each in stored(served, smears)} == {("person", MODEL)}
    page.keyboard.press("Control+z")
    served.wait_for(lambda: {each["geometry"]["type"] for each in stored(served, smears)} == {"box"})
    assert {(each["origin"], each["model"]) for each in stored(served, smears)} == {("person", "")}


def test_smart__a_killed_process_gives_one_message(page, pen, served):
    begin(page)
    click(page, pen, 60, 50)
    os.kill(served.predictor(), signal.SIGKILL)
    stage(page).page.mouse.click(pen.left + 90, pen.top + 90)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("was killed by SIGKILL")
    expect(alert).to_have_count(1)
    alert.get_by_role("button", name="Try again").click()
    expect(bar(page).get_by_role("status")).to_have_text(re.compile("^2 points · quality"), timeout=60_000)
    expect(alert).to_have_count(0)


def test_smart__without_a_model_it_says_which_and_how(page):
    card = {"name": "sam2.1-tiny", "installed": None, "origin": "catalogue", "tasks": ["prompted_segmentation"]}
    entry = {**card, "licences": [], "licence_due": False, "download_bytes": 155_000_000}
    page.route(
        "**/api/v1/catalogue?task=prompted_segmentation",
        lambda route: route.fulfill(json={"items": [entry], "folder": ""}),
    )
    page.get_by_role("button", name="Smart", exact=True).click()
    panel = page.get_by_role("region", name="Smart tool")
    expect(panel).to_contain_text("No model for clicks is here yet")
    expect(panel.get_by_role("button", name="Pull 155 MB")).to_be_visible()
    panel.get_by_role("link", name="See all models").click()
    expect(page).to_have_url(re.compile("/models"))
