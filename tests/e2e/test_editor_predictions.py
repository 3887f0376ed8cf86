"""Predictions in the editor: shown by confidence, accepted one by one or all at once, and brought back by undo."""

import pytest
from playwright.sync_api import expect

MODEL = {
    "name": "blobs:cells",
    "origin": "trained",
    "created_at": "2026-01-01T00:00:00Z",
    "bytes": 0,
    "card": {
        "family": "blobs",
        "tasks": ["detection"],
        "classes": ["disc", "lobed", "rod"],
        "scores": {},
        "details": {},
    },
}


@pytest.fixture
def page(anna, served, smears):
    """The first picture with the learning panel and predictions on it, some of them below the threshold."""
    served.post(f"/projects/{smears}/classes", {"name": "disc"})
    image = served.images(smears)["smear_0000.jpg"]["id"]
    # The model of the tests is not in the list of models: it needs no file.
    anna.page.route("**/api/v1/models", lambda route: route.fulfill(json={"items": [MODEL], "next": None}))
    page = anna.go(f"/p/{smears}/image/{image}")
    expect(page.get_by_test_id("save-state")).to_have_attribute("data-phase", "saved")
    page.get_by_role("button", name="Learning panel").click()
    page.get_by_role("button", name="Predict current").click()
    expect(accept(page)).to_be_enabled(timeout=30_000)
    return page


def accept(page):
    return page.get_by_role("region", name="Actions").get_by_role("button", name="Accept")


def number(locator):
    """The first number in a text."""
    return int(next(word for word in locator.inner_text().split() if word.isdigit()))


def stored(served, project):
    return served.labels(project, "ground_truth")["smear_0000.jpg"]


def test_predictions__the_threshold_works_without_asking_again(page):
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/predict" in request.url else None)
    slider = page.get_by_role("slider", name="Lowest confidence of the predictions shown")
    slider.focus()
    page.keyboard.press("Home")
    expect(page.get_by_role("region", name="Display").get_by_role("status")).to_have_text("0.10")
    all_of_them = number(accept(page))
    page.keyboard.press("End")
    expect(accept(page)).to_be_disabled()
    page.keyboard.press("Home")
    expect(accept(page)).to_contain_text(f"Accept {all_of_them} predictions")
    assert asked == []


def test_predictions__one_key_each_and_undo_brings_them_back(page, served, smears):
    count = number(accept(page))
    assert count > 2
    page.keyboard.press("Tab")
    bar = page.get_by_test_id("drawing-bar")
    expect(bar.get_by_role("button", name="Accept")).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.press("1")
    page.keyboard.press("Delete")
    expect(accept(page)).to_contain_text(f"Accept {count - 3} prediction" if count > 3 else "Accept predictions")
    served.wait_for(lambda: len(stored(served, smears)) == 2)
    first, second = stored(served, smears)
    assert {first["origin"], second["origin"]} == {"model"}
    assert second["class_name"] == "disc"
    assert first["confidence"] is not None
    page.keyboard.press("Escape")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(accept(page)).to_contain_text(f"Accept {count - 1} prediction")
    served.wait_for(lambda: stored(served, smears) == [])


def test_predictions__all_at_once_are_one_step(page, served, smears):
    count = number(accept(page))
    page.keyboard.press("Shift+A")
    served.wait_for(lambda: len(stored(served, smears)) == count)
    expect(page.get_by_role("region", name="Statistics")).to_contain_text("1 of 12")
    page.keyboard.press("Control+z")
    served.wait_for(lambda: stored(served, smears) == [])
    expect(accept(page)).to_contain_text(f"Accept {count} prediction")
