"""Drawing that takes several clicks, and what lasts over images: nothing is lost on the way."""

import pytest
from playwright.sync_api import expect


@pytest.fixture
def page(anna, served, smears):
    """The first picture, in a project with a class that has three keypoints."""
    body = {"name": "person", "keypoint_names": ["head", "hand", "foot"], "skeleton": [[0, 1], [0, 2]]}
    served.post(f"/projects/{smears}/classes", body)
    page = anna.go(f"/p/{smears}/image/{served.images(smears)['smear_0000.jpg']['id']}")
    expect(page.get_by_role("button", name="Change person")).to_be_attached()
    expect(page.get_by_test_id("save-state")).to_have_attribute("data-phase", "saved")
    return page


def click(page, left, top, **more):
    area = page.get_by_role("application", name="Image and labels").bounding_box()
    page.mouse.click(area["x"] + left * area["width"], area["y"] + top * area["height"], **more)


def bar(page):
    return page.get_by_test_id("drawing-bar")


def stored(served, project, name="smear_0000.jpg"):
    return served.labels(project, "ground_truth")[name]


def test_drawing__a_polygon_is_not_lost_by_going_on(page, served, smears):
    page.keyboard.press("p")
    for left, top in ((0.3, 0.3), (0.5, 0.3), (0.5, 0.6), (0.4, 0.7)):
        click(page, left, top)
    page.keyboard.press("d")
    expect(page.get_by_text("Something is being drawn: Enter keeps it, Escape gives it up")).to_be_visible()
    page.keyboard.press("Backspace")
    expect(bar(page)).to_contain_text("3 corners")
    page.keyboard.press("b")  # another tool keeps what is far enough
    expect(bar(page)).to_be_hidden()
    served.wait_for(lambda: len(stored(served, smears)) == 1)
    assert len(stored(served, smears)[0]["geometry"]["rings"][0]) == 6
    page.keyboard.press("d")
    expect(page.get_by_role("heading", name="smear_0001.jpg")).to_be_visible()


def test_drawing__keypoints_in_their_order_hidden_and_left_out(page, served, smears):
    page.keyboard.press("k")
    click(page, 0.5, 0.3)
    expect(bar(page)).to_contain_text("2 of 3: hand")
    bar(page).get_by_role("button", name="Hidden").click()
    click(page, 0.6, 0.5)
    bar(page).get_by_role("button", name="Not there").click()
    expect(bar(page)).to_be_hidden()
    served.wait_for(lambda: len(stored(served, smears)) == 1)
    points = stored(served, smears)[0]["geometry"]["points"]
    assert points[2::3] == [2, 1, 0]


def test_drawing__copied_labels_go_to_the_next_image(page, served, smears):
    page.keyboard.press("p")
    for left, top in ((0.3, 0.3), (0.5, 0.3), (0.5, 0.6)):
        click(page, left, top)
    page.keyboard.press("Enter")
    page.keyboard.press("Control+c")
    page.keyboard.press("d")
    expect(page.get_by_role("heading", name="smear_0001.jpg")).to_be_visible()
    page.keyboard.press("Control+v")
    served.wait_for(lambda: len(stored(served, smears, "smear_0001.jpg")) == 1)
    there, here = stored(served, smears, "smear_0001.jpg"), stored(served, smears)
    assert there[0]["geometry"] == here[0]["geometry"]


def test_drawing__a_renamed_class_keeps_its_labels(page, served, smears):
    page.keyboard.press("p")
    for left, top in ((0.3, 0.3), (0.5, 0.3), (0.5, 0.6)):
        click(page, left, top)
    page.keyboard.press("Enter")
    row = page.get_by_role("region", name="Labels of this image").get_by_role("option")
    expect(row).to_have_accessible_name("person, polygon")
    page.get_by_role("button", name="Change person").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("figure")
    dialog.get_by_role("button", name="Save").click()
    expect(row).to_have_accessible_name("figure, polygon")
    page.get_by_role("button", name="Change figure").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(dialog).to_contain_text("have the class")
