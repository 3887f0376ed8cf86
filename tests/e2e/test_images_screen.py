"""The grid: what the filter shows, what is selected, both in the address; tags and splits for many at once."""

import re

from playwright.sync_api import expect

ENTRIES = [{"class_name": "disc", "geometry": {"type": "box", "x": 20, "y": 30, "width": 50, "height": 40}}]


def tiles(page):
    return page.get_by_role("listbox", name="Images").get_by_role("option")


def selected(page):
    return page.get_by_role("listbox", name="Images").get_by_role("option", selected=True)


def facet(page, name):
    return page.get_by_role("complementary", name="Filters").get_by_role("checkbox", name=re.compile(f"^{name}, "))


def test_images__text_filter_lives_in_the_address(anna, smears):
    page = anna.go(f"/p/{smears}/images")
    expect(tiles(page)).to_have_count(12)
    page.get_by_label("Search by name").fill("_001")
    expect(tiles(page)).to_have_count(2)
    expect(page.get_by_role("status").first).to_contain_text("2 of 12 images")
    expect(page).to_have_url(re.compile(r"\?q=.*_001"))
    page.reload()
    expect(tiles(page)).to_have_count(2)
    page.get_by_role("button", name="Clear all filters").click()
    expect(tiles(page)).to_have_count(12)
    page.get_by_label("Search by name").fill("no such picture")
    expect(page.get_by_text("No image fits the filter")).to_be_visible()


def test_images__selection_by_click_shift_and_control(anna, smears):
    page = anna.go(f"/p/{smears}/images")
    bar = page.get_by_role("toolbar", name="Selected images")
    tiles(page).nth(1).click()
    expect(selected(page)).to_have_count(1)
    tiles(page).nth(4).click(modifiers=["Shift"])
    expect(bar).to_contain_text("4 images selected")
    tiles(page).nth(2).click(modifiers=["ControlOrMeta"])
    expect(bar).to_contain_text("3 images selected")
    page.reload()
    expect(selected(page)).to_have_count(3)
    page.keyboard.press("Control+a")
    expect(bar).to_contain_text("12 images selected")
    page.keyboard.press("Escape")
    expect(bar).to_have_count(0)


def test_images__selection_by_lasso(anna, smears):
    page = anna.go(f"/p/{smears}/images")
    first, last = tiles(page).nth(0).bounding_box(), tiles(page).nth(2).bounding_box()
    page.mouse.move(first["x"] + 8, first["y"] + first["height"] - 40)
    page.mouse.down()
    page.mouse.move(last["x"] + 30, last["y"] + 30, steps=6)
    page.mouse.up()
    expect(page.get_by_role("toolbar", name="Selected images")).to_contain_text("3 images selected")


def test_images__tags_and_split_for_many_at_once(anna, served, smears):
    page = anna.go(f"/p/{smears}/images")
    tiles(page).nth(0).click()
    tiles(page).nth(2).click(modifiers=["Shift"])
    page.get_by_role("listbox", name="Images").focus()
    page.keyboard.press("t")
    page.get_by_label("Find or make a tag").fill("blurry")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Apply to 3 images").click()
    expect(facet(page, "blurry")).to_have_accessible_name("blurry, 3")
    page.get_by_role("button", name="Split", exact=True).click()
    page.get_by_role("menuitem", name="val", exact=True).click()
    expect(facet(page, "val")).to_have_accessible_name("val, 3")

    facet(page, "blurry").click()
    expect(tiles(page)).to_have_count(3)
    facet(page, "blurry").click()
    expect(tiles(page)).to_have_count(9)
    stored = served.images(smears)
    assert sorted(name for name, each in stored.items() if each["tags"] == ["blurry"] and each["split"] == "val") == [
        "smear_0000.jpg", "smear_0001.jpg", "smear_0002.jpg",
    ]  # fmt: skip


def test_images__filter_by_labels_of_a_run(anna, served, smears):
    served.run(smears, "auto")
    with_rods = [name for name, labels in served.labels(smears, "auto").items() if is_sure_rod(labels)]
    page = anna.go(f"/p/{smears}/images?q=" + "field%3Dauto%20class%3Drod%20confidence%3D0.75..")
    expect(tiles(page)).to_have_count(len(with_rods))
    page.get_by_role("button", name="Clear all filters").click()
    expect(tiles(page)).to_have_count(12)


def is_sure_rod(labels):
    return any(label["class_name"] == "rod" and label["confidence"] >= 0.75 for label in labels)


def test_images__opens_one_in_the_editor_with_the_filter(anna, smears):
    page = anna.go(f"/p/{smears}/images?q=text~_0003")
    tiles(page).first.dblclick()
    expect(page).to_have_url(re.compile(rf"/p/{smears}/image/\d+\?q=text~_0003|/p/{smears}/image/\d+\?q=text%7E_0003"))


def test_images__labels_of_somebody_else_appear(anna, served, smears):
    page = anna.go(f"/p/{smears}/images")
    expect(tiles(page)).to_have_count(12)
    image = served.images(smears)["smear_0000.jpg"]["id"]
    served.post(f"/images/{image}/labels", {"field": "ground_truth", "labels": ENTRIES})
    expect(tiles(page).first).to_have_accessible_name(re.compile("1 labels?"))
    expect(facet(page, "has ground_truth")).to_have_accessible_name("has ground_truth, 1")


def test_images__export_of_the_selection(anna, served, smears, tmp_path):
    for name in ("smear_0000.jpg", "smear_0001.jpg"):
        image = served.images(smears)[name]["id"]
        served.post(f"/images/{image}/labels", {"field": "ground_truth", "labels": ENTRIES})
    page = anna.go(f"/p/{smears}/images")
    tiles(page).nth(1).click()
    page.get_by_role("toolbar", name="Selected images").get_by_role("button", name="Export").click()
    dialog = page.get_by_role("dialog", name="Export labels")
    dialog.get_by_label("Write to (on the server)").fill(str(tmp_path / "out.json"))
    dialog.get_by_role("button", name="Export", exact=True).click()
    expect(dialog.get_by_role("status")).to_contain_text("1 label on 1 image written")
    assert "smear_0001.jpg" in (tmp_path / "out.json").read_text()


def test_images__a_run_takes_the_selection_or_the_filter(anna, served, smears):
    page = anna.go(f"/p/{smears}/images?q=text~_000")
    expect(tiles(page)).to_have_count(10)
    tiles(page).nth(1).click()
    tiles(page).nth(3).click(modifiers=["Shift"])
    page.get_by_role("toolbar", name="Selected images").get_by_role("button", name="Auto label").click()
    dialog = page.get_by_role("dialog", name="Auto label")
    expect(dialog.get_by_role("radio", name=re.compile("^Current selection"))).to_be_checked()
    for target, count in (("All images", 12), ("Current filter", 10), ("Current selection", 3)):
        choice = dialog.get_by_role("radio", name=re.compile(f"^{target}"))
        expect(choice).to_have_accessible_name(re.compile(f"{count} images"))
        choice.click()
        expect(dialog.get_by_role("button", name=f"Label {count} images")).to_be_visible()
    dialog.get_by_label("Model", exact=True).first.click()
    page.get_by_role("option", name="A model of blobs").click()
    dialog.get_by_label("Name of the blobs model").fill("cells")
    dialog.get_by_label("Label field").fill("auto")
    dialog.get_by_role("button", name="Label 3 images").click()
    (run,) = served.until(
        f"/projects/{smears}/runs", lambda found: [each["state"] for each in found["items"]] == ["in_review"]
    )["items"]
    assert run["progress"]["total"] == 3
    assert sorted(served.images(smears, query="has=auto")) == [f"smear_000{i}.jpg" for i in (1, 2, 3)]
