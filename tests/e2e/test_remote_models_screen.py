"""Models behind a URL: made known, tried, used in a run and for the image on screen, changed, forgotten."""

import json
import re

import pytest
from browsing import serving_model
from playwright.sync_api import expect


@pytest.fixture(scope="module")
def far(tmp_path_factory):
    """Address of a detector that another process serves, as that prints it."""
    with serving_model("blobs:cells", tmp_path_factory.mktemp("far")) as url:
        yield url


@pytest.fixture(scope="module")
def talker(tmp_path_factory):
    """Address of a model that answers questions."""
    with serving_model("talker:parrot", tmp_path_factory.mktemp("talker")) as url:
        yield url


@pytest.fixture
def page(anna, served):
    for each in served.get("/remote-models")["items"]:
        served.ask("DELETE", f"/remote-models/{each['name']}")
    return anna.go("/models")


def choose(page, scope, label, option):
    scope.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=re.compile(f"^{re.escape(option)}")).first.click()


def add(page):
    page.get_by_role("button", name="Add a model").click()
    page.get_by_role("menuitem", name="A model by URL").click()
    return page.get_by_role("dialog", name="Add a model by URL")


def test_remote__added_by_the_address_that_its_server_prints_and_tried(page, served, smears, far, pictures):
    dialog = add(page)
    expect(dialog.get_by_role("button", name="Add", exact=True)).to_be_disabled()
    dialog.get_by_label("Name", exact=True).fill("far")
    dialog.get_by_label("URL").fill(far)
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("article", name="Card of remote:far")).to_contain_text("3 classes")

    trial = page.get_by_role("region", name="Test")
    choose(page, trial, "Project of the image", str(served.get(f"/projects/{smears}")["name"]))
    image = trial.get_by_role("combobox", name="Image of the test")
    image.fill("0004")
    page.get_by_role("option", name="smear_0004.jpg").click()
    trial.get_by_role("button", name="Test").click()
    expect(trial.get_by_role("status")).to_contain_text("predictions")
    expect(trial.get_by_role("img", name="What the model looked at")).to_be_visible()
    expect(trial.get_by_role("list", name="Predictions")).to_contain_text("disc")

    with page.expect_file_chooser() as chooser:
        trial.get_by_role("button", name="choose a file").click()
    chooser.value.set_files(pictures / "smear_0007.jpg")
    expect(trial.get_by_role("list", name="Predictions")).to_have_count(0)
    trial.get_by_role("button", name="Test").click()
    expect(trial.get_by_role("list", name="Predictions")).to_contain_text("disc")
    trial.get_by_role("button", name="Without this file").click()
    expect(trial.get_by_role("combobox", name="Image of the test")).to_be_visible()


def test_remote__used_in_a_run_and_for_the_image_on_screen(anna, served, smears, far, page):
    served.post("/remote-models", {"name": "distant", "spec": {"url": far}})
    page = anna.go(f"/p/{smears}/runs?new=1")
    dialog = page.get_by_role("dialog", name="Auto label")
    choose(page, dialog, "Model", "remote:distant")
    expect(dialog.get_by_role("article", name="Card of remote:distant")).to_be_visible()
    dialog.get_by_label("Label field").fill("sent")
    dialog.get_by_role("button", name="Label 12 images").click()
    run = page.get_by_role("article", name="Run sent")
    expect(run.get_by_role("link", name="Review")).to_be_visible(timeout=60_000)
    made = [label for labels in served.labels(smears, "sent").values() for label in labels]
    assert {"disc", "lobed"} <= {each["class_name"] for each in made}

    image = served.images(smears)["smear_0000.jpg"]["id"]
    page = anna.go(f"/p/{smears}/image/{image}")
    expect(page.get_by_test_id("save-state")).to_have_attribute("data-phase", "saved")
    page.keyboard.press("t")
    panel = page.get_by_role("complementary", name="Learning")
    choose(page, panel, "Model that predicts", "distant")
    panel.get_by_role("button", name="Predict current").click()
    expect(panel.get_by_role("region", name="Display")).to_contain_text(re.compile(r"\d+ of \d+ shown"), timeout=60_000)


def test_remote__answers_questions_in_the_editor(anna, served, smears, talker, page):
    served.post("/remote-models", {"name": "parrot", "spec": {"url": talker}})
    image = served.images(smears)["smear_0000.jpg"]["id"]
    page = anna.go(f"/p/{smears}/image/{image}")
    expect(page.get_by_test_id("save-state")).to_have_attribute("data-phase", "saved")
    page.keyboard.press("q")
    page.get_by_role("textbox", name="Question").fill("How many cells?")
    page.keyboard.press("Enter")
    answer = page.get_by_role("list", name="Questions about this image").get_by_role("listitem").first
    expect(answer).to_contain_text("How many cells? You ask that of", timeout=60_000)


def test_remote__steps_and_limits_are_said_in_fields(page, served):
    dialog = add(page)
    dialog.get_by_label("Name", exact=True).fill("plain")
    dialog.get_by_label("URL").fill("http://127.0.0.1:9/predict")
    choose(page, dialog, "Contract", "Plain")
    expect(dialog).to_contain_text("Say what the model does")
    dialog.get_by_role("combobox", name="Tasks").click()
    page.get_by_role("option", name="classification", exact=True).click()
    page.keyboard.press("Escape")
    dialog.get_by_role("textbox", name="Classes").fill("cat, dog")
    dialog.get_by_role("button", name="How images are sent").click()
    for label, step in (("Before", "Normalise"), ("Before", "Resize"), ("After", "Softmax")):
        dialog.get_by_role("button", name=f"Add a step: {label}").click()
        page.get_by_role("menuitem", name=step).click()
    dialog.get_by_role("button", name="Resize: earlier").click()
    dialog.get_by_label("Width").fill("320")
    dialog.get_by_label("Mean").fill("0.5 0.4, 0.3")
    dialog.get_by_role("button", name="Limits").click()
    dialog.get_by_label("Tries after a failure").fill("0")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("Resize: height is a whole number")
    dialog.get_by_label("Height").fill("240")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog).to_have_count(0)
    (made,) = served.get("/remote-models")["items"]
    assert made["spec"]["classes"] == ["cat", "dog"]
    assert made["spec"]["retries"] == 0
    assert made["spec"]["pre"] == [
        {"step": "resize", "width": 320, "height": 240},
        {"step": "normalise", "scale": 1, "mean": [0.5, 0.4, 0.3], "std": [1]},
    ]
    assert made["spec"]["post"] == [{"step": "softmax"}]


def test_remote__changed_and_forgotten(page, served):
    spec = {"url": "http://127.0.0.1:9/predict", "contract": "plain", "tasks": ["detection"], "retries": 0}
    made = served.post("/remote-models", {"name": "far", "spec": spec | {"rename": {"cat": "dog"}}})
    page.reload()
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_text("test it with an image")).to_be_visible()
    page.get_by_label("More for far").click()
    page.get_by_role("menuitem", name="Change").click()
    dialog = page.get_by_role("dialog", name="Change far")
    expect(dialog.get_by_label("URL")).to_have_value("http://127.0.0.1:9/predict")
    expect(dialog.get_by_label("Further settings")).to_have_value(json.dumps({"rename": {"cat": "dog"}}, indent=2))
    dialog.get_by_role("textbox", name="Description").fill("Sees far.")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Sees far.")).to_be_visible()
    assert served.get("/remote-models/far")["spec"] == made["spec"] | {"description": "Sees far."}
    page.get_by_label("More for far").click()
    page.get_by_role("menuitem", name="Forget").click()
    page.get_by_role("dialog").get_by_role("button", name="Forget the model").click()
    expect(page.get_by_text("Sees far.")).to_have_count(0)
    assert served.get("/remote-models")["items"] == []
