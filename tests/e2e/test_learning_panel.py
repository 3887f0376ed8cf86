"""The learning panel of the editor: teach, look at what was learned, take it over; and what goes wrong with it."""

import os
import re
import signal
import sys

import pytest
from drawing import drag, rows, saved, stage
from playwright.sync_api import expect

from countersign.domain.geometry import Box

BOX = ("disc", Box(40, 50, 60, 50))


@pytest.fixture
def labelled(served, smears):
    """A project with a box on each of its first three pictures, four to six of them."""
    images = served.images(smears)
    for name in ("smear_0000.jpg", "smear_0001.jpg", "smear_0002.jpg"):
        served.label(images[name]["id"], [BOX, ("rod", Box(200, 100, 30, 60))])
    return smears


@pytest.fixture
def model(served, model_file):
    """The only model there is; its name."""
    served.forget_models()
    served.post("/models/import", {"path": str(model_file), "name": "teacher"})
    return "teacher"


def open_panel(visit, served, project, name="smear_0005.jpg"):
    """Open a picture with the learning panel beside it."""
    image = served.images(project)[name]["id"]
    page = visit.go(f"/p/{project}/image/{image}")
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    saved(page)
    page.keyboard.press("t")
    expect(panel(page)).to_be_visible()
    return page


def panel(page):
    return page.get_by_role("complementary", name="Learning")


def train_button(page):
    return panel(page).get_by_role("button", name="Train", exact=True)


def settings(page, tab):
    panel(page).get_by_role("button", name="Settings").click()
    dialog = page.get_by_role("dialog", name="Settings of learning")
    dialog.get_by_role("tab", name=tab, exact=True).click()
    return dialog


def threshold(page):
    return panel(page).get_by_role("slider", name="Lowest confidence")


def predict(page):
    """Predict the open image, show all of it; how many there are."""
    panel(page).get_by_role("button", name="Predict current").click()
    display = panel(page).get_by_role("region", name="Display")
    expect(display).to_contain_text(re.compile(r"\d+ of \d+ shown"), timeout=60_000)
    threshold(page).focus()
    page.keyboard.press("Home")
    return int(re.findall(r"of (\d+) shown", display.inner_text())[0])


def test_learning__train_waits_for_the_first_label(anna, served, smears):
    served.post(f"/projects/{smears}/classes", {"name": "disc"})
    page = open_panel(anna, served, smears)
    statistics = panel(page).get_by_role("region", name="Statistics")
    expect(train_button(page)).to_be_disabled()
    expect(panel(page)).to_contain_text("Label at least one image in “ground_truth” first")
    expect(statistics).to_contain_text(re.compile("Annotated images.*0 of 12.*Total labels.*0", re.DOTALL))
    area = stage(page).bounding_box()
    page.keyboard.press("b")
    drag(page, area["x"] + 200, area["y"] + 200, area["x"] + 300, area["y"] + 280)
    expect(statistics).to_contain_text(re.compile("Annotated images.*1 of 12.*Total labels.*1", re.DOTALL))
    expect(train_button(page)).to_be_enabled()
    panel(page).get_by_role("button", name="Back to the labels").click()
    expect(rows(page)).to_have_count(1)


def test_learning__settings_choose_the_images(anna, served, labelled):
    page = open_panel(anna, served, labelled)
    dialog = settings(page, "Training images")
    expect(dialog).to_contain_text("3 images chosen, 3 with labels")
    expect(dialog.get_by_role("checkbox", checked=True)).to_have_count(3)
    dialog.get_by_role("button", name="Deselect all").click()
    expect(dialog).to_contain_text("0 images chosen, 0 with labels")
    dialog.get_by_role("checkbox", name="smear_0001.jpg").click()
    dialog.get_by_role("checkbox", name="smear_0007.jpg").click()
    expect(dialog).to_contain_text("2 images chosen, 1 with labels")
    dialog.get_by_role("button", name="Done").click()
    expect(panel(page)).to_contain_text("Learns from 2 chosen images")
    dialog = settings(page, "Training images")
    dialog.get_by_role("button", name="Select all with labels").click()
    expect(dialog).to_contain_text("3 images chosen, 3 with labels")
    dialog.get_by_role("button", name="Done").click()
    expect(panel(page).get_by_text("chosen image")).to_have_count(0)


def test_learning__another_backbone_warns(anna, served, labelled, model):
    page = open_panel(anna, served, labelled)
    expect(panel(page).get_by_role("region", name="Statistics")).to_contain_text(model)
    dialog = settings(page, "Training")
    backbone = dialog.get_by_label("Backbone")
    backbone.fill("test_resnet")
    expect(dialog.get_by_role("alert")).to_have_count(0)
    backbone.fill("resnet34")
    expect(dialog.get_by_role("alert")).to_contain_text("has the backbone test_resnet. It does not fit resnet34")
    dialog.get_by_role("button", name="Back to the defaults").click()
    expect(backbone).to_have_value("resnet18")


def test_learning__the_threshold_changes_the_picture_without_asking_again(anna, served, labelled, model):
    page = open_panel(anna, served, labelled)
    asked = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/predict") else None)
    count = predict(page)
    display = panel(page).get_by_role("region", name="Display")
    expect(display).to_contain_text(f"{count} of {count} shown")
    all_of_them = picture_once_it_differs(page, b"")
    threshold(page).focus()
    page.keyboard.press("End")
    expect(display).to_contain_text(f"0 of {count} shown")
    none = picture_once_it_differs(page, all_of_them)
    expect(panel(page).get_by_role("button", name="Accept predictions")).to_be_disabled()
    page.keyboard.press("Home")
    assert picture_once_it_differs(page, none) == all_of_them
    display.get_by_role("switch", name="Show predictions").click()
    assert picture_once_it_differs(page, all_of_them) == none
    assert len(asked) == 1
    assert served.labels(labelled, "ground_truth")["smear_0005.jpg"] == []


def picture_once_it_differs(page, before):
    """What the stage shows, when it is no longer what it was."""
    for _ in range(100):
        shown = stage(page).screenshot()
        if shown != before:
            return shown
        page.evaluate("() => new Promise(requestAnimationFrame)")
    raise AssertionError("the picture stays as it is")


def test_learning__accept_undo_and_clear(anna, served, labelled, model):
    page = open_panel(anna, served, labelled)
    count = predict(page)
    accept = panel(page).get_by_role("button", name=re.compile("^Accept"))

    def stored():
        return served.labels(labelled, "ground_truth")["smear_0005.jpg"]

    accept.click()
    served.wait_for(lambda: len(stored()) == count)
    assert {label["state"] for label in stored()} == {"verified"}
    page.keyboard.press("Control+z")
    served.wait_for(lambda: stored() == [])

    assert predict(page) == count
    panel(page).get_by_role("button", name="Clear predictions").click()
    expect(panel(page)).to_contain_text("No predictions for this image.")
    expect(accept).to_be_disabled()
    assert stored() == []


def test_learning__a_training_shows_its_progress_and_is_cancelled(anna, served, labelled):
    page = open_panel(anna, served, labelled)
    dialog = settings(page, "Training")
    dialog.get_by_role("textbox", name="epochs").fill("500")
    dialog.get_by_label("Backbone").fill("test_resnet")
    dialog.get_by_role("button", name="Done").click()
    train_button(page).click()
    at_work = panel(page).get_by_test_id("training")
    expect(at_work).to_contain_text(re.compile(r"Epoch \d+ of \d+"), timeout=60_000)
    expect(at_work.get_by_role("figure", name="Loss over the steps")).to_be_visible(timeout=60_000)
    expect(train_button(page)).to_be_disabled()
    at_work.get_by_role("button", name="Cancel the training").click()
    expect(at_work).to_have_count(0, timeout=60_000)
    expect(train_button(page)).to_be_enabled()
    (training,) = served.get(f"/projects/{labelled}/trainings")["items"]
    assert training["state"] in ("done", "cancelled")
    assert training["progress"]["epoch"] < 500


def test_learning__no_image_chosen_is_said(anna, served, labelled):
    page = open_panel(anna, served, labelled)
    dialog = settings(page, "Training images")
    dialog.get_by_role("button", name="Deselect all").click()
    dialog.get_by_role("button", name="Done").click()
    train_button(page).click()
    expect(page.get_by_role("alert")).to_contain_text("Choose at least one image that has labels")
    assert served.get(f"/projects/{labelled}/trainings")["items"] == []


@pytest.mark.skipif(sys.platform != "linux", reason="finds the process by /proc")
def test_learning__a_killed_process_costs_one_message(anna, served, labelled, model):
    if served.predictor() is not None:  # it shall be killed while it is at work, which is sure while it starts
        served.stop()
        served.start()
    page = open_panel(anna, served, labelled)
    panel(page).get_by_role("button", name="Predict current").click()
    served.wait_for(lambda: served.predictor() is not None)
    os.kill(served.predictor(), signal.SIGKILL)
    message = page.get_by_role("alert")
    expect(message).to_contain_text("The process that predicts was killed by SIGKILL")
    expect(message).to_contain_text("Try again")
    expect(message).to_have_count(1)
    predict(page)
    expect(panel(page)).not_to_contain_text("was killed")


def test_learning__a_zero_shot_model_predicts_what_it_is_told(anna, served, labelled):
    served.install("blob-words")
    page = open_panel(anna, served, labelled)
    side = panel(page)
    choice = side.get_by_role("combobox", name="Model that predicts")
    choice.fill("blob-words")
    page.get_by_role("option", name="blob-words").click()
    side.get_by_role("button", name="Predict current").click()
    expect(page.get_by_role("alert")).to_contain_text("looks for what it is told")
    words = side.get_by_role("combobox", name="Look for")
    words.fill("nucleus")
    words.press("Enter")
    side.get_by_role("button", name="Predict current").click()
    expect(side.get_by_role("button", name=re.compile(r"Accept \d+ prediction"))).to_be_enabled()
