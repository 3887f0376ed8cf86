"""Models: what they are, under which name, and as files that go elsewhere and come back."""

import json

import pytest
from playwright.sync_api import expect


@pytest.fixture
def page(anna, served, model_file):
    """The page of models, with one on it."""
    served.forget_models()
    served.post("/models/import", {"path": str(model_file), "name": "cells"})
    opened = anna.go("/models")
    expect(card(opened, "cells")).to_be_visible()
    return opened


def card(page, name):
    return page.get_by_role("article", name=f"Model {name}", exact=True)


def test_models__a_card_says_what_it_is(page, served):
    (model,) = served.get("/models")["items"]
    shown = card(page, "cells")
    for class_name in ("disc", "lobed", "rod"):
        expect(shown.get_by_text(class_name, exact=True)).to_be_visible()
    expect(shown).to_contain_text("6images taught")
    shown.get_by_role("button", name="The whole card").click()
    expect(shown.get_by_text(model["card"]["weights_hash"])).to_be_visible()
    assert "test_resnet" in json.dumps(model["card"])
    expect(shown).to_contain_text("test_resnet")
    expect(page.get_by_role("article", name="Models of timm")).to_be_visible()


def test_models__export_delete_and_import_again(page, served, tmp_path):
    (model,) = served.get("/models")["items"]
    with page.expect_download() as download:
        card(page, "cells").get_by_role("link", name="Export").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)

    page.get_by_label("More for cells").click()
    page.get_by_role("menuitem", name="Delete").click()
    question = page.get_by_role("dialog", name="Delete the model cells?")
    expect(question).to_contain_text("cannot be brought back")
    question.get_by_role("button", name="Delete the model").click()
    expect(card(page, "cells")).to_have_count(0)
    served.wait_for(lambda: served.get("/models")["items"] == [])
    expect(page.get_by_text("No model has been trained or imported yet")).to_be_visible()

    bring(page, path)
    expect(page.get_by_role("article").first).to_contain_text("lobed")
    (again,) = served.get("/models")["items"]
    assert again["card"]["weights_hash"] == model["card"]["weights_hash"]
    assert again["card"]["classes"] == model["card"]["classes"]

    bring(page, path)
    dialog = page.get_by_role("dialog", name=f"Import {path.name}")
    expect(dialog).to_contain_text("There is a model of the name in this file already.")
    dialog.get_by_label("Name").fill("twin")
    dialog.get_by_role("button", name="Import").click()
    expect(card(page, "twin")).to_be_visible()
    assert len(served.get("/models")["items"]) == 2


def bring(page, path):
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add a model").click()
        page.get_by_role("menuitem", name="Import a file").click()
    chooser.value.set_files(path)


def test_models__what_is_no_model_is_refused(page, served, tmp_path):
    wrong = tmp_path / "weights.countersign-model"
    wrong.write_bytes(b"no model")
    bring(page, wrong)
    expect(page.get_by_role("alert")).to_contain_text("weights.countersign-model could not be imported")
    assert [each["name"] for each in served.get("/models")["items"]] == ["cells"]


def test_models__a_new_name(page, served):
    page.get_by_label("More for cells").click()
    page.get_by_role("menuitem", name="Rename").click()
    dialog = page.get_by_role("dialog", name="Rename cells")
    dialog.get_by_label("Name").fill("smear cells")
    dialog.get_by_role("button", name="Rename").click()
    expect(card(page, "smear cells")).to_be_visible()
    assert [each["name"] for each in served.get("/models")["items"]] == ["smear cells"]
