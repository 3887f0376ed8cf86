"""Runs and their review: auto label, look at what came, decide by slider and one by one, approve."""

import re
import shutil

import pytest
from playwright.sync_api import expect


def run_card(page, name):
    return page.get_by_role("article", name=f"Run {name}")


def crops(page):
    return page.get_by_role("listbox", name="Proposals, each a tile").get_by_role("option")


@pytest.fixture
def auto(served, smears):
    """A run in review over all pictures."""
    return served.run(smears, "auto")


@pytest.fixture
def review(anna, smears, auto):
    """The page of its review."""
    page = anna.go(f"/p/{smears}/runs/{auto}/review")
    expect(crops(page).first).to_be_visible()
    return page


def sure(served, project, low, name=None):
    """Labels of the run with at least this confidence."""
    found = [label for labels in served.labels(project, "auto").values() for label in labels]
    return [each for each in found if each["confidence"] >= low and name in (None, each["class_name"])]


def test_runs__auto_label_from_the_dialog_to_the_review(anna, served, smears):
    page = anna.go(f"/p/{smears}/runs")
    expect(page.get_by_text("No model has labelled here yet")).to_be_visible()
    page.get_by_role("button", name="Auto label").click()
    dialog = page.get_by_role("dialog", name="Auto label")
    dialog.get_by_label("Model", exact=True).click()
    page.get_by_role("option", name="A model of blobs").click()
    dialog.get_by_role("combobox", name="Name of the blobs model").fill("cells?delay=0.05")
    dialog.get_by_label("Label field").fill("auto")
    dialog.get_by_role("button", name="Label 12 images").click()
    card = run_card(page, "auto")
    expect(card.get_by_role("link", name="Review")).to_be_visible(timeout=60_000)
    expect(card).to_contain_text("on 12 images")
    card.get_by_role("link", name="Review").click()
    expect(crops(page).first).to_be_visible()
    assert len(served.images(smears, query="has=auto")) == 12


def test_runs__a_taken_field_is_said_while_typing(anna, smears, auto):
    page = anna.go(f"/p/{smears}/runs?new=1")
    dialog = page.get_by_role("dialog", name="Auto label")
    dialog.get_by_label("Label field").fill("auto")
    expect(dialog).to_contain_text(re.compile("auto.*(exists|taken|there)", re.IGNORECASE))


def test_runs__pause_resume_and_cancel(anna, served, smears):
    body = {"model": "blobs:cells?delay=0.5", "field": "slow", "batch_size": 1}
    run = served.post(f"/projects/{smears}/runs", body)["id"]
    served.until(f"/runs/{run}", lambda now: now["progress"]["done"] > 0)
    page = anna.go(f"/p/{smears}/runs")
    card = run_card(page, "slow")
    card.get_by_role("button", name="Pause").click()
    card.get_by_role("button", name="Resume").click()
    card.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the run").click()
    expect(card.get_by_role("button", name="Skip and continue to review")).to_be_visible()
    card.get_by_role("button", name="Skip and continue to review").click()
    page.get_by_role("dialog").get_by_role("button", name="Skip and continue to review").click()
    expect(card.get_by_role("link", name="Review")).to_be_visible()
    assert 0 < served.get(f"/runs/{run}")["progress"]["done"] < 12


def test_runs__paused_and_resumed_to_the_end(anna, served, smears):
    body = {"model": "blobs:cells?delay=0.3", "field": "slow", "batch_size": 1}
    run = served.post(f"/projects/{smears}/runs", body)["id"]
    served.until(f"/runs/{run}", lambda now: now["progress"]["done"] > 0)
    page = anna.go(f"/p/{smears}/runs")
    card = run_card(page, "slow")
    card.get_by_role("button", name="Pause").click()
    expect(card).to_contain_text("paused")
    assert served.until(f"/runs/{run}", lambda now: now["state"] == "paused")["progress"]["done"] < 12
    card.get_by_role("button", name="Resume").click()
    expect(card.get_by_role("link", name="Review")).to_be_visible()
    assert served.get(f"/runs/{run}")["progress"]["done"] == 12


def test_runs__one_that_failed_says_why_and_resumes(anna, served, smears, tmp_path):
    weights = tmp_path / "weights"
    run = served.post(f"/projects/{smears}/runs", {"model": f"blobs:cells?needs={weights}", "field": "auto"})["id"]
    page = anna.go(f"/p/{smears}/runs")
    card = run_card(page, "auto")
    expect(card.get_by_role("alert")).to_contain_text(f"The weights {weights} are not there")
    weights.touch()
    card.get_by_role("button", name="Resume").click()
    expect(card.get_by_role("link", name="Review")).to_be_visible()
    expect(card.get_by_role("alert")).to_have_count(0)
    assert served.get(f"/runs/{run}")["progress"]["done"] == 12


def test_runs__one_that_failed_goes_on_to_review(anna, served, smears, tmp_path):
    served.post(f"/projects/{smears}/runs", {"model": f"blobs:cells?needs={tmp_path / 'weights'}", "field": "auto"})
    page = anna.go(f"/p/{smears}/runs")
    card = run_card(page, "auto")
    card.get_by_role("button", name="Skip and continue to review").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("12 images of 12 are not labelled yet")
    question.get_by_role("button", name="Skip and continue to review").click()
    expect(card.get_by_role("link", name="Review")).to_be_visible()


def test_runs__images_that_failed_say_why_and_are_tried_again(anna, served, tmp_path, pictures):
    folder = tmp_path / "pictures"
    shutil.copytree(pictures, folder)
    project = served.project("one is broken", folder)
    good = (folder / "smear_0004.jpg").read_bytes()
    (folder / "smear_0004.jpg").write_bytes(b"no picture")
    run = served.run(project, "auto")
    page = anna.go(f"/p/{project}/runs")
    card = run_card(page, "auto")
    card.get_by_role("button", name="1 image failed: see why").click()
    dialog = page.get_by_role("dialog", name="1 image of auto failed")
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    expect(dialog.get_by_role("listitem")).to_contain_text("smear_0004.jpg")
    expect(dialog.get_by_role("listitem")).to_contain_text(served.get(f"/runs/{run}/failures")["items"][0]["reason"])
    (folder / "smear_0004.jpg").write_bytes(good)
    dialog.get_by_role("button", name="Try them again").click()
    expect(card).to_contain_text("on 12 images")
    assert served.get(f"/runs/{run}")["progress"]["failed"] == 0


def test_runs__labels_that_are_there_are_analysed(anna, served, smears, tmp_path):
    table = tmp_path / "said.csv"
    lines = [f"smear_0000.jpg,disc,{20 * i},30,15,15,0.{i}" for i in range(1, 8)]
    table.write_text("\n".join(["image,class,x,y,width,height,confidence", *lines]))
    served.bring(smears, table, field="said")
    page = anna.go(f"/p/{smears}/runs")
    page.get_by_role("button", name="Analyse existing labels").click()
    dialog = page.get_by_role("dialog", name="Analyse existing labels")
    expect(dialog).to_contain_text("7 labels on 1 image")
    dialog.get_by_role("button", name="Review said").click()
    expect(crops(page)).to_have_count(7)
    side = page.get_by_role("complementary", name="Filter")
    side.get_by_role("textbox", name="Confidence: lowest").fill("0.45")
    side.get_by_role("button", name="Add 3 labels for approval").click()
    expect(page.get_by_role("tab", name="Approval")).to_contain_text("3")
    (run,) = served.get(f"/projects/{smears}/runs")["items"]
    assert sorted(label["state"] for label in served.labels(smears, run["field"])["smear_0000.jpg"]) == [
        *["promoted"] * 3, *["proposed"] * 4,
    ]  # fmt: skip
    assert {label["state"] for label in served.labels(smears, "said")["smear_0000.jpg"]} == {"verified"}


def test_review__slider_and_class_row_then_promote(review, served, smears, auto):
    page = review
    side = page.get_by_role("complementary", name="Filter")
    low = side.get_by_role("textbox", name="Confidence: lowest")
    low.fill("0.7")
    page.keyboard.press("Tab")
    expected = len(sure(served, smears, 0.7))
    expect(side.get_by_role("button", name=re.compile(f"^Add {expected} labels? for approval"))).to_be_visible()
    row = side.get_by_role("button", name="rod")
    row.click()
    expect(row).to_have_attribute("aria-pressed", "true")
    rods = len(sure(served, smears, 0.7, "rod"))
    add = side.get_by_role("button", name=re.compile(f"^Add {rods} labels? for approval"))
    expect(add).to_be_visible()
    expect(page).to_have_url(re.compile("class=rod.*min=0.7"))
    row.click()
    expect(row).to_have_attribute("aria-pressed", "false")
    row.click()
    add.click()
    expect(page.get_by_role("tab", name="Approval")).to_contain_text(str(rods))
    promoted = served.get(f"/runs/{auto}/review/labels", state="promoted", limit=200)["items"]
    assert {each["label"]["class_name"] for each in promoted} == {"rod"}
    assert len(promoted) == rods


def test_review__slider_by_keyboard_moves_the_counts(review, served, smears):
    page = review
    thumb = page.get_by_role("slider", name="Confidence: lowest")
    thumb.focus()
    page.keyboard.press("End")
    page.keyboard.press("Home")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expected = len(sure(served, smears, 0.03))
    side = page.get_by_role("complementary", name="Filter")
    expect(side.get_by_role("button", name=re.compile(f"^Add {expected} labels? for approval"))).to_be_visible()


def test_review__crops_one_key_each(review, served, smears):
    page = review

    def states():
        found = [label["state"] for labels in served.labels(smears, "auto").values() for label in labels]
        return found.count("promoted"), found.count("rejected")

    crops(page).nth(0).click()
    page.keyboard.press("a")
    page.keyboard.press("r")
    expect(crops(page).nth(0)).to_contain_text("accepted")
    expect(crops(page).nth(1)).to_contain_text("rejected")
    served.wait_for(lambda: states() == (1, 1))
    page.keyboard.press("Control+z")
    served.wait_for(lambda: states() == (1, 0))
    crops(page).nth(2).click()
    crops(page).nth(4).click(modifiers=["Shift"])
    expect(page.get_by_role("toolbar", name="Decide")).to_contain_text("3 picked")
    page.keyboard.press("r")
    served.wait_for(lambda: states() == (1, 3))


def test_review__relabel_counts_as_accepted(review, served, auto):
    page = review
    crops(page).nth(0).click()
    page.get_by_role("toolbar", name="Decide").get_by_role("button", name="Class").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").or_(dialog.get_by_role("combobox")).first.fill("lobed")
    page.keyboard.press("Enter")
    served.until(
        f"/runs/{auto}/review/labels?state=promoted",
        lambda found: [each["label"]["class_name"] for each in found["items"]] == ["lobed"],
    )


def test_review__images_instead_of_crops(review):
    page = review
    page.get_by_text("Images", exact=True).last.click()
    expect(page.get_by_role("listbox", name="Images with proposals").get_by_role("option")).to_have_count(12)
    expect(page).to_have_url(re.compile("look=images"))


def test_review__approval_undo_per_class_then_approve(review, served, smears, auto):
    page = review
    page.get_by_role("complementary", name="Filter").get_by_role("button", name=re.compile("^Add .* approval")).click()
    page.get_by_role("tab", name="Approval").click()
    side = page.get_by_role("complementary", name="Filter")
    side.get_by_role("button", name="Undo rod").click()
    expect(side.get_by_role("button", name="Undo rod")).to_have_count(0)
    wanted = [each for each in sure(served, smears, 0) if each["class_name"] != "rod"]
    page.get_by_role("button", name=f"Approve {len(wanted)} labels …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"{len(wanted)} labels on")
    expect(dialog).to_contain_text("The run is closed")
    dialog.get_by_role("button", name=f"Approve {len(wanted)} labels").click()
    expect(page.get_by_role("link", name="In ground_truth")).to_be_visible()
    approved = [label for labels in served.labels(smears, "ground_truth").values() for label in labels]
    assert len(approved) == len(wanted)
    assert {label["state"] for label in approved} == {"verified"}
    assert served.get(f"/runs/{auto}")["state"] == "approved"


def test_review__relabel_to_a_class_made_on_the_way(review, served, smears, auto):
    page = review
    crops(page).nth(0).click()
    page.keyboard.press("c")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("ghost cell")
    expect(dialog.get_by_role("option")).to_have_text(["Make the class “ghost cell”"])
    page.keyboard.press("Enter")
    served.until(
        f"/runs/{auto}/review/labels?state=promoted",
        lambda found: [each["label"]["class_name"] for each in found["items"]] == ["ghost cell"],
    )
    assert "ghost cell" in [each["name"] for each in served.get(f"/projects/{smears}/classes")["items"]]


def test_review__class_table_is_sorted_by_its_heads(review):
    side = review.get_by_role("complementary", name="Filter")
    first = side.get_by_role("rowheader").nth(0)
    expect(first).to_have_text("disc")
    side.get_by_role("button", name="Class", exact=True).click()
    expect(first).to_have_text("rod")


def test_review__a_run_is_closed_without_labels(review, served, auto):
    page = review
    page.get_by_role("button", name="Approve …").click()
    dialog = page.get_by_role("dialog", name="Close the run without labels")
    total = served.get(f"/runs/{auto}")["progress"]["labels"]
    expect(dialog).to_contain_text(f"{total} proposals of this run stay in auto and count as rejected")
    expect(dialog.get_by_label("Into the field")).to_have_count(0)
    dialog.get_by_role("button", name="Close the run without labels").click()
    expect(page.get_by_text("This run is closed")).to_be_visible()
    assert served.get(f"/runs/{auto}")["state"] == "approved"


@pytest.fixture
def own(pictures, tmp_path):
    """A copy of the pictures, to damage."""
    return shutil.copytree(pictures, tmp_path / "pictures")


def test_runs__where_all_failed_the_reason_is_told_and_a_run_like_it_begins(anna, served, own):
    project = served.project("all fail", own)
    kept = {file: file.read_bytes() for file in own.glob("*.jpg")}
    for file in kept:
        file.write_bytes(b"no picture")
    run = served.post(f"/projects/{project}/runs", {"model": "blobs:cells", "field": "auto"})["id"]
    served.until(f"/runs/{run}", lambda now: now["state"] == "error")
    for file, content in kept.items():
        file.write_bytes(content)
    page = anna.go(f"/p/{project}/runs")
    card = run_card(page, "auto")
    expect(card.get_by_role("alert")).to_contain_text("All 12 images failed, the first because")
    card.get_by_role("button", name="More for auto").click()
    page.get_by_role("menuitem", name="New run like this").click()
    dialog = page.get_by_role("dialog", name="Auto label")
    expect(dialog.get_by_role("combobox", name="Name of the blobs model")).to_have_value("cells")
    dialog.get_by_role("button", name="Label 12 images").click()
    expect(run_card(page, "cells_1")).to_contain_text("on 12 images")


def test_runs__existing_labels_are_imported_and_reviewed(anna, served, smears, tmp_path):
    file = tmp_path / "said.csv"
    file.write_text("image,class,x,y,width,height,confidence\nsmear_0000.jpg,disc,5,5,20,20,0.5\n")
    page = anna.go(f"/p/{smears}/runs")
    page.get_by_role("button", name="Analyse existing labels").click()
    dialog = page.get_by_role("dialog", name="Analyse existing labels")
    expect(dialog).to_contain_text("No field has labels with a confidence")
    served.bring(smears, file, field="theirs", what="labels")
    expect(dialog.get_by_role("radio", name="theirs")).to_be_checked()
    dialog.get_by_role("button", name="Review theirs").click()
    expect(crops(page)).to_have_count(1)
