"""Questions about the image on screen: asked, answered, kept with their image, and what is shown where that fails."""

import re

import pytest
from playwright.sync_api import expect

MODEL = {"name": "talker:parrot", "installed": {"path": "", "bytes": 0, "files": 0}, "tasks": ["questions"]}


@pytest.fixture
def page(anna, served, smears):
    # The model of the tests is not in the catalogue: it needs no file.
    anna.page.route(
        "**/api/v1/catalogue?task=questions",
        lambda route: route.fulfill(json={"items": [MODEL], "folder": ""}),
    )
    image = served.images(smears)["smear_0000.jpg"]["id"]
    page = anna.go(f"/p/{smears}/image/{image}")
    expect(page.get_by_test_id("save-state")).to_have_attribute("data-phase", "saved")
    return page


def answers(page):
    return page.get_by_role("list", name="Questions about this image").get_by_role("listitem")


def test_questions__asked_by_keyboard_and_kept_with_their_image(page):
    page.keyboard.press("q")
    question = page.get_by_role("textbox", name="Question")
    expect(question).to_be_focused()
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_disabled()
    page.keyboard.type("How many cells?")
    page.keyboard.press("Enter")
    expect(answers(page).first).to_contain_text("How many cells? You ask that of", timeout=30_000)
    expect(answers(page).first).to_contain_text("talker:parrot")
    expect(question).to_have_value("")
    page.keyboard.type("Are they red?")
    page.keyboard.press("Enter")
    expect(answers(page)).to_have_count(2)
    expect(answers(page).first).to_contain_text("Are they red? You ask")
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    expect(page.get_by_test_id("place")).to_contain_text("2 / ")
    expect(answers(page)).to_have_count(0)
    page.keyboard.press("a")
    expect(answers(page)).to_have_count(2)
    page.keyboard.press("q")
    expect(page.get_by_role("complementary", name="Labels")).to_be_visible()


def test_questions__what_fails_says_why_and_can_be_asked_again(page):
    page.get_by_role("button", name="Ask about the image").click()
    page.get_by_role("textbox", name="Question").fill("Will it fail?")
    page.get_by_role("button", name="Ask", exact=True).click()
    problem = answers(page).get_by_role("alert")
    expect(problem).to_contain_text("the parrot is asleep", timeout=30_000)
    problem.get_by_role("button", name="Ask again").click()
    expect(answers(page).get_by_role("alert")).to_contain_text("the parrot is asleep")
    expect(answers(page)).to_have_count(1)
    page.get_by_role("button", name="Put this question away").click()
    expect(answers(page)).to_have_count(0)


def test_questions__no_model_says_how_to_get_one(page):
    page.unroute("**/api/v1/catalogue?task=questions")
    page.route("**/api/v1/catalogue?task=questions", lambda route: route.fulfill(json={"items": [], "folder": ""}))
    page.keyboard.press("q")
    panel = page.get_by_role("complementary", name="Questions")
    expect(panel).to_contain_text("No model answers questions yet")
    panel.get_by_role("link", name="Open the models").click()
    expect(page).to_have_url(re.compile("/models$"))
