"""The catalogue of models, and runs with what is in it: two stages, words to look for, label maps."""

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture
def catalogue(anna):
    """The page of the catalogue."""
    page = anna.go("/models?view=catalogue")
    expect(rows(page).first).to_be_visible()
    return page


def rows(page):
    return page.get_by_role("listbox", name="Models of the catalogue").get_by_role("option")


def choose(page, scope, label, option):
    scope.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=re.compile(f"^{re.escape(option)}")).first.click()


def test_catalogue__filters_and_the_card(catalogue):
    page = catalogue
    choose(page, page, "Vocabulary", "zero-shot")
    choose(page, page, "Task", "detection")
    page.get_by_role("textbox", name="Find a model").fill("blob made")
    expect(rows(page)).to_have_count(1)
    card = page.get_by_role("article", name="Card of blob-words")
    expect(card).to_contain_text("Made for tests.")
    expect(card.get_by_role("link", name="example.org/blobs")).to_be_visible()
    expect(card.get_by_role("img", name="speed: fast")).to_be_visible()
    choose(page, page, "Licence", "restricted")
    expect(page.get_by_text("No model fits")).to_be_visible()
    page.get_by_role("button", name="Show all").last.click()
    expect(rows(page).nth(5)).to_be_visible()


def test_catalogue__keys_walk_through_it(catalogue):
    page = catalogue
    page.get_by_role("textbox", name="Find a model").fill("made for tests")
    expect(rows(page)).to_have_count(3)
    page.get_by_role("listbox", name="Models of the catalogue").focus()
    page.keyboard.press("End")
    expect(rows(page).nth(2)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    expect(rows(page).nth(1)).to_have_attribute("aria-selected", "true")


def test_catalogue__without_a_network_it_says_which_file_goes_where(catalogue, served):
    page = catalogue
    page.get_by_role("textbox", name="Find a model").fill("blob-cut")
    card = page.get_by_role("article", name="Card of blob-cut")
    card.get_by_role("button", name="Pull").click()
    told = card.get_by_role("alert")
    expect(told).to_contain_text("weights.bin", timeout=60_000)
    expect(told).to_contain_text(str(served.folder / "models" / "blob-cut"))


def test_catalogue__a_restricted_licence_is_accepted_first(catalogue, served):
    served.install("blob-guarded")
    page = catalogue
    page.reload()
    page.get_by_role("textbox", name="Find a model").fill("blob-guarded")
    card = page.get_by_role("article", name="Card of blob-guarded")
    card.get_by_role("button", name="Read and accept its licence").click()
    dialog = page.get_by_role("dialog", name="The licence of blob-guarded")
    expect(dialog).to_contain_text("AGPL-3.0")
    expect(dialog.get_by_role("button", name="Accept")).to_be_disabled()
    dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Accept").click()
    expect(card.get_by_role("button", name="Read and accept its licence")).to_have_count(0)
    assert not served.get("/catalogue/model", model="blob-guarded")["licence_due"]


def test_runs__two_stages_with_words_and_prompts(anna, served, smears):
    served.install("blob-words", "blob-cut")
    page = anna.go(f"/p/{smears}/runs?new=1")
    dialog = page.get_by_role("dialog", name="Auto label")
    choose(page, dialog, "Task", "Instance segmentation")
    choose(page, dialog, "Method", "Detector")
    choose(page, dialog, "Vocabulary", "Zero-shot")
    choose(page, dialog, "Detector", "blob-words")
    choose(page, dialog, "Segmenter", "blob-cut")
    expect(dialog.get_by_role("article", name="Card of blob-words")).to_be_visible()
    expect(dialog).to_contain_text("Name at least one class to look for.")
    words = dialog.get_by_role("combobox", name="Look for")
    words.fill("nucleus, debris")
    words.press("Enter")
    dialog.get_by_role("button", name="Prompts of a class").click()
    dialog.get_by_label("Prompts of nucleus").first.fill("a round cell")
    dialog.get_by_label("Leave out").first.fill("the background")
    dialog.get_by_label("Leave out").first.press("Enter")
    dialog.get_by_label("Label field").fill("cut")
    dialog.get_by_role("button", name="Label 12 images").click()
    card = page.get_by_role("article", name="Run cut")
    expect(card.get_by_role("link", name="Review")).to_be_visible(timeout=60_000)
    expect(card).to_contain_text("blob-words → blob-cut")
    expect(card).to_contain_text("3 prompts")
    (run,) = served.get(f"/projects/{smears}/runs")["items"]
    assert {(each["text"], each["class_name"]) for each in run["prompts"]} == {
        ("a round cell", "nucleus"), ("debris", "debris"), ("the background", "")
    }  # fmt: skip
    made = [label for labels in served.labels(smears, "cut").values() for label in labels]
    assert {each["class_name"] for each in made} == {"nucleus", "debris"}
    assert {each["geometry"]["type"] for each in made} == {"mask"}

    page.get_by_role("button", name="Auto label").click()
    choose(page, dialog, "Task", "Instance segmentation")
    choose(page, dialog, "Method", "Boxes of a field")
    choose(page, dialog, "Field with boxes", "cut")
    choose(page, dialog, "Segmenter", "blob-cut")
    dialog.get_by_label("Label field").fill("again")
    dialog.get_by_role("button", name="Label 12 images").click()
    again = page.get_by_role("article", name="Run again")
    expect(again).to_contain_text("cut → blob-cut")
    expect(again.get_by_role("link", name="Review")).to_be_visible(timeout=60_000)


def test_runs__a_label_map_is_edited_and_kept(anna, served, smears):
    served.post(f"/projects/{smears}/classes", {"name": "Disc"})
    page = anna.go(f"/p/{smears}/runs?new=1")
    dialog = page.get_by_role("dialog", name="Auto label")
    choose(page, dialog, "Model", "A model of blobs")
    dialog.get_by_role("combobox", name="Name of the blobs model").fill("cells")
    expect(dialog).to_contain_text("1 class used, 2 ignored")
    dialog.get_by_role("button", name="Label map").click()
    editor = page.get_by_role("dialog", name="Label map of blobs:cells")
    expect(editor.get_by_role("combobox", name="Class for disc")).to_have_value("Disc")
    editor.get_by_role("combobox", name="Class for rod").fill("stick")
    editor.get_by_role("button", name="Keep this map").click()
    expect(dialog).to_contain_text("2 classes used, 1 ignored")
    dialog.get_by_label("Label field").fill("mapped")
    dialog.get_by_role("button", name="Label 12 images").click()
    expect(page.get_by_role("article", name="Run mapped").get_by_role("link", name="Review")).to_be_visible(
        timeout=60_000
    )
    made = [label["class_name"] for labels in served.labels(smears, "mapped").values() for label in labels]
    assert set(made) == {"Disc", "stick"}
    kept = served.get(f"/projects/{smears}/label-map", model="blobs:cells")
    assert kept["kept"]
    assert kept["classes"] == {"disc": "Disc", "lobed": "", "rod": "stick"}
