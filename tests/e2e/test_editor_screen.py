"""The editor: draw, relabel, undo, delete; all of it saved at once, also when the server goes away meanwhile."""

import re

import pytest
from drawing import drag, rows, saved, stage
from playwright.sync_api import expect

CLASSES = ("disc", "rod")


@pytest.fixture
def project(served, smears):
    for name in CLASSES:
        served.post(f"/projects/{smears}/classes", {"name": name})
    return smears


def open_image(visit, served, project, name="smear_0000.jpg"):
    """Open a picture in the editor; its page."""
    image = served.images(project)[name]["id"]
    page = visit.go(f"/p/{project}/image/{image}")
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(stage(page)).to_be_visible()
    expect(page.get_by_role("complementary", name="Labels").get_by_text("disc").first).to_be_visible()
    return page


def draw(page, left=0.35, top=0.35, right=0.55, bottom=0.6):
    """Drag a box over parts of the stage."""
    area = stage(page).bounding_box()
    page.keyboard.press("b")
    drag(
        page,
        area["x"] + left * area["width"],
        area["y"] + top * area["height"],
        area["x"] + right * area["width"],
        area["y"] + bottom * area["height"],
    )


def stored(served, project, name="smear_0000.jpg"):
    return served.labels(project, "ground_truth")[name]


def test_editor__draws_a_box_where_the_mouse_went(anna, served, project):
    page = open_image(anna, served, project)
    draw(page)
    expect(rows(page)).to_have_count(1)
    served.wait_for(lambda: len(stored(served, project)) == 1)
    saved(page)
    (label,) = stored(served, project)
    box = label["geometry"]
    assert label["class_name"] == "disc"
    assert label["state"] == "verified"
    assert box["type"] == "box"
    area = stage(page).bounding_box()
    scale = box["width"] / (0.2 * area["width"])
    assert box["height"] == pytest.approx(0.25 * area["height"] * scale, rel=0.03)
    page.reload()
    expect(rows(page)).to_have_count(1)


def test_editor__relabel_by_number_undo_redo_delete(anna, served, project):
    page = open_image(anna, served, project)
    draw(page)
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("v")
    rows(page).first.click()
    page.keyboard.press("2")
    expect(rows(page).first).to_have_accessible_name(re.compile("^rod"))
    saved(page)
    served.wait_for(lambda: [each["class_name"] for each in stored(served, project)] == ["rod"])
    page.keyboard.press("Control+z")
    expect(rows(page).first).to_have_accessible_name(re.compile("^disc"))
    page.keyboard.press("Control+z")
    expect(rows(page)).to_have_count(0)
    served.wait_for(lambda: stored(served, project) == [])
    page.keyboard.press("Control+Shift+z")
    page.keyboard.press("Control+Shift+z")
    expect(rows(page).first).to_have_accessible_name(re.compile("^rod"))
    rows(page).first.click()
    page.keyboard.press("Delete")
    expect(rows(page)).to_have_count(0)
    saved(page)
    served.wait_for(lambda: stored(served, project) == [])


def test_editor__next_and_previous_keep_the_filter(anna, served, project):
    first = served.images(project)["smear_0010.jpg"]["id"]
    page = anna.go(f"/p/{project}/image/{first}?q=text~_001")
    expect(page.get_by_test_id("place")).to_have_text("1 / 2")
    page.get_by_role("button", name="Next image").click()
    expect(page.get_by_role("heading", name="smear_0011.jpg")).to_be_visible()
    expect(page.get_by_role("button", name="Next image")).to_be_disabled()
    page.get_by_role("button", name="Back to the images").click()
    expect(page.get_by_role("listbox", name="Images").get_by_role("option")).to_have_count(2)


def test_editor__two_browsers_see_each_other(visits, served, project):
    anna, bo = visits("anna"), visits("bo")
    hers, his = open_image(anna, served, project), open_image(bo, served, project)
    draw(hers)
    expect(rows(his)).to_have_count(1)
    his.keyboard.press("v")
    rows(his).first.click()
    his.keyboard.press("2")
    expect(rows(hers).first).to_have_accessible_name(re.compile("^rod"))
    draw(his, 0.6, 0.3, 0.7, 0.5)
    expect(rows(hers)).to_have_count(2)
    changes = served.get(f"/projects/{project}/changes")["items"]
    assert {"anna", "bo"} <= {each["actor"] for each in changes}


@pytest.mark.parametrize(("choice", "kept"), [("Keep mine", "rod"), ("Take theirs", "lobed")])
def test_editor__both_change_one_label_and_one_of_them_chooses(visits, served, project, choice, kept):
    served.post(f"/projects/{project}/classes", {"name": "lobed"})
    anna, bo = visits("anna"), visits("bo")
    hers, his = open_image(anna, served, project), open_image(bo, served, project)
    draw(hers)
    expect(rows(his)).to_have_count(1)
    his.keyboard.press("v")
    rows(his).first.click()
    bo.context.set_offline(True)
    his.keyboard.press("2")
    expect(his.get_by_test_id("save-state")).to_have_attribute("data-phase", "waiting")

    hers.keyboard.press("v")
    rows(hers).first.click()
    hers.keyboard.press("3")
    saved(hers)
    bo.context.set_offline(False)
    conflict = his.get_by_test_id("conflict")
    expect(conflict).to_contain_text(re.compile("^anna changed the label “rod”.* It is “lobed” now."))
    conflict.get_by_role("button", name=choice).click()
    expect(conflict).to_have_count(0)
    for page in (hers, his):
        expect(rows(page).first).to_have_accessible_name(re.compile(f"^{kept}"))
    served.wait_for(lambda: [each["class_name"] for each in stored(served, project)] == [kept])


def test_editor__nothing_is_lost_when_the_server_is_killed(anna, served, project):
    page = open_image(anna, served, project)
    draw(page, 0.3, 0.3, 0.4, 0.45)
    served.wait_for(lambda: len(stored(served, project)) == 1)
    saved(page)
    served.kill()
    draw(page, 0.45, 0.3, 0.55, 0.45)
    draw(page, 0.6, 0.3, 0.7, 0.45)
    state = page.get_by_test_id("save-state")
    expect(state).to_have_attribute("data-phase", "waiting")
    expect(state).to_contain_text("2 changes not saved")
    expect(rows(page)).to_have_count(3)
    served.start()
    state.click()
    saved(page)
    assert len(stored(served, project)) == 3
    page.reload()
    expect(rows(page)).to_have_count(3)


def test_editor__what_is_not_saved_outlives_the_page(anna, served, project):
    page = open_image(anna, served, project)
    saved(page)
    served.kill()
    draw(page)
    expect(page.get_by_test_id("save-state")).to_have_attribute("data-phase", "waiting")
    page.goto("about:blank")
    served.start()
    page = open_image(anna, served, project)
    expect(rows(page)).to_have_count(1)
    saved(page)
    served.wait_for(lambda: len(stored(served, project)) == 1)
